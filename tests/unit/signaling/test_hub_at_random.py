"""Random lives of devices at a hub: whatever happens in whatever order, its books agree."""

from __future__ import annotations

import random

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Came, Enter, Leave, Room, Went
from unit.signaling.town import Node, Town

TAGS = [bytes([n]) * 16 for n in range(4)]
SIGNERS = [Signer(bytes([n]) * 32) for n in range(5)]
FAR = [DeviceId(bytes([n]) * 32) for n in (200, 201)]


class Seen:
    """What one connection believes of its rooms, from what it was told."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.rooms: dict[bytes, set[DeviceId]] = {}

    def read(self) -> None:
        for message in self.node.messages():
            if isinstance(message, Room):
                self.rooms[message.tag] = set(message.devices)
            elif isinstance(message, Came):
                assert message.device not in self.rooms[message.tag], "came twice"
                self.rooms[message.tag].add(message.device)
            elif isinstance(message, Went):
                assert message.device in self.rooms[message.tag], "went and was not there"
                self.rooms[message.tag].discard(message.device)


def check(town: Town, seen: list[Seen]) -> None:
    hub = town.hub
    sessions = list(hub.directory.sessions.values())
    members = {tag: {s.device for s in sessions if tag in s.tags} for tag in TAGS}
    assert hub.rooms.places == sum(len(devices) for devices in members.values())
    near = [session for session in sessions if not session.far]
    place = hub.limits.place("192.0.2.1", town.now_s)
    assert place is not None
    assert place.rooms == sum(len(session.tags) for session in near)
    assert town.counters.sessions == sum(session.connection is not None for session in near)
    assert town.counters.connections == len(hub.connections)
    assert all(session.tags for session in sessions if session.far)
    for one in seen:
        session = one.node.session
        assert session is not None
        one.read()
        for tag in session.tags:
            assert one.rooms[tag] == members[tag] - {session.device}


async def step(town: Town, seen: list[Seen], chance: random.Random) -> None:
    act = chance.randrange(8)
    if act == 0 or not seen:
        signer = chance.choice(SIGNERS)
        old = town.hub.directory.find(DeviceId(signer.public))
        resume = old.resume if old is not None and chance.random() < 0.5 else b""
        before = next((one for one in seen if one.node.signer is signer), None)
        node = await town.node(signer, resume)
        new = Seen(node)
        assert node.session is not None
        if node.first[0].resumed:
            assert old is node.session
        if before is not None:
            before.read()
            seen.remove(before)
            if node.first[0].resumed:
                new.rooms = before.rooms
        if not node.first[0].resumed or before is not None:
            seen.append(new)
        else:
            # What it was told before is lost: it asks again, as a node does.
            await node.say(Enter(tuple(node.session.tags)))
            seen.append(new)
        return
    one = chance.choice(seen)
    tag = chance.choice(TAGS)
    if act in (1, 2):
        await one.node.say(Enter((tag,)))
    elif act == 3:
        await one.node.say(Leave((tag,)))
    elif act == 4:
        one.read()
        one.node.lose()
        seen.remove(one)
    elif act == 5:
        town.nodes.far_came(tag, chance.choice(FAR), chance.randrange(3))
    elif act == 6:
        town.nodes.far_went(tag, chance.choice(FAR), chance.randrange(3))
    else:
        town.now_s += chance.choice((0.1, 70))
        town.hub.tick()
    town.now_s += 0.5


@pytest.mark.parametrize("seed", range(20))
async def test_the_books_of_the_hub_agree_whatever_happens(seed: int) -> None:
    chance = random.Random(seed)
    town = Town()
    seen: list[Seen] = []
    for _ in range(150):
        await step(town, seen, chance)
        check(town, seen)
    for one in seen:
        one.node.lose()
    town.now_s += 100
    town.hub.tick()
    assert not town.hub.directory.sessions
    assert town.hub.rooms.places == len(town.hub.rooms) == 0
