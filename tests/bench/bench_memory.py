"""Memory of the process with the window, 10,000 messages, API off, after one quiet minute.

PSS as the kernel counts it; what is shared with other processes counts in parts, so nothing else
that has Qt loaded should run beside this. Each sample is a process of its own on a virtual screen.
The baseline imports the same libraries in a bare Qt window. The idle CPU of the quiet minute is
printed too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.measurement import Measurement
from bench.profiles import fill
from e2e.desktop import Desktop, desktop

MESSAGES = 10_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
QUIET_S = 60.0
LIMIT_MB = 160.0

_BARE = """
import asyncio, sqlite3, ssl, sys
import cryptography.x509, msgspec, nacl.bindings, qasync, sqlalchemy, zeroconf.asyncio
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QWidget
application = QApplication([])
window = QWidget()
window.resize(1280, 800)
window.show()
application.exec()
"""


def measure() -> Iterable[Measurement]:
    """Both in turn, so many rounds."""
    ours: list[float] = []
    bare: list[float] = []
    idle: list[float] = []
    with tempfile.TemporaryDirectory() as folder, desktop() as desk:
        fill(Path(folder), MESSAGES)
        for _ in range(ROUNDS):
            bare.append(_run(desk, ["-c", _BARE], 5.0)[0])
            memory, cpu = _run(desk, ["-m", "folkmoot", "--profile", folder], QUIET_S)
            ours.append(memory)
            idle.append(cpu)
    yield Measurement(
        "memory, 10,000 messages, PSS",
        ours,
        "MB",
        at_most=LIMIT_MB,
        baseline=bare,
        note="baseline: the same imports in a bare window",
    )
    yield Measurement("idle window, share of a core", idle, "%", at_most=0.3, note="no link")


def _run(desk: Desktop, arguments: list[str], quiet_s: float) -> tuple[float, float]:
    """PSS in MB after `quiet_s`, and CPU in percent of a core over the second half of it."""
    process = subprocess.Popen([sys.executable, *arguments], env=desk.environment)
    try:
        time.sleep(quiet_s / 2)
        before = _cpu_s(process.pid)
        time.sleep(quiet_s / 2)
        assert process.poll() is None, "it ended too early"
        share = (_cpu_s(process.pid) - before) / (quiet_s / 2) * 100
        return _pss_mb(process.pid), share
    finally:
        process.terminate()
        process.wait(10)


def _pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
