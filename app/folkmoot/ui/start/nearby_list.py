"""The right half of the start screen: teams that chose to be seen, and asking to join one.

Rows keep their place while one looks: a team that is new goes to the end, one that asks grows below
its own name. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.domain.ids import ConversationId
from folkmoot.ui.start.state import NearbyRow
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.avatar import Avatar
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card
from folkmoot.ui.widgets.text import ElidedText, Text


class NearbyTeamRow(QWidget):
    """One team; asked, it says for whom one waits and shows the four words."""

    asked = Signal(bytes)
    cancelled = Signal(bytes)

    def __init__(self, row: NearbyRow, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.row = row
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 11, 0, 12)
        column.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(12)
        self._avatar = Avatar(row.name, row.team, theme, ground="window")
        line.addWidget(self._avatar)
        names = QVBoxLayout()
        names.setSpacing(0)
        self._name = ElidedText("", theme)
        self._line = ElidedText("", theme, TextStyle.META, "mute")
        names.addWidget(self._name)
        names.addWidget(self._line)
        line.addLayout(names, 1)
        self.button = Button("", theme, ButtonKind.LINK)
        self.button.clicked.connect(self._pressed)
        line.addWidget(self.button)
        column.addLayout(line)
        self._below = _Waiting(theme, self)
        column.addWidget(self._below)
        self.show_row(row)

    def show_row(self, row: NearbyRow) -> None:
        """Show the newest about this team."""
        self.row = row
        self._avatar.set_person(row.name, row.team)
        self._name.setText(row.name)
        self._line.setText(
            self.tr("1 computer online")
            if row.computers_online == 1
            else self.tr("{n} computers online").format(n=row.computers_online)
        )
        self.button.setText(self.tr("Cancel") if row.asked else self.tr("Ask to join"))
        self.button.setAccessibleName(
            self.tr("Stop asking {team}").format(team=row.name)
            if row.asked
            else self.tr("Ask to join {team}").format(team=row.name)
        )
        self._below.show_row(row)

    def words_shown(self) -> str:
        """Everything that stands below the name."""
        return self._below.words()

    def _pressed(self) -> None:
        (self.cancelled if self.row.asked else self.asked).emit(self.row.team)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line below."""
        painter = QPainter(self)
        y = self.height() - 1
        painter.fillRect(0, y, self.width(), 1, self._theme.colour("line"))


class _Waiting(Card):
    """What stands below a team that was asked: for whom one waits, and the words."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, ground="panel", radius=10, parent=parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(4)
        self._state = Text("", theme, TextStyle.LABEL, "ink", wrap=True)
        self._words = Text("", theme, TextStyle.TITLE, "accent", wrap=True)
        self._why = Text("", theme, TextStyle.META, "mute", wrap=True)
        for text in (self._state, self._words, self._why):
            column.addWidget(text)

    def words(self) -> str:
        """Everything that is said here."""
        shown = (self._state, self._words, self._why)
        return " ".join(text.text() for text in shown if not text.isHidden())

    def show_row(self, row: NearbyRow) -> None:
        """Say where the request stands."""
        self.setVisible(row.asked or bool(row.problem))
        self._words.setVisible(row.asked and bool(row.words))
        self._why.setVisible(row.asked)
        self._state.set_token("bad_text" if row.problem else "ink")
        if row.problem:
            self._state.setText(row.problem)
        else:
            self._state.setText(
                self.tr("Waiting for somebody in {team} to let you in.").format(team=row.name)
            )
        self._words.setText("  ".join(row.words))
        self._why.setText(
            self.tr("They see the same four words. Compare them aloud to be sure it is them.")
            if row.words
            else self.tr("The team opens here by itself as soon as somebody does.")
        )


class NearbyPane(QWidget):
    """Heading, list and the two hints of the right half."""

    asked = Signal(bytes)
    cancelled = Signal(bytes)
    why_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: dict[ConversationId, NearbyTeamRow] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 48, 32, 44)
        column.setSpacing(4)
        column.addWidget(Text(self.tr("On this network"), theme, TextStyle.STRONG))
        column.addWidget(Text(self.tr("Teams that chose to be seen."), theme, token="mute"))
        column.addSpacing(6)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setAccessibleName(self.tr("Teams on this network"))
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.viewport().setAutoFillBackground(False)
        inside = QWidget()
        inside.setAutoFillBackground(False)
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        self._list.addStretch(1)
        self._area.setWidget(inside)
        column.addWidget(self._area, 1)
        self._looking = Text("", theme, TextStyle.META, "mute", wrap=True)
        self._seen = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.why = Button(self.tr("Find out why"), theme, ButtonKind.LINK, height=28)
        self.why.clicked.connect(self.why_wanted)
        column.addSpacing(8)
        for text in (self._looking, self._seen):
            text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            column.addWidget(text)
        line = QHBoxLayout()
        line.setContentsMargins(-4, 0, 0, 0)  # a link stands where words do
        line.addWidget(self.why)
        line.addStretch(1)
        column.insertLayout(column.count() - 1, line)
        self.show_rows(())

    @property
    def rows(self) -> list[NearbyTeamRow]:
        """The teams from top to bottom."""
        return list(self._rows.values())

    def show_rows(self, rows: Sequence[NearbyRow]) -> None:
        """Show these teams: exact inserts and removals, nothing that stays moves."""
        wanted = {row.team: row for row in rows}
        for team in [t for t in self._rows if t not in wanted]:
            gone = self._rows.pop(team)
            self._list.removeWidget(gone)
            gone.deleteLater()
        for team, row in wanted.items():
            if team in self._rows:
                self._rows[team].show_row(row)
                continue
            made = NearbyTeamRow(row, self._theme, self)
            made.asked.connect(self.asked)
            made.cancelled.connect(self.cancelled)
            self._list.insertWidget(len(self._rows), made)
            self._rows[team] = made
        self._looking.setText(
            self.tr("Nothing here? Check that both computers are on the same network.")
            if not rows
            else ""
        )
        self._looking.setVisible(not rows)
        self.why.setVisible(not rows)

    def say_who_sees_us(self, words: str) -> None:
        """Who can see this computer while the screen is open."""
        self._seen.setText(words)

    def say_problem(self, words: str) -> None:
        """Why nothing can be seen."""
        self._looking.setText(words)
        self._looking.setVisible(bool(words))
