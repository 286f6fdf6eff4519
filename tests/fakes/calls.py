"""`node.calls` in memory: does what it is asked at once and tells it, as the real one does.

For states that are hard to reach with real nodes. It has no network: others are what a test says.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.services.call_values import (
    Call,
    CallEnd,
    CallId,
    CallPhase,
    CallRecord,
    MediaChoice,
    MediaDevice,
    MediaDevices,
    Participant,
    ParticipantState,
    PeerStats,
    RecordChoice,
    Recording,
    RecordingNow,
    Share,
    ShareChoice,
    ShareSource,
    ShareSources,
)
from folkmoot.services.events import CallChanged, Event, InkDrawn, RecordingsChanged
from folkmoot.services.frame_slots import MEMORY_BYTES, SlotWriter
from folkmoot.services.media_port import TilePlan

_OWN = ("microphone", "camera", "hand")
ME = DeviceId(b"m" * 32)
DEVICES = MediaDevices(
    (MediaDevice("mic-1", "Built-in microphone", True), MediaDevice("mic-2", "Headset")),
    (MediaDevice("out-1", "Built-in speakers", True), MediaDevice("out-2", "Headset")),
    (MediaDevice("cam-1", "Integrated camera", True), MediaDevice("cam-2", "Document camera")),
)


SOURCES = ShareSources(
    (
        ShareSource("screen-1", "screen", "Screen 1", "", 1920, 1080),
        ShareSource("window-1", "window", "Budget 2027 – Calc", "Calc", 1200, 800),
        ShareSource("window-2", "window", "Notes", "Editor", 800, 600),
    ),
    regions=True,
    sound=True,
)


def call_id(number: int) -> CallId:
    """The id of call `number`."""
    return CallId(bytes([number]) * 32)


def somebody(person: PersonId, name: str, number: int = 1, **changes: Any) -> Participant:
    """A participant who is there with an open microphone; `number` makes the device."""
    made = Participant(
        person,
        DeviceId(bytes([number]) * 32),
        name,
        ParticipantState.CONNECTED,
        microphone=True,
        quality=3,
    )
    return replace(made, **changes)


class FakeCalls:
    """Keeps calls, and what was asked in `asked` (name, arguments)."""

    def __init__(self, publish: Callable[[Event], None], me: PersonId, name: str) -> None:
        self._publish = publish
        self._me, self._name = me, name
        self.calls: dict[CallId, Call] = {}
        self.asked: list[tuple[object, ...]] = []
        self.tiles: tuple[TilePlan, ...] = ()
        self.records: list[CallRecord] = []
        self.kept = MediaChoice()
        self.known = DEVICES
        self.others: tuple[Participant, ...] = ()
        self.fail: UserError | None = None
        self.sources = SOURCES
        self.watching = False
        self.seen: tuple[str, DeviceId | None] = ("", None)
        self._bytes: memoryview | None = None

    # --- what a test does

    def tell(self, call: Call) -> None:
        """The call is so from now on."""
        if call.phase is CallPhase.ENDED:
            self.calls.pop(call.id, None)
        else:
            self.calls[call.id] = call
        self._publish(CallChanged(call))

    def ringing(self, conversation: ConversationId, *others: Participant, **changes: Any) -> Call:
        """Somebody rings."""
        return self.changed(self._make(conversation, CallPhase.RINGING, others), **changes)

    def changed(self, call: Call, **changes: Any) -> Call:
        """The call with these changes; told."""
        made = replace(call, **changes)
        self.tell(made)
        return made

    def me(self, **changes: Any) -> Participant:
        """This person in a call."""
        return somebody(self._me, self._name, is_me=True, device=ME, **changes)

    def paint(self, plan: TilePlan, colour: int) -> None:
        """What the media process does: one picture of one colour."""
        memory = self.memory()
        assert memory is not None
        writer = SlotWriter(memory, plan.slot)
        pixels = writer.begin(plan.width, plan.height)
        pixels[:] = colour.to_bytes(4, "little") * (plan.width * plan.height)
        writer.end(plan.width, plan.height, 0, plan.tag)

    async def load(self) -> None:
        """As the node does at its start."""

    async def aclose(self) -> None:
        """As the node does at its end."""

    def rights_changed(self) -> None:
        """As the node does when a role changes."""

    # --- what the window asks

    def list(self) -> Sequence[Call]:
        return tuple(self.calls.values())

    def get(self, call: CallId) -> Call:
        return self._known(call)

    async def start(
        self, conversation: ConversationId, *, video: bool = False, ring: bool = True
    ) -> Call:
        self._note("start", conversation, video, ring)
        made = self._make(
            conversation,
            CallPhase.CALLING,
            (self.me(camera=video, is_host=True), *self.others),
            started_by=self._me,
            video=video,
            camera=video,
            microphone=True,
            may_control=True,
        )
        self.tell(made)
        return made

    async def ring(self, call: CallId, persons: Sequence[PersonId]) -> None:
        self._note("ring", call, tuple(persons))

    async def join(self, call: CallId, *, video: bool = False, microphone: bool = True) -> Call:
        self._note("join", call, video, microphone)
        known = self._known(call)
        there = tuple(p for p in known.participants if not p.is_me)
        me = self.me(camera=video, microphone=microphone)
        made = replace(
            known,
            phase=CallPhase.JOINED,
            participants=(*there, me),
            microphone=microphone,
            camera=video,
        )
        self.tell(made)
        return made

    async def decline(self, call: CallId, message: str = "") -> None:
        self._note("decline", call, message)
        self.tell(replace(self._known(call), phase=CallPhase.ENDED, end=CallEnd.DECLINED))

    async def leave(self, call: CallId) -> None:
        self._note("leave", call)
        self.tell(replace(self._known(call), phase=CallPhase.ENDED, end=CallEnd.LEFT))

    async def end_for_all(self, call: CallId) -> None:
        self._note("end_for_all", call)
        self.tell(replace(self._known(call), phase=CallPhase.ENDED, end=CallEnd.ENDED_FOR_ALL))

    async def set_microphone(self, call: CallId, on: bool) -> None:
        self._note("set_microphone", on)
        self._mine(call, microphone=on)

    async def set_camera(self, call: CallId, on: bool) -> None:
        self._note("set_camera", on)
        self._mine(call, camera=on)

    async def set_hand(self, call: CallId, on: bool) -> None:
        self._note("set_hand", on)
        self._mine(call, hand=on)

    async def react(self, call: CallId, emoji: str) -> None:
        self._note("react", emoji)

    async def set_volume(self, call: CallId, device: DeviceId, volume: float) -> None:
        self._note("set_volume", device, volume)
        self._change(call, device, volume=volume)

    async def mute_for_me(self, call: CallId, device: DeviceId, on: bool) -> None:
        self._note("mute_for_me", device, on)
        self._change(call, device, muted_for_me=on)

    async def ask_mute(self, call: CallId, person: PersonId) -> None:
        self._note("ask_mute", person)

    async def remove(self, call: CallId, person: PersonId) -> None:
        self._note("remove", person)

    async def lock(self, call: CallId, on: bool) -> None:
        self._note("lock", on)
        self.tell(replace(self._known(call), locked=on))

    def show_tiles(self, tiles: Sequence[TilePlan]) -> None:
        self.tiles = tuple(tiles)

    def memory(self) -> memoryview | None:
        if self._bytes is None:
            self._bytes = memoryview(mmap.mmap(-1, MEMORY_BYTES))
        return self._bytes

    def choice(self) -> MediaChoice:
        return self.kept

    async def set_choice(self, choice: MediaChoice) -> None:
        self._note("set_choice", choice)
        self.kept = choice

    async def devices(self) -> MediaDevices:
        return self.known

    async def check(
        self,
        on: bool,
        *,
        loopback: bool = False,
        test_sound: bool = False,
        camera: bool = False,
    ) -> None:
        self._note("check", on, loopback, test_sound, camera)

    def stats(self, call: CallId) -> tuple[PeerStats, ...]:
        return ()

    async def history(self, limit: int = 50) -> Sequence[CallRecord]:
        return tuple(self.records[:limit])

    async def watch_sources(self, on: bool) -> ShareSources:
        self._note("watch_sources", on)
        self.watching = on
        return self.sources

    async def share(self, call: CallId, choice: ShareChoice) -> None:
        self._note("share", choice)
        name = next((s.name for s in self.sources.rows if s.id == choice.source_id), "")
        place = (0, 0, 400, 300) if choice.kind == "region" else (0, 0, 0, 0)
        self._mine(call, screen=True, screen_paused=False)
        self.tell(replace(self._known(call), share=Share(choice, name, place=place)))

    async def pause_share(self, call: CallId, on: bool) -> None:
        self._note("pause_share", on)
        known = self._known(call)
        assert known.share is not None
        rows = tuple(replace(p, screen_paused=on) if p.is_me else p for p in known.participants)
        # At once: between two events somebody would press what is half told.
        self.tell(replace(known, participants=rows, share=replace(known.share, paused=on)))

    async def stop_share(self, call: CallId) -> None:
        self._note("stop_share")
        self._mine(call, screen=False, screen_paused=False)
        self.tell(replace(self._known(call), share=None))

    async def ink(
        self,
        call: CallId,
        presenter: DeviceId,
        action: str,
        stroke: int = 0,
        places: Sequence[tuple[float, float]] = (),
    ) -> None:
        self._note("ink", presenter, action, stroke, tuple(places))
        self._publish(
            InkDrawn(*(call, presenter, self._me, ME, self._name, action, stroke), tuple(places))
        )

    async def record(self, call: CallId, choice: RecordChoice) -> None:
        self._note("record", choice)
        self._mine(call, records=True)
        now = RecordingNow("r1", f"/recordings/call.{choice.container}")
        self.tell(replace(self._known(call), recording=now))

    async def pause_recording(self, call: CallId, on: bool) -> None:
        self._note("pause_recording", on)
        now = self._known(call).recording
        assert now is not None
        self.tell(replace(self._known(call), recording=replace(now, paused=on)))

    async def stop_recording(self, call: CallId) -> None:
        self._note("stop_recording")
        self._mine(call, records=False)
        self.tell(replace(self._known(call), recording=None))

    def set_seen(self, call: CallId, layout: str, front: DeviceId | None) -> None:
        self.seen = (layout, front)

    # --- inside

    def _note(self, *what: object) -> None:
        self.asked.append(what)
        if self.fail is not None:
            raise self.fail

    def _known(self, call: CallId) -> Call:
        if call not in self.calls:
            raise UserError("not_found", "That call is over.")
        return self.calls[call]

    def _make(
        self,
        conversation: ConversationId,
        phase: CallPhase,
        others: Sequence[Participant],
        **changes: Any,
    ) -> Call:
        starter = others[0].person if others else self._me
        made = Call(
            call_id(len(self.calls) + 1), conversation, phase, False, starter, 0, tuple(others)
        )
        return replace(made, **changes)

    def _mine(self, call: CallId, **changes: Any) -> None:
        known = self._known(call)
        rows = tuple(replace(p, **changes) if p.is_me else p for p in known.participants)
        own = {name: on for name, on in changes.items() if name in _OWN}
        self.tell(replace(known, participants=rows, **own))

    def _change(self, call: CallId, device: DeviceId, **changes: Any) -> None:
        known = self._known(call)
        rows = tuple(replace(p, **changes) if p.device == device else p for p in known.participants)
        self.tell(replace(known, participants=rows))


class FakeRecordings:
    """`node.recordings` in memory."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self.held: list[Recording] = []
        self.kept = "/recordings"
        self.fail: UserError | None = None

    async def list(self) -> Sequence[Recording]:
        return tuple(self.held)

    async def delete(self, id: str) -> None:
        gone = next(one for one in self.held if one.id == id)
        self.held.remove(gone)
        self._publish(RecordingsChanged(gone, gone=True))

    async def folder(self) -> str:
        return self.kept

    async def set_folder(self, path: str) -> None:
        if self.fail is not None:
            raise self.fail
        self.kept = path
