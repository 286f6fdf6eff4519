"""How good a connection is, and why."""

from __future__ import annotations

import pytest

from folkmoot.media.quality import Measured, rate_quality


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Measured(rtt_ms=20, jitter_ms=3), (3, "")),
        (Measured(), (3, "")),
        (Measured(silent=True, loss=0.5), (0, "silent")),
        (Measured(loss=0.05), (2, "loss")),
        (Measured(loss=0.2), (1, "loss")),
        (Measured(rtt_ms=300), (2, "delay")),
        (Measured(rtt_ms=900, loss=0.05), (1, "delay")),
        (Measured(jitter_ms=60), (2, "jitter")),
        (Measured(thinned=True), (2, "rate")),
        (Measured(small=True), (1, "rate")),
        (Measured(lowered=True), (2, "cpu")),
    ],
)
def test_the_worst_that_is_wrong_is_named(measured: Measured, expected: tuple[int, str]) -> None:
    assert rate_quality(measured) == expected
