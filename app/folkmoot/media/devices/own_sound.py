"""The sound of this side that is not recorded: the test sound or a file; and what one hears back.

Refuses nothing: a file that cannot be played is told as a fault and tried again each second.
"""

from __future__ import annotations

from collections.abc import Callable

import av.error

from folkmoot.media.devices.ring import RATE, STEP, SampleRing, Samples
from folkmoot.media.devices.sounds import FileSound, TestSound
from folkmoot.services.media_port import AudioPlan

ECHO_S = 1.0
"""One hears oneself so much later: at once it would howl, and be taken for the room."""
_RETRY_S = 1.0
_BROKEN = (av.error.FFmpegError, OSError, ValueError)


class OwnSound:
    """Used by the engine's thread only."""

    def __init__(self, fault: Callable[[str, str, str], None]) -> None:
        self._fault = fault
        self._plan = AudioPlan()
        self._test: TestSound | None = None
        self._file: FileSound | None = None
        self._retry_at = 0.0
        self._faulty = False
        self._echo = SampleRing(int(RATE * (ECHO_S + 0.2)))

    def use(self, plan: AudioPlan) -> None:
        """Follow the plan."""
        before, self._plan = self._plan, plan
        if (plan.source, plan.source_id) != (before.source, before.source_id):
            self.close()
            self._retry_at = 0.0
            self._tell("")
        if not plan.loopback:
            self._echo.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._file = self._test = None

    def pull(self, now: float) -> Samples | None:
        """The next 10 ms of the test sound or the file."""
        if self._plan.source == "test":
            if self._test is None:
                self._test = TestSound()
            return self._test.pull()
        try:
            if self._file is None:
                if now < self._retry_at:
                    return None
                self._file = FileSound(self._plan.source_id)
            samples = self._file.pull()
        except _BROKEN as error:
            self._file = None
            self._retry_at = now + _RETRY_S
            self._tell(f"The sound file cannot be played: {error}"[:500])
            return None
        self._tell("")
        return samples

    def heard(self, samples: Samples) -> None:
        """This side's sound, after it was cleaned."""
        if self._plan.loopback:
            self._echo.push(samples)

    def echo(self) -> Samples | None:
        """What this side said a second ago."""
        if self._echo.depth < int(RATE * ECHO_S):
            return None
        return self._echo.pull(STEP)

    def _tell(self, words: str) -> None:
        if bool(words) != self._faulty:
            self._faulty = bool(words)
            self._fault("microphone", "file" if words else "", words)
