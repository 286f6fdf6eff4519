"""A start that fails says why in a window: an installed program has no terminal."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot.system.instance import NODE, WINDOW, Instance
from folkmoot.system.profile import open_profile

PATIENCE_S = 60.0
TELLING = """
import sys
from folkmoot.bootstrap import window
from folkmoot.ui.shell import Shell

out = sys.stdout
window.CLAIM_S = 0.3
show = Shell.show_page

def tell(self, page):
    show(self, page)
    print(page.accessibleName(), file=out, flush=True)

Shell.show_page = tell
exec(sys.argv.pop(1))
from folkmoot.main import main
sys.exit(main())
"""
"""Says on the standard output what page the window shows."""
WITHOUT_RIGHTS = (
    ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)


class Started:
    """A window that is drawn into memory, and the pages that it showed."""

    def __init__(self, profile: str, out: Path, break_first: str) -> None:
        self._out = out
        with out.open("wb") as told:
            self.process = subprocess.Popen(
                [*WITHOUT_RIGHTS, sys.executable, "-c", TELLING, break_first, "--profile", profile],
                stdout=told,
                stderr=subprocess.PIPE,
                text=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(sys.path),
                    "QT_QPA_PLATFORM": "offscreen",
                },
            )

    def wait_for_page(self, words: str) -> None:
        """Wait until the window shows a page with these words."""
        deadline = time.monotonic() + PATIENCE_S
        while words not in self._out.read_text():
            assert time.monotonic() < deadline, f"no “{words}”: {self._out.read_text()}"
            time.sleep(0.05)


Start = Callable[..., Started]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a window; `break_first` is what goes wrong, run before its `main`."""
    started: list[Started] = []

    def begin(profile: str, break_first: str = "") -> Started:
        started.append(Started(profile, tmp_path / "out", break_first))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


@pytest.mark.parametrize(
    ("kind", "words"),
    [(NODE, "in use by Folkmoot without a window"), (WINDOW, "in use by an open window")],
)
def test_a_profile_in_use_is_said_in_a_window(
    start: Start, tmp_path: Path, kind: str, words: str
) -> None:
    instance = Instance(open_profile(tmp_path / "p"), kind)
    start(str(tmp_path / "p")).wait_for_page(words)
    instance.release()


def test_a_folder_that_cannot_be_written_is_said_in_a_window(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir(mode=0o500)
    start(str(folder)).wait_for_page("cannot be written")


def test_a_profile_that_is_a_file_is_said_in_a_window(start: Start, tmp_path: Path) -> None:
    (tmp_path / "p").touch()
    start(str(tmp_path / "p")).wait_for_page("cannot be used")


def test_what_nobody_thought_of_is_said_in_a_window(start: Start) -> None:
    start("~nobody-of-this-name/p").wait_for_page("Folkmoot could not start")


def test_a_program_that_has_no_place_for_errors_shows_its_window_too(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "p").touch()
    without = "sys.stdout = sys.stderr = None"
    start(str(tmp_path / "p"), without).wait_for_page("cannot be used")


def test_a_disk_that_is_full_is_said_in_a_window(start: Start, tmp_path: Path) -> None:
    full = """
import errno, os
from folkmoot.system import profile
def refuse(*given):
    raise OSError(errno.ENOSPC, "No space left on device")
profile.os.fsync = refuse
"""
    start(str(tmp_path / "p"), full).wait_for_page("is full")


def test_a_first_page_that_cannot_be_made_leaves_it_to_the_node_to_say_why(
    start: Start, tmp_path: Path
) -> None:
    profile = open_profile(tmp_path / "p")
    profile.store.write_bytes(b"not a store at all" * 100)
    unreadable = """
from folkmoot.storage import first_page
def fail(path):
    raise IndexError("a role that this version does not know")
first_page.read_first_page = fail
"""
    start(str(tmp_path / "p"), unreadable).wait_for_page("The keys of this profile are missing")


def test_a_program_with_a_part_missing_says_so_in_the_window(start: Start, tmp_path: Path) -> None:
    missing = "sys.modules['folkmoot.ui.session'] = None"
    window = start(str(tmp_path / "p"), missing)
    window.wait_for_page("Folkmoot could not start (ModuleNotFoundError)")
    window.process.terminate()
    _, said = window.process.communicate(timeout=PATIENCE_S)
    assert "folkmoot.ui.session" in said
