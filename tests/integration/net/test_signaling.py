"""The client of signaling servers against servers that break every rule."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import parse_server, relay_address
from folkmoot.net import signaling_client
from folkmoot.net.signaling_carrier import FrameCarrier
from folkmoot.net.signaling_mail import MAX_MAILS
from folkmoot.protocol import signaling as words
from folkmoot.services.values import ServerPhase
from integration.net.lab import until
from lab.signal_nodes import SignalNode
from lab.wicked_server import LIMITS, Visit, WickedServer

TAG = b"t" * 16
_MOST_IN_THE_SYSTEM = 64 * 1024 * 1024
"""More than the buffers of a connection on loopback take, both ends together."""
MakeNode = Callable[[int], SignalNode]


@pytest.fixture
async def node() -> AsyncIterator[SignalNode]:
    """One node; nothing may stay of it."""
    node = SignalNode(1)
    yield node
    await node.aclose()
    assert not node.clients._supervisor.names


async def stay(visit: Visit) -> None:
    """A good server."""
    await visit.let_in()
    await visit.stay()


async def waiting(node: SignalNode, server: WickedServer) -> tuple[str, str]:
    """(code, words) of the first failure at a server."""
    url = parse_server(server.url)
    node.clients.add(url)
    state = await node.until_phase(url, ServerPhase.WAITING)
    return state.code, state.words


async def test_the_login_is_signed_over_the_address_that_was_dialled(node: SignalNode) -> None:
    async with WickedServer(stay) as server:
        url = await node.connect(server.url)
        login = server.visits[0].login
        assert login is not None
        assert login.origin == server.url == str(url)
        assert login.device == node.device
        assert login.resume == b""
        assert "Origin" not in server.visits[0].request.headers
        assert "Sec-WebSocket-Extensions" not in server.visits[0].request.headers


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00",
        b"\x00\xff\xff\xff",
        b"\x02hello",
        b"\x01short",
        b"\x00" + b"\x91\x03" * 100,
        words.write_control(words.Renew()),
        b"\x00" + bytes(5000),
        b"\x01" + bytes(33 + 16_385),
    ],
)
async def test_garbage_ends_the_connection_and_it_is_tried_again(
    node: SignalNode, garbage: bytes
) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.raw(garbage)
        await visit.stay()

    async with WickedServer(script, stay) as server:
        code, _ = await waiting(node, server)
        assert code == "not_a_server"
        await node.until_phase(parse_server(server.url), ServerPhase.READY)


async def test_text_messages_end_the_connection(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.socket.send_str("hello")
        await visit.stay()

    async with WickedServer(script) as server:
        assert (await waiting(node, server))[0] == "not_a_server"


async def test_a_message_over_the_bound_is_not_even_read(node: SignalNode) -> None:
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.raw(bytes(words.MAX_MESSAGE_BYTES + 1))
        await visit.stay()
        codes.put_nowait(visit.socket.close_code)

    async with WickedServer(script) as server:
        assert (await waiting(node, server))[0] == "not_a_server"
        assert await asyncio.wait_for(codes.get(), 20) == 1009


async def test_a_server_that_says_nothing_is_given_up(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "LOGIN_S", 0.2)

    async def script(visit: Visit) -> None:
        await visit.stay()

    async with WickedServer(script) as server:
        code, text = await waiting(node, server)
        assert code == "unreachable"
        assert "does not answer" in text


@pytest.mark.parametrize("code", ["bad_login", "foreign_origin", "bad_version", "zzz"])
async def test_a_refusal_is_put_in_our_words(node: SignalNode, code: str) -> None:
    async def script(visit: Visit) -> None:
        await visit.say(words.Hello(1, b"s" * 32, b"n" * 32, LIMITS))
        await visit.hear()
        await visit.say(words.Error(code, "<b>words of a stranger</b>", 60_000))
        await visit.stay()

    async with WickedServer(script) as server:
        got, text = await waiting(node, server)
        assert got == "refused"
        assert "stranger" not in text


async def test_another_version_is_said(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.say(words.Hello(2, b"s" * 32, b"n" * 32, LIMITS))
        await visit.stay()

    async with WickedServer(script) as server:
        code, text = await waiting(node, server)
        assert code == "refused"
        assert "another version" in text


async def test_waits_grow_from_a_second_to_a_minute(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.socket.close()

    async with WickedServer(script) as server:
        node.randomness.shortest_s = 0.0
        node.clients.add(parse_server(server.url))
        await server.until_visits(9)
        asked = [longest for shortest, longest in node.randomness.asked if shortest == 1.0]
        assert asked[:8] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


async def test_waking_tries_again_at_once(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.socket.close()

    async with WickedServer(script, stay) as server:
        node.randomness.shortest_s = 60.0
        await waiting(node, server)
        node.clients.wake()
        await node.until_phase(parse_server(server.url), ServerPhase.READY)


async def test_waking_gives_a_dead_connection_up(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "WOKEN_PONG_S", 0.2)
    answered, frozen, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def freeze(visit: Visit) -> None:
        await visit.let_in()
        reading = asyncio.ensure_future(visit.socket.receive())  # answers the first ping
        await answered.wait()
        reading.cancel()
        await asyncio.wait([reading])
        frozen.set()
        await over.wait()

    async with WickedServer(freeze, stay) as server:
        url = await node.connect(server.url)
        await node.until(lambda: node.clients.state(url).rtt_ms is not None)
        answered.set()
        await frozen.wait()
        node.clients.wake()
        await node.until(lambda: node.count("state", url, ServerPhase.WAITING) == 1)
        await node.until_phase(url, ServerPhase.READY)
        over.set()


async def test_the_resume_of_a_minute_is_given(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.socket.close()

    async with WickedServer(script, stay) as server:
        node.clients.add(parse_server(server.url))
        await server.until_visits(2)
        await node.until_phase(parse_server(server.url), ServerPhase.READY)
        login = server.visits[1].login
        assert login is not None
        assert login.resume == b"resume"


async def test_only_rooms_that_were_asked_for_count_and_no_more_than_their_bound(
    node: SignalNode,
) -> None:
    def device(number: int) -> DeviceId:
        return DeviceId(number.to_bytes(32, "big"))

    async def script(visit: Visit) -> None:
        await visit.let_in()
        assert await visit.hear() == words.Enter((TAG,))
        await visit.say(words.Room(b"x" * 16, (device(1),)), words.Came(b"y" * 16, device(2)))
        await visit.say(words.Went(TAG, device(3)))
        await visit.say(words.Room(TAG, tuple(device(n) for n in range(250))))
        for number in range(250, 300):
            await visit.say(words.Came(TAG, device(number)))
        await visit.say(words.Came(TAG, device(1)), words.Error("too_fast", "", 1))
        await visit.say(words.Went(TAG, device(0)))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        await node.until(lambda: node.count("went", url, TAG, device(0)) == 1)
        assert node.count("came") == node.count("came", url, TAG) == 256
        assert node.count("went") == 1


async def test_everybody_is_gone_when_the_connection_is_lost_for_good(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "RESUME_S", 3.0)
    node.randomness.shortest_s = 60.0

    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.hear()
        await visit.say(words.Room(TAG, (DeviceId(b"d" * 32),)))
        await visit.socket.close()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        await node.until(lambda: node.count("came", url, TAG) == 1)
        await node.until_phase(url, ServerPhase.WAITING)
        await asyncio.sleep(0.1)
        assert node.count("went") == 0
        await node.until(lambda: node.count("went", url, TAG, DeviceId(b"d" * 32)) == 1)


async def test_a_room_that_was_refused_is_asked_for_again(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.hear()
        await visit.say(words.Error("too_fast", "", 10))
        assert await visit.hear() == words.Enter((TAG,))
        await visit.say(words.Room(TAG, (DeviceId(b"d" * 32),)))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        await node.until(lambda: node.count("came", url, TAG) == 1)


async def test_mails_are_handed_on_once_and_no_more_than_a_bound_at_once(
    node: SignalNode,
) -> None:
    def id(number: int) -> bytes:
        return number.to_bytes(16, "big")

    async def script(visit: Visit) -> None:
        await visit.let_in()
        for number in range(2 * MAX_MAILS):
            await visit.say(words.Mail(id(number), b"sealed"))
            await visit.say(words.Mail(id(number), b"sealed"))
        await visit.stay()

    async with WickedServer(script, stay) as server:
        url = await node.connect(server.url)
        await node.until(lambda: len(node.mails) == MAX_MAILS)
        await asyncio.sleep(0.3)
        assert len(node.mails) == MAX_MAILS
        node.clients.taken(url, [id for id, _ in node.mails])
        await server.until_visits(2)


async def test_an_envelope_is_put_and_the_answer_told(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        answers = iter([(600, ""), (0, "mail_full"), (0, "no_mailbox"), (0, "zzz")])
        for kept_s, code in answers:
            put = await visit.hear()
            assert isinstance(put, words.Put)
            await visit.say(words.Kept(b"?" * 16, 1), words.Kept(put.id, kept_s, code))
        await visit.stay()

    recipient = DeviceId(b"r" * 32)
    async with WickedServer(script) as server:
        url = await node.connect(server.url)
        assert await node.clients.put(url, recipient, b"grant", b"sealed", 600) == 600
        for code in ("mail_full", "no_mailbox", "mail_refused"):
            with pytest.raises(EnvironmentFault) as refused:
                await node.clients.put(url, recipient, b"grant", b"sealed", 600)
            assert refused.value.code == code


async def test_an_envelope_is_not_put_without_a_connection(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.hear()
        await visit.socket.close()

    async with WickedServer(script) as server:
        url = await node.connect(server.url)
        for _ in range(2):
            with pytest.raises(EnvironmentFault) as refused:
                await node.clients.put(url, DeviceId(b"r" * 32), b"grant", b"sealed", 600)
            assert refused.value.code == "not_connected"
            await node.until_phase(url, ServerPhase.WAITING)


async def test_a_challenge_that_nobody_asked_for_is_not_signed(node: SignalNode) -> None:
    heard: list[object] = []

    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.say(words.Challenge(b"n" * 32))
        try:
            heard.append(await visit.hear())
        except AssertionError:
            heard.append("left")

    async with WickedServer(script) as server:
        assert (await waiting(node, server))[0] == "not_a_server"
        await until(lambda: bool(heard))
        assert heard == ["left"]


async def test_the_login_is_renewed_with_a_new_signature(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "_MIN_TOKEN_S", 0)
    turn = words.Turn(("turn:relay.example:3478", "http://evil"), "name", "secret", 900)

    async def script(visit: Visit) -> None:
        login = await visit.let_in(token_s=0)
        assert await visit.hear() == words.Renew()
        nonce = b"n" * 32
        await visit.say(words.Challenge(nonce))
        proof = await visit.hear()
        assert isinstance(proof, words.Prove)
        signed = words.login_bytes(b"s" * 32, login.origin, nonce)
        assert node.signer.sign(words.LABEL_LOGIN, signed) == proof.signature
        monkeypatch.setattr(signaling_client, "_MIN_TOKEN_S", 900)
        await visit.say(words.Renewed("token", 900, turn))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url)
        await node.until(lambda: node.clients.state(url).turn is not None)
        found = node.clients.state(url).turn
        assert found is not None
        assert found.urls == ("turn:relay.example:3478",)


async def test_a_renewal_that_is_too_fast_is_tried_again(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "_MIN_TOKEN_S", 0)
    monkeypatch.setattr(signaling_client, "_RENEW_AGAIN_S", 0.1)
    turn = words.Turn(("turn:relay.example:3478",), "name", "secret", 900)

    async def script(visit: Visit) -> None:
        await visit.let_in(token_s=0)
        assert await visit.hear() == words.Renew()
        monkeypatch.setattr(signaling_client, "_MIN_TOKEN_S", 900)
        await visit.say(words.Error("too_fast", "Too many requests.", 20))
        assert await visit.hear() == words.Renew()
        await visit.say(words.Challenge(b"n" * 32))
        assert isinstance(await visit.hear(), words.Prove)
        await visit.say(words.Renewed("token", 900, turn))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url)
        await node.until(lambda: node.clients.state(url).turn is not None)


async def test_a_server_that_restarts_is_left_and_found_again_when_it_said(
    node: SignalNode,
) -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def script(visit: Visit) -> None:
        await visit.let_in()
        times.append(loop.time())
        await visit.say(words.Restarting(300))
        await visit.stay()

    async def again(visit: Visit) -> None:
        times.append(loop.time())
        await stay(visit)

    async with WickedServer(script, again) as server:
        node.randomness.shortest_s = 60.0
        url = await node.connect(server.url)
        await server.until_visits(2)
        assert times[1] - times[0] >= 0.3
        await node.until_phase(url, ServerPhase.READY)


async def test_a_server_cannot_make_us_hammer_on_it(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.say(words.Restarting(0))
        await visit.stay()

    async with WickedServer(script) as server:
        node.randomness.shortest_s = 30.0
        node.clients.add(parse_server(server.url))
        await server.until_visits(2)
        await node.until(lambda: node.count("state") >= 6)
        await asyncio.sleep(0.3)
        assert len(server.visits) == 2


async def test_devices_that_come_and_go_too_fast_end_the_connection(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signaling_client, "_CHANGES_PER_S", 0.001)
    monkeypatch.setattr(signaling_client, "_CHANGES_BURST", 100.0)
    device = DeviceId(b"d" * 32)

    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.hear()
        for _ in range(200):
            await visit.say(words.Came(TAG, device), words.Went(TAG, device))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        await node.until_phase(url, ServerPhase.WAITING)
        assert node.count("came") <= 50


async def test_a_restart_may_send_us_on_to_another_node_of_the_same_server(
    node: SignalNode,
) -> None:
    async with WickedServer(stay) as second:

        async def script(visit: Visit) -> None:
            await visit.let_in()
            await visit.say(words.Restarting(0, second.url))
            await visit.stay()

        async with WickedServer(script) as first:
            url = await node.connect(first.url)
            await second.until_visits(1)
            await node.until(lambda: second.visits[0].login is not None)
            await node.until_phase(url, ServerPhase.READY)
            assert second.visits[0].login is not None
            assert second.visits[0].login.origin == second.url


async def test_nobody_is_sent_on_to_another_server(node: SignalNode) -> None:
    async def other(visit: Visit) -> None:
        await visit.say(words.Hello(1, b"o" * 32, b"n" * 32, LIMITS))
        await visit.stay()

    async with WickedServer(other) as second:

        async def script(visit: Visit) -> None:
            await visit.let_in()
            await visit.say(words.Restarting(0, second.url))
            await visit.stay()

        async with WickedServer(script, stay) as first:
            url = await node.connect(first.url)
            await first.until_visits(2)
            assert second.visits[0].login is None
            await node.until_phase(url, ServerPhase.READY)


async def test_frames_of_a_server_that_relays_nothing_are_not_asked_for(
    node: SignalNode,
) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in(limits=words.Limits(100, 1, 1, 0, 0, 0, 0))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        with pytest.raises(EnvironmentFault, match="relays nothing"):
            await node.transport.dial(relay_address(url, DeviceId(b"x" * 32)), 1)


async def fill(carrier: FrameCarrier) -> None:
    """Relay until nothing moves any more.

    A first "busy" may only be a turn in which the system was slow to hand bytes over, or before it
    gave the connection a larger buffer: it takes more soon after.
    """
    sent, still = 0, 0
    while still < 10:
        while not carrier.busy:
            still, sent = 0, sent + 8192
            assert sent < _MOST_IN_THE_SYSTEM, "busy never stayed"
            carrier.relay(DeviceId(b"x" * 32), bytes(8192))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        still += 1


async def test_a_server_that_does_not_read_holds_frames_back_and_costs_a_bound(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nor does it answer pings.
    monkeypatch.setattr(signaling_client, "PONG_S", 120.0)
    reading = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.let_in(limits=words.Limits(16_384, 10**6, 10**9, 64, 256, 0, 0))
        await reading.wait()
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url)
        client = node.clients._servers[url]
        carrier, socket = client._carrier, client._socket
        assert socket is not None
        resumed: list[bool] = []
        carrier._resumed = lambda: resumed.append(True)
        await fill(carrier)
        resumed.clear()
        await asyncio.sleep(0.1)
        transport = socket._connection.transport
        assert carrier.busy
        assert transport.get_write_buffer_size() < 256 * 1024
        assert not resumed
        reading.set()
        async with asyncio.timeout(20):
            while not resumed:  # noqa: ASYNC110  (no event is set)
                await asyncio.sleep(0.01)
        assert not carrier.busy


async def test_a_stream_of_made_up_frames_and_words_harms_nothing(node: SignalNode) -> None:
    chance = random.Random(3)
    await node.listen()

    async def script(visit: Visit) -> None:
        await visit.let_in()
        for number in range(2000):
            device = DeviceId(chance.randbytes(32))
            payload = chance.randbytes(chance.randrange(1, 1500))
            if number % 2:
                payload = b"\xc0\0\0\0\1\x08" + payload.ljust(1300, b"x")
            await visit.raw(b"\x01" + device + b"\0" + payload)
            await visit.say(words.Gone(device), words.Came(chance.randbytes(16), device))
        await visit.say(words.Room(TAG, ()))
        await visit.say(words.Mail(b"m" * 16, b"last"))
        await visit.stay()

    async with WickedServer(script) as server:
        url = await node.connect(server.url, TAG)
        await node.until(lambda: len(node.mails) == 1, 20)
        relay = node.clients._servers[url]._relay
        assert relay.streams == 0
        assert not relay._endpoints
        assert node.clients.state(url).phase is ServerPhase.READY


async def test_one_bad_server_does_not_touch_another(node: SignalNode) -> None:
    async def script(visit: Visit) -> None:
        await visit.let_in()
        await visit.raw(b"\x02")
        await visit.stay()

    async with WickedServer(stay) as good, WickedServer(script) as bad:
        node.randomness.shortest_s = 0.0
        url = await node.connect(good.url)
        node.clients.add(parse_server(bad.url))
        await bad.until_visits(5)
        assert node.clients.state(url).phase is ServerPhase.READY
        assert len(good.visits) == 1


async def test_another_network_is_tried_at_once_though_the_server_of_this_one_asks_to_wait(
    node: SignalNode,
) -> None:
    async def script(visit: Visit) -> None:
        await visit.say(words.Error("too_many_logins", "Later.", 600_000))
        await visit.stay()

    async with WickedServer(script, stay) as server:
        assert (await waiting(node, server))[0] == "refused"
        node.clients.wake()
        await node.until_phase(parse_server(server.url), ServerPhase.READY)


async def test_a_server_that_says_it_is_another_one_pushes_nobody_out(node: SignalNode) -> None:
    async with WickedServer(stay) as server, WickedServer(stay) as copy:
        first = await node.connect(server.url)
        await node.connect(copy.url)
        assert node.clients.state(first).phase is ServerPhase.READY
        await server.visits[0].socket.close()
        await node.until(lambda: node.count("state", first, ServerPhase.READY) >= 3)
