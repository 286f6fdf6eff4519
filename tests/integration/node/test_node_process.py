"""`folkmoot node` as a process: what it prints, how it ends, and whom it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.awake import seconds_until

START_S = 30.0
WITHOUT_ROOTS_RIGHTS = (
    ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
)
"""Root writes to every folder unless it gives up the right to."""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `folkmoot` with arguments; what still runs at the end is killed."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*before, sys.executable, "-m", "folkmoot", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def node(
    start: Start, profile: Path, *more: object, before: Sequence[str] = ()
) -> subprocess.Popen[str]:
    quiet = ("--no-discovery", "--listen", "127.0.0.1:0")
    return start("node", "--profile", profile, *quiet, *more, before=before)


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=START_S)[1]
    told: dict[str, Any] = json.loads(line)
    return told


def test_a_node_says_once_that_it_is_ready(start: Start, tmp_path: Path) -> None:
    process = node(start, tmp_path / "p", "--name", "Ada")
    ready = first_line(process)
    assert ready["ready"] is True
    assert len(bytes.fromhex(ready["person"])) == 32
    assert len(bytes.fromhex(ready["device"])) == 32
    assert ready["api"] is None
    assert ready["profile"] == str(tmp_path / "p")
    process.terminate()
    assert process.stdout is not None
    assert process.stdout.read() == ""  # by the reader of the first line, which may hold more
    assert process.communicate(timeout=START_S)[1] == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_node_in_good_order_and_soon(
    start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    process = node(start, tmp_path / "p")
    first_line(process)
    process.send_signal(number)
    assert seconds_until(lambda: process.poll() is not None) < 9  # 3 where nothing else runs
    assert process.returncode == 0


def test_the_next_start_is_the_same_person_on_the_same_computer(
    start: Start, tmp_path: Path
) -> None:
    seen = []
    for _ in range(2):
        process = node(start, tmp_path / "p")
        ready = first_line(process)
        seen.append((ready["person"], ready["device"]))
        process.kill()
        process.wait(START_S)
    assert seen[0] == seen[1]


def test_everything_in_the_profile_is_private(start: Start, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        process = node(start, tmp_path / "p")
        first_line(process)
    finally:
        os.umask(before)
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in tmp_path.rglob("*")
    }
    assert "p/identity/person.key" in modes
    assert "p/store.sqlite3" in modes
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}


def test_a_second_node_on_a_profile_is_told_that_it_is_in_use(start: Start, tmp_path: Path) -> None:
    first_line(node(start, tmp_path / "p"))
    second = node(start, tmp_path / "p")
    refused = first_line(second)
    assert refused["ready"] is False
    assert refused["error"]["code"] == "profile_in_use"
    assert "--profile" in refused["error"]["hint"]
    assert second.wait(START_S) == 3


def test_two_nodes_run_side_by_side_on_two_profiles(start: Start, tmp_path: Path) -> None:
    first, second = node(start, tmp_path / "a"), node(start, tmp_path / "b")
    assert first_line(first)["person"] != first_line(second)["person"]


def test_a_profile_that_cannot_be_written_is_said_in_words(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    folder.chmod(0o500)
    process = node(start, folder, before=WITHOUT_ROOTS_RIGHTS)
    refused = first_line(process)
    assert refused["error"]["code"] == "read_only"
    assert str(folder) in refused["error"]["message"]
    assert process.wait(START_S) == 3
    assert list(folder.iterdir()) == []


def test_a_damaged_store_is_said_in_words_and_left_alone(start: Start, tmp_path: Path) -> None:
    process = node(start, tmp_path / "p")
    first_line(process)
    process.terminate()
    process.wait(START_S)
    store = tmp_path / "p" / "store.sqlite3"
    store.write_bytes(b"this was a database once " * 1000)
    process = node(start, tmp_path / "p")
    refused = first_line(process)
    assert refused["error"]["code"] == "store_damaged"
    assert refused["error"]["hint"]
    assert process.wait(START_S) == 3
    assert store.read_bytes().startswith(b"this was a database once")


def test_the_name_is_taken_on_the_first_run_only(start: Start, tmp_path: Path) -> None:
    for name in ("Ada", "Eve"):
        process = node(start, tmp_path / "p", "--name", name)
        first_line(process)
        process.terminate()
        process.wait(START_S)
    import sqlite3

    with sqlite3.connect(tmp_path / "p" / "store.sqlite3") as database:
        [row] = database.execute("SELECT value FROM setting WHERE key = 'identity.name'")
    assert row == ("Ada",)


def test_a_wrong_name_is_refused_in_words(start: Start, tmp_path: Path) -> None:
    process = node(start, tmp_path / "p", "--name", "x" * 81)
    assert first_line(process)["error"]["code"] == "bad_text"
    assert process.wait(START_S) == 3


def test_rebuild_refuses_a_profile_in_use_and_a_folder_without_one(
    start: Start, tmp_path: Path
) -> None:
    first_line(node(start, tmp_path / "p"))
    used = start("rebuild", "--profile", tmp_path / "p")
    assert "in use" in used.communicate(timeout=START_S)[1]
    assert used.returncode == 1
    missing = start("rebuild", "--profile", tmp_path / "nothing")
    assert "no profile" in missing.communicate(timeout=START_S)[1]
    assert missing.returncode == 1
    assert not (tmp_path / "nothing").exists()


def test_rebuild_says_what_it_did(start: Start, tmp_path: Path) -> None:
    process = node(start, tmp_path / "p")
    first_line(process)
    process.terminate()
    process.wait(START_S)
    rebuilt = start("rebuild", "--profile", tmp_path / "p")
    assert rebuilt.communicate(timeout=START_S) == ("Rebuilt from 0 entries of the log.\n", "")
    assert rebuilt.returncode == 0


def test_a_typed_port_that_is_taken_is_said_and_another_one_used(
    start: Start, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(
            *("node", "--profile", tmp_path / "p", "--no-discovery"),
            *("--listen", f"127.0.0.1:{port}"),
        )
        [bound] = first_line(process)["listen"]
        host, _, other = bound.rpartition(":")
        assert host == "127.0.0.1"
        assert int(other) != port
        process.terminate()
        _, errors = process.communicate(timeout=START_S)
    assert f"Port {port} is in use by another program." in errors
    assert f"Folkmoot listens on port {other} instead." in errors


def test_an_address_of_another_computer_is_refused_in_words(start: Start, tmp_path: Path) -> None:
    process = start(
        *("node", "--profile", tmp_path / "p", "--no-discovery", "--listen", "192.0.2.200:0")
    )
    told = first_line(process)
    assert told["ready"] is False
    assert told["error"]["code"] == "no_network"
    assert "192.0.2.200" in told["error"]["message"]
    assert process.wait(START_S) == 3


def _namespace(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, timeout=20)


@pytest.mark.long
@pytest.mark.needs("netns")
def test_a_node_started_without_a_network_uses_the_one_that_comes(
    start: Start, tmp_path: Path
) -> None:
    name = f"alone{os.getpid()}"
    _namespace("netns", "add", name)
    try:
        _namespace("-n", name, "link", "set", "lo", "up")
        inside = ("ip", "netns", "exec", name)
        process = start("node", "--profile", tmp_path / "p", before=inside)
        first_line(process)
        _namespace("-n", name, "link", "add", "cable", "type", "veth", "peer", "name", "far")
        for end in ("cable", "far"):
            _namespace("-n", name, "link", "set", end, "up")
        _namespace("-n", name, "addr", "add", "10.99.7.1/24", "dev", "cable")
        log = tmp_path / "p" / "log" / "node.log"
        deadline = time.monotonic() + 20
        while "may reach this computer at 10.99.7.1:" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        process.terminate()
        _, errors = process.communicate(timeout=30)
        assert "This computer is on no network." in errors
    finally:
        _namespace("netns", "del", name)
