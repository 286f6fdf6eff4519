"""`folkmoot` as a process: one window per profile, its end, and what it says when it cannot run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot.bootstrap.node_thread import NodeThread
from folkmoot.bootstrap.running import Options
from folkmoot.system.instance import NODE, Instance
from folkmoot.system.profile import open_profile
from lab.awake import seconds_until

PATIENCE_S = 60.0
Window = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def window() -> Iterator[Window]:
    """Starts a window that is drawn into memory; what still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def begin(profile: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "folkmoot", "--profile", str(profile)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "QT_QPA_PLATFORM": "offscreen",
            },
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def wait_until(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.05)


def wait_for_node(profile: Path) -> None:
    """The node beside the window is up once the certificate and the store are there."""
    store = profile / "store.sqlite3"
    wait_until(lambda: store.exists() and store.stat().st_size > 0, "the node starts")


def listens_to(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Whether a process does something of its own at a signal. The node beside a window may be up
    before the window, in another thread, comes to it."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [caught] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_in_good_order_and_soon(
    window: Window, tmp_path: Path, number: signal.Signals
) -> None:
    process = window(tmp_path / "p")
    wait_for_node(tmp_path / "p")
    wait_until(lambda: listens_to(process, signal.SIGTERM), "the window listens to signals")
    process.send_signal(number)
    assert seconds_until(lambda: process.poll() is not None) < 9  # 3 where nothing else runs
    assert process.returncode == 0


def test_a_second_start_leaves_the_first_window_alone_and_is_over(
    window: Window, tmp_path: Path
) -> None:
    first = window(tmp_path / "p")
    wait_for_node(tmp_path / "p")
    second = window(tmp_path / "p")
    assert second.wait(PATIENCE_S) == 0
    assert second.communicate()[1] == ""
    assert first.poll() is None


def test_two_windows_run_side_by_side_on_two_profiles(window: Window, tmp_path: Path) -> None:
    processes = [window(tmp_path / name) for name in ("a", "b")]
    for name in ("a", "b"):
        wait_for_node(tmp_path / name)
    assert [process.poll() for process in processes] == [None, None]


def test_a_window_on_the_profile_of_a_node_says_so(window: Window, tmp_path: Path) -> None:
    instance = Instance(open_profile(tmp_path / "p"), NODE)
    process = window(tmp_path / "p")
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "in use by Folkmoot without a window" in line
    assert "--profile" in line
    assert not (tmp_path / "p" / "store.sqlite3").exists()
    instance.release()


FIRST_FRAME = """
import os, sys
import folkmoot.ui.app as app
from folkmoot.main import main

class Shell(app.Shell):
    def __init__(self, *given):
        super().__init__(*given)
        self.first_painted.connect(self.tell)

    def tell(self):
        sys.stdout.write(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
        sys.stdout.flush()
        os._exit(0)

app.Shell = Shell
main(["--profile", sys.argv[1]])
"""
HEAVY = {
    "aiohttp",
    "asyncio",
    "cryptography",
    "jwt",
    "msgspec",
    "nacl",
    "qasync",
    "sqlalchemy",
    "ssl",
    "zeroconf",
}


@pytest.mark.parametrize("left", ["fresh", "with a team"])
def test_before_the_first_frame_nothing_heavy_is_imported(tmp_path: Path, left: str) -> None:
    if left == "with a team":
        thread = NodeThread(
            open_profile(tmp_path), Options(listen=("127.0.0.1:0",), discovery=False)
        )
        thread.call(lambda node: node.teams.create("Crew")).result(PATIENCE_S)
        thread.close(PATIENCE_S)
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "QT_QPA_PLATFORM": "offscreen",
        },
    )
    imported = set(done.stdout.split())
    assert "PySide6" in imported
    assert imported & HEAVY == set()


START_AGAIN = """
import sys
import folkmoot.media.launcher as launcher
import folkmoot.ui.app as app
from folkmoot.main import main

class Shell(app.Shell):
    def __init__(self, *given):
        super().__init__(*given)
        self.first_painted.connect(self.start_again, app.Qt.ConnectionType.QueuedConnection)

app.Shell = Shell
launcher.program = lambda: [sys.executable, "-c", sys.argv[2], *sys.argv[3:]]
sys.exit(main(["--profile", sys.argv[1]]))
"""
NEXT = """
import os, pathlib, sys
from folkmoot.system.instance import WINDOW, Instance
from folkmoot.system.profile import open_profile
from lab.awake import seconds_until

Instance(open_profile(pathlib.Path(sys.argv[3])), WINDOW)
pathlib.Path(sys.argv[1]).write_text(sys.argv[2] + os.environ["PYINSTALLER_RESET_ENVIRONMENT"])
"""


def test_a_restart_begins_once_more_when_the_profile_is_free(tmp_path: Path) -> None:
    said, profile = tmp_path / "said", tmp_path / "p"
    done = subprocess.run(
        [sys.executable, "-c", START_AGAIN, str(profile), NEXT, str(said)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "QT_QPA_PLATFORM": "offscreen",
        },
    )
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(lambda: said.exists() and said.read_text() == "--profile1", "the next one starts")
