"""How much of the far voice comes back, and what that costs the near one.

Two media processes with real Qt audio on PulseAudio. What the near side's speaker plays goes back
into its microphone, quieter and later, as in a room. The far voice speaks alone, then both, then
the near voice alone; what the far side hears is recorded. The baseline is the same call with
nothing cleaned. The near voice's damage is its loudness in what is heard while both speak, against
that while it is alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bench.calls import rounds
from bench.measurement import Measurement
from lab.plans import WindowPlan
from lab.sides import connect, window_side
from lab.sound import RATE, Samples, SoundSystem, sound_system
from lab.speech import make_speech

FAR_S, BOTH_S, NEAR_S = 12.0, 8.0, 6.0
LEARN_S = 4.0
SETTLE_S = 3.0
ECHO_MS, ECHO_DB = 60, -8
_WINDOW = int(RATE * 0.2)
_SWAY = int(RATE * 0.08)
"""How far the delay may wander within a call."""


@dataclass(frozen=True)
class Result:
    """`echo_db`: how loud the far voice came back. `damage_db`: what the near voice lost."""

    echo_db: float
    damage_db: float


def measure() -> Iterable[Measurement]:
    """Cleaned and not, in turn."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    cleaned, plain = [], []
    for number in range(rounds(5)):
        plain.append(asyncio.run(_run(clean=False, seed=number)))
        cleaned.append(asyncio.run(_run(clean=True, seed=number)))
    gains = [bare.echo_db - each.echo_db for bare, each in zip(plain, cleaned, strict=True)]
    yield Measurement("calls, far echo lower by", gains, "dB", at_least=30)
    yield Measurement(
        "calls, near voice lower while both speak",
        [each.damage_db for each in cleaned],
        "dB",
        at_most=3,
        baseline=[each.damage_db for each in plain],
    )


async def _run(clean: bool, seed: int) -> Result:
    far = _padded(make_speech(FAR_S + BOTH_S, 10 + seed, 190), 0.0, NEAR_S)
    near = _padded(make_speech(BOTH_S + NEAR_S, 50 + seed, 110), FAR_S, 0.0)
    devices = ("near", "far")
    with sound_system(
        speakers=tuple(f"speaker_{each}" for each in devices),
        microphones=tuple(f"microphone_{each}" for each in devices),
    ) as system:
        system.couple("speaker_near", "microphone_near", ECHO_MS, ECHO_DB)
        async with contextlib.AsyncExitStack() as stack:
            sides = [
                await stack.enter_async_context(_side(system, each, clean)) for each in devices
            ]
            await connect(sides[0], sides[1], "1")
            await asyncio.sleep(SETTLE_S)
            heard = await _heard(system, near, far)
    return _judge(heard, near)


def _side(system: SoundSystem, name: str, clean: bool) -> contextlib.AbstractAsyncContextManager:  # type: ignore[type-arg]
    plan = WindowPlan(
        *(160, 90, ("none",)),
        microphone=f"microphone_{name}",
        speaker=f"speaker_{name}",
        clean=clean and name == "near",
    )
    return window_side(plan, environment=system.environment)


async def _heard(system: SoundSystem, near: Samples, far: Samples) -> Samples:
    """What the far speaker plays from the moment at which both began to speak."""
    recording = await asyncio.to_thread(system.record, "speaker_far.monitor")
    players = [system.play("microphone_far", far), system.play("microphone_near", near)]
    began = asyncio.get_running_loop().time()
    for player in players:
        await asyncio.to_thread(player.wait, 120)
    await asyncio.sleep(1)
    samples = await asyncio.to_thread(recording.end)
    return samples[max(0, round((began - recording.start()) * RATE)) :]


def _judge(heard: Samples, near: Samples) -> Result:
    alone = slice(round((FAR_S + BOTH_S) * RATE), round((FAR_S + BOTH_S + NEAR_S) * RATE))
    both = slice(round(FAR_S * RATE), round((FAR_S + BOTH_S) * RATE))
    late = _find_delay(heard, near, alone)
    echo = heard[round(LEARN_S * RATE) : round((FAR_S - 0.5) * RATE)]
    return Result(
        echo_db=10 * float(np.log10(np.mean(echo.astype(np.float64) ** 2) + 1e-10)),
        damage_db=_gain_db(heard, near, alone, late) - _gain_db(heard, near, both, late),
    )


def _find_delay(heard: Samples, said: Samples, part: slice) -> int:
    """How many samples later `said` is in `heard`, by correlation over a whole part."""
    piece, window = said[part], heard[part.start : part.stop + RATE]
    size = 1 << (len(piece) + len(window)).bit_length()
    product = np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size))
    return int(np.argmax(np.fft.irfft(product, size)[:RATE]))


def _gain_db(heard: Samples, said: Samples, part: slice, late: int) -> float:
    """Median gain of `said` within `heard`; each fifth of a second is aligned for itself."""
    gains = []
    for start in range(part.start, part.stop - _WINDOW, _WINDOW):
        piece = said[start : start + _WINDOW]
        power = float(np.dot(piece, piece))
        if power / _WINDOW < 1e-4:
            continue  # a pause
        place = start + late
        around = heard[max(0, place - _SWAY) : place + _WINDOW + _SWAY]
        if len(around) > _WINDOW:
            gains.append(float(np.correlate(around, piece, "valid").max()) / power)
    return 20 * float(np.log10(max(float(np.median(gains)), 1e-6))) if gains else -120.0


def _padded(sound: Samples, before_s: float, after_s: float) -> Samples:
    return np.pad(sound, (int(RATE * before_s), int(RATE * after_s)))
