"""Controls of the windows of a call: the bar with icon and word, chips, plain calm lines."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus

BAR_HEIGHT = 92
_FACE = 44
_WORD = 16


class CallButton(KeyboardFocus, QPushButton):
    """A button of the bar: an icon on a face, its word below.

    `off`: what it stands for is closed (tinted, with a struck icon); checked: it is on. `arrow`
    makes it the narrow one beside another, without a word.
    """

    focus_radius = 12

    def __init__(self, icon: str, word: str, theme: Theme, *, arrow: bool = False) -> None:
        super().__init__()
        self.theme = theme
        self._icon, self._word, self._off = icon, word, False
        self._arrow = arrow
        self._wide = True
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_face(icon, word)

    def show_face(self, icon: str, word: str, *, off: bool = False, name: str = "") -> None:
        """Change icon and word; `name` says what a press does, where the word does not."""
        self._icon, self._word, self._off = icon, word, off
        self.setAccessibleName(name or word)
        self.setToolTip(name or ("" if self._wide and not self._arrow else word))
        self.updateGeometry()
        self.update()

    def nextCheckState(self) -> None:
        """The presenter says what is on."""

    def set_wide(self, wide: bool) -> None:
        """With the word below, or with the icon alone."""
        if wide != self._wide:
            self._wide = wide
            if not wide and not self.toolTip():
                self.setToolTip(self._word)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """The face, or the word where that is wider."""
        if self._arrow:
            return QSize(36, _FACE)
        if not self._wide:
            return QSize(_FACE, _FACE)
        width = QFontMetricsF(make_font(11)).horizontalAdvance(self._word)
        return QSize(max(58, round(width) + 4), _FACE + 3 + _WORD)

    def minimumSizeHint(self) -> QSize:
        """Never cut."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses too: Space may be for talking."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Face, icon, word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 36.0 if self._arrow else (56.0 if self._wide else float(_FACE))
        face = QRectF((self.width() - width) / 2, 0, width, _FACE)
        hot = self.isEnabled() and (self.underMouse() or self.isDown())
        ground, token = "panel", "ink"
        if self._off:
            ground, token = "bad_soft", "bad_text"
        elif self.isChecked():
            ground, token = "accent_soft", "accent"
        elif self._arrow:
            ground, token = "side", "mute"
        colour = self.theme.colour(ground)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour.lighter(122) if hot else colour)
        painter.drawRoundedRect(face, 12, 12)
        size = 16 if self._arrow else 20
        picture = self.theme.pixmap(self._icon, token, size, self.devicePixelRatioF())
        painter.drawPixmap(
            round(face.center().x() - size / 2), round(face.center().y() - size / 2), picture
        )
        if self._wide and not self._arrow:
            painter.setFont(make_font(11))
            painter.setPen(self.theme.colour("mute"))
            word = QRectF(0, _FACE + 3, self.width(), _WORD)
            painter.drawText(word, Qt.AlignmentFlag.AlignCenter, self._word)


