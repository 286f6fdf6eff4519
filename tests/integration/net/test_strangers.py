"""What strangers try on the port, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import ssl
from dataclasses import replace

import pytest

from folkmoot.domain.errors import PeerError
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.net.stream import TlsStream
from integration.net.lab import MakeSide, dial_raw, until, wait_for_end

FAST = LinkLimits(handshake_s=0.3)
ROOMY = replace(FAST, handshakes_per_address_burst=1000, handshakes_burst=1000)


async def test_a_connection_that_says_nothing_is_closed_at_the_deadline(
    make_side: MakeSide,
) -> None:
    side = await make_side(FAST, proves=False)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await wait_for_end(reader) == b""
    # Sooner than by the ordinary deadline of five seconds.
    assert 0.2 < loop.time() - began < 4.5
    assert side.accepted.empty()
    writer.close()


async def test_tls_without_proofs_is_closed_at_the_deadline(make_side: MakeSide) -> None:
    side = await make_side(FAST, proves=False)
    reader, writer = await dial_raw(side.port)
    assert await wait_for_end(reader) == b""
    error = await side.ended.get()
    assert isinstance(error, PeerError)
    assert error.code == "too_slow"
    writer.close()


async def test_a_trickle_of_bytes_does_not_move_the_deadline(make_side: MakeSide) -> None:
    side = await make_side(FAST, proves=False)
    reader, writer = await dial_raw(side.port)

    async def trickle() -> None:
        for byte in b"\0\0\x0f\xff" + bytes(1000):
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    error = await asyncio.wait_for(side.ended.get(), 15)  # it trickles on for 20
    assert isinstance(error, PeerError)
    assert error.code == "too_slow"
    await wait_for_end(reader)
    trickling.cancel()
    writer.close()


async def test_a_proved_link_outlives_the_deadline(make_side: MakeSide) -> None:
    dialled, accepted = await (await make_side(LinkLimits(handshake_s=2.0))).pair()
    await asyncio.sleep(2.2)
    dialled.send(b"still here")
    assert await accepted.receive() == b"still here"


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x40\x00" + bytes(20_000),
        b"\x16\x03\x01\xff\xff" + b"\x01" * 70_000,
        bytes(range(256)) * 400,
        b"\0",
    ],
)
async def test_garbage_instead_of_tls_is_refused(make_side: MakeSide, garbage: bytes) -> None:
    side = await make_side(FAST, proves=False)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    writer.write(garbage)
    await wait_for_end(reader)
    assert side.accepted.empty()
    await until(lambda: side.transport.streams == 0)
    writer.close()


async def test_a_long_tls_hello_is_cut_off_at_the_bound(
    make_side: MakeSide, caplog: pytest.LogCaptureFixture
) -> None:
    side = await make_side(LinkLimits(handshake_bytes=2 * KIB), proves=False)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    with caplog.at_level(logging.INFO):
        writer.write(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(8 * KIB))
        await wait_for_end(reader)
        await until(lambda: side.transport.streams == 0)
    assert "Too many bytes before TLS" in caplog.text
    writer.close()


async def test_an_unproved_stranger_cannot_fill_the_memory(make_side: MakeSide) -> None:
    held: list[TlsStream] = []
    side = await make_side(replace(FAST, handshake_s=5), proves=False)
    hold = asyncio.Event()

    async def hold_on(stream: object) -> None:
        assert isinstance(stream, TlsStream)
        held.append(stream)
        await hold.wait()

    (address,) = await side.transport.listen(["127.0.0.1:0"], hold_on)
    _, writer = await dial_raw(int(address.rpartition(":")[2]))
    writer.write((b"\0\0\x0f\xff" + bytes(4095)) * 1000)
    await until(lambda: bool(held) and held[0]._reading_paused)
    assert len(held[0]._inbox) < (8 + 16) * KIB  # the mark and one TLS record
    hold.set()
    writer.close()


async def test_the_ninth_unproved_connection_is_closed_before_any_tls(
    make_side: MakeSide,
) -> None:
    side = await make_side(replace(ROOMY, handshake_s=60), proves=False)
    waiting = [await asyncio.open_connection("127.0.0.1", side.port) for _ in range(8)]
    await until(lambda: side.transport.unproved == 8)
    reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
    assert await wait_for_end(reader) == b""
    assert side.transport.streams == 8
    for _, each in [*waiting, (reader, writer)]:
        each.close()
    await until(lambda: side.transport.unproved == 0)


async def test_proved_links_leave_their_places_to_others(make_side: MakeSide) -> None:
    side = await make_side(replace(ROOMY, handshake_s=5, unproved_in_all=2))
    pairs = [await side.pair() for _ in range(10)]
    assert side.transport.unproved == 0
    assert side.transport.streams == 20
    for number, (dialled, accepted) in enumerate(pairs):
        dialled.send(b"%d" % number)
        assert await accepted.receive() == b"%d" % number


async def test_one_address_may_begin_only_so_many_handshakes(make_side: MakeSide) -> None:
    few = LinkLimits(handshakes_per_address_burst=3, handshakes_per_address_per_s=0.001)
    side = await make_side(few, proves=False)
    accepted = 0
    for _ in range(20):
        try:
            _, writer = await dial_raw(side.port)
        except (ConnectionError, ssl.SSLError):
            continue
        accepted += 1
        writer.close()
    assert accepted == 3


async def test_a_storm_of_connects_leaves_nothing_behind(make_side: MakeSide) -> None:
    side = await make_side(FAST, proves=False)

    async def come_and_go(number: int) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
        except ConnectionError:
            return
        if number % 3 == 0:
            writer.write(b"garbage" * 1000)
        if number % 3 == 1:
            writer.transport.abort()
            return
        await wait_for_end(reader)
        writer.close()

    for start in range(0, 600, 60):
        await asyncio.gather(*(come_and_go(n) for n in range(start, start + 60)))
    await until(lambda: side.transport.streams == 0 and side.transport.unproved == 0)

    def nothing_stays() -> bool:
        gc.collect()
        return not any(isinstance(each, TlsStream) for each in gc.get_objects())

    await until(nothing_stays)
    assert side.transport._supervisor.names == [f"accept on {side.address}"]


async def test_a_link_is_made_while_strangers_come(make_side: MakeSide) -> None:
    side = await make_side(replace(ROOMY, handshake_s=5, unproved_per_address=64))
    stop = False

    async def pester() -> None:
        while not stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", side.port)
                writer.write(b"garbage")
                await wait_for_end(reader)
                writer.close()
            except ConnectionError:
                pass
            await asyncio.sleep(0)

    pestering = [asyncio.create_task(pester()) for _ in range(4)]
    dialled, accepted = await side.pair()
    dialled.send(b"hello")
    assert await accepted.receive() == b"hello"
    stop = True
    await asyncio.gather(*pestering)


async def test_a_reset_in_the_middle_of_tls_is_survived(make_side: MakeSide) -> None:
    side = await make_side(proves=False)
    loop = asyncio.get_running_loop()
    for sent in (b"", b"\x16\x03\x01\x02\x00"):
        raw = socket.socket()
        raw.setblocking(False)
        await loop.sock_connect(raw, ("127.0.0.1", side.port))
        await loop.sock_sendall(raw, sent)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raw.close()
    dialled = await side.transport.dial(side.address, 5)
    assert (await side.accepted.get()).binding == dialled.binding
