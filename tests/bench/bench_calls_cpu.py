"""CPU of a sender of 720p30 to three receivers, beside aiortc with a relay, at equal pictures.

Both send the generated picture over the network of this computer to the same three receivers,
which are plain aiortc. One of them decodes; its pictures are compared with the source by their
numbers, so that the PSNR stands beside. aiortc's limits are set to the rate that ours had in the
same round. The sender's process is measured whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.calls import psnr_of, rounds, seconds, spread
from bench.measurement import Measurement
from folkmoot.services.media_port import VideoPlan
from lab.plans import StockPlan
from lab.sides import PeerSide, Side, connect, cpu_seconds, our_side, stock_side

WIDTH, HEIGHT = 1280, 720
SETTLE_S = 8.0
KEEP_EVERY = 30
OURS = VideoPlan(source="test", open=True, profile="high", height=HEIGHT)


@dataclass(frozen=True)
class Sample:
    """One measured time: cores used, and what the decoding receiver got."""

    cores: float
    psnr_db: float
    megabits: float
    fps: float


def measure() -> Iterable[Measurement]:
    """Both senders, in turn."""
    ours, stock = asyncio.run(_measure())
    note = "; ".join(
        f"{name} PSNR {spread((each.psnr_db for each in samples), 'dB')},"
        f" {spread((each.megabits for each in samples), 'Mbit/s')},"
        f" {spread((each.fps for each in samples), 'fps')}"
        for name, samples in (("ours", ours), ("stock", stock))
    )
    yield Measurement(
        "calls, sender 720p30 to three, CPU",
        [each.cores for each in ours],
        "core",
        at_most=0.33,
        baseline=[each.cores for each in stock],
        of_ratio=True,
        note=note,
    )


async def _measure() -> tuple[list[Sample], list[Sample]]:
    ours, stock = [], []
    for _ in range(rounds(5)):
        async with our_side(video=OURS) as media:
            ours.append(await _sample(media))
        rate = round(ours[-1].megabits * 1e6)
        async with stock_side(StockPlan(width=WIDTH, height=HEIGHT, bitrate=rate)) as sender:
            stock.append(await _sample(sender))
    return ours, stock


async def _sample(sender: Side) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        async with _receivers(Path(folder)) as (seeing, counting):
            await connect(sender, seeing, "1")
            await connect(sender, counting, "2")
            await connect(sender, counting, "3")
            await asyncio.sleep(SETTLE_S)
            await asyncio.to_thread(_empty, Path(folder))
            before, began = cpu_seconds(sender.pid), await seeing.report()
            lasts = seconds(10)
            await asyncio.sleep(lasts)
            after, ended = cpu_seconds(sender.pid), await seeing.report()
        return Sample(
            cores=(after - before) / lasts,
            psnr_db=await asyncio.to_thread(psnr_of, Path(folder), WIDTH, HEIGHT),
            megabits=(ended["bytes"]["1"] - began["bytes"]["1"]) * 8 / 1e6 / lasts,
            fps=(len(ended["counted"]["1"]) - len(began["counted"]["1"])) / lasts,
        )


def _empty(folder: Path) -> None:
    for file in folder.glob("*.npy"):
        file.unlink()


@contextlib.asynccontextmanager
async def _receivers(folder: Path) -> AsyncIterator[tuple[PeerSide, PeerSide]]:
    """One that decodes, and one process for two that do not."""
    decoding = StockPlan(keep=KEEP_EVERY, folder=str(folder))
    async with stock_side(decoding) as seeing, stock_side(StockPlan(decode=False)) as counting:
        yield seeing, counting
