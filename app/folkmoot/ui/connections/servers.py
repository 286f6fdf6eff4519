"""Settings of connections: the servers with their state, adding one, removing one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from folkmoot.services.values import Server, ServerPhase
from folkmoot.ui.connections.names import server_name
from folkmoot.ui.connections.words import server_facts, server_line, server_mark
from folkmoot.ui.conversation.pane import Confirmation
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.surfaces import Card, IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text

URL_LIMIT = 300
_WIDTH = 520
_MOST_HEIGHT = 300


class ServerRow(Card):
    """One server: how it stands, what it does, and the way to take it off."""

    remove_pressed = Signal()

    def __init__(self, server: Server, theme: Theme) -> None:
        super().__init__(theme, ground="panel", radius=10)
        self.server = server
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 9, 8, 10)
        line.setSpacing(10)
        self._mark = IconLabel(server_mark(server)[0], theme)
        line.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(1)
        self._name = ElidedText("", theme, TextStyle.STRONG)
        self._state = Text("", theme, TextStyle.META, wrap=True)
        self._hint = Text("", theme, TextStyle.META, "mute", wrap=True)
        self._facts = Text("", theme, TextStyle.META, "faint", wrap=True)
        for text in (self._name, self._state, self._hint, self._facts):
            words.addWidget(text)
        line.addLayout(words, 1)
        self.remove = IconButton("trash-2", "", theme, side=28)
        self.remove.setAutoDefault(False)
        self.remove.clicked.connect(self.remove_pressed)
        line.addWidget(self.remove, 0, Qt.AlignmentFlag.AlignTop)
        self.show_server(server)

    def show_server(self, server: Server) -> None:
        """Show the newest."""
        self.server = server
        icon, token = server_mark(server)
        self._mark.set_icon(icon, token)
        name, state, facts = server_name(server.url), server_line(server), server_facts(server)
        away = server.phase is ServerPhase.WAITING
        self._name.setText(name if server.url.startswith("wss:") else server.url)
        self._state.setText(state)
        self._state.set_token("bad_text" if away else "ink")
        self._hint.setText(server.hint if away else "")
        self._facts.setText(facts)
        for text in (self._hint, self._facts):
            text.setVisible(bool(text.text()))
        self.remove.set_name(self.tr("Remove {server}").format(server=name))
        hint = self._hint.text()
        self.setAccessibleName(". ".join(part for part in (name, state, hint, facts) if part))


class ConnectionsDialog(Form):
    """The servers of this person."""

    add_wanted = Signal(str)
    remove_wanted = Signal(str)
    doctor_wanted = Signal()

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent, theme, parent.tr("Connections"))
        self.setFixedWidth(min(_WIDTH, max(320, parent.width() - 40)))
        self._rows: dict[str, ServerRow] = {}
        self._asks = ""
        words = self.tr(
            "People on one network find each other by themselves. People on different networks "
            "meet over a signaling server that all of them can reach."
        )
        self.body.addWidget(Text(words, theme, token="mute", wrap=True))
        self.body.addSpacing(6)
        self._build_list()
        self.empty = Text(
            self.tr("No server yet: only people on this network are met."),
            theme,
            TextStyle.LABEL,
            wrap=True,
        )
        self.body.addWidget(self.empty)
        self.confirmation = Confirmation(theme, self.tr("Remove"))
        self.confirmation.confirmed.connect(self._remove)
        self.confirmation.dropped.connect(self._asked)
        self.body.addWidget(self.confirmation)
        self.body.addSpacing(8)
        self._build_field()
        self._build_doctor()
        self.first = self.url  # nobody removes a server by a slip
        self.show_servers(())

    def _build_list(self) -> None:
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(8)
        self._inside = inside
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        inside.setAccessibleName(self.tr("Servers"))
        self.body.addWidget(self._area)

    def _build_field(self) -> None:
        name = self.tr("Address of a server")
        label = Text(self.tr("Add a server"), self.theme, TextStyle.LABEL_STRONG)
        self.body.addWidget(label)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.url = TextField(
            name, self.theme, placeholder="wss://talk.example.org", max_length=URL_LIMIT
        )
        self.url.setFixedHeight(36)
        label.setBuddy(self.url)
        self.add = Button(self.tr("Add"), self.theme, icon="plus", height=36)
        self.add.setAccessibleName(self.tr("Add this server"))
        self.add.setAutoDefault(False)
        self.add.clicked.connect(self._want)
        self.url.returnPressed.connect(self._want)
        self.url.textChanged.connect(self._typed)
        line.addWidget(self.url, 1)
        line.addWidget(self.add)
        self.body.addLayout(line)
        self.fault = Text("", self.theme, TextStyle.META, "bad_text", wrap=True)
        self.fault.hide()
        self.body.addWidget(self.fault)
        learns = self.tr(
            "What a server learns: the keys of your team's computers, which of them belong "
            "together, how much passes or waits and when, and network addresses. It learns no "
            "names, no texts and no files."
        )
        self.learns = Text(learns, self.theme, TextStyle.META, "mute", wrap=True)
        self.body.addWidget(self.learns)
        self.url.setAccessibleDescription(learns)
        self.add.setEnabled(False)

    def _build_doctor(self) -> None:
        self.body.addSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(8)
        words = self.tr("Somebody is not reached?")
        line.addWidget(ElidedText(words, self.theme, TextStyle.LABEL, "mute"), 1)
        self.doctor = Button(
            self.tr("Connection doctor"), self.theme, icon="stethoscope", height=28
        )
        self.doctor.setAutoDefault(False)
        self.doctor.clicked.connect(self.doctor_wanted)
        line.addWidget(self.doctor)
        self.body.addLayout(line)

    # --- what is shown

    @property
    def rows(self) -> list[ServerRow]:
        """The servers from top to bottom."""
        return list(self._rows.values())

    def show_servers(self, servers: Sequence[Server]) -> None:
        """Show these, in this order: exact inserts and removals."""
        wanted = {server.url for server in servers}
        for url in [url for url in self._rows if url not in wanted]:
            gone = self._rows.pop(url)
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
            if self._asks == url:
                self._asked()
        ordered: dict[str, ServerRow] = {}
        for place, server in enumerate(servers):
            row = self._rows.get(server.url) or self._make(server)
            if row.server != server:
                row.show_server(server)
            if self._list.indexOf(row) != place:
                self._list.removeWidget(row)
                self._list.insertWidget(place, row)
            ordered[server.url] = row
        self._rows = ordered
        self.empty.setVisible(not servers)
        self._area.setVisible(bool(servers))
        self.fit()

    def _make(self, server: Server) -> ServerRow:
        row, url = ServerRow(server, self.theme), server.url
        row.remove_pressed.connect(lambda: self._ask(url))
        return row

    def _fit(self) -> None:
        layout = self.layout()
        if self._rows and layout is not None:
            margins = layout.contentsMargins()
            room = self.width() - margins.left() - margins.right()
            self._list.activate()
            needed = self._list.totalHeightForWidth(room)
            self._area.setFixedHeight(min(_MOST_HEIGHT, needed))
        super()._fit()

    def say_problem(self, words: str) -> None:
        """What is wrong with what was typed, under the field."""
        self.fault.setText(words)
        self.fault.setVisible(bool(words))
        self.add.setEnabled(bool(self.url.text().strip()))
        self.fit()

    def added(self) -> None:
        """It is in the list: the field is for another one."""
        self.url.clear()
        self.url.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- acts

    def _typed(self, text: str) -> None:
        self.add.setEnabled(bool(text.strip()))
        if self.fault.text():
            self.say_problem("")

    def _want(self) -> None:
        url = self.url.text().strip()
        if url and self.add.isEnabled():
            self.add.setEnabled(False)
            self.add_wanted.emit(url)

    def _ask(self, url: str) -> None:
        self._asks = url
        self.confirmation.ask(
            self.tr(
                "Remove {server}? People who are met only there are not reached any more, "
                "invitations over it let nobody in, and messages that wait there for you stay "
                "there."
            ).format(server=server_name(url)),
            keeps=True,
        )
        self.fit()

    def _remove(self) -> None:
        url = self._asks
        self._asked()
        self.remove_wanted.emit(url)

    def _asked(self) -> None:
        row, self._asks = self._rows.get(self._asks), ""
        self.confirmation.hide()
        (row.remove if row is not None else self.url).setFocus(Qt.FocusReason.OtherFocusReason)
        self.fit()
