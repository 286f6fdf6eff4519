"""Microphone and speaker as the engine sees them; behind them Qt serves the device in its thread.

Owns the buffers between the two threads, and when a device is opened again. Refuses to wait: what
does not work is told as a fault and tried again each second.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import numpy as np

from folkmoot.media.devices.qt import call_in_qt
from folkmoot.media.devices.ring import RATE, SampleRing, Samples

RETRY_S = 1.0
NONE_S = 3.0
"""So long nothing is said of a missing device: a sound system that has just been asked for, or a
busy machine, lists its devices late."""
SILENT_S = 2.0
"""A device that moves no sample for so long is opened anew."""
_MICROPHONE_RING = RATE // 2
_SPEAKER_RING = RATE // 5
AGAIN = "again"
"""Code of a port that shall be opened anew without a word: a better device is there."""


class Port:
    """What `Microphone` and `Speaker` share: how Qt opened it, and what went wrong."""

    kind = ""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.is_open = False
        self.is_substitute = False
        """The wanted device is not there and the default one is used."""
        self.name = ""
        """What the device calls itself."""
        self.fault: tuple[str, str] | None = None
        self.device_ms = 0.0
        """Sound that waits in the device and its driver, as far as it is known."""
        self.moved_at = time.monotonic()
        self._closed = False
        self._qt: QtPort | None = None
        if not call_in_qt(self._open):
            self.fail("none", f"There is no {self.kind} here.")

    def close(self) -> None:
        """Let the device go soon."""
        self._closed = True
        call_in_qt(self._shut)

    def look(self) -> None:
        """Have Qt see soon whether the device is still there, or a better one came."""
        call_in_qt(self._look)

    def fail(self, code: str, words: str) -> None:
        """It does not work (any more)."""
        self.fault = self.fault or (code, words[:500])

    def _make(self) -> QtPort:
        raise NotImplementedError

    def _open(self) -> None:
        if not self._closed:
            self._qt = self._make()

    def _shut(self) -> None:
        if self._qt is not None:
            self._qt.close()
            self._qt = None

    def _look(self) -> None:
        if self._qt is not None:
            self._qt.look()


class QtPort(Protocol):
    """What a port needs from its side in the Qt thread."""

    def close(self) -> None:
        """Let the device go now."""
        ...

    def look(self) -> None:
        """See whether the device is still there, or a better one came."""
        ...


class Microphone(Port):
    """Gives what was recorded, 480 samples at a time. `arrived` is called in the Qt thread."""

    kind = "microphone"

    def __init__(self, wanted: str, arrived: Callable[[], None]) -> None:
        self._ring = SampleRing(_MICROPHONE_RING)
        self._arrived = arrived
        super().__init__(wanted)

    @property
    def depth(self) -> int:
        """Samples that wait."""
        return self._ring.depth

    def pull(self, count: int) -> Samples | None:
        """Take `count` samples, None while there are fewer."""
        return self._ring.pull(count)

    def close(self) -> None:
        """Let the device go, and forget what was recorded."""
        super().close()
        self._ring.clear()

    def record(self, samples: Samples) -> None:
        """In the Qt thread: the device gave these."""
        if self._closed:
            return
        self.moved_at = time.monotonic()
        self._ring.push(samples)
        self._arrived()

    def _make(self) -> QtPort:
        from folkmoot.media.devices.qt_audio import QtMicrophone

        return QtMicrophone(self)


class Speaker(Port):
    """Takes what is played. In the Qt thread, `played` gets what the device was given, and
    `slipped` for how many samples it was silent by itself."""

    kind = "speaker"

    def __init__(
        self,
        wanted: str,
        played: Callable[[Samples], None],
        slipped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.played, self.slipped = played, slipped
        self._ring = SampleRing(_SPEAKER_RING)
        self._low: float | None = None
        self.underruns = 0
        self.opened_at = 0.0
        super().__init__(wanted)

    @property
    def depth(self) -> int:
        """Samples that wait for the Qt thread."""
        return self._ring.depth

    def write(self, samples: Samples) -> None:
        """Play these next."""
        self._ring.push(samples)
        if self.is_open:
            call_in_qt(self._serve)

    def start_playing(self) -> None:
        """In the Qt thread: it is open; what waited meanwhile is too late."""
        self._ring.clear()
        self._low = None
        self.moved_at = self.opened_at = time.monotonic()
        self.is_open = True

    def take_low_ms(self) -> float | None:
        """The low mark since the last call, None if nothing was measured."""
        low, self._low = self._low, None
        return low

    def note_low(self, waiting_ms: float) -> None:
        """In the Qt thread: so much waited in the device when it was given more."""
        if self._low is None or waiting_ms < self._low:
            self._low = waiting_ms

    def pull_all(self) -> Samples:
        """In the Qt thread: everything that waits."""
        taken = self._ring.pull(self._ring.depth)
        return np.zeros(0, np.int16) if taken is None else taken

    def _serve(self) -> None:
        from folkmoot.media.devices.qt_audio import QtSpeaker

        if isinstance(self._qt, QtSpeaker):
            self._qt.serve()

    def _make(self) -> QtPort:
        from folkmoot.media.devices.qt_audio import QtSpeaker

        return QtSpeaker(self)


P = TypeVar("P", bound=Port)


class Keeper(Generic[P]):
    """Keeps a wanted device open: falls back, tells faults once, tries again each second."""

    def __init__(
        self, make: Callable[[str], P], kind: str, fault: Callable[[str, str, str], None]
    ) -> None:
        self._make = make
        self._kind = kind
        self._fault = fault
        self._wanted: str | None = None
        self._told = ""
        self._name = ""
        self._retry_at = 0.0
        self._look_at = 0.0
        self._none_from: float | None = None
        self.port: P | None = None

    def want(self, wanted: str | None) -> None:
        """Which device shall be open: its id, empty for the default, None for none at all."""
        if wanted == self._wanted:
            return
        self._wanted, self._name, self._none_from = wanted, "", None
        self._drop(0.0)
        if wanted is None:
            self._tell("", "")

    def look(self, now: float) -> None:
        """See how it goes; called with the time of each step."""
        if self.port is None:
            if self._wanted is None or now < self._retry_at:
                return
            self.port = self._make(self._wanted)
            self._look_at = now + RETRY_S
        port = self.port
        if port.is_open and port.fault is None and now - port.moved_at > SILENT_S:
            port.fail("gone", f"The {self._kind} does not move any sound.")
        if port.fault is not None:
            code, words = port.fault
            at_once = code == AGAIN or (port.is_open and code == "gone")
            # What was unplugged is not busy when it cannot be opened. What is used instead is told
            # when it is open, in one sentence.
            is_told = not (code == "busy" and self._told == "gone") and not (
                at_once and self._wanted
            )
            if code != AGAIN and is_told and not self._is_early(code, now):
                self._tell(code, words)
            self._drop(now if at_once else now + RETRY_S)
        elif port.is_open:
            self._none_from = None
            if port.is_substitute:
                which = f"{self._kind} {self._name}".strip()
                self._tell("gone", f"The {which} is gone. {port.name} is used instead."[:500])
            else:
                self._name = port.name
                self._tell("", "")
            if now >= self._look_at:
                self._look_at = now + RETRY_S
                port.look()

    def _is_early(self, code: str, now: float) -> bool:
        if code != "none":
            return False
        if self._none_from is None:
            self._none_from = now
        return now < self._none_from + NONE_S

    def _drop(self, retry_at: float) -> None:
        if self.port is not None:
            self.port.close()
            self.port = None
        self._retry_at = retry_at

    def _tell(self, code: str, words: str) -> None:
        if code != self._told:
            self._told = code
            self._fault(self._kind, code, words)
