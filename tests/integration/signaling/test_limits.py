"""The limits of a real server: on by default, announced, enforced, told."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

import aiohttp
import pytest

from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Enter, Error, Leave
from lab.signal_client import Closed, SignalClient
from lab.signal_server import SignalServer, signal_server


def new_tag() -> bytes:
    return os.urandom(16)


async def come_in(server: SignalServer) -> SignalClient:
    """Try until it is let in: who goes is noticed a moment later."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                return await SignalClient.logged_in(server.url)
            await asyncio.sleep(0.02)


async def frames_that_arrive(server: SignalServer, sent: int, size: int = 100) -> int:
    """How many of `sent` frames, sent at once, arrive before the sender is slowed down."""
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        tag = new_tag()
        await ann.enter(tag)
        await bob.enter(tag)
        for _ in range(sent):
            await ann.relay(bob.device, bytes(size))
        error = await ann.wait(Error)
        assert error.code == "too_fast"
        assert error.retry_after_ms > 0
        await bob.settle()
        return len(bob.seen(tuple))  # type: ignore[type-var]


@pytest.mark.parametrize("who", ["key", "address", "all"])
async def test_frames_over_the_limit_are_dropped_and_told(who: str) -> None:
    with signal_server(bounds={f"{who}_frames": [0.01, 100]}) as small:
        assert await frames_that_arrive(small, 105) == 100


@pytest.mark.parametrize("who", ["key", "address", "all"])
async def test_bytes_over_the_limit_are_dropped_and_told(who: str) -> None:
    with signal_server(bounds={f"{who}_bytes": [1, 100_000]}) as small:
        assert await frames_that_arrive(small, 105, 966) == 100


async def test_frames_and_bytes_are_announced_as_they_are_enforced() -> None:
    with signal_server(bounds={"key_frames": [7, 9], "key_bytes": [700, 900]}) as small:
        async with await SignalClient.connect(small.url) as ann:
            assert ann.hello is not None
            assert (ann.hello.limits.frames_per_s, ann.hello.limits.bytes_per_s) == (7, 700)


async def test_who_is_too_fast_is_slowed_down_and_others_are_not() -> None:
    with signal_server(bounds={"key_frames": [200, 100]}) as small:
        async with (
            await SignalClient.logged_in(small.url) as fast,
            await SignalClient.logged_in(small.url) as ann,
            await SignalClient.logged_in(small.url) as bob,
        ):
            tag = new_tag()
            for one in (fast, ann, bob):
                await one.enter(tag)
            frame = words.write_relay(bob.device, bytes(100))
            for _ in range(1000):
                await fast.send_raw(frame)
            for _ in range(20):
                began = time.perf_counter()
                await ann.relay(ann.device, b"ping")
                await ann.relayed()
                assert time.perf_counter() - began < 5
            fast.drop()


async def test_control_messages_over_the_limit_are_refused_and_told() -> None:
    with signal_server(bounds={"key_control": [0.001, 10]}) as small:
        async with await SignalClient.logged_in(small.url) as ann:
            tag = new_tag()
            for _ in range(5):
                await ann.send(Enter((tag,)))
                await ann.send(Leave((tag,)))
            await ann.send(Enter((tag,)))
            error = await ann.wait(Error)
            assert (error.code, 0 < error.retry_after_ms <= 1_000_001) == ("too_fast", True)
            assert len(ann.seen(words.Room)) == 5


@pytest.mark.parametrize("who", ["address", "all"])
async def test_logins_over_the_limit_are_refused_before_they_cost_anything(who: str) -> None:
    with signal_server(bounds={f"{who}_logins": [0.001, 3]}) as small:
        clients = [await SignalClient.logged_in(small.url) for _ in range(3)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await SignalClient.connect(small.url)
        assert refused.value.status == 429
        assert refused.value.headers is not None
        assert int(refused.value.headers["Retry-After"]) > 0
        for client in clients:
            await client.settle()
            await client.close()


async def test_logins_of_one_key_over_the_limit_are_refused_and_told() -> None:
    with signal_server(bounds={"key_logins": [0.001, 2]}) as small:
        signer = Signer(os.urandom(32))
        for _ in range(2):
            async with await SignalClient.logged_in(small.url, signer):
                pass
        async with await SignalClient.connect(small.url, signer) as third:
            with pytest.raises(Closed) as refused:
                await third.login()
            assert refused.value.error is not None
            assert refused.value.error.code == "too_many_logins"
            assert refused.value.error.retry_after_ms > 1000
        async with await SignalClient.logged_in(small.url):
            pass


@pytest.mark.parametrize("who", ["address", "all"])
async def test_connections_over_the_limit_are_cut_and_come_in_when_one_ends(who: str) -> None:
    with signal_server(bounds={f"{who}_connections": 2}) as small:
        async with await SignalClient.logged_in(small.url):
            two = await SignalClient.logged_in(small.url)
            with pytest.raises((aiohttp.ClientError, OSError)):
                await SignalClient.connect(small.url)
            await two.close()
            async with await come_in(small):
                pass


async def test_connections_that_do_not_log_in_are_few() -> None:
    with signal_server(bounds={"all_strangers": 2}) as small:
        strangers = [await SignalClient.connect(small.url) for _ in range(2)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await SignalClient.connect(small.url)
        assert refused.value.status == 503
        await strangers[0].login()
        async with await SignalClient.logged_in(small.url):
            pass
        for client in strangers:
            await client.close()


async def test_behind_a_proxy_the_limits_are_of_who_is_behind_it() -> None:
    bounds = {"address_connections": 2, "address_logins": [0.001, 2]}
    with signal_server(bounds=bounds, proxies=["127.0.0.1"]) as small:
        clients = []
        for host in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"):
            headers = {"X-Forwarded-For": f"198.51.100.9, {host}"}
            clients.append(await SignalClient.connect(small.url, headers=headers))
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await SignalClient.connect(small.url, headers={"X-Forwarded-For": "192.0.2.1"})
        for client in clients:
            await client.close()


async def test_without_a_proxy_of_ours_nobody_chooses_an_address() -> None:
    with signal_server(bounds={"address_logins": [0.001, 1]}) as small:
        async with await SignalClient.connect(small.url, headers={"X-Forwarded-For": "192.0.2.1"}):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await SignalClient.connect(small.url, headers={"X-Forwarded-For": "192.0.2.2"})


async def test_who_is_too_fast_is_read_slower() -> None:
    with signal_server(bounds={"key_frames": [20, 20]}) as small:
        async with await SignalClient.logged_in(small.url) as fast:
            await fast.enter(new_tag())
            payload = words.write_relay(fast.device, bytes(16_000))
            head = b"\x82\xfe" + len(payload).to_bytes(2, "big") + bytes(4)
            fast.transport.write((head + payload) * 2000)
            await fast.wait(Error)
            await asyncio.sleep(2)
            assert fast.transport.get_write_buffer_size() > 16_000_000
            fast.drop()
