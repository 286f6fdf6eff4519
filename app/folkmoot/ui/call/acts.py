"""What this person does in the call they are in, asked of the node. Shows nothing by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services.call_values import CallId, MediaChoice, Participant
from folkmoot.ui.call.line import Line
from folkmoot.ui.facade import Calls

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room


class Acts(QObject):
    """The acts of one room."""

    def __init__(self, room: Room, line: Line) -> None:
        super().__init__(room)
        self._room = room
        self._line = line

    def toggle_microphone(self) -> None:
        """Mute, or switch on."""
        self._set_microphone(not self._room.call.microphone)

    def talk(self, on: bool) -> None:
        """Push to talk: held, or let go. What is shown may be a word behind: it decides nothing."""
        self._set_microphone(on)

    def _set_microphone(self, on: bool) -> None:
        """Shown at once; the node's word follows."""
        room = self._room
        id_ = room.call.id

        def failed(error: FolkmootError) -> None:
            if not room.is_over:
                room.show_call(replace(room.call, microphone=not on))
            room.say_problem(error)

        self._line.do(lambda calls: calls.set_microphone(id_, on), failed=failed)
        room.show_call(replace(room.call, microphone=on))

    def toggle_camera(self) -> None:
        """Camera on or off."""
        on = not self._room.call.camera
        self._do(lambda calls, id_: calls.set_camera(id_, on))

    def toggle_hand(self) -> None:
        """Raise or lower the hand."""
        up = not self._room.call.hand
        self._do(lambda calls, id_: calls.set_hand(id_, up))

    def react(self, emoji: str) -> None:
        """Show everybody an emoji."""
        self._do(lambda calls, id_: calls.react(id_, emoji))

    def leave(self) -> None:
        """Hang up: the windows go at once, whatever the network does."""
        room, id_ = self._room, self._room.call.id
        room.hide()

        def failed(error: FolkmootError) -> None:
            room.show()
            room.say_problem(error)

        self._line.do(lambda calls: calls.leave(id_), failed=failed)

    def act(self, act: str, who: Participant | None = None, on: bool = True) -> None:
        """Something for the host, or for oneself about somebody."""
        person = who.person if who is not None else PersonId(b"")
        device = who.device if who is not None else DeviceId(b"")
        acts: dict[str, Callable[[Calls, CallId], Awaitable[object]]] = {
            "ask_mute": lambda c, i: c.ask_mute(i, person),
            "remove": lambda c, i: c.remove(i, person),
            "lock": lambda c, i: c.lock(i, on),
            "end": lambda c, i: c.end_for_all(i),
            "mute_for_me": lambda c, i: c.mute_for_me(i, device, on),
        }
        self._do(acts[act])

    def ring(self, person: bytes) -> None:
        """Ring somebody who is not in the call."""
        self._do(lambda calls, id_: calls.ring(id_, (PersonId(person),)))

    def set_volume(self, who: Participant, volume: float) -> None:
        """How loud somebody is here."""
        self._do(lambda calls, id_: calls.set_volume(id_, who.device, volume))

    def choose(self, choice: MediaChoice) -> None:
        """Other devices or options from now on."""
        self._room.take_choice(choice)
        self._line.do(lambda calls: calls.set_choice(choice), failed=self._room.say_problem)

    def _do(self, act: Callable[[Calls, CallId], Awaitable[object]]) -> None:
        id_ = self._room.call.id
        self._line.do(lambda calls: act(calls, id_), failed=self._room.say_problem)
