"""The window of recordings: the list, and the player in its place while one is played."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from folkmoot.ui.conversation.pane import Confirmation
from folkmoot.ui.recording.folder import short_path
from folkmoot.ui.recording.rows import RecordingRow
from folkmoot.ui.recording.state import RecordingState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.surfaces import Banner, EmptyState, Tone
from folkmoot.ui.widgets.text import ElidedText, Text

DEFAULT = QSize(940, 640)
LEAST = QSize(400, 420)
_TYPED_MS = 120


class RecordingsWindow(QWidget):
    """Own top-level window. Rows carry the id of their recording."""

    play_pressed = Signal(str)
    folder_pressed = Signal(str)
    delete_pressed = Signal(str)
    menu_wanted = Signal(str, QPoint)
    deletion_confirmed = Signal()
    folder_change_wanted = Signal()
    left = Signal()
    """Closed by hand."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.theme = theme
        self._rows: dict[str, RecordingRow] = {}
        self._states: tuple[RecordingState, ...] = ()
        self._loaded = False
        self._asks = ""
        self._empty: EmptyState | None = None
        self._empty_icon = ""
        self.setWindowTitle(self.tr("Recordings"))
        self.setMinimumSize(LEAST)
        self.resize(DEFAULT)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._page = QWidget()
        column = QVBoxLayout(self._page)
        column.setContentsMargins(8, 18, 8, 0)
        column.setSpacing(10)
        for part in (self._build_head(), self._build_folder()):
            part.setContentsMargins(12, 0, 12, 0)
            column.addLayout(part)
        self.confirmation = Confirmation(theme)
        self.confirmation.confirmed.connect(self.deletion_confirmed)
        self.confirmation.confirmed.connect(self._asked)
        self.confirmation.dropped.connect(self._asked)
        asked = QVBoxLayout()
        asked.setContentsMargins(12, 0, 12, 0)
        asked.addWidget(self.confirmation)
        column.addLayout(asked)
        self.problem = Banner("", theme, Tone.WARNING)
        self.problem.hide()
        asked.addWidget(self.problem)
        column.addWidget(self._build_list(), 1)
        self._stack.addWidget(self._page)
        find = QShortcut(QKeySequence("Ctrl+F"), self)
        find.activated.connect(self.search.setFocus)
        theme.changed.connect(self.update)

    def _build_head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(Text(self.tr("Recordings"), self.theme, TextStyle.TITLE))
        self.count = Text("", self.theme, TextStyle.LABEL, "mute")
        line.addWidget(self.count)
        line.addStretch(1)
        self.search = TextField(
            self.tr("Search in recordings"),
            self.theme,
            placeholder=self.tr("Conversation, person, message…"),
            compact=True,
        )
        self.search.setMaximumWidth(280)
        self.search.setMinimumWidth(120)
        self.search.setClearButtonEnabled(True)
        self._typed = QTimer(self, singleShot=True, interval=_TYPED_MS)
        self._typed.timeout.connect(self._show_found)
        self.search.textChanged.connect(lambda _: self._typed.start())
        line.addWidget(self.search, 2)
        return line

    def _build_folder(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(6)
        self.folder = ElidedText("", self.theme, TextStyle.META, "mute")
        line.addWidget(self.folder)
        self.change = Button(self.tr("Change…"), self.theme, ButtonKind.LINK, height=28)
        self.change.setAccessibleName(self.tr("Change the folder of recordings"))
        self.change.clicked.connect(self.folder_change_wanted)
        line.addWidget(self.change)
        line.addStretch(1)
        return line

    def _build_list(self) -> QWidget:
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 4, 0, 16)
        self._list.setSpacing(2)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        inside.setAccessibleName(self.tr("Recordings"))
        self._area = area
        holder = QWidget()
        self._body = QStackedLayout(holder)
        self._body.addWidget(area)
        return holder

    # --- what is shown

    def show_recordings(self, states: Sequence[RecordingState]) -> None:
        """All of them, newest first."""
        self._states, self._loaded = tuple(states), True
        self._show_found()

    def show_folder(self, path: str) -> None:
        """Where new ones are kept."""
        self.folder.setText(self.tr("New ones are kept in {path}").format(path=short_path(path)))

    def say_problem(self, words: str) -> None:
        """What went wrong, until it is closed; empty takes it away."""
        self.problem.set_text(words)
        self.problem.setVisible(bool(words))

    def ask_delete(self, id_: str, words: str) -> None:
        """Ask in place."""
        self._asks = id_
        self.confirmation.ask(words, keeps=True)

    def row(self, id_: str) -> RecordingRow | None:
        """The row of a recording, if it is shown."""
        return self._rows.get(id_)

    @property
    def rows(self) -> list[RecordingRow]:
        """The rows from top to bottom."""
        return list(self._rows.values())

    @property
    def empty(self) -> EmptyState | None:
        """What stands where nothing is to be listed."""
        return self._empty

    def _asked(self) -> None:
        """The keyboard goes back to the row that was asked about, or to one beside it."""
        self.confirmation.hide()
        rows = self.rows
        target = self._rows.get(self._asks) or (rows[0] if rows else self.search)
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_found(self) -> None:
        words = self.search.text()
        found = [state for state in self._states if state.fits(words)]
        wanted = {state.recording.id for state in found}
        for gone in [id_ for id_ in self._rows if id_ not in wanted]:
            if self._rows[gone].hasFocus():
                self._step(self._rows[gone], 1 if self.rows[-1] is not self._rows[gone] else -1)
            widget = self._rows.pop(gone)
            self._list.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        ordered: dict[str, RecordingRow] = {}
        for place, state in enumerate(found):
            row = self._rows.get(state.recording.id) or self._make(state)
            if row.state != state:
                row.show_state(state)
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
            ordered[state.recording.id] = row
        self._rows = ordered
        self._show_count(len(found))
        self._show_empty(nothing_found=bool(words.strip()) and bool(self._states))

    def _show_count(self, found: int) -> None:
        count = len(self._states)
        words = self.tr("{n} of {count}").format(n=found, count=count) if found != count else ""
        self.count.setText(words or (str(count) if count else ""))
        self.search.setEnabled(bool(count))

    def _show_empty(self, *, nothing_found: bool) -> None:
        icon = "search" if nothing_found else "film"
        if self._rows or not self._loaded:
            icon = ""
        if icon == self._empty_icon:
            return
        self._empty_icon = icon
        if self._empty is not None:
            self._body.removeWidget(self._empty)
            self._empty.hide()
            self._empty.deleteLater()
            self._empty = None
        if not icon:
            return
        if nothing_found:
            title = self.tr("Nothing found")
            words = self.tr("No recording has all of these words.")
            self._empty = EmptyState(icon, title, words, self.theme)
        else:
            title = self.tr("No recordings yet")
            words = self.tr(
                "In a call, choose Record… in the menu at the upper right. "
                "Everybody in the call sees it."
            )
            self._empty = EmptyState(icon, title, words, self.theme)
        self._body.addWidget(self._empty)
        self._body.setCurrentWidget(self._empty)

    def _make(self, state: RecordingState) -> RecordingRow:
        row, id_ = RecordingRow(state, self.theme), state.recording.id
        row.play_pressed.connect(lambda: self.play_pressed.emit(id_))
        row.folder_pressed.connect(lambda: self.folder_pressed.emit(id_))
        row.delete_pressed.connect(lambda: self.delete_pressed.emit(id_))
        row.menu_wanted.connect(lambda where: self.menu_wanted.emit(id_, where))
        row.step_wanted.connect(lambda step: self._step(row, step))
        return row

    def _step(self, row: RecordingRow, step: int) -> None:
        rows = self.rows
        target = rows[max(0, min(len(rows) - 1, rows.index(row) + step))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._area.ensureWidgetVisible(target)

    # --- the player

    def show_player(self, player: QWidget) -> None:
        """In the place of the list."""
        if self._stack.indexOf(player) < 0:
            self._stack.addWidget(player)
        self._stack.setCurrentWidget(player)

    def show_list(self, came_from: str = "") -> None:
        """The list again, where it was left."""
        if self.isFullScreen():
            self.showNormal()
        self._stack.setCurrentWidget(self._page)
        self.setWindowTitle(self.tr("Recordings"))
        row = self._rows.get(came_from)
        (row or self.search).setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def shows_list(self) -> bool:
        """Whether the list is in front."""
        return self._stack.currentWidget() is self._page

    # --- the window

    def come_forward(self) -> None:
        """Show it over the others."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape in the list clears the search, then closes."""
        if event.key() == Qt.Key.Key_Escape and self.shows_list:
            if self.search.text():
                self.search.clear()
            else:
                self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing plays on in a closed window."""
        super().closeEvent(event)
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground."""
        QPainter(self).fillRect(self.rect(), self.theme.colour("panel"))
