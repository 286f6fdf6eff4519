"""The emoji picker: a search field over a painted grid, by mouse and by keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QScrollArea, QToolTip, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.emoji import Emoji, EmojiList
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.popover import Popover
from folkmoot.ui.widgets.text import Text

_COLUMNS = 8
_CELL = 36


class EmojiGrid(QWidget):
    """Cells of 36 pixels; one of them is current."""

    chosen = Signal(str)
    current_changed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[Emoji, ...] = ()
        self._current = 0
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Emoji"))

    @property
    def shown(self) -> tuple[Emoji, ...]:
        """What the grid offers now, in reading order."""
        return self._shown

    def show_list(self, emoji: tuple[Emoji, ...]) -> None:
        """Offer these, the first one current."""
        self._shown = emoji
        rows = -(-len(emoji) // _COLUMNS)
        self.setFixedSize(_COLUMNS * _CELL, max(rows, 1) * _CELL)
        self.move_to(0)

    def move_to(self, index: int) -> None:
        """Make a cell current; out of range moves to the nearest end."""
        self._current = max(0, min(index, len(self._shown) - 1))
        name = self._shown[self._current].name if self._shown else self.tr("Nothing found")
        self.setAccessibleDescription(name)
        self.current_changed.emit(name)
        self.update()

    def step(self, columns: int, rows: int) -> QRect:
        """Move by cells; the rectangle to keep in view is returned."""
        self.move_to(self._current + columns + rows * _COLUMNS)
        return self.cell(self._current)

    def choose(self) -> None:
        """Take the current one."""
        if self._shown:
            self.chosen.emit(self._shown[self._current].text)

    def cell(self, index: int) -> QRect:
        """Where a cell is."""
        row, column = divmod(index, _COLUMNS)
        return QRect(column * _CELL, row * _CELL, _CELL, _CELL)

    def _at(self, point: QPoint) -> int | None:
        index = point.y() // _CELL * _COLUMNS + point.x() // _CELL
        return index if 0 <= index < len(self._shown) else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The cell under the pointer is current."""
        index = self._at(event.position().toPoint())
        if index is not None and index != self._current:
            self.move_to(index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click takes it."""
        index = self._at(event.position().toPoint())
        if index is not None:
            self.move_to(index)
            self.choose()

    def event(self, event: QEvent) -> bool:
        """Tool tips say name and shortcode."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self._at(event.pos())
            if index is not None:
                emoji = self._shown[index]
                QToolTip.showText(event.globalPos(), f"{emoji.name}  :{emoji.shortcodes[0]}:", self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Only the cells inside the dirty rectangle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = event.rect().top() // _CELL * _COLUMNS
        last = (event.rect().bottom() // _CELL + 1) * _COLUMNS
        painter.setFont(make_font(20, QFont.Weight.Normal))
        for index in range(first, min(last, len(self._shown))):
            box = QRectF(self.cell(index))
            if index == self._current:
                painter.setPen(QPen(self._theme.colour("accent"), 1))
                painter.setBrush(self._theme.colour("accent_soft"))
                painter.drawRoundedRect(box.adjusted(1.5, 1.5, -1.5, -1.5), 7, 7)
            painter.setPen(self._theme.colour("ink"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._shown[index].text)


class EmojiPicker(QWidget):
    """Search and grid; `chosen` gives the emoji's text."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, emoji: EmojiList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = emoji
        self.search = TextField(
            self.tr("Search emoji"), theme, placeholder=self.tr("Search"), compact=True
        )
        self.grid = EmojiGrid(theme)
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidget(self.grid)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setFixedSize(QSize(_COLUMNS * _CELL + 14, 6 * _CELL))
        self._area.viewport().setAutoFillBackground(False)
        self.grid.setAutoFillBackground(False)
        name = Text("", theme, TextStyle.META, "mute")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self._area)
        column.addWidget(name)
        self.setFocusProxy(self.search)
        self.grid.current_changed.connect(name.setText)
        self.grid.chosen.connect(self.chosen)
        self.search.textChanged.connect(lambda text: self.grid.show_list(self._list.search(text)))
        self.search.installEventFilter(self)
        self.grid.show_list(self._list.search(""))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrow keys and Return in the search field work the grid."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {
                Qt.Key.Key_Up: (0, -1),
                Qt.Key.Key_Down: (0, 1),
                Qt.Key.Key_Left: (-1, 0),
                Qt.Key.Key_Right: (1, 0),
            }
            step = steps.get(Qt.Key(event.key()))
            if step is not None and (step[1] or not self.search.text()):
                cell = self.grid.step(*step)
                self._area.ensureVisible(cell.center().x(), cell.center().y(), 0, _CELL)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.grid.choose()
                return True
        return super().eventFilter(watched, event)


def open_emoji_picker(
    host: QWidget, theme: Theme, emoji: EmojiList, anchor: QRect
) -> tuple[Popover, EmojiPicker]:
    """Show a picker beside `anchor` (global); it closes itself once something is chosen."""
    picker = EmojiPicker(theme, emoji)
    popover = Popover(host, theme, picker)
    picker.chosen.connect(popover.close_popover)
    popover.open_at(anchor)
    return popover, picker
