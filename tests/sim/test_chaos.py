"""Nodes among faults always come to agree, and every planted bug shows."""

from __future__ import annotations

import os
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


def _run(seed: int) -> chaos.Run:
    """One seed on a folder of its own, in memory where the system has such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        return chaos.run(seed, Path(folder))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SEEDS, BATCH))
def test_all_nodes_agree_after_the_faults(first: int) -> None:
    for seed in range(first, min(first + BATCH, FIRST_SEED + SEEDS)):
        try:
            _run(seed)
        except Exception as error:
            error.add_note(f"seed {seed}: FIRST_SEED={seed} SEEDS=1 repeats it")
            raise


def test_the_same_seed_gives_the_same_run() -> None:
    assert _run(3) == _run(3)


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
