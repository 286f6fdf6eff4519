"""Between mono of 16 bits at 48 kHz and the format that a device takes.

Refuses nothing: it is made for a format that the device said it has.
"""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.devices.ring import RATE, Samples

_SCALE = {"u1": 128.0, "i2": 32768.0, "i4": 2147483648.0, "f4": 1.0}


class Converter:
    """For one direction: `kind` is ``u1``, ``i2``, ``i4`` or ``f4``, channels are interleaved."""

    def __init__(self, kind: str, rate: int, channels: int) -> None:
        self._kind, self._rate, self._channels = kind, rate, channels
        self.frame_bytes = int(kind[1]) * channels
        """Bytes of one sample of all channels."""
        self._is_same = (kind, rate, channels) == ("i2", RATE, 1)
        self._resampler: av.AudioResampler | None = None

    def read(self, data: bytes) -> Samples:
        """What the device gave, as ours; a resampler may keep a little for the next time."""
        if self._is_same:
            return np.frombuffer(data, np.int16)
        raw = np.frombuffer(data, f"<{self._kind}").astype(np.float32)
        if self._kind == "u1":
            raw -= 128.0
        mono = raw.reshape(-1, self._channels).mean(axis=1) / _SCALE[self._kind]
        return _to_int16(self._resample(mono.astype(np.float32), self._rate, RATE))

    def write(self, samples: Samples) -> bytes:
        """Ours, as the device takes it: the same on every channel."""
        if self._is_same:
            return samples.tobytes()
        mono = self._resample(samples.astype(np.float32) / 32768.0, RATE, self._rate)
        scaled = np.clip(mono, -1.0, 1.0).astype(np.float64) * (_SCALE[self._kind] - 1)
        if self._kind == "u1":
            scaled += 128.0
        if self._kind == "f4":
            scaled = mono.astype(np.float64)
        return np.repeat(scaled, self._channels).astype(f"<{self._kind}").tobytes()

    def _resample(self, mono: NDArray[np.float32], before: int, after: int) -> NDArray[np.float32]:
        if before == after or not len(mono):
            return mono
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="flt", layout="mono", rate=after)
        frame = av.AudioFrame.from_ndarray(mono.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = before
        pieces = [
            cast(Any, each.to_ndarray()).reshape(-1) for each in self._resampler.resample(frame)
        ]
        joined: NDArray[np.float32] = np.concatenate([np.zeros(0, np.float32), *pieces])
        return joined


def _to_int16(mono: NDArray[np.float32]) -> Samples:
    samples: Samples = np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16)
    return samples
