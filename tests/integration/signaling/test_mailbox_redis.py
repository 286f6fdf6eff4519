"""The mailbox in a real Redis does what that in memory does, and is away when Redis is."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES
from folkmoot_signaling.mailbox import MailLimits, MemoryMailbox
from folkmoot_signaling.mailbox_redis import RedisMailbox
from lab.redis_lab import RedisServer, redis_server

pytestmark = pytest.mark.needs("redis-server")
SMALL = MailLimits(
    recipient_bytes=4000,
    recipient_count=12,
    sender_bytes=5000,
    sender_count=14,
    pair_bytes=2000,
    pair_count=6,
    address_bytes=6000,
    address_count=16,
    total_bytes=9000,
    total_count=24,
)
WHO = [DeviceId(bytes([number]) * 32) for number in range(4)]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as one:
        yield one


@pytest.fixture
async def server() -> bytes:
    return os.urandom(32)


@pytest.fixture
async def mailbox(redis: RedisServer, server: bytes) -> AsyncIterator[RedisMailbox]:
    one = RedisMailbox(redis.url, server, SMALL)
    yield one
    await one.aclose()


@pytest.mark.parametrize("seed", range(3))
async def test_it_answers_as_the_one_in_memory_does(mailbox: RedisMailbox, seed: int) -> None:
    chance = random.Random(seed)
    memory = MemoryMailbox(SMALL, time.time)
    refused, longest_s = 0, 0.0
    for _ in range(150):
        recipient, sender = chance.choice(WHO), chance.choice(WHO)
        if chance.random() < 0.7:
            id, address = bytes([chance.randrange(40)]) * 16, chance.choice(["one", "two"])
            sealed, keep_s = chance.randbytes(chance.randrange(1, 900)), chance.randrange(700)
            began_s = time.monotonic()
            ours = await mailbox.put(recipient, sender, address, id, sealed, keep_s)
            theirs = await memory.put(recipient, sender, address, id, sealed, keep_s)
            # What is put again was put at two moments in both, and asked for at two.
            longest_s = max(longest_s, time.monotonic() - began_s)
            apart_s = abs(ours.kept_s - theirs.kept_s)
            assert (ours.code, apart_s <= 2 + 2 * longest_s) == (theirs.code, True)
            refused += not ours.kept_s
        else:
            there = await memory.waiting(recipient, 0, 100_000)
            ids = [mail.id for mail in there[: chance.randrange(4)]] + [b"?" * 16]
            await mailbox.taken(recipient, ids)
            await memory.taken(recipient, ids)
        for one in WHO:
            page = chance.randrange(1, 3000)
            ours_now = [mail[1:] for mail in await mailbox.waiting(one, 0, page)]
            assert ours_now == [mail[1:] for mail in await memory.waiting(one, 0, page)]
        assert mailbox.usage() == memory.usage()
    assert refused > 10


async def test_the_rest_comes_after_the_last_number(mailbox: RedisMailbox) -> None:
    for number in range(3):
        await mailbox.put(WHO[0], WHO[1], "one", bytes([number]) * 16, b"%d" % number, 600)
    first = (await mailbox.waiting(WHO[0], 0, 1))[0]
    rest = await mailbox.waiting(WHO[0], first.number)
    assert [mail.sealed for mail in rest] == [b"1", b"2"]


async def test_another_node_has_the_same_box_and_another_server_has_not(
    redis: RedisServer, server: bytes, mailbox: RedisMailbox
) -> None:
    await mailbox.put(WHO[0], WHO[1], "one", b"i" * 16, b"sealed", 600)
    same, other = (RedisMailbox(redis.url, name, SMALL) for name in (server, os.urandom(32)))
    assert [mail.sealed for mail in await same.waiting(WHO[0])] == [b"sealed"]
    assert await other.waiting(WHO[0]) == []
    await same.aclose()
    await other.aclose()


async def test_what_is_too_large_or_empty_is_refused(mailbox: RedisMailbox) -> None:
    for sealed in (b"", b"x" * (MAX_ENVELOPE_BYTES + 1)):
        receipt = await mailbox.put(WHO[0], WHO[1], "one", b"i" * 16, sealed, 600)
        assert receipt == (0, "bad_message")


async def test_all_that_is_in_redis_ends_by_itself(
    redis: RedisServer, mailbox: RedisMailbox
) -> None:
    await mailbox.put(WHO[0], WHO[1], "one", b"i" * 16, b"sealed", 600)
    names = redis.command("KEYS", "folkmoot:*:mail:*").split(b"\r\n")
    for name in (line for line in names if line.startswith(b"folkmoot:")):
        left_s = int(redis.command("TTL", name).strip()[1:])
        assert 0 < left_s <= 24 * 3600 + 60 or name.endswith(b":mail:number")


async def test_what_is_over_is_gone_and_counts_no_more(
    redis: RedisServer, mailbox: RedisMailbox
) -> None:
    await mailbox.put(WHO[0], WHO[1], "one", b"i" * 16, b"sealed", 600)
    assert mailbox.usage() == (1, 6)
    names = redis.command("KEYS", "*:mail:ends").split(b"\r\n")
    for ends in (line for line in names if line.startswith(b"folkmoot:")):
        members = redis.command("ZRANGE", ends, "0", "-1").split(b"\r\n")[2::2]
        for member in members:
            redis.command("ZADD", ends, str(int(time.time()) - 1), member)
    assert await mailbox.waiting(WHO[0]) == []
    assert mailbox.usage() == (0, 0)


@pytest.mark.long
async def test_without_redis_it_is_away_and_comes_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with redis_server(tmp_path_factory.mktemp("own")) as redis:
        mailbox = RedisMailbox(redis.url, b"s" * 32, SMALL)
        await mailbox.put(WHO[0], WHO[1], "one", b"i" * 16, b"sealed", 600)
        redis.freeze()
        asked = [asyncio.ensure_future(mailbox.waiting(WHO[0])) for _ in range(12)]
        async with asyncio.timeout(20):
            for one in asked:
                with pytest.raises(EnvironmentFault):
                    await one
        redis.thaw()
        redis.kill()
        with pytest.raises(EnvironmentFault):
            await mailbox.waiting(WHO[0])
        await asyncio.to_thread(redis.start)
        assert await mailbox.waiting(WHO[0]) == []
        await mailbox.aclose()
