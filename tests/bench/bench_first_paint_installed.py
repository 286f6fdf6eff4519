"""From process start to the first frame: the frozen program beside the same from source.

Both are started alike on the same profile of 10,000 messages, interleaved, and watched from
outside: right after the first frame the program starts its second thread, which imports the rest,
and then the clocks are read: the time that passed, and the CPU time of the process. Needs
`dist/folkmoot` (`make bundle`).
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.bench_first_paint import _fill
from bench.measurement import Measurement

ROUNDS = 9
LIMIT_RATIO = 1.15
_ROOT = Path(__file__).parents[2]
_FROZEN = _ROOT / "dist" / "folkmoot" / "folkmoot"
_SOURCE = [sys.executable, "-m", "folkmoot"]
_TOO_LATE_S = 60.0


def measure() -> Iterable[Measurement]:
    """CPU and wall seconds of both."""
    if not _FROZEN.exists():
        raise SystemExit(f"{_FROZEN.relative_to(_ROOT)} is missing: make bundle")
    frozen: list[tuple[float, float]] = []
    source: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder)))
        for command in (_SOURCE, [str(_FROZEN)]):  # the files of both come into memory
            _run(command, Path(folder))
        for number in range(ROUNDS):
            pair = [(source, _SOURCE), (frozen, [str(_FROZEN)])]
            for times, command in pair if number % 2 else reversed(pair):
                times.append(_run(command, Path(folder)))
    for index, what in enumerate(("CPU", "wall")):
        yield Measurement(
            f"first paint, installed copy, {what}",
            [each[index] for each in frozen],
            "s",
            at_most=LIMIT_RATIO,
            baseline=[each[index] for each in source],
            of_ratio=True,
            note="baseline: from source",
        )


def _run(command: Sequence[str], profile: Path) -> tuple[float, float]:
    """CPU and wall seconds until the second thread is there."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--profile", str(profile)],
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    threads = f"/proc/{process.pid}/task"
    try:
        while len(os.listdir(threads)) < 2:
            if process.poll() is not None or time.perf_counter() - began > _TOO_LATE_S:
                raise RuntimeError(f"{command[0]} showed no window ({process.returncode})")
            time.sleep(0.0005)
        return time.clock_gettime(_cpu_clock(process.pid)), time.perf_counter() - began
    finally:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Ours, with compiled modules kept: the frozen program has its own."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def _cpu_clock(pid: int) -> int:
    """The clock of Linux that counts the CPU time of the process `pid` (clock_getcpuclockid)."""
    return ~pid << 3 | 2
