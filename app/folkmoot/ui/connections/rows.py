"""The rows of the connection doctor: a device of somebody, which opens to what was tried."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.ui.connections.state import RowState
from folkmoot.ui.connections.way_line import Details
from folkmoot.ui.connections.words import time_words
from folkmoot.ui.main.rows import write_line
from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import plain_tip

HEIGHT = 52
_SIDE = 32
_LEFT = 8 + 16 + 8 + _SIDE + 12
_NARROW = 480
_MOST_STATE = 260.0


class RowHead(KeyboardFocus, QPushButton):
    """Avatar, names, why, and how it is reached; checked while the row is open."""

    step_wanted = Signal(int)

    focus_radius = 8

    def __init__(self, state: RowState, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state = state
        self.setAutoDefault(False)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT)
        self.toggled.connect(lambda _: self._speak())
        self.show_state(state)

    def show_state(self, state: RowState) -> None:
        """Show the newest."""
        self.state = state
        self._speak()
        self.update()

    def _speak(self) -> None:
        self.setAccessibleName(self.state.spoken)
        self.setAccessibleDescription(
            self.tr("Details are shown") if self.isChecked() else self.tr("Details are hidden")
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows walk the rows, Right opens, Left closes, Return does either."""
        key = Qt.Key(event.key())
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(key)
        if step is not None:
            self.step_wanted.emit(step)
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Left):
            self.setChecked(key == Qt.Key.Key_Right)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground while hovered, then everything from left to right."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, state, ratio = self.theme, self.state, self.devicePixelRatioF()
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        chevron = "chevron-down" if self.isChecked() else "chevron-right"
        painter.drawPixmap(8, (HEIGHT - 16) // 2, theme.pixmap(chevron, "mute", 16, ratio))
        box = QRectF(32, (HEIGHT - _SIDE) / 2, _SIDE, _SIDE)
        paint_avatar(painter, box, state.name, state.person)
        right = self.width() - 10.0
        if self.is_narrow:
            self._paint_names(painter, right)
            self._paint_state(painter, _LEFT, 27, right - _LEFT - 22, 16)
            return
        width = self._state_width()
        self._paint_state(painter, right - width - 22, 0, width, HEIGHT)
        self._paint_names(painter, right - width - 38)
        self.setToolTip("" if self.shows_why else plain_tip(state.why))
        if self.shows_why or not self.isChecked():  # else all of it stands below
            below = QRectF(_LEFT, 27, self._why_room(), 16)
            write_line(painter, theme.font(TextStyle.META), theme, "mute", state.why, below)

    @property
    def is_narrow(self) -> bool:
        """Whether the state takes the place of why."""
        return self.width() < _NARROW

    @property
    def shows_why(self) -> bool:
        """Whether all of why can be read here."""
        metrics = QFontMetricsF(self.theme.font(TextStyle.META))
        wide = metrics.horizontalAdvance(" ".join(self.state.why.split()))
        return not self.is_narrow and wide <= self._why_room() + 0.5

    def _why_room(self) -> float:
        return self.width() - 48.0 - self._state_width() - _LEFT

    def _state_width(self) -> float:
        metrics = QFontMetricsF(self.theme.font(TextStyle.META))
        return min(metrics.horizontalAdvance(self._state_words()) + 1, _MOST_STATE)

    def _state_words(self) -> str:
        state = self.state
        time = "" if state.searching else time_words(state.reach.rtt_ms)
        return f"{state.state_words} · {time}" if time else state.state_words

    def _paint_names(self, painter: QPainter, right: float) -> None:
        theme, state = self.theme, self.state
        strong, label = theme.font(TextStyle.STRONG), theme.font(TextStyle.LABEL)
        write_line(painter, strong, theme, "ink", state.name, QRectF(_LEFT, 7, right - _LEFT, 20))
        left = _LEFT + QFontMetricsF(strong).horizontalAdvance(" ".join(state.name.split())) + 8
        if right - left > 40:
            box = QRectF(left, 8, right - left, 20)
            write_line(painter, label, theme, "mute", state.device_name, box)

    def _paint_state(
        self, painter: QPainter, left: float, top: float, width: float, height: float
    ) -> None:
        """How it is reached: the icon, and words of at most `width`."""
        theme, over = self.theme, self.state.reach.over
        icon, token = (over.icon, over.token)
        if self.state.searching:
            icon, token = "refresh-cw", "mute"
        picture = theme.pixmap(icon, token, 16, self.devicePixelRatioF())
        painter.drawPixmap(round(left), round(top + (height - 16) / 2), picture)
        box = QRectF(round(left) + 22, top, width, height)
        write_line(painter, theme.font(TextStyle.META), theme, "ink", self._state_words(), box)


class DeviceRow(QWidget):
    """The head, and below it what was tried once somebody wants to see it."""

    step_wanted = Signal(int)

    def __init__(self, state: RowState, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.head = RowHead(state, theme)
        self.details: Details | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.head)
        self.head.toggled.connect(self._open)
        self.head.step_wanted.connect(self.step_wanted)

    @property
    def state(self) -> RowState:
        """What is shown."""
        return self.head.state

    def show_state(self, state: RowState) -> None:
        """Show the newest."""
        self.head.show_state(state)
        if self.details is not None:
            self.details.show_row(state)
            self._place_why()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """There may be room for why in the head, or no longer."""
        super().resizeEvent(event)
        self._place_why()

    def _place_why(self) -> None:
        if self.details is not None:
            self.details.show_why(not self.head.shows_why)

    def _open(self, on: bool) -> None:
        if on and self.details is None:
            self.details = Details(self._theme, _LEFT)
            self.details.show_row(self.state)
            self._column.addWidget(self.details)
            self._place_why()
        if self.details is not None:
            self.details.setVisible(on)
