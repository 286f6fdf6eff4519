"""What the two ends of one link still owe each other, as a machine without input or output.

Owns, for one link: what the peer is known to hold, what was sent and not yet acknowledged, what to
ask for and when. Frames and the time go in, frames to send come out; contents are read by whoever
drives it (`next_read`, then `loaded`). Frames may be lost, doubled or overtake each other: every
state is left by a timer at the latest, and the digests of a later round find what is missing.

Refuses to decide who may see what (`Holdings` shows only what the peer may see), to verify entries
and to believe an acknowledgement beyond what is held here. `WIRE.md` has the frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from folkmoot.domain.entry import MAX_SEGMENT_ENTRIES, Entry, LogHead
from folkmoot.domain.ids import ConversationId, EntryId, LogKey
from folkmoot.protocol.frames import (
    MAX_ROWS,
    Ack,
    AckRow,
    Digest,
    Digests,
    Frame,
    Segment,
    VectorRow,
    Vectors,
)

FORWARD_AFTER_S = 1.0
"""Entries of others are forwarded after this time to whoever has not acknowledged them."""
ACK_OTHERS_AFTER_S = 0.25
"""Those who did not send an entry learn a little later that it is held: many in one frame."""
ROUND_S = 60.0
RETRY_S = 4.0
FIRST_ROUND_S = 0.5
"""A comparison at the begin of a link is soon repeated: while both write, one side may find itself
even with what the other no longer holds, and leave it without an answer."""
AGAIN_S = 0.25
"""The same question is asked, and answered, at most this often on one link."""
MAX_RETRY_S = 60.0
WINDOW_SEGMENTS = 24
PAGE = MAX_ROWS
MAX_PAGES = 64
"""More pages of one list in a row than this are not looked at: nobody has that many logs."""
MAX_OPEN = 4096
"""Conversations remembered as asked for; past it they may be asked for again too soon."""


class Position(NamedTuple):
    """The newest entry of a log that is held."""

    sequence: int
    id: EntryId


class Holdings(Protocol):
    """What is held here, as far as it concerns the peer of one link."""

    def offered(self) -> Iterable[ConversationId]:
        """Every conversation that may be shown to the peer, teams first."""
        ...

    def offers(self, conversation: ConversationId) -> bool:
        """Whether this conversation may be shown to the peer now."""
        ...

    def takes(self, conversation: ConversationId) -> bool:
        """Whether entries of this conversation may be asked of the peer; also of unknown ones."""
        ...

    def is_team(self, conversation: ConversationId) -> bool:
        """Whether it is a team's own log, which goes before everything else."""
        ...

    def logs(self, conversation: ConversationId) -> Mapping[LogKey, Position]:
        """The held head of every log, in the order in which a new member needs them."""
        ...

    def digest(self, conversation: ConversationId) -> bytes:
        """Hash over all heads of a conversation."""
        ...

    def digest_of_all(self, conversations: Iterable[ConversationId]) -> bytes:
        """Hash over the digests of several conversations."""
        ...


class Read(NamedTuple):
    """Read entries of a log from `first` on and hand them to `loaded`."""

    log: LogKey
    first: int


@dataclass(slots=True)
class _Progress:
    """Of one log: what the peer holds durably, and what was sent, which may be lost."""

    acked: int = 0
    sent: int = 0


@dataclass(slots=True)
class _InFlight:
    log: LogKey
    last: int
    at: float


