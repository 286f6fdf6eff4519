"""The side bar: team, channels, directs, oneself. Draws a `SideBarState`; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import PresenceState
from folkmoot.ui.main.rows import ConversationRow, PersonButton, TeamButton
from folkmoot.ui.main.state import RowState, SideBarState, TeamState
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import IconButton
from folkmoot.ui.widgets.text import SectionHeader, Text

WIDTH = 252
RAIL_WIDTH = 60


class Section(QWidget):
    """A heading with a plus, and rows that change by exact inserts and removals."""

    chosen = Signal(bytes)
    added = Signal()

    def __init__(self, title: str, add: str, empty: str, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[ConversationId, ConversationRow] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 0)
        column.setSpacing(0)
        line = QHBoxLayout()
        line.setContentsMargins(8, 0, 0, 0)
        line.addWidget(SectionHeader(title, theme), 1)
        self.plus = IconButton("plus", add, theme, side=28, icon_size=16)
        self.plus.clicked.connect(self.added)
        line.addWidget(self.plus)
        column.addLayout(line)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        column.addLayout(self._list)
        self._empty = Text(empty, theme, TextStyle.META, "faint", wrap=True)
        self._empty.setContentsMargins(8, 2, 8, 4)
        column.addWidget(self._empty)
        self.setAccessibleName(title)

    @property
    def rows(self) -> list[ConversationRow]:
        """The rows from top to bottom."""
        return list(self._rows.values())

    def show_rows(self, rows: Sequence[RowState]) -> None:
        """Show these conversations in this order."""
        wanted = {row.conversation for row in rows}
        for gone in [c for c in self._rows if c not in wanted]:
            widget = self._rows.pop(gone)
            self._list.removeWidget(widget)
            widget.deleteLater()
        ordered: dict[ConversationId, ConversationRow] = {}
        for place, row in enumerate(rows):
            widget = self._rows.get(row.conversation) or self._make(row)
            if widget.row != row:
                widget.show_row(row)
            if self._list.indexOf(widget) != place:
                self._list.removeWidget(widget)
                self._list.insertWidget(place, widget)
            ordered[row.conversation] = widget
        self._rows = ordered
        self._empty.setVisible(not rows and bool(self._empty.text()))

    def _make(self, row: RowState) -> ConversationRow:
        made = ConversationRow(row, self._theme, self)
        made.clicked.connect(lambda: self.chosen.emit(made.row.conversation))
        return made


class SideBar(QWidget):
    """Everything at the left of one team."""

    chosen = Signal(bytes)
    channel_wanted = Signal()
    direct_wanted = Signal()
    team_menu_wanted = Signal()
    settings_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Side bar"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 6, 1, 0)
        column.setSpacing(0)
        self.team = PersonButton(theme, ground="side")
        self.team.clicked.connect(self.team_menu_wanted)
        top = QHBoxLayout()
        top.setContentsMargins(10, 0, 10, 2)
        top.addWidget(self.team)
        column.addLayout(top)
        self.channels = Section(self.tr("Channels"), self.tr("Create a channel"), "", theme)
        self.directs = Section(
            self.tr("Direct messages"),
            self.tr("Write to somebody"),
            self.tr("The plus writes to one person, or to a few."),
            theme,
        )
        self.channels.chosen.connect(self.chosen)
        self.directs.chosen.connect(self.chosen)
        self.channels.added.connect(self.channel_wanted)
        self.directs.added.connect(self.direct_wanted)
        column.addWidget(self._build_list(), 1)
        column.addWidget(self._build_self())
        self._column = column

    def _build_list(self) -> QScrollArea:
        inside = QWidget()
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, 0, 8)
        rows.setSpacing(0)
        rows.addWidget(self.channels)
        rows.addWidget(self.directs)
        rows.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        return area

    def _build_self(self) -> QWidget:
        foot = QWidget()
        line = QHBoxLayout(foot)
        line.setContentsMargins(6, 6, 8, 6)
        line.setSpacing(4)
        self.me = PersonButton(self._theme, ground="side")
        self.me.clicked.connect(self.settings_wanted)
        line.addWidget(self.me, 1)
        self.settings = IconButton("settings", self.tr("Settings"), self._theme)
        self.settings.clicked.connect(self.settings_wanted)
        line.addWidget(self.settings)
        self._foot = foot
        return foot

    def show_state(self, state: SideBarState) -> None:
        """Show the newest."""
        self.team.show_person(state.team_name, state.team, state.line)
        self.channels.show_rows(state.channels)
        self.directs.show_rows(state.directs)
        online = PresenceState.ONLINE
        self.me.show_person(state.my_name, state.me, state.my_line, presence=online)

    def put_strip(self, strip: QWidget) -> None:
        """Place the running call over oneself."""
        self._column.insertWidget(self._column.count() - 1, strip)
        self.setTabOrder(strip, self.me)

    @property
    def rows(self) -> list[ConversationRow]:
        """All conversations from top to bottom."""
        return self.channels.rows + self.directs.rows

    def take_focus(self) -> None:
        """F6 came here: the open conversation has the focus."""
        rows = self.rows
        current = next((row for row in rows if row.row.current), rows[0] if rows else None)
        (current or self.team).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down walk the rows."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        rows = self.rows
        focused = next((i for i, row in enumerate(rows) if row.hasFocus()), None)
        if step is None or focused is None:
            super().keyPressEvent(event)
            return
        target = rows[max(0, min(len(rows) - 1, focused + step))]
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, the line at the right, the line over oneself."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("side"))
        line = self._theme.colour("line")
        painter.fillRect(self.width() - 1, 0, 1, self.height(), line)
        painter.fillRect(0, self._foot.y(), self.width(), 1, line)


class Rail(QWidget):
    """The teams, when there are two or more, and the way to another one."""

    chosen = Signal(bytes)
    added = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._teams: dict[ConversationId, TeamButton] = {}
        self.setFixedWidth(RAIL_WIDTH)
        self.setAccessibleName(self.tr("Teams"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 10, 1, 10)
        self._column.setSpacing(6)
        add = IconButton("plus", self.tr("Start or join another team"), theme, side=36)
        add.clicked.connect(self.added)
        self._column.addWidget(add, 0, Qt.AlignmentFlag.AlignHCenter)
        self._column.addStretch(1)

    def show_teams(self, teams: Sequence[TeamState]) -> None:
        """Show these teams; none hides the rail."""
        self.setVisible(bool(teams))
        wanted = {team.team for team in teams}
        for gone in [t for t in self._teams if t not in wanted]:
            self._teams.pop(gone).deleteLater()
        for place, team in enumerate(teams):
            button = self._teams.get(team.team)
            if button is None:
                button = self._teams[team.team] = self._make(team)
            button.show_team(team)
            if self._column.indexOf(button) != place:
                self._column.removeWidget(button)
                self._column.insertWidget(place, button, 0, Qt.AlignmentFlag.AlignHCenter)

    def _make(self, team: TeamState) -> TeamButton:
        made = TeamButton(team, self._theme, self)
        made.clicked.connect(lambda: self.chosen.emit(made.team.team))
        return made

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground and the line at the right."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("side"))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), self._theme.colour("line"))
