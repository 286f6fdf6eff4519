"""Qt's capture under a virtual screen: in a process of its own, whose platform is X11."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.capture.xdesk import GREEN, Program, display

pytestmark = pytest.mark.needs("Xvfb")
_PLAYER = Path(__file__).with_name("qt_player.py")


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with display("640x480") as name:
        yield name


def _run(screen: str, *words: str) -> list[Any]:
    """What the player wrote, line by line."""
    environment = {**os.environ, "DISPLAY": screen, "QT_QPA_PLATFORM": "xcb"}
    environment.pop("WAYLAND_DISPLAY", None)
    done = subprocess.run(
        [sys.executable, str(_PLAYER), *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_screen_is_captured_and_only_changes_are_handed_out(screen: str) -> None:
    with Program(screen, (100, 100, 200, 100), GREEN) as program:
        program.show()
        told = _run(screen, "screen", "screen:screen")
    assert told[0] == ["changed", "sharing", ""]
    assert told[1] == ["frame", 640, 480, 200 * 100]
    assert told[2] == ["still", 0]


def test_a_region_is_cut_out_of_its_screen(screen: str) -> None:
    with Program(screen, (100, 100, 200, 100), GREEN) as program:
        program.show()
        told = _run(screen, "region", "200", "150", "200", "100")
    assert told[1] == ["frame", 200, 100, 100 * 50]


def test_a_screen_that_is_not_there_ends_the_share(screen: str) -> None:
    assert _run(screen, "screen", "screen:nowhere") == [["changed", "ended", "none"]]


def test_a_window_that_is_not_there_ends_the_share(screen: str) -> None:
    assert _run(screen, "window", "window:nowhere") == [["changed", "ended", "none"]]


def test_screens_are_listed_with_small_pictures(screen: str) -> None:
    told = _run(screen, "list")
    assert told[0] == ["listed", [["screen:screen", "screen", "screen", "", 640, 480]], False, True]
    assert told[1] == ["thumbnail", "screen:screen", 480, 360]


def test_where_the_desktop_has_a_picker_nothing_is_listed(screen: str) -> None:
    assert _run(screen, "portal") == [["listed", [], True, False]]
