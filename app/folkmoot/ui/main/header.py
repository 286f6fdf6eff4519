"""The head of a conversation: name, topic (a click edits it), members, calling."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QWidget,
)

from folkmoot.services.call_values import CallPhase
from folkmoot.ui.main.rows import write_line
from folkmoot.ui.main.state import HeaderState
from folkmoot.ui.theme.avatars import paint_avatar, paint_presence
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import plain_tip

HEIGHT = 56
TOPIC_LIMIT = 250


class _Title(KeyboardFocus, QPushButton):
    """Sign or avatar, and the name; a click opens what can be done with the channel."""

    focus_radius = 7

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._state: HeaderState | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_state(self, state: HeaderState) -> None:
        """Show the newest."""
        self._state = state
        self.setEnabled(state.may_change)
        self.setAccessibleName(state.name)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """The name whole."""
        name = self._state.name if self._state else ""
        metrics = QFontMetricsF(self.theme.font(TextStyle.TITLE))
        return QSize(round(metrics.horizontalAdvance(name)) + 46, 36)

    def minimumSizeHint(self) -> QSize:
        """It may be cut."""
        return QSize(72, 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        if self._state is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hot = self.isEnabled() and self.underMouse()
        if hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        state = self._state
        left = 30
        if state.is_channel:
            picture = self.theme.pixmap("hash", "ink", 18, self.devicePixelRatioF())
            painter.drawPixmap(6, 9, picture)
            left = 27
        else:
            box = QRectF(6, 6, 24, 24)
            paint_avatar(painter, box, state.name, state.key)
            if state.presence is not None:
                ground = "hover" if hot else "panel"
                paint_presence(painter, box, state.presence, self.theme, ground)
            left = 38
        font = self.theme.font(TextStyle.TITLE)
        place = QRectF(left, 0, self.width() - left - 4, self.height())
        shown = write_line(painter, font, self.theme, "ink", state.name, place)
        self.setToolTip("" if shown else plain_tip(state.name))


class _Topic(KeyboardFocus, QPushButton):
    """The topic on one line; a click edits it where that is allowed."""

    focus_radius = 7

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._words = ""
        self._token = "mute"
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(30)

    def show_topic(self, topic: str, *, may_change: bool) -> None:
        """Show a topic, or the invitation to write one."""
        self.setEnabled(may_change)
        empty = self.tr("Add a topic") if may_change else ""
        self._words = topic or empty
        self._token = "mute" if topic else "faint"
        name = self.tr("Topic: {topic}").format(topic=topic) if topic else empty
        self.setAccessibleName(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.theme.font(TextStyle.LABEL)
        if self.isEnabled() and self.underMouse():
            width = min(QFontMetricsF(font).horizontalAdvance(self._words) + 16, self.width())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("hover"))
            painter.drawRoundedRect(QRectF(0, 0, width, self.height()), 7, 7)
        box = QRectF(8, 0, self.width() - 16, self.height())
        shown = write_line(painter, font, self.theme, self._token, self._words, box)
        self.setToolTip("" if shown else plain_tip(self._words))


class _Members(KeyboardFocus, QPushButton):
    """How many are members."""

    focus_radius = 7

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._count = 0
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def nextCheckState(self) -> None:
        """Checked while the pane is open: the presenter says so."""

    def show_count(self, count: int) -> None:
        """Show the number; none hides the button."""
        self._count = count
        self.setVisible(count > 0)
        name = self.tr("Members: {n}").format(n=count)
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        """Icon and number."""
        metrics = QFontMetricsF(self.theme.font(TextStyle.LABEL_STRONG))
        return QSize(round(metrics.horizontalAdvance(str(self._count))) + 40, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        if on or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("accent_soft" if on else "hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        token = "ink" if on else "mute"
        picture = self.theme.pixmap("users", token, 16, self.devicePixelRatioF())
        painter.drawPixmap(8, 8, picture)
        painter.setFont(self.theme.font(TextStyle.LABEL_STRONG))
        painter.setPen(self.theme.colour(token))
        box = QRectF(30, 0, self.width() - 30, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, str(self._count))


class _TopicField(TextField):
    """The topic while it is edited: Return keeps, Escape drops."""

    dropped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape drops what was typed."""
        if event.key() == Qt.Key.Key_Escape:
            self.dropped.emit()
        else:
            super().keyPressEvent(event)