class LinkSync:
    """The machine for one link."""

    def __init__(self, holdings: Holdings, jitter: float) -> None:
        """`jitter` in [0.9, 1.1] spreads the rounds of many links."""
        self._holdings = holdings
        self._round_s = ROUND_S * jitter
        self._progress: dict[LogKey, _Progress] = {}
        self._ready_first: dict[LogKey, None] = {}
        self._ready: dict[LogKey, None] = {}
        self._later: dict[LogKey, float] = {}
        self._flight: deque[_InFlight] = deque()
        self._retry_s = RETRY_S
        self._settled = False
        self._known: set[ConversationId] = set()
        """Conversations of which the peer listed what it holds, since the last begin."""
        self._told: set[LogKey] = set()
        """Logs of which the peer acknowledged something, since the last begin."""
        self._unsure: dict[ConversationId, float] = {}
        self._asked: dict[ConversationId, float] = {}
        self._ask_at: dict[ConversationId, float] = {}
        self._listed: dict[ConversationId, set[LogKey]] = {}
        self._told_digests: set[ConversationId] = set()
        self._pages = 0
        self._acks: dict[LogKey, Position] = {}
        self._acks_at: float | None = None
        self._next_round = 0.0
        self._round_wait_s = RETRY_S
        self._told_digest = b""
        self._answered_at = -AGAIN_S
        self._answer_at: float | None = None

    # --- the life of a link ------------------------------------------------------------------

    def begin(self, now: float) -> list[Frame]:
        """The link is up, or what may be shown to the peer has changed: compare from the start."""
        self._settled = False
        self._known.clear()
        self._told.clear()
        self._round_wait_s = FIRST_ROUND_S
        own = self._digest_frame()
        if own.digest == self._told_digest:
            self._all_even(list(self._holdings.offered()))
        self._plan_round(now)
        return [own]

    def tick(self, now: float) -> list[Frame]:
        """Do what is due; call it at `due` or a little later."""
        frames: list[Frame] = []
        for log in [log for log, at in self._later.items() if at <= now]:
            del self._later[log]
            self._make_ready(log)
        if self._acks_at is not None and self._acks_at <= now:
            frames += self._flush_acks()
        for conversation in [c for c, at in self._ask_at.items() if at <= now]:
            del self._ask_at[conversation]
            if self._holdings.takes(conversation):
                frames += self._ask(conversation, now)
        if self._answer_at is not None and self._answer_at <= now:
            frames += self._digests_frames(list(self._holdings.offered()), now)
        if self._flight and self._flight[0].at + self._retry_s <= now:
            self._give_up_waiting()
        if self._next_round <= now:
            self._plan_round(now)
            frames.append(self._digest_frame())
        return frames

    def due(self) -> float:
        """When `tick` has something to do at the latest."""
        times = [self._next_round, *self._later.values(), *self._ask_at.values()]
        times += [at for at in (self._acks_at, self._answer_at) if at is not None]
        if self._flight:
            times.append(self._flight[0].at + self._retry_s)
        return min(times)

    # --- frames of the peer ------------------------------------------------------------------

    def digest(self, frame: Digest, now: float) -> tuple[list[Frame], list[LogHead]]:
        """The peer's hash over everything: equal means done, and that it holds what we hold."""
        offered = list(self._holdings.offered())
        self._told_digest = frame.digest
        if frame.digest == self._holdings.digest_of_all(offered):
            held = self._all_even(offered)
            self._plan_round(now)
            return [], held
        if now - self._answered_at < AGAIN_S:
            self._answer_at = self._answered_at + AGAIN_S
            return [], []
        return self._digests_frames(offered, now), []

    def _digests_frames(self, offered: Sequence[ConversationId], now: float) -> list[Frame]:
        self._answered_at, self._answer_at = now, None
        rows = [(c, self._holdings.digest(c)) for c in offered]
        pages = [rows[at : at + PAGE] for at in range(0, len(rows), PAGE)] or [[]]
        last = len(pages) - 1
        return [Digests(tuple(page), more=at < last) for at, page in enumerate(pages)]

    def digests(self, frame: Digests, now: float) -> tuple[list[Frame], list[LogHead]]:
        """The peer's digest of each conversation: ask where it differs."""
        frames: list[Frame] = []
        held: list[LogHead] = []
        differing: list[ConversationId] = []
        for conversation, digest in frame.rows:
            self._told_digests.add(conversation)
            offered = self._holdings.offers(conversation)
            if offered and digest == self._holdings.digest(conversation):
                held += self._even(conversation)
            elif self._holdings.takes(conversation):
                differing.append(conversation)
        differing.sort(key=lambda conversation: not self._holdings.is_team(conversation))
        for conversation in differing:
            if self._holdings.offers(conversation):
                self._unsure[conversation] = now
            frames += self._ask(conversation, now)
        self._pages += 1
        if frame.more and self._pages < MAX_PAGES:
            return frames, held
        for conversation in self._holdings.offered():
            if conversation not in self._told_digests:
                self._unsure.setdefault(conversation, now)
                frames += self._ask(conversation, now)
        self._told_digests.clear()
        self._pages = 0
        self._settled = True
        self._plan_round(now)
        return frames, held

    def vectors(self, frame: Vectors, now: float) -> tuple[list[Frame], list[LogHead]]:
        """What the peer holds of one conversation: send what it lacks, ask for what we lack.

        If it lists nothing that we lack we say so. It asked since its digest was another one than
        ours, and ours may have been written before its newest entries came: nothing else would tell
        it that we hold them, and what it writes on.
        """
        conversation = frame.conversation
        held = self._holdings.logs(conversation)
        if len(self._listed) >= MAX_OPEN:
            self._listed.clear()
        listed = self._listed.setdefault(conversation, set())
        behind = False
        heads: list[LogHead] = []
        offers = self._holdings.offers(conversation)
        for row in frame.rows:
            log = LogKey(conversation, row.device, row.grant)
            listed.add(log)
            ours = held.get(log)
            behind = behind or ours is None or ours.sequence < row.high
            if ours is not None and offers:
                self._learn(log, min(row.high, ours.sequence), fresh=True)
                heads.append(_both(log, ours, Position(row.high, row.id)))
        frames: list[Frame] = []
        if behind and self._holdings.takes(conversation):
            frames = self._ask(conversation, now)
        elif heads:
            rows = [(head.log.device, head.log.grant, head.sequence, head.id) for head in heads]
            frames = [Ack(conversation, tuple(rows))]
        if frame.more and len(listed) < PAGE * MAX_PAGES:
            return frames, heads
        if offers:
            for log in held:
                if log not in listed:
                    self._learn(log, 0, fresh=True)
                self._make_ready(log)
            self._unsure.pop(conversation, None)
            if len(self._known) < MAX_OPEN:
                self._known.add(conversation)
        del self._listed[conversation]
        return frames, heads

    def ack(self, frame: Ack, now: float) -> list[LogHead]:
        """The peer holds these durably."""
        if not self._holdings.offers(frame.conversation):
            return []
        held = self._holdings.logs(frame.conversation)
        heads: list[LogHead] = []
        for device, grant, sequence, id in frame.rows:
            log = LogKey(frame.conversation, device, grant)
            ours = held.get(log)
            behind = ours is None or ours.sequence < sequence
            if behind and len(self._ask_at) < MAX_OPEN:
                self._ask_at.setdefault(frame.conversation, now + 2 * FORWARD_AFTER_S)
            if ours is None:
                continue
            self._learn(log, min(sequence, ours.sequence))
            if not self._is_open(log):  # what was written meanwhile was held back
                self._make_ready(log)
            self._told.add(log)
            heads.append(_both(log, ours, Position(sequence, id)))
        return heads

    def lacking(self, conversation: ConversationId, now: float) -> list[Frame]:
        """A segment did not fit what is held: ask where the peer stands, but not at each frame."""
        return self._ask(conversation, now) if self._holdings.takes(conversation) else []

    # --- commits here ------------------------------------------------------------------------

    def committed(self, entries: Sequence[Entry], now: float, *, origin: str) -> list[Frame]:
        """Entries are durable here. `origin`: ``own``, ``peer`` (of this link) or ``other``."""
        frames: list[Frame] = []
        for run in _runs(entries):
            log, first, last = run[0].log, run[0].header.sequence, run[-1].header.sequence
            if origin != "own":
                self._note_ack(log, Position(last, run[-1].id), now, soon=origin == "peer")
            if not self._holdings.offers(log.conversation):
                continue
            if origin == "peer":
                self._learn(log, last)
            elif not self._is_open(log):
                continue
            elif origin == "other":
                self._later.setdefault(log, now + FORWARD_AFTER_S)
            elif self._may_push(log, first) and run[-1].signature is not None:
                frames.append(self._segment(log, run, now))
            else:
                self._make_ready(log)
        if self._acks_at is not None and self._acks_at <= now:
            frames += self._flush_acks()
        return frames

    def held_already(self, log: LogKey, last: int, now: float) -> list[Frame]:
        """The peer sent what is held, up to `last`: tell it so, or it sends it again."""
        position = self._holdings.logs(log.conversation).get(log)
        if position is None:
            return []
        self._learn(log, min(last, position.sequence))
        self._note_ack(log, position, now, soon=True)
        return self._flush_acks()

    # --- sending -----------------------------------------------------------------------------

    def next_read(self) -> Read | None:
        """What to read from the store for the peer; None while nothing is due or the window is
        full."""
        if len(self._flight) >= WINDOW_SEGMENTS:
            return None
        for queue in (self._ready_first, self._ready):
            while queue:
                log = next(iter(queue))
                ours = self._holdings.logs(log.conversation).get(log)
                sent = self._progress.setdefault(log, _Progress()).sent
                if (
                    ours is not None
                    and sent < ours.sequence
                    and self._holdings.offers(log.conversation)
                ):
                    return Read(log, sent + 1)
                del queue[log]
        return None

    def loaded(self, read: Read, entries: Sequence[Entry], now: float) -> list[Frame]:
        """The entries that `next_read` asked for; [] gives the log up until the next round."""
        if not entries or not self._holdings.offers(read.log.conversation):
            self._ready_first.pop(read.log, None)
            self._ready.pop(read.log, None)
            return []
        return [self._segment(read.log, entries, now)]

    # --- inside ------------------------------------------------------------------------------

    def _digest_frame(self) -> Digest:
        return Digest(self._holdings.digest_of_all(self._holdings.offered()))

    def _plan_round(self, now: float) -> None:
        """The next comparison: soon while something is open, but ever later if that is in vain."""
        if self._settled and not self._unsure:
            self._round_wait_s = RETRY_S
            self._next_round = now + self._round_s
            return
        self._next_round = now + self._round_wait_s
        self._round_wait_s = min(2 * self._round_wait_s, self._round_s)

    def _all_even(self, offered: Sequence[ConversationId]) -> list[LogHead]:
        """The peer holds all that it may see; it may have said so before we did."""
        self._settled = True
        self._unsure.clear()
        return [head for conversation in offered for head in self._even(conversation)]

    def _even(self, conversation: ConversationId) -> list[LogHead]:
        self._unsure.pop(conversation, None)
        heads: list[LogHead] = []
        for log, position in self._holdings.logs(conversation).items():
            self._learn(log, position.sequence)
            heads.append(LogHead(log, position.sequence, position.id))
        return heads

    def _learn(self, log: LogKey, held: int, *, fresh: bool = False) -> None:
        """The peer holds `log` up to `held`. `fresh`: it said so just now for the whole log."""
        progress = self._progress.setdefault(log, _Progress())
        if held > progress.acked:
            progress.acked = held
            self._retry_s = RETRY_S
        if any(flight.log == log and flight.last <= progress.acked for flight in self._flight):
            self._flight = deque(
                flight
                for flight in self._flight
                if flight.log != log or flight.last > progress.acked
            )
        in_flight = any(flight.log == log for flight in self._flight)
        if fresh and not in_flight:
            progress.sent = progress.acked
        progress.sent = max(progress.sent, progress.acked)

    def _give_up_waiting(self) -> None:
        """No acknowledgement for long: what is in flight counts as lost, and the wait doubles."""
        for flight in self._flight:
            progress = self._progress[flight.log]
            progress.sent = progress.acked
            self._make_ready(flight.log)
        self._flight.clear()
        self._retry_s = min(self._retry_s * 2, MAX_RETRY_S)

    def _make_ready(self, log: LogKey) -> None:
        first = self._holdings.is_team(log.conversation)
        (self._ready_first if first else self._ready).setdefault(log)

    def _is_open(self, log: LogKey) -> bool:
        """Whether it is known well enough what the peer holds of a log to send it what follows."""
        if log in self._told:
            return True
        known = self._settled or log.conversation in self._known
        return known and log.conversation not in self._unsure

    def _may_push(self, log: LogKey, first: int) -> bool:
        if log in self._ready or log in self._ready_first or len(self._flight) >= WINDOW_SEGMENTS:
            return False
        return self._progress.setdefault(log, _Progress()).sent == first - 1

    def _segment(self, log: LogKey, entries: Sequence[Entry], now: float) -> Segment:
        signature = entries[-1].signature
        assert signature is not None, "a segment ends with a signed entry"
        last = entries[-1].header.sequence
        self._progress.setdefault(log, _Progress()).sent = last
        self._flight.append(_InFlight(log, last, now))
        return Segment(
            conversation=log.conversation,
            device=log.device,
            grant=log.grant,
            first=entries[0].header.sequence,
            headers=tuple(entry.header_bytes for entry in entries),
            signature=signature,
            bodies=tuple(entry.body for entry in entries),
        )

    def _ask(self, conversation: ConversationId, now: float) -> list[Frame]:
        """Our vectors of a conversation, which ask for everything above them."""
        asked = self._asked.get(conversation)
        if asked is not None and now - asked < AGAIN_S:
            if len(self._ask_at) < MAX_OPEN:
                self._ask_at.setdefault(conversation, asked + AGAIN_S)
            return []
        if len(self._asked) >= MAX_OPEN:
            self._asked.clear()
        self._asked[conversation] = now
        rows = [
            VectorRow(log.device, log.grant, position.sequence, position.id)
            for log, position in self._holdings.logs(conversation).items()
        ]
        pages = [rows[at : at + PAGE] for at in range(0, len(rows), PAGE)] or [[]]
        last = len(pages) - 1
        return [Vectors(conversation, tuple(page), more=at < last) for at, page in enumerate(pages)]

    def _note_ack(self, log: LogKey, position: Position, now: float, *, soon: bool) -> None:
        noted = self._acks.get(log)
        if noted is None or noted.sequence < position.sequence:
            self._acks[log] = position
        at = now if soon else now + ACK_OTHERS_AFTER_S
        self._acks_at = at if self._acks_at is None else min(self._acks_at, at)

    def _flush_acks(self) -> list[Frame]:
        by_conversation: dict[ConversationId, list[AckRow]] = {}
        for log, position in self._acks.items():
            row = (log.device, log.grant, position.sequence, position.id)
            if self._holdings.takes(log.conversation):
                by_conversation.setdefault(log.conversation, []).append(row)
        self._acks.clear()
        self._acks_at = None
        return [
            Ack(conversation, tuple(rows[at : at + PAGE]))
            for conversation, rows in by_conversation.items()
            for at in range(0, len(rows), PAGE)
        ]


def _both(log: LogKey, ours: Position, theirs: Position) -> LogHead:
    """The newest entry of a log that both hold: only that counts here."""
    return LogHead(log, *min(ours, theirs, key=lambda position: position.sequence))


def _runs(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Entries cut into runs of one log without gaps, at most a segment long each."""
    run: list[Entry] = []
    for entry in entries:
        follows = (
            run
            and run[-1].log == entry.log
            and run[-1].header.sequence + 1 == entry.header.sequence
            and len(run) < MAX_SEGMENT_ENTRIES
        )
        if run and not follows:
            yield run
            run = []
        run.append(entry)
    if run:
        yield run
