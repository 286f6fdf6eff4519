"""The bus in this process against a real Redis, with a line between them that can be held up."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import write_relay
from folkmoot_signaling import exchange, redis_bus, redis_client
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.redis_bus import RedisBus
from lab.redis_lab import RedisServer, redis_server

pytestmark = pytest.mark.needs("redis-server")
TAG = b"t" * 16
ANN, BOB = DeviceId(b"a" * 32), DeviceId(b"b" * 32)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as one:
        yield one


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is taken for dead, and nothing is said again, because this computer stood still."""
    monkeypatch.setattr(exchange, "NODE_S", 120.0)
    monkeypatch.setattr(exchange, "GRACE_S", 120.0)
    monkeypatch.setattr(redis_bus, "WAIT_S", 30.0)
    monkeypatch.setattr(redis_client, "WAIT_S", 30.0)
    monkeypatch.setattr(redis_bus, "_CLAIM_S", 30.0)


class Neighbour:
    """`bus.Local` that keeps what it is told, and fails if it is asked to."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.stands: list[tuple[DeviceId, int, tuple[bytes, ...]]] = []
        self.failing = False
        self._changed = asyncio.Event()

    def far_came(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        self._tell("came", tag, device)

    def far_went(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        self._tell("went", tag, device)

    def far_login(self, device: DeviceId, epoch: int) -> None:
        self._tell("login", device)

    def far_frame(self, destination: DeviceId, frame: bytes) -> bool:
        if self.failing:
            self.failing = False
            raise RuntimeError("a closing socket")
        self._tell("frame", destination, frame)
        return True

    def far_gone(self, source: DeviceId, destination: DeviceId) -> None:
        self._tell("gone", source, destination)

    async def far_mail(self, recipient: DeviceId) -> None:
        self._tell("mail", recipient)

    def standing(self) -> list[tuple[DeviceId, int, tuple[bytes, ...]]]:
        return self.stands

    def _tell(self, *told: object) -> None:
        self.told.append(told)
        self._changed.set()

    async def until(self, *told: object, within_s: float = 20) -> None:
        async with asyncio.timeout(within_s):
            while told not in self.told:
                self._changed.clear()
                await self._changed.wait()


class Line:
    """Hands bytes on between nodes and Redis; what comes from the channel can be held up."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        listening = False

        async def hand_on() -> None:
            nonlocal listening
            while data := await reader.read(65_536):
                listening = listening or b"SUBSCRIBE" in data
                back.write(data)

        async def hand_back() -> None:
            while data := await there.read(65_536):
                if listening:
                    await self.flowing.wait()
                writer.write(data)

        with contextlib.suppress(OSError):
            done = [asyncio.ensure_future(one()) for one in (hand_on, hand_back)]
            await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.cancel()
        writer.close()
        back.close()


@contextlib.asynccontextmanager
async def node(
    port: int, server: bytes, deaf_s: float = 60.0
) -> AsyncIterator[tuple[RedisBus, Neighbour, Counters]]:
    """A bus that has met Redis."""
    counters, local = Counters(), Neighbour()
    bus = RedisBus(f"redis://127.0.0.1:{port}/0", server, counters, 256, beat_s=0.1, deaf_s=deaf_s)
    bus.attach(local)
    await bus.start()
    try:
        await until(lambda: bus.state == "ok")
        yield bus, local, counters
    finally:
        await bus.aclose()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def stand(bus: RedisBus, local: Neighbour, device: DeviceId) -> int:
    """Log a device in and let it enter a room."""
    epoch = await bus.claim(device)
    local.stands.append((device, epoch, (TAG,)))
    bus.announce(device, epoch)
    bus.enter(TAG, device, epoch)
    return epoch


