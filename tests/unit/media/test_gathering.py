"""Which relay a connection gets, in which order servers are tried, and what is told of it."""

from __future__ import annotations

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any

import aioice.ice
import pytest
from aioice.stun import Class, Message, Method, TransactionFailed, TransactionTimeout

from folkmoot.media import gathering
from folkmoot.media.gathering import Ways
from folkmoot.services.media_port import IceServer, TurnTried

UDP = IceServer("turn:turn.example.org:3478?transport=udp", "ada", "secret")
TCP = IceServer("turn:turn.example.org:3478?transport=tcp", "ada", "secret")
TLS = IceServer("turns:turn.example.org", "ada", "secret")
NEVER_S = 1_000.0


class Turn:
    """Stands for TURN servers: what each does when it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool, float]] = []
        self.does: dict[tuple[str, bool], Any] = {}
        self.closed = 0
        self.late = False
        """Who is cancelled has a relay already."""

    async def relayed_candidate(self, **given: Any) -> tuple[Any, Any]:
        """As aioice has it."""
        key = given["turn_transport"], given["turn_ssl"]
        assert given["turn_username"] == "ada"
        self.asked.append((*key, asyncio.get_running_loop().time()))
        what = self.does.get(key, 0.0)
        if isinstance(what, BaseException):
            raise what
        try:
            await asyncio.sleep(what)
        except asyncio.CancelledError:
            if not self.late:
                raise
        return f"{key[0]} relay", self

    async def close(self) -> None:
        """Give the relay back."""
        self.closed += 1

    @property
    def kinds(self) -> list[str]:
        """What was asked, in order."""
        return ["tls" if tls else transport for transport, tls, _ in self.asked]


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> Turn:
    made = Turn()
    monkeypatch.setattr(gathering, "relayed_candidate", made.relayed_candidate)
    monkeypatch.setattr(gathering, "NEXT_S", 0.05)
    # A machine that stands still must not end what is to succeed.
    for name in ("RELAY_S", "RELAY_AGAIN_S", "STUN_S"):
        monkeypatch.setattr(gathering, name, NEVER_S)
    return made


async def _gather(ways: Ways, sockets: list[Any] | None = None) -> tuple[list[Any], list[Any]]:
    connection: Any = SimpleNamespace(_protocols=list(sockets or []))
    found = await ways.gather(connection)
    return found, connection._protocols


def _refusal(code: int) -> TransactionFailed:
    answer = Message(Method.ALLOCATE, Class.ERROR, attributes={"ERROR-CODE": (code, "no")})
    return TransactionFailed(answer)


async def test_without_servers_nobody_is_asked(turn: Turn) -> None:
    told: list[TurnTried] = []
    assert await _gather(Ways((), told.append)) == ([], [])
    assert not turn.asked
    assert not told


async def test_udp_is_taken_when_it_answers_whatever_the_order(turn: Turn) -> None:
    told: list[TurnTried] = []
    found, sockets = await _gather(Ways((TLS, TCP, UDP), told.append))
    assert found == ["udp relay"]
    assert sockets == [turn]
    assert turn.kinds == ["udp"]
    assert told == [TurnTried("ok", UDP.url)]
    assert not turn.closed


async def test_tcp_is_tried_beside_udp_that_is_silent_and_then_tls(turn: Turn) -> None:
    turn.does = {("udp", False): 60, ("tcp", False): 60}
    told: list[TurnTried] = []
    ways = Ways((UDP, TCP, TLS), told.append)
    found, _ = await _gather(ways)
    assert found == ["tcp relay"]
    assert turn.kinds == ["udp", "tcp", "tls"]
    assert told == [TurnTried("ok", TLS.url)]


async def test_what_worked_is_tried_first_the_next_time(turn: Turn) -> None:
    turn.does = {("udp", False): 60}
    ways = Ways((UDP, TCP))
    await _gather(ways)
    turn.asked.clear()
    await _gather(ways)
    assert turn.kinds == ["tcp"]


async def test_a_relay_that_comes_too_late_is_given_back(turn: Turn) -> None:
    turn.does, turn.late = {("udp", False): 60}, True
    _, sockets = await _gather(Ways((UDP, TCP)))
    assert sockets == [turn]
    assert turn.closed == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (_refusal(401), "refused"),
        (_refusal(438), "refused"),
        (_refusal(486), "full"),
        (_refusal(508), "full"),
        (ssl.SSLCertVerificationError(), "certificate"),
        (ConnectionRefusedError(), "no_answer"),
        (TransactionTimeout(), "no_answer"),
        (TimeoutError(), "no_answer"),
    ],
)
async def test_why_there_is_no_relay_is_told(turn: Turn, error: Exception, code: str) -> None:
    turn.does = {("udp", False): error}
    told: list[TurnTried] = []
    assert await _gather(Ways((UDP,), told.append)) == ([], [])
    assert told == [TurnTried(code, UDP.url)]


async def test_of_several_reasons_that_is_told_from_which_most_is_learned(turn: Turn) -> None:
    turn.does = {("udp", False): ConnectionRefusedError(), ("tcp", False): _refusal(401)}
    told: list[TurnTried] = []
    await _gather(Ways((UDP, TCP), told.append))
    assert [each.code for each in told] == ["refused"]


async def test_servers_that_are_silent_cost_a_bounded_time_and_less_the_next_time(
    turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn.does = {("udp", False): NEVER_S, ("tcp", False): NEVER_S}
    ways = Ways((UDP, TCP))
    # Each time the other bound would never end it.
    for bound in ("RELAY_S", "RELAY_AGAIN_S"):
        with monkeypatch.context() as only:
            only.setattr(gathering, bound, 0.1)
            async with asyncio.timeout(20):
                assert await _gather(ways) == ([], [])
    turn.does = {}
    assert (await _gather(ways))[0] == ["udp relay"]


async def test_given_up_in_the_middle_nothing_runs_on(
    turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_socket: Any, _place: tuple[str, int]) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(gathering, "server_reflexive_candidate", ask)
    turn.does = {("udp", False): 60}
    socket = SimpleNamespace(local_candidate=SimpleNamespace(host="192.0.2.1"))
    ways = Ways((UDP, IceServer("stun:127.0.0.1:9")))
    trying = asyncio.create_task(_gather(ways, [socket]))
    await asyncio.sleep(0.05)
    trying.cancel()
    await asyncio.wait([trying])
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_with_a_relay_stun_servers_that_are_silent_are_not_waited_for(
    turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_socket: Any, _place: tuple[str, int]) -> None:
        await asyncio.sleep(NEVER_S)

    monkeypatch.setattr(gathering, "server_reflexive_candidate", ask)
    monkeypatch.setattr(gathering, "STUN_LATE_S", 0.05)
    socket = SimpleNamespace(local_candidate=SimpleNamespace(host="192.0.2.1"))
    async with asyncio.timeout(20):
        found, _ = await _gather(Ways((UDP, IceServer("stun:127.0.0.1:9"))), [socket])
    assert found == ["udp relay"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_every_stun_server_is_asked_and_one_answer_is_enough(
    turn: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def ask(socket: Any, place: tuple[str, int]) -> tuple[Any, None]:
        asked.append(place)
        if place[1] != 3478:
            await asyncio.sleep(60)
        return SimpleNamespace(host="198.51.100.7", port=5), None

    monkeypatch.setattr(gathering, "server_reflexive_candidate", ask)
    monkeypatch.setattr(gathering, "STUN_LATE_S", 0.01)
    socket = SimpleNamespace(local_candidate=SimpleNamespace(host="192.0.2.1"))
    six = SimpleNamespace(local_candidate=SimpleNamespace(host="2001:db8::1"))
    servers = tuple(IceServer(url) for url in ("stun:127.0.0.1", "stun:127.0.0.1:5", "stun:x y"))
    found, _ = await _gather(Ways(servers), [socket, six])
    assert [each.port for each in found] == [5]
    assert sorted(asked) == [("127.0.0.1", 5), ("127.0.0.1", 3478)]


async def test_a_real_connection_gathers_with_them(turn: Turn) -> None:
    from folkmoot.media import private

    connection = aioice.ice.Connection(ice_controlling=True)
    transport: Any = SimpleNamespace(
        transport=SimpleNamespace(iceGatherer=SimpleNamespace(_connection=connection))
    )
    asked: list[object] = []

    async def more(which: object) -> list[Any]:
        asked.append(which)
        return []

    private.gather_more(transport, more)
    await connection.gather_candidates()
    assert asked == [connection]
    await connection.close()
