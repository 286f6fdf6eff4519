"""How often pictures go out."""

from __future__ import annotations

import pytest

from folkmoot.media.capture.pace import Pace


def _count(moved: float, limit: float, seconds: float, tick: float = 1 / 60) -> int:
    """Pictures in the last second of `seconds` in which everything moves without a rest."""
    pace, times = Pace(), []
    for number in range(round(seconds / tick)):
        now = 100 + number * tick
        if now >= pace.due(moved, limit, now):
            pace.took(moved, limit, now)
            times.append(now)
    return sum(1 for at in times if at >= 100 + seconds - 1)


@pytest.mark.parametrize(
    ("moved", "limit", "seconds", "least", "most"),
    [
        (0.0001, 30, 3, 9, 12),
        (0.05, 30, 3, 14, 17),
        (0.5, 30, 1, 14, 17),
        (0.5, 30, 4, 28, 31),
        (0.5, 15, 4, 14, 17),
        (0.5, 5, 4, 5, 6),
        (0.0001, 5, 4, 5, 6),
    ],
)
def test_the_rate_goes_by_what_moves_and_never_over_the_limit(
    moved: float, limit: float, seconds: float, least: int, most: int
) -> None:
    assert least <= _count(moved, limit, seconds) <= most


def test_what_moves_after_a_rest_is_seen_at_once() -> None:
    pace = Pace()
    pace.took(0.5, 30, 100.0)
    assert pace.due(0.0001, 30, 101.0) <= 101.0


def test_a_rest_ends_what_goes_on_moving() -> None:
    pace, now = Pace(), 100.0
    while now < 103:
        pace.took(0.5, 30, now)
        now += 1 / 30
    fast = pace.due(0.5, 30, now) - now
    assert pace.due(0.5, 30, now + 1) - now > fast
