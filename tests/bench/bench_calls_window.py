"""How late events of the window come in a call of four while the conversation is scrolled.

A real window on a virtual screen, with the shipped node and media process, a sound system and the
test picture as its camera. The three others are nodes that send encoded files (`lab.players`), so
that two cores hold one real participant. A timer of 10 ms in the window notes how late it comes,
while the mouse wheel turns over a conversation of 3,000 messages. The baseline is the same scroll
without the call.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from bench.calls import rounds, seconds
from bench.measurement import Measurement
from e2e.desktop import Desktop, WindowProcess, desktop
from e2e.nodes import ROOT
from folkmoot.bootstrap.running import Options, build
from folkmoot.services.call_values import MediaChoice
from folkmoot.system.profile import open_profile
from lab.sound import sound_system

MESSAGES, OTHERS = 3_000, 3
LIMIT_MS = 16.0
SETTLE_S = 6.0
_PATH = os.pathsep.join(str(ROOT / part) for part in ("app", "signaling", "tests"))


def measure() -> Iterable[Measurement]:
    """The 99th percentile of each round, with and without the call."""
    with_call, without, middles = [], [], []
    with tempfile.TemporaryDirectory() as place:
        profile = Path(place, "elin")
        invite = asyncio.run(_prepare(profile))
        for turn in range(rounds(5)):
            quiet, busy = _round(Path(place, f"turn{turn}"), profile, invite)
            without.append(float(np.percentile(quiet, 99)))
            with_call.append(float(np.percentile(busy, 99)))
            middles.append(float(np.percentile(busy, 50)))
    yield Measurement(
        "calls, window events late, p99",
        with_call,
        "ms",
        at_most=LIMIT_MS,
        baseline=without,
        note=f"median {np.median(middles):.1f} ms",
    )


async def _prepare(profile: Path) -> str:
    """A team, a long conversation, the test picture as camera; the invitation."""
    running = await build(open_profile(profile), Options(name="Elin", discovery=False))
    node = running.node
    team = await node.teams.create("Window Harbour", False)
    (channel,) = [one.id for one in await node.conversations.list()]
    for start in range(0, MESSAGES, 500):
        await asyncio.gather(
            *(
                node.messages.post(channel, f"Message number {number} of many, with some words.")
                for number in range(start, start + 500)
            )
        )
    await node.calls.set_choice(MediaChoice(camera="test"))
    link = (await node.teams.invite(team.id, uses=1000)).link
    await running.aclose()
    return link


def _round(folder: Path, profile: Path, invite: str) -> tuple[list[float], list[float]]:
    """Milliseconds late: scrolling without the call, then in it."""
    folder.mkdir()
    mine, notes = folder / "elin", folder / "notes.txt"
    shutil.copytree(profile, mine)
    with (
        desktop("1900x1000") as desk,
        sound_system() as sound,
    ):
        heard = {key: value for key, value in sound.environment.items() if "PULSE" in key}
        window = desk.window(
            mine,
            PROGRAM="bench.watched_window",
            PYTHONPATH=_PATH,
            FOLKMOOT_WATCH=str(notes),
            FOLKMOOT_WATCH_LATE="1",
            **heard,
        )
        window.place(0, 0, 900, 900)
        window.find("Message number", "list item")
        _scroll(desk, window, 2)
        quiet = _scroll(desk, window, seconds(15))
        players = subprocess.Popen(
            [sys.executable, "-m", "lab.players", str(folder), invite, str(OTHERS)],
            env={**os.environ, "PYTHONPATH": _PATH},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert players.stdout is not None
            assert players.stdout.readline() == b"ready\n"
            window.click("Join the call")
            _take_part(window)
            busy = _scroll(desk, window, seconds(15))
        finally:
            players.kill()
            players.wait(10)
            window.kill()
    return _late(notes, quiet), _late(notes, busy)


def _take_part(window: WindowProcess) -> None:
    """Through the check of devices, with the camera on, until everybody is seen."""
    window.find("Before you join", "dialog")
    (join,) = (one for one in window.all("Join", "push button") if one.name == "Join")
    window.click_at(*join.middle)
    window.find("Leave", "push button")
    time.sleep(SETTLE_S)


def _scroll(desk: Desktop, window: WindowProcess, lasts_s: float) -> tuple[int, int]:
    """Turn the wheel over the conversation, up and down; from when until when."""
    window.hover("Message number", "list item")
    began = time.monotonic_ns()
    while time.monotonic_ns() - began < lasts_s * 1e9:
        for wheel in (4, 5):
            desk.xdotool("click", "--repeat", 20, "--delay", 20, wheel)
    return began, time.monotonic_ns()


def _late(notes: Path, between: tuple[int, int]) -> list[float]:
    lines = [one.split() for one in notes.read_text().splitlines() if one.startswith("late ")]
    return [int(late) / 1e6 for _, at, late in lines if between[0] <= int(at) <= between[1]]
