"""Time as it is shown: a hybrid clock that never decides anything.

A new entry is stamped with the greatest of the wall clock, the own last stamp and the stamps seen,
so that an answer stands after what it answers though two clocks differ. Whatever is more than five
minutes ahead of our own clock is ignored for that, and shown at its arrival, marked "clock wrong".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CLOCK_TOLERANCE_MS = 5 * 60 * 1000
MAX_COUNTER = 2**32 - 1


class Stamp(NamedTuple):
    """Milliseconds since the Unix epoch, and a counter within the same millisecond."""

    wall_ms: int
    counter: int


class Place(NamedTuple):
    """Where an entry stands among others (its id breaks ties), and whether its clock was wrong."""

    wall_ms: int
    counter: int
    clock_wrong: bool


def next_stamp(clock_ms: int, seen: Iterable[Stamp]) -> Stamp:
    """The stamp of a new entry; `seen` are the own last stamp and those of entries held."""
    latest = max((s for s in seen if not is_ahead(s.wall_ms, clock_ms)), default=Stamp(0, 0))
    if clock_ms > latest.wall_ms:
        return Stamp(clock_ms, 0)
    if latest.counter >= MAX_COUNTER:
        return Stamp(latest.wall_ms + 1, 0)
    return Stamp(latest.wall_ms, latest.counter + 1)


def is_ahead(wall_ms: int, clock_ms: int) -> bool:
    """Whether a stamp lies so far ahead of our clock that one of the two clocks is wrong."""
    return wall_ms > clock_ms + CLOCK_TOLERANCE_MS


def place(stamp: Stamp, arrived_ms: int) -> Place:
    """Where an entry with this stamp that arrived here at `arrived_ms` (our clock) stands."""
    if is_ahead(stamp.wall_ms, arrived_ms):
        return Place(arrived_ms, 0, True)
    return Place(stamp.wall_ms, stamp.counter, False)
