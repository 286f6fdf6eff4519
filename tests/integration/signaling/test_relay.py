"""Two nodes meet at a real server and hand frames to each other."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Came, Gone, Leave
from lab.signal_client import SignalClient
from lab.signal_server import SignalServer


def new_tag() -> bytes:
    return os.urandom(16)


async def test_two_who_share_a_tag_meet_and_relay_both_ways(server: SignalServer) -> None:
    tag = new_tag()
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        (room,) = await ann.enter(tag)
        assert room.devices == ()
        (room,) = await bob.enter(tag)
        assert room.devices == (ann.device,)
        assert (await ann.wait(Came)) == Came(tag, bob.device)
        await ann.relay(bob.device, b"to bob", 7)
        assert await bob.relayed() == (ann.device, 7, b"to bob")
        await bob.relay(ann.device, b"x" * 16384)
        assert await ann.relayed() == (bob.device, 0, b"x" * 16384)


@pytest.mark.parametrize("size", [1, 90, 91, 92, 300, 16383, 16384])
async def test_a_frame_arrives_as_it_was_whatever_its_size(server: SignalServer, size: int) -> None:
    tag, payload = new_tag(), os.urandom(size)
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(tag)
        await bob.enter(tag)
        await ann.relay(bob.device, payload, 255)
        assert await bob.relayed() == (ann.device, 255, payload)


async def test_frames_between_two_stay_in_order(server: SignalServer) -> None:
    tag = new_tag()
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(tag)
        await bob.enter(tag)
        for number in range(1000):
            await ann.relay(bob.device, number.to_bytes(2, "big") * 50)
        for number in range(1000):
            assert (await bob.relayed())[2][:2] == number.to_bytes(2, "big")


async def test_a_frame_to_oneself_comes_back(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        await ann.enter(new_tag())
        await ann.relay(ann.device, b"me")
        assert await ann.relayed() == (ann.device, 0, b"me")


async def test_without_a_common_tag_nothing_passes(server: SignalServer) -> None:
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(new_tag())
        await bob.enter(new_tag())
        await ann.relay(bob.device, b"unasked")
        assert (await ann.wait(Gone)).device == bob.device
        await bob.settle()
        assert bob.seen(tuple) == []  # type: ignore[type-var]


async def test_who_left_the_last_common_tag_gets_nothing_more(server: SignalServer) -> None:

    tag = new_tag()
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(tag)
        await bob.enter(tag)
        await bob.send(Leave((tag,)))
        await bob.settle()
        await ann.relay(bob.device, b"late")
        assert (await ann.wait(Gone)).device == bob.device


async def test_gone_is_said_once_a_second_for_each_destination(server: SignalServer) -> None:
    nobody, nobody_else = DeviceId(b"n" * 32), DeviceId(b"m" * 32)
    async with await SignalClient.logged_in(server.url) as ann:
        await ann.enter(new_tag())
        began_s = time.monotonic()
        for _ in range(50):
            await ann.relay(nobody, b"?")
            await ann.relay(nobody_else, b"?")
        await ann.settle()
        told = [gone.device for gone in ann.seen(Gone)]
        assert set(told) == {nobody, nobody_else}
        # One second, unless this computer stood still.
        seconds = 1 + int(time.monotonic() - began_s)
        assert all(told.count(device) <= seconds for device in (nobody, nobody_else))
        await asyncio.sleep(1.0)
        await ann.relay(nobody, b"?")
        await ann.settle()
        assert len(ann.seen(Gone)) == len(told) + 1
