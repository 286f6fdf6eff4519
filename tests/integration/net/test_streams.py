"""Frames over real TLS connections on loopback."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.net.limits import KIB, MIB, LinkLimits
from folkmoot.net.tls import TlsTransport
from integration.net.lab import MakeSide, dial_raw, until, wait_for_end


async def test_frames_go_both_ways_in_order(make_side: MakeSide) -> None:
    dialled, accepted = await (await make_side()).pair()
    frames = [bytes([n % 256]) * (1 + n * n % 5000) for n in range(300)]
    for frame in frames:
        dialled.send(frame)
        accepted.send(frame[::-1])
    assert [await accepted.receive() for _ in frames] == frames
    assert [await dialled.receive() for _ in frames] == [frame[::-1] for frame in frames]


async def test_both_sides_are_bound_to_the_listeners_certificate(make_side: MakeSide) -> None:
    one, other = await make_side(), await make_side()
    dialled, accepted = await one.pair()
    elsewhere, _ = await other.pair()
    assert len(dialled.binding) == 32
    assert dialled.binding == accepted.binding
    assert dialled.binding != elsewhere.binding


async def test_each_side_knows_where_the_other_is(make_side: MakeSide) -> None:
    side = await make_side()
    dialled, accepted = await side.pair()
    assert dialled.remote == side.address
    assert accepted.remote.startswith("127.0.0.1:")


async def test_the_largest_frame_passes_and_a_larger_one_is_a_bug_of_the_sender(
    make_side: MakeSide,
) -> None:
    dialled, accepted = await (await make_side()).pair()
    dialled.send(b"x" * MIB)
    assert len(await accepted.receive()) == MIB
    for size in (0, MIB + 1):
        with pytest.raises(ValueError, match="a frame of"):
            dialled.send(b"x" * size)


async def test_a_frame_sent_right_after_the_proofs_is_measured_by_the_rules_after_them(
    make_side: MakeSide,
) -> None:
    side = await make_side()
    dialled = await side.transport.dial(side.address, 5)
    accepted = await side.accepted.get()
    accepted.send(b"proof")
    accepted.send(b"x" * MIB)
    assert await dialled.receive() == b"proof"
    dialled.open_up()
    assert len(await dialled.receive()) == MIB


@pytest.mark.parametrize(("size", "fits"), [(4 * KIB, True), (4 * KIB + 1, False)])
async def test_a_stranger_is_held_to_small_frames(
    make_side: MakeSide, size: int, fits: bool
) -> None:
    side = await make_side(proves=False)
    reader, writer = await dial_raw(side.port)
    accepted = await side.accepted.get()
    accepted.open_up(stranger=True)
    writer.write(size.to_bytes(4, "big") + b"x" * size + b"\0\0\0\1y")
    if fits:
        accepted.send(b"still here")
        assert await reader.readexactly(14) == b"\0\0\0\x0astill here"
    else:
        assert isinstance(await side.ended.get(), PeerError)
    writer.close()


@pytest.mark.parametrize("length", [0, 4 * KIB + 1, 2**31, 2**32 - 1])
async def test_a_forbidden_length_ends_an_unproved_stream_before_its_bytes_come(
    make_side: MakeSide, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    side = await make_side(proves=False)
    reader, writer = await dial_raw(side.port)
    with caplog.at_level(logging.INFO):
        writer.write(length.to_bytes(4, "big"))
        error = await asyncio.wait_for(side.ended.get(), 20)
    assert isinstance(error, PeerError)
    assert error.code == "bad_frame"
    assert f"A frame of {length} bytes" in caplog.text
    await wait_for_end(reader)
    writer.close()


async def test_a_proved_peer_may_not_announce_more_than_a_mebibyte(make_side: MakeSide) -> None:
    side = await make_side()
    _, writer = await dial_raw(side.port)
    accepted = await side.accepted.get()
    writer.write((MIB + 1).to_bytes(4, "big"))
    with pytest.raises(PeerError) as caught:
        await accepted.receive()
    assert caught.value.code == "bad_frame"
    writer.close()


async def test_frames_sent_before_a_close_arrive_and_then_the_end(make_side: MakeSide) -> None:
    dialled, accepted = await (await make_side()).pair()
    dialled.send(b"one")
    dialled.send(b"bye")
    await dialled.aclose()
    assert await accepted.receive() == b"one"
    assert await accepted.receive() == b"bye"
    for _ in range(2):
        with pytest.raises(EnvironmentFault) as caught:
            await accepted.receive()
        assert caught.value.code == "link_closed"


async def test_a_reader_and_a_drainer_are_woken_when_their_own_side_closes(
    make_side: MakeSide,
) -> None:
    dialled, _ = await (await make_side()).pair()
    for _ in range(64):
        dialled.send(b"x" * 64 * KIB)
    reading = asyncio.create_task(dialled.receive())
    draining = asyncio.create_task(dialled.drain())
    await asyncio.sleep(0)
    await dialled.aclose()
    for task in (reading, draining):
        with pytest.raises(EnvironmentFault):
            await asyncio.wait_for(task, 20)


async def test_a_connection_that_is_cut_tells_the_reader(make_side: MakeSide) -> None:
    side = await make_side()
    _, writer = await dial_raw(side.port)
    accepted = await side.accepted.get()
    writer.transport.abort()
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(accepted.receive(), 20)


async def test_frames_of_one_turn_leave_together(make_side: MakeSide) -> None:
    dialled, accepted = await (await make_side()).pair()
    before = dialled.traffic()[1]
    for _ in range(100):
        dialled.send(b"x" * 30)
    await accepted.receive()
    one_record = 100 * 34 + 22
    assert dialled.traffic()[1] - before == one_record


async def test_a_receiver_that_never_reads_is_closed_and_costs_no_more_than_the_bound(
    make_side: MakeSide,
) -> None:
    limits = LinkLimits(outgoing_bytes=2 * MIB)
    side = await make_side(limits)
    reader, writer = await dial_raw(side.port)
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    accepted = await side.accepted.get()
    most = 0
    while accepted.traffic()[1] < 64 * MIB and not accepted.ended:
        accepted.send(b"x" * 64 * KIB)
        most = max(most, accepted._waiting_to_leave())
        await asyncio.sleep(0)
    assert 2 * MIB - 128 * KIB < most <= 2 * MIB
    with pytest.raises(EnvironmentFault, match="stopped reading"):
        await accepted.receive()
    await until(lambda: side.transport.streams == 0)
    writer.close()
    await wait_for_end(reader)


async def test_drain_keeps_a_sender_within_the_low_mark(make_side: MakeSide) -> None:
    dialled, accepted = await (await make_side()).pair()
    most = 0

    async def send_all() -> None:
        nonlocal most
        for _ in range(400):
            dialled.send(b"x" * 64 * KIB)
            most = max(most, dialled._waiting_to_leave())
            await dialled.drain()

    sending = asyncio.create_task(send_all())
    for _ in range(400):
        assert len(await accepted.receive()) == 64 * KIB
    await sending
    assert most <= 256 * KIB + 64 * KIB + 4 + 1 * KIB


async def test_a_reader_that_does_not_come_stops_the_socket_not_the_memory(
    make_side: MakeSide,
) -> None:
    dialled, accepted = await (await make_side()).pair()
    for _ in range(100):
        dialled.send(b"x" * 64 * KIB)
    await until(lambda: accepted._reading_paused)
    held = len(accepted._inbox)
    await asyncio.sleep(0.05)
    assert len(accepted._inbox) == held < 256 * KIB + 64 * KIB
    for _ in range(100):
        assert len(await accepted.receive()) == 64 * KIB


async def test_a_dialler_that_meets_something_else_says_so() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()
        writer.close()

    transport = TlsTransport()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EnvironmentFault, match="it is not Folkmoot") as caught:
            await transport.dial(f"127.0.0.1:{port}", 5)
        assert caught.value.code == "unreachable"
        await until(lambda: transport.streams == 0)
    await transport.aclose()


async def test_a_dialler_gives_up_on_a_listener_that_says_nothing() -> None:
    hold = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hold.wait()
        writer.close()

    transport = TlsTransport()
    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EnvironmentFault, match="says nothing"):
            await transport.dial(f"127.0.0.1:{port}", 0.05)
        hold.set()
        await until(lambda: transport.streams == 0)
    await transport.aclose()


async def test_tls_1_2_is_refused(make_side: MakeSide) -> None:
    side = await make_side(proves=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match=r"(?i)version"):
        await asyncio.open_connection("127.0.0.1", side.port, ssl=context)
    await until(lambda: side.transport.streams == 0)
    assert side.accepted.empty()


async def test_no_session_can_be_resumed(make_side: MakeSide) -> None:
    side = await make_side()
    _, writer = await dial_raw(side.port)
    accepted = await side.accepted.get()
    accepted.send(b"so that a ticket would have come")
    tls = writer.get_extra_info("ssl_object")
    await asyncio.sleep(0.05)
    assert tls.version() == "TLSv1.3"
    assert not tls.session_reused
    assert tls.session is None or not tls.session.has_ticket
    writer.close()
