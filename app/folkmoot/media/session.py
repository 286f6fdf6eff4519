"""What the media process does: takes commands, keeps the parts, tells what happens.

Runs on the loop's thread; the parts call back from theirs. Refuses nothing by itself: commands are
checked where they are decoded, peers where they are met.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import av
import msgspec
from aiortc import RTCCertificate

from folkmoot.domain.errors import PeerError
from folkmoot.media.capture.input import ShareInput
from folkmoot.media.devices.audio import AudioEngine
from folkmoot.media.devices.qt import call_in_qt
from folkmoot.media.devices.system_sound import is_available
from folkmoot.media.devices.tiles import TileWriter
from folkmoot.media.devices.video import VideoInput
from folkmoot.media.gathering import Ways
from folkmoot.media.peers import Peers
from folkmoot.media.receive.opus import OpusDecoder, OpusError
from folkmoot.media.recording.recorder import Recorder
from folkmoot.media.screen.sending import ScreenSender
from folkmoot.media.sending import PictureSender
from folkmoot.media.statistics import Statistics
from folkmoot.services.media_port import (
    CAMERA,
    MAX_PEERS,
    SCREEN,
    SELF,
    SOURCE,
    AnyCommand,
    Begin,
    Connect,
    Describe,
    DeviceFault,
    Disconnect,
    End,
    Levels,
    ListSources,
    PictureChanged,
    Record,
    Report,
    SetAudio,
    SetPeer,
    SetRecording,
    SetServers,
    SetShare,
    SetVideo,
    ShareChanged,
    SharePlan,
    ShowTiles,
    SourcesListed,
    StatsTaken,
    StopRecording,
)

TICK_S = 0.1
STATS_S = 1.0
COLLECT_S = 10.0


class Session:
    """The parts of one media process. `end` is set when it is over."""

    def __init__(
        self, begin: Begin, report: Callable[[Report], None], memory: memoryview | None
    ) -> None:
        self.end = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._use_devices = begin.devices
        self._report = report
        self._tiles = None if memory is None else TileWriter(memory)
        self._shares = 0
        self._own_sizes = {CAMERA: (0, 0), SCREEN: (0, 0)}
        self._collected, self._collected_at = 0, 0.0
        self._recorder = Recorder(report)
        self._sound = AudioEngine(
            packet=self._packet,
            levels=self._levels,
            fault=self._fault,
            use_devices=begin.devices,
            record=self._recorder.sound,
        )
        self._video = VideoInput(
            frame=partial(self._own_picture, CAMERA), fault=self._fault, use_devices=begin.devices
        )
        self._sender = PictureSender(self._loop, limits=self._video.set_limits, warn=warn)
        self._share = ShareInput(
            frame=partial(self._own_picture, SCREEN),
            changed=self._share_changed,
            sources=self._sources,
            thumbnail=self._thumbnail,
            use_devices=begin.devices,
        )
        self._screens = ScreenSender(self._loop, limits=self._share.set_limits, warn=warn)
        self._ways = Ways(begin.ice_servers, report)
        self._peers = Peers(
            ways=self._ways,
            voices=self._sound,
            sender=self._sender,
            screens=self._screens,
            report=report,
            seen=self._seen,
            gone=self._gone,
        )
        self._statistics = Statistics(self._peers)

    async def run(self) -> None:
        """Work until `end`, then close everything."""
        self._sound.start()
        ticking = self._loop.create_task(self._tick())
        ended = self._loop.create_task(self.end.wait())
        try:
            done, _ = await asyncio.wait({ticking, ended}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a bug in the tick ends the process, loudly
        finally:
            for task in (ticking, ended):
                task.cancel()
            await self._close()

    def take(self, command: AnyCommand) -> None:
        """Do what the node asks."""
        match command:
            case SetAudio(plan):
                self._sound.set_plan(plan)
            case SetVideo(plan):
                self._sender.set_plan(plan)
                self._video.set_plan(plan)
                if not plan.open:
                    self._tell_own_size(CAMERA, (0, 0))
                    self._recorder.no_picture(SELF, CAMERA)
            case SetShare(plan):
                self._set_share(plan)
                self._sound.share(plan.sound and plan.source != "none" and not plan.paused)
            case ListSources(on):
                if self._tiles is not None:
                    self._tiles.forget(SELF, SOURCE)
                self._share.list_sources(on)
            case Connect(peer, connection, offers):
                self._peers.connect(peer, connection, offers=offers)
            case Describe(peer, connection, kind, sdp):
                self._peers.describe(peer, connection, kind, sdp)
            case SetServers(servers):
                self._ways.servers = servers
            case Disconnect(peer):
                self._peers.disconnect(peer)
            case SetPeer(peer, volume):
                self._sound.set_volume(peer, volume)
            case ShowTiles():
                self._show_tiles(command)
            case Record(plan):
                self._recorder.begin(plan)
            case SetRecording(places, paused):
                self._recorder.set(places, paused)
            case StopRecording():
                self._recorder.stop()
            case End():
                self.end.set()
            case Begin():
                raise PeerError("bad_message", "The node begins twice.")

    def _show_tiles(self, command: ShowTiles) -> None:
        if self._tiles is not None:
            self._tiles.show(command.tiles)
            self._peers.tick(self._loop.time(), self._wanted)
            # What stands still does not come again by itself.
            self._loop.run_in_executor(None, self._tiles.redraw)

    def _set_share(self, plan: SharePlan) -> None:
        self._shares += 1
        self._screens.set_plan(plan)
        self._share.set_plan(plan)
        if plan.source == "none":
            self._end_own_screen()

    def _sources(self, listed: SourcesListed) -> None:
        """What can be shared, in a thread that may wait."""
        if self._use_devices and is_available():
            listed = msgspec.structs.replace(listed, sound=True)
        self._report(listed)

    def _share_changed(self, report: ShareChanged) -> None:
        """What is shared goes on, pauses or is gone; in any thread."""
        self._report(report)
        if report.state == "ended":
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._forget_share, self._shares)

    def _forget_share(self, number: int) -> None:
        if number == self._shares:  # nothing else is shared already
            self._screens.set_plan(SharePlan())
            self._sound.share(False)
            self._end_own_screen()

    def _end_own_screen(self) -> None:
        self._tell_own_size(SCREEN, (0, 0))
        self._gone(SELF, SCREEN)

    def _wanted(self, peer: bytes, kind: str) -> bool:
        """Whether the pictures of a kind that come from a peer are shown or recorded."""
        shown = self._tiles is not None and self._tiles.wants(peer, kind)
        return shown or self._recorder.wants(peer, kind)

    async def _tick(self) -> None:
        stats_at = self._loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = self._loop.time()
            self._peers.tick(now, self._wanted)
            self._sender.tick(now)
            self._screens.tick(now)
            self._collect(now)
            if now - stats_at >= STATS_S:
                stats_at = now
                rows, loss = await self._statistics.take(now)
                self._sound.set_loss(round(loss * 100))
                if rows:
                    self._report(StatsTaken(tuple(rows[:MAX_PEERS])))

    def _collect(self, now: float) -> None:
        """Have what ended connections left behind taken away, in the one thread that may do so.

        Where Qt runs, Python's own collector is off, and only young garbage is looked for.
        """
        if self._peers.ended != self._collected and now - self._collected_at >= COLLECT_S:
            self._collected, self._collected_at = self._peers.ended, now
            call_in_qt(gc.collect)

    async def _close(self) -> None:
        self._recorder.stop()
        await self._peers.close()
        self._sender.close()
        self._screens.close()
        # They wait for their threads, and those may wait for the loop.
        parts = (self._video, self._share, self._sound, self._recorder)
        await asyncio.gather(*(asyncio.to_thread(each.close) for each in parts))

    def _packet(self, payload: bytes, timestamp: int) -> None:
        # From the audio thread; after the end the loop is gone.
        level = self._sound.voice_level
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._peers.push_sound, payload, timestamp, level)

    def _levels(self, rows: list[tuple[bytes, float, bool]]) -> None:
        bounded = ((peer, min(1.0, max(0.0, level)), speaks) for peer, level, speaks in rows)
        self._report(Levels(tuple(bounded)[: MAX_PEERS + 1]))

    def _fault(self, kind: str, code: str, words: str) -> None:
        self._report(DeviceFault(kind[:32], code[:32], words[:500]))

    def _own_picture(self, kind: str, frame: av.VideoFrame, capture_ns: int) -> None:
        """A picture of ours, in the thread of its source; one that comes after the end is
        dropped."""
        sender = self._sender if kind == CAMERA else self._screens
        sender.take(frame, capture_ns)
        if not sender.open:
            return
        size = (frame.width, frame.height)
        if size != self._own_sizes[kind]:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell_size_of, sender, kind, size)
        self._seen(SELF, kind, frame, capture_ns)

    def _tell_size_of(
        self, sender: PictureSender | ScreenSender, kind: str, size: tuple[int, int]
    ) -> None:
        if sender.open:
            self._tell_own_size(kind, size)

    def _tell_own_size(self, kind: str, size: tuple[int, int]) -> None:
        if size != self._own_sizes[kind]:
            self._own_sizes[kind] = size
            self._report(PictureChanged(SELF, *size, kind))

    def _thumbnail(self, source_id: str, frame: av.VideoFrame, capture_ns: int) -> None:
        if self._tiles is not None:
            self._tiles.picture(SELF, frame, capture_ns, kind=SOURCE, source_id=source_id)

    def _seen(self, peer: bytes, kind: str, frame: av.VideoFrame, capture_ns: int) -> None:
        """Every picture that can be looked at, ours too, in the thread that it comes from."""
        if self._tiles is not None:
            self._tiles.picture(peer, frame, capture_ns, kind=kind)
        self._recorder.picture(peer, kind, frame, capture_ns)

    def _gone(self, peer: bytes, kind: str) -> None:
        """Pictures of a kind come no more."""
        if self._tiles is not None:
            self._tiles.forget(peer, kind)
        self._recorder.no_picture(peer, kind)


def warm_up() -> None:
    """Do once what the first connection would wait for: libraries load what they need late."""
    RTCCertificate.generateCertificate()
    with suppress(OpusError):  # told when somebody is to be heard
        OpusDecoder().close()


def warn(words: str) -> None:
    """Write a line to stderr, which the node has in its log."""
    sys.stderr.write(f"{words[:400]}\n")
