"""What a receiver can take is parted among voice, camera and screen; large pictures are spread."""

from __future__ import annotations

import pytest

from folkmoot.media.screen.split import BURST_BYTES, BURST_S, VOICE_BPS, Split, Spread

TOTAL = 2_000_000 + VOICE_BPS


def _split(camera_bps: int, screen_bps: int) -> Split:
    split = Split()
    for tick in range(30):
        at = tick * 0.1
        split.note(at, int(camera_bps * at / 8), int(screen_bps * at / 8))
    return split


def test_a_still_screen_leaves_nearly_all_to_the_camera() -> None:
    camera, screen = _split(1_000_000, 0).parts(TOTAL)
    assert camera == pytest.approx(2_000_000)
    assert screen == pytest.approx(1_500_000)


def test_a_screen_that_moves_goes_first_and_the_camera_keeps_a_quarter() -> None:
    camera, screen = _split(900_000, 1_900_000).parts(TOTAL)
    assert camera == pytest.approx(500_000)
    assert screen == pytest.approx(1_500_000)


def test_without_a_camera_the_screen_has_all_but_the_voice() -> None:
    assert _split(0, 1_000_000).parts(TOTAL)[1] == pytest.approx(2_000_000)


def test_a_rate_too_small_for_the_voice_leaves_nothing() -> None:
    assert _split(0, 0).parts(VOICE_BPS / 2) == (0.0, 0.0)
    assert Split().parts(TOTAL) == (2_000_000, 2_000_000)


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def _spread(clock: _Clock, rate_bps: float = 12_000_000) -> Spread:
    return Spread(clock.sleep, lambda: clock.now, lambda: rate_bps)


async def test_a_small_picture_waits_for_nothing() -> None:
    clock = _Clock()
    spread = _spread(clock)
    for _ in range(BURST_BYTES // 1_200):
        await spread.wait(1_200)
    assert clock.slept == 0.0


async def test_a_large_picture_is_spread_and_the_next_one_begins_free() -> None:
    clock = _Clock()
    spread = _spread(clock)
    for _ in range(400):
        await spread.wait(1_200)
    assert clock.slept == pytest.approx((480_000 - BURST_BYTES) * 8 / 12e6, abs=0.005)
    clock.now += 1.0
    before = clock.slept
    await spread.wait(1_200)
    assert clock.slept == before


async def test_on_a_narrow_way_less_goes_out_at_once() -> None:
    clock = _Clock()
    spread = _spread(clock, 1_000_000)
    for _ in range(20):
        await spread.wait(1_200)
    assert clock.slept == pytest.approx(24_000 * 8 / 1e6 - BURST_S, abs=0.02)


async def test_what_is_sent_again_never_goes_beyond_the_rate() -> None:
    clock = _Clock()
    spread = _spread(clock, 1_000_000)
    sent = 0
    for _ in range(1_000):
        sent += spread.may_again(1_200)
        clock.now += 0.001
    assert 90 <= sent <= 125
