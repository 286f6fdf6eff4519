"""Windows of real programs on a desk with a window manager, as a share hands them out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.desktop import Desktop
from e2e.desktop import desktop as desk_of
from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.windows import Window, has_manager, list_windows
from folkmoot.services.media_port import ShareChanged, SharePlan
from integration.capture.xdesk import Seen, colours, until

pytestmark = pytest.mark.needs("Xvfb", "openbox", "xterm", "xdotool", "dbus-daemon")
_PAINTER = Path(__file__).with_name("painter.py")


@pytest.fixture(scope="module")
def desk() -> Iterator[Desktop]:
    with desk_of("1000x800") as desk:
        yield desk


@pytest.fixture
def connection(desk: Desktop) -> Iterator[Connection]:
    with Connection(desk.environment["DISPLAY"]) as connection:
        yield connection


@pytest.fixture
def seen(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    for name in ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, desk.environment[name])
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    seen = Seen()
    yield seen
    seen.input.close()


@pytest.fixture
def terminal(desk: Desktop, connection: Connection) -> Iterator[Window]:
    """An xterm that is green all over, its pointer and its caret too."""
    colour = ("-bg", "#00ff00", "-fg", "#00ff00", "-cr", "#00ff00")
    options = ("-T", "terminal", "-geometry", "60x20+80+60", "-b", "0", *colour)
    process = subprocess.Popen(
        ["xterm", *options, "-e", "cat"], env=desk.environment, stderr=subprocess.DEVNULL
    )
    yield find(connection, "terminal")
    process.kill()
    process.wait(30)
    until(lambda: "terminal" not in titles(connection), "the terminal goes")


class Painter:
    """The program `painter.py`, blue, away from the terminal."""

    def __init__(self, desk: Desktop) -> None:
        place = ("600", "500", "300", "200")
        self.process = subprocess.Popen(
            [sys.executable, str(_PAINTER), "painter", "#0000ff", *place],
            env=desk.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, words: str) -> None:
        """Have it do something."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def painter(desk: Desktop) -> Iterator[Painter]:
    painter = Painter(desk)
    yield painter
    painter.close()


def titles(connection: Connection) -> list[str]:
    """Of the windows that are listed."""
    return [each.title for each in list_windows(connection, 0)]


def find(connection: Connection, title: str) -> Window:
    """A window by its title, once it is there."""
    until(lambda: title in titles(connection), f"a window “{title}”")
    return next(each for each in list_windows(connection, 0) if each.title == title)


def share(seen: Seen, window: Window) -> None:
    """Begin to share it, and wait for what it shows."""
    seen.input.set_plan(SharePlan(source="window", source_id=window.id))
    assert seen.wait(lambda: bool(seen.frames))


def test_windows_of_programs_are_listed_without_ours(
    connection: Connection, terminal: Window, painter: Painter
) -> None:
    other = find(connection, "painter")
    assert has_manager(connection)
    assert terminal.application == "XTerm"
    assert other.application == "painter.py"
    assert other.size == (300, 200)
    ours = list_windows(connection, painter.process.pid)
    assert [each.title for each in ours] == ["terminal"]


def test_another_program_over_a_shared_window_never_appears(
    desk: Desktop, connection: Connection, seen: Seen, terminal: Window, painter: Painter
) -> None:
    other = find(connection, "painter")
    desk.xdotool("mousemove", 990, 790)
    desk.xdotool("windowactivate", "--sync", other.number)
    desk.xdotool("windowmove", "--sync", other.number, 120, 100)  # over it from the beginning
    share(seen, terminal)
    size = terminal.size[0] & ~1, terminal.size[1] & ~1
    assert seen.wait(lambda: colours(seen.frames[-1]) == {"green": size[0] * size[1]})
    for left in range(60, 300, 40):
        desk.xdotool("windowmove", "--sync", other.number, left, 90)
        seen.input.again()
        painter.tell("colour #0000fe")
    desk.xdotool("windowmove", "--sync", other.number, 600, 500)
    count = len(seen.frames)
    seen.input.again()
    assert seen.wait(lambda: len(seen.frames) > count)
    assert all(set(colours(frame)) <= {"green", "grey"} for frame in seen.frames)
    assert set(colours(seen.frames[-1])) == {"green"}


def test_a_window_is_followed_when_it_is_moved_resized_and_minimised(
    desk: Desktop, connection: Connection, seen: Seen, painter: Painter
) -> None:
    window = find(connection, "painter")
    desk.xdotool("mousemove", 990, 790)
    share(seen, window)
    assert seen.wait(lambda: colours(seen.frames[-1]) == {"blue": 300 * 200})
    desk.xdotool("windowsize", "--sync", window.number, 400, 260)
    assert seen.wait(lambda: colours(seen.frames[-1]) == {"blue": 400 * 260})
    desk.xdotool("windowmove", "--sync", window.number, 200, 300)
    assert seen.wait(lambda: seen.changes[-1].place[2:] == (400, 260))
    assert seen.wait(lambda: abs(seen.changes[-1].place[0] - 200) < 20)
    count = len(seen.frames)
    desk.xdotool("windowminimize", "--sync", window.number)
    assert not seen.wait(lambda: len(seen.frames) > count, 1.5)
    assert seen.changes[-1] == ShareChanged("sharing", place=(0, 0, 0, 0))
    desk.xdotool("windowactivate", "--sync", window.number)
    assert seen.wait(lambda: seen.changes[-1].place[2:] == (400, 260))
    painter.tell("colour #ff0000")
    assert seen.wait(lambda: colours(seen.frames[-1]) == {"red": 400 * 260})


def test_a_program_that_ends_ends_the_share(
    connection: Connection, seen: Seen, painter: Painter
) -> None:
    share(seen, find(connection, "painter"))
    painter.close()
    assert seen.wait(lambda: seen.changes[-1].state == "ended")
    assert seen.changes[-1] == ShareChanged("ended", "closed", "The window was closed.")


def test_a_window_that_its_program_takes_back_is_closed(
    connection: Connection, seen: Seen, painter: Painter
) -> None:
    share(seen, find(connection, "painter"))
    painter.tell("hide")
    assert seen.wait(lambda: seen.changes[-1].state == "ended")
    assert seen.changes[-1].code == "closed"
