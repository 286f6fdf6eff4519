"""When an address is dialled again after an attempt that failed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from builders.nodes import open_node
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.services.values import Way


@pytest.mark.parametrize(
    ("fault", "from_s", "to_s"),
    [
        (EnvironmentFault("unreachable", "It does not answer."), 0.4, 1.6),
        (EnvironmentFault("timed_out", "The other computer was too slow."), 0.4, 1.6),
        (PeerError("too_slow", "The proofs did not come in time."), 0.4, 1.6),
        (PeerError("unknown_listener", "It does not know our key."), 0.4, 1.6),
        (PeerError("bad_signature", "This proves nothing."), 29.0, 91.0),
    ],
    ids=lambda given: given.code if isinstance(given, FolkmootError) else None,
)
async def test_only_who_breaks_a_rule_is_left_alone_for_long(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: FolkmootError,
    from_s: float,
    to_s: float,
) -> None:
    lone = await open_node(tmp_path)
    peers = lone.node.peers
    await lone.node.teams.create("Crew")

    async def fail(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(lone.node.links, "dial", fail)
    target = peers._targets.add("10.0.0.9:7000", Way.LAN)
    assert target is not None
    target.dialling = True  # the dialler leaves it alone
    before = asyncio.get_running_loop().time()
    await peers._try(target)
    after = asyncio.get_running_loop().time()
    assert before + from_s <= target.next_at <= after + to_s
    await lone.node.aclose()
