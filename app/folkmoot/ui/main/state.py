"""What the side bar and the header show, computed from the model. Pure functions, no widgets."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    PresenceState,
    Role,
    Team,
)
from folkmoot.ui.model import WindowModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("Main", text)


@dataclass(frozen=True, slots=True)
class RowState:
    """A conversation in the side bar; `key` and `presence` are there for directs."""

    conversation: ConversationId
    name: str
    unread: int
    current: bool
    draft: bool
    key: bytes = b""
    presence: PresenceState | None = None


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
    """Name, topic and members of what is open; `members` 0 hides the count."""

    name: str
    topic: str
    is_channel: bool
    members: int
    may_change: bool
    key: bytes = b""
    presence: PresenceState | None = None


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
    return _tr("{online} of {total} online · local network").format(
        online=model.online(team.id), total=total
    )


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
    if conversation.kind is ConversationKind.DIRECT:
        others = model.others(conversation)
        one = others[0] if len(others) == 1 else None
        return HeaderState(
            name=direct_name(model, conversation),
            topic=presence_words(model.state_of(one)) if one else "",
            is_channel=False,
            members=0 if one or not others else len(others) + 1,
            may_change=False,
            key=one or (conversation.id if others else model.me),
            presence=model.state_of(one) if one else None,
        )
    known = model.teams.get(conversation.team) if conversation.team else None
    members = model.members.get(conversation.team, ()) if conversation.team else ()
    return HeaderState(
        name=conversation.name,
        topic=conversation.topic,
        is_channel=True,
        members=len(members) or (known.members if known else 0),
        may_change=known is not None and known.role is not Role.GUEST,
    )


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
    if c.kind is ConversationKind.CHANNEL:
        return RowState(c.id, c.name, c.unread, c.id == current, draft)
    others = model.others(c)
    key: bytes = others[0] if len(others) == 1 else (c.id if others else model.me)
    presence = model.state_of(others[0]) if len(others) == 1 else None
    return RowState(c.id, direct_name(model, c), c.unread, c.id == current, draft, key, presence)
