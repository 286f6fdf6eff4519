"""Receivers that do not read: they cost their own buffer and nobody else's time."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot_signaling.connection import RELAY_WAITING_BYTES
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand
from lab.signal_server import SignalServer, signal_server

ROOMY = {
    "key_frames": [1e6, 1e6],
    "address_frames": [1e6, 1e6],
    "key_bytes": [1e9, 1e9],
    "address_bytes": [1e9, 1e9],
    "all_bytes": [1e9, 1e9],
    "key_control": [1e6, 1e6],
    "address_control": [1e6, 1e6],
}


def new_tag() -> bytes:
    return os.urandom(16)


async def flood(sender: SignalClient, receiver: SignalClient, size_bytes: int) -> None:
    """Send so much in frames of 16 KiB as fast as the server takes it."""
    frame = words.write_relay(receiver.device, bytes(16_000))
    for _ in range(size_bytes // 16_000):
        await sender.send_raw(frame)
    await sender.settle()


async def round_trips_s(ann: SignalClient, bob: SignalClient, count: int) -> list[float]:
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await ann.relay(bob.device, b"ping")
        await bob.relayed()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(0.005)
    return sorted(took)


async def test_a_stalled_receiver_costs_its_buffer_and_nobody_elses_time() -> None:
    """Some of the frames of others are quick on the busiest machine too: a server that waited for
    who is stalled would let all of them wait."""
    with signal_server(bounds=ROOMY, stalled_s=120.0) as server:
        async with (
            await SignalClient.logged_in(server.url) as sender,
            await SignalClient.logged_in(server.url) as stalled,
            await SignalClient.logged_in(server.url) as ann,
            await SignalClient.logged_in(server.url) as bob,
        ):
            tag = new_tag()
            for one in (sender, stalled, ann, bob):
                await one.enter(tag)
            # One flood to a receiver that reads: what the server needs for buffers, it has now.
            reading = asyncio.create_task(read_all(stalled))
            await flood(sender, stalled, 8_000_000)
            reading.cancel()
            await asyncio.wait([reading])
            stalled.transport.pause_reading()
            before = server.rss_bytes
            await flood(sender, stalled, 48_000_000)
            others = asyncio.create_task(round_trips_s(ann, bob, 100))
            while not others.done():
                await flood(sender, stalled, 16_000_000)
            took = await others
            assert took[len(took) // 10] < 0.05
            assert server.rss_bytes - before <= 2 * 2**20


async def counted(server: SignalServer, name: str) -> int:
    asked = SignalCommand(server.process, [f"{server.host}:{server.port}"], [])
    lines = (await asked.ask("/metrics")).body.decode().splitlines()
    (line,) = [line for line in lines if line.startswith(f"folkmoot_signaling_{name} ")]
    return int(float(line.split()[1]))


async def read_all(client: SignalClient) -> None:
    while True:
        await client.relayed()


async def test_frames_for_a_stalled_receiver_are_dropped_and_those_before_arrive() -> None:
    with signal_server(bounds=ROOMY, stalled_s=120.0) as server:
        async with (
            await SignalClient.logged_in(server.url) as sender,
            await SignalClient.logged_in(server.url) as stalled,
        ):
            tag = new_tag()
            await sender.enter(tag)
            await stalled.enter(tag)
            stalled.transport.pause_reading()
            for number in range(2000):
                await sender.relay(stalled.device, number.to_bytes(2, "big") + bytes(16_000))
            await sender.settle()
            stalled.transport.resume_reading()
            await stalled.settle()
            came = [frame[2][:2] for frame in stalled.seen(tuple)]  # type: ignore[type-var]
            assert 0 < len(came) < 2000
            # In order, from the first on as many as the server itself keeps for a receiver; and
            # all that it took, also where the system made room for some later ones.
            kept = RELAY_WAITING_BYTES // 16_100
            assert came[:kept] == [number.to_bytes(2, "big") for number in range(kept)]
            assert came == sorted(set(came))
            assert await counted(server, "frames_total") == len(came)
            assert await counted(server, "frames_slow_total") == 2000 - len(came)
            # And then it goes on as before.
            await sender.relay(stalled.device, b"after")
            while (await stalled.relayed())[2] != b"after":
                pass


async def test_who_takes_nothing_for_a_while_is_sent_away() -> None:
    with signal_server(bounds=ROOMY, stalled_s=1.5) as server:
        signer = Signer(os.urandom(32))
        async with (
            await SignalClient.logged_in(server.url) as sender,
            await SignalClient.logged_in(server.url, signer) as stalled,
        ):
            tag = new_tag()
            await sender.enter(tag)
            await stalled.enter(tag)
            stalled.transport.pause_reading()
            began = time.monotonic()
            await flood(sender, stalled, 16_000_000)
            await sender.relay(stalled.device, b"?")
            async with asyncio.timeout(30):
                while not sender.seen(words.Gone):
                    await asyncio.sleep(0.1)
                    await sender.relay(stalled.device, b"?")
                    await sender.settle()
            assert time.monotonic() - began > 1.2
            stalled.transport.resume_reading()
            closed = await stalled.ended()
            assert closed.error is None or closed.error.code == "too_slow"


@pytest.mark.long
async def test_who_reads_slowly_is_let_be(server: SignalServer) -> None:
    async with (
        await SignalClient.logged_in(server.url) as sender,
        await SignalClient.logged_in(server.url) as slow,
    ):
        tag = new_tag()
        await sender.enter(tag)
        await slow.enter(tag)
        frame = words.write_relay(slow.device, bytes(16_000))
        until = time.monotonic() + 9
        slow.transport.pause_reading()
        while time.monotonic() < until:
            for _ in range(50):
                await sender.send_raw(frame)
            slow.transport.resume_reading()
            await asyncio.sleep(0.02)
            slow.transport.pause_reading()
            await asyncio.sleep(0.3)
        slow.transport.resume_reading()
        await slow.settle()


async def test_who_asks_much_and_reads_no_answer_is_sent_away() -> None:
    with signal_server(bounds=ROOMY) as server:
        async with await SignalClient.logged_in(server.url) as greedy:
            tag = new_tag()
            await greedy.enter(tag)
            transport = greedy.transport
            transport.pause_reading()
            before = server.rss_bytes
            # Each is answered with a challenge; not masked in earnest, to be quick.
            message = words.write_control(words.Renew())
            many = (bytes((0x82, 0x80 | len(message))) + bytes(4) + message) * 1000
            async with asyncio.timeout(60):
                while not transport.is_closing():
                    transport.write(many)
                    await asyncio.sleep(0.01)
            assert server.rss_bytes - before < 2 * 2**20


async def test_receivers_that_vanish_never_harm_who_sends_to_them() -> None:
    with signal_server(bounds=ROOMY | {"address_logins": [1000, 1000]}) as server:
        tag = new_tag()
        async with await SignalClient.logged_in(server.url) as sender:
            await sender.enter(tag)
            for _ in range(20):
                vanishing = [await SignalClient.logged_in(server.url) for _ in range(3)]
                for one in vanishing:
                    await one.enter(tag)
                for number in range(90):
                    await sender.relay(vanishing[number % 3].device, bytes(100))
                    if number % 30 == 10:
                        vanishing[number // 30].drop()
                for one in vanishing:
                    await one.close()
            await sender.settle()
