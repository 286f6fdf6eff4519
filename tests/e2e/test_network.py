"""Three hosts that find each other by mDNS, each in a network namespace of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, ask_and_admit, until

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
