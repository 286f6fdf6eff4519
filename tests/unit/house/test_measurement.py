"""How a benchmark's samples are judged and written down."""

from __future__ import annotations

import json

import pytest

from bench.measurement import Measurement


def test_the_median_is_judged() -> None:
    assert Measurement("paint", [0.3, 0.31, 9.0], "s", at_most=0.35).ok
    assert not Measurement("paint", [0.1, 0.4, 0.4], "s", at_most=0.35).ok


def test_a_ratio_is_judged_against_the_baseline() -> None:
    kept = Measurement("sync", [60.0], "1/s", at_least=0.6, baseline=[100.0], of_ratio=True)
    missed = Measurement("sync", [59.0], "1/s", at_least=0.6, baseline=[100.0], of_ratio=True)
    assert kept.ok
    assert not missed.ok
    assert "MISSED" in missed.to_row()


def test_a_ratio_without_a_baseline_is_no_success() -> None:
    assert not Measurement("sync", [1.0], "s", at_most=2.0, of_ratio=True).ok


def test_the_line_has_the_fields_of_the_contract() -> None:
    line = Measurement("message", [8.0, 9.0, 7.0], "ms", at_most=10, baseline=[4.0]).to_json()
    assert json.loads(line) == {
        "name": "message",
        "value": 8.0,
        "unit": "ms",
        "baseline": 4.0,
        "ratio": 2.0,
        "target": 10,
        "ok": True,
    }


@pytest.mark.parametrize("samples", [[1234567.0], [0.000123]])
def test_a_row_shows_large_and_small_numbers(samples: list[float]) -> None:
    row = Measurement("x", samples, "u").to_row()
    assert "1,234,567" in row or "0.000123" in row
