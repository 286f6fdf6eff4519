"""Cleans what the microphone hears: echo, noise and level.

Owns the choice of the library: livekit's audio processing, else speex (pyaec), else nothing; and
the order: echo and noise, then the gate of `near`, then the level, so that what is left of an echo
is not lifted. The libraries are loaded in a thread of their own, for the first sound must not wait;
until then sound passes as it is. Refuses to fail a call: a library that cannot be used is logged
and the next one is taken.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from folkmoot.media.devices.near import NearGate
from folkmoot.media.devices.reference import Reference
from folkmoot.media.devices.ring import RATE, STEP, Samples

_SPEEX_TAIL = RATE * 15 // 100
"""Echo that pyaec can cancel, in samples: 150 ms."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be done to the sound of the microphone."""

    echo: bool = True
    noise: bool = True
    gain: bool = True

    @property
    def anything(self) -> bool:
        """Whether there is something to do."""
        return self.echo or self.noise or self.gain


class Cleaner(Protocol):
    """Works on 480 samples at a time; `hear` gets what is played, before `clean`."""

    name: str

    def hear(self, played: Samples) -> None:
        """10 ms that go to the speaker now."""
        ...

    def clean(self, recorded: Samples, delay_ms: int) -> Samples:
        """10 ms of the microphone; `delay_ms` from `hear` to their echo here."""
        ...

    def jump(self) -> None:
        """The echo comes sooner or later from now on."""
        ...


def find_echo_canceller() -> str:
    """``livekit``, ``speex`` or empty: what will be used here. Loads nothing."""
    for name, module in (("livekit", "livekit"), ("speex", "pyaec")):
        if importlib.util.find_spec(module) is not None:
            return name
    return ""


class Processing:
    """The cleaner in use. `set_wanted` and `hear` from any thread, the rest from the engine's."""

    def __init__(self) -> None:
        self._reference = Reference()
        self._wanted = Wanted(echo=False, noise=False, gain=False)
        self._cleaner: Cleaner | None = None
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ready.set()

    @property
    def name(self) -> str:
        """What is in use: ``livekit``, ``speex`` or empty."""
        cleaner = self._cleaner
        return cleaner.name if cleaner is not None else ""

    def set_wanted(self, wanted: Wanted) -> None:
        """Change what is done; takes effect when the library is ready."""
        with self._lock:
            if wanted == self._wanted:
                return
            self._wanted = wanted
            if not wanted.anything:
                self._cleaner = None
                return
            self._ready.clear()
        threading.Thread(
            target=self._load, args=(wanted,), name="sound processing", daemon=True
        ).start()

    def wait(self, seconds: float) -> bool:
        """Wait until what is wanted is ready. For tests and benchmarks."""
        return self._ready.wait(seconds)

    def restart(self) -> None:
        """The microphone begins anew."""
        self._reference.clear()

    def hear(self, played: Samples) -> None:
        """What was given to the speaker; any number of samples."""
        self._reference.push(played)

    def slip(self, samples: int) -> None:
        """The speaker ran dry for about so many samples."""
        self._reference.slip(samples)

    def clean(self, recorded: Samples, delay_ms: int) -> Samples:
        """What is left of the microphone's 10 ms; `delay_ms` from `hear` to their echo here."""
        behind_ms = self._reference.behind // (RATE // 1000)
        played, jumped = self._reference.pull(), self._reference.take_jump()
        cleaner = self._cleaner
        if cleaner is None:
            return recorded
        if jumped:
            cleaner.jump()
        cleaner.hear(played)
        return cleaner.clean(recorded, max(0, delay_ms - behind_ms))

    def _load(self, wanted: Wanted) -> None:
        made = make_cleaner(wanted)
        with self._lock:
            if wanted == self._wanted:
                self._cleaner = made
                self._ready.set()


def make_cleaner(wanted: Wanted) -> Cleaner | None:
    """Load the best library that works here; None if there is none."""
    for kind in (LivekitCleaner, SpeexCleaner):
        try:
            return kind(wanted)
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            _log.warning("%s cannot be used: %s", kind.__name__, error)
    return None


class LivekitCleaner:
    """WebRTC's audio processing in livekit. Making it loads a library of 28 MB."""

    name = "livekit"

    def __init__(self, wanted: Wanted) -> None:
        self._echo = wanted.echo
        self._gate = NearGate()
        self._far = _Frame() if wanted.echo else None
        self._near = _Frame()
        self._cleans = _make_module(
            echo_cancellation=wanted.echo, noise_suppression=wanted.noise, high_pass_filter=True
        )
        self._levels = _make_module(auto_gain_control=True) if wanted.gain else None
        self._played = np.zeros(STEP, np.int16)

    def hear(self, played: Samples) -> None:
        """10 ms that go to the speaker now."""
        if self._far is not None:
            self._played = played
            self._far.samples[:] = played
            self._cleans.process_reverse_stream(self._far.frame)

    def jump(self) -> None:
        """The canceller finds the new place itself."""
        self._gate.jump()

    def clean(self, recorded: Samples, delay_ms: int) -> Samples:
        """10 ms of the microphone, cleaned."""
        near = self._near
        near.samples[:] = recorded
        if self._echo:
            self._cleans.set_stream_delay_ms(delay_ms)
        self._cleans.process_stream(near.frame)
        if self._echo:
            self._gate.look(self._played, recorded)
            near.samples[:] = self._gate.apply(near.samples)
        if self._levels is not None:
            self._levels.process_stream(near.frame)
        return near.samples.copy()


class _Frame:
    """10 ms that the library works on in place."""

    def __init__(self) -> None:
        from livekit.rtc import AudioFrame

        self.frame: Any = AudioFrame(bytearray(STEP * 2), RATE, 1, STEP)
        self.samples: Samples = np.frombuffer(self.frame._data, np.int16)


def _make_module(**parts: bool) -> Any:
    from livekit.rtc.apm import AudioProcessingModule

    return AudioProcessingModule(**parts)


class SpeexCleaner:
    """Speex's echo canceller, which also takes some noise away; it has no gain control."""

    name = "speex"

    def __init__(self, wanted: Wanted) -> None:
        from pyaec import Aec

        self._aec: Any = Aec(STEP, _SPEEX_TAIL, RATE, wanted.noise)
        self._echo = wanted.echo
        self._far: list[Samples] = []

    def hear(self, played: Samples) -> None:
        """10 ms that go to the speaker now; they wait for the microphone."""
        self._far.append(played)
        del self._far[:-4]

    def jump(self) -> None:
        """It learns the new place as it learnt the first."""

    def clean(self, recorded: Samples, delay_ms: int) -> Samples:
        """10 ms of the microphone, cleaned. `delay_ms` is not used: the filter is long enough."""
        far = self._far.pop(0) if self._far else np.zeros(STEP, np.int16)
        if not self._echo:
            far = np.zeros(STEP, np.int16)
        return np.array(self._aec.cancel_echo(recorded.tolist(), far.tolist()), np.int16)
