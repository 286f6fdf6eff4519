"""The rows of the list of recordings: icon, title, who and when, and what can be done."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFontMetricsF,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from folkmoot.ui.main.rows import write_line
from folkmoot.ui.recording.state import RecordingState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.focus import KeyboardFocus

ROW_HEIGHT = 76
_TILE = 44
_LEFT = 12 + _TILE + 14
_NARROW = 520


class RecordingRow(KeyboardFocus, QPushButton):
    """One recording. A press plays it, where there is something to play."""

    play_pressed = Signal()
    folder_pressed = Signal()
    delete_pressed = Signal()
    menu_wanted = Signal(QPoint)
    step_wanted = Signal(int)
    """Up (-1) or Down (1) was pressed."""

    focus_radius = 10

    def __init__(self, state: RecordingState, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state = state
        self.setAutoDefault(False)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROW_HEIGHT)
        self.clicked.connect(self._play)
        self._line = line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 12, 0)
        line.setSpacing(4)
        line.addStretch(1)
        self.play = Button(self.tr("Play"), theme, icon="play", height=32)
        self.play.clicked.connect(self._play)
        self.folder = IconButton("folder-open", "", theme, side=32)
        self.folder.clicked.connect(self.folder_pressed)
        self.more = IconButton("ellipsis", "", theme, side=32)
        self.more.clicked.connect(self._open_menu)
        for button in (self.play, self.folder, self.more):
            line.addWidget(button)
        self.show_state(state)

    def show_state(self, state: RecordingState) -> None:
        """The newest."""
        self.state = state
        self.setAccessibleName(state.accessible)
        title = state.title
        self.play.setAccessibleName(self.tr("Play {title}").format(title=title))
        self.folder.set_name(self.tr("Show in folder"))
        self.more.set_name(self.tr("More"))
        self.play.setVisible(state.playable)
        self._fit()
        self.update()

    def _fit(self) -> None:
        wide = self.width() >= _NARROW
        self.folder.setVisible(self.state.is_there and wide)
        self.play.show_face("play", self.tr("Play") if wide else "", self.play.accessibleName())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words on buttons go when it gets narrow."""
        super().resizeEvent(event)
        self._fit()

    def _play(self) -> None:
        if self.state.playable:
            self.play_pressed.emit()

    def _open_menu(self) -> None:
        self.menu_wanted.emit(self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The right button, or the key for menus."""
        self.menu_wanted.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return plays, Delete asks, arrows walk the rows."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() == Qt.Key.Key_Delete and self.state.recording.state != "recording":
            self.delete_pressed.emit()
        elif step is not None:
            self.step_wanted.emit(step)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground while hovered, tile, three lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, state = self.theme, self.state
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 10, 10)
        self._paint_tile(painter)
        shown = [b for b in (self.play, self.folder, self.more) if not b.isHidden()]
        right = min((b.x() for b in shown), default=self.width()) - 12
        room = right - _LEFT
        title, meta = theme.font(TextStyle.STRONG), theme.font(TextStyle.META)
        top = 10 if state.mark else 18
        write_line(painter, title, theme, "ink", state.title, QRectF(_LEFT, top, room, 20))
        wide = QFontMetricsF(title).horizontalAdvance(state.title) + 10
        if state.names and room - wide > 40:
            box = QRectF(_LEFT + wide, top + 1, room - wide, 20)
            write_line(painter, theme.font(TextStyle.LABEL), theme, "mute", state.names, box)
        write_line(painter, meta, theme, "faint", state.facts, QRectF(_LEFT, top + 21, room, 16))
        if state.mark:
            strong = theme.font(TextStyle.META_STRONG)
            box = QRectF(_LEFT, top + 39, room, 16)
            write_line(painter, strong, theme, state.tone, state.mark, box)

    def _paint_tile(self, painter: QPainter) -> None:
        theme, kind = self.theme, self.state.recording.state
        ground, token, icon = {
            "recording": ("bad_soft", "bad_text", "circle-dot"),
            "missing": ("code", "mute", "file-x"),
        }.get(kind, ("accent_soft", "accent", "film"))
        box = QRectF(12, (ROW_HEIGHT - _TILE) / 2, _TILE, _TILE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(ground))
        painter.drawRoundedRect(box, 10, 10)
        inset = (_TILE - 20) // 2
        picture = theme.pixmap(icon, token, 20, self.devicePixelRatioF())
        painter.drawPixmap(round(box.left()) + inset, round(box.top()) + inset, picture)
