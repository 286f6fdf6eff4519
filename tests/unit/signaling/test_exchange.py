"""One node and its Redis, without either: rounds of commands, answers, messages, a clock."""

from __future__ import annotations

import os
from typing import Any

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Came, Enter, Error, Gone, Went, write_relay
from folkmoot_signaling import channel
from folkmoot_signaling.bus import MemoryBus
from folkmoot_signaling.channel import VERSION, write_epoch, write_frame, write_record
from folkmoot_signaling.epochs import Epochs
from folkmoot_signaling.exchange import GRACE_S, SWEEP_S, Exchange, Trouble
from folkmoot_signaling.redis_scripts import SCRIPTS
from unit.signaling.town import Node, Town

TAG = b"t" * 16
FAR = DeviceId(b"f" * 32)
US, THEM = b"0" * 16, b"1" * 16


class Desk:
    """A town whose exchange is asked by hand."""

    def __init__(self) -> None:
        self.town = Town(bus=MemoryBus(1_000))
        town = self.town
        self.exchange = Exchange("p:", Epochs(lambda: 1e9), town.counters, 256, lambda: town.now_s)
        self.exchange.hashes = {name: name for name in SCRIPTS}
        self.exchange.local = town.nodes

    async def ann(self) -> Node:
        ann = await self.town.node()
        await ann.say(Enter((TAG,)))
        self.exchange.begin(US)
        self.round()
        ann.messages()
        return ann

    def round(self, **answers: Any) -> list[tuple[Any, ...]]:
        """Take a round and answer it; answers by the name of a script or command."""
        usual = {"place": b"", "room": [], "SET": b"1", "TIME": (1, 0), "MGET": [b"1"]}
        commands = self.exchange.take()
        for command, handle in commands:
            name = command[1] if command[0] == "EVALSHA" else command[0]
            if name == "PUBSUB":
                answer = answers.get(name, [x for c in command[2:] for x in (c, 1)])
            else:
                answer = answers.get(name, usual.get(name))
            if handle is not None:
                handle(answer)
        return [command for command, _ in commands]

    def beat(self, after_s: float, **answers: Any) -> list[tuple[Any, ...]]:
        self.town.now_s += after_s
        self.exchange.beat_due = True
        return self.round(**answers)

    def hear(self, *records: bytes, node: bytes = THEM) -> None:
        self.exchange.hear(VERSION + node + b"".join(records))


def room(sign: bytes, device: DeviceId, epoch: int) -> bytes:
    return write_record(channel.ROOM, TAG + sign + device + write_epoch(epoch))


async def test_a_beginning_says_everything_that_stands() -> None:
    desk = Desk()
    ann = await desk.town.node()
    await ann.say(Enter((TAG,)))
    desk.exchange.begin(US)
    commands = desk.round()
    assert ann.session is not None
    epoch = write_epoch(ann.session.epoch)
    place = next(command for command in commands if "place" in command)
    assert place[3:] == (b"p:at:" + ann.device, b"p:", US, ann.device, epoch, 180_000)
    room = next(command for command in commands if "room" in command)
    assert room[3:] == (b"p:room:" + TAG, b"p:", US, 180_000, 256, TAG, ann.device, epoch)
    assert not desk.exchange


async def test_who_is_elsewhere_comes_with_the_answer_and_by_messages() -> None:
    desk = Desk()
    ann = await desk.ann()
    desk.exchange.here.repeat()
    desk.round(room=[FAR, THEM + write_epoch(5)])
    assert ann.messages() == [Came(TAG, FAR)]
    other = DeviceId(b"g" * 32)
    desk.hear(room(b"+", other, 6))
    assert ann.messages() == [Came(TAG, other)]
    desk.hear(room(b"-", other, 6))
    assert ann.messages() == []
    desk.beat(1.5)
    assert ann.messages() == [Went(TAG, other)]


async def test_a_room_of_nobody_here_is_not_kept() -> None:
    desk = Desk()
    await desk.ann()
    body = b"o" * 16 + b"+" + FAR + write_epoch(5)
    desk.hear(write_record(channel.ROOM, body))
    assert len(desk.exchange.far) == 0


