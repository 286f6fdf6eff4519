"""Three hosts that find each other by mDNS, each in a network namespace of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, until

pytestmark = [pytest.mark.long, pytest.mark.needs("netns", "curl"), pytest.mark.timeout(300)]


@contextlib.contextmanager
def on(network: Lan, folder: Path) -> Iterator[list[NodeProcess]]:
    """One node on each host."""
    made = [
        NodeProcess(folder / host, host.capitalize(), prefix=network.inside(host))
        for host in network.hosts
    ]
    try:
        yield [node.start() for node in made]
    finally:
        for node in made:
            node.kill()


def ask_and_admit(owner: NodeProcess, other: NodeProcess) -> None:
    """`other` sees the owner's team on the network, asks, and is admitted after comparing words."""
    seen = until(lambda: other.items("/teams/nearby"), f"the team seen by {other.name}", 40)
    other.post(f"/teams/{seen[0]['id']}/ask", note="It is me")
    request = until(
        lambda: [
            one
            for one in owner.items("/teams/requests")
            if one["person"] == other.person and one["words"]
        ],
        f"the request of {other.name}",
    )[0]
    shown = until(
        lambda: next((one["words"] for one in other.items("/teams/nearby") if one["words"]), None),
        f"words to compare at {other.name}",
    )
    assert shown == request["words"]
    assert len(shown) == 4
    owner.post(f"/teams/{seen[0]['id']}/requests/{other.person}", action="admit")
    until(lambda: other.session("general"), f"#general at {other.name}", 30)


def test_three_hosts_found_by_mdns_deliver_through_the_third(tmp_path: Path) -> None:
    with lan("elin", "tomas", "mara") as network, on(network, tmp_path) as (elin, tomas, mara):
        elin.post("/teams", name="Harbour Studio")
        ask_and_admit(elin, tomas)
        ask_and_admit(elin, mara)
        general = elin.session("general")["id"]
        until(lambda: mara.person in tomas.linked(), "Tomas linked to Mara, found by mDNS", 40)
        mara.stop()
        elin.post(f"/chat/sessions/{general}/messages", text="While Mara was away")
        until(lambda: tomas.texts(general) == ["While Mara was away"], "the message at Tomas")
        elin.stop()
        mara.start()
        until(lambda: mara.texts(general) == ["While Mara was away"], "the message at Mara", 60)


def test_a_team_that_is_not_visible_is_told_to_nobody(tmp_path: Path) -> None:
    with lan("elin", "tomas") as network, on(network, tmp_path) as (elin, tomas):
        hidden = elin.post("/teams", name="Hidden", visible=False)
        elin.post("/teams", name="Seen")
        until(lambda: tomas.items("/teams/nearby"), "the visible team", 40)
        assert [one["name"] for one in tomas.items("/teams/nearby")] == ["Seen"]
        link = elin.call("POST", f"/teams/{hidden['id']}/invites", {})["link"]
        assert tomas.post("/teams/join", invite=link)["name"] == "Hidden"


def test_a_pulled_cable_heals_by_itself(tmp_path: Path) -> None:
    with lan("elin", "tomas") as network, on(network, tmp_path) as (elin, tomas):
        elin.post("/teams", name="Harbour Studio")
        ask_and_admit(elin, tomas)
        general = elin.session("general")["id"]
        network.plug("tomas", on=False)
        until(lambda: tomas.person not in elin.linked(), "the link noticed as dead", 30)
        elin.post(f"/chat/sessions/{general}/messages", text="from Elin")
        tomas.post(f"/chat/sessions/{general}/messages", text="from Tomas")
        network.plug("tomas", on=True)
        for node in (elin, tomas):
            both = partial(_has, node, general, {"from Elin", "from Tomas"})
            until(both, f"both messages at {node.name}", 90)


def _has(node: NodeProcess, session: str, texts: set[str]) -> bool:
    return set(node.texts(session)) == texts
