"""Finding each other by real mDNS on loopback."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.net import discovery
from folkmoot.net.announcement import SERVICE
from folkmoot.net.discovery import MdnsDiscovery
from folkmoot.services.ports import Sighting
from integration.net.lab import until

TAG = b"a tag 01"


class Chance:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        """Fresh bytes."""
        return os.urandom(count)

    def uniform(self, low: float, high: float) -> float:
        """The middle."""
        return (low + high) / 2


class Node:
    """A discovery, its tags, and what it saw."""

    def __init__(self, hosts: list[str] | None) -> None:
        self.discovery = MdnsDiscovery(Chance(), hosts)
        self.tags: list[bytes] = []
        self.named: list[str] = []
        self.sightings: asyncio.Queue[Sighting] = asyncio.Queue()

    def tag(self, name: str) -> list[bytes]:
        """The tags for an instance name."""
        self.named.append(name)
        return self.tags

    async def start(self, port: int) -> None:
        """Begin."""
        await self.discovery.start(port, self.tag, self.sightings.put_nowait)

    async def sees(self, holds: Callable[[Sighting], bool]) -> Sighting:
        """Wait for a sighting; those of other programs on this computer are passed over."""
        async with asyncio.timeout(20):
            while not holds(sighting := await self.sightings.get()):
                pass
            return sighting


MakeNode = Callable[..., Awaitable[Node]]


@pytest.fixture
async def make_node() -> AsyncIterator[MakeNode]:
    """Make nodes on loopback only."""
    nodes: list[Node] = []

    async def make(port: int, *tags: bytes) -> Node:
        node = Node(["127.0.0.1"])
        node.tags += tags
        nodes.append(node)
        await node.start(port)
        return node

    yield make
    for node in nodes:
        await node.discovery.aclose()
        assert not node.discovery._supervisor.names


async def test_two_on_one_computer_find_each_other_and_see_a_goodbye(make_node: MakeNode) -> None:
    one = await make_node(41001, TAG)
    other = await make_node(41002)
    seen = await other.sees(lambda s: s.addresses == ("127.0.0.1:41001",))
    assert TAG in seen.tags
    assert len(seen.tags) == 4
    assert [seen.instance] == one.named
    await one.sees(lambda s: s.addresses == ("127.0.0.1:41002",))
    await one.discovery.aclose()
    gone = await other.sees(lambda s: s.gone and s.instance == seen.instance)
    assert gone.addresses == seen.addresses


async def test_nobody_sees_themselves(make_node: MakeNode) -> None:
    one = await make_node(41003)
    other = await make_node(41004)
    await other.sees(lambda s: s.addresses == ("127.0.0.1:41003",))
    await one.sees(lambda s: s.addresses == ("127.0.0.1:41004",))
    assert one.sightings.empty() or "41003" not in str(one.sightings.get_nowait().addresses)
    assert one.discovery.instance is not None
    assert one.discovery.instance not in one.discovery._sightings


async def test_new_tags_are_told_under_the_same_name(make_node: MakeNode) -> None:
    one = await make_node(41005)
    other = await make_node(41006)
    before = await other.sees(lambda s: s.addresses == ("127.0.0.1:41005",))
    one.tags.append(TAG)
    await one.discovery.refresh()
    assert TAG not in before.tags
    await other.sees(lambda s: s.instance == before.instance and TAG in s.tags)


@pytest.mark.long
async def test_a_new_day_brings_a_new_name_and_the_old_one_is_gone(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "_NEW_NAME_S", 3.0)
    monkeypatch.setattr(discovery, "_LOOK_AT_INTERFACES_S", 0.5)
    await make_node(41007)
    other = await make_node(41008)
    first = await other.sees(lambda s: s.addresses == ("127.0.0.1:41007",))
    await other.sees(lambda s: s.gone and s.instance == first.instance)
    # A late answer may show the old one once more.
    await other.sees(
        lambda s: s.instance != first.instance and (s.gone, s.addresses) == (False, first.addresses)
    )


@pytest.mark.long
async def test_an_old_name_that_a_late_answer_brings_back_goes_again(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncZeroconf

    monkeypatch.setattr(discovery, "_LATE_ANSWERS_S", 4.0)  # the answer must come before
    one = await make_node(41017)
    other = await make_node(41018)
    first = await other.sees(lambda s: s.addresses == ("127.0.0.1:41017",))
    await until(lambda: one.discovery.instance == first.instance)
    old = one.discovery._announced
    assert old is not None
    answering = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    await answering.zeroconf.async_wait_for_start()
    try:
        await one.discovery._withdraw()
        await other.sees(lambda s: s.gone and s.instance == first.instance)
        await asyncio.sleep(1.5)  # within a second it is known still (RFC 6762, section 10.1)
        answering.zeroconf.async_send(answering.zeroconf.generate_service_broadcast(old, None))
        await other.sees(lambda s: not s.gone and s.instance == first.instance)
        await other.sees(lambda s: s.gone and s.instance == first.instance)
    finally:
        await answering.async_close()


async def test_a_record_of_garbage_is_passed_over_and_others_are_still_seen(
    make_node: MakeNode,
) -> None:
    from zeroconf import IPVersion
    from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

    watcher = await make_node(41009)
    spoofer = AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    records: list[tuple[str, int, bytes, str]] = [
        ("garbage-txt", 41010, b"\xffnot a string of a record", "127.0.0.1"),
        ("odd-tags", 41011, b"\x0at0=1234567", "127.0.0.1"),
        ("no-port", 0, b"", "127.0.0.1"),
        ("nowhere", 41012, b"", "224.0.0.1"),
    ]
    for name, port, txt, host in records:
        info = AsyncServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            port=port,
            properties=txt,
            server=f"{name}.local.",
            parsed_addresses=[host],
        )
        await spoofer.async_register_service(info, cooperating_responders=True)
    assert not (await watcher.sees(lambda s: s.instance == "garbage-txt")).tags
    assert not (await watcher.sees(lambda s: s.instance == "odd-tags")).tags
    await make_node(41013, TAG)
    assert TAG in (await watcher.sees(lambda s: s.addresses == ("127.0.0.1:41013",))).tags
    assert {"no-port", "nowhere"}.isdisjoint(watcher.discovery._sightings)
    await spoofer.async_close()


async def test_a_flood_of_records_is_remembered_up_to_a_bound(make_node: MakeNode) -> None:
    watcher = await make_node(41014)
    for n in range(3 * discovery.MAX_SIGHTINGS):
        watcher.discovery._on_change(name=f"flood{n}.{SERVICE}", state_change=None)
    assert len(watcher.discovery._changed) == discovery.MAX_SIGHTINGS
    await asyncio.sleep(0.2)
    assert watcher.discovery._questions <= 16


async def test_no_network_is_said_and_a_later_start_works(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(None)
    with monkeypatch.context() as patch:
        patch.setattr(discovery, "announced_hosts", lambda: ())
        with pytest.raises(EnvironmentFault) as caught:
            await node.start(41015)
    assert caught.value.code == "no_network"
    node.discovery._fixed_hosts = ("127.0.0.1",)
    await node.start(41015)
    other = await make_node(41016)
    await other.sees(lambda s: s.addresses == ("127.0.0.1:41015",))
    await node.discovery.aclose()
