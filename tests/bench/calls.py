"""What the benchmarks of calls share: how long they run, and how pictures are compared.

FOLKMOOT_BENCH_SECONDS and FOLKMOOT_BENCH_ROUNDS shorten them for trying; numbers for a report are
made without.
"""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from folkmoot.media.devices.pattern import Pattern


def seconds(usual: float) -> float:
    """How long to measure."""
    return float(os.environ.get("FOLKMOOT_BENCH_SECONDS", usual))


def rounds(usual: int) -> int:
    """How often to repeat."""
    return int(os.environ.get("FOLKMOOT_BENCH_ROUNDS", usual))


def psnr_of(folder: Path, width: int, height: int) -> float:
    """Median PSNR (dB, luma) of kept pictures against the generated ones of the same stamp.

    The file of a picture is named NUMBER-MICROS. Pictures of another size count as 0.
    """
    pattern = Pattern(width, height)
    values = []
    for file in sorted(folder.glob("*.npy")):
        number, micros = map(int, file.stem.split("-"))
        luma = np.load(file)
        if luma.shape != (height, width):
            values.append(0.0)
            continue
        source = pattern.draw(number, micros).reformat(format="gray").to_ndarray()
        error = float(np.mean((luma.astype(np.float64) - source.astype(np.float64)) ** 2))
        values.append(10 * math.log10(255**2 / max(error, 1e-9)))
    return statistics.median(values) if values else 0.0


def spread(values: Iterable[float], unit: str) -> str:
    """Median and extremes for a note."""
    found = sorted(values)
    if not found:
        return "none"
    middle = statistics.median(found)
    return f"{middle:.3g} ({found[0]:.3g}…{found[-1]:.3g}) {unit}"
