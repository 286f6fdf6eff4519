"""The recording that this person makes of a call.

Owns the order of a beginning: first everybody in the call is told, and only when the computer of
each of them has answered that it took the word, the media process is told to record. Refuses to
record somebody who cannot be told. A recording ends with the call; where the media process dies it
goes on in a second file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.calls.room import Room
from folkmoot.services import media_port as port
from folkmoot.services.call_values import (
    Call,
    CallId,
    RecordChoice,
    Recording,
    RecordingNow,
)
from folkmoot.services.calls.chapters import Chapters
from folkmoot.services.calls.inside import Inside
from folkmoot.services.calls.record_layout import LAYOUTS, Seen, places_of, size_of
from folkmoot.services.calls.record_names import file_stem
from folkmoot.services.calls.tape import Tape
from folkmoot.services.calls.telling import Telling
from folkmoot.services.events import CallNotice, Event, MessageCreated
from folkmoot.services.ports import Clock, Randomness
from folkmoot.services.recordings import BROKEN_OFF, DONE, RUNS, RecordingsService
from folkmoot.services.supervisor import Supervisor

CONTAINERS = ("mkv", "mp4")
MIN_HEIGHT, MAX_HEIGHT = 180, 1080
WRITE_EVERY_S = 2.0
END_S = 5.0
"""After it was told to stop, the media process has so long to say that the file is finished."""
CLOSE_S = 1.0
"""The same when the program ends."""
_STOPPED = "The recording ended."

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordingSurroundings:
    """`log`: writes into the log of the conversation that a recording began (None) or how many
    seconds it had at its end. `title`: the name of the conversation of a room."""

    recordings: RecordingsService
    telling: Telling
    title: Callable[[Room], Awaitable[str]]
    clock: Clock
    randomness: Randomness
    supervisor: Supervisor
    log: Callable[[Room, float | None], None]


class CallRecorder:
    """At most one recording at a time; those before may still be finishing."""

    def __init__(self, inside: Inside, around: RecordingSurroundings) -> None:
        self._inside = inside
        self._around = around
        self._tapes: dict[str, Tape] = {}
        self._rooms: dict[str, Room] = {}
        self._tape: Tape | None = None
        self._begins: CallId | None = None
        self._goes_on: tuple[CallId, RecordChoice, bool] | None = None
        """The media process died: what to record when the next one is there, and whether it was
        paused."""
        self._seen: dict[CallId, Seen] = {}
        self._writes = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        inside.events.listen(self._heard)

    # --- what the person does ----------------------------------------------------------------

    async def record(self, call: CallId, choice: RecordChoice, *, paused: bool = False) -> None:
        """Begin, also with a pause. Raises ``not_in_call``, ``already``, ``bad_choice``,
        ``bad_folder``, ``no_space``, ``not_told``, ``no_media``."""
        check_record(choice)
        room = self._inside.machine.acting.joined(call)
        if self._tape or self._begins or self._goes_on:
            raise UserError("already", "This call is being recorded already.")
        self._inside.media.check()
        self._begins = call
        try:
            await self._begin(room, choice, paused)
        finally:
            self._begins = None
            if self._tape is None:
                self._lower_flag(call)

    async def _begin(self, room: Room, choice: RecordChoice, paused: bool) -> None:
        """Tell everybody, then record."""
        call, started_ms = CallId(room.id), self._around.clock.wall_ms()
        stem = file_stem(await self._around.title(room), self._stamp(started_ms))
        path = await self._around.recordings.new_path(stem, choice.container)
        self._inside.machine.acting.joined(call)
        with self._inside.input():
            self._inside.machine.acting.set_flag(call, "recording", True)
        await self._around.telling.everybody(room)
        self._still_wanted(call)
        tape = self._new_tape(room, choice, path, started_ms)
        tape.paused = paused
        # Kept before there is a file: whatever dies from now on leaves a trace of it.
        await self._around.recordings.keep(tape.held)
        try:
            self._still_wanted(call)
        except UserError:
            await self._around.recordings.forget(tape.held)
            raise
        self._start(tape, room)

    def _new_tape(self, room: Room, choice: RecordChoice, path: str, started_ms: int) -> Tape:
        now = self._inside.picture.of(room)
        chapters = Chapters(now)
        held = Recording(
            id=self._around.randomness.bytes(16).hex(),
            call=CallId(room.id),
            conversation=room.conversation,
            path=path,
            started_at_ms=started_ms,
            duration_s=0.0,
            size_bytes=0,
            names=tuple(chapters.persons.values()),
            participants=tuple(chapters.persons),
            chapters=chapters.rows,
            state=RUNS,
        )
        return Tape(held, choice, chapters)

    def _start(self, tape: Tape, room: Room) -> None:
        """Have the media process record, and write it down."""
        path, choice = tape.held.path, tape.choice
        width, height = size_of(choice.height)
        call = self._inside.picture.of(room)
        tape.places = places_of(call, self._seen_of(tape.held.call), width, height)
        tape.told_at = asyncio.get_running_loop().time()
        self._tape = self._tapes[path] = tape
        self._rooms[path] = room
        self._quiet.clear()
        self._inside.picture.facts.recording = RecordingNow(tape.held.id, path, paused=tape.paused)
        self._inside.media.need("recording", True)
        self._inside.media.send(
            port.Record(
                port.RecordPlan(
                    *(path, width, height),
                    tracks=choice.tracks,
                    places=tape.places,
                    paused=tape.paused,
                )
            )
        )
        self._around.log(room, None)
        self._inside.tell(room)

    def _still_wanted(self, call: CallId) -> None:
        """Raises ``not_in_call`` or ``stopped``: everything may have happened meanwhile."""
        room = self._inside.machine.acting.joined(call)
        if room.own is None or not room.own.recording:
            raise UserError("stopped", "The recording was stopped before it began.")

    def _stamp(self, wall_ms: int) -> str:
        return self._around.recordings.files.stamp(wall_ms)

    async def pause(self, call: CallId, on: bool) -> None:
        """Record nothing for a while, or go on; raises ``not_in_call``, ``not_recording``."""
        self._inside.machine.acting.joined(call)
        tape = self._tape
        if tape is None:
            raise UserError("not_recording", "You record nothing now.")
        if tape.paused == on:
            return
        now = asyncio.get_running_loop().time()
        tape.held = replace(tape.held, duration_s=tape.seconds(now))
        tape.told_at, tape.paused = now, on
        if on:
            tape.chapters.paused(tape.held.duration_s)
        self._inside.media.send(port.SetRecording(tape.places, on))
        self._show(tape)
        self._write(tape)

    async def stop(self, call: CallId) -> None:
        """End it; it is in the list as finished a moment later. Raises ``not_in_call``."""
        self._inside.machine.acting.joined(call)
        self._goes_on = None
        if self._tape is not None:
            self._finish(self._tape)
        self._lower_flag(call)

    def set_seen(self, call: CallId, layout: str, front: DeviceId | None) -> None:
        """What is on the screen now; a layout that is not known is a grid."""
        self._seen = {call: Seen(layout if layout in LAYOUTS else LAYOUTS[0], front)}
        self.follow(self._inside.machine.own_room())

    def _seen_of(self, call: CallId) -> Seen:
        return self._seen.get(call, Seen())

    # --- the call goes on --------------------------------------------------------------------

    def follow(self, own: Room | None) -> None:
        """The machine moved, or media told something: places, chapters, or the end of it."""
        if self._goes_on is not None and not _records(own, self._goes_on[0]):
            self._goes_on = None
        tape = self._tape
        if tape is None:
            return
        if own is None or not _records(own, tape.held.call):
            self._finish(tape)
            return
        call = self._inside.picture.of(own)
        before = tape.chapters.rows
        tape.chapters.follow(call, tape.seconds(asyncio.get_running_loop().time()))
        if tape.chapters.rows != before:
            self._write(tape)
        self._lay_out(tape, call)

    def _lay_out(self, tape: Tape, call: Call) -> None:
        width, height = size_of(tape.choice.height)
        places = places_of(call, self._seen_of(tape.held.call), width, height)
        if places != tape.places:
            tape.places = places
            self._inside.media.send(port.SetRecording(places, tape.paused))

    def _heard(self, event: Event) -> None:
        """A message in the conversation of the call is a chapter."""
        tape = self._tape
        if tape is None or tape.paused or not isinstance(event, MessageCreated):
            return
        message = event.message
        if message.conversation == tape.held.conversation and message.text:
            at_s = tape.seconds(asyncio.get_running_loop().time())
            tape.chapters.said(message.author_name, message.text, at_s)
            self._write(tape)

    def _show(self, tape: Tape) -> None:
        """Tell the window of the recording that is made now."""
        room = self._inside.machine.own_room()
        if tape is self._tape and room is not None:
            held = tape.held
            self._inside.picture.facts.recording = RecordingNow(
                held.id, held.path, held.duration_s, held.size_bytes, tape.paused
            )
            self._inside.tell(room)

    # --- from the media process --------------------------------------------------------------

    def take(self, report: port.RecordingChanged) -> None:
        """How a file is."""
        tape = self._tapes.get(report.path)
        if tape is None:
            return
        now = asyncio.get_running_loop().time()
        if not (report.state == "ended" and report.seconds == 0):
            tape.held = replace(tape.held, duration_s=report.seconds, size_bytes=report.size_bytes)
        tape.told_at = now
        if report.state != "ended":
            self._show(tape)
            if now - tape.written_at >= WRITE_EVERY_S:
                self._write(tape)
            return
        by_itself = tape is self._tape
        self._close(tape, BROKEN_OFF if report.code == "failed" else DONE)
        if report.code and by_itself:
            self._inside.events.publish(_notice(report.code, report.words))

    def lost(self) -> None:
        """The media process is gone, and every file with it: each plays up to there."""
        current = self._tape
        for tape in tuple(self._tapes.values()):
            self._close(tape, BROKEN_OFF, keeps_flag=tape is current)
        room = self._inside.machine.own_room()
        if current is not None and _records(room, current.held.call):
            self._goes_on = (current.held.call, current.choice, current.paused)

    def restarted(self) -> None:
        """A media process is there again: what broke off goes on in a new file."""
        if self._goes_on is not None:
            self._around.supervisor.start("recording goes on", self._go_on(*self._goes_on))

    async def _go_on(self, call: CallId, choice: RecordChoice, paused: bool) -> None:
        self._goes_on = None
        try:
            await self.record(call, choice, paused=paused)
        except (UserError, EnvironmentFault) as error:
            self._inside.events.publish(CallNotice("recording", _STOPPED, str(error)))
            return
        words = "The recording broke off and goes on in a second file."
        self._inside.events.publish(CallNotice("recording", words))

    # --- ends --------------------------------------------------------------------------------

    def _finish(self, tape: Tape) -> None:
        """Have the file finished; it is told when that is done."""
        self._leave(tape)
        self._inside.media.send(port.StopRecording())
        self._around.supervisor.start("recording ends", self._close_late(tape))

    async def _close_late(self, tape: Tape) -> None:
        await asyncio.sleep(END_S)
        if self._tapes.get(tape.held.path) is tape:
            _log.warning("the media process does not say that the recording is finished")
            self._close(tape, BROKEN_OFF)

    def _leave(self, tape: Tape) -> None:
        """It is not the one that is made now."""
        if self._tape is tape:
            self._tape = self._inside.picture.facts.recording = None

    def _close(self, tape: Tape, state: str, *, keeps_flag: bool = False) -> None:
        """The file is finished, or broken off."""
        was_current = tape is self._tape
        self._leave(tape)
        del self._tapes[tape.held.path]
        room = self._rooms.pop(tape.held.path)
        tape.held = replace(tape.held, state=state)
        self._write(tape)
        self._around.log(room, tape.held.duration_s)
        if not self._tapes:
            self._inside.media.need("recording", False)
        if was_current and not keeps_flag:
            self._lower_flag(tape.held.call)

    def _lower_flag(self, call: CallId) -> None:
        room = self._inside.machine.own_room()
        if room is not None and room.id == call:
            with self._inside.input():
                self._inside.machine.acting.set_flag(call, "recording", False)
            self._inside.tell(room)

    # --- what is kept ------------------------------------------------------------------------

    def _write(self, tape: Tape) -> None:
        """Keep how it is now; what changes meanwhile is written after that."""
        tape.written_at = asyncio.get_running_loop().time()
        if not tape.writes:
            tape.writes = True
            self._writes += 1
            self._quiet.clear()
            self._around.supervisor.start("recording is kept", self._write_on(tape))

    async def _write_on(self, tape: Tape) -> None:
        written: Recording | None = None
        try:
            while written != (now := tape.as_kept()):
                await self._around.recordings.keep(now)
                written = now
        except EnvironmentFault as fault:
            _log.error("a recording cannot be kept in the list: %s", fault)
        finally:
            tape.writes = False
            self._writes -= 1
            if not self._tapes and not self._writes:
                self._quiet.set()

    async def aclose(self) -> None:
        """Wait a moment until every file is finished and kept."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._quiet.wait()
        except TimeoutError:
            for tape in tuple(self._tapes.values()):
                self._close(tape, BROKEN_OFF)
                await self._around.recordings.keep(tape.as_kept())


def check_record(choice: RecordChoice) -> None:
    """Raises `UserError` ``bad_choice``."""
    if choice.container not in CONTAINERS:
        raise UserError("bad_choice", "A recording is a file of the kind “mkv” or “mp4”.")
    if choice.tracks and choice.container != "mkv":  # only there can a track be added later
        raise UserError("bad_choice", "One track for each person needs a file of the kind “mkv”.")
    if not MIN_HEIGHT <= choice.height <= MAX_HEIGHT:
        raise UserError(
            "bad_choice", f"The height of a recording is {MIN_HEIGHT} to {MAX_HEIGHT} pixels."
        )


def _records(room: Room | None, call: CallId) -> bool:
    return room is not None and room.id == call and room.own is not None and room.own.recording


def _notice(code: str, words: str) -> CallNotice:
    if code == "full":
        hint = "What was recorded is kept and plays. Free some space to record again."
        return CallNotice("recording", words or "The recording ended: the disk is full.", hint)
    return CallNotice("recording", words or _STOPPED, "What was recorded up to there is kept.")
