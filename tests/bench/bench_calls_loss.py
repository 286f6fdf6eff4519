"""A call over a poor network: freezes, lost sound and delay, beside aiortc and Qt.

Two hosts in network namespaces behind the lossy switch of `lab`, 100 ms round trip. A quiet time,
then five minutes of loss in both directions, then a quiet time again. 720p30 pictures with a stamp
are painted; unmistakable noise is said into a virtual microphone and followed to the virtual
speaker. A picture that comes later than 183 ms after the one before it is a freeze (the bound of
W3C's statistics at 30 a second), and its whole time counts as frozen; a second of a good call shows
30 pictures. Their delay is from the stamp in the picture to the painted tile. Sound that is made up
for a lost packet counts as lost. Our cleaning of sound is off: it would take the noise away. Needs
root; FOLKMOOT_BENCH_SECONDS sets the time of loss, FOLKMOOT_BENCH_KINDS (names, separated by ``;``)
which kinds there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import pairwise

from bench.calls import seconds
from bench.measurement import Measurement
from lab.lan import LossyLan, lossy_lan
from lab.plans import StockPlan, WindowPlan
from lab.sides import PeerSide, connect, stock_side, window_side
from lab.sound import Recording, SoundSystem, sound_system
from lab.tracing import Trace, make_noise, trace
from lab.weather import Weather

WIDTH, HEIGHT, VIEW = 1280, 720, (640, 360)
DELAY_MS = 50
FREEZE_S = 0.183
SETTLE_S, QUIET_S, RECOVER_S, TAIL_S = 8.0, 10.0, 10.0, 10.0
KINDS = {
    "5 %": Weather(delay_ms=DELAY_MS, loss=0.05),
    "20 %": Weather(delay_ms=DELAY_MS, loss=0.2),
    "bursts of ten, 5 %": Weather(delay_ms=DELAY_MS, loss=0.05, burst=10),
}
Pair = tuple[PeerSide, PeerSide]
Make = Callable[[LossyLan, SoundSystem], AbstractAsyncContextManager[Pair]]


@dataclass(frozen=True)
class Result:
    """What came through one call."""

    longest_s: float
    frozen_s: float
    fps: float
    picture_delays_s: tuple[float, float, float]
    """Before, during and after the loss."""
    sound_lost: float
    network_lost: float
    delay_before_s: float
    delay_after_s: float

    @property
    def lost_ratio(self) -> float:
        """Sound lost over packets lost."""
        return self.sound_lost / self.network_lost if self.network_lost else float("inf")

    @property
    def delay_ratio(self) -> float:
        """Delay of the sound after the loss over that before it."""
        return self.delay_after_s / self.delay_before_s

    @property
    def picture_delay_ratio(self) -> float:
        """Delay of the pictures after the loss over that before it."""
        return self.picture_delays_s[2] / self.picture_delays_s[0]


def measure() -> Iterable[Measurement]:
    """Each kind of loss, the baseline first."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    chosen = [kind for kind in os.environ.get("FOLKMOOT_BENCH_KINDS", "").split(";") if kind]
    for name in chosen or KINDS:
        weather = KINDS[name]
        stock = asyncio.run(_run(_stock, weather))
        ours = asyncio.run(_run(_ours, weather))
        yield from _rows(name, ours, stock, judged=name == "5 %")


def _rows(name: str, ours: Result, stock: Result, judged: bool) -> Iterable[Measurement]:
    lost = f"network {ours.network_lost:.2%} / {stock.network_lost:.2%}"
    delays = (
        f"ours {ours.delay_before_s * 1000:.0f} to {ours.delay_after_s * 1000:.0f} ms,"
        f" stock {stock.delay_before_s * 1000:.0f} to {stock.delay_after_s * 1000:.0f} ms"
    )
    for what, unit, value, base, most, note in (
        ("longest freeze", "s", ours.longest_s, stock.longest_s, 0.5, ""),
        ("frozen", "s", ours.frozen_s, stock.frozen_s, None, ""),
        ("pictures a second", "", ours.fps, stock.fps, None, ""),
        ("sound lost / network lost", "x", ours.lost_ratio, stock.lost_ratio, 1.2, lost),
        ("delay after / before", "x", ours.delay_ratio, stock.delay_ratio, 1.3, delays),
        (
            "picture delay after / before",
            "x",
            ours.picture_delay_ratio,
            stock.picture_delay_ratio,
            1.3,
            f"ours {_path(ours)}, stock {_path(stock)} ms",
        ),
    ):
        yield Measurement(
            f"calls, {name}: {what}",
            [value],
            unit,
            at_most=most if judged else None,
            baseline=[base],
            note=note,
        )


