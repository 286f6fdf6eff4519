"""Ways through NAT between two sides on this computer, with real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aioice.ice
import pytest
from aioice.stun import Class, Message, parse_message

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.net import candidates
from folkmoot.net import ice_way as ice
from folkmoot.net.ice import IceWays
from folkmoot.net.ice_way import IceWay
from folkmoot.net.paths import DatagramPath
from folkmoot.services.signaling_port import IceDescription
from integration.net.lab import until

ANN, BEN = DeviceId(b"a" * 32), DeviceId(b"b" * 32)


class Carried:
    """Stands for the stream over a path."""

    def __init__(self, path: DatagramPath, remote: str, listen: bool) -> None:
        self.path, self.remote, self.listen = path, remote, listen
        self.got: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended: list[FolkmootError] = []

    def read(self) -> Carried:
        """Begin to take what comes."""
        self.path.attach(self.got.put_nowait, lambda: None, self.ended.append)
        return self


class Side:
    """One side and what it carried."""

    def __init__(self) -> None:
        self.fault: EnvironmentFault | None = None
        self.ways = IceWays(self._over)

    async def _over(
        self, path: DatagramPath, remote: str, listen: bool, _timeout_s: float, _local: str
    ) -> Any:
        if self.fault is not None:
            path.close()
            raise self.fault
        return Carried(path, remote, listen)


@pytest.fixture(autouse=True)
def on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """One host that every computer has; elsewhere it is refused."""

    async def hosts() -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr(ice, "_own_hosts", hosts)
    monkeypatch.setattr(candidates, "_is_fit", lambda _host: True)
    monkeypatch.setattr(ice, "STUN_S", 0.3)


@pytest.fixture
async def ann() -> AsyncIterator[Side]:
    side = Side()
    yield side
    await _closes(side)


@pytest.fixture
async def ben() -> AsyncIterator[Side]:
    side = Side()
    yield side
    await _closes(side)


async def _closes(side: Side) -> None:
    """Nothing stays."""
    await side.ways.aclose()
    assert not side.ways._connections
    assert not side.ways._supervisor.names


async def _pair(ann: Side, ben: Side) -> tuple[IceWay, IceWay]:
    return await ann.ways.gather([], began=True), await ben.ways.gather([], began=False)


async def _connect(ann: Side, ben: Side) -> tuple[Carried, Carried]:
    began, answers = await _pair(ann, ben)
    both = await asyncio.gather(
        began.connect(answers.description, BEN, 20), answers.connect(began.description, ANN, 20)
    )
    one, other = both
    assert isinstance(one, Carried)
    assert isinstance(other, Carried)
    return one, other


def _sockets(side: Side) -> list[Any]:
    return [s for each in side.ways._connections for s in each._protocols]


async def test_two_sides_find_a_way_and_packets_pass(ann: Side, ben: Side) -> None:
    one, other = await _connect(ann, ben)
    assert (one.listen, other.listen) == (False, True)
    assert one.remote.startswith("nat://127.0.0.1:")
    assert one.remote.endswith(f"/{BEN.hex()}")
    one.read()
    other.read()
    one.path.send(b"\x40hello")
    assert await asyncio.wait_for(other.got.get(), 20) == b"\x40hello"
    other.path.send(b"\x40back")
    assert await asyncio.wait_for(one.got.get(), 20) == b"\x40back"


async def test_a_way_over_ipv6_is_written_as_one(
    ann: Side, ben: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hosts() -> list[str]:
        return ["::1"]

    monkeypatch.setattr(ice, "_own_hosts", hosts)
    one, _ = await _connect(ann, ben)
    assert one.remote.startswith("nat://[::1]:")


async def test_sockets_that_neither_side_uses_are_closed_after_a_while(
    ann: Side, ben: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hosts() -> list[str]:
        return ["127.0.0.1", "127.0.0.2", "127.0.0.3"]

    monkeypatch.setattr(ice, "_own_hosts", hosts)
    monkeypatch.setattr(ice, "TRIM_S", 0.1)
    one, other = await _connect(ann, ben)
    sockets = _sockets(ann)
    one.read()
    other.read()
    for side, peer in ((one, other), (other, one)):
        side.path.send(b"\x40hello")
        await asyncio.wait_for(peer.got.get(), 20)
    await until(lambda: 1 <= len(_sockets(ann)) <= 2 and 1 <= len(_sockets(ben)) <= 2)
    await until(lambda: sum(socket.transport.is_closing() for socket in sockets) >= 1)
    for side, peer in ((one, other), (other, one)):
        side.path.send(b"\x40still")
        assert await asyncio.wait_for(peer.got.get(), 20) == b"\x40still"
    assert not one.ended


async def test_packets_that_come_before_the_stream_are_kept(ann: Side, ben: Side) -> None:
    one, other = await _connect(ann, ben)
    one.path.send(b"\x40early")
    (connection,) = ben.ways._connections
    await until(lambda: len(connection._early) == 1)
    other.read()
    assert other.got.get_nowait() == b"\x40early"


async def test_early_packets_are_bounded(ann: Side, ben: Side) -> None:
    one, _ = await _connect(ann, ben)
    (connection,) = ben.ways._connections
    for number in range(3 * ice.MAX_EARLY):
        one.path.send(b"\x40%d" % number)
    await until(lambda: b"\x40%d" % (3 * ice.MAX_EARLY - 1) in connection._early)
    assert len(connection._early) == ice.MAX_EARLY
    assert connection._queue.empty()


async def test_a_stranger_who_knows_the_port_reaches_nobody(ann: Side, ben: Side) -> None:
    _, other = await _connect(ann, ben)
    other.read()
    failed: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: failed.append(context))
    (socket,) = _sockets(ben)
    place = ("127.0.0.1", socket.local_candidate.port)
    stranger, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=place)
    good = bytes(Message(message_method=1, message_class=Class.REQUEST))  # type: ignore[arg-type]
    cut = b"\x00\x01\x00\x08" + good[4:] + b"\x00\x24\x00\x02\x00\x00\x00\x00"
    for packet in (b"\x40strange", b"", b"\x00", good, cut, b"\x01\x01" + good[2:], b"\x03" * 99):
        stranger.sendto(packet)
    (mine,) = _sockets(ann)
    mine.transport.sendto(b"\x40last", place)
    assert await asyncio.wait_for(other.got.get(), 20) == b"\x40last"
    assert other.got.empty()
    assert not failed
    stranger.close()


async def test_nobody_there_is_no_direct_way_in_the_time_given(ann: Side, ben: Side) -> None:
    began, answers = await _pair(ann, ben)
    described = answers.description
    await answers.aclose()
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    with pytest.raises(EnvironmentFault) as caught:
        await began.connect(described, BEN, 0.3)
    assert caught.value.code == "no_direct_way"
    assert loop.time() - asked_at < 10
    assert not ann.ways._connections


async def test_a_wrong_password_makes_no_way(ann: Side, ben: Side) -> None:
    began, answers = await _pair(ann, ben)
    mine, theirs = began.description, answers.description
    wrong = IceDescription(theirs.ufrag, "x" * 22, theirs.candidates)
    done = await asyncio.gather(
        began.connect(wrong, BEN, 0.5),
        answers.connect(mine, ANN, 0.5),
        return_exceptions=True,
    )
    assert all(isinstance(each, EnvironmentFault) for each in done)


async def test_candidates_that_are_none_end_the_attempt(ann: Side) -> None:
    way = await ann.ways.gather([], began=True)
    (socket,) = _sockets(ann)
    with pytest.raises(PeerError):
        await way.connect(IceDescription("abcd", "p" * 22, ("nonsense",)), BEN, 5)
    assert socket.transport.is_closing()


async def test_a_stream_that_fails_on_the_way_closes_the_sockets(ann: Side, ben: Side) -> None:
    ann.fault = EnvironmentFault("unreachable", "Nobody answers.")
    began, answers = await _pair(ann, ben)
    sockets = _sockets(ann)
    done = await asyncio.gather(
        began.connect(answers.description, BEN, 5),
        answers.connect(began.description, ANN, 5),
        return_exceptions=True,
    )
    assert isinstance(done[0], EnvironmentFault)
    assert done[0].code == "no_direct_way"
    assert all(socket.transport.is_closing() for socket in sockets)


async def test_given_up_in_the_middle_closes_the_sockets(ann: Side, ben: Side) -> None:
    began, answers = await _pair(ann, ben)
    (socket,) = _sockets(ann)
    described = answers.description
    await answers.aclose()
    trying = asyncio.create_task(began.connect(described, BEN, 5))
    await asyncio.sleep(0)
    trying.cancel()
    await asyncio.wait([trying])
    assert socket.transport.is_closing()
    await began.aclose()


async def test_closing_the_path_closes_its_sockets_and_tells_once(ann: Side, ben: Side) -> None:
    one, _ = await _connect(ann, ben)
    one.read()
    sockets = _sockets(ann)
    one.path.close()
    one.path.close()
    await until(lambda: len(one.ended) == 1)
    assert all(socket.transport.is_closing() for socket in sockets)
    one.path.send(b"\x40late")
    assert one.ended[0].code == "link_closed"


async def test_a_way_that_is_dead_is_told(
    ann: Side, ben: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.02)
    monkeypatch.setattr(aioice.ice, "CONSENT_FAILURES", 1)
    one, other = await _connect(ann, ben)
    one.read()
    other.path.close()
    await until(lambda: len(one.ended) == 1)
    assert not ann.ways._connections


# --- what servers see ----------------------------------------------------------------------------


class StunServer(asyncio.DatagramProtocol):
    """Answers that the asker is at `place`; not at all if it is None."""

    def __init__(self, place: tuple[str, int] | None) -> None:
        self.place = place
        self.asked = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.asked += 1
        if self.place is None:
            return
        asked = parse_message(data)
        answer = Message(asked.message_method, Class.RESPONSE, asked.transaction_id)
        answer.attributes["XOR-MAPPED-ADDRESS"] = self.place
        self.transport.sendto(bytes(answer), addr)


async def _serve(place: tuple[str, int] | None) -> tuple[StunServer, str]:
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: StunServer(place), local_addr=("127.0.0.1", 0)
    )
    return server, f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"


async def test_what_a_server_sees_is_a_candidate(
    ann: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice, "STUN_S", 20.0)
    server, address = await _serve(("198.51.100.9", 7777))
    silent, nobody = await _serve(None)
    way = await ann.ways.gather([nobody, address, "[::1]:1", "no.such.invalid:1"], began=True)
    host, seen = way.description.candidates
    assert host.endswith("typ host")
    assert "198.51.100.9 7777 typ srflx" in seen
    assert silent.asked
    for each in (server, silent):
        each.transport.close()


async def test_without_translation_the_address_is_told_once(ann: Side) -> None:
    server, address = await _serve(None)
    server.place = ("127.0.0.1", 1)
    way = await ann.ways.gather([address], began=True)
    assert len(way.description.candidates) == 2
    await way.aclose()
    server.transport.close()


async def test_servers_that_are_silent_cost_little_time(ann: Side) -> None:
    silent, address = await _serve(None)
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    way = await ann.ways.gather([address], began=True)
    assert loop.time() - asked_at < 10
    assert len(way.description.candidates) == 1
    silent.transport.close()


async def test_without_an_address_there_is_no_way(
    ann: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none() -> list[str]:
        return []

    monkeypatch.setattr(ice, "_own_hosts", none)
    with pytest.raises(EnvironmentFault) as caught:
        await ann.ways.gather([], began=True)
    assert caught.value.code == "no_direct_way"
