"""How late a shared page comes, captured to decoded, beside aiortc.

A page of 1080p text is scrolled by 7 pixels 15 times a second over the network of this computer. It
carries the time at which it was taken, which is read from what was decoded.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench.calls import rounds, seconds, spread
from bench.measurement import Measurement
from folkmoot.media.devices.stamp import read_stamp
from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import SCREEN, SetShare, SharePlan, ShowTiles, TilePlan
from lab.page import Script, command, draw
from lab.plans import StockPlan
from lab.sides import OurSide, connect, our_side, stock_side

SETTLE_S = 4.0
LOOK_S = 0.02
MOST = 0.35


def measure() -> Iterable[Measurement]:
    """Ours and the baseline in turn."""
    ours: list[float] = []
    stock: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.npy"
        draw(file)
        script = Script(str(file), times=1_000_000, stamped=True)
        for _ in range(rounds(5)):
            stock += asyncio.run(_stock(script))
            ours += asyncio.run(_ours(script))
    tails = [
        f"{name} {spread(statistics.quantiles(each, n=20)[-1:], 'ms p95')}"
        for name, each in (("ours", ours), ("stock", stock))
    ]
    yield Measurement(
        "share, captured to decoded",
        ours,
        "ms",
        at_most=MOST,
        baseline=stock,
        of_ratio=True,
        note=", ".join(tails),
    )


async def _ours(script: Script) -> list[float]:
    sides = our_side(program=command), our_side(window=True)
    async with sides[0] as sender, sides[1] as viewer:
        viewer.send(ShowTiles((TilePlan(0, b"1", 960, 540, 1, kind=SCREEN),)))
        await connect(sender, viewer, "1")
        sender.send(SetShare(SharePlan("test", script.plan())))
        await asyncio.sleep(SETTLE_S)
        return await _watch(viewer)


async def _watch(viewer: OurSide) -> list[float]:
    """Milliseconds for each picture; the time beside a tile is when it was decoded."""
    assert viewer.memory is not None
    found: dict[int, float] = {}
    for _ in range(round(seconds(8) / LOOK_S)):
        picture = newest(viewer.memory, 0)
        if picture is not None:
            pixels = np.frombuffer(picture.pixels, np.uint8)
            stamp = read_stamp(pixels.reshape(picture.height, picture.width, 4))
            if stamp is not None:
                found[stamp.number] = picture.captured_ns / 1e6 - stamp.micros / 1e3
        await asyncio.sleep(LOOK_S)
    assert found, "nothing came"
    return list(found.values())


async def _stock(script: Script) -> list[float]:
    sends, sees = StockPlan(page=script.plan()), StockPlan(keep=10**9)
    async with stock_side(sends) as sender, stock_side(sees) as viewer:
        await connect(sender, viewer, "1")
        await asyncio.sleep(SETTLE_S)
        before = len((await viewer.report())["pictures"]["1"])
        await asyncio.sleep(seconds(8))
        came = (await viewer.report())["pictures"]["1"][before:]
    assert came, "nothing came"
    return [(at - micros / 1e6) * 1000 for at, micros, _ in came]
