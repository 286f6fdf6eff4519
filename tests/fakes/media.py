"""Media processes of a test: they write down commands, connect by themselves and can die.

`FakeMedia` answers `Connect` with a description and reports a path once both sides described
themselves, shares and records what it is told, unless told otherwise. Nothing opens: what would
open is in the plans.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services import media_port as port
from folkmoot.services.media_port import (
    AnyReport,
    AudioPlan,
    Begin,
    Command,
    RecordPlace,
    RecordPlan,
    SharePlan,
    VideoPlan,
)

C = TypeVar("C", bound=Command)
PLACE = (10, 20, 400, 300)
"""Where what is shared is on the screen."""
SOURCES: tuple[port.SourceRow, ...] = (
    ("screen-1", "screen", "Screen 1", "", 1920, 1080),
    ("window-7", "window", "Notes", "Editor", 800, 600),
)


class FakeMedia:
    """One process."""

    def __init__(
        self,
        launcher: FakeLauncher,
        begin: Begin,
        take: Callable[[AnyReport], None],
        ended: Callable[[str], None],
    ) -> None:
        self.begin = begin
        self.commands: list[Command] = []
        self.audio, self.video = AudioPlan(), VideoPlan()
        self.share = SharePlan()
        self.lists = False
        self.recording: RecordPlan | None = None
        """The file that is made now."""
        self.places: tuple[RecordPlace, ...] = ()
        self.paused = False
        self.newest: dict[bytes, int] = {}
        self.flowing: set[bytes] = set()
        self.over = False
        self.seconds, self.size = 0.0, 0
        self._launcher = launcher
        self._take, self._ended = take, ended

    @property
    def memory(self) -> memoryview | None:
        return None

    def of(self, kind: type[C]) -> list[C]:
        """The commands of one type, in order."""
        return [command for command in self.commands if isinstance(command, kind)]

    def send(self, command: Command) -> None:
        if self.over:
            return
        port.decode_command(port.encode(command))
        self.commands.append(command)
        match command:
            case port.SetAudio(plan):
                self.audio = plan
                self._launcher.note_open()
            case port.SetVideo(plan):
                self.video = plan
                self._launcher.note_open()
            case port.Connect(peer, connection, offers):
                self.newest[peer] = connection
                if offers and self._launcher.works:
                    self.report_soon(port.Described(peer, connection, "offer", "v=0\r\n"))
            case port.Describe(peer, connection, kind, _):
                if kind == "offer" and self._launcher.works:
                    self.report_soon(port.Described(peer, connection, "answer", "v=0\r\n"))
                if self._launcher.works:
                    self.flowing.add(peer)
                    self.report_soon(port.PathChanged(peer, connection, "flowing"))
            case port.Disconnect(peer):
                self.newest.pop(peer, None)
                self.flowing.discard(peer)
            case _:
                self._send_new(command)

    def _send_new(self, command: Command) -> None:
        """The commands of sharing and recording."""
        works = self._launcher.works
        match command:
            case port.SetShare(plan):
                before, self.share = self.share, plan
                self._launcher.note_open()
                if works and plan.source != "none" and plan.source != "platform":
                    state = "paused" if plan.paused else "sharing"
                    self.report_soon(port.ShareChanged(state, place=PLACE))
                elif works and before.source != "none":
                    self.report_soon(port.ShareChanged("ended"))
            case port.ListSources(on):
                self.lists = on
                if on and works:
                    self.report_soon(port.SourcesListed(SOURCES, regions=True, sound=True))
            case port.Record(plan):
                self._end_recording()
                self.recording, self.places, self.paused = plan, plan.places, plan.paused
                self._launcher.note_open()
                self.seconds, self.size = 0.0, 0
                if works:
                    asyncio.get_running_loop().call_later(0.01, self._say_recording, plan)
            case port.SetRecording(places, paused):
                self.places, self.paused = places, paused
            case port.StopRecording():
                self._end_recording()
            case _:
                pass

    def _say_recording(self, plan: RecordPlan) -> None:
        if self.recording is plan:
            self.record_on(self.seconds, self.size)

    def _end_recording(self) -> None:
        plan, self.recording = self.recording, None
        if plan is not None and self._launcher.works:
            self.report_soon(port.RecordingChanged(plan.path, "ended", self.seconds, self.size))

    # --- what a test has it say

    def show_share(self, place: tuple[int, int, int, int] = PLACE) -> None:
        """What is shared is there, as after the desktop's picker."""
        self.report(port.ShareChanged("sharing", place=place))

    def end_share(self, code: str, words: str = "") -> None:
        """The share ends by itself."""
        self.report(port.ShareChanged("ended", code, words))

    def record_on(self, seconds: float, size: int = 1000) -> None:
        """The file has grown."""
        assert self.recording is not None, "nothing is recorded"
        self.seconds, self.size = seconds, size
        state = "paused" if self.paused else "recording"
        self.report(port.RecordingChanged(self.recording.path, state, seconds, size))

    def end_recording(self, code: str, words: str = "") -> None:
        """The recording ends by itself: ``full``, ``failed``."""
        plan, self.recording = self.recording, None
        assert plan is not None, "nothing is recorded"
        ended = port.RecordingChanged(plan.path, "ended", self.seconds, self.size, code, words)
        self.report(ended)

    def report_soon(self, report: AnyReport) -> None:
        """Report after what runs now."""
        asyncio.get_running_loop().call_later(0.01, self.report, report)

    def report(self, report: AnyReport) -> None:
        """Report now."""
        if not self.over:
            self._take(port.decode_report(port.encode(report)))

    def silence(self, peer: bytes) -> None:
        """Nothing comes from a peer any more."""
        self.flowing.discard(peer)
        self.report(port.PathChanged(peer, self.newest[peer], "silent"))

    def crash(self, reason: str = "killed") -> None:
        """Die."""
        self.over = True
        self._ended(reason)

    async def aclose(self) -> None:
        self.over = True


class FakeLauncher:
    """Starts `FakeMedia`. `works` False: nothing connects. `refuses`: nothing starts."""

    def __init__(self) -> None:
        self.started: list[FakeMedia] = []
        self.works = True
        self.refuses = False
        self.fault: EnvironmentFault | None = None
        """What `launch` raises."""
        self.lists_devices = True
        """Whether devices are told by themselves, soon after the start."""
        self.opened = False
        """Whether ever a device was to be open, something shared, a call recorded."""

    @property
    def media(self) -> FakeMedia:
        """The newest process."""
        return self.started[-1]

    @property
    def running(self) -> bool:
        """Whether one lives."""
        return bool(self.started) and not self.media.over

    def note_open(self) -> None:
        """Look at the plans."""
        media = self.media
        shares = media.share.source != "none" or media.recording is not None
        self.opened = self.opened or media.audio.open or media.video.open or shares

    async def launch(
        self, begin: Begin, take: Callable[[AnyReport], None], ended: Callable[[str], None]
    ) -> FakeMedia:
        await asyncio.sleep(0.05)
        if self.fault is not None:
            raise self.fault
        if self.refuses:
            raise EnvironmentFault("no_media", "The media process does not start.")
        media = FakeMedia(self, begin, take, ended)
        self.started.append(media)
        if begin.devices and self.lists_devices:
            rows = (("mic", "Microphone", True),)
            media.report_soon(port.DevicesListed(rows, (), ()))
        return media