class LeaveButton(KeyboardFocus, QPushButton):
    """Leaves the call: red, with its word on it."""

    focus_radius = 12

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setText(self.tr("Leave"))
        self.setAccessibleName(self.tr("Leave the call"))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._wide = True
        self.setFixedSize(84, _FACE)

    def set_wide(self, wide: bool) -> None:
        """With the word, or as an icon."""
        self._wide = wide
        self.setFixedSize(84 if wide else 52, _FACE)
        self.setToolTip("" if wide else self.text())
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses too."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.theme.colour("danger")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour.lighter(108) if self.underMouse() else colour)
        painter.drawRoundedRect(QRectF(self.rect()), 12, 12)
        if self._wide:
            painter.setFont(self.theme.font(TextStyle.LABEL_STRONG))
            painter.setPen(self.theme.colour("danger_ink"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        else:
            picture = self.theme.pixmap("phone-off", "danger_ink", 20, self.devicePixelRatioF())
            painter.drawPixmap((self.width() - 20) // 2, (self.height() - 20) // 2, picture)


@dataclass(frozen=True, slots=True)
class BarState:
    """What the bar shows."""

    microphone: bool
    camera: bool
    hand: bool
    chat: bool
    people: bool
    share: bool = False
    paused: bool = False
    push_to_talk: bool = False
    unread: int = 0


class CallBar(QWidget):
    """The row at the foot of the call's window."""

    microphone_pressed = Signal()
    camera_pressed = Signal()
    share_pressed = Signal()
    hand_pressed = Signal()
    react_pressed = Signal()
    chat_pressed = Signal()
    people_pressed = Signal()
    leave_pressed = Signal()
    microphone_menu = Signal()
    camera_menu = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(BAR_HEIGHT)
        self.setAccessibleName(self.tr("Controls of the call"))
        self.microphone = CallButton("mic", self.tr("Mute"), theme)
        self.microphones = CallButton(
            "chevron-up", self.tr("Choose microphone and speaker"), theme, arrow=True
        )
        self.camera = CallButton("video", self.tr("Camera"), theme)
        self.cameras = CallButton("chevron-up", self.tr("Choose the camera"), theme, arrow=True)
        self.share = CallButton("monitor-up", self.tr("Share"), theme)
        self.hand = CallButton("hand", self.tr("Raise hand"), theme)
        self.react = CallButton("smile", self.tr("React"), theme)
        self.chat = CallButton("message-square", self.tr("Chat"), theme)
        self.people = CallButton("users", self.tr("People"), theme)
        self.leave = LeaveButton(theme)
        for button in (self.share, self.hand, self.chat, self.people):
            button.setCheckable(True)
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 14, 8, 0)
        self._line = line
        line.addStretch(1)
        top = Qt.AlignmentFlag.AlignTop
        for parts in (
            (self.microphone, self.microphones),
            (self.camera, self.cameras),
            *((each,) for each in (self.share, self.hand, self.react)),
            *((each,) for each in (self.chat, self.people, self.leave)),
        ):
            together = QHBoxLayout()
            together.setSpacing(2)
            for part in parts:
                together.addWidget(part, 0, top)
            line.addLayout(together)
        self._connect()
        line.addStretch(1)

    def _connect(self) -> None:
        buttons: tuple[tuple[QPushButton, SignalInstance], ...] = (
            (self.microphone, self.microphone_pressed),
            (self.microphones, self.microphone_menu),
            (self.camera, self.camera_pressed),
            (self.cameras, self.camera_menu),
            (self.share, self.share_pressed),
            (self.hand, self.hand_pressed),
            (self.react, self.react_pressed),
            (self.chat, self.chat_pressed),
            (self.people, self.people_pressed),
            (self.leave, self.leave_pressed),
        )
        for button, pressed in buttons:
            button.clicked.connect(pressed)

    def show_state(self, state: BarState) -> None:
        """Show the newest."""
        mute, talk = self.tr("Mute"), self.tr("Muted")
        if state.push_to_talk:
            mute, talk = self.tr("Talking"), self.tr("Hold Space")
        self.microphone.show_face(
            "mic" if state.microphone else "mic-off",
            mute if state.microphone else talk,
            off=not state.microphone,
            name=self.tr("Mute the microphone (Ctrl+Shift+M)")
            if state.microphone
            else self.tr("Switch the microphone on (Ctrl+Shift+M)"),
        )
        self.camera.show_face(
            "video" if state.camera else "video-off",
            self.tr("Camera") if state.camera else self.tr("Camera off"),
            off=not state.camera,
            name=self.tr("Switch the camera off")
            if state.camera
            else self.tr("Switch the camera on"),
        )
        self.share.setChecked(state.share)
        word = self.tr("Paused") if state.paused else self.tr("Sharing")
        self.share.show_face(
            "pause" if state.paused else "monitor-up",
            word if state.share else self.tr("Share"),
            name=self.tr("What is shared (Ctrl+Shift+E)")
            if state.share
            else self.tr("Share a screen or a window (Ctrl+Shift+E)"),
        )
        self.hand.setChecked(state.hand)
        self.hand.show_face("hand", self.tr("Lower hand") if state.hand else self.tr("Raise hand"))
        self.chat.setChecked(state.chat)
        self.people.setChecked(state.people)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words go first, then the arrows, when it gets narrow."""
        super().resizeEvent(event)
        wide = self.width() >= 640
        for button in (
            *(self.microphone, self.camera, self.share, self.hand),
            *(self.react, self.chat, self.people),
        ):
            button.set_wide(wide)
        for arrow in (self.microphones, self.cameras):
            arrow.setVisible(self.width() >= 520)
        self.leave.set_wide(self.width() >= 520)
        self._line.setSpacing(14 if self.width() >= 860 else 8 if self.width() >= 520 else 5)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground of the window."""
        QPainter(self).fillRect(self.rect(), self._theme.colour("side"))


class Chip(QWidget):
    """A short state on a rounded ground, with an icon."""

    def __init__(self, icon: str, text: str, theme: Theme, token: str = "mute") -> None:
        super().__init__()
        self._theme = theme
        self._icon, self._text, self._token = icon, text, token
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_words(icon, text, token)

    def show_words(self, icon: str, text: str, token: str = "mute") -> None:
        """Change it; no words hide it."""
        self._icon, self._text, self._token = icon, text, token
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """The words."""
        return self._text

    def sizeHint(self) -> QSize:
        """Icon, words, padding."""
        metrics = QFontMetricsF(self._theme.font(TextStyle.META))
        return QSize(round(metrics.horizontalAdvance(self._text)) + 42, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("panel"))
        painter.drawRoundedRect(QRectF(self.rect()), 13, 13)
        picture = self._theme.pixmap(self._icon, self._token, 13, self.devicePixelRatioF())
        painter.drawPixmap(10, 6, picture)
        painter.setFont(self._theme.font(TextStyle.META))
        painter.setPen(self._theme.colour(self._token))
        box = QRectF(31, 0, self.width() - 36, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self._text)


class HeadButton(KeyboardFocus, QPushButton):
    """A quiet button with icon and word in the head of the window; the word goes when narrow."""

    focus_radius = 8

    def __init__(self, icon: str, word: str, theme: Theme) -> None:
        super().__init__(word)
        self.theme = theme
        self._icon = icon
        self._wide = True
        self.setAccessibleName(word)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_wide(self, wide: bool) -> None:
        """With or without the word."""
        self._wide = wide
        self.setToolTip("" if wide else self.text())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Icon and word."""
        if not self._wide or not self.text():
            return QSize(36, 36)
        metrics = QFontMetricsF(self.theme.font(TextStyle.LABEL_STRONG))
        return QSize(round(metrics.horizontalAdvance(self.text())) + 47, 36)

    def minimumSizeHint(self) -> QSize:
        """Never cut."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return presses too."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground while hovered, icon, word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        picture = self.theme.pixmap(self._icon, "mute", 16, self.devicePixelRatioF())
        painter.drawPixmap(12 if self._wide and self.text() else 10, 10, picture)
        if self._wide and self.text():
            painter.setFont(self.theme.font(TextStyle.LABEL_STRONG))
            painter.setPen(self.theme.colour("mute"))
            box = QRectF(35, 0, self.width() - 35, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text())
