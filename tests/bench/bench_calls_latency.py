"""How late pictures and sound come, captured to painted and sample in to sample out.

Pictures: 720p30 over the network of this computer into a tile of 640x360, painted by Qt without a
display. The generated picture carries the time at which it was captured; it is read from what was
painted. Sound: said into a virtual microphone, heard from a virtual speaker of PulseAudio, through
Qt at both ends; the same sound is found in recordings of both. Ours runs with the cleaning that
calls have. The baseline is aiortc and Qt as their documentation joins them.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import statistics
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

from bench.calls import rounds, seconds, spread
from bench.measurement import Measurement
from lab.plans import StockPlan, WindowPlan
from lab.sides import PeerSide, connect, stock_side, window_side
from lab.sound import SoundSystem, chirp, repeated, sound_system

WIDTH, HEIGHT = 1280, 720
VIEW = (640, 360)
SETTLE_S = 4.0
CHIRP_EVERY_S = 0.53
UNSEEN = WindowPlan(160, 90, keys=("none",))
"""A window that shows nobody."""
Pair = tuple[PeerSide, PeerSide]


def measure() -> Iterable[Measurement]:
    """Pictures, then sound; ours and the baseline in turn."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    ours: list[float] = []
    stock: list[float] = []
    for _ in range(rounds(5)):
        stock += asyncio.run(_pictures(_stock_pictures))
        ours += asyncio.run(_pictures(_our_pictures))
    yield _judged("calls, picture captured to painted", ours, stock, 0.35)
    with sound_system(speakers=("speaker",), microphones=("microphone",)) as system:
        ours, stock = [], []
        for _ in range(rounds(5)):
            stock += asyncio.run(_sound(_stock_sound, system))
            ours += asyncio.run(_sound(_our_sound, system))
    yield _judged("calls, sample in to sample out", ours, stock, 0.6)


def _judged(name: str, ours: list[float], stock: list[float], most: float) -> Measurement:
    note = f"ours {spread(_tails(ours), 'ms p95')}, stock {spread(_tails(stock), 'ms p95')}"
    return Measurement(name, ours, "ms", at_most=most, baseline=stock, of_ratio=True, note=note)


def _tails(values: list[float]) -> list[float]:
    return [statistics.quantiles(values, n=20)[-1]] if len(values) > 20 else []


# --- pictures


@contextlib.asynccontextmanager
async def _stock_pictures() -> AsyncIterator[Pair]:
    sender = StockPlan(width=WIDTH, height=HEIGHT)
    async with stock_side(sender) as one, stock_side(StockPlan(view=VIEW)) as other:
        yield one, other


@contextlib.asynccontextmanager
async def _our_pictures() -> AsyncIterator[Pair]:
    sends = window_side(dataclasses.replace(UNSEEN, sends=HEIGHT))
    async with sends as one, window_side(WindowPlan(*VIEW)) as other:
        yield one, other


async def _pictures(make: Callable[[], AbstractAsyncContextManager[Pair]]) -> list[float]:
    """Milliseconds from captured to painted, for each picture painted."""
    async with make() as (sender, viewer):
        await connect(sender, viewer, "1")
        await asyncio.sleep(SETTLE_S)
        before = len((await viewer.report())["pictures"]["view"])
        await asyncio.sleep(seconds(8))
        painted = (await viewer.report())["pictures"]["view"][before:]
    assert painted, "no picture was painted"
    return [(at - micros / 1e6) * 1000 for at, micros, _ in painted]


# --- sound


@contextlib.asynccontextmanager
async def _stock_sound(system: SoundSystem) -> AsyncIterator[Pair]:
    said = stock_side(StockPlan(sound="microphone"), environment=system.environment)
    heard = stock_side(StockPlan(speaker="speaker"), environment=system.environment)
    async with said as one, heard as other:
        yield one, other


@contextlib.asynccontextmanager
async def _our_sound(system: SoundSystem) -> AsyncIterator[Pair]:
    says = dataclasses.replace(UNSEEN, microphone="microphone")
    hears = dataclasses.replace(UNSEEN, speaker="speaker")
    said = window_side(says, environment=system.environment)
    heard = window_side(hears, environment=system.environment)
    async with said as one, heard as other:
        yield one, other


async def _sound(
    make: Callable[[SoundSystem], AbstractAsyncContextManager[Pair]], system: SoundSystem
) -> list[float]:
    """Milliseconds from microphone to speaker, for each chirp."""
    sound = chirp()
    times = max(4, round(seconds(8) / CHIRP_EVERY_S))
    async with make(system) as (sender, hearer):
        await connect(sender, hearer, "1")
        await asyncio.sleep(SETTLE_S)
        said, heard = (
            await asyncio.to_thread(system.record, "microphone"),
            await asyncio.to_thread(system.record, "speaker.monitor"),
        )
        player = system.play("microphone", repeated(sound, times, CHIRP_EVERY_S))
        await asyncio.to_thread(player.wait, 120)
        await asyncio.sleep(1)
        await asyncio.to_thread(said.end)
        await asyncio.to_thread(heard.end)
    ins, outs = said.times(sound), heard.times(sound)
    assert outs, "nothing was heard"
    return [
        (min(later) - at) * 1000
        for at in ins
        if (later := [out for out in outs if 0 <= out - at < CHIRP_EVERY_S])
    ]
