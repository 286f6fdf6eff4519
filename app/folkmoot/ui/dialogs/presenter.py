"""Opens dialogs and does what they ask: the node's words on failure stand in the dialog."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import Conversation, Invite, Team
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.connections.names import server_name
from folkmoot.ui.dialogs.channel import ChannelDialog
from folkmoot.ui.dialogs.direct import DirectDialog
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.dialogs.invite import InviteDialog
from folkmoot.ui.dialogs.link import LinkDialog
from folkmoot.ui.dialogs.settings import SettingsDialog, TeamDialog
from folkmoot.ui.facade import Node
from folkmoot.ui.main.members import member_states
from folkmoot.ui.model import WindowModel
from folkmoot.ui.theme.theme import Mode, Theme

T = TypeVar("T")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Dialogs", text)


class Dialogs(QObject):
    """The dialogs of one window."""

    opened = Signal(bytes)
    """A conversation that was made and should be shown."""
    devices_wanted = Signal()
    """Microphone, speaker and camera for calls."""
    recordings_wanted = Signal()
    connections_wanted = Signal()
    """The servers."""
    about_wanted = Signal()

    def __init__(self, window: QWidget, theme: Theme, model: WindowModel, bridge: Bridge) -> None:
        super().__init__()
        self._window = window
        self._theme = theme
        self._model = model
        self._bridge = bridge

    def create_channel(self, team: ConversationId) -> None:
        """Ask for a name and a topic."""
        form = ChannelDialog(self._window, self._theme)

        def submit() -> None:
            name, topic = form.name.text().strip(), form.topic.text().strip()

            async def create(node: Node) -> Conversation:
                return await node.conversations.create_channel(team, name, topic)

            if not name:
                form.say_problem(_tr("Give the channel a name."))
                return
            self._do(form, create, self._open)

        form.submitted.connect(submit)
        form.open()

    def rename_channel(self, conversation: Conversation) -> None:
        """Ask for another name."""
        form = ChannelDialog(self._window, self._theme, name=conversation.name)

        def submit() -> None:
            name = form.name.text().strip()

            async def rename(node: Node) -> Conversation:
                return await node.conversations.rename(conversation.id, name)

            if not name:
                form.say_problem(_tr("Give the channel a name."))
                return
            self._do(form, rename, self._model.take_conversation)

        form.submitted.connect(submit)
        form.open()

    def new_direct(self, team: ConversationId) -> None:
        """Ask to whom."""
        members = [m for m in member_states(self._model, team) if not m.is_me]
        form = DirectDialog(self._window, self._theme, members)

        def submit() -> None:
            persons = form.persons()

            async def start(node: Node) -> Conversation:
                return await node.conversations.open_direct(team, persons)

            self._do(form, start, self._open)

        form.submitted.connect(submit)
        form.open()

    def invite(self, team: ConversationId) -> None:
        """Make links."""
        form = InviteDialog(self._window, self._theme, self._model.teams[team].name)
        form.say_where_it_leads(server_name(server.url) for server in self._model.servers)
        form.connections_pressed.connect(form.reject)
        form.connections_pressed.connect(self.connections_wanted)

        async def read(node: Node) -> list[Invite]:
            return list(await node.teams.invites(team))

        def make(expires_s: int | None, uses: int | None) -> None:
            async def create(node: Node) -> Invite:
                return await node.teams.invite(team, expires_s=expires_s, uses=uses)

            self._do(form, create, form.show_made, close=False)

        form.wanted.connect(make)
        form.open()
        self._do(form, read, form.show_invites, close=False)

    def team_settings(self, team: ConversationId) -> None:
        """Name and visibility."""
        before = self._model.teams[team]
        form = TeamDialog(self._window, self._theme, before)

        def submit() -> None:
            name, visible = form.name.text().strip(), form.visible.isChecked()

            async def change(node: Node) -> Team:
                if name != before.name:
                    await node.teams.rename(team, name)
                if visible != before.visible:
                    await node.teams.set_visible(team, visible)
                return next(t for t in node.teams.list() if t.id == team)

            if not name:
                form.say_problem(_tr("Give the team a name."))
                return
            self._do(form, change, self._model.take_team)

        form.submitted.connect(submit)
        form.open()

    def open_link(self, address: str) -> None:
        """Show where a link leads; open it only when the person agrees."""
        form = LinkDialog(self._window, self._theme, address)
        form.submitted.connect(lambda: QDesktopServices.openUrl(QUrl(address)))
        form.submitted.connect(form.accept)
        form.open()

    def settings(self) -> None:
        """The person's own."""
        identity = self._model.identity
        if identity is None:
            return
        form = SettingsDialog(self._window, self._theme, identity)
        form.mode_chosen.connect(self._choose_mode)
        form.motion_chosen.connect(self._choose_motion)
        form.devices_pressed.connect(form.reject)
        form.devices_pressed.connect(self.devices_wanted)
        form.recordings_pressed.connect(form.reject)
        form.recordings_pressed.connect(self.recordings_wanted)
        form.connections_pressed.connect(form.reject)
        form.connections_pressed.connect(self.connections_wanted)
        form.about_pressed.connect(form.reject)
        form.about_pressed.connect(self.about_wanted)

        def submit() -> None:
            name = form.name.text().strip()
            if not name:
                form.say_problem(_tr("Type your name: others see it."))
                return
            self._do(form, lambda n: n.identity.rename(name), self._model.take_identity)

        form.submitted.connect(submit)
        form.open()

    def _choose_mode(self, mode: Mode) -> None:
        self._theme.set_mode(mode)
        self._bridge.tell(lambda node: _set(node, "window.theme", mode.value))

    def _choose_motion(self, reduced: bool) -> None:
        self._theme.set_reduce_motion(reduced)
        self._bridge.tell(lambda node: _set(node, "window.reduce_motion", "1" if reduced else ""))

    def _open(self, conversation: Conversation) -> None:
        self._model.take_conversation(conversation)
        self.opened.emit(conversation.id)

    def _do(
        self,
        form: Form,
        act: Callable[[Node], Awaitable[T]],
        done: Callable[[T], None],
        *,
        close: bool = True,
    ) -> None:
        """Ask the node; close on success, say its words in the form on failure."""
        alive = [True]
        form.destroyed.connect(lambda: alive.clear())

        async def work() -> None:
            try:
                result = await self._bridge.ask(act)
            except FolkmootError as error:
                if alive:
                    form.say_problem(str(error))
                return
            if close and alive:
                form.accept()
            if close or alive:
                done(result)

        form.set_busy(close)
        self._bridge.run(work(), "ui: act of a dialog")


async def _set(node: Node, key: str, value: str) -> None:
    await node.settings.set(key, value)
