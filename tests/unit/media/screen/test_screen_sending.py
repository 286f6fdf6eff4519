"""One encoding for all who receive a share, another for slow ones, and nothing for nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import av
import numpy as np
import pytest

from folkmoot.media.encoding import EncodedPicture
from folkmoot.media.rates import Level
from folkmoot.media.screen.sending import PLAN_S, ScreenSender
from folkmoot.media.tracks import PictureTrack
from folkmoot.services.media_port import SharePlan

_TEST = SharePlan("test")


def _frame(level: int = 90) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((540, 640), level, np.uint8), format="yuv420p")


class _Sharing:
    """A sender with its limits and warnings."""

    def __init__(self) -> None:
        self.limits: list[tuple[int, int, int]] = []
        self.warnings: list[str] = []
        self.loop = asyncio.get_running_loop()
        self._now = self.loop.time()
        self.sender = ScreenSender(
            self.loop, limits=lambda *limits: self.limits.append(limits), warn=self.warnings.append
        )

    def add(self) -> PictureTrack:
        track = PictureTrack(
            self.sender.want_key, lambda rate: self.sender.note_estimate(track, rate)
        )
        self.sender.add(track)
        track.start()
        return track

    def replan(self) -> None:
        self._now += PLAN_S
        self.sender.tick(self._now)

    async def show(self, level: int = 90) -> None:
        await asyncio.to_thread(self.sender.take, _frame(level), time.monotonic_ns())

    def encodings(self) -> int:
        return len(self.sender._encoders)


async def _next(track: PictureTrack) -> EncodedPicture:
    async with asyncio.timeout(20):
        picture: EncodedPicture = await track.recv()
        return picture


@pytest.fixture
def made() -> Iterator[list[_Sharing]]:
    sharings: list[_Sharing] = []
    yield sharings
    for each in sharings:
        each.sender.close()


async def test_all_receivers_get_the_very_same_picture(made: list[_Sharing]) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    tracks = [here.add() for _ in range(3)]
    await here.show()
    first = await _next(tracks[0])
    assert first.key
    assert [await _next(track) for track in tracks[1:]] == [first, first]
    assert here.encodings() == 1
    assert here.warnings == []


async def test_who_comes_later_gets_a_whole_picture_though_nothing_moves(
    made: list[_Sharing],
) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    await here.show()
    assert here.encodings() == 0
    assert (await _next(here.add())).key
    late = here.add()
    assert (await _next(late)).key


async def test_a_share_that_ended_is_kept_for_nobody(made: list[_Sharing]) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    track = here.add()
    await here.show()
    await _next(track)
    here.sender.set_plan(SharePlan())
    assert here.encodings() == 0
    await here.show()
    here.replan()
    here.sender.set_plan(_TEST)
    assert here.sender._last is None


async def test_what_was_shared_before_a_switch_is_kept_for_nobody(made: list[_Sharing]) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    await here.show()
    here.sender.set_plan(SharePlan("test", paused=True))
    assert here.sender._last is not None  # a pause keeps it
    here.sender.set_plan(SharePlan("window", "window:1"))
    track = here.add()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await track.recv()
    await here.show()
    assert (await _next(track)).key


async def test_a_slow_receiver_gets_its_own_encoding_as_large_as_the_others(
    made: list[_Sharing],
) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    fast, slow = here.add(), here.add()
    fast.target_bitrate, slow.target_bitrate = 20_000_000, 300_000
    here.replan()
    assert (fast.level, slow.level) == (Level.FULL, Level.LOW)
    await here.show()
    one, other = await _next(fast), await _next(slow)
    assert one is not other
    assert one.key
    assert other.key
    here.sender.remove(slow)
    assert here.encodings() == 1


async def test_the_source_is_asked_for_no_more_than_is_chosen(made: list[_Sharing]) -> None:
    made.append(here := _Sharing())
    here.add()
    here.sender.set_plan(SharePlan("test", fps=12))
    assert here.limits[-1] == (3840, 2160, 12)
    here.sender.set_plan(_TEST)
    assert here.limits[-1] == (3840, 2160, 30)


async def test_without_anybody_the_source_is_asked_for_few(made: list[_Sharing]) -> None:
    made.append(here := _Sharing())
    here.sender.set_plan(_TEST)
    assert here.limits[-1] == (3840, 2160, 5)
    here.add()
    assert here.limits[-1] == (3840, 2160, 30)
