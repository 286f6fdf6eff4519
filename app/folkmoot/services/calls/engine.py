"""Runs the machine of `protocol.calls` on the node's loop.

Time, links and the media process go in; frames, commands, events and log entries come out. Refuses
nothing itself: what cannot be done the machine and the services say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import frames
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import Room
from folkmoot.services import media_port as port
from folkmoot.services.calls.devices import Devices
from folkmoot.services.calls.doing import CallSurroundings, Doing
from folkmoot.services.calls.inside import Inside
from folkmoot.services.calls.media import MediaListener, MediaSupervisor
from folkmoot.services.calls.picture import Picture
from folkmoot.services.calls.recording import CallRecorder, RecordingSurroundings
from folkmoot.services.calls.relays import Relays
from folkmoot.services.calls.reports import Reports
from folkmoot.services.calls.rights import CallRights
from folkmoot.services.calls.ringing import Ringing
from folkmoot.services.calls.sharing import Sharing
from folkmoot.services.calls.telling import Telling
from folkmoot.services.events import CallNotice
from folkmoot.services.link import Link
from folkmoot.services.values import PresenceState

TICK_S = 0.25
VAIN_S = 15.0
"""Attempts follow each other before one of them fails: after that long in vain it is said."""
_FRAMES = (
    *(frames.CallState, frames.CallOffer, frames.CallAnswer, frames.CallAgain),
    *(frames.CallAct, frames.CallReact, frames.CallInk),
)


class Engine:
    """The machine and the parts that it moves."""

    def __init__(self, around: CallSurroundings) -> None:
        self._around = around
        self.machine = Calls(
            around.me, around.device, CallRights(around.registry), self._wants_no_rings
        )
        self.relays = Relays(around.servers, around.events, around.clock.wall_ms)
        self.picture = Picture(around.me, around.device, self.machine, around.registry)
        self.reports = Reports(
            around.device,
            self.picture.facts,
            around.events,
            self.machine.own_room,
            self.changed,
        )
        self.media = MediaSupervisor(
            around.launcher,
            MediaListener(
                self._take_report, self._media_began, self._lost, self._restarted, self._failed
            ),
            around.supervisor,
        )
        self.devices = Devices(
            *(around.store, around.choice, self.media, self.reports, self.machine.own_room),
            Ringing(around.me, self.machine, self._wants_no_rings).sounds,
            self.relays,
        )
        inside = Inside(
            *(around.device, self.machine, self.picture, self.media, around.events),
            *(self.input, self.changed),
        )
        self.sharing = Sharing(inside)
        self.doing = Doing(
            *(around, self.machine, self.picture, self.media),
            inked=self.sharing.inked,
            connecting=self._connecting,
        )
        self.recorder = CallRecorder(inside, self._recording_surroundings())
        self._ticking = False
        self._watching = False
        around.links.watch(self._link_up, self._link_down)
        for kind in _FRAMES:
            around.links.handle(kind, self._take_frame)

    def _recording_surroundings(self) -> RecordingSurroundings:
        around = self._around
        return RecordingSurroundings(
            recordings=around.recordings,
            telling=Telling(around.links.get, self.picture),
            title=self._title,
            clock=around.clock,
            randomness=around.randomness,
            supervisor=around.supervisor,
            log=self.doing.log_recording,
        )

    async def aclose(self) -> None:
        """Leave, finish what is recorded and written, and end the media process."""
        with self.input(by_person=True):
            room = self.machine.own_room()
            if room is not None:
                self.machine.acting.leave(room.id)
        await self.recorder.aclose()
        await self.doing.aclose()
        await self.media.aclose()

    def get_ready(self) -> None:
        """The person wants something of the media process; raises ``no_media``."""
        self.media.check()
        self.media.forgive()

    def changed(self, room: Room) -> None:
        """Tell the window of a room anew."""
        self.doing.tell(room)
        self.recorder.follow(self.machine.own_room())

    async def _title(self, room: Room) -> str:
        shown = await self._around.store.conversation(room.conversation)
        return "" if shown is None else shown.name

    # --- what comes in -----------------------------------------------------------------------

    def _wants_no_rings(self) -> bool:
        return self._around.presence.own()[0] is PresenceState.DND

    def _link_up(self, link: Link) -> None:
        if link.is_member:
            with self.input():
                self.machine.link_up(link.device, link.person)

    def _link_down(self, link: Link) -> None:
        if link.is_member and self._around.links.get(link.device) is None:
            with self.input():
                self.machine.link_down(link.device)
            if link.device in (self._in_call() or ()):
                self._around.ways.down(link)

    async def _take_frame(self, link: Link, frame: frames.Frame) -> None:
        with self.input():
            self.machine.take_frame(link.device, frame)

    def _take_report(self, report: port.AnyReport) -> None:
        with self.input():
            match report:
                case port.Described(peer, connection, kind, sdp):
                    self.machine.described(DeviceId(peer), connection, kind, sdp)
                case port.PathChanged(peer, connection, state):
                    self.machine.path(DeviceId(peer), connection, state)
                    if state == "failed":
                        self._connection_failed(DeviceId(peer))
                    room = self.machine.own_room()
                    if room is not None and all(leg.alive for leg in room.legs.values()):
                        self.relays.all_reached()
                case port.PeerBroken(peer):
                    self.machine.legs.broken(DeviceId(peer))
                case port.TurnTried():
                    self.relays.take(report)
                case port.SourcesListed() | port.ShareChanged():
                    self.sharing.take(report)
                case port.RecordingChanged():
                    self.recorder.take(report)
                case _:
                    self.reports.take(report)
                    self._renew_relays(report)
                    self._close_missing_camera(report)

    def _connecting(self, device: DeviceId) -> None:
        self.media.use_servers(self.relays.servers())
        self.relays.connecting(device)

    def _connection_failed(self, device: DeviceId) -> None:
        room = self.machine.own_room()
        leg = None if room is None else room.legs.get(device)
        if room is not None and leg is not None and not leg.alive:
            self.picture.facts.of(device).no_relay = self.relays.missing()
            self.relays.failed()
            self.doing.tell(room)

    def _look_for_vain(self) -> None:
        room, now = self.machine.own_room(), asyncio.get_running_loop().time()
        for device, leg in {} if room is None else room.legs.items():
            waits = not leg.was_alive and now - leg.silent_at > VAIN_S
            if waits and not self.picture.facts.of(device).no_relay:
                self._connection_failed(device)

    def _renew_relays(self, report: port.AnyReport) -> None:
        """Credentials of relays end: make the next connection beside those that use them."""
        for row in report.rows if isinstance(report, port.StatsTaken) else ():
            device = DeviceId(row.peer)
            if row.way == "relay" and self.relays.is_due(device):
                self.machine.legs.renew(device)

    def _close_missing_camera(self, report: port.AnyReport) -> None:
        """Without any camera ours is off: others shall not wait for a picture."""
        room, devices = self.machine.own_room(), self.reports.devices
        none = isinstance(report, port.DeviceFault) and (report.kind, report.code) == (
            "camera",
            "none",
        )
        if none and room is not None and devices is not None and not devices.cameras:
            self.machine.acting.set_flag(room.id, "camera", False)

    def _media_began(self) -> None:
        self.devices.plan()

    def _lost(self) -> None:
        self.picture.facts.silence()
        self.sharing.lost()
        self.recorder.lost()
        with self.input():
            self.machine.legs.media_lost()

    def _restarted(self) -> None:
        if self.machine.own_room() is not None:
            words = "Sound and pictures stopped for a moment and began again."
            self._around.events.publish(CallNotice("media_restarted", words))
        self.recorder.restarted()

    def _failed(self, reason: str) -> None:
        with self.input():
            self.machine.no_media()
        self._around.events.publish(
            CallNotice(
                "no_media",
                "Sound and pictures stopped working.",
                f"Try again, or restart Folkmoot. The cause: {reason[:200]}",
            )
        )

    # --- what goes out -----------------------------------------------------------------------

    @contextmanager
    def input(self, *, by_person: bool = False) -> Iterator[None]:
        """One input to the machine; what follows from it is done at its end, also on an error.

        `by_person`: an act after which this person is in another call, or in none.
        """
        self.machine.begin(asyncio.get_running_loop().time())
        try:
            yield
        finally:
            self._perform(self.machine.take(), by_person)

    def _perform(self, effects: Sequence[fx.Effect], by_person: bool) -> None:
        if not effects:
            return
        own = self.machine.own_room()
        self.sharing.follow(own, by_person=by_person)
        self.recorder.follow(own)
        # Needs first: a command to a process that nobody needs yet would be lost.
        self._match_needs()
        for effect in effects:
            self.doing.do(effect)
        self.devices.plan()

    # --- needs and time ----------------------------------------------------------------------

    def _match_needs(self) -> None:
        rooms = self.machine.rooms()
        own = self.machine.own_room()
        ringing = any(room.rings_here and room.present() for room in rooms)
        self.media.need("call", own is not None or ringing)
        if own is None:
            self.picture.facts.clear()
            self.media.forget_volumes()
        if rooms and not self._ticking:
            self._ticking = True
            self._around.supervisor.start("calls", self._tick_on())
        if own is not None and not self._watching:
            self._watching = True
            self._around.supervisor.start("ways of calls", self._watch_ways())

    async def _tick_on(self) -> None:
        try:
            while self.machine.rooms():
                await asyncio.sleep(TICK_S)
                with self.input():
                    self.machine.tick()
                    self._look_for_vain()
                self.devices.plan()  # do-not-disturb silences a ring
        finally:
            self._ticking = False

    async def _watch_ways(self) -> None:
        try:
            await self._around.ways.watch(self._in_call, self._moved)
        finally:
            self._watching = False

    def _moved(self) -> None:
        with self.input():
            self.machine.legs.moved()

    def _in_call(self) -> Sequence[DeviceId] | None:
        room = self.machine.own_room()
        return None if room is None else tuple(room.legs)
