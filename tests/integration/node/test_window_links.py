"""Two processes on one profile: the link of the second start reaches the window, whatever happens.

The window is drawn into memory; a line on its standard output says which link it shows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.invites import InviteLink, write_link
from folkmoot.system.instance import NODE, Instance
from folkmoot.system.profile import open_profile

PATIENCE_S = 60.0
LONG_ASKED = 15
"""So often one asks in more than a second."""
TELLING = """
import sys
from pathlib import Path
from folkmoot.bootstrap import window
from folkmoot.system import activation
from folkmoot.ui import app, opening
from PySide6.QtCore import QTimer

state = Path(sys.argv.pop(1))
window.CLAIM_S = 60.0  # a start may take longer than a person should wait for it
listen = window._listen_soon

def listen_later(*given):
    if (state / "deaf").exists():
        QTimer.singleShot(20, lambda: listen_later(*given))
    else:
        listen(*given)

class Slow(app.LateImports):
    def _look(self):
        if not (state / "slow").exists():
            super()._look()

window._listen_soon = listen_later
app.LateImports = Slow
show = opening.Opening._show

def tell(self, link, *, on_start):
    show(self, link, on_start=on_start)
    print(link, flush=True)

opening.Opening._show = tell
ask = activation.ask_to_come_forward

def asking(folder, link=""):
    print("asks", flush=True)
    return ask(folder, link)

activation.ask_to_come_forward = asking
from folkmoot.main import main
sys.exit(main())
"""
"""While a file “deaf” is there the window does not listen, while “slow” is there it stays at its
first frame."""


def link(number: int = 0) -> str:
    """An invitation; nobody made it."""
    team = ConversationId(bytes([number]) * 32)
    return write_link(InviteLink(team, EntryId(bytes(32)), bytes(32), f"Team {number}", ()))


class Started:
    """A window's process, and the links that it showed."""

    def __init__(self, profile: Path, out: Path, *links: str) -> None:
        self.out = out
        with out.open("wb") as told:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-c", TELLING, str(profile.parent)),
                    *("--profile", str(profile), *links),
                ],
                stdout=told,
                stderr=subprocess.PIPE,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    "QT_QPA_PLATFORM": "offscreen",
                },
            )

    def shown(self) -> list[str]:
        return [line for line in self.out.read_text().split() if line != "asks"]

    def asks(self) -> int:
        """How often it looked for a window that runs."""
        return self.out.read_text().split().count("asks")

    def end(self) -> str:
        """Wait for a start that is over soon; what it said."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return said.decode()

    def kill(self) -> None:
        """kill -9."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts windows on one profile; what still runs at the end is killed."""
    started: list[Started] = []

    def begin(*links: str) -> Started:
        started.append(Started(tmp_path / "p", tmp_path / f"out{len(started)}", *links))
        return started[-1]

    yield begin
    for one in started:
        one.kill()


def wait_until(claim: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def holds_profile(tmp_path: Path, one: Started) -> bool:
    """Whether this process has the claim on the profile."""
    lock = tmp_path / "p" / "lock"
    return lock.exists() and lock.read_text() == f"window {one.process.pid}\n"


def test_a_first_start_shows_its_link_and_keeps_it_to_itself(start: Start, tmp_path: Path) -> None:
    only = start(link())
    wait_until(lambda: only.shown() == [link()], "the link is shown")
    secret = link().removeprefix("folkmoot://join/")
    if sys.platform == "linux":
        assert secret not in Path(f"/proc/{only.process.pid}/cmdline").read_text()
    wait_until((tmp_path / "p" / "store.sqlite3").exists, "the node starts")
    only.process.terminate()
    assert only.end() == ""
    for file in (tmp_path / "p" / "log").rglob("*"):
        assert secret not in file.read_text()


def test_a_second_start_hands_its_link_over_and_is_over(start: Start, tmp_path: Path) -> None:
    first = start()
    wait_until((tmp_path / "p" / "window").exists, "the first window listens")
    for number in (1, 2):
        second = start(link(number))
        assert second.end() == ""
        assert second.process.returncode == 0
    wait_until(lambda: first.shown()[-1:] == [link(2)], "the newest link is shown")
    assert first.process.poll() is None


def test_many_second_starts_at_once_are_all_over(start: Start, tmp_path: Path) -> None:
    first = start()
    wait_until((tmp_path / "p" / "window").exists, "the first window listens")
    links = [link(number) for number in range(5)]
    seconds = [start(each) for each in links]
    assert [one.end() for one in seconds] == [""] * 5
    assert [one.process.returncode for one in seconds] == [0] * 5
    wait_until(first.shown, "one of them is shown")
    assert set(first.shown()) <= set(links)


def test_a_link_is_not_lost_while_the_first_window_is_starting(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "deaf").touch()
    first = start()
    wait_until(lambda: holds_profile(tmp_path, first), "the first has the profile")
    second = start(link())
    wait_until(lambda: second.asks() >= LONG_ASKED, "the second goes on asking")
    (tmp_path / "deaf").unlink()
    assert second.end() == ""
    assert second.process.returncode == 0
    # Perhaps twice: who asked heard no answer in time, and asked again.
    wait_until(lambda: set(first.shown()) == {link()}, "the link is shown")


def test_links_that_come_before_the_window_can_act_are_kept_and_the_newest_is_shown(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "slow").touch()
    first = start()
    wait_until((tmp_path / "p" / "window").exists, "the first window listens")
    for number in (1, 2):
        assert start(link(number)).end() == ""
    assert first.shown() == []
    (tmp_path / "slow").unlink()
    wait_until(first.shown, "a link is shown")
    assert set(first.shown()) == {link(2)}


def test_of_two_starts_at_once_one_shows_the_link(start: Start) -> None:
    both = [start(), start(link())]
    wait_until(lambda: link() in both[0].shown() + both[1].shown(), "the link is shown")
    wait_until(lambda: any(one.process.poll() is not None for one in both), "one start is over")
    assert [one.process.poll() for one in both if one.process.poll() is not None] == [0]


def test_when_the_window_is_killed_the_second_start_shows_its_link_itself(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "deaf").touch()
    first = start()
    wait_until(lambda: holds_profile(tmp_path, first), "the first has the profile")
    second = start(link())
    wait_until(second.asks, "the second looks for the first")
    first.kill()
    wait_until(lambda: second.shown() == [link()], "the link is shown")
    assert holds_profile(tmp_path, second)


def test_after_a_kill_the_socket_that_was_left_does_not_matter(
    start: Start, tmp_path: Path
) -> None:
    first = start()
    wait_until((tmp_path / "p" / "window").exists, "the first window listens")
    first.kill()
    second = start(link(1))
    wait_until(lambda: second.shown() == [link(1)], "the link is shown")
    third = start(link(2))
    assert third.end() == ""
    wait_until(lambda: second.shown()[-1:] == [link(2)], "the second link is shown")


def test_a_link_on_the_profile_of_a_node_says_who_has_it(start: Start, tmp_path: Path) -> None:
    instance = Instance(open_profile(tmp_path / "p"), NODE)
    process = start(link()).process
    assert process.stderr is not None
    line = process.stderr.readline().decode()
    assert "in use by Folkmoot without a window" in line
    assert "folkmoot://" not in line
    instance.release()