def _path(result: Result) -> str:
    return " to ".join(f"{delay * 1000:.0f}" for delay in result.picture_delays_s)


@contextlib.asynccontextmanager
async def _stock(lan: LossyLan, system: SoundSystem) -> AsyncIterator[Pair]:
    says = StockPlan(width=WIDTH, height=HEIGHT, sound="microphone")
    hears = StockPlan(view=VIEW, speaker="speaker")
    said = stock_side(says, prefix=lan.inside("a"), environment=system.environment)
    heard = stock_side(hears, prefix=lan.inside("b"), environment=system.environment)
    async with said as one, heard as other:
        yield one, other


@contextlib.asynccontextmanager
async def _ours(lan: LossyLan, system: SoundSystem) -> AsyncIterator[Pair]:
    says = WindowPlan(160, 90, ("none",), microphone="microphone", sends=HEIGHT, clean=False)
    hears = WindowPlan(*VIEW, speaker="speaker", clean=False)
    said = window_side(says, prefix=lan.inside("a"), environment=system.environment)
    heard = window_side(hears, prefix=lan.inside("b"), environment=system.environment)
    async with said as one, heard as other:
        yield one, other


async def _run(make: Make, weather: Weather) -> Result:
    lasts = seconds(300)
    with lossy_lan("a", "b", seed=3) as lan, sound_system() as system:
        lan.set(Weather(delay_ms=DELAY_MS))
        async with make(lan, system) as (sender, viewer):
            await connect(sender, viewer, "1")
            await asyncio.sleep(SETTLE_S)
            said = await asyncio.to_thread(system.record, "microphone")
            heard = await asyncio.to_thread(system.record, "speaker.monitor")
            noise = make_noise(QUIET_S + lasts + RECOVER_S + TAIL_S)
            player = system.play("microphone", noise)
            await asyncio.sleep(QUIET_S)
            before = lan.counts("a", "b")
            lan.set(weather)
            began = time.monotonic()
            await asyncio.sleep(lasts)
            lan.set(Weather(delay_ms=DELAY_MS))
            ended = time.monotonic()
            after = lan.counts("a", "b")
            await asyncio.sleep(RECOVER_S + TAIL_S)
            painted = (await viewer.report())["pictures"]["view"]
            player.kill()
            followed = await asyncio.to_thread(_follow, said, heard)
    lost, carried = after.lost - before.lost, after.carried - before.carried
    gaps = _gaps(painted, began, ended)
    return Result(
        longest_s=max(gaps),
        frozen_s=sum(gap for gap in gaps if gap > FREEZE_S),
        fps=(len(gaps) - 1) / (ended - began),
        picture_delays_s=(
            _delay(painted, began - QUIET_S / 2, began),
            _delay(painted, began, ended),
            _delay(painted, ended + RECOVER_S, ended + RECOVER_S + TAIL_S / 2),
        ),
        sound_lost=followed.lost(began, ended) - followed.lost(began - QUIET_S / 2, began),
        network_lost=lost / max(1, lost + carried),
        delay_before_s=followed.delay(began - QUIET_S / 2, began),
        delay_after_s=followed.delay(ended + RECOVER_S, ended + RECOVER_S + TAIL_S / 2),
    )


def _follow(said: Recording, heard: Recording) -> Trace:
    return trace(said.end(), said.start(), heard.end(), heard.start())


def _gaps(painted: list[tuple[float, int, int]], began: float, ended: float) -> list[float]:
    """Seconds between new pictures from `began` to `ended`, both ends counted."""
    times, last = [began], -1
    for at, _, number in painted:
        if began <= at < ended and number != last:
            last = number
            times.append(at)
    return [later - earlier for earlier, later in pairwise([*times, ended])]


def _delay(painted: list[tuple[float, int, int]], begin: float, end: float) -> float:
    """Median seconds from the stamp in a picture to its being painted."""
    late = [at - micros / 1e6 for at, micros, _ in painted if begin <= at < end]
    return statistics.median(late) if late else float("inf")
