"""The presenter's bar: what is shared, how others see it, and what can be done about it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QCloseEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.call.pictures import Pictures
from folkmoot.ui.call.state import TileState
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.places import corner_for
from folkmoot.ui.share.screen_view import ScreenView
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import DarkTheme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText

_THUMBNAIL = (168, 100)


class PresenterBar(QWidget):
    """Over all windows; moved by dragging, and then it stays where it was put."""

    pause_pressed = Signal()
    switch_pressed = Signal()
    clear_pressed = Signal()
    stop_pressed = Signal()

    def __init__(
        self, state: TileState, theme: DarkTheme, pictures: Pictures, boards: Boards
    ) -> None:
        flags = (
            Qt.WindowType.Tool
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
        )
        super().__init__(None, flags)
        theme.dress(self)
        theme.changed.connect(self._dress)
        self._theme = theme
        self._grip: QPoint | None = None
        self._was_moved = False
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(self.tr("You share"))
        self.setAccessibleName(self.tr("What you share"))
        line = QHBoxLayout(self)
        line.setContentsMargins(10, 10, 14, 10)
        line.setSpacing(14)
        self._place = QWidget()
        self._place.setFixedSize(*_THUMBNAIL)
        self.seen = ScreenView(state, theme, pictures, boards, self._place)
        self.seen.is_named = False
        self.seen.setGeometry(self._place.rect())
        self.seen.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.seen.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line.addWidget(self._place)
        column = QVBoxLayout()
        column.setSpacing(2)
        self.title = ElidedText("", theme, TextStyle.STRONG)
        column.addWidget(self.title)
        below = QHBoxLayout()
        below.setSpacing(6)
        self._sign = IconLabel("eye", theme)
        self.line = ElidedText("", theme, TextStyle.META, "mute")
        below.addWidget(self._sign)
        below.addWidget(self.line, 1)
        column.addLayout(below)
        column.addStretch(1)
        column.addLayout(self._build_buttons())
        line.addLayout(column, 1)
        self.setFixedSize(self.sizeHint().expandedTo(self.minimumSizeHint()))

    def _dress(self) -> None:
        self._theme.dress(self)

    def _build_buttons(self) -> QHBoxLayout:
        theme = self._theme
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        self.pause = Button(self.tr("Pause"), theme, icon="pause", height=36)
        self.pause.setFixedWidth(96)  # the word changes, the buttons beside it stand still
        self.pause.clicked.connect(self.pause_pressed)
        self.switch = Button(self.tr("Change…"), theme, icon="replace", height=36)
        self.switch.setAccessibleName(self.tr("Share something else"))
        self.switch.setToolTip(self.tr("Share something else"))
        self.switch.clicked.connect(self.switch_pressed)
        self.clear = Button(self.tr("Clear"), theme, icon="eraser", height=36)
        self.clear.setAccessibleName(self.tr("Clear what was drawn"))
        self.clear.setToolTip(self.tr("Clear what was drawn"))
        self.clear.clicked.connect(self.clear_pressed)
        self.clear.setEnabled(False)
        self.stop = Button(
            self.tr("Stop"), theme, ButtonKind.DANGER, icon="screen-share-off", height=36
        )
        self.stop.setAccessibleName(self.tr("Stop sharing"))
        self.stop.clicked.connect(self.stop_pressed)
        for button in (self.pause, self.switch, self.clear, self.stop):
            buttons.addWidget(button)
        return buttons

    def show_share(self, state: TileState, name: str, watching: int) -> None:
        """The newest: what it is called, how it looks, how many others are there."""
        self.seen.show_state(state)
        words = self.tr("You share {name}").format(name=name or self.tr("your screen"))
        if state.paused:
            words = self.tr("Paused: {name}").format(name=name or self.tr("your screen"))
        self.title.setText(words)
        self.pause.setText(self.tr("Go on") if state.paused else self.tr("Pause"))
        self.pause.set_icon("play" if state.paused else "pause")
        if state.paused:
            self._sign.set_icon("pause", "away_text")
            self.line.setText(self.tr("Others see the last picture"))
        else:
            self._sign.set_icon("eye", "ok_text")
            seen = self.tr("{n} people see it").format(n=watching)
            seen = self.tr("One person sees it") if watching == 1 else seen
            self.line.setText(seen if watching else self.tr("Nobody else is here"))
        self.setAccessibleDescription(f"{words}. {self.line.text()}")

    def show_ink(self, drawn: bool) -> None:
        """Whether there is something to clear."""
        self.clear.setEnabled(drawn)

    def stand_at(self, shared: QRect, display: QRect) -> None:
        """In the corner of what is shared, unless it was moved by hand."""
        if not self._was_moved:
            self.move(corner_for(QRect(QPoint(0, 0), self.size()), shared, display))
        if not self.isVisible():
            self.show()
            self.raise_()

    def close_now(self) -> None:
        """Nothing is shared any more."""
        self.seen.leave()
        self.hide()
        self.deleteLater()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The thumbnail keeps its place."""
        super().resizeEvent(event)
        self.seen.setGeometry(self._place.rect())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of it."""
        self._grip = event.globalPosition().toPoint() - self.pos()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it."""
        if self._grip is not None:
            self._was_moved = True
            self.move(event.globalPosition().toPoint() - self._grip)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grip = None

    def closeEvent(self, event: QCloseEvent) -> None:
        """It stays as long as something is shared."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and edge."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("side"))
        painter.setPen(self._theme.colour("edge"))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
