"""Several machines of calls joined by hand: each frame waits until the test lets it arrive."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from builders.writers import seed
from folkmoot.domain.calls import CallId
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import Room

ROOM = ConversationId(seed("conversation"))
OTHER_ROOM = ConversationId(seed("another conversation"))
HIDDEN = ConversationId(seed("hidden"))


@dataclass
class TownRights:
    """Everybody sees `ROOM` and `OTHER_ROOM`, nobody `HIDDEN`."""

    persons: set[PersonId]
    admins: set[PersonId] = field(default_factory=set)
    pair: bool = False

    def may_see(self, conversation: ConversationId, person: PersonId) -> bool:
        return conversation in (ROOM, OTHER_ROOM) and person in self.persons

    def persons_of(self, conversation: ConversationId) -> frozenset[PersonId]:
        return frozenset(self.persons) if conversation != HIDDEN else frozenset()

    def is_admin(self, conversation: ConversationId, person: PersonId) -> bool:
        return person in self.admins

    def is_pair(self, conversation: ConversationId) -> bool:
        return self.pair


class Someone:
    """One device and what its machine wanted done."""

    def __init__(self, name: str, number: int, rights: TownRights) -> None:
        self.person = PersonId(seed("person", name))
        self.device = DeviceId(seed("device", name, number))
        self.dnd = False
        self.machine = Calls(self.person, self.device, rights, lambda: self.dnd)
        self.done: list[fx.Effect] = []

    def room(self) -> Room:
        """The only call."""
        [room] = self.machine.rooms()
        return room

    def of(self, kind: type[fx.Effect]) -> list[fx.Effect]:
        """What was wanted of one kind."""
        return [effect for effect in self.done if isinstance(effect, kind)]


class Town:
    """Devices on links that keep order; ``ann/2`` is a second device of ann."""

    def __init__(self, *names: str, pair: bool = False) -> None:
        self.rights = TownRights(set(), pair=pair)
        self.people: dict[str, Someone] = {}
        self.now = 100.0
        self.wires: dict[tuple[str, str], deque[frames.Frame]] = {}
        for name in names:
            who, _, number = name.partition("/")
            self.people[name] = Someone(who, int(number or 0), self.rights)
            self.rights.persons.add(self.people[name].person)
        for one in names:
            for other in names:
                if one != other:
                    self.wires[one, other] = deque()
                    self._do(one, "link_up", self[other].device, self[other].person)

    def __getitem__(self, name: str) -> Someone:
        return self.people[name]

    def _do(self, name: str, what: str, *given: object, **more: object) -> object:
        machine = self[name].machine
        machine.begin(self.now)
        found: object = machine
        for part in what.split("."):
            found = getattr(found, part)
        try:
            return found(*given, **more)  # type: ignore[operator]
        finally:
            self._perform(name, machine.take())

    def act(self, name: str, what: str, *given: object, **more: object) -> object:
        """An act of the person, as ``join``."""
        return self._do(name, f"acting.{what}", *given, **more)

    def try_act(self, name: str, what: str, *given: object, **more: object) -> str:
        """An act that may be refused; its code then."""
        try:
            self.act(name, what, *given, **more)
        except UserError as error:
            return error.code
        return ""

    def start(self, name: str, call: str, *, ring: bool = True) -> CallId:
        """Start a call in `ROOM`."""
        made = CallId(seed("call", call))
        self.act(name, "start", made, ROOM, video=False, ring=ring, wall_ms=1)
        return made

    def hear(self, name: str, speaker: str, frame: frames.Frame) -> None:
        """A frame arrives."""
        self._do(name, "take_frame", self[speaker].device, frame)

    def _perform(self, name: str, effects: list[fx.Effect]) -> None:
        for effect in effects:
            self[name].done.append(effect)
            if isinstance(effect, fx.Announce):
                for one, other in self.wires:
                    if one == name:
                        self.wires[one, other].append(effect.frame)
            elif isinstance(effect, fx.Send):
                for other, someone in self.people.items():
                    if someone.device == effect.device and (name, other) in self.wires:
                        self.wires[name, other].append(effect.frame)

    def flow(self, chance: random.Random | None = None) -> None:
        """Let every frame arrive; with `chance` in any order of the wires."""
        while busy := [wire for wire, frames in self.wires.items() if frames]:
            one, other = chance.choice(busy) if chance else busy[0]
            self.hear(other, one, self.wires[one, other].popleft())

    def arrive_one(self, chance: random.Random) -> None:
        """Let one frame arrive, if there is one."""
        if busy := [wire for wire, frames in self.wires.items() if frames]:
            one, other = chance.choice(busy)
            self.hear(other, one, self.wires[one, other].popleft())

    def path(self, name: str, other: str, state: str = "flowing") -> None:
        """Media of `other` at `name`."""
        leg = self[name].room().legs[self[other].device]
        self._do(name, "path", self[other].device, leg.connection, state)

    def pass_time(self, seconds: float, step_s: float = 0.25) -> None:
        """Time passes; what is said arrives."""
        end = self.now + seconds
        while self.now < end:
            self.now += step_s
            for name in self.people:
                self._do(name, "tick")
            self.flow()

    def cut(self, one: str, other: str) -> None:
        """The link between two is lost."""
        for left, right in ((one, other), (other, one)):
            self.wires[left, right].clear()
            del self.wires[left, right]
            self._do(left, "link_down", self[right].device)

    def joined(self) -> dict[str, tuple[bytes, frozenset[DeviceId]] | None]:
        """For each the call it is in and those it sees there, itself included."""
        seen: dict[str, tuple[bytes, frozenset[DeviceId]] | None] = {}
        for name, someone in self.people.items():
            room = someone.machine.own_room()
            if room is None:
                seen[name] = None
            else:
                there = {stand.device for stand in room.present()} | {someone.device}
                seen[name] = (room.id, frozenset(there))
        return seen
