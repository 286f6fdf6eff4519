"""What the window knows: identity, teams, conversations, members, presence, ways, notices.

Filled from the `FirstPage` for the first paint, then from the node, then kept true by events. Plain
state with signals; refuses to ask the node anything and to decide anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import Call, CallEnd, CallId, CallPhase
from folkmoot.services.update_values import Updates
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    Draft,
    FirstPage,
    Identity,
    JoinRequest,
    Member,
    NearbyTeam,
    Peer,
    Presence,
    PresenceState,
    Server,
    Team,
)

Place = tuple[ConversationId, EntryId | None]
"""A conversation, or one of its threads."""


class WindowModel(QObject):
    """The state that several parts of the window show."""

    identity_changed = Signal()
    teams_changed = Signal()
    conversations_changed = Signal()
    members_changed = Signal(bytes)
    presence_changed = Signal()
    typing_changed = Signal()
    nearby_changed = Signal()
    requests_changed = Signal()
    notices_changed = Signal()
    servers_changed = Signal()
    updates_changed = Signal()
    peers_changed = Signal()
    call_changed = Signal(object)
    """A `Call`, new or changed; ENDED is the last that is told of it."""

    def __init__(self) -> None:
        super().__init__()
        self.me = PersonId(b"")
        self.my_name = ""
        self.identity: Identity | None = None
        self.teams: dict[ConversationId, Team] = {}
        self.conversations: dict[ConversationId, Conversation] = {}
        self.members: dict[ConversationId, tuple[Member, ...]] = {}
        self.presence: dict[PersonId, Presence] = {}
        self.typing: dict[Place, dict[PersonId, str]] = {}
        self.nearby: tuple[NearbyTeam, ...] = ()
        self.requests: tuple[JoinRequest, ...] = ()
        self.notices: dict[str, tuple[str, str]] = {}
        self.servers: tuple[Server, ...] = ()
        self.updates = Updates()
        self._peers: dict[PersonId, dict[DeviceId, Peer]] = {}
        self.peer_changes = 0
        """Grows with each one: what was read before it is older."""
        self.drafts: dict[Place, str] = {}
        self._written: set[Place] = set()
        self.calls: dict[CallId, Call] = {}

    def take_first(self, first: FirstPage) -> None:
        """Fill from what was stored when the window was left."""
        self.me, self.my_name = first.me, first.name
        self.teams = {team.id: team for team in first.teams}
        self.conversations = {c.id: c for c in first.conversations}
        self.drafts = {(d.conversation, d.thread): d.text for d in first.drafts}

    def note_draft(self, place: Place, text: str) -> None:
        """What is typed in a place now; from here on nobody knows its draft better."""
        self._written.add(place)
        if text:
            self.drafts[place] = text
        else:
            self.drafts.pop(place, None)

    def take_drafts(self, drafts: Iterable[Draft]) -> None:
        """What the node has stored: where something was typed, that is older."""
        kept = {place: text for place, text in self.drafts.items() if place in self._written}
        stored = {(d.conversation, d.thread): d.text for d in drafts}
        self.drafts = {p: text for p, text in stored.items() if p not in self._written} | kept

    def take_identity(self, identity: Identity) -> None:
        """Our own name and keys."""
        self.identity, self.me, self.my_name = identity, identity.person, identity.name
        self.identity_changed.emit()

    def take_teams(self, teams: Iterable[Team]) -> None:
        """All teams."""
        self.teams = {team.id: team for team in teams}
        self.teams_changed.emit()

    def take_team(self, team: Team) -> None:
        """One team, new or changed."""
        self.teams[team.id] = team
        self.teams_changed.emit()

    def take_conversations(self, conversations: Iterable[Conversation]) -> None:
        """All conversations."""
        self.conversations = {c.id: c for c in conversations}
        self.conversations_changed.emit()

    def take_conversation(self, conversation: Conversation) -> None:
        """One conversation, new or changed."""
        self.conversations[conversation.id] = conversation
        self.conversations_changed.emit()

    def take_members(self, team: ConversationId, members: Sequence[Member]) -> None:
        """All members of one team."""
        self.members[team] = tuple(members)
        self.members_changed.emit(team)

    def take_presence(self, presences: Iterable[Presence]) -> None:
        """Presence of some persons."""
        for presence in presences:
            self.presence[presence.person] = presence
        self.presence_changed.emit()

    def take_typing(self, place: Place, person: PersonId, name: str, on: bool) -> None:
        """Somebody began or stopped writing."""
        if person == self.me:
            return
        here = self.typing.setdefault(place, {})
        if on:
            here[person] = name
        else:
            here.pop(person, None)
        if not here:
            del self.typing[place]
        self.typing_changed.emit()

    def take_nearby(self, teams: Sequence[NearbyTeam]) -> None:
        """The teams on this network."""
        self.nearby = tuple(teams)
        self.nearby_changed.emit()

    def take_requests(self, requests: Sequence[JoinRequest]) -> None:
        """Those who wait to be let in."""
        self.requests = tuple(requests)
        self.requests_changed.emit()

    def take_notice(self, code: str, message: str, hint: str) -> None:
        """A state of the environment; an empty message ends it."""
        if message:
            self.notices[code] = (message, hint)
        else:
            self.notices.pop(code, None)
        self.notices_changed.emit()

    def take_servers(self, servers: Iterable[Server]) -> None:
        """The signaling servers of this person."""
        self.servers = tuple(servers)
        self.servers_changed.emit()

    def take_updates(self, updates: Updates) -> None:
        """What is known of new versions of the program."""
        self.updates = updates
        self.updates_changed.emit()

    def take_peers(self, peers: Iterable[Peer]) -> None:
        """Every device of the teams, and how it is reached."""
        self._peers = {}
        for peer in peers:
            self._peers.setdefault(peer.person, {})[peer.device] = peer
        self.peers_changed.emit()

    def take_peer(self, peer: Peer) -> None:
        """One device that is reached otherwise now."""
        self.peer_changes += 1
        self._peers.setdefault(peer.person, {})[peer.device] = peer
        self.peers_changed.emit()

    def take_call(self, call: Call) -> None:
        """One call, new or changed; one that ended is forgotten."""
        if call.phase is CallPhase.ENDED:
            self.calls.pop(call.id, None)
        else:
            self.calls[call.id] = call
        self.call_changed.emit(call)

    def take_calls(self, calls: Iterable[Call]) -> None:
        """All calls; those that are not among them ended unseen."""
        there = {call.id: call for call in calls}
        for gone in [call for call in self.calls.values() if call.id not in there]:
            self.take_call(replace(gone, phase=CallPhase.ENDED, end=CallEnd.LEFT))
        for call in there.values():
            self.take_call(call)

    def call_in(self, conversation: ConversationId) -> Call | None:
        """The call that runs, rings or is being made in a conversation."""
        return next((c for c in self.calls.values() if c.conversation == conversation), None)

    def my_call(self) -> Call | None:
        """The call this computer is in."""
        mine = (CallPhase.JOINED, CallPhase.CALLING)
        return next((c for c in self.calls.values() if c.phase in mine), None)

    def channels(self, team: ConversationId) -> list[Conversation]:
        """Channels of a team, by name; ``general`` first."""
        found = [
            c
            for c in self.conversations.values()
            if c.kind is ConversationKind.CHANNEL and c.team == team
        ]
        return sorted(found, key=lambda c: (c.name != "general", c.name.casefold(), c.id))

    def directs(self, team: ConversationId) -> list[Conversation]:
        """Direct conversations shown under a team, by name."""
        found = [
            c
            for c in self.conversations.values()
            if c.kind is ConversationKind.DIRECT and c.team in (team, None)
        ]
        return sorted(found, key=lambda c: (c.name.casefold(), c.id))

    def others(self, conversation: Conversation) -> list[PersonId]:
        """The participants of a direct conversation without oneself."""
        return [p for p in conversation.participants if p != self.me]

    def state_of(self, person: PersonId) -> PresenceState:
        """A person's presence; offline when nothing was told."""
        if person == self.me:
            return PresenceState.ONLINE
        known = self.presence.get(person)
        return known.state if known else PresenceState.OFFLINE

    def peers_of(self, person: PersonId) -> list[Peer]:
        """The devices of a person."""
        return list(self._peers.get(person, {}).values())

    def name_of(self, person: PersonId) -> str:
        """A person's name by any team; empty for somebody unknown."""
        for members in self.members.values():
            for member in members:
                if member.person == person:
                    return member.name
        return ""

    def online(self, team: ConversationId) -> int:
        """Members of a team who are not offline, oneself included."""
        return sum(
            self.state_of(m.person) is not PresenceState.OFFLINE for m in self.members.get(team, ())
        )

    def unread_elsewhere(self, team: ConversationId) -> int:
        """Unread messages in a team's conversations."""
        return sum(c.unread for c in self.conversations.values() if c.team == team)
