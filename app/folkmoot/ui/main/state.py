"""What the side bar and the header show, computed from the model. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QDateTime

from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.call_values import Call, CallPhase, ParticipantState
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    PresenceState,
    Role,
    Team,
)
from folkmoot.ui.connections.words import Over, Reach, reach_of, seen_words
from folkmoot.ui.model import WindowModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("Main", text)


@dataclass(frozen=True, slots=True)
class RowState:
    """A conversation in the side bar; `key` and `presence` are there for directs.

    `call`: where this person stands with the call that is there now.
    """

    conversation: ConversationId
    name: str
    unread: int
    current: bool
    draft: bool
    key: bytes = b""
    presence: PresenceState | None = None
    call: CallPhase | None = None


@dataclass(frozen=True, slots=True)
class TeamState:
    """A team in the rail."""

    team: ConversationId
    name: str
    unread: int
    current: bool


@dataclass(frozen=True, slots=True)
class SideBarState:
    """Everything in the side bar."""

    team: ConversationId
    team_name: str
    line: str
    channels: tuple[RowState, ...]
    directs: tuple[RowState, ...]
    me: bytes
    my_name: str
    my_line: str


@dataclass(frozen=True, slots=True)
class HeaderState:
    """Name, topic and members of what is open; `members` 0 hides the count.

    `call` is where this person stands with the call here, `in_call` how many are in it; without
    somebody to call (`may_call`) there are no buttons for it.
    """

    name: str
    topic: str
    is_channel: bool
    members: int
    may_change: bool
    key: bytes = b""
    presence: PresenceState | None = None
    may_call: bool = False
    call: CallPhase | None = None
    in_call: int = 0
    reach: Reach | None = None
    """How the one person of a direct conversation is reached."""


def presence_words(state: PresenceState) -> str:
    """A presence as a word."""
    return {
        PresenceState.ONLINE: _tr("Online"),
        PresenceState.AWAY: _tr("Away"),
        PresenceState.DND: _tr("Do not disturb"),
        PresenceState.OFFLINE: _tr("Offline"),
    }[state]


def role_words(role: Role) -> str:
    """A role as a word; an ordinary member needs none."""
    return {
        Role.OWNER: _tr("owner"),
        Role.ADMIN: _tr("admin"),
        Role.MEMBER: "",
        Role.GUEST: _tr("guest"),
    }[role]


def team_line(model: WindowModel, team: Team) -> str:
    """How many are there, and over what."""
    if "no_network" in model.notices:
        return _tr("No network")
    members = model.members.get(team.id, ())
    total = len(members) or team.members
    if total == 1:
        return _tr("Only you so far")
    if not members:
        return _tr("{n} members").format(n=total)
    others = [m.person for m in members if m.person != model.me]
    ways = {reach.over for person in others if (reach := reach_of(model.peers_of(person)))}
    ways.discard(Over.NOTHING)
    if not ways and model.online(team.id) <= 1:
        return _tr("Nobody else is reached")
    if ways <= {Over.NETWORK}:
        line = _tr("{online} of {total} online · local network")
    elif Over.NETWORK in ways:
        line = _tr("{online} of {total} online")
    else:
        line = _tr("{online} of {total} online · internet")
    return line.format(online=model.online(team.id), total=total)


def way_line(model: WindowModel, person: PersonId, line: str) -> tuple[str, str]:
    """What is said below a name, and its icon: presence, and the way where it is not the usual."""
    reach = reach_of(model.peers_of(person))
    if reach is None or reach.over in (Over.NETWORK, Over.INTERNET):
        return line, ""
    if reach.over is Over.SERVER:
        return f"{line} · {reach.inside}", reach.over.icon
    seen = seen_words(reach.last_seen_ms, QDateTime.currentMSecsSinceEpoch())
    return f"{reach.words} · {seen}" if seen else reach.words, reach.over.icon


def side_bar_state(
    model: WindowModel, team: ConversationId, current: ConversationId | None
) -> SideBarState:
    """The side bar of one team."""
    shown = model.teams[team]
    identity = model.identity
    return SideBarState(
        team=team,
        team_name=shown.name,
        line=team_line(model, shown),
        channels=tuple(_row(model, c, current) for c in model.channels(team)),
        directs=tuple(_row(model, c, current) for c in model.directs(team)),
        me=model.me,
        my_name=model.my_name,
        my_line=identity.device_name if identity else "",
    )


def rail_state(model: WindowModel, current: ConversationId | None) -> tuple[TeamState, ...]:
    """The rail of teams; empty while there is but one."""
    if len(model.teams) < 2:
        return ()
    teams = sorted(model.teams.values(), key=lambda t: (t.name.casefold(), t.id))
    return tuple(
        TeamState(t.id, t.name, model.unread_elsewhere(t.id), t.id == current) for t in teams
    )


def header_state(model: WindowModel, conversation: Conversation) -> HeaderState:
    """The header over a conversation."""
    call = model.call_in(conversation.id)
    phase, count = (call.phase, count_in(call)) if call else (None, 0)
    if conversation.kind is ConversationKind.DIRECT:
        others = model.others(conversation)
        one = others[0] if len(others) == 1 else None
        return HeaderState(
            name=direct_name(model, conversation),
            topic=way_line(model, one, presence_words(model.state_of(one)))[0] if one else "",
            is_channel=False,
            members=0 if one or not others else len(others) + 1,
            may_change=False,
            key=one or (conversation.id if others else model.me),
            presence=model.state_of(one) if one else None,
            may_call=bool(others),
            call=phase,
            in_call=count,
            reach=reach_of(model.peers_of(one)) if one else None,
        )
    known = model.teams.get(conversation.team) if conversation.team else None
    members = model.members.get(conversation.team, ()) if conversation.team else ()
    return HeaderState(
        name=conversation.name,
        topic=conversation.topic,
        is_channel=True,
        members=len(members) or (known.members if known else 0),
        may_change=known is not None and known.role is not Role.GUEST,
        may_call=(len(members) or (known.members if known else 0)) > 1,
        call=phase,
        in_call=count,
    )


def count_in(call: Call) -> int:
    """How many are in a call, those who are only rung left out."""
    there = (
        ParticipantState.CONNECTING,
        ParticipantState.CONNECTED,
        ParticipantState.RECONNECTING,
    )
    return sum(p.is_me or p.state in there for p in call.participants)


def direct_name(model: WindowModel, conversation: Conversation) -> str:
    """The other persons' names; oneself alone is a place for notes."""
    if not model.others(conversation):
        return _tr("{name} (you)").format(name=model.my_name)
    return conversation.name


def place_words(model: WindowModel, conversation: Conversation) -> str:
    """What a conversation is called inside a sentence: ``#general``, ``Mara Oduya``."""
    if conversation.kind is ConversationKind.CHANNEL:
        return f"#{conversation.name}"
    return direct_name(model, conversation)


def _row(model: WindowModel, c: Conversation, current: ConversationId | None) -> RowState:
    draft = bool(model.drafts.get((c.id, None), "").strip())
    running = model.call_in(c.id)
    call = running.phase if running else None
    if c.kind is ConversationKind.CHANNEL:
        return RowState(c.id, c.name, c.unread, c.id == current, draft, call=call)
    others = model.others(c)
    key: bytes = others[0] if len(others) == 1 else (c.id if others else model.me)
    presence = model.state_of(others[0]) if len(others) == 1 else None
    name = direct_name(model, c)
    return RowState(c.id, name, c.unread, c.id == current, draft, key, presence, call)