async def test_two_nodes_know_who_comes_and_hand_frames_on(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with (
        node(redis.port, server) as (left, near, _),
        node(redis.port, server) as (right, far, _),
    ):
        first = await stand(left, near, ANN)
        second = await stand(right, far, BOB)
        assert 0 < first < second
        await near.until("came", TAG, BOB)
        await far.until("came", TAG, ANN)
        frames = [write_relay(ANN, b"%d" % number) for number in range(500)]
        assert all(left.relay(BOB, frame) for frame in frames)
        await far.until("frame", BOB, frames[-1])
        assert [told[2] for told in far.told if told[0] == "frame"] == frames
        assert not left.relay(DeviceId(b"x" * 32), frames[0])


async def test_servers_with_other_secrets_share_a_redis_and_nothing_else(
    redis: RedisServer,
) -> None:
    async with (
        node(redis.port, os.urandom(32)) as (left, near, _),
        node(redis.port, os.urandom(32)) as (right, far, _),
    ):
        await stand(left, near, ANN)
        await stand(right, far, BOB)
        await left.claim(ANN)
        await right.claim(BOB)
        assert near.told == far.told == []


async def test_a_frame_that_fails_does_not_end_the_listening(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with (
        node(redis.port, server) as (left, near, _),
        node(redis.port, server) as (right, far, counters),
    ):
        await stand(left, near, ANN)
        await stand(right, far, BOB)
        await near.until("came", TAG, BOB)
        far.failing = True
        assert left.relay(BOB, write_relay(ANN, b"fails"))
        await until(lambda: counters.faults == 1)
        assert left.relay(BOB, write_relay(ANN, b"comes"))
        await far.until("frame", BOB, write_relay(ANN, b"comes"))
        assert counters.redis_lost == 0


async def test_a_channel_that_hangs_is_noticed_and_opened_again(redis: RedisServer) -> None:
    server = os.urandom(32)
    line = Line(redis.port)
    await line.start()
    async with (
        node(line.port, server, deaf_s=1.0) as (left, near, counters),
        node(redis.port, server) as (right, far, _),
    ):
        await stand(left, near, ANN)
        await stand(right, far, BOB)
        await far.until("came", TAG, ANN)
        before = counters.redis_lost  # a machine that stalls for a second may have lost it already
        line.flowing.clear()
        await until(lambda: counters.redis_lost > before and left.state == "away")
        assert not left.relay(BOB, write_relay(ANN, b"nobody hears this"))
        line.flowing.set()
        await until(lambda: left.state == "ok")
        far.told.clear()
        # Until it is told that ANN's node has a new name, frames go to the old one and are lost.
        again = write_relay(BOB, b"again")
        await until(lambda: right.relay(ANN, again) and ("frame", ANN, again) in near.told)
    await line.aclose()


async def test_a_login_while_redis_is_away_gets_an_epoch_at_once(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with node(redis.port, server) as (left, _, _):
        first = await left.claim(ANN)
        bus = RedisBus("redis://127.0.0.1:1/0", server, Counters(), 256)
        bus.attach(Neighbour())
        await bus.start()
        second = await bus.claim(ANN)
        assert await bus.claim(ANN) > second > first
        assert await left.claim(ANN) > first
        await bus.aclose()


async def test_the_loser_of_two_logins_is_told_whoever_speaks_first(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with (
        node(redis.port, server) as (left, near, _),
        node(redis.port, server) as (right, far, _),
    ):
        old, new = await left.claim(ANN), await right.claim(ANN)
        right.announce(ANN, new)
        await right.claim(BOB)
        left.announce(ANN, old)
        await near.until("login", ANN)
        old, new = await left.claim(BOB), await right.claim(BOB)
        left.announce(BOB, old)
        await left.claim(ANN)
        right.announce(BOB, new)
        # Before everything is said again, which would tell as well.
        await near.until("login", BOB)
        assert [told for told in far.told if told[0] == "login"] == []


async def test_mail_finds_the_node_of_its_recipient(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with (
        node(redis.port, server) as (left, near, _),
        node(redis.port, server) as (right, far, _),
    ):
        await stand(right, far, BOB)
        await right.claim(BOB)
        left.mail(ANN)
        left.mail(BOB)
        await far.until("mail", BOB)
        assert near.told == []


async def test_an_old_story_in_a_room_does_not_replace_the_new_one(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with (
        node(redis.port, server) as (left, _, _),
        node(redis.port, server) as (right, far, _),
        node(redis.port, server) as (third, near, _),
    ):
        old = await left.claim(BOB)
        left.announce(BOB, old)
        await stand(right, far, BOB)
        await right.claim(BOB)
        # The word that it moved is still under way.
        left.enter(TAG, BOB, old)
        await left.claim(ANN)
        await stand(third, near, ANN)
        await near.until("came", TAG, BOB)
        frame = write_relay(ANN, b"where it is")
        assert third.relay(BOB, frame)
        await far.until("frame", BOB, frame)


async def test_a_node_that_ends_says_so_at_once(redis: RedisServer) -> None:
    server = os.urandom(32)
    async with node(redis.port, server) as (right, far, _):
        async with node(redis.port, server) as (left, near, _):
            await stand(right, far, BOB)
            await stand(left, near, ANN)
            await far.until("came", TAG, ANN)
        # Long before anybody would look whether it lives.
        await far.until("went", TAG, ANN)
