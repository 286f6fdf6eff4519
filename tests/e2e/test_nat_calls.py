"""Calls through NAT and relays, with a real coturn and a real signaling server."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from e2e.calling import SOURCES, Caller, figure, talk, wait_state
from e2e.meeting import members, signaling, wait_for_way
from e2e.nat import SERVER, Router, homes
from e2e.nodes import NodeProcess, until
from e2e.turn import PORT, SECRET, coturn

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "nft", "curl", "turnserver"),
    pytest.mark.timeout(120),
]
URLS = tuple(f"turn:{SERVER}:{PORT}?transport={transport}" for transport in ("udp", "tcp"))
TURN = (f'turn_urls = ["{URLS[0]}", "{URLS[1]}"]', f'turn_secret = "{SECRET}"')


def _call(nodes: list[NodeProcess], general: str) -> tuple[str, list[Caller], float]:
    """A call of both; how long it took from the answer until both heard and saw the other."""
    ann, ben = callers = [Caller(node) for node in nodes]
    call = ann.start(general)
    wait_state(ben, call, "ringing")
    began_at = time.monotonic()
    ben.join(call)
    talk(call, *callers)
    return call, callers, time.monotonic() - began_at


def _ways(call: str, callers: list[Caller]) -> set[str]:
    ann, ben = callers
    rows = [
        until(partial(one.figures, call, other), f"figures of {one.node.name}")
        for one, other in ((ann, ben), (ben, ann))
    ]
    return {str(row["way"]) for row in rows}


def test_a_call_goes_straight_through_two_routers(tmp_path: Path) -> None:
    with (
        homes(ann=Router.PLAIN, ben=Router.PLAIN) as made,
        coturn(made, tmp_path / "turn"),
        signaling(made, tmp_path / "server", *TURN),
        members(made, tmp_path, *SOURCES) as (nodes, general),
    ):
        call, callers, seconds = _call(nodes, general)
        ways = _ways(call, callers)
        figure(f"straight: a call after {seconds:.1f} s, {ways}")
        assert "relay" not in ways
        assert ways <= {"srflx", "prflx"}


@pytest.mark.parametrize(
    ("router", "transport"), [(Router.SYMMETRIC, "UDP"), (Router.NO_UDP, "TCP")]
)
def test_where_nothing_goes_straight_a_relay_carries_the_call(
    tmp_path: Path, router: Router, transport: str
) -> None:
    with (
        homes(ann=router, ben=router) as made,
        coturn(made, tmp_path / "turn"),
        signaling(made, tmp_path / "server", *TURN),
        members(made, tmp_path, *SOURCES) as (nodes, general),
    ):
        wait_for_way("relay", *nodes)
        call, callers, seconds = _call(nodes, general)
        ways = _ways(call, callers)
        row = callers[0].figures(call, callers[1])
        figure(f"TURN over {transport}: a call after {seconds:.1f} s, {ways}, {row}")
        assert ways == {"relay"}
        time.sleep(3)  # it is no matter of the first moment
        talk(call, *callers)
        assert _ways(call, callers) == {"relay"}


def test_a_relay_that_refuses_is_named_in_words(tmp_path: Path) -> None:
    with (
        homes(ann=Router.SYMMETRIC, ben=Router.SYMMETRIC) as made,
        coturn(made, tmp_path / "turn", secret="another secret than that of the other server"),
        signaling(made, tmp_path / "server", *TURN),
        members(made, tmp_path, *SOURCES) as (nodes, general),
    ):
        ann, ben = (Caller(node) for node in nodes)
        call = ann.start(general)
        wait_state(ben, call, "ringing")
        ben.join(call)
        for node in nodes:
            log = node.profile / "log"

            def says(log: Path = log) -> bool:
                texts = [file.read_text() for file in log.rglob("*") if file.is_file()]
                return any("There is no relay: refused" in text for text in texts)

            until(says, f"{node.name} says why there is no relay", 30)
        assert ann.sees(call, ben)["state"] == "connecting"
