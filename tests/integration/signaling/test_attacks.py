"""Those who mean harm, at a real server: refused, counted, and cheap for everybody else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Iterator

import aiohttp
import msgspec
import pytest

from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Error, write_control
from lab.signal_client import Closed, SignalClient
from lab.signal_server import SignalServer, signal_server

UPGRADE = (
    "GET /signal HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
TAG = b"t" * 16


async def code_of_end(client: SignalClient) -> str:
    closed = await client.ended()
    return closed.error.code if closed.error is not None else ""


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x02anything",
        b"\xff" * 100,
        b"\x00\x91\x7f",
        b"\x00\xc1",
        b"\x00\x92\x22",
        b"\x00\x92\x22\xdd\xff\xff\xff\xff",
        b"\x00" + b"\x91" * 1000,
        b"\x00\x92\x22\x91\xc4\x0f" + bytes(15),
        write_control(words.Enter((TAG,) * 64)) + b"\x00",
        b"\x00\x92\xcc\x22\x91\xc4\x10" + TAG,
        write_control(words.Gone(b"g" * 32)),  # type: ignore[arg-type]
        write_control(words.Put(bytes(16), b"r" * 32, bytes(256), 600, bytes(49152))) + bytes(8192),  # type: ignore[arg-type]
        b"\x00" + msgspec.msgpack.encode([34, [TAG] * 65]),
        b"\x01" + bytes(32),
        b"\x01" + bytes(33),
        b"\x01" + bytes(33 + 16385),
    ],
    ids=lambda message: f"{len(message)}-{message[:4].hex()}",
)
async def test_a_malformed_message_ends_the_connection_in_words(
    server: SignalServer, message: bytes
) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        await eve.send_raw(message)
        assert await code_of_end(eve) == "bad_message"


async def test_text_is_no_message(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        await eve.socket.send_str("hello")
        assert await code_of_end(eve) == "bad_message"


async def test_a_message_that_is_too_long_is_refused_before_it_is_read(
    server: SignalServer,
) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        # The head of a frame of 2^62 bytes.
        eve.transport.write(b"\x82\xff" + (1 << 62).to_bytes(8, "big") + bytes(4))
        assert await code_of_end(eve) == "bad_message"
    async with await SignalClient.logged_in(server.url) as eve:
        await eve.send_raw(bytes(words.MAX_MESSAGE_BYTES + 1))
        assert await code_of_end(eve) == "bad_message"


async def test_fragments_without_end_are_refused(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        eve.transport.write(b"\x02\xfe\x40\x00" + bytes(4) + bytes(0x4000))
        for _ in range(6):
            eve.transport.write(b"\x00\xfe\x40\x00" + bytes(4) + bytes(0x4000))
        assert await code_of_end(eve) == "bad_message"


async def test_compressed_frames_are_refused(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        eve.transport.write(b"\xc2\x84" + bytes(4) + b"\x00\x00\x00\xff")
        assert await code_of_end(eve) == "bad_message"


@pytest.mark.parametrize("message", [words.Enter((TAG,)), words.Renew(), words.Prove(bytes(64))])
async def test_before_the_login_nothing_else_is_taken(
    server: SignalServer, message: words.Control
) -> None:
    async with await SignalClient.connect(server.url) as eve:
        await eve.send(message)
        assert await code_of_end(eve) == "bad_message"
    async with await SignalClient.connect(server.url) as eve:
        await eve.relay(eve.device, b"?")
        assert await code_of_end(eve) == "bad_message"


async def test_a_second_login_on_a_connection_is_refused(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as eve:
        assert eve.hello is not None
        signature = eve.sign(eve.hello.nonce)
        await eve.send(words.Login(1, eve.device, eve.url, signature))
        assert await code_of_end(eve) == "bad_message"


async def test_a_login_that_was_recorded_is_worth_nothing_elsewhere(server: SignalServer) -> None:
    async with (
        await SignalClient.connect(server.url) as victim,
        await SignalClient.connect(server.url, victim.signer) as eve,
    ):
        assert victim.hello is not None
        recorded = words.Login(1, victim.device, victim.url, victim.sign(victim.hello.nonce))
        await victim.send(recorded)
        await victim.wait(words.Ready)
        await eve.send(recorded)
        assert await code_of_end(eve) == "bad_login"
        await victim.settle()


async def test_a_proof_made_for_another_server_is_worth_nothing_here(server: SignalServer) -> None:
    async with await SignalClient.connect(server.url) as eve:
        assert eve.hello is not None
        signature = eve.sign(eve.hello.nonce, server=os.urandom(32))
        await eve.send(words.Login(1, eve.device, eve.url, signature))
        assert await code_of_end(eve) == "bad_login"
    # A server in the middle passes our challenge on; its victim signs what it dialled.
    async with await SignalClient.connect(server.url) as eve:
        assert eve.hello is not None
        origin = "wss://evil.example.org"
        signature = eve.sign(eve.hello.nonce, origin)
        await eve.send(words.Login(1, eve.device, eve.url, signature))
        assert await code_of_end(eve) == "bad_login"


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", ""])
async def test_no_web_page_connects(server: SignalServer, origin: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await SignalClient.connect(server.url, headers={"Origin": origin})
    assert refused.value.status == 403


async def test_a_page_that_the_host_allows_connects() -> None:
    with signal_server(origins=["https://talk.example.org"]) as allowing:
        headers = {"Origin": "https://talk.example.org"}
        async with await SignalClient.connect(allowing.url, headers=headers) as page:
            await page.login()


async def test_who_does_not_log_in_is_sent_away() -> None:
    with signal_server(login_s=0.3) as quick:
        async with await SignalClient.connect(quick.url) as eve:
            # Pings do not keep it open. (Where this came too late, it is closed already.)
            with contextlib.suppress(ConnectionError):
                await eve.socket.ping()
            closed = await eve.ended()
            assert closed.error == Error("bad_login", "The login did not come in time.", 1000)


async def read_to_end_s(writer: asyncio.StreamWriter, reader: asyncio.StreamReader) -> float:
    began = time.monotonic()
    async with asyncio.timeout(20):
        while True:
            try:
                if not await reader.read(65536):
                    break
            except ConnectionError:
                break
    writer.close()
    return time.monotonic() - began


@pytest.mark.parametrize(
    "start",
    [
        "",
        "GET /signal HT",
        UPGRADE,
        "POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx",
    ],
    ids=["silence", "line", "headers", "body"],
)
async def test_a_request_that_trickles_is_cut_off(start: str) -> None:
    with signal_server(request_s=0.5, login_s=0.5) as quick:
        reader, writer = await asyncio.open_connection(quick.host, quick.port)
        writer.write(start.format(host=f"{quick.host}:{quick.port}").encode())
        trickle = asyncio.create_task(drip(writer))
        assert await read_to_end_s(writer, reader) < 8
        trickle.cancel()


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        await asyncio.sleep(0.1)
        writer.write(b"x")


async def test_a_login_that_trickles_is_cut_off() -> None:
    with signal_server(login_s=0.5) as quick:
        reader, writer = await asyncio.open_connection(quick.host, quick.port)
        writer.write((UPGRADE + "\r\n").format(host=f"{quick.host}:{quick.port}").encode())
        writer.write(b"\x82\xfe\x01\x00" + bytes(4))
        trickle = asyncio.create_task(drip(writer))
        assert await read_to_end_s(writer, reader) < 8
        trickle.cancel()


@pytest.mark.parametrize(
    "request_text",
    [
        "GET / HTTP/1.1\r\nHost: x\r\nA: " + "a" * 9000 + "\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"A{n}: a\r\n" for n in range(70)) + "\r\n",
        "GET /" + "a" * 9000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01",
        "nonsense\r\n\r\n",
    ],
    ids=["header", "headers", "line", "tls", "nonsense"],
)
async def test_requests_that_are_none_are_refused(server: SignalServer, request_text: str) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(request_text.encode("latin-1") + b"\r\n\r\n")
    async with asyncio.timeout(20):
        assert (await reader.read(12))[8:] == b" 400"
    writer.close()


async def test_a_flood_of_logins_is_refused_and_those_inside_do_not_feel_it() -> None:
    with signal_server(bounds={"address_logins": [0.01, 20]}) as server:
        async with (
            await SignalClient.logged_in(server.url) as ann,
            await SignalClient.logged_in(server.url) as bob,
        ):
            await ann.enter(TAG)
            await bob.enter(TAG)
            before_s = server.cpu_s
            flood = [asyncio.create_task(bad_login(server)) for _ in range(300)]
            for _ in range(20):
                await ann.relay(bob.device, b"ping")
                await bob.relayed()
            results = await asyncio.gather(*flood)
            assert results.count("429") + results.count("cut") >= 280
            assert "429" in results
            assert (server.cpu_s - before_s) / 300 < 0.02


async def bad_login(server: SignalServer) -> str:
    try:
        async with await SignalClient.connect(server.url, Signer(os.urandom(32))) as eve:
            await eve.send(words.Login(1, eve.device, eve.url, bytes(64)))
            return await code_of_end(eve)
    except aiohttp.WSServerHandshakeError as refused:
        return str(refused.status)
    except (aiohttp.ClientError, OSError):
        return "cut"


async def comes_in(server: SignalServer) -> bool:
    try:
        async with await SignalClient.logged_in(server.url):
            return True
    except (aiohttp.ClientError, OSError):
        return False


@contextlib.contextmanager
def be_silent(server: SignalServer, count: int) -> Iterator[None]:
    with contextlib.ExitStack() as silent:
        for _ in range(count):
            silent.enter_context(socket.create_connection((server.host, server.port)))
        yield


async def test_silent_connections_keep_nobody_out_for_long() -> None:
    bounds = {"address_connections": 100}
    with (
        signal_server(bounds=bounds, request_s=60.0) as server,
        be_silent(server, 100),
        pytest.raises((aiohttp.ClientError, OSError)),
    ):
        await SignalClient.connect(server.url)
    with signal_server(bounds=bounds, request_s=2.0) as server, be_silent(server, 100):
        for _ in range(60):
            if await comes_in(server):
                break
            await asyncio.sleep(0.5)
        else:
            pytest.fail("they kept everybody out")


async def test_a_stranger_cannot_use_up_the_logins_of_a_key() -> None:
    with signal_server(bounds={"key_logins": [0.001, 1]}) as server:
        victim = Signer(os.urandom(32))
        for _ in range(3):
            async with await SignalClient.connect(server.url) as eve:
                await eve.send(words.Login(1, victim.public, eve.url, bytes(64)))  # type: ignore[arg-type]
                with pytest.raises(Closed, match="bad_login"):
                    await eve.wait(words.Ready)
        async with await SignalClient.logged_in(server.url, victim):
            pass


async def test_fragments_of_nothing_are_cut_off() -> None:
    with signal_server(login_s=120.0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write((UPGRADE + "\r\n").format(host=f"{server.host}:{server.port}").encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x02\x80" + bytes(4))
        for _ in range(50):
            writer.write((b"\x00\x80" + bytes(4)) * 10_000)
        # Long before the time for the login is over.
        assert await read_to_end_s(writer, reader) < 20


async def test_pings_count_as_frames() -> None:
    with signal_server(bounds={"key_frames": [0.01, 20]}) as server:
        async with await SignalClient.logged_in(server.url) as eve:
            for _ in range(25):
                await eve.socket.ping()
            assert (await eve.wait(Error)).code == "too_fast"
    with signal_server() as server:
        async with await SignalClient.connect(server.url) as eve:
            for _ in range(20):
                await eve.socket.pong()
            assert await code_of_end(eve) == "bad_message"


async def test_without_a_host_header_no_name_is_looked_up(server: SignalServer) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    upgrade = UPGRADE.replace("Host: {host}\r\n", "").replace("HTTP/1.1", "HTTP/1.0")
    writer.write(upgrade.encode() + b"\r\n")
    async with asyncio.timeout(20):
        assert b" 101 " in await reader.readline()
    writer.close()
