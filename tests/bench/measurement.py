"""What a benchmark answers, how it is judged and how it is written down.

A module `bench_NAME.py` beside this one has `measure() -> Iterable[Measurement]`: at least five
repetitions, interleaved with those of the baseline.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """Samples of one number, in `unit`, and what they must beat.

    `at_most` and `at_least` bound the median, or the ratio of the medians where there is a
    `baseline` and `of_ratio` is set.
    """

    name: str
    samples: Sequence[float]
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    baseline: Sequence[float] | None = None
    of_ratio: bool = False
    note: str = ""

    @property
    def value(self) -> float:
        """Median of the samples."""
        return statistics.median(self.samples)

    @property
    def baseline_value(self) -> float | None:
        """Median of the baseline's samples."""
        return None if self.baseline is None else statistics.median(self.baseline)

    @property
    def ratio(self) -> float | None:
        """Value over baseline."""
        base = self.baseline_value
        return self.value / base if base else None

    @property
    def ok(self) -> bool:
        """Whether the bound holds; without a bound it does."""
        judged = self.ratio if self.of_ratio else self.value
        if judged is None:
            return False
        return (self.at_most is None or judged <= self.at_most) and (
            self.at_least is None or judged >= self.at_least
        )

    def to_json(self) -> str:
        """One line for the file that BENCH_JSON names."""
        return json.dumps(
            {
                "name": self.name,
                "value": _short(self.value),
                "unit": self.unit,
                "baseline": _short(self.baseline_value),
                "ratio": _short(self.ratio),
                "target": self.at_most if self.at_most is not None else self.at_least,
                "ok": self.ok,
            }
        )

    def to_row(self) -> str:
        """One line for a person."""
        low, high = min(self.samples), max(self.samples)
        row = f"{self.name:<36} {_words(self.value):>9} {self.unit:<6}"
        row += f" {_words(low)}…{_words(high)} ({len(self.samples)})"
        if self.baseline_value is not None and self.ratio is not None:
            row += f"  baseline {_words(self.baseline_value)}, ratio {self.ratio:.3g}"
        bound = "ratio " if self.of_ratio else ""
        if self.at_most is not None:
            row += f"  {bound}≤ {self.at_most:g}"
        if self.at_least is not None:
            row += f"  {bound}≥ {self.at_least:g}"
        if self.at_most is not None or self.at_least is not None:
            row += "  ok" if self.ok else "  MISSED"
        return f"{row}  {self.note}".rstrip()


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.6g}")


def _words(number: float) -> str:
    return f"{number:.4g}" if number < 10_000 else f"{number:,.0f}"
