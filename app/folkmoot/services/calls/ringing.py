"""Which sound a call makes by itself: somebody rings, is rung, comes, goes; it ends.

During a call another one knocks softly. Refuses a sound for what the person does not hear about:
with do-not-disturb or while a screen is shared nothing rings, who was there already does not come,
and several who come at once are one sound.
"""

from __future__ import annotations

from collections.abc import Callable

from folkmoot.domain.calls import CallPhase
from folkmoot.domain.ids import PersonId
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import Room
from folkmoot.services.calls.choice import Sounds


class Ringing:
    """`sounds` is asked whenever something may have changed."""

    def __init__(self, me: PersonId, machine: Calls, is_quiet: Callable[[], bool]) -> None:
        self._me = me
        self._machine = machine
        self._is_quiet = is_quiet
        self._call: bytes | None = None
        self._company: frozenset[PersonId] = frozenset()
        self._cue = ""
        self._cues = 0

    def sounds(self, rings: bool) -> Sounds:
        """The sounds now; `rings`: this person wants to hear rings."""
        room = self._machine.own_room()
        self._notice(room)
        return Sounds(self._tone(room, rings), self._cue, self._cues)

    def _tone(self, room: Room | None, rings: bool) -> str:
        if room is not None and room.phase() is CallPhase.CALLING:
            linked = any(self._machine.is_linked(person) for person in room.waits_for())
            return "ringback" if linked else ""
        rung = any(each.rings_here and each.present() for each in self._machine.rooms())
        if not rung or not rings or self._is_quiet():
            return ""
        if room is None:
            return "ring"
        # Who shows their screen is not to be disturbed, and those who hear them neither.
        return "" if room.own is not None and room.own.screen else "waiting"

    def _notice(self, room: Room | None) -> None:
        """Who came or went since the last time."""
        before, had = self._call, self._company
        self._call = None if room is None else room.id
        self._company = frozenset(
            stand.person for stand in (() if room is None else room.present())
        ) - {self._me}
        if before is None:
            return
        if before != self._call:
            self._say("ended")
        elif self._company - had:
            self._say("joined")
        elif had - self._company:
            self._say("left")

    def _say(self, cue: str) -> None:
        self._cue = cue
        self._cues += 1
