"""Nodes among faults always come to agree, and every planted bug shows."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import LogKey
from folkmoot.protocol import frames
from folkmoot.protocol.replication import LinkSync, Position
from folkmoot.services.holdings import HeldLogs
from folkmoot.services.replication import Replication
from sim import chaos

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
SEEDS = int(os.environ.get("SEEDS", "30"))
FIRST_SEED = int(os.environ.get("FIRST_SEED", "0"))
BATCH = 10


def _run(seed: int, *, with_server: bool = False) -> chaos.Run:
    """One seed on a folder of its own, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return chaos.run(seed, Path(folder), with_server=with_server)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SEEDS, BATCH))
def test_all_nodes_agree_after_the_faults(first: int) -> None:
    for seed in range(first, min(first + BATCH, FIRST_SEED + SEEDS)):
        try:
            _run(seed)
        except Exception as error:
            error.add_note(f"seed {seed}: FIRST_SEED={seed} SEEDS=1 repeats it")
            raise


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 2), *(pytest.param(first, 10, marks=pytest.mark.long) for first in range(2, 22, 10))],
)
def test_all_nodes_agree_after_the_faults_of_a_server_too(first: int, count: int) -> None:
    for seed in range(first, first + count):
        try:
            _run(seed, with_server=True)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_run() -> None:
    assert _run(3) == _run(3)


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_run_where_texts_have_other_hashes() -> None:
    program = "from sim import test_chaos; print(test_chaos._run(3))"
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].startswith("Run(trace=")


def _acknowledge_before_commit(patch: pytest.MonkeyPatch) -> None:
    store = Replication._store_entries

    async def early(self: Replication, session: object, batch: list[Entry]) -> None:
        for entry in batch:
            row = (entry.log.device, entry.log.grant, entry.header.sequence, entry.id)
            session.link.send(frames.Ack(entry.log.conversation, (row,)))  # type: ignore[attr-defined]
        await store(self, session, batch)  # type: ignore[arg-type]

    patch.setattr(Replication, "_store_entries", early)


def _never_send_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LinkSync, "_give_up_waiting", lambda self: None)
    patch.setattr(LinkSync, "due", lambda self: self._next_round)


def _keep_an_old_digest(patch: pytest.MonkeyPatch) -> None:
    def advance(self: HeldLogs, log: LogKey, position: Position) -> None:
        logs = self._logs.setdefault(log.conversation, {})
        held = logs.get(log)
        if held is None or held.sequence < position.sequence:
            logs[log] = position

    patch.setattr(HeldLogs, "_advance", advance)


def _believe_that_all_is_held(patch: pytest.MonkeyPatch) -> None:
    def vectors(
        self: LinkSync, frame: frames.Vectors, now: float
    ) -> tuple[list[frames.Frame], Sequence[LogHead]]:
        return [], []

    patch.setattr(LinkSync, "vectors", vectors)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "plant",
    [
        _acknowledge_before_commit,
        _never_send_again,
        _keep_an_old_digest,
        _believe_that_all_is_held,
    ],
)
def test_a_planted_bug_is_found_within_200_seeds(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    for seed in range(200):
        try:
            _run(seed)
        except (AssertionError, FolkmootError):
            return
    pytest.fail("not found")
