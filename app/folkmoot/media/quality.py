"""Says how good a connection is, 3 to 0, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, FAIR, POOR, NONE = 3, 2, 1, 0


@dataclass(frozen=True, slots=True)
class Measured:
    """The last second of one peer. Loss is a fraction of both ways' worse; times milliseconds."""

    silent: bool = False
    loss: float = 0.0
    rtt_ms: float = -1.0
    jitter_ms: float = 0.0
    thinned: bool = False
    """Pictures to it are thinned: it can take less than the others."""
    small: bool = False
    """It gets the small pictures."""
    lowered: bool = False
    """Our pictures are lowered for want of CPU."""


def rate_quality(measured: Measured) -> tuple[int, str]:
    """(quality, reason): the worst that is wrong. Reasons as in `call_values.Participant`."""
    if measured.silent:
        return NONE, "silent"
    marks = (
        (_mark(measured.loss, 0.03, 0.10), "loss"),
        (_mark(measured.rtt_ms, 250.0, 500.0), "delay"),
        (_mark(measured.jitter_ms, 40.0, 100.0), "jitter"),
        (POOR if measured.small else FAIR if measured.thinned else GOOD, "rate"),
        (FAIR if measured.lowered else GOOD, "cpu"),
    )
    quality, reason = min(marks, key=lambda mark: mark[0])
    return quality, "" if quality == GOOD else reason


def _mark(value: float, fair: float, poor: float) -> int:
    return POOR if value > poor else FAIR if value > fair else GOOD
