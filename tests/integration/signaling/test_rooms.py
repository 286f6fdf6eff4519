"""Rooms at a real server: who hears of whom, and what is refused."""

from __future__ import annotations

import os

import pytest

from folkmoot.protocol.signaling import Came, Enter, Error, Leave, Went
from lab.signal_client import SignalClient
from lab.signal_server import SignalServer, signal_server


def new_tag() -> bytes:
    return os.urandom(16)


async def test_everybody_under_a_tag_hears_who_comes_and_goes(server: SignalServer) -> None:
    tag = new_tag()
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
        await SignalClient.logged_in(server.url) as carl,
    ):
        await ann.enter(tag)
        await bob.enter(tag)
        (room,) = await carl.enter(tag)
        assert set(room.devices) == {ann.device, bob.device}
        assert [(await ann.wait(Came)).device for _ in range(2)] == [bob.device, carl.device]
        assert (await bob.wait(Came)).device == carl.device
        await carl.send(Leave((tag,)))
        assert await ann.wait(Went) == await bob.wait(Went) == Went(tag, carl.device)


async def test_who_is_not_under_a_tag_hears_nothing_of_it(server: SignalServer) -> None:
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(new_tag())
        await bob.enter(new_tag())
        await ann.settle()
        assert ann.seen(Came) == []


async def test_entering_again_tells_who_is_there_and_disturbs_nobody(server: SignalServer) -> None:
    tag = new_tag()
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(tag)
        await bob.enter(tag)
        await ann.wait(Came)
        (room,) = await bob.enter(tag)
        assert room.devices == (ann.device,)
        await ann.settle()
        assert ann.seen(Came) == []


async def test_a_device_enters_as_many_rooms_as_were_announced(server: SignalServer) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        await ann.enter(*(new_tag() for _ in range(64)))

        await ann.send(Enter((new_tag(),)))
        error = await ann.wait(Error)
        assert (error.code, error.retry_after_ms > 0) == ("too_many_rooms", True)
        await ann.settle()


async def test_a_room_takes_as_many_devices_as_were_announced() -> None:
    with signal_server(bounds={"room_devices": 2}) as small:
        tag = new_tag()
        async with (
            await SignalClient.logged_in(small.url) as ann,
            await SignalClient.logged_in(small.url) as bob,
            await SignalClient.logged_in(small.url) as carl,
        ):
            assert ann.hello is not None
            assert ann.hello.limits.room_devices == 2
            await ann.enter(tag)
            await bob.enter(tag)

            await carl.send(Enter((tag,)))
            assert (await carl.wait(Error)).code == "room_full"
            await bob.send(Leave((tag,)))
            await bob.settle()
            await carl.enter(tag)


@pytest.mark.long
async def test_a_full_room_of_256_is_told_in_one_message() -> None:
    many = [1000, 1000]
    with signal_server(bounds={"address_logins": many, "address_connections": 300}) as big:
        tag = new_tag()
        clients = [await SignalClient.logged_in(big.url) for _ in range(256)]
        try:
            for client in clients:
                (room,) = await client.enter(tag)
            assert len(room.devices) == 255
        finally:
            for client in clients:
                await client.close()


async def test_the_rooms_of_an_address_and_of_the_server_are_bounded() -> None:

    for name in ("address_rooms", "all_rooms"):
        with signal_server(bounds={name: 3}) as small:
            async with (
                await SignalClient.logged_in(small.url) as ann,
                await SignalClient.logged_in(small.url) as bob,
            ):
                await ann.enter(new_tag(), new_tag())
                await bob.enter(new_tag())
                await bob.send(Enter((new_tag(),)))
                assert (await bob.wait(Error)).code == "too_many_rooms"
