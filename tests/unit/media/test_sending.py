"""One encoding for all who receive, and a small one only for those who need it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import av
import numpy as np
import pytest

from folkmoot.media.encoding import EncodedPicture
from folkmoot.media.rates import Level
from folkmoot.media.sending import PLAN_S, PictureSender
from folkmoot.media.tracks import PictureTrack
from folkmoot.services.media_port import VideoPlan

_OPEN = VideoPlan(source="test", open=True, profile="saver")


def _frame() -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((540, 640), 90, np.uint8), format="yuv420p")


class _Sending:
    """A sender with its limits and warnings."""

    def __init__(self) -> None:
        self.limits: list[tuple[int, int, int]] = []
        self.warnings: list[str] = []
        self.loop = asyncio.get_running_loop()
        self._now = self.loop.time()
        self.sender = PictureSender(
            self.loop,
            limits=lambda width, height, fps: self.limits.append((width, height, fps)),
            warn=self.warnings.append,
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

    async def first(self, track: PictureTrack) -> EncodedPicture:
        """Feed pictures until one comes to `track`."""
        coming = asyncio.ensure_future(track.recv())
        async with asyncio.timeout(20):
            while not coming.done():
                await asyncio.to_thread(self.sender.take, _frame(), time.monotonic_ns())
                await asyncio.wait({coming}, timeout=0.03)
        picture: EncodedPicture = coming.result()
        return picture


@pytest.fixture
def sending() -> Iterator[list[_Sending]]:
    made: list[_Sending] = []
    yield made
    for each in made:
        each.sender.close()


async def test_all_receivers_get_the_very_same_picture(sending: list[_Sending]) -> None:
    here = _Sending()
    sending.append(here)
    here.sender.set_plan(_OPEN)
    tracks = [here.add() for _ in range(3)]
    first = await here.first(tracks[0])
    assert first.key
    assert await here.first(tracks[1]) is first
    assert await here.first(tracks[2]) is first
    assert here.warnings == []


async def test_a_slow_receiver_gets_small_pictures_and_the_fast_one_does_not(
    sending: list[_Sending],
) -> None:
    here = _Sending()
    sending.append(here)
    here.sender.set_plan(_OPEN)
    fast, slow = here.add(), here.add()
    fast.target_bitrate, slow.target_bitrate = 5_000_000, 70_000
    here.replan()
    assert (fast.level, slow.level) == (Level.FULL, Level.LOW)
    small = await here.first(slow)
    large = await here.first(fast)
    assert small.key
    assert large is not small
    assert here.sender._low is not None
    here.sender.remove(slow)
    here.replan()
    assert here.sender._low is None


async def test_nothing_is_encoded_for_nobody(sending: list[_Sending]) -> None:
    here = _Sending()
    sending.append(here)
    here.sender.set_plan(_OPEN)
    assert here.sender._main is None
    track = here.add()
    assert here.sender._main is not None
    here.sender.remove(track)
    assert here.sender._main is None


async def test_a_closed_camera_ends_the_encoding(sending: list[_Sending]) -> None:
    here = _Sending()
    sending.append(here)
    here.sender.set_plan(_OPEN)
    track = here.add()
    await here.first(track)
    here.sender.set_plan(VideoPlan())
    here.replan()
    assert here.sender._main is None


async def test_the_source_is_told_the_size_of_the_profile(sending: list[_Sending]) -> None:
    here = _Sending()
    sending.append(here)
    here.sender.set_plan(_OPEN)
    here.sender.set_plan(VideoPlan(source="test", open=True, profile="high", height=540))
    assert here.limits == [(640, 360, 15), (960, 540, 30)]


async def test_a_camera_that_is_opened_in_the_call_is_encoded_at_once(
    sending: list[_Sending],
) -> None:
    here = _Sending()
    sending.append(here)
    track = here.add()
    here.sender.set_plan(_OPEN)
    assert here.sender._main is not None
    assert (await here.first(track)).key


async def test_h264_is_sent_where_it_was_chosen_and_everybody_takes_it() -> None:
    sending = _Sending()
    sending.sender.set_plan(VideoPlan("test", "", True, "saver", codec="h264"))
    track = sending.add()
    track.takes = {"VP8", "H264"}
    sending.replan()
    assert (await sending.first(track)).codec == "H264"
    other = sending.add()  # takes VP8 only, as everybody did before
    sending.replan()
    assert (await sending.first(other)).codec == "VP8"
    sending.sender.close()


async def test_who_takes_nothing_but_h264_gets_it_though_it_was_not_chosen() -> None:
    sending = _Sending()
    sending.sender.set_plan(_OPEN)
    track = sending.add()
    track.takes = {"H264"}
    sending.replan()
    assert (await sending.first(track)).codec == "H264"
    sending.sender.close()
