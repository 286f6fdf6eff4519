"""A page of text is shared from one media process to another: sharp, at once, and then nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from folkmoot.media.descriptions import MAX_CANDIDATES
from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import (
    SCREEN,
    SELF,
    WHOLE,
    AnyReport,
    AudioPlan,
    Connect,
    Describe,
    Described,
    PeerBroken,
    PictureChanged,
    SetAudio,
    SetShare,
    SetVideo,
    ShareChanged,
    SharePlan,
    ShowTiles,
    StatsRow,
    StatsTaken,
    TilePlan,
    VideoPlan,
)
from integration.media.ends import WAIT_S, End, connect, two
from lab.page import Script, command, draw, luma, ssim

WIDTH, HEIGHT = 1280, 720


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.npy"
    draw(file)
    return file


def _script(page: Path, **more: object) -> Script:
    return Script(str(page), width=WIDTH, height=HEIGHT, **more)  # type: ignore[arg-type]


def _share(end: End, script: Script, *, paused: bool = False) -> None:
    end.send(SetShare(SharePlan("test", script.plan(), paused=paused)))


def _look(end: End, peer: bytes, tag: int = 7, **more: object) -> None:
    plan = TilePlan(2, peer, WIDTH, HEIGHT, tag, kind=SCREEN, **more)  # type: ignore[arg-type]
    end.send(ShowTiles((plan,)))


def _shown(end: End, tag: int = 7) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    assert end.media is not None
    memory = end.media.memory
    assert memory is not None
    picture = newest(memory, 2)
    if picture is None or picture.tag != tag:
        return None
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 4)


def _source(script: Script, number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    top = script.top(number)
    pixels = np.load(script.file, mmap_mode="r")[top : top + HEIGHT, :WIDTH]
    return luma(np.asarray(pixels))


async def _sharp(end: End, script: Script, *, at_least: float = 0.97, tag: int = 7) -> float:
    """Wait until the picture that the page ends with is shown, as sharp as that; how sharp."""
    wanted, best = _source(script, script.times), 0.0
    async with asyncio.timeout(WAIT_S):
        while best < at_least:  # shared memory tells nobody that it changed
            await asyncio.sleep(0.05)
            picture = _shown(end, tag)
            if picture is not None:
                best = await asyncio.to_thread(ssim, wanted, luma(picture))
    return best


def _rows(end: End, after: int = 0) -> list[StatsRow]:
    return [report.rows[0] for report in end.reports[after:] if isinstance(report, StatsTaken)]


async def _quiet(end: End) -> int:
    """Wait for two seconds in a row, from now on, in which no bit of the screen was sent."""
    begin = len(end.reports)

    def still(_: AnyReport) -> bool:
        rows = _rows(end, begin)[-2:]
        return len(rows) == 2 and all(row.screen_out_bps == 0 for row in rows)

    await end.wait_for(still, begin)
    return len(end.reports)


def _is(report_kind: type[AnyReport], /, **fields: object) -> Callable[[AnyReport], bool]:
    return lambda report: (
        isinstance(report, report_kind)
        and all(getattr(report, name) == value for name, value in fields.items())
    )


async def test_a_share_arrives_sharp_and_stops_when_nothing_moves(page: Path) -> None:
    script = _script(page, times=20)
    async with two(command) as (ada, bob):
        _look(bob, ada.name)
        connect(ada, bob)
        await ada.path("connected")
        _share(ada, script)
        await ada.wait_for(_is(ShareChanged, state="sharing"))
        size = PictureChanged(ada.name, WIDTH, HEIGHT, SCREEN)
        await bob.wait_for(lambda report: report == size)
        assert await _sharp(bob, script) >= 0.97
        await bob.wait_for(_has_screen_stats)
        await _quiet(ada)
        assert await _sharp(bob, script) >= 0.97
        assert size == [r for r in bob.reports if isinstance(r, PictureChanged)][-1]


def _has_screen_stats(report: AnyReport) -> bool:
    if not isinstance(report, StatsTaken):
        return False
    row = report.rows[0]
    return row.screen_in_bps > 0 and (row.screen_width, row.screen_height) == (WIDTH, HEIGHT)


@pytest.mark.long
async def test_who_comes_while_nothing_moves_sees_it_at_once(page: Path) -> None:
    script = _script(page)
    async with two(command) as (ada, bob):
        _look(bob, ada.name)
        _share(ada, script)
        await ada.wait_for(_is(PictureChanged, kind=SCREEN))
        connect(ada, bob)
        await bob.path("connected")
        assert await _sharp(bob, script) >= 0.97


@pytest.mark.long
async def test_a_new_way_carries_the_share_over(page: Path) -> None:
    script = _script(page)
    async with two(command) as (ada, bob):
        for end in (ada, bob):
            end.send(SetAudio(AudioPlan(source="test", open=True)))
        _share(ada, script)
        connect(ada, bob)
        await bob.path("flowing")
        await bob.wait_for(_is(PictureChanged, kind=SCREEN))
        await _quiet(ada)
        connect(ada, bob, 2)
        await bob.path("closed", 1)
        _look(bob, ada.name)  # decoded from now on, so it has to come on the new way
        assert await _sharp(bob, script) >= 0.97


async def test_a_pause_keeps_the_last_picture_also_for_who_comes_then(page: Path) -> None:
    script = _script(page, times=10_000, step=1)
    async with two(command) as (ada, bob):
        _share(ada, script)
        await ada.wait_for(_is(PictureChanged, kind=SCREEN))
        _share(ada, script, paused=True)
        await ada.wait_for(_is(ShareChanged, state="paused"))
        connect(ada, bob)
        await bob.path("connected")
        _look(bob, ada.name)
        await bob.wait_for(_is(PictureChanged, kind=SCREEN, width=WIDTH))
        await _quiet(ada)
        async with asyncio.timeout(WAIT_S):
            while (first := _shown(bob)) is None:  # noqa: ASYNC110 - memory tells nobody
                await asyncio.sleep(0.02)
        assert first[..., :3].std() > 10
        _share(ada, script)
        await ada.wait_for(_is(ShareChanged, state="sharing"), len(ada.reports))


@pytest.mark.long
async def test_the_end_of_a_share_is_told_to_who_shares(page: Path) -> None:
    async with two(command) as (ada, _):
        _share(ada, _script(page))
        await ada.wait_for(lambda report: report == PictureChanged(SELF, WIDTH, HEIGHT, SCREEN))
        ada.send(SetShare(SharePlan()))
        await ada.wait_for(_is(ShareChanged, state="ended", code=""))
        await ada.wait_for(lambda report: report == PictureChanged(SELF, 0, 0, SCREEN))


@pytest.mark.long
async def test_the_end_of_a_share_is_noticed_and_a_still_one_is_no_end(page: Path) -> None:
    async with two(command) as (ada, bob):
        connect(ada, bob)
        await bob.path("connected")
        _share(ada, _script(page))
        await bob.wait_for(_is(PictureChanged, kind=SCREEN, width=WIDTH))
        await bob.several(StatsTaken, len(_rows(bob)) + 8)
        gone = PictureChanged(ada.name, 0, 0, SCREEN)
        assert gone not in bob.reports
        ada.send(SetShare(SharePlan()))
        await bob.wait_for(lambda report: report == gone)
        seen = len(bob.reports)
        _share(ada, _script(page))
        await bob.wait_for(_is(PictureChanged, kind=SCREEN, width=WIDTH), seen)


@pytest.mark.long
async def test_our_own_share_is_a_tile_and_zoom_shows_a_part_of_it(page: Path) -> None:
    script = _script(page)
    async with two(command) as (ada, _):
        _share(ada, script)
        await ada.wait_for(_is(PictureChanged, kind=SCREEN))
        _look(ada, SELF)  # nothing moves any more: the kept picture is shown
        await _sharp(ada, script, at_least=0.99)
        _look(ada, SELF, 8, zoom=(0, 0, WHOLE // 2, WHOLE // 2))
        async with asyncio.timeout(WAIT_S):
            while (part := _shown(ada, 8)) is None:  # noqa: ASYNC110 - memory tells nobody
                await asyncio.sleep(0.02)
        # Twice as large: every other pixel is that of the source, or nearly.
        source = _source(script, 0)[: HEIGHT // 2, : WIDTH // 2]
        apart = np.abs(luma(part)[::2, ::2].astype(int) - source)
        assert np.median(apart) < 8
        assert apart.mean() < 30


@pytest.mark.long
async def test_a_camera_and_a_screen_come_side_by_side(page: Path) -> None:
    script = _script(page, times=45)
    async with two(command) as (ada, bob):
        screen = TilePlan(2, ada.name, WIDTH, HEIGHT, 7, kind=SCREEN)
        bob.send(ShowTiles((screen, TilePlan(3, ada.name, 320, 180, 7))))
        connect(ada, bob)
        ada.send(SetVideo(VideoPlan(source="test", open=True, profile="saver")))
        _share(ada, script)
        assert await _sharp(bob, script) >= 0.97
        await bob.wait_for(_has_both)


def _has_both(report: AnyReport) -> bool:
    if not isinstance(report, StatsTaken):
        return False
    row = report.rows[0]
    return (row.fps_in, row.height, row.screen_height) >= (10.0, 360, HEIGHT)


@pytest.mark.long
async def test_nothing_is_decoded_that_no_tile_wants(page: Path) -> None:
    async with two(command) as (ada, bob):
        connect(ada, bob)
        _share(ada, _script(page, times=10_000))
        await bob.wait_for(_is(PictureChanged, kind=SCREEN))
        assert _shown(bob) is None


@pytest.mark.long
async def test_a_page_whose_only_packets_were_all_lost_is_asked_for(page: Path) -> None:
    script = _script(page, dark_s=2.0)  # longer than it is refined: then nothing more is sent
    async with two(command) as (ada, bob):
        _look(bob, ada.name)
        connect(ada, bob)
        await bob.path("connected")
        _share(ada, script)
        assert await _sharp(bob, script) >= 0.97


@pytest.mark.long
async def test_the_lost_end_of_what_moved_is_asked_for(page: Path) -> None:
    before = _script(page)
    after = _script(page, times=1, fps=5.0, dark_s=2.0)
    async with two(command) as (ada, bob):
        _look(bob, ada.name)
        connect(ada, bob)
        await bob.path("connected")
        _share(ada, before)
        assert await _sharp(bob, before) >= 0.97
        await _quiet(ada)
        _share(ada, after)
        assert await _sharp(bob, after) >= 0.97


@pytest.mark.parametrize("change", ["three", "one"])
async def test_another_number_of_pictures_is_refused(change: str) -> None:
    async with two(command) as (ada, bob):
        ada.other = None
        ada.send(Connect(bob.name, 1, offers=True))
        offer = await ada.wait_for(lambda report: isinstance(report, Described))
        assert isinstance(offer, Described)
        head, mark, last = offer.sdp.rpartition("m=video")
        sdp = head if change == "one" else offer.sdp + mark + last
        assert sdp.count("a=candidate") <= MAX_CANDIDATES
        bob.send(Connect(ada.name, 1, offers=False))
        bob.send(Describe(ada.name, 1, "offer", sdp))
        broken = await bob.wait_for(lambda report: isinstance(report, PeerBroken))
        assert isinstance(broken, PeerBroken)
        assert broken.code == "bad_description"
