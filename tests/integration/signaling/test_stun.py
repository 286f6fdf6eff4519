"""STUN of a real server: the client of another library asks over IPv4 and IPv6."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from aioice import stun

from folkmoot.domain.address import Address
from folkmoot_signaling.stun import ANSWERS_PER_ADDRESS_S, StunResponder
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command


@pytest.fixture(scope="module")
def server() -> Iterator[SignalCommand]:
    with signal_command("--listen", "127.0.0.1:0", "--listen", "[::1]:0") as one:
        yield one


class _Asker(asyncio.DatagramProtocol):
    """Asks by `stun.Transaction` of aioice."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.waiting: stun.Transaction | None = None
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers += 1
        if self.waiting is not None:
            self.waiting.response_received(stun.parse_message(data), addr)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        assert self.transport is not None
        self.transport.sendto(bytes(message), addr)

    async def ask(self, place: tuple[str, int], request: stun.Message) -> stun.Message:
        self.waiting = stun.Transaction(request, place, self)
        answer, source = await asyncio.wait_for(self.waiting.run(), 20)
        assert source[:2] == place
        return answer


@asynccontextmanager
async def _asker(host: str) -> AsyncIterator[tuple[_Asker, tuple[str, int]]]:
    loop = asyncio.get_running_loop()
    transport, asker = await loop.create_datagram_endpoint(_Asker, local_addr=(host, 0))
    try:
        yield asker, transport.get_extra_info("sockname")[:2]
    finally:
        transport.close()


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


@pytest.mark.parametrize("which", [0, 1])
async def test_it_says_where_a_request_came_from(server: SignalCommand, which: int) -> None:
    place = _place(server.stun[which])
    async with _asker(place[0]) as (asker, own):
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        answer = await asker.ask(place, request)
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == own
        assert "FINGERPRINT" not in answer.attributes
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.add_fingerprint()
        assert "FINGERPRINT" in (await asker.ask(place, request)).attributes


async def test_garbage_is_passed_over_and_a_flood_is_slowed_down(server: SignalCommand) -> None:
    place = _place(server.stun[0])
    # Another address of this computer, so that the budget of others is not used up.
    async with _asker("127.0.0.9") as (asker, _own):
        assert asker.transport is not None
        for garbage in (b"\0", b"\0" * 20, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1400):
            asker.transport.sendto(garbage, place)
        flood, began_s = 15 * ANSWERS_PER_ADDRESS_S, time.monotonic()
        for _ in range(flood):
            asker.send_stun(stun.Message(stun.Method.BINDING, stun.Class.REQUEST), place)
        async with _asker("127.0.0.10") as (other, own):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            answer = await other.ask(place, request)
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == own
        # Two seconds may have begun meanwhile, and more where this computer stood still.
        seconds = 2 + int(time.monotonic() - began_s)
        assert 0 < asker.answers <= seconds * ANSWERS_PER_ADDRESS_S < flood
    metrics = (await server.ask("/metrics")).body.decode()
    assert "folkmoot_signaling_stun_ignored 4.0" in metrics
    assert "folkmoot_signaling_stun_limited 0.0" not in metrics


async def test_the_port_is_announced_to_nodes(server: SignalCommand) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        assert ann.ready is not None
        assert ann.ready.stun_port == _place(server.stun[0])[1]


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text("stun = false\n")
    with signal_command("--config", str(file)) as server:
        assert server.stun == []
        assert server.fetch("/health").json["parts"]["stun"] == "off"
        async with await SignalClient.logged_in(server.url) as ann:
            assert ann.ready is not None
            assert ann.ready.stun_port == 0


def test_a_port_that_is_taken_for_udp_is_told_in_health(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with signal_command("--listen", f"127.0.0.1:{port}") as server:
            assert server.stun == []
            health = server.fetch("/health")
            assert health.status == 200
            assert health.json["status"] == "degraded"
            assert health.json["parts"]["stun"] == "failed"


async def test_it_listens_elsewhere_if_that_is_configured(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text('stun_listen = ["127.0.0.5:0"]\nstun_port = 3478\n')
    with signal_command("--config", str(file)) as server:
        place = _place(server.stun[0])
        assert place[0] == "127.0.0.5"
        async with _asker("127.0.0.1") as (asker, own):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            answer = await asker.ask(place, request)
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == own
        async with await SignalClient.logged_in(server.url) as ann:
            assert ann.ready is not None
            assert ann.ready.stun_port == 3478


async def test_one_number_serves_ipv4_and_ipv6_on_every_address() -> None:
    four, six = StunResponder(), StunResponder()
    try:
        (bound,) = await four.start([Address("0.0.0.0", 0)])
        (other,) = await six.start([Address("::", bound.port)])
        assert other.port == bound.port
        async with _asker("127.0.0.1") as (asker, own):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            answer = await asker.ask(("127.0.0.1", bound.port), request)
            assert answer.attributes["XOR-MAPPED-ADDRESS"] == own
    finally:
        await four.aclose()
        await six.aclose()
