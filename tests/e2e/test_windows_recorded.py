"""What was recorded is played from the conversation, on a real display, and stands in the list."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from e2e.desktop import WindowProcess
from e2e.nodes import until
from e2e.people import NEEDS, gone
from e2e.test_windows_share import _in_call

pytestmark = [
    pytest.mark.needs(*NEEDS),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
    pytest.mark.timeout(240),
]


def test_a_recording_plays_in_the_window_that_made_it(tmp_path: Path) -> None:
    with _in_call(tmp_path) as (desk, elin, tomas):
        elin.click("More about the call", "push button")
        elin.key("Escape")
        elin.key("ctrl+shift+r")
        elin.find("Record this call", "dialog")
        elin.click("Start recording", "push button")
        tomas.find("Elin records")
        elin.find("Your recording", "filler")
        until(lambda: _recorded_s(elin) >= 8, "eight seconds are recorded", 60)
        elin.click("Stop recording", "push button")
        gone(tomas, "Elin records")
        elin.click("Play your recording of this call", "push button")
        elin.find("Pause (Space)", "push button")
        player = elin.find("Picture", "filler")

        def shown() -> bool:
            seen = desk.pixels(player.x, player.y, player.width, player.height)
            return float(np.ptp(seen.astype(int), axis=(0, 1)).max()) > 40

        until(shown, "a picture is played")
        desk.picture("player")
        elin.find("Play (Space)", "push button")  # it came to its end
        elin.key("Escape")
        elin.find("New ones are kept in", "label")
        elin.find("Play #general", "push button")
        desk.picture("list")


def _recorded_s(window: WindowProcess) -> int:
    """How long the recording is that the window shows; each number is there for a second only."""
    shown = [re.search(r"(\d\d):(\d\d) · ", one.name) for one in window.all(" · ", "label")]
    return max((60 * int(one[1]) + int(one[2]) for one in shown if one), default=0)
