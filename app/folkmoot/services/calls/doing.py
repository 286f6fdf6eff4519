"""Does what the machine of calls wants: frames on links, commands, events, lines of the log.

Owns the order in which the log is written. Refuses a word about a call to whoever may not see its
conversation.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import Room
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallId, MediaChoice, Recording
from folkmoot.services.calls.journal import CallJournal
from folkmoot.services.calls.media import MediaSupervisor
from folkmoot.services.calls.picture import Picture
from folkmoot.services.calls.ways import Ways
from folkmoot.services.events import CallChanged, CallNotice, CallReaction, EventBus
from folkmoot.services.links import Links
from folkmoot.services.media_port import MediaLauncher
from folkmoot.services.messages import MessagesService
from folkmoot.services.ports import Clock, Randomness, Store
from folkmoot.services.presence import PresenceService
from folkmoot.services.recordings import RecordingsService
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.signaling_port import ServerState
from folkmoot.services.supervisor import Supervisor

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallSurroundings:
    """The parts of the node that calls work on. `choice` overrides what is kept in settings."""

    me: PersonId
    device: DeviceId
    links: Links
    ways: Ways
    registry: TeamRegistry
    presence: PresenceService
    messages: MessagesService
    store: Store
    clock: Clock
    randomness: Randomness
    events: EventBus
    supervisor: Supervisor
    journal: CallJournal
    launcher: MediaLauncher | None
    recordings: RecordingsService
    servers: Callable[[], Iterable[ServerState]]
    choice: MediaChoice | None = None


class Doing:
    """Carries out effects, in order."""

    def __init__(
        self,
        around: CallSurroundings,
        machine: Calls,
        picture: Picture,
        media: MediaSupervisor,
        inked: Callable[[fx.Inked], None],
        connecting: Callable[[DeviceId], None],
    ) -> None:
        """`inked` is told who points at or draws on what is shared, `connecting` before each new
        connection."""
        self._around = around
        self._machine = machine
        self._picture = picture
        self._media = media
        self._inked = inked
        self._connecting = connecting
        self._writing = asyncio.Lock()
        self._writes: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Wait until the log is written."""
        if self._writes:
            await asyncio.wait(tuple(self._writes))

    def do(self, effect: fx.Effect) -> None:
        """Do what the machine wants."""
        match effect:
            case fx.Announce(conversation, frame):
                for link in self._around.links.members():
                    if self._around.registry.may_see(conversation, link.person):
                        link.send(frame)
            case fx.Send(device, frame):
                found = self._around.links.get(device)
                if found is not None:
                    found.send(frame)
            case fx.Connect(device, connection, offers):
                self._connecting(device)
                self._media.send(port.Connect(device, connection, offers))
            case fx.Describe(device, connection, kind, sdp):
                self._media.send(port.Describe(device, connection, kind, sdp))
            case fx.Disconnect(device):
                self._media.send(port.Disconnect(device))
            case fx.Redial(device):
                self._around.ways.silent(device)
            case fx.Changed(room):
                self.tell(room)
            case fx.Reacted(room, person, emoji):
                self._around.events.publish(CallReaction(room.id, person, emoji))
            case fx.Told(room, code, person):
                self._around.events.publish(self._notice(room, code, person))
            case fx.Inked():
                self._inked(effect)
            case fx.Started() | fx.Declined() | fx.Finished():
                self._start_writing(self._write(effect))

    def log_recording(self, room: Room, seconds: float | None) -> None:
        """Write down that a recording of ours began, or ended after `seconds`."""
        call = CallId(room.id)
        self._start_writing(self._write_recording(call, room.conversation, seconds))

    async def log_end(self, held: Recording) -> None:
        """Write down that a recording of ours ended."""
        await self._write_recording(held.call, held.conversation, held.duration_s)

    def _start_writing(self, work: Coroutine[Any, Any, None]) -> None:
        write = self._around.supervisor.start("call log", work)
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    def tell(self, room: Room) -> None:
        """Tell the window of a room; one that is about to merge into another is not shown."""
        hidden = not room.over and all(one is not room for one in self._machine.rooms())
        if not hidden:
            self._around.events.publish(CallChanged(self._picture.of(room)))

    def _notice(self, room: Room, code: str, person: PersonId) -> CallNotice:
        if code == "full":
            return CallNotice("full", "This call is full: 25 computers are in it.")
        name = self._picture.name_of(room, person)
        return CallNotice(
            "mute_asked",
            f"{name} switched your microphone off.",
            "You can switch it on again when you want to speak.",
        )

    async def _write(self, effect: fx.Started | fx.Declined | fx.Finished) -> None:
        room, journal = effect.room, self._around.journal
        async with self._writing:
            if isinstance(effect, fx.Started):
                await journal.started(room.id, room.conversation, room.video)
            elif isinstance(effect, fx.Declined):
                await journal.declined(room.id, room.conversation, room.video)
            else:
                await journal.ended(
                    room.id, room.conversation, room.video, effect.persons, effect.seconds
                )

    async def _write_recording(
        self, call: CallId, conversation: ConversationId, seconds: float | None
    ) -> None:
        async with self._writing:
            try:
                await self._around.journal.recorded(call, conversation, seconds)
            except UserError as error:  # in a channel where this person may only read
                _log.info("a recording is not in the log of its conversation: %s", error)
