"""ICE and QUIC over it between two homes behind routers: what works, and what is said if not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from e2e.calling import figure
from e2e.nat import SERVER, Homes, Router, homes
from e2e.turn import PORT, coturn

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "nft", "turnserver"),
    pytest.mark.timeout(120),
]
_ROOT = Path(__file__).parents[2]


def _meet(made: Homes, *names: str) -> list[dict[str, Any]]:
    """Both sides in their homes; what each says at its end."""
    paths = os.pathsep.join(str(_ROOT / folder) for folder in ("app", "tests"))
    program = (sys.executable, str(_ROOT / "tests/e2e/nat_peer.py"))
    sides = [
        subprocess.Popen(
            [*made.inside(name), *program, role, f"{SERVER}:{PORT}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for name, role in zip(names, ("began", "answers"), strict=True)
    ]
    try:
        said = []
        for side in sides:
            assert side.stdout is not None
            said.append(side.stdout.readline())
        for side, other in zip(sides, reversed(said), strict=True):
            assert side.stdin is not None
            side.stdin.write(other)
            side.stdin.flush()
        return [json.loads(side.communicate(timeout=30)[0]) for side in sides]
    finally:
        for side in sides:
            side.kill()
            side.wait()


def test_two_homes_behind_routers_reach_each_other_without_a_relay(tmp_path: Path) -> None:
    with homes(ann=Router.PLAIN, ben=Router.PLAIN) as made, coturn(made, tmp_path):
        ann, ben = _meet(made, "ann", "ben")
    figure(f"through two routers: {ann}")
    assert ann["code"] == ben["code"] == "ok"
    assert ann["binding"] == ben["binding"]
    assert ann["remote"].startswith("nat://8.7.6.12:")
    assert ann["local"].startswith("192.168.1.2:")
    assert ben["last"] == "bye"


@pytest.mark.parametrize("router", [Router.SYMMETRIC, Router.NO_UDP])
def test_where_nothing_passes_it_is_said_in_time(tmp_path: Path, router: Router) -> None:
    with homes(ann=router, ben=Router.PLAIN) as made, coturn(made, tmp_path):
        ann, ben = _meet(made, "ann", "ben")
    assert ann["code"] == ben["code"] == "no_direct_way"
    assert max(ann["took_s"], ben["took_s"]) < 8
