"""A hundred calls in a row leave nothing behind: memory, threads, tasks, descriptors."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from e2e.calling import figure
from e2e.nodes import NodeProcess, nodes, until
from e2e.test_story import join

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
WARM, CALLS = 10, 100
MAX_GROWTH_KB = 6_000
"""For 90 calls: a third less than a leak of 100 kB a call would be. Heaps settle by about half."""
MAX_PICTURES_GROWTH_KB = 15_000
"""For 12 calls: less than one picture of 720p for each (16,200 kB). It varies by 4 MB, and as much
may be free at the end of a heap (`MALLOC_TRIM_THRESHOLD_` of the launcher)."""
MAX_TASKS = 4
"""A node has a few more or fewer at any moment: requests that end, links that are looked after."""
MAX_THREADS, MAX_DESCRIPTORS = 4, 8
"""Pools of threads and of connections to the store grow when two ask at once, whenever that first
happens. One of each a call would be 12 at least."""
OF_CALLS = ("aiortc.", "aioice.", "pylibsrtp.", "folkmoot.media.connection.Peer", "OpenSSL.SSL.")


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    rss_kb: int
    threads: int
    descriptors: int
    tasks: int
    objects: dict[str, int]

    @property
    def of_calls(self) -> dict[str, int]:
        """Objects that no process has between two calls."""
        return {name: n for name, n in self.objects.items() if name.startswith(OF_CALLS)}


class Counted:
    """A node and its media process, which count (`lab.counted`)."""

    def __init__(self, node: NodeProcess, folder: Path) -> None:
        self.node = node
        self._folder = folder

    @property
    def pids(self) -> dict[str, int]:
        """Of the node and its only child."""
        assert self.node.process is not None
        pid = self.node.process.pid
        [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {"node": pid, "media": int(child)}

    def held(self) -> dict[str, Held]:
        """Both, once every part of the last call is gone."""
        return {name: self.settled(name) for name in self.pids}

    def settled(self, name: str) -> Held:
        """One of the two processes, once every part of the last call is gone."""
        pid = self.pids[name]
        left: list[Held] = []

        def settled() -> bool:
            left[:] = [self._count(pid)]
            return not left[0].of_calls

        where = f"nothing of calls in the {name} process of {self.node.name}"
        until(settled, where, more=lambda: str(left[0].of_calls))
        return left[0]

    def _count(self, pid: int) -> Held:
        file = self._folder / f"{pid}.json"
        file.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)
        until(file.exists, "a count")
        found: dict[str, Any] = json.loads(file.read_text())
        status = Path(f"/proc/{pid}/status").read_text()
        return Held(
            int(status.split("VmRSS:")[1].split()[0]),
            len(os.listdir(f"/proc/{pid}/task")),
            len(os.listdir(f"/proc/{pid}/fd")),
            found["tasks"],
            found["objects"],
        )


def test_a_hundred_calls_leave_nothing_behind(tmp_path: Path) -> None:
    with _two(tmp_path) as (ada, bob):
        session = join(ada.node, bob.node)
        for _ in range(WARM):
            _call(ada.node, bob.node, session)
        pids = ada.pids, bob.pids
        before = ada.held(), bob.held()
        for _ in range(CALLS - WARM):
            _call(ada.node, bob.node, session)
        assert (ada.pids, bob.pids) == pids
        _compare(before, (ada, bob), MAX_GROWTH_KB)


def test_calls_with_pictures_leave_no_threads_and_no_parts_behind(tmp_path: Path) -> None:
    with _two(tmp_path, "--camera", "test") as (ada, bob):
        session = join(ada.node, bob.node)
        for _ in range(3):
            _call(ada.node, bob.node, session, video=True)
        before = ada.held(), bob.held()
        for _ in range(12):
            _call(ada.node, bob.node, session, video=True)
        _compare(before, (ada, bob), MAX_PICTURES_GROWTH_KB)


@contextlib.contextmanager
def _two(folder: Path, *options: str) -> Iterator[tuple[Counted, Counted]]:
    counts = folder / "counts"
    counts.mkdir()
    program = ("-m", "lab.counted", str(counts))
    more = ("--no-discovery", "--microphone", "test", *options)
    with nodes(folder, "Ada", "Bob", options=more, program=program) as made:
        for node in made:
            node.token = node.make_token("read", "write", "admin", "calls")
        ada, bob = made
        yield Counted(ada, counts), Counted(bob, counts)


def _call(ada: NodeProcess, bob: NodeProcess, session: str, *, video: bool = False) -> None:
    """Both hear each other, then both leave."""
    media = {"video": video}
    room = ada.post("/webrtc/rooms", session=session, ring=False, media=media)["id"]
    until(lambda: bob.items("/webrtc/rooms"), "the call at Bob")
    bob.call("POST", f"/webrtc/rooms/{room}/join", media)
    for node in (ada, bob):
        until(partial(_hears, node, room, video=video), f"the other one at {node.name}")
    for node in (bob, ada):
        node.post(f"/webrtc/rooms/{room}/leave")
    for node in (bob, ada):
        until(partial(_is_over, node), f"no call at {node.name}")


def _is_over(node: NodeProcess) -> bool:
    return not node.items("/webrtc/rooms")


def _hears(node: NodeProcess, room: str, *, video: bool) -> bool:
    others = [one for one in node.get(f"/webrtc/rooms/{room}")["participants"] if not one["me"]]
    if not any(one["state"] == "connected" for one in others):
        return False
    rows = node.items(f"/webrtc/rooms/{room}/stats") if video else []
    return not video or any(row["width"] > 0 for row in rows)


def _compare(before: tuple[dict[str, Held], ...], two: tuple[Counted, ...], growth_kb: int) -> None:
    """Wait until neither holds more than before: at one moment there may be more of anything."""
    for was, one in zip(before, two, strict=True):
        for name in was:
            _wait_even(was[name], one, name, growth_kb)


def _wait_even(old: Held, one: Counted, name: str, growth_kb: int) -> None:
    new: list[Held] = []

    def is_even() -> bool:
        new[:] = [one.settled(name)]
        return not _grown(old, new[0], growth_kb)

    where = f"no more in the {name} process of {one.node.name}"
    until(is_even, where, more=lambda: _grown(old, new[0], growth_kb))
    figure(f"{name}: {old.rss_kb} -> {new[0].rss_kb} kB, {old.tasks} -> {new[0].tasks} tasks")


def _grown(old: Held, new: Held, growth_kb: int) -> str:
    """What there is too much of, in words."""
    bounds = {
        "rss_kb": growth_kb,
        "threads": MAX_THREADS,
        "descriptors": MAX_DESCRIPTORS,
        "tasks": MAX_TASKS,
    }
    found = {name: (getattr(old, name), getattr(new, name)) for name in bounds}
    much = [name for name, (was, now) in found.items() if now - was > bounds[name]]
    return ", ".join(f"{name}: {found[name][0]} -> {found[name][1]}" for name in much)
