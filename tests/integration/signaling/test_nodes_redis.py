"""Two real nodes of one server that meet in a real Redis."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import (
    Came,
    Error,
    Gone,
    Kept,
    Leave,
    Mail,
    Put,
    Taken,
    Went,
    make_grant,
)
from lab.redis_lab import RedisServer, redis_server, server_node, until_redis
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand
from lab.signal_talk import meet, talk, until_talk

pytestmark = [pytest.mark.long, pytest.mark.needs("redis-server")]
Nodes = tuple[SignalCommand, SignalCommand]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as one:
        yield one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def nodes(redis: RedisServer, folder: Path) -> Iterator[Nodes]:
    with server_node(redis, folder) as left, server_node(redis, folder) as right:
        yield left, right


async def figure(node: SignalCommand, name: str) -> float:
    """One of the metrics."""
    body = (await node.ask("/metrics")).body.decode()
    (line,) = [line for line in body.splitlines() if line.startswith(f"folkmoot_signaling_{name} ")]
    return float(line.split()[1])


def rss_bytes(node: SignalCommand) -> int:
    """Memory of a node that is in RAM."""
    pages = Path(f"/proc/{node.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def until_state(node: SignalCommand, state: str) -> None:
    await asyncio.to_thread(until_redis, node, state)


# --- together -----------------------------------------------------------------------------------


async def test_frames_go_both_ways_between_nodes_in_order(nodes: Nodes) -> None:
    tag = os.urandom(16)
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[1].url) as bob,
    ):
        await meet(ann, bob, tag)
        for number in range(200):
            await ann.relay(bob.device, b"to bob %d" % number)
            await bob.relay(ann.device, b"to ann %d" % number)
        for number in range(200):
            assert await bob.relayed() == (ann.device, 0, b"to bob %d" % number)
            assert await ann.relayed() == (bob.device, 0, b"to ann %d" % number)


async def test_who_leaves_a_room_at_one_node_goes_at_the_other(nodes: Nodes) -> None:
    tag = os.urandom(16)
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[1].url) as bob,
    ):
        await meet(ann, bob, tag)
        await bob.send(Leave((tag,)))
        assert await ann.wait(Went) == Went(tag, bob.device)
        await ann.relay(bob.device, b"anybody there?")
        assert await ann.wait(Gone) == Gone(bob.device)


async def test_without_a_common_tag_nothing_goes_to_the_other_node(nodes: Nodes) -> None:
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[1].url) as bob,
    ):
        await ann.enter(os.urandom(16))
        await bob.enter(os.urandom(16))
        await ann.relay(bob.device, b"unasked")
        assert await ann.wait(Gone) == Gone(bob.device)


async def test_the_newest_connection_of_a_device_wins_across_nodes(nodes: Nodes) -> None:
    tag = os.urandom(16)
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[0].url) as old,
    ):
        await meet(ann, old, tag)
        async with await SignalClient.logged_in(nodes[1].url, old.signer) as new:
            closed = await old.ended()
            assert closed.error is not None
            assert closed.error.code == "replaced"
            await new.enter(tag)
            await ann.wait(Came, lambda came: came == Came(tag, new.device))
            await talk(ann, new, b"hello again")
            async with await SignalClient.logged_in(nodes[0].url, old.signer) as newest:
                closed = await new.ended()
                assert closed.error is not None
                assert closed.error.code == "replaced"
                await newest.enter(tag)
                await talk(ann, newest, b"and again")
                assert newest.seen(Error) == []


async def test_a_device_that_changes_nodes_is_not_seen_to_go_by_a_third(
    redis: RedisServer, nodes: Nodes, folder: Path
) -> None:
    tag = os.urandom(16)
    with server_node(redis, folder) as third:
        async with (
            await SignalClient.logged_in(third.url) as ann,
            await SignalClient.logged_in(nodes[0].url) as bob,
        ):
            await meet(ann, bob, tag)
            async with await SignalClient.logged_in(nodes[1].url, bob.signer) as moved:
                await moved.enter(tag)
                await until_talk(ann, moved)
                await asyncio.sleep(2.5)
                await ann.settle()
                assert ann.seen(Went) == []


async def test_frames_between_devices_of_one_node_do_not_touch_redis(
    redis: RedisServer, nodes: Nodes
) -> None:
    tag = os.urandom(16)
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[0].url) as bob,
    ):
        await meet(ann, bob, tag)
        redis.freeze()
        try:
            for number in range(100):
                await talk(ann, bob, b"%d" % number)
        finally:
            redis.thaw()
    for node in nodes:
        await until_state(node, "ok")


async def test_mail_put_at_one_node_is_delivered_at_another(nodes: Nodes) -> None:
    async with await SignalClient.logged_in(nodes[0].url) as ann:
        bob = Signer(os.urandom(32))
        recipient = DeviceId(bob.public)
        grant = make_grant(bob, ann.device, int(time.time()) + 3600)
        first, second = os.urandom(16), os.urandom(16)
        await ann.send(Put(first, recipient, grant, 3600, b"while you were away"))
        assert (await ann.wait(Kept)).kept_s > 3500
        async with await SignalClient.logged_in(nodes[1].url, bob) as there:
            assert await there.wait(Mail) == Mail(first, b"while you were away")
            await ann.send(Put(second, recipient, grant, 3600, b"while you are here"))
            assert await there.wait(Mail) == Mail(second, b"while you are here")
            await there.send(Taken((first, second)))
            await there.settle()
        async with await SignalClient.logged_in(nodes[0].url, bob) as there:
            await there.settle()
            assert there.seen(Mail) == []


async def test_garbage_on_the_channels_is_counted_and_ignored(
    redis: RedisServer, nodes: Nodes
) -> None:
    tag = os.urandom(16)
    names = redis.command("PUBSUB", "CHANNELS", "folkmoot:*:to:*")
    channels = [line for line in names.split(b"\r\n") if line.startswith(b"folkmoot:")]
    before = [await figure(node, "nodes_garbage_total") for node in nodes]
    head = b"\x01" + b"0" * 16
    garbage = [
        *(b"", b"\x01", os.urandom(300), b"\x02" + head, head + b"F\x00\x00\x00\x02ab"),
        *(head + b"R\x00\x00\x00\x12" + b"x" * 18, head + b"L\x00\x00\x00\x30" + b"x" * 48),
    ]
    for name in channels:
        for data in garbage:
            redis.command("PUBLISH", name, data)
    async with (
        await SignalClient.logged_in(nodes[0].url) as ann,
        await SignalClient.logged_in(nodes[1].url) as bob,
    ):
        await meet(ann, bob, tag)
        await talk(ann, bob, b"all the same")
    for node, count in zip(nodes, before, strict=True):
        assert await figure(node, "nodes_garbage_total") == count + len(garbage)
        assert await figure(node, "faults_total") == 0


# --- trouble ------------------------------------------------------------------------------------


async def test_redis_killed_and_started_again_empty_in_the_middle(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(left.url) as near,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, near, tag)
            await meet(ann, bob, tag)
            await talk(ann, bob, b"before")
            redis.kill()
            for node in (left, right):
                await until_state(node, "away")
                answer = await node.ask("/health")
                assert (answer.status, answer.json["status"]) == (200, "degraded")
            await talk(ann, near, b"without Redis")
            async with await SignalClient.logged_in(left.url) as new:
                await meet(ann, new, tag)
                await talk(ann, new, b"somebody new without Redis")
                redis.start()
                for node in (left, right):
                    await until_state(node, "ok")
                await until_talk(ann, bob)
                await bob.wait(Came, lambda came: came == Came(tag, new.device))
                await until_talk(new, bob)
            # Longer than those who are not there are waited for: nobody was taken for gone.
            await asyncio.sleep(9)
            await talk(ann, bob, b"after")
            for client in (ann, near, bob):
                gone = [went.device for went in client.seen(Went)]
                assert set(gone) <= {new.device}


async def test_a_redis_that_is_emptied_is_told_everything_anew(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, bob, tag)
            redis.command("FLUSHALL")
            until_s = time.monotonic() + 30
            while b"room:" not in redis.command("KEYS", "*room:*"):
                assert time.monotonic() < until_s
                await asyncio.sleep(0.1)
            await until_talk(ann, bob)
            async with await SignalClient.logged_in(right.url, ann.signer):
                closed = await ann.ended()
                assert closed.error is not None
                assert closed.error.code == "replaced"


async def test_a_frozen_redis_blocks_nobody_and_grows_nothing(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(left.url) as near,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, near, tag)
            await meet(ann, bob, tag)
            await talk(ann, bob, b"before")
            before = rss_bytes(left)
            redis.freeze()
            until_s = time.monotonic() + 6
            before_it_noticed, payload = 0, b"x" * 16_000
            while time.monotonic() < until_s:
                for _ in range(20):
                    await ann.relay(bob.device, payload)
                await talk(ann, near, b"same node")
                health = await left.ask("/health")
                before_it_noticed += health.json["parts"]["redis"] == "ok"
            grown = rss_bytes(left) - before
            assert grown < 24 * 2**20
            # Who waits for Redis goes on when it is given up, not before.
            assert before_it_noticed > 0
            await until_state(left, "away")
            redis.thaw()
            for node in (left, right):
                await until_state(node, "ok")
            await until_talk(ann, bob)


async def test_one_node_killed_its_devices_go_and_meet_again_at_the_other(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(left.url) as lost,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, bob, tag)
            await meet(lost, bob, tag)
            await asyncio.sleep(6.5)
            left.process.kill()
            killed_s = time.monotonic()
            await ann.ended()
            async with await SignalClient.logged_in(right.url, ann.signer) as back:
                (room,) = await back.enter(tag)
                assert bob.device in room.devices
                await talk(back, bob, b"met again")
                assert time.monotonic() - killed_s < 5
                await bob.wait(Went, lambda went: went == Went(tag, lost.device))
                assert time.monotonic() - killed_s < 10
                await talk(back, bob, b"still here")
                # What the dead node had said counts nothing, also for who comes later.
                await asyncio.sleep(6)
                async with await SignalClient.logged_in(right.url) as late:
                    (room,) = await late.enter(tag)
                    await asyncio.sleep(0.5)
                    await late.settle()
                    came = {one.device for one in late.seen(Came)} | set(room.devices)
                    assert came == {back.device, bob.device}


async def test_a_node_that_hangs_is_noticed_by_its_silence(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, bob, tag)
            await asyncio.sleep(6.5)
            os.kill(left.process.pid, 19)
            await bob.wait(Went, lambda went: went == Went(tag, ann.device), timeout_s=30)
            os.kill(left.process.pid, 18)
            await bob.wait(Came, lambda came: came == Came(tag, ann.device), timeout_s=30)
            await until_talk(ann, bob)


async def test_a_channel_that_is_cut_is_opened_again(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, bob, tag)
            before = await figure(left, "redis_lost_total")
            redis.command("CLIENT", "KILL", "TYPE", "pubsub")
            until_s = time.monotonic() + 30
            while await figure(left, "redis_lost_total") == before:
                assert time.monotonic() < until_s
                await asyncio.sleep(0.05)
            for node in (left, right):
                await until_state(node, "ok")
            await until_talk(ann, bob)


async def test_a_node_that_ends_says_that_its_devices_go(tmp_path: Path) -> None:
    tag = os.urandom(16)
    with (
        redis_server(tmp_path) as redis,
        server_node(redis, tmp_path) as left,
        server_node(redis, tmp_path) as right,
    ):
        async with (
            await SignalClient.logged_in(left.url) as ann,
            await SignalClient.logged_in(right.url) as bob,
        ):
            await meet(ann, bob, tag)
            left.process.terminate()
            await bob.wait(Went, lambda went: went == Went(tag, ann.device), timeout_s=30)
            assert await asyncio.to_thread(left.process.wait, 30) == 0
