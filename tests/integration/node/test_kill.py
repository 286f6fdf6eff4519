"""kill -9 at any moment loses no message and no draft that was said to be saved."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WRITER = Path(__file__).with_name("writer.py")
PATIENCE_S = 60


class Saved:
    """What the killed processes said to be saved."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.drafts: list[str] = []

    def take(self, line: str) -> None:
        told = json.loads(line)
        if "text" in told:
            self.texts.append(told["text"])
        else:
            self.drafts.append(told["draft"])


def run_and_kill(profile: Path, lines: int, saved: Saved) -> dict[str, Any]:
    """Start a writer, kill it after some lines, and return what it found at its start."""
    with subprocess.Popen(
        [sys.executable, str(WRITER), str(profile)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        assert process.stdout is not None
        found: dict[str, Any] = json.loads(process.stdout.readline())
        for _ in range(lines):
            saved.take(process.stdout.readline())
        process.kill()
        for line in process.stdout.read().splitlines():
            if line.endswith("}"):
                saved.take(line)
        process.wait(PATIENCE_S)
    return found


def check(found: dict[str, Any], saved: Saved) -> None:
    assert set(saved.texts) <= set(found["texts"])
    assert found["texts"] == [f"message {number}" for number in range(len(found["texts"]))]
    if saved.drafts:
        [kept] = found["drafts"]
        assert int(kept.split()[1]) >= int(saved.drafts[-1].split()[1])


def kill_again_and_again(profile: Path, times: int, seed: int) -> None:
    chance, saved = random.Random(seed), Saved()
    for _ in range(times):
        before = Saved()
        before.texts, before.drafts = list(saved.texts), list(saved.drafts)
        lines = chance.choice((0, 1, 2, 3, chance.randrange(200)))
        check(run_and_kill(profile, lines, saved), before)
    check(run_and_kill(profile, 0, Saved()), saved)
    assert saved.texts


@pytest.mark.timeout(300)
def test_nothing_that_was_said_to_be_saved_is_lost_by_a_kill(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "p", 6, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_is_lost_in_a_hundred_kills(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path / "p", 100, seed=2)
