"""Three computers on one network (network namespaces on a bridge) find each other by mDNS."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[3]
PEER = Path(__file__).with_name("mdns_peer.py")
COMPUTERS = ("a", "b", "c")

pytestmark = [pytest.mark.long, pytest.mark.needs("root", "netns", "ip"), pytest.mark.timeout(90)]


def ip(*arguments: str) -> None:
    """Run `ip`, which is quick."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@pytest.fixture(params=["IPv4 and IPv6", "IPv6 link-local alone"])
def computers(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """Names of three namespaces whose `eth0` hang on one bridge, itself in a fourth."""
    prefix = f"fm{os.getpid() % 100_000}"
    switch = f"{prefix}s"
    names = [f"{prefix}{letter}" for letter in COMPUTERS]
    try:
        ip("netns", "add", switch)
        ip("-n", switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        ip("-n", switch, "link", "set", "br0", "up")
        for number, name in enumerate(names, 1):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
            port = f"port{number}"
            ip(*f"-n {name} link add eth0 type veth peer name {port} netns {switch}".split())
            ip("-n", switch, "link", "set", port, "master", "br0", "up")
            if request.param == "IPv4 and IPv6":
                ip("-n", name, "address", "add", f"198.51.100.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            link_local = f"fe80::{number}/64"
            ip("-n", name, "address", "add", link_local, "dev", "eth0", "nodad")
        yield names
    finally:
        for name in [*names, switch]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


async def start_peer(computer: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *("ip", "netns", "exec", computer, sys.executable, str(PEER)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TOP / "app")},
    )


async def connected_to(peer: asyncio.subprocess.Process, count: int) -> dict[str, str]:
    """{instance: address} of the first `count` that a peer connected to."""
    assert peer.stdout is not None
    found: dict[str, str] = {}
    async with asyncio.timeout(30):
        while len(found) < count:
            line = json.loads(await peer.stdout.readline())
            if "connected" in line:
                found[line["connected"]] = line["address"]
    return found


async def test_each_finds_and_reaches_the_others_and_sees_one_leave(computers: list[str]) -> None:
    peers = [await start_peer(computer) for computer in computers]
    try:
        seen = [await connected_to(peer, 2) for peer in peers]
        assert len({instance for each in seen for instance in each}) == 3
        leaving = next(iter(set(seen[0]) & set(seen[1])))
        assert peers[2].stdin is not None
        peers[2].stdin.close()
        for peer in peers[:2]:
            assert peer.stdout is not None
            async with asyncio.timeout(30):
                while json.loads(await peer.stdout.readline()).get("gone") != leaving:
                    pass
    finally:
        for peer in peers:
            assert peer.stdin is not None
            peer.stdin.close()
            try:
                await asyncio.wait_for(peer.wait(), 10)
            except TimeoutError:
                peer.kill()
                await peer.wait()


async def test_two_on_a_computer_with_no_network_find_each_other() -> None:
    name = f"fm{os.getpid() % 100_000}l"
    ip("netns", "add", name)
    peers: list[asyncio.subprocess.Process] = []
    try:
        ip("-n", name, "link", "set", "lo", "up")
        peers += [await start_peer(name), await start_peer(name)]
        for peer in peers:
            (address,) = (await connected_to(peer, 1)).values()
            assert address.startswith(("127.0.0.1:", "[::1]:"))
    finally:
        for peer in peers:
            assert peer.stdin is not None
            peer.stdin.close()
            await asyncio.wait_for(peer.wait(), 20)
        ip("netns", "delete", name)
