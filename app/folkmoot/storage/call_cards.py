"""The cards of calls: which start is one, which end counts, who recorded, what a card says.

Owns the order among several entries about one call. Refuses persons who may not see the
conversation: they are left out when a card is read, since who may see changes later than an end.
Free of SQLAlchemy and of the protocol, for the first paint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import CallId, CallRecord, Recorded
from folkmoot.storage.rows import Rows, among

_STARTED, _DECLINED = 1, 3
_BEGAN = 1
"""`bodies.CALL_STARTED`, `CALL_DECLINED` and `RECORDING_BEGAN`; the module of the bodies would cost
the first paint 5 ms."""


@dataclass(frozen=True, slots=True)
class Start:
    """One `started` of a call. `counts`: it is the first one of its person, and shown.

    Nobody hides what another wrote: the start of another person is a card of its own.
    """

    id: EntryId
    video: bool
    counts: bool


@dataclass(frozen=True, slots=True)
class End:
    """One `ended` of a call."""

    id: EntryId
    video: bool
    persons: tuple[PersonId, ...]
    seconds: int


@dataclass(slots=True)
class Written:
    """What was written of one call."""

    starts: list[Start] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    declined: set[PersonId] = field(default_factory=set)

    def was_in(self, person: PersonId) -> bool:
        """Whether some end names the person."""
        return any(person in end.persons for end in self.ends)

    def best(self, may_see: Callable[[PersonId], bool]) -> End | None:
        """The end that counts, with those of its persons who may see the conversation."""
        seen = (
            End(end.id, end.video, tuple(p for p in end.persons if may_see(p)), end.seconds)
            for end in self.ends
        )
        return max(seen, key=lambda end: (len(end.persons), end.seconds, end.id), default=None)


def written_of(rows: Rows, conversation: int, calls: Iterable[bytes]) -> dict[bytes, Written]:
    """What was written of these calls in one conversation."""
    sql = (
        "SELECT call, id, person, state, video, persons, seconds FROM call"
        " WHERE conversation = ? AND call IN (??) ORDER BY wall_ms, counter, id"
    )
    found: dict[bytes, Written] = defaultdict(Written)
    started: set[tuple[bytes, PersonId]] = set()
    rows_of = among(rows, sql, calls, (conversation,))
    for call, entry, person, state, video, persons, seconds in rows_of:
        written = found[call]
        if state == _STARTED:
            counts = (call, person) not in started
            started.add((call, person))
            written.starts.append(Start(EntryId(entry), bool(video), counts))
        elif state == _DECLINED:
            written.declined.add(PersonId(person))
        else:
            split = tuple(PersonId(persons[at : at + 32]) for at in range(0, len(persons), 32))
            written.ends.append(End(EntryId(entry), bool(video), split, seconds))
    return dict(found)


@dataclass(slots=True)
class Tape:
    """A recording by one device. `seconds` None: it has no end."""

    person: PersonId
    device: bytes
    began_ms: int
    seconds: int | None = None


def tapes_of(rows: Rows, conversation: int, calls: Iterable[bytes]) -> dict[bytes, list[Tape]]:
    """The recordings of these calls in one conversation, in the order they began.

    An end belongs to the latest beginning before it, of its device, that has none.
    """
    sql = (
        "SELECT call, person, device, state, seconds, wall_ms FROM recorded"
        " WHERE conversation = ? AND call IN (??) ORDER BY wall_ms, counter, id"
    )
    found: dict[bytes, list[Tape]] = defaultdict(list)
    for call, person, device, state, seconds, wall_ms in among(rows, sql, calls, (conversation,)):
        if state == _BEGAN:
            found[call].append(Tape(PersonId(person), device, wall_ms))
            continue
        for tape in reversed(found[call]):
            if tape.device == device and tape.seconds is None:
                tape.seconds = seconds
                break
    return dict(found)


@dataclass(frozen=True, slots=True)
class Card:
    """The start of a call that is shown: what of its record the row of the message tells."""

    call: bytes
    entry: EntryId
    conversation: ConversationId
    author: PersonId
    started_ms: int


class CallRecords:
    """Reads the records of cards in one conversation for the person `me`."""

    def __init__(self, rows: Rows, me: PersonId, key: int, cards: Sequence[Card]) -> None:
        self._me = me
        self._cards = cards
        calls = {card.call for card in cards}
        self._written = written_of(rows, key, calls) if cards else {}
        self._tapes = tapes_of(rows, key, calls) if cards else {}
        self._ends: dict[bytes, End | None] = {}
        self._is_open = False
        if cards:
            seen = self._who_may_see(rows, key)
            direct = "SELECT 1 FROM participant WHERE conversation = ?1 LIMIT 1"
            self._is_open = not rows.all(direct, (key,))
            self._ends = {call: w.best(seen.__contains__) for call, w in self._written.items()}

    def _who_may_see(self, rows: Rows, key: int) -> set[bytes]:
        sql = (
            "SELECT m.person FROM view v JOIN member m ON m.team = v.team"
            " WHERE v.conversation = ?1"
            " UNION SELECT person FROM participant WHERE conversation = ?1"
        )
        return {row[0] for row in rows.all(sql, (key,))}

    def people(self) -> set[PersonId]:
        """Everybody whose name is needed."""
        named = {card.author for card in self._cards}
        named |= {tape.person for tapes in self._tapes.values() for tape in tapes}
        named.update(*(written.declined for written in self._written.values()))
        return named.union(*(end.persons for end in self._ends.values() if end is not None))

    def record(self, card: Card, names: Mapping[PersonId, str]) -> CallRecord:
        """One card as it reads now; this person comes last among those who took part."""
        written, end = self._written.get(card.call), self._ends.get(card.call)
        others = [] if end is None else [p for p in end.persons if p != self._me]
        others.sort(key=lambda person: (person != card.author, names[person].casefold(), person))
        took_part = written is not None and written.was_in(self._me)
        if end is None:
            took_part = card.author == self._me
        mine = (self._me,) if took_part and end is not None else ()
        persons = (*others, *mine)
        seconds = end.seconds if end is not None else 0
        declined = written.declined if written is not None else set()
        starts = written.starts if written is not None else []
        video = any(start.video for start in starts if start.id == card.entry)
        return CallRecord(
            id=CallId(card.call),
            conversation=card.conversation,
            started_by=card.author,
            started_by_name=names[card.author],
            video=video or (end is not None and end.video),
            started_at_ms=card.started_ms,
            ended_at_ms=None if end is None else card.started_ms + seconds * 1000,
            duration_s=seconds,
            participants=persons,
            names=tuple(names[person] for person in persons),
            took_part=took_part,
            is_open=self._is_open,
            declined_by=tuple((p, names[p]) for p in sorted(declined - {self._me})),
            declined=self._me in declined,
            recorded=tuple(
                Recorded(
                    *(tape.person, names[tape.person], tape.began_ms, tape.seconds),
                    is_me=tape.person == self._me,
                )
                for tape in self._tapes.get(card.call, ())
            ),
        )


def states_by(rows: Rows, conversation: ConversationId, call: CallId, device: DeviceId) -> set[int]:
    """What a device has written of a call: its `state` numbers."""
    sql = (
        "SELECT c.state FROM call c JOIN entry e ON e.arrival = c.arrival JOIN log l"
        " ON l.key = e.log JOIN conversation o ON o.key = c.conversation"
        " WHERE c.call = ? AND o.id = ? AND l.device = ?"
    )
    return {row[0] for row in rows.all(sql, (call, conversation, device))}
