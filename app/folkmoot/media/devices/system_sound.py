"""What the computer plays, without what Folkmoot plays, for who shares it together with a picture.

Owns when it is recorded, and the sum of what several programs play. Where nothing gives it (Windows
and macOS, a Linux without PulseAudio or PipeWire) it refuses to be available and gives silence.
Refuses to wait: it records in a thread of its own.
"""

from __future__ import annotations

import threading
import time

from folkmoot.media.devices.mix import Limiter, mix
from folkmoot.media.devices.ring import RATE, Samples
from folkmoot.media.devices.system_sound_pulse import GATHER_S, PulseRecorder, answers

ANSWER_S = 1.0
KEEP_S = 10.0

_lock = threading.Lock()
_known: tuple[float, bool] | None = None


def is_available() -> bool:
    """Whether the sound of this computer can be shared.

    From any thread that may wait for a second; the answer is kept for ten.
    """
    global _known
    with _lock:
        now = time.monotonic()
        if _known is None or now - _known[0] > KEEP_S:
            _known = now, answers(ANSWER_S)
        return _known[1]


class SystemSound:
    """Records from `start` to `stop`. `pull` from one thread, the rest from any; nothing waits."""

    def __init__(self) -> None:
        self._recorder: PulseRecorder | None = None
        self._limiter = Limiter()
        self._lock = threading.Lock()

    def available(self) -> bool:
        """As `is_available`."""
        return is_available()

    def start(self) -> None:
        """Begin to record; twice is no error."""
        with self._lock:
            if self._recorder is None:
                self._recorder = PulseRecorder()

    def stop(self) -> None:
        """End it, and forget what was recorded; twice is no error."""
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.end()

    @property
    def delay_s(self) -> float:
        """About how long ago what is pulled next was played."""
        recorder = self._recorder
        buffers = () if recorder is None else recorder.buffers
        return max((each.depth for each in buffers), default=0) / RATE + GATHER_S

    def pull(self) -> Samples | None:
        """The next 480 samples, None while nothing is played."""
        recorder = self._recorder
        buffers = () if recorder is None else recorder.buffers
        parts = [taken for each in buffers if (taken := each.pull()) is not None]
        if not parts:
            self._limiter.rest()
            return None
        if len(parts) == 1 and self._limiter.gain >= 1.0:
            return parts[0]
        return self._limiter.process(mix((part, 1.0) for part in parts))
