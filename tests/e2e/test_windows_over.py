"""What a share puts over a real display: seen, clicked through, and chosen with a real mouse."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e.desktop import Desktop
from e2e.nodes import until

pytestmark = [
    pytest.mark.needs("Xvfb", "xdotool", "openbox", "wmctrl", "dbus-daemon", "import"),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
]
RED = (192, 32, 32)
ACCENT = (95, 181, 155)
INK = (47, 111, 94)
"""The colour of a person whose key is noughts."""


@dataclass
class Display:
    """A desk, and the program of `over_display` on it."""

    desk: Desktop
    process: subprocess.Popen[str]

    def hear(self) -> dict[str, object]:
        """The next line of the program."""
        assert self.process.stdout is not None
        line: dict[str, object] = json.loads(self.process.stdout.readline())
        return line

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def colour(self, x: int, y: int) -> tuple[int, ...]:
        return tuple(int(part) for part in self.desk.pixels(x, y, 1, 1)[0, 0])

    def drag(self, *spots: tuple[int, int]) -> None:
        """Press at the first place, go along, let go at the last."""
        self.desk.xdotool("mousemove", *spots[0], "mousedown", 1)
        for spot in spots[1:]:
            self.desk.xdotool("mousemove", *spot)
        self.desk.xdotool("mouseup", 1)


@pytest.fixture(params=[True, False], ids=["managed", "without a manager"])
def display(request: pytest.FixtureRequest) -> Iterator[Display]:
    """A display with a window manager, and one without; neither has a compositor."""
    desk = Desktop("1024x768", managed=request.param).start()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "e2e.over_display"],
            env=desk.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            shown = Display(desk, process)
            assert shown.hear() == {"ready": True}
            yield shown
            process.terminate()
    finally:
        desk.stop()


def test_frame_and_ink_are_seen_and_cover_nothing_else(display: Display) -> None:
    until(lambda: display.colour(98, 300) == ACCENT, "the frame")
    until(lambda: display.colour(400, 300) == INK, "the ink")
    for inside in ((102, 300), (400, 102), (697, 497), (400, 200), (300, 320)):
        until(lambda at=inside: display.colour(*at) == RED, f"nothing over {inside}")  # type: ignore[misc]
    for edge in ((400, 98), (400, 501)):
        until(lambda at=edge: display.colour(*at) == ACCENT, f"the frame at {edge}")  # type: ignore[misc]


def test_a_click_goes_through_ink_to_the_window_below(display: Display) -> None:
    until(lambda: display.colour(400, 300) == INK, "the ink")
    display.desk.xdotool("mousemove", 400, 300, "click", 1)
    assert display.hear() == {"clicked": True}


def test_a_part_is_chosen_over_a_picture_of_the_display(display: Display) -> None:
    display.say("region")
    assert display.hear() == {"covered": 1}
    until(lambda: display.colour(400, 200) != RED, "the picture over the display")
    display.drag((200, 150), (300, 200), (499, 349))
    until(lambda: display.colour(400, 200) == RED, "the part as it is")
    display.desk.xdotool("key", "Right", "shift+Down", "Return")
    assert display.hear() == {"ended": True}
    assert display.hear() == {"chosen": [208, 150, 300, 208]}
    until(lambda: display.colour(150, 150) == RED, "the display as it was")


def test_escape_uncovers_the_display(display: Display) -> None:
    display.say("region")
    assert display.hear() == {"covered": 1}
    display.desk.xdotool("key", "Escape")
    assert display.hear() == {"ended": True}
    until(lambda: display.colour(400, 200) == RED, "the display as it was")
