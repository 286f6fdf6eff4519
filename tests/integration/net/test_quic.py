"""QUIC streams over paths in memory, good and bad ones."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.net import quic
from folkmoot.net.limits import KIB, MIB, LinkLimits
from folkmoot.net.quic_private import Connection, check_library
from folkmoot.net.quic_stream import QuicStream
from folkmoot.net.relay import Relays
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.services.ports import Stream
from integration.net.lab import until
from lab.paths import MemoryPath, Weather, connect, make_paths

Connect = Callable[..., Awaitable[tuple[QuicStream, QuicStream]]]


@pytest.fixture
async def sides() -> AsyncIterator[tuple[WaysTransport, WaysTransport]]:
    """Two transports; nothing may stay of them."""
    pair = (
        WaysTransport(TlsTransport(), Relays()),
        WaysTransport(TlsTransport(), Relays()),
    )
    yield pair
    for each in pair:
        await each.aclose()
        assert not each._paths


@pytest.fixture
async def meet(sides: tuple[WaysTransport, WaysTransport]) -> Connect:
    """Make a proved stream over paths."""

    async def make(paths: tuple[MemoryPath, MemoryPath]) -> tuple[QuicStream, QuicStream]:
        dialled, accepted = await connect(*sides, paths)
        assert isinstance(dialled, QuicStream)
        assert isinstance(accepted, QuicStream)
        dialled.open_up()
        accepted.open_up()
        return dialled, accepted

    return make


async def exchange(one: Stream, other: Stream, count: int = 200) -> None:
    """Frames of many sizes both ways, whole and in order."""
    frames = [bytes([n % 256]) * (1 + n * n % 5000) for n in range(count)]

    async def send(stream: Stream) -> None:
        for frame in frames:
            stream.send(frame)
            await stream.drain()

    async def receive(stream: Stream) -> list[bytes]:
        return [await stream.receive() for _ in frames]

    results = await asyncio.wait_for(
        asyncio.gather(receive(one), receive(other), send(one), send(other)), 90
    )
    assert results[0] == frames
    assert results[1] == frames


def test_the_library_is_inside_as_we_expect() -> None:
    from aioquic.quic.configuration import QuicConfiguration

    assert check_library(Connection(QuicConfiguration(is_client=True), None)) == []


@pytest.mark.parametrize("max_bytes", [1200, 8192])
async def test_frames_go_both_ways_in_order(meet: Connect, max_bytes: int) -> None:
    await exchange(*await meet(make_paths(max_bytes=max_bytes)))


@pytest.mark.parametrize(
    "weather",
    [
        Weather(loss=0.1),
        Weather(double=0.3),
        Weather(delay_s=(0.001, 0.02)),
        Weather(change=0.05),
        Weather(loss=0.05, double=0.1, change=0.02, delay_s=(0.001, 0.01)),
    ],
    ids=["loss", "double", "reorder", "change", "all"],
)
async def test_nothing_is_lost_doubled_or_out_of_order_on_a_bad_path(
    meet: Connect, weather: Weather
) -> None:
    calm = Weather()
    paths = make_paths(calm)
    pair = await meet(paths)
    paths[0].weather = paths[1].weather = weather
    await exchange(*pair, count=100)


@pytest.mark.parametrize("seed", range(5))
async def test_a_handshake_succeeds_on_a_bad_path(meet: Connect, seed: int) -> None:
    weather = Weather(loss=0.15, double=0.1, change=0.05, delay_s=(0.001, 0.005))
    dialled, accepted = await meet(make_paths(weather, seed))
    dialled.send(b"hello")
    assert await asyncio.wait_for(accepted.receive(), 20) == b"hello"


async def test_both_sides_are_bound_to_the_listeners_certificate(
    sides: tuple[WaysTransport, WaysTransport], meet: Connect
) -> None:
    dialled, accepted = await meet(make_paths())
    identity = await sides[1]._direct.identity()
    assert dialled.binding == accepted.binding == identity.binding


async def test_the_listener_may_speak_first(meet: Connect) -> None:
    dialled, accepted = await meet(make_paths())
    accepted.send(b"proof")
    accepted.send(b"x" * MIB)
    assert await dialled.receive() == b"proof"
    assert len(await dialled.receive()) == MIB


async def test_the_path_is_given_back_when_the_stream_is_closed(meet: Connect) -> None:
    paths = make_paths()
    dialled, accepted = await meet(paths)
    dialled._limits = LinkLimits(close_s=60.0)
    dialled.send(b"last words")
    # As soon as they have left, and not after the time that they may take.
    await asyncio.wait_for(dialled.aclose(), 20)
    assert await accepted.receive() == b"last words"
    with pytest.raises(EnvironmentFault):
        await accepted.receive()
    await until(lambda: paths[0].closed and paths[1].closed)


async def test_closing_takes_a_second_at_most_when_nobody_answers(meet: Connect) -> None:
    paths = make_paths()
    dialled, _ = await meet(paths)
    paths[0].weather.dead = True
    dialled.send(b"x" * 100 * KIB)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await dialled.aclose()
    assert 0.9 < loop.time() - began < 10


async def test_a_path_that_dies_ends_the_stream_at_once(meet: Connect) -> None:
    paths = make_paths()
    dialled, _ = await meet(paths)
    reading = asyncio.ensure_future(dialled.receive())
    await asyncio.sleep(0)
    paths[0].ended(EnvironmentFault("link_closed", "The way is gone."))
    with pytest.raises(EnvironmentFault, match="way is gone"):
        await asyncio.wait_for(reading, 20)


async def test_nobody_listening_on_the_path_is_unreachable(
    sides: tuple[WaysTransport, WaysTransport],
) -> None:
    for listen in (False, True):
        paths = make_paths()
        with pytest.raises(EnvironmentFault) as caught:
            await sides[0].over(paths[0], "nat://there", listen, 0.1)
        assert caught.value.code == "unreachable"
        assert paths[0].closed


async def test_frames_of_one_turn_share_packets(meet: Connect) -> None:
    paths = make_paths(max_bytes=8192)
    dialled, accepted = await meet(paths)
    dialled.send(b"first")
    await accepted.receive()
    sizes: list[int] = []
    send = paths[0].send

    def keep(datagram: bytes) -> None:
        sizes.append(len(datagram))
        send(datagram)

    paths[0].send = keep  # type: ignore[method-assign]
    for _ in range(100):
        dialled.send(b"x" * 30)
    for _ in range(100):
        await accepted.receive()
    # Whatever else left meanwhile: they were all in one.
    assert max(sizes) > 100 * 34


async def test_an_idle_stream_sends_nothing(meet: Connect) -> None:
    paths = make_paths()
    dialled, accepted = await meet(paths)
    dialled.send(b"hello")
    await accepted.receive()

    async def sent_in(wait_s: float) -> int:
        before = paths[0].sent + paths[1].sent
        await asyncio.sleep(wait_s)
        return paths[0].sent + paths[1].sent - before

    async with asyncio.timeout(20):
        while await sent_in(0.1):
            pass
    assert await sent_in(0.5) == 0


async def test_a_reader_that_does_not_come_stops_the_sender_not_the_memory(
    meet: Connect,
) -> None:
    dialled, accepted = await meet(make_paths(max_bytes=8192))
    for _ in range(100):
        dialled.send(b"x" * 64 * KIB)
    await until(lambda: len(accepted._inbox) >= 256 * KIB)
    await asyncio.sleep(0.1)
    assert len(accepted._inbox) <= 256 * KIB
    assert not asyncio.ensure_future(dialled.drain()).done()
    for _ in range(100):
        assert len(await accepted.receive()) == 64 * KIB


async def test_a_receiver_that_never_reads_is_closed_and_costs_no_more_than_the_bound() -> None:
    limits = LinkLimits(outgoing_bytes=2 * MIB)
    one = WaysTransport(TlsTransport(limits), Relays(limits), limits)
    other = WaysTransport(TlsTransport(limits), Relays(limits), limits)
    dialled, accepted = await connect(one, other, make_paths(max_bytes=8192))
    assert isinstance(dialled, QuicStream)
    dialled.open_up()
    accepted.open_up()
    most = 0
    for _ in range(200):
        dialled.send(b"x" * 64 * KIB)
        most = max(most, dialled._waiting_to_leave())
        await asyncio.sleep(0)
    assert 2 * MIB - 128 * KIB < most <= 2 * MIB
    with pytest.raises(EnvironmentFault, match="stopped reading"):
        await dialled.receive()
    await one.aclose()
    await other.aclose()


async def test_an_unproved_stranger_cannot_fill_the_memory(
    sides: tuple[WaysTransport, WaysTransport],
) -> None:
    dialled, accepted = await connect(*sides, make_paths())
    assert isinstance(accepted, QuicStream)
    dialled.open_up()
    for _ in range(100):
        dialled.send(bytes(4000))
    await asyncio.sleep(0.1)
    assert len(accepted._inbox) <= 8 * KIB


async def test_proofs_that_do_not_come_in_time_end_the_stream() -> None:
    limits = LinkLimits(handshake_s=2.0)
    one = WaysTransport(TlsTransport(limits), Relays(limits), limits)
    other = WaysTransport(TlsTransport(limits), Relays(limits), limits)
    dialled, accepted = await connect(one, other, make_paths())
    dialled.open_up()
    with pytest.raises(PeerError) as caught:
        await accepted.receive()
    assert caught.value.code == "too_slow"
    await one.aclose()
    await other.aclose()


async def test_an_outage_is_over_for_both_as_soon_as_one_can_send_again(meet: Connect) -> None:
    """One has nothing to say, the other waits for a timer that doubled again and again."""
    weather = Weather()
    paths = make_paths(weather)
    dialled, accepted = await meet(paths)
    dialled.send(b"before")
    assert await accepted.receive() == b"before"
    await asyncio.sleep(0.05)
    weather.dead = True
    paths[0].busy = True
    dialled._flush()
    # As it is after so many packets in vain: the timer is due in a quarter of a minute.
    accepted._connection._loss._pto_count = 9
    accepted.send(b"meanwhile")
    loop = asyncio.get_running_loop()
    began = loop.time()

    def waits_long() -> bool:
        timer = accepted._timer
        return loop.time() - began > 0.7 and timer is not None and timer.when() > loop.time() + 8

    await until(waits_long)
    weather.dead = False
    paths[0].busy = False
    began = loop.time()
    paths[0].resumed()
    assert await asyncio.wait_for(dialled.receive(), 20) == b"meanwhile"
    assert loop.time() - began < 6


@pytest.mark.long
async def test_a_path_that_is_dead_for_five_seconds_loses_nothing(meet: Connect) -> None:
    weather = Weather()
    paths = make_paths(weather)
    dialled, accepted = await meet(paths)
    for number in range(1000):
        dialled.send(b"%d" % number * 100)
    await asyncio.sleep(0.005)
    weather.dead = True
    await asyncio.sleep(5)
    weather.dead = False
    for number in range(1000):
        assert await asyncio.wait_for(accepted.receive(), 20) == b"%d" % number * 100


async def test_a_path_that_stays_dead_ends_the_stream(
    sides: tuple[WaysTransport, WaysTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    await sides[1]._direct.identity()  # takes its time, in a thread
    monkeypatch.setattr(quic, "IDLE_S", 2.0)
    paths = make_paths()
    dialled, _ = await connect(*sides, paths)
    dialled.open_up()
    paths[0].weather.dead = True
    with pytest.raises(EnvironmentFault, match="silent for too long"):
        await asyncio.wait_for(dialled.receive(), 20)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
async def test_nothing_is_lost_in_any_weather(meet: Connect, seed: int) -> None:
    chance = random.Random(seed)
    weather = Weather(
        loss=chance.uniform(0, 0.2),
        double=chance.uniform(0, 0.3),
        change=chance.uniform(0, 0.1),
        delay_s=(0.0, chance.choice([0.0, 0.005, 0.05])),
    )
    pair = await meet(make_paths(weather, seed, chance.choice([1200, 8192])))
    await exchange(*pair, count=60)


async def test_a_busy_path_is_left_alone(meet: Connect) -> None:
    paths = make_paths()
    dialled, accepted = await meet(paths)
    dialled.send(b"first")
    await accepted.receive()
    await asyncio.sleep(0.05)
    paths[0].busy = True
    before = paths[0].sent
    dialled.send(b"waits")
    await asyncio.sleep(0.6)
    assert paths[0].sent == before
    paths[0].busy = False
    paths[0].resumed()
    assert await asyncio.wait_for(accepted.receive(), 20) == b"waits"


async def test_garbage_on_the_path_changes_nothing(
    meet: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    paths = make_paths()
    dialled, accepted = await meet(paths)
    chance = random.Random(7)
    with caplog.at_level(logging.INFO):
        for number in range(300):
            garbage = chance.randbytes(chance.randrange(1400))
            if number % 3 == 0:
                garbage = b"\xc0\0\0\0\1\x08" + garbage
            elif number % 3 == 1:
                id = chance.choice(list(accepted_ids(accepted)))
                garbage = bytes([0x40 | chance.randrange(64)]) + id + garbage
            paths[1].received(garbage)
            paths[0].received(garbage)
    await exchange(dialled, accepted, 20)
    assert len(caplog.records) <= 50


def accepted_ids(stream: QuicStream) -> list[bytes]:
    return [each.cid for each in stream._connection._host_cids]


async def test_a_listener_that_has_not_the_key_of_its_certificate_is_refused(
    sides: tuple[WaysTransport, WaysTransport],
) -> None:
    """Else somebody in between could show a certificate of another and pass proofs through."""
    from dataclasses import replace

    from folkmoot.net.certificate import make_listener_identity

    honest = await asyncio.to_thread(make_listener_identity)
    other = await asyncio.to_thread(make_listener_identity)
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    future.set_result(replace(honest, key=other.key))
    sides[1]._direct._identity = future  # type: ignore[assignment]
    results = await asyncio.gather(
        sides[0].over((paths := make_paths())[0], "nat://there", False, 20),
        sides[1].over(paths[1], "nat://here", True, 2),
        return_exceptions=True,
    )
    assert isinstance(results[0], EnvironmentFault)
    assert "not Folkmoot" in str(results[0]) or "at once" in str(results[0])


@pytest.mark.parametrize("where", ["receive_datagram", "datagrams_to_send", "handle_timer"])
async def test_a_fault_of_the_library_ends_one_stream_and_nothing_else(
    meet: Connect, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    dialled, accepted = await meet(make_paths())
    other = await meet(make_paths())

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a bug in the library")

    monkeypatch.setattr(accepted._connection, where, fail)
    async with asyncio.timeout(20):
        while not accepted.ended:  # an acknowledgement that leaves at once needs no timer
            dialled.send(b"hello")
            await asyncio.sleep(0.05)
    accepted._forget_unread()
    with pytest.raises(PeerError) as caught:
        await accepted.receive()
    assert caught.value.code == "bad_quic"
    await exchange(*other, count=5)


async def test_a_frame_that_breaks_the_rules_ends_the_stream(meet: Connect) -> None:
    dialled, accepted = await meet(make_paths())
    dialled._connection.send_stream_data(0, (2 * MIB).to_bytes(4, "big"))
    dialled._plan_flush()
    with pytest.raises(PeerError) as caught:
        await accepted.receive()
    assert caught.value.code == "bad_frame"
    with pytest.raises(EnvironmentFault):
        await asyncio.wait_for(dialled.receive(), 20)
