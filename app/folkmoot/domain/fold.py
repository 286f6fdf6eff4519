"""The state of a team as a pure function of the entries of its log that are held.

Rules 1, 2, 4 and 7 of `WIRE.md`, "Fold": which grants stand, which entries count and what they
make. The order and the number of times that entries are given changes nothing, and time decides
nothing. Work and memory grow with the number of facts only; of each log at most 10,000 entries are
looked at. Signatures, chains and proofs were checked before: they come in as facts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from folkmoot.domain.bodies import (
    HISTORY_ALL,
    Admit,
    Body,
    Channel,
    Genesis,
    Grant,
    Invite,
    Level,
    Open,
    Set,
)
from folkmoot.domain.entry import MAX_TEAM_LOG_ENTRIES, Header, Kind
from folkmoot.domain.identity import Certificate
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.names import is_name
from folkmoot.domain.registers import Write, winner
from folkmoot.domain.team import (
    Act,
    ChannelState,
    GrantState,
    InviteState,
    MemberState,
    TeamState,
    can_grant,
)

__all__ = ["Fact", "TeamState", "fold"]

KEY_NAME = "name"
KEY_TOPIC = "topic"
KEY_VISIBLE = "visible"
KEY_SECRET = "secret"
PROFILE_PREFIX = "profile/"
KEY_PROFILE_NAME = "profile/name"
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Fact:
    """A verified entry of a team's log, read (`protocol.facts` makes them).

    `certificate` is that of a genesis, open or admit if the person's signature on it is good.
    `proof_ok` is whether the proof of an admit is good; None while its invite is not held.
    """

    entry_id: EntryId
    header: Header
    body: Body
    certificate: Certificate | None = None
    proof_ok: bool | None = None


class _Terms(NamedTuple):
    """What a genesis, grant or admit would give; `invite` is the fact an admit came by."""

    fact: Fact
    invite: Fact | None
    person: PersonId
    role: Level
    may_invite: bool
    channels: tuple[EntryId, ...]
    history: int

    @property
    def came_by(self) -> set[EntryId]:
        """The grants this one rests on."""
        through = {self.fact.header.grant}
        return through | {self.invite.header.grant} if self.invite else through


_LogName = tuple[DeviceId, EntryId]


def fold(team: ConversationId, facts: Iterable[Fact]) -> TeamState:
    """The state of `team` by these facts of its log; facts of other conversations have no part."""
    held = {fact.entry_id: fact for fact in facts}
    genesis = held.get(EntryId(team))
    if genesis is None or not _is_genesis(genesis):
        return TeamState(team, entries=len(held))
    logs = _logs(team, held.values())
    grants = _grants(genesis, logs, held)
    return _state(team, genesis, grants, _counted(logs, grants), len(held))


def _is_genesis(fact: Fact) -> bool:
    header = fact.header
    return (
        isinstance(fact.body, Genesis)
        and header.conversation == ZERO
        and header.grant == ZERO
        and header.sequence == 1
        and fact.certificate is not None
        and fact.certificate.device == header.device
    )


def _logs(team: ConversationId, facts: Iterable[Fact]) -> dict[_LogName, list[Fact]]:
    """Each log from its `open` on, up to the first gap, fork, or the limit of entries."""
    by_log: dict[_LogName, dict[int, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    for fact in facts:
        header = fact.header
        if header.conversation == team and header.kind != Kind.GENESIS and header.grant != ZERO:
            by_log[header.device, header.grant][header.sequence].append(fact)
    logs = {}
    for name, numbered in by_log.items():
        log = _unbroken(numbered)
        if log and _opens(log[0]):
            logs[name] = log
    return logs


def _unbroken(numbered: dict[int, list[Fact]]) -> list[Fact]:
    log: list[Fact] = []
    for sequence in range(1, MAX_TEAM_LOG_ENTRIES + 1):
        here = numbered.get(sequence, ())
        if len(here) != 1:
            break
        log.append(here[0])
    return log


def _opens(fact: Fact) -> bool:
    certificate = fact.certificate
    return (
        isinstance(fact.body, Open)
        and certificate is not None
        and certificate.device == fact.header.device
    )


# --- rules 1, 2 and 4: which grants stand -------------------------------------------------------


def _grants(
    genesis: Fact, logs: dict[_LogName, list[Fact]], held: dict[EntryId, Fact]
) -> dict[EntryId, GrantState]:
    terms = {genesis.entry_id: _founder(genesis)}
    for log in logs.values():
        for fact in log:
            offered = _terms(fact, held)
            if offered:
                terms[fact.entry_id] = offered
    depths = _depths(genesis.entry_id, terms)
    places = {
        fact.entry_id: number for log in logs.values() for number, fact in enumerate(log, start=1)
    }
    grants: dict[EntryId, GrantState] = {}
    for entry in sorted(depths, key=lambda entry: (-terms[entry].role, depths[entry], entry)):
        offered = terms[entry]
        stands = entry == genesis.entry_id or _stands(offered, grants, logs, places)
        grants[entry] = GrantState(
            entry,
            offered.person,
            offered.role,
            depths[entry],
            stands,
            offered.may_invite,
            offered.channels,
            offered.history,
        )
    return grants


def _founder(genesis: Fact) -> _Terms:
    assert genesis.certificate is not None
    return _Terms(genesis, None, genesis.certificate.person, Level.OWNER, True, (), HISTORY_ALL)


def _terms(fact: Fact, held: dict[EntryId, Fact]) -> _Terms | None:
    body = fact.body
    if isinstance(body, Grant):
        return _Terms(
            fact, None, body.person, body.role, body.may_invite, body.channels, body.history
        )
    if isinstance(body, Admit) and fact.proof_ok and fact.certificate is not None:
        invite = held.get(body.invite)
        if invite is not None and isinstance(invite.body, Invite):
            given, person = invite.body, fact.certificate.person
            return _Terms(
                fact,
                invite,
                person,
                given.role,
                given.may_invite,
                given.channels,
                given.history,
            )
    return None


def _depths(genesis: EntryId, terms: dict[EntryId, _Terms]) -> dict[EntryId, int]:
    """Rule 1, without recursion. A grant that does not lead back to the genesis has no depth."""
    waiting: dict[EntryId, int] = {}
    given_by: dict[EntryId, list[EntryId]] = defaultdict(list)
    for entry, offered in terms.items():
        if entry != genesis:
            waiting[entry] = len(offered.came_by)
            for parent in offered.came_by:
                given_by[parent].append(entry)
    depths = {genesis: 0}
    level = [genesis]
    while level:
        deeper: list[EntryId] = []
        for parent in level:
            for entry in given_by[parent]:
                waiting[entry] -= 1
                if waiting[entry] == 0:
                    depths[entry] = 1 + max(depths[by] for by in terms[entry].came_by)
                    deeper.append(entry)
        level = deeper
    return depths


def _stands(
    offered: _Terms,
    grants: dict[EntryId, GrantState],
    logs: dict[_LogName, list[Fact]],
    places: dict[EntryId, int],
) -> bool:
    """Rule 4. What judges a grant is higher or less deep, so it was decided before."""
    giver = grants.get(offered.fact.header.grant)
    if giver is None or not _counts(offered.fact, giver, logs, places):
        return False
    if offered.invite is None:
        return can_grant(giver.role, offered.role)
    inviter = grants.get(offered.invite.header.grant)
    return (
        inviter is not None
        and giver.may(Act.ADMIT)
        and _counts(offered.invite, inviter, logs, places)
        and _may_offer(inviter, offered)
    )


def _counts(
    fact: Fact,
    grant: GrantState,
    logs: dict[_LogName, list[Fact]],
    places: dict[EntryId, int],
) -> bool:
    log = logs.get((fact.header.device, fact.header.grant))
    return (
        grant.standing
        and log is not None
        and fact.entry_id in places
        and _opened_by(log[0]) == grant.person
    )


def _opened_by(opening: Fact) -> PersonId | None:
    return opening.certificate.person if opening.certificate else None


def _may_offer(inviter: GrantState, offered: _Terms | Invite) -> bool:
    """Rule 2 for invites: member or guest, never more than the inviter has."""
    if not inviter.may(Act.INVITE) or offered.role > min(Level.MEMBER, inviter.role):
        return False
    if inviter.role is Level.GUEST and not set(offered.channels) <= set(inviter.channels):
        return False
    return offered.history <= inviter.history


# --- what the counted entries make --------------------------------------------------------------


def _counted(
    logs: dict[_LogName, list[Fact]], grants: dict[EntryId, GrantState]
) -> list[tuple[Fact, GrantState]]:
    """Every entry that counts with the grant it was written under, by entry id."""
    counted = [
        (fact, grant)
        for (_, by), log in logs.items()
        if (grant := grants.get(by)) and grant.standing and _opened_by(log[0]) == grant.person
        for fact in log
    ]
    return sorted(counted, key=lambda pair: pair[0].entry_id)


def _state(
    team: ConversationId,
    genesis: Fact,
    grants: dict[EntryId, GrantState],
    counted: list[tuple[Fact, GrantState]],
    entries: int,
) -> TeamState:
    assert isinstance(genesis.body, Genesis)
    settings = _settings(counted)
    certificates = _certificates(genesis, grants, counted)
    name = settings.value(KEY_NAME)
    return TeamState(
        id=team,
        name=name if isinstance(name, str) else genesis.body.name,
        visible=settings.value(KEY_VISIBLE) is True,
        secrets=settings.secrets(),
        grants=dict(sorted(grants.items())),
        members=_members(grants, settings, certificates),
        certificates=certificates,
        channels=_channels(counted),
        invites=_invites(grants, counted),
        entries=entries,
    )


class _Settings:
    """The registers of a team, writes without right or of the wrong shape left out."""

    def __init__(self) -> None:
        self._writes: dict[tuple[str, PersonId | None], list[tuple[EntryId, Set]]] = {}

    def take(self, entry: EntryId, body: Set, grant: GrantState) -> None:
        if _may_set(grant, body.key) and _fits(body):
            owner = grant.person if body.key.startswith(PROFILE_PREFIX) else None
            self._writes.setdefault((body.key, owner), []).append((entry, body))

    def value(self, key: str, person: PersonId | None = None) -> object:
        writes = dict(self._writes.get((key, person), ()))
        best = winner(Write(entry, body.replaces) for entry, body in writes.items())
        return writes[best].value if best else None

    def secrets(self) -> tuple[bytes, ...]:
        current = self.value(KEY_SECRET)
        if not isinstance(current, bytes):
            return ()
        ever = [body.value for _, body in self._writes[KEY_SECRET, None]]
        old = dict.fromkeys(v for v in ever if isinstance(v, bytes) and v != current)
        return (*old, current)


def _settings(counted: list[tuple[Fact, GrantState]]) -> _Settings:
    settings = _Settings()
    for fact, grant in counted:
        if isinstance(fact.body, Set):
            settings.take(fact.entry_id, fact.body, grant)
    return settings


def _may_set(grant: GrantState, key: str) -> bool:
    if key.startswith(PROFILE_PREFIX):
        return grant.may(Act.SET_PROFILE)
    return key in (KEY_NAME, KEY_VISIBLE, KEY_SECRET) and grant.may(Act.MANAGE_TEAM)


def _fits(body: Set) -> bool:
    value = body.value
    if body.key in (KEY_NAME, KEY_PROFILE_NAME):
        return isinstance(value, str) and is_name(value)
    if body.key == KEY_VISIBLE:
        return isinstance(value, bool)
    if body.key == KEY_SECRET:
        return isinstance(value, bytes) and len(value) == SECRET_BYTES
    return False


def _certificates(
    genesis: Fact, grants: dict[EntryId, GrantState], counted: list[tuple[Fact, GrantState]]
) -> dict[DeviceId, Certificate]:
    """The devices of members. What a device signed itself goes before what an admit says of it."""
    said = [f.certificate for f, _ in counted if isinstance(f.body, Admit) and f.certificate]
    signed = [f.certificate for f, _ in counted if isinstance(f.body, Open) and f.certificate]
    own = [genesis.certificate] if genesis.certificate else []
    members = {grant.person for grant in grants.values() if grant.standing}
    known: dict[DeviceId, Certificate] = {}
    for source in (said, own + signed):
        for certificate in sorted(source, key=_certificate_order):
            if certificate.person in members:
                known[certificate.device] = certificate
    return dict(sorted(known.items()))


def _certificate_order(certificate: Certificate) -> tuple[bytes, int, str, bytes]:
    return (
        certificate.person,
        certificate.created_ms,
        certificate.name,
        certificate.seal_key,
    )


def _members(
    grants: dict[EntryId, GrantState],
    settings: _Settings,
    certificates: dict[DeviceId, Certificate],
) -> dict[PersonId, MemberState]:
    """Rule 7. Who set no name is called like their computer, or by the start of their key."""
    by_person: dict[PersonId, list[GrantState]] = defaultdict(list)
    for grant in grants.values():
        if grant.standing:
            by_person[grant.person].append(grant)
    computers = {held.person: held.name for held in certificates.values()}
    members = {}
    for person, own in sorted(by_person.items()):
        name = settings.value(KEY_PROFILE_NAME, person)
        members[person] = MemberState(
            person=person,
            role=max(grant.role for grant in own),
            oldest_grant=min((grant.depth, grant.id) for grant in own)[1],
            name=name if isinstance(name, str) else computers.get(person, person.hex()[:8]),
        )
    return members


def _channels(counted: list[tuple[Fact, GrantState]]) -> dict[ConversationId, ChannelState]:
    channels = {}
    for fact, grant in counted:
        if isinstance(fact.body, Channel) and grant.may(Act.MAKE_CHANNEL):
            channel = ConversationId(fact.entry_id)
            channels[channel] = ChannelState(channel, fact.body.name, fact.body.posts, grant.person)
    return channels


def _invites(
    grants: dict[EntryId, GrantState], counted: list[tuple[Fact, GrantState]]
) -> dict[EntryId, InviteState]:
    used: dict[EntryId, int] = defaultdict(int)
    for fact, _ in counted:
        admitted = grants.get(fact.entry_id)
        if isinstance(fact.body, Admit) and admitted and admitted.standing:
            used[fact.body.invite] += 1
    return {
        fact.entry_id: InviteState(
            fact.entry_id,
            fact.body.public_key,
            fact.body.role,
            fact.body.may_invite,
            fact.body.channels,
            fact.body.history,
            fact.body.expires_ms,
            fact.body.uses,
            used[fact.entry_id],
            grant.person,
        )
        for fact, grant in counted
        if isinstance(fact.body, Invite) and _may_offer(grant, fact.body)
    }
