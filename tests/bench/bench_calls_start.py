"""From “accept” to the first sound at both ends, with media processes that did not run before.

Two whole nodes without a window on this computer, each with the API and a media process of its own,
say noise without a pause. The clock starts right before the request to join is sent; an end has
heard when the first sound above the noise floor leaves its playout buffer (`lab.stamped`). All four
processes share the cores of this one computer, which two callers on a LAN do not. The baseline is
aiortc as its documentation shows it, in processes that run and have everything imported already,
with descriptions handed over by pipes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.calls import rounds, spread
from bench.measurement import Measurement
from e2e.nodes import NodeProcess, until
from e2e.test_story import join
from lab.plans import StockPlan
from lab.sides import connect, stock_side
from lab.sound import RATE
from lab.stamped import read_stamps
from lab.tracing import make_noise

TARGET_MS = 500
POLL_S = 0.01
HEAR_S = 20.0
AFTER_S = {"one second after the ring": 1.0, "at once": 0.0}


def measure() -> Iterable[Measurement]:
    """Ours, accepted at two moments, and the baseline, in turn."""
    stock: list[float] = []
    ours: dict[str, list[float]] = {name: [] for name in AFTER_S}
    with tempfile.TemporaryDirectory() as folder, _nodes(Path(folder)) as (caller, callee):
        session = join(caller, callee)
        until(lambda: callee.person in caller.linked(), "linked")
        _accept(caller, callee, session, 0.0)  # compiles what an installed Folkmoot has compiled
        for _ in range(rounds(7)):
            for name, after_s in AFTER_S.items():
                ours[name].append(_accept(caller, callee, session, after_s))
            stock.append(asyncio.run(_stock()))
    for name, values in ours.items():
        yield Measurement(
            f"calls, accept {name} to first sound at both ends, media cold",
            values,
            "ms",
            at_most=TARGET_MS,
            baseline=stock,
            note=f"ours {spread(values, 'ms')}, stock in running processes {spread(stock, 'ms')}",
        )


class _Node(NodeProcess):
    """A node with a stopwatch."""

    def __init__(self, folder: Path, name: str, sound: Path) -> None:
        options = ("--listen", "127.0.0.1:0", "--no-discovery", "--microphone", f"file:{sound}")
        super().__init__(folder / name, name, *options)
        self.file = folder / f"{name}.stamps"
        self.program = ("-m", "lab.stamped", str(self.file))
        self.variables = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "pyc")}

    def heard(self, since: float) -> float | None:
        """When it heard something, after `since`."""
        found = [at for name, _, at in read_stamps(self.file) if name == "heard" and at > since]
        return found[0] if found else None


@contextlib.contextmanager
def _nodes(folder: Path) -> Iterator[tuple[_Node, _Node]]:
    sound = folder / "noise.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((make_noise(5) * 32767).astype(np.int16).tobytes())
    caller, callee = _Node(folder, "Caller", sound), _Node(folder, "Callee", sound)
    try:
        for node in (caller, callee):
            node.start()
            node.token = node.make_token("read", "write", "admin", "calls")
        yield caller, callee
    finally:
        for node in (caller, callee):
            node.kill()


def _accept(caller: _Node, callee: _Node, session: str, after_s: float) -> float:
    """Milliseconds from the request to join to sound at both ends."""
    _until_cold(caller, callee)
    room = caller.post("/webrtc/rooms", session=session)
    rings = _until(lambda: _ringing(callee))
    time.sleep(after_s)
    began = time.monotonic()
    callee.post(f"/webrtc/rooms/{rings}/join")
    return _finish(caller, callee, room["id"], began)


def _finish(caller: _Node, callee: _Node, room: str, began: float) -> float:
    heard: list[float] = [_until(lambda node=node: node.heard(began)) for node in (caller, callee)]
    if os.environ.get("FOLKMOOT_BENCH_STAMPS"):
        for node in (caller, callee):
            for name, _, at in read_stamps(node.file):
                if at > began - 2:
                    print(f"# {node.name} {(at - began) * 1000:8.0f} {name}")
    for node in (callee, caller):
        node.post(f"/webrtc/rooms/{room}/leave")
    return (max(heard) - began) * 1000


def _ringing(node: _Node) -> str | None:
    return next(
        (one["id"] for one in node.items("/webrtc/rooms") if one["state"] == "ringing"), None
    )


def _until_cold(*nodes: _Node) -> None:
    """Wait until no media process runs and no call is on."""
    for node in nodes:
        _until(lambda node=node: not node.items("/webrtc/rooms"))
        _until(lambda node=node: not _children(node))


def _children(node: _Node) -> str:
    assert node.process is not None
    pid = node.process.pid
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()


def _until(claim: Any) -> Any:
    deadline = time.monotonic() + HEAR_S
    while not (answer := claim()):
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(POLL_S)
    return answer


async def _stock() -> float:
    """Milliseconds from the first order to sound at both ends."""
    plan = StockPlan(sound="noise")
    async with stock_side(plan) as one, stock_side(plan) as other:
        began = time.monotonic()
        await connect(one, other, "1")
        heard: list[float] = []
        for side in (one, other):
            while not (at := (await side.report())["heard"]):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            heard.append(float(at))
    return (max(heard) - began) * 1000
