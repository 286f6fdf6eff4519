"""A network that changes under the program is followed within five seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, until

pytestmark = [pytest.mark.long, pytest.mark.needs("netns", "curl"), pytest.mark.timeout(180)]
FOLLOWED_S = 5.0


def run(*command: str) -> None:
    """A command that must succeed."""
    subprocess.run(command, check=True, capture_output=True, timeout=20)


def on(network: Lan, host: str, *words: str) -> None:
    """`ip` on a host."""
    run("ip", "-n", network.namespace(host), *words)


@contextmanager
def crew(
    folder: Path, *options: str, ipv6: bool = True
) -> Iterator[tuple[Lan, NodeProcess, NodeProcess]]:
    """Elin and Tomas on two hosts of one network, linked."""
    with lan("elin", "tomas") as network:
        if not ipv6:
            for host in network.hosts:
                network.take_ipv6(host)
        elin, tomas = (
            NodeProcess(folder / host, host.capitalize(), *options, prefix=network.inside(host))
            for host in network.hosts
        )
        try:
            elin.start()
            tomas.start()
            team = elin.post("/teams", name="Harbour Studio")
            link = elin.call("POST", f"/teams/{team['id']}/invites", {})["link"]
            tomas.post("/teams/join", invite=link)
            until(lambda: tomas.person in elin.linked(), "both linked")
            yield network, elin, tomas
        finally:
            for node in (elin, tomas):
                node.kill()


def linked_at(node: NodeProcess, person: str) -> str:
    """Where a person is linked, or nothing."""
    for peer in node.items("/peers"):
        if peer["person"] == person and peer["state"] == "linked":
            return str(peer["address"])
    return ""


def followed(claim: str, since: float) -> None:
    """The time that it took is within the bound."""
    took_s = time.monotonic() - since
    sys.stderr.write(f"\n{claim} after {took_s:.1f} s\n")
    assert took_s <= FOLLOWED_S, claim


@pytest.mark.parametrize("options", [(), ("--no-discovery",)], ids=["mDNS", "no mDNS"])
def test_a_new_address_is_linked_again(tmp_path: Path, options: tuple[str, ...]) -> None:
    with crew(tmp_path, *options, ipv6=False) as (network, elin, tomas):
        on(network, "tomas", "addr", "add", "10.77.0.22/24", "dev", "eth0")
        on(network, "tomas", "addr", "del", "10.77.0.2/24", "dev", "eth0")
        on(network, "tomas", "addr", "replace", "10.77.0.22/24", "dev", "eth0")
        on(network, "tomas", "route", "replace", "default", "dev", "eth0")
        since = time.monotonic()
        until(
            lambda: linked_at(elin, tomas.person).startswith("10.77.0.22:"), "the new address", 30
        )
        followed("a link over the new address", since)


def test_an_interface_that_comes_later_is_announced_and_looked_at(tmp_path: Path) -> None:
    with crew(tmp_path, ipv6=False) as (network, elin, tomas):
        tomas.stop()
        until(lambda: tomas.person not in elin.linked(), "Tomas gone")
        on(network, "tomas", "link", "set", "eth0", "down")
        on(network, "tomas", "addr", "flush", "dev", "eth0")
        on(network, "tomas", "link", "add", "other0", "type", "veth", "peer", "name", "other1")
        on(network, "tomas", "link", "set", "other1", "up")
        on(network, "tomas", "addr", "add", "172.31.5.1/24", "dev", "other0")
        on(network, "tomas", "link", "set", "other0", "up")
        # Nobody can be reached where Tomas remembers them: only mDNS finds them.
        on(network, "elin", "addr", "add", "10.77.0.101/24", "dev", "eth0")
        on(network, "elin", "addr", "del", "10.77.0.1/24", "dev", "eth0")
        on(network, "elin", "addr", "replace", "10.77.0.101/24", "dev", "eth0")
        tomas.start()
        time.sleep(4)  # it has settled on the other network
        assert not linked_at(tomas, elin.person)
        on(network, "tomas", "addr", "add", "10.77.0.33/24", "dev", "eth0")
        on(network, "tomas", "link", "set", "eth0", "up")
        since = time.monotonic()
        until(lambda: linked_at(tomas, elin.person), "a link over the new interface", 60)
        followed("found by mDNS on an interface that came later", since)
        kinds = {each["name"]: each["kind"] for each in tomas.get("/doctor")["interfaces"]}
        assert kinds["eth0"] == "virtual"


def test_a_computer_that_had_no_network_at_its_start_is_found_when_it_gets_one(
    tmp_path: Path,
) -> None:
    with crew(tmp_path) as (network, elin, tomas):
        tomas.stop()
        until(lambda: tomas.person not in elin.linked(), "Tomas gone")
        on(network, "tomas", "link", "set", "eth0", "down")
        tomas.start()
        report = tomas.get("/doctor?check=1")
        assert report["summary"] == "This computer is on no network."
        on(network, "tomas", "link", "set", "eth0", "up")
        on(network, "tomas", "addr", "replace", "10.77.0.44/24", "dev", "eth0")
        since = time.monotonic()
        until(lambda: linked_at(elin, tomas.person), "a link", 60)
        followed("the first network after the start", since)
