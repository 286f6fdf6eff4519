"""Elin shares the window of another program, Tomas sees it and draws on it: windows and nodes as
they ship, mouse and keyboard."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from e2e.desktop import Control, WindowProcess
from e2e.nodes import until
from e2e.people import HEIGHT, NEEDS, WIDTH, Desk, desk_with_two_places, two_people

pytestmark = [
    pytest.mark.needs(*NEEDS),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
    pytest.mark.timeout(300),
]
BELOW = 680
OVER_PLANS = (600, 420, 240, 120)
"""The middle of the shared place on the display of Elin."""
FRAME = (95, 181, 155)
RED, BLUE = (200, 30, 40), (30, 60, 200)
PLANS = f"""
import sys
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QApplication, QWidget

class Plans(QWidget):
    def paintEvent(self, event):
        painter = QPainter(self)
        half = self.width() // 2
        painter.fillRect(0, 0, half, self.height(), QColor{RED})
        painter.fillRect(half, 0, half, self.height(), QColor{BLUE})
        print("painted", flush=True)

application = QApplication(sys.argv)
plans = Plans()
plans.setWindowTitle("Plans of a boat")
plans.setWindowFlags(
    Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
)
plans.setGeometry(500, 300, 480, 320)
plans.show()
application.exec()
"""


@contextlib.contextmanager
def _plans(desk: Desk) -> Iterator[subprocess.Popen[bytes]]:
    """A window of another program, red at the left and blue at the right.

    It takes no keys, which go to whoever is being worked with, and stays over all others: which of
    two windows lies in front would depend on the moment in which this one comes.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PLANS], env=desk.desk.environment, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"painted\n"
            until(lambda: desk.pixels(510, 310, 1, 1)[0, 0].tolist() == list(RED), "the plans")
            yield process
        finally:
            process.terminate()


def _halves(desk: Desk, box: Control) -> bool:
    """Whether a control shows red left of its middle and blue right of it."""
    seen = desk.pixels(box.x, box.y, box.width, box.height).astype(int)
    middle, row = box.width // 2, box.height // 2
    left, right = seen[row, middle - box.width // 8], seen[row, middle + box.width // 8]
    return bool(np.abs(left - RED).max() < 40 and np.abs(right - BLUE).max() < 40)


def _both_in_a_call(elin: WindowProcess, tomas: WindowProcess) -> None:
    elin.click("Call", "push button")
    elin.find("Controls of the call")
    tomas.click("Join", "push button")
    for window, place in ((elin, 0), (tomas, 1)):
        window.find("Good connection", "filler")
        window.place_window("call", place * (WIDTH + 10), HEIGHT + 24, WIDTH, BELOW - 60)


def test_a_window_is_shared_drawn_on_and_the_share_ends_with_it(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path, BELOW) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        _both_in_a_call(elin, tomas)
        with _plans(desk) as plans:
            elin.key("ctrl+shift+e")
            card = elin.find("Plans of a boat")
            until(lambda: _halves(desk, elin.find("Plans of a boat")), "a thumbnail of the plans")
            desk.picture("picker")
            elin.click_at(*card.middle)
            elin.click("Share", "push button")
            elin.find("You share Plans of a boat", "label")
            tomas.find("Elin shares a screen", "label")
            until(lambda: _halves(desk, tomas.find("Elin’s screen", "filler")), "the plans")
            desk.picture("shared")

            tomas.click("Draw", "check box")
            screen = tomas.find("Elin’s screen", "filler")
            x, y = screen.middle
            tomas.focus()
            bare = desk.pixels(*OVER_PLANS)
            desk.desk.xdotool("mousemove", x - 60, y, "mousedown", 1, "mousemove", x, y)
            desk.desk.xdotool("mousemove", x + 60, y, "mouseup", 1)
            until(lambda: not np.array_equal(desk.pixels(*OVER_PLANS), bare), "the stroke")
            desk.picture("drawn")
            elin.click("Clear what was drawn", "push button")
            until(lambda: np.array_equal(desk.pixels(*OVER_PLANS), bare), "nothing over the plans")

            elin.click("Pause", "push button")
            tomas.find("Elin paused the screen", "label")
            desk.picture("paused")
            elin.click("Go on", "push button")
            tomas.find("Elin shares a screen", "label")
            plans.terminate()
            plans.wait(30)
        until(lambda: not tomas.all("Elin’s screen", "filler"), "the screen is gone")
        until(lambda: not elin.all("You share", "label"), "the bar is gone")
        desk.picture("ended")


def test_a_part_of_the_screen_is_drawn_with_the_mouse_and_seen(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path, BELOW) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        _both_in_a_call(elin, tomas)
        elin.key("ctrl+shift+e")
        elin.click("Part of a screen", "radio button")
        elin.click("Choose the part", "push button")
        elin.find("Choose the part of the screen to share")
        desk.desk.xdotool("mousemove", 300, 200, "mousedown", 1, "mousemove", 420, 260)
        desk.desk.xdotool("mousemove", 599, 399, "mouseup", 1)
        elin.find("Share this part", "push button")
        desk.picture("part")
        desk.desk.xdotool("key", "Return")
        elin.find("You share a part of the screen", "label")
        tomas.find("Elin shares a screen · 300×200", "label")
        until(lambda: _is_frame(desk, 298, 300) and _is_frame(desk, 450, 401), "the frame")
        desk.picture("part-shared")
        elin.click("Stop sharing", "push button")
        until(lambda: not tomas.all("Elin’s screen", "filler"), "the screen is gone")
        until(lambda: not _is_frame(desk, 298, 300), "the frame is gone")


def _is_frame(desk: Desk, x: int, y: int) -> bool:
    """Whether a place of the display has the colour of the frame."""
    return bool(np.abs(desk.pixels(x, y, 1, 1)[0, 0].astype(int) - FRAME).max() < 8)
