"""Keeps the window's model true: reads everything once, then follows the events.

After a `Gap` it reads everything anew. Message events go on to whoever shows a conversation.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId
from folkmoot.services import events as told
from folkmoot.services.call_values import Call
from folkmoot.services.update_values import Updates
from folkmoot.services.values import (
    Conversation,
    Draft,
    Identity,
    JoinRequest,
    Member,
    NearbyTeam,
    Peer,
    Presence,
    Server,
    Team,
)
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.model import WindowModel

_PATIENCE = 5
"""So often the peers are read while events say otherwise meanwhile; the events are true as well."""
_HELD_LIMIT = 5_000
"""Events kept while everything is read; after more, everything is read once more."""


@dataclass(frozen=True, slots=True)
class _Everything:
    """One answer of the node to the window's first question."""

    identity: Identity
    teams: tuple[Team, ...]
    conversations: tuple[Conversation, ...]
    members: tuple[tuple[ConversationId, tuple[Member, ...]], ...]
    presence: tuple[Presence, ...]
    requests: tuple[JoinRequest, ...]
    nearby: tuple[NearbyTeam, ...]
    notices: tuple[told.NoticeChanged, ...]
    servers: tuple[Server, ...]
    updates: Updates
    peers: tuple[Peer, ...]
    drafts: tuple[Draft, ...]
    calls: tuple[Call, ...]


async def _read_everything(node: Node) -> _Everything:
    teams = tuple(node.teams.list())
    return _Everything(
        identity=node.identity.me(),
        teams=teams,
        conversations=tuple(await node.conversations.list()),
        members=tuple((team.id, tuple(node.teams.members(team.id))) for team in teams),
        presence=tuple(node.presence.list()),
        requests=tuple(node.joining.requests()),
        nearby=tuple(node.nearby.teams()),
        notices=tuple(node.notices()),
        servers=tuple(node.servers.list()),
        updates=node.updates.state(),
        peers=tuple(node.peers.list()),
        drafts=tuple(await node.drafts.all()),
        calls=tuple(node.calls.list()),
    )


class Feed(QObject):
    """Fills a `WindowModel` from a node."""

    message_event = Signal(object)
    """`MessageCreated`, `MessageChanged`, `MessagesArrived` or `DeliveryChanged`."""
    reloaded = Signal()
    """Everything was read anew: what is shown of messages may be stale."""
    ask_answered = Signal(object)
    call_event = Signal(object)
    """What is told of a call, or of its devices, beside its state."""

    def __init__(self, bridge: Bridge, model: WindowModel) -> None:
        super().__init__()
        self._bridge = bridge
        self._model = model
        self._loading = 0
        self._held: list[told.Event] = []
        bridge.events.connect(self._take_all)

    async def load(self) -> None:
        """Read everything. Raises what the node raises when it could not start.

        What happens meanwhile is newer than the answer and is taken after it.
        """
        self._loading += 1
        try:
            self._take_everything(await self._bridge.ask(_read_everything))
        finally:
            self._loading -= 1
            if not self._loading:
                held, self._held = self._held, []
                self._take_all(held)

    def _take_everything(self, everything: _Everything) -> None:
        model = self._model
        model.take_identity(everything.identity)
        for team, members in everything.members:
            model.take_members(team, members)
        model.take_presence(everything.presence)
        model.take_drafts(everything.drafts)
        model.take_teams(everything.teams)
        model.take_conversations(everything.conversations)
        model.take_requests(everything.requests)
        model.take_nearby(everything.nearby)
        for notice in everything.notices:
            model.take_notice(notice.code, notice.message, notice.hint)
        model.take_servers(everything.servers)
        model.take_updates(everything.updates)
        model.take_peers(everything.peers)
        model.take_calls(everything.calls)

    def _take_all(self, events: list[told.Event]) -> None:
        if self._loading:
            self._held += events
            if len(self._held) > _HELD_LIMIT:
                self._held = [told.Gap()]
            return
        for event in events:
            self._take(event)

    def _take(self, event: told.Event) -> None:
        model = self._model
        match event:
            case (
                told.MessageCreated()
                | told.MessageChanged()
                | told.MessagesArrived()
                | told.DeliveryChanged()
            ):
                self.message_event.emit(event)
            case told.ConversationChanged(conversation=conversation):
                model.take_conversation(conversation)
            case told.TypingChanged(typing=typing):
                place = (typing.conversation, typing.thread)
                model.take_typing(place, typing.person, typing.name, typing.on)
            case told.PresenceChanged(presence=presence):
                model.take_presence((presence,))
            case told.TeamChanged(team=team):
                model.take_team(team)
                self._read_members(team.id)
            case told.MembersChanged(team=team_id):
                self._read_members(team_id)
            case told.IdentityChanged(identity=identity):
                model.take_identity(identity)
            case told.NearbyChanged(teams=teams):
                model.take_nearby(teams)
            case told.JoinRequestsChanged(requests=requests):
                model.take_requests(requests)
            case told.AskAnswered():
                self.ask_answered.emit(event)
            case told.NoticeChanged(code=code, message=message, hint=hint):
                model.take_notice(code, message, hint)
            case told.ServersChanged(servers=servers):
                model.take_servers(servers)
            case told.UpdatesChanged(updates=updates):
                model.take_updates(updates)
            case told.PeerChanged(peer=peer):
                model.take_peer(peer)
            case told.CallChanged(call=call):
                model.take_call(call)
            case (
                told.CallLevels()
                | told.CallReaction()
                | told.CallStatsTaken()
                | told.CallNotice()
                | told.DevicesChanged()
                | told.MicrophoneTested()
                | told.InkDrawn()
                | told.ShareSourcesChanged()
            ):
                self.call_event.emit(event)
            case told.RecordingsChanged():
                self.call_event.emit(event)
            case told.Gap():
                self._bridge.run(self._reload(), "ui: read everything anew")

    def read_peers(self) -> None:
        """Somebody looks at how others are reached: round trips are told of nobody else."""
        self._bridge.run(self._load_peers(), "ui: read peers")

    async def _load_peers(self) -> None:
        async def read(node: Node) -> tuple[Peer, ...]:
            return tuple(node.peers.list())

        for _ in range(_PATIENCE):
            known = self._model.peer_changes
            try:
                peers = await self._bridge.ask(read)
            except FolkmootError:
                return  # the node fell; everything is read anew when it is up
            if self._model.peer_changes == known:
                self._model.take_peers(peers)
                return

    def _read_members(self, team: ConversationId) -> None:
        self._bridge.run(self._load_members(team), "ui: read members")

    async def _load_members(self, team: ConversationId) -> None:
        async def read(node: Node) -> tuple[Member, ...]:
            return tuple(node.teams.members(team))

        self._model.take_members(team, await self._bridge.ask(read))
        await self._load_peers()

    async def _reload(self) -> None:
        try:
            await self.load()
        except FolkmootError:
            return  # it fell again; another `Gap` comes when it is up
        self.reloaded.emit()
