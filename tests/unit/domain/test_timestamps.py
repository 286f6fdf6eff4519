"""The hybrid clock: for display, and never ahead of one's own wall by more than five minutes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.domain.timestamps import (
    CLOCK_TOLERANCE_MS,
    MAX_COUNTER,
    Place,
    Stamp,
    next_stamp,
    place,
)

NOW = 1_790_000_000_000
STAMPS = st.builds(
    Stamp, st.integers(NOW - 10**6, NOW + 10**6), st.sampled_from([0, 1, MAX_COUNTER])
)


def test_with_a_clock_that_goes_the_stamp_is_the_clock() -> None:
    assert next_stamp(NOW, [Stamp(NOW - 5, 7)]) == Stamp(NOW, 0)
    assert next_stamp(NOW, []) == Stamp(NOW, 0)


def test_after_a_step_back_of_the_clock_entries_still_follow_each_other() -> None:
    assert next_stamp(NOW, [Stamp(NOW + 50, 3)]) == Stamp(NOW + 50, 4)
    assert next_stamp(NOW, [Stamp(NOW + 50, MAX_COUNTER)]) == Stamp(NOW + 51, 0)


def test_a_stamp_far_ahead_does_not_pull_ours_along() -> None:
    assert next_stamp(NOW, [Stamp(NOW + CLOCK_TOLERANCE_MS + 1, 0)]) == Stamp(NOW, 0)


@given(st.lists(STAMPS, max_size=5))
def test_a_new_stamp_is_after_all_that_are_believed_and_not_far_ahead(seen: list[Stamp]) -> None:
    made = next_stamp(NOW, seen)
    assert made.wall_ms >= NOW
    assert made.wall_ms <= NOW + CLOCK_TOLERANCE_MS + 1
    assert all(made > s for s in seen if s.wall_ms <= NOW + CLOCK_TOLERANCE_MS)


def test_an_entry_from_the_future_stands_at_its_arrival_and_is_marked() -> None:
    ahead = Stamp(NOW + CLOCK_TOLERANCE_MS + 1, 9)
    assert place(ahead, NOW) == Place(NOW, 0, True)
    assert place(Stamp(NOW + CLOCK_TOLERANCE_MS, 9), NOW) == Place(ahead.wall_ms - 1, 9, False)
