"""CPU of who shares a page of 1080p text, whole process: capture, encoding and sending.

The page is scrolled 15 times a second, by 7 and by 40 pixels, then it stands; and a caret blinks on
it twice a second. A picture of the page is cut out of pixels in BGRA and converted, as one of a
real screen is; finding out that something changed is not in it. What the caret costs is the
difference to the same call just before, whose sound goes on a hundred times a second whether or not
something is shared. One receiver of ours decodes it all at full size: what it shows one second
after the page stopped is compared with the page. Beside it aiortc sends the same pages, at what its
encoder does by default.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.calls import rounds, seconds, spread
from bench.measurement import Measurement
from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import SCREEN, SetShare, SharePlan, ShowTiles, TilePlan
from lab.page import HEIGHT, WIDTH, Script, command, draw, luma, ssim
from lab.plans import StockPlan
from lab.sides import OurSide, connect, cpu_seconds, our_side, stock_side

SETTLE_S = 3.0
STEPS = {7: 0.35, 40: 0.6}
CARET_S, CARET_CORES = 0.5, 0.05
SSIM = 0.97
FPS = 15.0


@dataclass(frozen=True)
class Sample:
    """One measured time: cores used, and what came. `call`: cores of the call, taken off."""

    cores: float
    fps: float
    megabits: float
    ssim: float = 0.0
    call: float = 0.0


def measure() -> Iterable[Measurement]:
    """Both speeds and the caret, in turn."""
    ours: dict[str, list[Sample]] = {}
    stock: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.npy"
        draw(file)
        for _ in range(rounds(5)):
            for name, script in _scripts(str(file)).items():
                ours.setdefault(name, []).append(asyncio.run(_ours(script)))
                stock.setdefault(name, []).append(asyncio.run(_stock(script)))
    bounds = {f"scrolled {step} px": cores for step, cores in STEPS.items()}
    for name, samples in ours.items():
        yield Measurement(
            f"share, sender 1080p {name}, CPU",
            [each.cores for each in samples],
            "core",
            at_most=bounds.get(name, CARET_CORES),
            baseline=[each.cores for each in stock[name]],
            note=f"ours {_words(samples)}, stock {_words(stock[name])}",
        )
    for name in bounds:
        yield Measurement(
            f"share, text 1 s after {name}, SSIM",
            [each.ssim for each in ours[name]],
            "",
            at_least=SSIM,
        )


def _words(samples: list[Sample]) -> str:
    rates = spread((each.megabits for each in samples), "Mbit/s")
    call = spread((each.call for each in samples), "core of the call left out")
    words = f"{spread((each.fps for each in samples), 'fps')}, {rates}"
    return f"{words}, {call}" if any(each.call for each in samples) else words


def _scripts(file: str) -> dict[str, Script]:
    times = round((SETTLE_S + seconds(10)) * FPS)
    scripts = {f"scrolled {step} px": Script(file, step, FPS, times) for step in STEPS}
    return {**scripts, "with a caret": Script(file, caret_s=CARET_S)}


async def _ours(script: Script) -> Sample:
    sides = our_side(program=command), our_side(window=True)
    async with sides[0] as sender, sides[1] as viewer:
        viewer.send(ShowTiles((TilePlan(0, b"1", WIDTH, HEIGHT, 1, kind=SCREEN),)))
        await connect(sender, viewer, "1")
        call = 0.0 if script.times else await _cores(sender)
        sender.send(SetShare(SharePlan("test", script.plan())))
        began = time.monotonic()
        await asyncio.sleep(SETTLE_S)
        seen = len(viewer.stats())
        cores = await _cores(sender)
        rows = [row for each in viewer.stats()[seen:] for row in each.rows]
        sharp = 0.0
        if script.times:
            await asyncio.sleep(began + script.times / script.fps + 1.0 - time.monotonic())
            sharp = _sharpness(viewer, script)
    fps = statistics.fmean(row.screen_fps_in for row in rows)
    megabits = statistics.fmean(row.screen_in_bps for row in rows) / 1e6
    return Sample(cores - call, fps, megabits, sharp, call)


async def _cores(sender: OurSide) -> float:
    before, lasts = cpu_seconds(sender.pid), seconds(10)
    await asyncio.sleep(lasts)
    return (cpu_seconds(sender.pid) - before) / lasts


def _sharpness(viewer: OurSide, script: Script) -> float:
    assert viewer.memory is not None
    picture = newest(viewer.memory, 0)
    assert picture is not None, "nothing came"
    shown = np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 4)
    page = np.load(script.file, mmap_mode="r")
    top = script.top(script.times)
    return ssim(luma(np.asarray(page[top : top + HEIGHT])), luma(shown))


async def _stock(script: Script) -> Sample:
    plan = StockPlan(page=script.plan())
    async with stock_side(plan) as sender, stock_side(StockPlan(decode=False)) as viewer:
        await connect(sender, viewer, "1")
        await asyncio.sleep(SETTLE_S)
        before, began = cpu_seconds(sender.pid), await viewer.report()
        lasts = seconds(10)
        await asyncio.sleep(lasts)
        after, ended = cpu_seconds(sender.pid), await viewer.report()
    return Sample(
        cores=(after - before) / lasts,
        fps=(len(ended["counted"]["1"]) - len(began["counted"]["1"])) / lasts,
        megabits=(ended["bytes"]["1"] - began["bytes"]["1"]) * 8 / 1e6 / lasts,
    )
