"""What was tried one way, in the details of a row of the connection doctor."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.connections.state import RowState, WayState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text

_NARROW = 380


class WayLine(QWidget):
    """One way: what it is, what answered, what to do."""

    def __init__(self, state: WayState, theme: Theme) -> None:
        super().__init__()
        self.state = state
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 5, 0, 5)
        line.setSpacing(10)
        self._mark = IconLabel(state.icon, theme, token=state.token)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        head = QHBoxLayout()
        head.setSpacing(8)
        self._title = ElidedText("", theme, TextStyle.LABEL_STRONG)
        self._address = ElidedText("", theme, TextStyle.CODE, "mute")
        self._facts = Text("", theme, TextStyle.META, "faint")
        head.addWidget(self._title)
        head.addWidget(self._address, 1)
        head.addWidget(self._facts)
        words.addLayout(head)
        self._below = Text("", theme, TextStyle.META, "faint", wrap=True)
        words.addWidget(self._below)
        self._answer = Text("", theme, TextStyle.LABEL, wrap=True)
        self._advice = Text("", theme, TextStyle.LABEL, "mute", wrap=True)
        words.addWidget(self._answer)
        words.addWidget(self._advice)
        line.addLayout(words, 1)
        self.show_state(state)

    def show_state(self, state: WayState) -> None:
        """Show the newest."""
        self.state = state
        self._mark.set_icon(state.icon, state.token)
        self._title.setText(state.title)
        self._address.setText(state.address)
        self._facts.setText(state.facts)
        self._answer.setText(state.answer)
        self._advice.setText(state.advice)
        self._below.setText(" · ".join(part for part in (state.address, state.facts) if part))
        for text in (self._answer, self._advice):
            text.setVisible(bool(text.text()))
        self._fit()
        self.setAccessibleName(state.spoken)

    def _fit(self) -> None:
        """Where it is narrow, address and time have a line of their own."""
        narrow = self.width() < _NARROW
        self._address.setVisible(not narrow)
        self._facts.setVisible(not narrow)
        self._below.setVisible(narrow and bool(self._below.text()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """It may be narrow now."""
        super().resizeEvent(event)
        self._fit()


class WayList(QWidget):
    """Ways below each other; they change by exact inserts and removals."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lines: dict[tuple[str, str], WayLine] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    @property
    def lines(self) -> list[WayLine]:
        """The ways from top to bottom."""
        return list(self._lines.values())

    def show_ways(self, ways: Sequence[WayState]) -> None:
        """Show these, in this order."""
        wanted = {way.key for way in ways}
        for key in [key for key in self._lines if key not in wanted]:
            gone = self._lines.pop(key)
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        ordered: dict[tuple[str, str], WayLine] = {}
        for place, way in enumerate(ways):
            line = self._lines.get(way.key) or WayLine(way, self._theme)
            if line.state != way:
                line.show_state(way)
            if self._column.indexOf(line) != place:
                self._column.removeWidget(line)
                self._column.insertWidget(place, line)
            ordered[way.key] = line
        self._lines = ordered


class Details(QWidget):
    """Why a device is reached as it is, what would help most, and all that was tried."""

    def __init__(self, theme: Theme, left: int) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(left, 0, 12, 8)
        column.setSpacing(4)
        self._why = Text("", theme, TextStyle.LABEL, wrap=True)
        self._advice = Text("", theme, TextStyle.LABEL_STRONG, wrap=True)
        self._none = Text(self.tr("Nothing was tried yet."), theme, TextStyle.LABEL, "mute")
        self.ways = WayList(theme)
        for part in (self._why, self._advice, self._none, self.ways):
            column.addWidget(part)

    def show_row(self, row: RowState) -> None:
        """Show the newest."""
        self._why.setText(row.why)
        self._advice.setText(row.advice)
        self._advice.setVisible(bool(row.advice))
        self._none.setVisible(not row.ways)
        self.ways.show_ways(row.ways)

    def show_why(self, wanted: bool) -> None:
        """Whether the row over this has no room for why."""
        self._why.setVisible(wanted and bool(self._why.text()))
