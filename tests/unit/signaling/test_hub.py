"""The hub with a clock of the test: sessions, rooms, what time ends, and what is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import signaling as words
from folkmoot.protocol.signaling import Came, Enter, Error, Leave, Room, Went
from folkmoot_signaling.bus import MemoryBus
from folkmoot_signaling.connection import MAX_WAITING_BYTES, RELAY_WAITING_BYTES
from folkmoot_signaling.settings import Bounds, Rate, Settings
from unit.signaling.town import ORIGIN, Node, Town

TAG, OTHER = b"t" * 16, b"o" * 16


async def test_a_lost_device_is_in_its_rooms_for_a_minute_and_then_went() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((TAG,)))
    ann.messages()
    bob.lose()
    town.now_s += 60
    town.hub.tick()
    assert ann.messages() == []
    town.now_s += 1
    town.hub.tick()
    assert ann.messages() == [Went(TAG, bob.device)]


async def test_what_is_sent_to_a_lost_device_is_gone() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((TAG,)))
    bob.lose()
    ann.messages()
    ann.relay(bob.device, b"?")
    assert ann.messages() == [words.Gone(bob.device)]


async def test_when_all_are_gone_nothing_of_them_is_left() -> None:
    town = Town()
    nodes = [await town.node() for _ in range(5)]
    for node in nodes:
        await node.say(Enter((TAG, OTHER)))
    place = nodes[0].connection.place
    assert (place.rooms, town.hub.rooms.places, len(town.hub.rooms)) == (10, 10, 2)
    await nodes[0].say(Leave((TAG, OTHER)))
    for node in nodes:
        node.lose()
    town.now_s += 61
    town.hub.tick()
    hub = town.hub
    assert (place.rooms, hub.rooms.places, len(hub.rooms)) == (0, 0, 0)
    assert not hub.directory.sessions
    assert not hub.connections
    assert (hub.strangers, town.counters.sessions, town.counters.connections) == (0, 0, 0)


async def test_counts_of_sessions_hold_through_replacing_and_resuming() -> None:
    town = Town()
    ann = await town.node()
    again = await town.node(ann.signer)
    assert town.counters.sessions == 1
    ann.lose()
    assert town.counters.sessions == 1
    again.lose()
    assert town.counters.sessions == 0
    assert again.session is not None
    back = await town.node(ann.signer, again.session.resume)
    assert town.counters.sessions == 1
    assert (town.counters.logins, town.counters.replaced, town.counters.resumed) == (3, 1, 1)
    back.lose()
    assert town.counters.sessions == 0


async def test_the_rooms_of_a_resumed_device_count_for_its_new_address() -> None:
    town = Town()
    ann = await town.node()
    await ann.say(Enter((TAG,)))
    ann.lose()
    assert ann.session is not None
    old = ann.connection.place
    back = Node(town, ann.signer)
    new = town.hub.limits.place("192.0.2.2", town.now_s)
    assert new is not None
    back.connection.place = new
    await back.login(ann.session.resume)
    assert (old.rooms, new.rooms) == (0, 1)
    await back.say(Leave((TAG,)))
    assert (old.rooms, new.rooms) == (0, 0)


class OldEpochs(MemoryBus):
    """Another login of the same device overtakes this one on its way."""

    async def claim(self, device: DeviceId) -> int:
        return -await super().claim(device)


async def test_a_login_that_was_overtaken_is_the_older_one() -> None:
    town = Town(bus=OldEpochs())
    first = await town.node()
    second = Node(town, first.signer)
    signed = words.login_bytes(second.hello.server, ORIGIN, second.hello.nonce)
    signature = first.signer.sign(words.LABEL_LOGIN, signed)
    login = words.Login(1, first.device, ORIGIN, signature)
    assert await town.hub.login(second.connection, login) is None
    assert [error.code for error in second.came(Error)] == ["replaced"]
    assert not first.connection.closing


async def test_the_budget_of_a_device_is_not_renewed_by_logging_in_again() -> None:
    settings = Settings(bounds=replace(Bounds(), key_frames=Rate(0.1, 5)))
    town = Town(settings)
    ann = await town.node()
    await ann.say(Enter((TAG,)))
    assert [ann.relay(ann.device, b"x") > 0 for _ in range(6)] == [False] * 5 + [True]
    again = await town.node(ann.signer)
    assert again.relay(ann.device, b"x") > 0


async def test_each_tag_of_an_enter_weighs() -> None:
    town = Town(Settings(bounds=replace(Bounds(), key_control=Rate(1, 10))))
    ann = await town.node()
    assert await ann.say(Enter(tuple(bytes([n]) * 16 for n in range(8)))) == 0
    assert await ann.say(Enter((TAG, OTHER, b"x" * 16))) == 1
    town.now_s += 1
    assert await ann.say(Enter((TAG, OTHER, b"x" * 16))) == 0
    kinds = [type(message) for message in ann.messages()]
    assert kinds == [Room] * 8 + [Error] + [Room] * 3


async def test_a_silent_connection_is_pinged_and_then_cut() -> None:
    town = Town()
    ann = await town.node()
    for _ in range(2):
        town.now_s += 20
        town.hub.tick()
    assert ann.transport.written.endswith(b"\x89\x00")
    ann.connection.heard = True
    for _ in range(3):
        town.now_s += 20
        town.hub.tick()
        assert not ann.transport.aborted
    town.now_s += 20
    town.hub.tick()
    assert ann.transport.aborted
    assert town.counters.silent == 1


async def test_a_token_that_is_over_for_a_minute_ends_the_connection() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    town.now_s += 900
    await bob.say(words.Renew())
    (challenge,) = bob.came(words.Challenge)
    signed = words.login_bytes(bob.hello.server, ORIGIN, challenge.nonce)
    await bob.say(words.Prove(bob.signer.sign(words.LABEL_LOGIN, signed)))
    town.now_s += 59
    town.hub.tick()
    assert not ann.connection.closing
    town.now_s += 2
    town.hub.tick()
    assert ann.connection.closing
    assert not bob.connection.closing
    assert town.counters.expired == 1


async def test_a_receiver_with_much_waiting_gets_no_frames_and_then_is_ended() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((TAG,)))
    bob.messages()
    bob.transport.stuck = RELAY_WAITING_BYTES
    ann.relay(bob.device, b"just fits")
    assert len(bob.messages()) == 1
    bob.transport.stuck += 1
    ann.relay(bob.device, b"too much")
    assert bob.messages() == []
    assert town.counters.frames_slow == 1
    town.now_s += 4.9
    town.hub.tick()
    assert not bob.connection.closing
    town.now_s += 0.2
    town.hub.tick()
    assert bob.connection.closing
    assert [error.code for error in bob.came(Error)] == ["too_slow"]
    assert town.counters.too_slow == 1


async def test_a_receiver_that_took_something_is_let_be() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((TAG,)))
    for _ in range(10):
        bob.transport.stuck = RELAY_WAITING_BYTES + 1000
        ann.relay(bob.device, b"too much")
        town.now_s += 3
        bob.transport.stuck -= 10
        town.hub.tick()
    assert not bob.connection.closing


async def test_control_messages_have_room_above_the_frames_and_end_at_the_bound() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await bob.say(Enter((TAG,)))
    bob.messages()
    bob.transport.stuck = MAX_WAITING_BYTES - 100
    await ann.say(Enter((TAG,)))
    assert bob.messages() == [Came(TAG, ann.device)]
    bob.transport.stuck = MAX_WAITING_BYTES
    await ann.say(Leave((TAG,)))
    assert bob.connection.closing
    assert town.counters.too_slow == 1


async def test_a_prove_without_a_challenge_is_a_bad_login() -> None:
    town = Town()
    ann = await town.node()
    with pytest.raises(PeerError) as refused:
        await ann.say(words.Prove(bytes(64)))
    assert refused.value.code == "bad_login"
