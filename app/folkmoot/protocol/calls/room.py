"""One call as this device knows it: who is in it, what we are in it, and our connections there.

Owns the values and what follows from them alone. Refuses rules that need a second room or a frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from folkmoot.domain.calls import CallEnd, CallId, CallPhase, ParticipantState
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames

RING_S = 45.0
MAX_PARTICIPANTS = 25
FIRST_TRY_S = 5.0
"""How long a first connection may take; later ones are tried sooner, side by side."""
JOINED, LEFT, DECLINED, BUSY = "joined", "left", "declined", "busy"
STATES = frozenset((JOINED, LEFT, DECLINED, BUSY))
INK_BURST, INK_PER_S = 60.0, 40.0


class Rights(Protocol):
    """What the machine asks about persons; answered anew each time."""

    def may_see(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether the person may know of calls there."""
        ...

    def persons_of(self, conversation: ConversationId) -> frozenset[PersonId]:
        """Everybody who may see the conversation."""
        ...

    def is_admin(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether the person is an admin or owner of the team there."""
        ...

    def is_pair(self, conversation: ConversationId) -> bool:
        """Whether it is a direct conversation of two persons."""
        ...


class Budget:
    """So many at once, and so many a second after that."""

    def __init__(self, burst: float, per_s: float) -> None:
        self._burst, self._per_s = burst, per_s
        self._left, self._at = burst, 0.0

    def take(self, now: float) -> bool:
        """Whether there is one left; takes it."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class InkBudget:
    """How much one device may point and draw. What ends a pointer, or clears, has its own share:
    it must not be lost behind a fast stroke."""

    def __init__(self) -> None:
        self._drawn, self._ended = Budget(INK_BURST, INK_PER_S), Budget(10, 5)

    def take(self, action: str, now: float) -> bool:
        """Whether one more may pass."""
        return (self._ended if action in ("gone", "clear") else self._drawn).take(now)


@dataclass(slots=True)
class Stand:
    """How another device stands in a call, by its own word. `down_at`: since when not linked."""

    device: DeviceId
    person: PersonId
    state: str
    since: float
    said_at: float
    flags: int = 0
    rings: frozenset[PersonId] = frozenset()
    down_at: float | None = None
    reactions: Budget = field(default_factory=lambda: Budget(5, 2))
    ink: InkBudget = field(default_factory=lambda: InkBudget())

    def shows(self, flag: int) -> bool:
        """Whether a bit ``CALL_…`` is set and counts: only that of who is in the call does."""
        return self.state == JOINED and bool(self.flags & flag)


@dataclass(slots=True)
class Leg:
    """Our media connections to one device of our call, the newest of number `connection`."""

    device: DeviceId
    offers: bool
    connection: int = 0
    alive: set[int] = field(default_factory=set)
    was_alive: bool = False
    answered: bool = False
    moved: bool = False
    """An address of ours is gone and no newer connection flows: what flows may stop."""
    tried_at: float = 0.0
    good_at: float | None = None
    silent_at: float = 0.0
    wait_s: float = FIRST_TRY_S
    """After `tried_at`, until it is tried again."""
    backoff_s: float = 1.0
    taken: Budget = field(default_factory=lambda: Budget(4, 1))

    @property
    def state(self) -> ParticipantState:
        """Connected, not yet, or not any more."""
        if self.alive:
            return ParticipantState.CONNECTED
        return ParticipantState.RECONNECTING if self.was_alive else ParticipantState.CONNECTING


@dataclass(slots=True)
class Own:
    """How this device stands in a call. `rings` are those whom it rings until `ring_until`."""

    state: str
    since: float
    microphone: bool = False
    camera: bool = False
    hand: bool = False
    screen: bool = False
    paused: bool = False
    """What is shared of the screen stands still."""
    recording: bool = False
    rings: tuple[PersonId, ...] = ()
    ring_until: float = 0.0
    company: bool = False
    """Somebody else was in it meanwhile."""
    linked_once: bool = False
    """Of those who are rung somebody was linked."""
    repeats: int = 0
    say_at: float = 0.0


@dataclass(slots=True)
class Room:
    """A call. `others` has devices that said anything but ``left``."""

    id: CallId
    conversation: ConversationId
    video: bool
    started_by: PersonId
    started_ms: int
    others: dict[DeviceId, Stand] = field(default_factory=dict)
    own: Own | None = None
    legs: dict[DeviceId, Leg] = field(default_factory=dict)
    end: CallEnd | None = None
    over: bool = False
    rung_at: float | None = None
    ring_over: bool = False
    started_here: bool = False
    logged: bool = False
    """`started` was asked to be written."""
    took_part: bool = False
    left_at: float | None = None
    left_by_word: bool = False
    """Who went last said so."""
    talk_since: float | None = None
    """Since when somebody else was heard or seen here."""
    others_since: float | None = None
    """Since when two others were in it: they may have talked before we heard them, if ever."""
    persons: set[PersonId] = field(default_factory=set)
    locked: bool = False
    removed: set[PersonId] = field(default_factory=set)
    refused: set[DeviceId] = field(default_factory=set)
    my_acts: set[PersonId] = field(default_factory=set)
    """Whom we removed: told again to those who come later."""

    @property
    def joined(self) -> bool:
        """Whether this device is in it."""
        return self.own is not None and self.own.state == JOINED

    @property
    def rings_here(self) -> bool:
        """Whether it rings on this device."""
        return self.rung_at is not None and not self.ring_over and self.own is None

    def present(self) -> list[Stand]:
        """The other devices that are in it, by id."""
        there = [stand for stand in self.others.values() if stand.state == JOINED]
        return sorted(there, key=lambda stand: stand.device)

    def stands_of(self, person: PersonId) -> Iterator[Stand]:
        """What the other devices of a person say."""
        return (stand for stand in self.others.values() if stand.person == person)

    def answer_of(self, person: PersonId) -> str:
        """What a person who is rung answered: ``joined``, ``declined``, ``busy`` or nothing."""
        said = {stand.state for stand in self.stands_of(person)}
        return next((state for state in (JOINED, DECLINED, BUSY) if state in said), "")

    def waits_for(self) -> list[PersonId]:
        """Those whom this device still rings."""
        if self.own is None or not self.joined:
            return []
        return [person for person in self.own.rings if not self.answer_of(person)]

    def shares(self, device: DeviceId) -> bool:
        """Whether another device shares its screen here."""
        stand = self.others.get(device)
        return stand is not None and stand.shows(frames.CALL_SCREEN)

    def is_full(self) -> bool:
        """Whether nobody else fits."""
        return len(self.present()) + self.joined >= MAX_PARTICIPANTS

    def phase(self) -> CallPhase:
        """Where this person stands with it."""
        if self.over:
            return CallPhase.ENDED
        if self.own is not None and self.joined:
            alone = not self.present() and not self.own.company
            return CallPhase.CALLING if alone and self.own.rings else CallPhase.JOINED
        return CallPhase.RINGING if self.rings_here else CallPhase.RUNNING
