"""The formats of devices: there and back, the sound stays the same."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot.media.devices.convert import Converter
from folkmoot.media.devices.ring import RATE, STEP


@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4"])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
def test_sound_survives_a_device_of_another_format(kind: str, channels: int, rate: int) -> None:
    out, back = Converter(kind, rate, channels), Converter(kind, rate, channels)
    tone = np.rint(np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE) * 12_000).astype(np.int16)
    heard = []
    for at in range(0, len(tone), STEP):
        data = out.write(tone[at : at + STEP])
        assert len(data) % out.frame_bytes == 0
        heard.append(back.read(data))
    sound = np.concatenate(heard).astype(np.float64)[RATE // 4 : RATE // 4 * 3]
    assert abs(len(np.concatenate(heard)) - RATE) < RATE // 50
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert abs(np.argmax(spectrum) * RATE / len(sound) - 440) < 4
    assert abs(np.sqrt((sound**2).mean()) / (12_000 / np.sqrt(2)) - 1) < 0.03
