"""Two people at two windows on one desk, and what they do with mouse and keyboard.

Pictures of each step go to the folder of the test; FOLKMOOT_PICTURES=DIR gets copies to look at.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from e2e.desktop import Control, Desktop, WindowProcess, desktop
from e2e.nodes import until

NEEDS = ("Xvfb", "openbox", "xdotool", "wmctrl", "import", "dbus-daemon")
D = TypeVar("D", bound="Desk")
WIDTH, HEIGHT = 840, 820
"""Pixels of one window; two stand side by side."""


class Desk:
    """A desk with two places and a camera."""

    def __init__(self, desk: Desktop, folder: Path) -> None:
        self.desk = desk
        self._folder = folder
        self._taken = 0
        self.windows: list[WindowProcess] = []

    def open(
        self, name: str, place: int = 0, *options: str, prefix: Sequence[str] = (), **extra: str
    ) -> WindowProcess:
        """Open the window of a person's profile at the left (0) or right (1) place.

        `prefix`: what stands before its command."""
        window = self.desk.window(self._folder / name, *options, prefix=prefix, **extra)
        self.windows.append(window)
        window.place(place * (WIDTH + 10), 0, WIDTH, HEIGHT)
        return window

    def folder_of(self, name: str) -> Path:
        """A person's profile."""
        return self._folder / name

    def picture(self, name: str) -> None:
        """Take a picture of the whole desk."""
        self._taken += 1
        file = self._folder / f"{self._taken:02d}-{name}.png"
        self.desk.picture(file)
        if target := os.environ.get("FOLKMOOT_PICTURES"):
            Path(target).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, Path(target, f"{self._folder.name}-{file.name}"))

    def pixels(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """A part of the screen, (height, width, 3)."""
        return self.desk.pixels(x, y, width, height)

    def close(self) -> list[int]:
        """Close what is open still; the exit statuses."""
        return [window.close() for window in self.windows if window.process.poll() is None]


@contextlib.contextmanager
def desk_with_two_places(folder: Path, below: int = 0) -> Iterator[Desk]:
    """A desk for the length of a test. Every window must close in good order and say nothing.

    `below`: so many pixels more under the two places, for windows of calls.
    """
    with desktop(f"{2 * WIDTH + 20}x{HEIGHT + 40 + below}") as screen:
        yield from watched(Desk(screen, folder))


def watched(desk: D) -> Iterator[D]:
    """Give the desk away; in the end every window must close in good order and say nothing."""
    try:
        yield desk
        assert set(desk.close()) <= {0}
        said = [window.errors() for window in desk.windows]
        assert not "".join(said), said
    except BaseException:
        desk.picture("failed")
        raise
    finally:
        for window in desk.windows:
            window.kill()


def say_name(window: WindowProcess, name: str) -> None:
    """Type one's name on the start screen."""
    window.click("Your name", "text")
    window.key("ctrl+a")
    window.type(name)


def start_team(window: WindowProcess, name: str, team: str) -> None:
    """Type one's name and start a team."""
    say_name(window, name)
    window.click("Start a team", "push button")
    window.find("Name of the team", "text")
    window.type(team)
    window.key("Return")
    window.find(f"{team} is ready", "label")


def join_by_invitation(host: WindowProcess, guest: WindowProcess, name: str) -> None:
    """Copy an invitation in one window and paste it in the other."""
    host.click("Copy an invitation link")
    host.find("Copied", "push button")
    say_name(guest, name)
    guest.click("Paste it")
    guest.find("Invitation", "text")
    guest.key("ctrl+v", "Return")
    guest.find("Message #general", "text")


def two_people(desk: Desk, team: str) -> tuple[WindowProcess, WindowProcess]:
    """Elin at the left, who started the team, and Tomas at the right, who joined it."""
    elin = desk.open("elin")
    start_team(elin, "Elin", team)
    tomas = desk.open("tomas", 1)
    join_by_invitation(elin, tomas, "Tomas")
    return elin, tomas


def write(window: WindowProcess, text: str, place: str = "Message #general") -> None:
    """Click the composer, write and send."""
    window.click(place, "text")
    window.type(text)
    window.key("Return")


def write_to(window: WindowProcess, name: str) -> None:
    """Open the direct conversation: a call there rings, one in a channel does not."""
    window.click("Write to somebody", "push button")
    window.find("Search members", "text")
    window.click(name, "list item")
    window.key("space")
    window.click("Open", "push button")
    window.find(f"Message {name}", "text")


def message(window: WindowProcess, text: str) -> Control:
    """The message with this text, as soon as it is there."""
    return window.find(text, "list item")


def act(window: WindowProcess, text: str, name: str) -> None:
    """Press a button of the bar that appears over the message under the mouse."""
    window.hover(text, "list item")
    window.click(name, "push button")


def gone(window: WindowProcess, name: str, role: str = "") -> None:
    """Wait until nothing on the screen has this name."""
    until(lambda: not window.all(name, role), f"“{name}” goes away")