async def test_frames_come_and_who_is_not_here_is_told_as_gone() -> None:
    desk = Desk()
    ann = await desk.ann()
    frame = write_relay(FAR, b"hello")
    desk.hear(write_frame(ann.device, frame), write_frame(DeviceId(b"x" * 32), frame))
    assert ann.messages() == [frame]
    (command,) = desk.round()
    gone = write_record(channel.GONE, FAR + b"x" * 32)
    assert command == ("PUBLISH", b"p:to:" + THEM, VERSION + US + gone)
    desk.hear(write_record(channel.GONE, ann.device + FAR))
    assert ann.messages() == [Gone(FAR)]


async def test_a_node_is_dead_without_its_key_or_without_a_listener_but_not_at_first() -> None:
    for answers in ({"MGET": [None]}, {"PUBSUB": [b"p:to:" + THEM, 0]}):
        desk = Desk()
        ann = await desk.ann()
        desk.hear(room(b"+", FAR, 5))
        ann.messages()
        assert "MGET" not in [command[0] for command in desk.beat(GRACE_S / 2, **answers)]
        desk.beat(GRACE_S, **answers)
        desk.beat(1.5, **answers)
        assert ann.messages() == [Went(TAG, FAR)]


async def test_who_is_missing_in_a_room_is_not_missed_at_first() -> None:
    desk = Desk()
    ann = await desk.ann()
    desk.hear(room(b"+", FAR, 5))
    ann.messages()
    desk.exchange.here.repeat()
    desk.round(room=[])
    desk.beat(2)
    assert ann.messages() == []
    desk.beat(GRACE_S, room=[])
    desk.beat(2)
    assert ann.messages() == [Went(TAG, FAR)]


async def test_everything_is_said_again_now_and_then() -> None:
    desk = Desk()
    await desk.ann()
    desk.beat(GRACE_S)
    assert not any("room" in command for command in desk.beat(SWEEP_S / 2))
    assert any("room" in command for command in desk.beat(SWEEP_S / 2))


async def test_a_node_that_redis_has_forgotten_begins_again() -> None:
    desk = Desk()
    await desk.ann()
    with pytest.raises(Trouble):
        desk.beat(1, SET=None)


async def test_a_newer_login_elsewhere_ends_the_one_here() -> None:
    desk = Desk()
    ann = await desk.ann()
    assert ann.session is not None
    newer = write_epoch(ann.session.epoch + 1)
    desk.exchange.here.repeat()
    desk.round(place=newer)
    assert [error.code for error in ann.came(Error)] == ["replaced"]
    bob = await desk.ann()
    assert bob.session is not None
    desk.hear(write_record(channel.LOGIN, bob.device + write_epoch(bob.session.epoch - 1)))
    assert bob.messages() == []
    desk.hear(write_record(channel.LOGIN, bob.device + write_epoch(bob.session.epoch + 1)))
    assert [error.code for error in bob.came(Error)] == ["replaced"]


async def test_our_own_beat_is_heard_and_that_of_others_is_not_ours() -> None:
    desk = Desk()
    await desk.ann()
    began_s = desk.exchange.heard_s
    desk.town.now_s += 3
    desk.hear(write_record(channel.BEAT, b""), node=THEM)
    assert desk.exchange.heard_s == began_s
    desk.hear(write_record(channel.BEAT, b""), node=US)
    assert desk.exchange.heard_s == began_s + 3


async def test_a_node_that_says_goodbye_is_gone() -> None:
    desk = Desk()
    ann = await desk.ann()
    desk.hear(room(b"+", FAR, 5))
    assert desk.exchange.last()[1][0][:2] == ("PUBLISH", b"p:to:" + THEM)
    ann.messages()
    desk.hear(write_record(channel.QUIT, b""))
    desk.beat(1.5)
    assert ann.messages() == [Went(TAG, FAR)]


async def test_what_cannot_be_sent_is_thrown_away() -> None:
    desk = Desk()
    await desk.ann()
    desk.hear(room(b"+", FAR, 5))
    for _ in range(10):
        desk.exchange.out.relay(THEM, FAR, write_relay(FAR, os.urandom(100)))
    desk.exchange.lose()
    desk.exchange.beat_due = False
    assert not desk.exchange
    assert desk.exchange.take() == []
