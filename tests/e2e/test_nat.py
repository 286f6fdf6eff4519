"""Teams behind routers, with a real signaling server: direct where it can be, relayed elsewhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from e2e.calling import figure
from e2e.meeting import address, arrives, members, signaling, wait_for_way, way
from e2e.nat import Router, homes
from e2e.nodes import until

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "nft", "curl"),
    pytest.mark.timeout(120),
]
CHAT = ("--no-discovery",)


def test_behind_two_routers_the_link_goes_straight(tmp_path: Path) -> None:
    with (
        homes(ann=Router.PLAIN, ben=Router.PLAIN) as made,
        signaling(made, tmp_path / "server") as server,
        members(made, tmp_path, *CHAT) as (nodes, general),
    ):
        seconds = wait_for_way("nat", *nodes)
        figure(f"straight {seconds:.2f} s after they were linked")
        server.kill()  # from now on nobody could relay
        server.wait(30)
        took_s = arrives(general, "straight", *nodes)
        figure(f"a message takes {took_s * 1000:.0f} ms, two looks included")
        assert way(*nodes) == "nat"


@pytest.mark.parametrize("router", [Router.SYMMETRIC, Router.NO_UDP])
def test_where_nothing_goes_straight_the_server_carries_chat(
    tmp_path: Path, router: Router
) -> None:
    with (
        homes(ann=router, ben=Router.PLAIN) as made,
        signaling(made, tmp_path / "server"),
        members(made, tmp_path, *CHAT) as (nodes, general),
    ):
        ann, ben = nodes
        wait_for_way("relay", ann, ben)
        arrives(general, "around", ann, ben)
        arrives(general, "and back", ben, ann)

        def said() -> set[str]:
            rows = [row for node in nodes for row in node.get("/doctor")["peers"][0]["ways"]]
            return {row["code"] for row in rows if row["way"] == "nat" and row["code"]}

        until(lambda: "no_direct_way" in said(), "the doctor says that there is no direct way")
        assert way(ann, ben) == "relay"


def test_a_router_that_is_changed_is_used_as_it_is_now(tmp_path: Path) -> None:
    with (
        homes(ann=Router.NO_UDP, ben=Router.PLAIN) as made,
        signaling(made, tmp_path / "server"),
        members(made, tmp_path, *CHAT) as (nodes, general),
    ):
        wait_for_way("relay", *nodes)
        made.set_router("ann", Router.PLAIN)
        figure(
            f"straight {wait_for_way('nat', *nodes, within_s=40):.1f} s after UDP was let through"
        )
        arrives(general, "straight", *nodes)
        made.set_router("ann", Router.NO_UDP)
        wait_for_way("relay", *nodes, within_s=30)
        arrives(general, "around", *nodes)


def test_after_another_address_the_link_goes_straight_again(tmp_path: Path) -> None:
    with (
        homes(ann=Router.PLAIN, ben=Router.PLAIN) as made,
        signaling(made, tmp_path / "server"),
        members(made, tmp_path, *CHAT) as (nodes, general),
    ):
        wait_for_way("nat", *nodes)
        ann, ben = nodes
        before = address(ben, ann)
        made.move("ann", 7)
        moved_at = time.monotonic()
        # Another socket of Ann's has another port at her router; that no way is there is a moment.
        until(lambda: address(ben, ann) not in ("", before), "another way than the old one", 60)
        wait_for_way("nat", ann, ben, within_s=40)
        took_s = arrives(general, "from another address", ann, ben)
        seconds = time.monotonic() - moved_at - took_s
        figure(f"straight again {seconds:.1f} s after the address changed")
