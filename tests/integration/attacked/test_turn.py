"""A server that names STUN and TURN servers which are none, or are somewhere inside.

What stops it: only addresses that a connection can use are asked, a bounded number of them; and
what is sent there before it has answered as a TURN server would has nothing of the server's choice.
"""

from __future__ import annotations

import asyncio
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from folkmoot.media import gathering
from folkmoot.media.gathering import Ways
from folkmoot.protocol import signaling as words
from folkmoot.services.media_port import MAX_ICE_SERVERS, IceServer, TurnTried
from integration.attacked.town import Town
from integration.linked.nodes import until
from lab.lying_server import LyingServer

GARBAGE = (
    "file:///etc/passwd",
    "http://127.0.0.1:80/admin",
    "turn:",
    "turn:host with blanks",
    "turn:a\r\nFLUSHALL\r\n:3478",
    "turn:host:0",
    "turn:host:99999",
    "turn:host?transport=tls",
    "turns:host?transport=udp",
    "turn:user@host",
    "stun:stun.example.org?transport=tcp",
    "TURN:\u202eexample.org",
    "turn:" + "a" * 480,
    "",
)


@pytest.mark.parametrize("first", range(0, len(GARBAGE), 3))
async def test_an_address_that_no_connection_can_use_is_never_asked(
    town: Town, server: LyingServer, first: int
) -> None:
    bad = GARBAGE[first : first + 3]
    server.turn = words.Turn((*bad, "turn:127.0.0.1:9"), "user", "secret", 600)
    ann = await town.open("ann", server.url)
    urls = [one.url for one in ann.node.calls._engine.relays.servers()]
    assert "turn:127.0.0.1:9" in urls
    assert not set(bad) & set(urls)
    assert len(urls) <= MAX_ICE_SERVERS


class Inside(asyncio.DatagramProtocol):
    """Something on this computer that listens on UDP and is no TURN server."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.got.append(data)


async def test_a_stun_address_inside_gets_a_few_binding_requests_and_nothing_else(
    town: Town, server: LyingServer
) -> None:
    loop = asyncio.get_running_loop()
    transport, inside = await loop.create_datagram_endpoint(Inside, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    server.stun_port = port
    try:
        await town.crew(server.url, ice=True)
        await until(lambda: bool(inside.got))
        await town.say("ann", "what is that port?")
        await town.agree()
        await asyncio.sleep(0.5)
        assert len(inside.got) < 40
        for data in inside.got:
            kind, length, cookie = struct.unpack("!HHI", data[:8])
            assert (kind, cookie, len(data)) == (1, 0x2112A442, 20 + length)
            assert length <= 16
    finally:
        transport.close()


@pytest.mark.parametrize("greeting", [b"", b"-ERR unknown command\r\n", b"SSH-2.0-x\r\n" * 50])
async def test_a_turn_address_inside_is_told_nothing_of_the_servers_choice(
    greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TCP another service would take lines that it understands; the name with which we would
    log in, which the server chose, is said only to who has asked for it as TURN does."""
    monkeypatch.setattr(gathering, "RELAY_S", 2.0)
    got = bytearray()
    connections = 0

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(greeting)
        while data := await reader.read(4096):
            got.extend(data)
            writer.write(greeting)
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as inside:
        port = inside.sockets[0].getsockname()[1]
        url = f"turn:127.0.0.1:{port}?transport=tcp"
        told: list[TurnTried] = []
        ways = Ways((IceServer(url, "x\r\nFLUSHALL\r\n", "y\r\nQUIT\r\n"),), told.append)
        connection: Any = SimpleNamespace(_protocols=[])
        assert await ways.gather(connection) == []
    assert [one.code for one in told] == ["no_answer"]
    assert connections == 1
    assert len(got) < 400
    assert b"FLUSHALL" not in got
    assert b"QUIT" not in got
    assert struct.unpack("!H2xI", got[:8]) == (3, 0x2112A442)
