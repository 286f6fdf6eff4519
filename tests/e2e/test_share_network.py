"""A shared page over ways that lose packets or are narrow: late perhaps, but sharp, and never in
the way of others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import (
    SCREEN,
    AudioPlan,
    SetShare,
    SharePlan,
    ShowTiles,
    TilePlan,
)
from lab.lan import LossyLan, lossy_lan
from lab.page import Script, command, draw, luma, ssim
from lab.sides import OurSide, connect, our_side
from lab.weather import Weather

pytestmark = [pytest.mark.long, pytest.mark.needs("netns"), pytest.mark.timeout(180)]
WIDTH, HEIGHT = 1280, 720
FINE = Weather(delay_ms=10)
SHARP_S = 40.0


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    file: Path = tmp_path_factory.mktemp("page") / "page.npy"
    draw(file)
    return Script(str(file), times=90, width=WIDTH, height=HEIGHT)


@pytest.fixture
def lan() -> Iterator[LossyLan]:
    with lossy_lan("a", "b", "c", seed=5) as made:
        made.set(FINE)
        yield made


class _Watched:
    """Who shares on host a, and who looks on the others, by host."""

    def __init__(self, sharing: OurSide, looking: dict[str, OurSide]) -> None:
        self.sharing, self.looking = sharing, looking

    def share(self, script: Script) -> None:
        self.sharing.send(SetShare(SharePlan("test", script.plan())))

    async def sharp(self, host: str, script: Script) -> bool:
        """Whether the page as it ends is there in time, readable."""
        page = np.load(script.file, mmap_mode="r")
        top = script.top(script.times)
        wanted = luma(np.asarray(page[top : top + HEIGHT, :WIDTH]))
        memory = self.looking[host].memory
        assert memory is not None
        for _ in range(round(SHARP_S / 0.25)):
            await asyncio.sleep(0.25)
            picture = newest(memory, 0)
            if picture is not None:
                shown = np.frombuffer(picture.pixels, np.uint8).reshape(HEIGHT, WIDTH, 4)
                if await asyncio.to_thread(ssim, wanted, luma(shown)) >= 0.97:
                    return True
        return False

    def fps(self, host: str) -> float:
        """The most pictures that came in a second."""
        rows = [row for each in self.looking[host].stats() for row in each.rows]
        return max(row.screen_fps_in for row in rows)


async def _watch(stack: AsyncExitStack, lan: LossyLan, *hosts: str) -> _Watched:
    audio = AudioPlan(source="test", open=True)
    sharing = await stack.enter_async_context(
        our_side(audio=audio, program=command, prefix=lan.inside("a"))
    )
    looking = {}
    for host in hosts:
        side = await stack.enter_async_context(our_side(window=True, prefix=lan.inside(host)))
        side.send(ShowTiles((TilePlan(0, host.encode(), WIDTH, HEIGHT, 1, kind=SCREEN),)))
        await connect(sharing, side, host)
        looking[host] = side
    return _Watched(sharing, looking)


async def test_a_page_is_sharp_though_one_packet_in_twenty_is_lost(
    lan: LossyLan, script: Script
) -> None:
    lan.set(Weather(delay_ms=20, loss=0.05), "a", "b")
    async with AsyncExitStack() as stack:
        watched = await _watch(stack, lan, "b")
        watched.share(script)
        assert await watched.sharp("b", script)
        assert watched.fps("b") >= 5


async def test_a_narrow_way_gets_a_sharp_page_and_slows_nobody_else(
    lan: LossyLan, script: Script
) -> None:
    lan.set(Weather(delay_ms=20, rate_bps=1_500_000), "a", "c")
    async with AsyncExitStack() as stack:
        watched = await _watch(stack, lan, "b", "c")
        watched.share(script)
        assert await watched.sharp("b", script)
        assert watched.fps("b") >= 8
        assert await watched.sharp("c", script)


async def test_a_way_that_is_cut_for_a_moment_heals_though_nothing_moves_after(
    lan: LossyLan, script: Script
) -> None:
    async with AsyncExitStack() as stack:
        watched = await _watch(stack, lan, "b")
        watched.share(script)
        await asyncio.sleep(script.times / script.fps - 1.0)
        lan.set(Weather(delay_ms=10, cut=True), "a", "b")
        await asyncio.sleep(3.0)
        lan.set(FINE, "a", "b")
        assert await watched.sharp("b", script)