class Header(QWidget):
    """56 pixels over the conversation."""

    topic_typed = Signal(str)
    name_pressed = Signal()
    members_pressed = Signal()
    reach_pressed = Signal()
    """How the person of this direct conversation is reached."""
    side_bar_wanted = Signal()
    call_pressed = Signal(bool)
    """Start a call; True: with the camera."""
    running_pressed = Signal()
    """The call that runs here: join it, or show it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state: HeaderState | None = None
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName(self.tr("Conversation"))
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(14, 0, 12, 1)
        line.setSpacing(4)
        self.fold = IconButton("list", self.tr("Show conversations"), theme)
        self.fold.clicked.connect(self.side_bar_wanted)
        self.fold.hide()
        line.addWidget(self.fold)
        self.title = _Title(theme)
        self.title.clicked.connect(self.name_pressed)
        line.addWidget(self.title)
        self.topic = _Topic(theme)
        self.topic.clicked.connect(self._edit_topic)
        self.topic_field = _TopicField(
            self.tr("Topic"), theme, max_length=TOPIC_LIMIT, compact=True
        )
        self.topic_field.returnPressed.connect(self._keep_topic)
        self.topic_field.dropped.connect(self._end_edit)
        self.topic_field.editingFinished.connect(self._end_edit)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self.topic)
        self._stack.addWidget(self.topic_field)
        holder.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        line.addWidget(holder, 1)
        self.reach = IconButton("network", "", theme)
        self.reach.clicked.connect(self.reach_pressed)
        self.reach.hide()
        line.addWidget(self.reach)
        self.members = _Members(theme)
        self.members.hide()
        self.members.clicked.connect(self.members_pressed)
        line.addWidget(self.members)
        self.voice = IconButton("phone", self.tr("Call"), theme)
        self.voice.clicked.connect(lambda: self.call_pressed.emit(False))
        self.video = IconButton("video", self.tr("Call with video"), theme)
        self.video.clicked.connect(lambda: self.call_pressed.emit(True))
        self.running = Button("", theme, ButtonKind.PRIMARY, icon="video")
        self.running.clicked.connect(self.running_pressed)
        for button in (self.voice, self.video, self.running):
            button.hide()
            line.addWidget(button)

    def put_sign(self, sign: QWidget) -> None:
        """Something that is said while the side bar has no room for it."""
        self._line.insertWidget(self._line.indexOf(self.members), sign)

    def show_state(self, state: HeaderState) -> None:
        """Show the newest; a topic being edited stays as it is."""
        self._state = state
        self.title.show_state(state)
        self.topic.show_topic(state.topic, may_change=state.may_change)
        self._show_reach(state)
        self.members.show_count(state.members)
        self._show_call(state)

    def _show_reach(self, state: HeaderState) -> None:
        reach = state.reach
        self.reach.setVisible(reach is not None)
        if reach is not None:
            words = self.tr("{way}. How {name} is reached…")
            self.reach.set_icon(reach.over.icon)
            self.reach.set_name(words.format(way=reach.with_time, name=state.name))

    def _show_call(self, state: HeaderState) -> None:
        runs = state.call is not None
        heir = self.running if runs else self.voice
        inherits = self.window().focusWidget() in (self.voice, self.video, self.running)
        for button in (self.voice, self.video):
            button.setVisible(state.may_call and not runs)
        self.running.setVisible(runs)
        if inherits and heir.isVisible():  # else the keyboard would go on somewhere else
            heir.setFocus(Qt.FocusReason.OtherFocusReason)
        if not runs:
            return
        words = self.tr("Join · {n}")
        name = self.tr("Join the call, {n} in it")
        if state.call is CallPhase.CALLING:
            words = self.tr("Calling…")
            name = self.tr("Show the call")
        elif state.call is CallPhase.JOINED:
            words = self.tr("In call · {n}")
            name = self.tr("Show the call, {n} in it")
        self.running.setText(words.format(n=state.in_call))
        self.running.setAccessibleName(name.format(n=state.in_call))

    def _edit_topic(self) -> None:
        self.topic_field.setText(self._state.topic if self._state else "")
        self._stack.setCurrentWidget(self.topic_field)
        self.topic_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.topic_field.selectAll()

    def _keep_topic(self) -> None:
        text = self.topic_field.text()
        self._end_edit()
        self.topic_typed.emit(text)

    def _end_edit(self) -> None:
        if self._stack.currentWidget() is self.topic_field:
            self._stack.setCurrentWidget(self.topic)
            self.topic.setFocus(Qt.FocusReason.OtherFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and the line below."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("panel"))
        y = self.height() - 1
        painter.fillRect(0, y, self.width(), 1, self._theme.colour("line"))
