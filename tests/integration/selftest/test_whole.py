"""The self-test as a person runs it: from source, as a process, on this computer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from folkmoot.bootstrap.selftest.checks import CHECKS

_APP = Path(__file__).parents[3] / "app"
pytestmark = pytest.mark.long


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path, for the path of a socket is bounded."""
    with tempfile.TemporaryDirectory(prefix="fm-") as folder:
        yield Path(folder)


def _environment(folder: Path, **more: str) -> dict[str, str]:
    """A home and a place for temporary files, both empty; no display."""
    folder.joinpath("home").mkdir()
    folder.joinpath("temporary").mkdir()
    dropped = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_RUNTIME_DIR"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    places = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}
    return kept | places | {"PYTHONPATH": str(_APP)} | more


def _left(folder: Path) -> list[str]:
    """What is left in both places; what fontconfig knows of the system's fonts is not ours."""
    left = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return [name for name in left if not name.startswith("home/.cache/fontconfig/")]


def _run(folder: Path, **more: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", "--selftest"],
        env=_environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_everything_is_well_here_and_nothing_is_left_behind(place: Path) -> None:
    status, report, words = _run(place, QT_QPA_PLATFORM="offscreen")
    broken = [check for check in report["checks"] if not check["ok"]]
    assert broken == []
    assert words == ""
    assert (status, report["ok"]) == (0, True)
    assert [check["name"] for check in report["checks"]] == [check.name for check in CHECKS]
    assert {"version", "build", "platform", "python", "frozen"} <= set(report)
    assert all(check["what"] and check["ms"] > 0 for check in report["checks"])
    assert _left(place) == []


@pytest.mark.needs("Xvfb")
def test_everything_is_well_on_a_display(place: Path) -> None:
    reading, writing = os.pipe()
    display = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        status, report, words = _run(place, DISPLAY=f":{number}")
    finally:
        display.kill()
        display.wait()
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert next(c for c in report["checks"] if c["name"] == "qt_platform")["what"].startswith("xcb")
    assert (status, words) == (0, "")
    assert _left(place) == []


def test_without_a_display_only_the_window_is_missing(place: Path) -> None:
    status, report, words = _run(place)
    broken = {check["name"]: check["what"] for check in report["checks"] if not check["ok"]}
    assert list(broken) == ["qt_platform"]
    assert "no display" in broken["qt_platform"]
    assert (status, report["ok"], words) == (1, False, "")


def test_whoever_breaks_it_off_finds_nothing_left(place: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "folkmoot", "--selftest"],
        env=_environment(place, QT_QPA_PLATFORM="offscreen"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_media(str(place / "temporary"))
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, told) == (128 + signal.SIGTERM, "")
    assert _left(place) == []
    until = time.monotonic() + 15
    while _running(str(place / "temporary")):
        assert time.monotonic() < until, "a process of the self-test goes on"
        time.sleep(0.05)


def _wait_for_media(place: str) -> None:
    until = time.monotonic() + 60
    while not any(b"media" in words for words in _running(place)):
        assert time.monotonic() < until
        time.sleep(0.05)


def _running(place: str) -> list[list[bytes]]:
    """Command lines of the processes whose temporary files go below `place`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names = folder.joinpath("environ").read_bytes()
            words = folder.joinpath("cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"TMPDIR={place}".encode() in names and words[:1] != [b""]:
            found.append(words)
    return found
