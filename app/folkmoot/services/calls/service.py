"""Calls of this person on this computer: what the window and the API do with them.

`node.calls`: each act is an input to the machine that `engine` runs. Refuses, in words, what cannot
be done; and never opens a microphone or a camera before this person joined a call or began a check.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.domain.names import clean_emoji
from folkmoot.protocol.calls.room import Room
from folkmoot.services.call_values import (
    Call,
    CallId,
    CallRecord,
    MediaChoice,
    MediaDevices,
    PeerStats,
    RecordChoice,
    Recording,
    RelayCheck,
    ShareChoice,
    ShareSources,
)
from folkmoot.services.calls.bots import Bot
from folkmoot.services.calls.choice import Check
from folkmoot.services.calls.doing import CallSurroundings
from folkmoot.services.calls.engine import Engine
from folkmoot.services.media_port import TilePlan


class CallsService:
    """`node.calls`. A call is named by its id; acts raise `UserError` ``not_found``,
    ``not_in_call``, ``forbidden``, ``no_media``."""

    def __init__(self, around: CallSurroundings) -> None:
        self._around = around
        self._engine = Engine(around)

    async def load(self, broken_off: Sequence[Recording] = ()) -> None:
        """Take up what was chosen before. Recordings that broke off get their end in the log of
        their calls: others may be in them still."""
        await self._engine.devices.load()
        for one in broken_off:
            await self._engine.doing.log_end(one)

    async def aclose(self) -> None:
        """Leave, and end the media process."""
        await self._engine.aclose()

    def bot(self) -> Bot:
        """What acts in calls without a person."""
        return Bot(self, self._around.events, self._around.supervisor)

    def answer_all(self) -> Callable[[], None]:
        """Join every call that rings, for bots; what it returns ends that."""
        return self.bot().answer_all(video=self._engine.devices.choice.camera != "none")

    def expect_share(self, choice: ShareChoice) -> None:
        """`choice` will be shared in each call."""
        self._engine.sharing.expect(choice)

    def rights_changed(self) -> None:
        """Members or channels changed: some may not know of a call any more."""
        with self._engine.input():
            self._engine.machine.rights_changed()

    # --- what is there -----------------------------------------------------------------------

    def list(self) -> list[Call]:
        """Every call that is on, of all conversations."""
        return [self._engine.picture.of(room) for room in self._engine.machine.rooms()]

    def get(self, id: CallId) -> Call:
        """One call; `UserError` ``not_found``."""
        return self._engine.picture.of(self._engine.machine.acting.get(id))

    def speaking(self) -> frozenset[DeviceId]:
        """The devices in our call whose persons speak now."""
        peers = self._engine.picture.facts.peers
        return frozenset(device for device, heard in peers.items() if heard.speaks)

    def stats(self, call: CallId) -> tuple[PeerStats, ...]:
        """The last second of every connection of a call that one is in."""
        self._engine.machine.acting.joined(call)
        return self._engine.picture.facts.stats

    def relay(self) -> RelayCheck | None:
        """What came of the last attempt to get a relay; None before the first."""
        return self._engine.relays.last

    async def history(self, limit: int = 50) -> Sequence[CallRecord]:
        """The newest calls of all conversations."""
        return await self._around.journal.history(limit)

    # --- taking part -------------------------------------------------------------------------

    async def start(
        self, conversation: ConversationId, *, video: bool = False, ring: bool = True
    ) -> Call:
        """Start a call and be in it; one that runs there is joined. Leaves any other call."""
        self._engine.get_ready()
        call = CallId(self._around.randomness.bytes(32))
        wall_ms = self._around.clock.wall_ms()
        with self._engine.input(by_person=True):
            acting = self._engine.machine.acting
            room = acting.start(call, conversation, video=video, ring=ring, wall_ms=wall_ms)
            self._mute_for_push_to_talk(room)
        return self._engine.picture.of(room)

    async def ring(self, call: CallId, persons: Sequence[PersonId]) -> None:
        """Ring persons of the conversation who are not in it; also again."""
        with self._engine.input():
            self._engine.machine.acting.ring(call, persons)

    async def join(self, call: CallId, *, video: bool = False, microphone: bool = True) -> Call:
        """Answer or join; raises also ``locked``, ``full``, ``removed``. Leaves any other call."""
        self._engine.machine.acting.get(call)
        self._engine.get_ready()
        with self._engine.input(by_person=True):
            room = self._engine.machine.acting.join(call, microphone=microphone, camera=video)
            self._mute_for_push_to_talk(room)
        return self._engine.picture.of(room)

    def _mute_for_push_to_talk(self, room: Room) -> None:
        if self._engine.devices.choice.push_to_talk:
            self._engine.machine.acting.set_flag(room.id, "microphone", False)

    async def decline(self, call: CallId, message: str = "") -> None:
        """Say no; a `message` is posted in the conversation."""
        with self._engine.input(by_person=True):
            room = self._engine.machine.acting.decline(call)
        if message.strip():
            await self._around.messages.post(room.conversation, message)

    async def leave(self, call: CallId) -> None:
        """Go."""
        with self._engine.input(by_person=True):
            self._engine.machine.acting.leave(call)

    async def set_microphone(self, call: CallId, on: bool) -> None:
        """Open or close the microphone."""
        self._set(call, "microphone", on)

    async def set_camera(self, call: CallId, on: bool) -> None:
        """Open or close the camera."""
        self._set(call, "camera", on)

    async def set_hand(self, call: CallId, on: bool) -> None:
        """Raise or lower the hand."""
        self._set(call, "hand", on)

    def _set(self, call: CallId, flag: str, on: bool) -> None:
        with self._engine.input():
            self._engine.machine.acting.set_flag(call, flag, on)

    async def react(self, call: CallId, emoji: str) -> None:
        """Show an emoji to all in the call; raises ``bad_text``, ``too_fast``."""
        emoji = clean_emoji(emoji)
        with self._engine.input():
            self._engine.machine.acting.react(call, emoji)

    async def set_volume(self, call: CallId, device: DeviceId, volume: float) -> None:
        """How loud a participant is here, 0 to 2."""
        if not 0 <= volume <= 2:
            raise UserError("bad_volume", "A volume is between 0 and 2.")
        room = self._participant(call, device)
        self._engine.picture.facts.of(device).volume = volume
        self._apply_volume(room, device)

    async def mute_for_me(self, call: CallId, device: DeviceId, on: bool) -> None:
        """Hear a participant no more, here only."""
        room = self._participant(call, device)
        self._engine.picture.facts.of(device).muted = on
        self._apply_volume(room, device)

    def _participant(self, call: CallId, device: DeviceId) -> Room:
        room = self._engine.machine.acting.joined(call)
        if device not in room.legs:
            raise UserError("not_found", "This computer is not in the call.")
        return room

    def _apply_volume(self, room: Room, device: DeviceId) -> None:
        heard = self._engine.picture.facts.of(device)
        self._engine.media.set_volume(device, 0.0 if heard.muted else heard.volume)
        self._engine.doing.tell(room)

    # --- control -----------------------------------------------------------------------------

    async def ask_mute(self, call: CallId, person: PersonId) -> None:
        """Have a person's microphone switched off; they may switch it on again."""
        self._act(call, "mute", person)

    async def remove(self, call: CallId, person: PersonId) -> None:
        """Remove a person for the rest of this call."""
        self._act(call, "remove", person)

    async def lock(self, call: CallId, on: bool) -> None:
        """Let nobody else in, or let them in again."""
        with self._engine.input():
            self._engine.machine.acting.act(call, "lock" if on else "unlock")

    async def end_for_all(self, call: CallId) -> None:
        """End the call for everybody."""
        with self._engine.input(by_person=True):
            self._engine.machine.acting.act(call, "end")

    def _act(self, call: CallId, action: str, person: PersonId) -> None:
        with self._engine.input():
            room = self._engine.machine.acting.joined(call)
            if not any(True for _ in room.stands_of(person)):
                raise UserError("not_found", "This person is not in the call.")
            self._engine.machine.acting.act(call, action, person)

    # --- devices -----------------------------------------------------------------------------

    def show_tiles(self, tiles: Sequence[TilePlan]) -> None:
        """Which pictures the window shows now."""
        self._engine.media.show(tiles)

    def memory(self) -> memoryview | None:
        """The pictures (`frame_slots`); None while no media process runs."""
        return self._engine.media.memory()

    def choice(self) -> MediaChoice:
        """What this person chose."""
        return self._engine.devices.choice

    async def set_choice(self, choice: MediaChoice) -> None:
        """Choose, and use it at once; raises ``bad_choice``."""
        await self._engine.devices.choose(choice)

    async def devices(self) -> MediaDevices:
        """What can be chosen; starts the media process if need be. Raises ``no_media``."""
        self._engine.get_ready()
        return await self._engine.devices.listed()

    async def check(
        self,
        on: bool,
        *,
        loopback: bool = False,
        test_sound: bool = False,
        camera: bool = False,
    ) -> None:
        """Begin, change or end the check of devices outside a call. Raises ``no_media``."""
        if on:
            self._engine.get_ready()
        self._engine.devices.check(Check(on, loopback, test_sound, camera) if on else Check())

    # --- sharing -----------------------------------------------------------------------------

    async def watch_sources(self, on: bool) -> ShareSources:
        """What can be shared; while on, changes are told and thumbnails made."""
        return await self._engine.sharing.watch_sources(on)

    async def sources(self) -> ShareSources:
        """What can be shared, once."""
        return await self._engine.sharing.sources()

    async def share(self, call: CallId, choice: ShareChoice) -> None:
        """Share, or share something else from now on; raises also ``bad_share``."""
        await self._engine.sharing.share(call, choice)

    async def pause_share(self, call: CallId, on: bool) -> None:
        """Let the last picture stand, or go on; raises also ``not_shared``."""
        await self._engine.sharing.pause(call, on)

    async def stop_share(self, call: CallId) -> None:
        """Share nothing any more."""
        await self._engine.sharing.stop(call)

    async def ink(
        self,
        call: CallId,
        presenter: DeviceId,
        action: str,
        stroke: int = 0,
        places: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Point or draw on what somebody shares; too fast: dropped."""
        await self._engine.sharing.ink(call, presenter, action, stroke, places)

    # --- recording ---------------------------------------------------------------------------

    async def record(self, call: CallId, choice: RecordChoice) -> None:
        """Record this call, once everybody in it was told; raises also ``already``,
        ``bad_choice``, ``bad_folder``, ``no_space``, ``not_told``."""
        await self._engine.recorder.record(call, choice)

    async def pause_recording(self, call: CallId, on: bool) -> None:
        """Record nothing for a while, or go on; raises also ``not_recording``."""
        await self._engine.recorder.pause(call, on)

    async def stop_recording(self, call: CallId) -> None:
        """End it; the file is finished a moment later."""
        await self._engine.recorder.stop(call)

    def set_seen(self, call: CallId, layout: str, front: DeviceId | None) -> None:
        """The layout on the screen and who is large: recorded so."""
        self._engine.recorder.set_seen(call, layout, front)
