"""How long something takes, without the times at which the machine stands still."""

from __future__ import annotations

import time
from collections.abc import Callable

_STEP_S = 0.01


def seconds_until(holds: Callable[[], bool], patience_s: float = 60.0) -> float:
    """Wait until it is true; how long that took.

    Counted in short sleeps. One that takes longer than it was asked to counts for no more: then the
    machine had no time for us, nor for whom we wait for.
    """
    began, steps = time.monotonic(), 0
    while not holds():
        assert time.monotonic() - began < patience_s, "not in time"
        time.sleep(_STEP_S)
        steps += 1
    return steps * _STEP_S
