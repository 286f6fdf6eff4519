"""Whether a segment of a peer may enter the store: place, chain, signature, and the right to write.

Owns the order of the checks, cheapest first. Refuses what is not the continuation of what is held
(`Verdict`), what cannot be judged before the team's log is further (`NotYet`), and raises
`PeerError` for what no honest node would have sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from folkmoot.domain.bodies import Genesis, Open
from folkmoot.domain.entry import MAX_TEAM_LOG_ENTRIES, Entry
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey, PersonId
from folkmoot.protocol.bodies import decode_body
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.entries import decode_header, verify_segment
from folkmoot.protocol.frames import Segment
from folkmoot.protocol.replication import Position
from folkmoot.services.registry import TeamRegistry

MAX_DIRECTS_WITH_ONE = 256
"""Direct conversations of one person that are taken: their other persons may be invented."""


class Outcome(Enum):
    """What to do with a segment that is not taken, though nobody did wrong."""

    HELD = "held"
    """All of it is held already."""
    GAP = "gap"
    """Entries before it are missing."""
    NOT_YET = "not_yet"
    """The right to write rests on entries of the team that are missing here."""
    FORK = "fork"
    """Another entry is held at its place: one of the two was never honest."""
    REFUSED = "refused"
    """The writer has no right to write here, as far as can be known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Either `entries` to store, or the `outcome`."""

    entries: tuple[Entry, ...] = ()
    outcome: Outcome | None = None
    reason: str = ""


class Authority:
    """Judges segments by the teams as they are now."""

    def __init__(
        self, me: PersonId, registry: TeamRegistry, expected: Callable[[ConversationId], bool]
    ) -> None:
        """`expected` says whether we are about to be let into a team that is not held yet."""
        self._me = me
        self._registry = registry
        self._expected = expected

    def judge(self, segment: Segment, held: Position | None) -> Verdict:
        """The entries of `segment` that are new beyond `held`; raises `PeerError`."""
        log = LogKey(segment.conversation, segment.device, segment.grant)
        sequence, previous = held if held is not None else Position(0, EntryId(ZERO))
        drop = sequence - segment.first + 1
        if drop < 0:
            return Verdict(outcome=Outcome.GAP)
        headers, bodies = segment.headers[drop:], segment.bodies[drop:]
        if not headers:
            return Verdict(outcome=Outcome.HELD)
        if decode_header(headers[0]).previous != previous and held is not None:
            return Verdict(outcome=Outcome.FORK, reason="another entry is held at its place")
        known = self._place(log, sequence + len(headers))
        if known is not None:
            return known
        entries = verify_segment(log, sequence + 1, headers, segment.signature, bodies, previous)
        if held is None:
            refused = self._opening(log, entries[0])
            if refused is not None:
                return refused
        return Verdict(entries=tuple(entries))

    def _place(self, log: LogKey, last: int) -> Verdict | None:
        """What speaks against entries of this log, without looking at them."""
        team = self._registry.team_of(log.conversation)
        if team is None:
            if log.grant == ZERO:
                return None
            return Verdict(outcome=Outcome.NOT_YET, reason="the conversation is not known")
        if log.conversation == team.id and last > MAX_TEAM_LOG_ENTRIES:
            return Verdict(outcome=Outcome.REFUSED, reason="the log of the team is full")
        if log.grant == ZERO:
            if log.conversation == team.id:
                return None
            return Verdict(outcome=Outcome.REFUSED, reason="a channel is not written without grant")
        if not team.standing(log.grant):
            return Verdict(outcome=Outcome.NOT_YET, reason="the grant does not stand")
        return None

    def _opening(self, log: LogKey, entry: Entry) -> Verdict | None:
        """What speaks against a log that begins with `entry`."""
        body = decode_body(entry.header.kind, entry.body or b"")
        if not isinstance(body, Open | Genesis):
            raise PeerError("bad_open", "a log begins with what opens it")
        person = read_certificate(body.certificate).person
        if isinstance(body, Genesis):
            if self._registry.team(log.conversation) or self._expected(log.conversation):
                return None
            return Verdict(outcome=Outcome.REFUSED, reason="nobody here joins this team")
        if log.grant == ZERO:
            if self._me not in body.persons:
                raise PeerError("not_for_us", "a direct conversation of others")
            if person not in self._registry.known_persons():
                return Verdict(outcome=Outcome.NOT_YET, reason="the writer shares no team with us")
            return self._one_more_direct(log.conversation, person)
        team = self._registry.team_of(log.conversation)
        if team is None or body.persons or team.grants[log.grant].person != person:
            raise PeerError("wrong_grant", "the grant is another person's")
        return None

    def _one_more_direct(self, conversation: ConversationId, person: PersonId) -> Verdict | None:
        """What speaks against a direct conversation with somebody who may have begun many."""
        held = self._registry.directs()
        count = sum(person in persons for persons in held.values())
        if conversation in held or count < MAX_DIRECTS_WITH_ONE:
            return None
        return Verdict(outcome=Outcome.REFUSED, reason="too many direct conversations with one")
