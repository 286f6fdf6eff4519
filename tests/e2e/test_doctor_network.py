"""What the doctor says on networks that drop, isolate or lead elsewhere: real hosts, real rules."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, until

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "curl", "nft"),
    pytest.mark.timeout(240),
]


def on(network: Lan, host: str, *words: str) -> None:
    """A command on a host."""
    done = subprocess.run(
        [*network.inside(host), *words], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stderr}"


@contextmanager
def crew(folder: Path, *hosts: str) -> Iterator[tuple[Lan, list[NodeProcess]]]:
    """Hosts of one network, all in Elin's team, with IPv4 only."""
    with lan(*hosts) as network:
        made = []
        for host in hosts:
            network.take_ipv6(host)
            made.append(NodeProcess(folder / host, host.capitalize(), prefix=network.inside(host)))
        try:
            elin, *others = [node.start() for node in made]
            team = elin.post("/teams", name="Harbour Studio")
            for other in others:
                link = elin.call("POST", f"/teams/{team['id']}/invites", {})["link"]
                other.post("/teams/join", invite=link)
                until(partial(_is_linked, elin, other), "linked", 40)
            yield network, made
        finally:
            for node in made:
                node.kill()


def _is_linked(node: NodeProcess, other: NodeProcess) -> bool:
    return other.person in node.linked()


def said_of(node: NodeProcess, other: NodeProcess) -> dict[str, Any]:
    """What the doctor says of a device after trying every way."""
    report = node.get("/doctor?check=1")
    found = next(peer for peer in report["peers"] if peer["device"] == other.device)
    assert isinstance(found, dict)
    return found


def rows(peer: dict[str, Any], code: str) -> list[dict[str, Any]]:
    """The ways of a device that ended with a code."""
    return [way for way in peer["ways"] if way["code"] == code]


def test_where_devices_may_not_talk_to_each_other_isolation_is_told(tmp_path: Path) -> None:
    """What is sent to all comes through, what is sent to one does not: a guest network."""
    with crew(tmp_path, "elin", "tomas") as (network, (elin, tomas)):
        network.drop("tomas", "tcp")
        network.drop("elin", "tcp")
        until(lambda: tomas.person not in elin.linked(), "the link noticed as dead", 40)
        until(lambda: elin.get("/doctor")["seen"], "the record of Tomas", 20)
        peer = said_of(elin, tomas)
        silent = rows(peer, "no_answer")
        assert silent, peer
        assert {way["cause"] for way in silent} == {"isolation"}
        assert all(way["took_ms"] > 2500 for way in silent)
        assert "guest networks often forbid it" in peer["advice"]


def test_a_computer_that_alone_lets_nobody_in_has_a_firewall(tmp_path: Path) -> None:
    with crew(tmp_path, "elin", "tomas", "mara") as (network, (elin, tomas, mara)):
        network.drop("tomas", "tcp")
        until(lambda: tomas.person not in elin.linked(), "the link noticed as dead", 40)
        until(lambda: mara.person in elin.linked(), "Mara linked", 20)
        until(lambda: elin.get("/doctor")["seen"] >= 2, "both records", 20)
        peer = said_of(elin, tomas)
        assert {way["cause"] for way in rows(peer, "no_answer")} == {"firewall"}
        assert "firewall" in peer["advice"]


def test_a_computer_whose_address_is_in_another_network_is_told_so(tmp_path: Path) -> None:
    with crew(tmp_path, "elin", "tomas") as (network, (elin, tomas)):
        network.plug("tomas", on=False)
        until(lambda: tomas.person not in elin.linked(), "the link gone", 40)
        on(network, "elin", "ip", "addr", "add", "172.31.9.1/24", "dev", "eth0")
        on(network, "elin", "ip", "addr", "del", "10.77.0.1/24", "dev", "eth0")
        on(network, "elin", "ip", "addr", "replace", "172.31.9.1/24", "dev", "eth0")
        on(network, "elin", "ip", "route", "replace", "default", "dev", "eth0")
        until(
            lambda: elin.get("/doctor")["interfaces"][0]["addresses"] == ["172.31.9.1/24"],
            "the new network",
        )
        peer = said_of(elin, tomas)
        causes = {way["cause"] for way in peer["ways"] if way["address"].startswith("10.77.0.2:")}
        assert causes == {"subnet"}
        assert "another network" in peer["why"]


def test_a_vpn_that_takes_everything_is_told(tmp_path: Path) -> None:
    with crew(tmp_path, "elin", "tomas") as (network, (elin, tomas)):
        on(network, "elin", *["ip", "link", "add", "wg0", "type", "veth", "peer", "name", "far0"])
        on(network, "elin", *["ip", "addr", "add", "10.8.0.2/24", "dev", "wg0"])
        on(network, "elin", *["ip", "link", "set", "far0", "up"])
        on(network, "elin", *["ip", "link", "set", "wg0", "up"])
        on(network, "elin", "ip", "route", "add", "10.77.0.2/32", "dev", "wg0")
        on(network, "elin", "ip", "route", "replace", "default", "dev", "wg0")
        network.drop("elin", "tcp")  # nor does Tomas come in by the old way
        until(lambda: tomas.person not in elin.linked(), "the link noticed as dead", 40)
        report = elin.get("/doctor?check=1")
        kinds = {each["name"]: each["kind"] for each in report["interfaces"]}
        assert kinds.get("wg0") == "vpn", report["interfaces"]
        [peer] = report["peers"]
        tried = [way for way in peer["ways"] if way["address"].startswith("10.77.0.2:")]
        assert {way["cause"] for way in tried} == {"vpn"}, tried
        assert any("VPN" in advice for advice in report["advice"])
