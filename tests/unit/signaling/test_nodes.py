"""Devices of other nodes, as a bus brings them."""

from __future__ import annotations

import os

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import Came, Enter, Error, Gone, Leave, Room, Went, write_relay
from folkmoot_signaling.bus import MemoryBus
from unit.signaling.town import Town

TAG, OTHER = b"t" * 16, b"o" * 16
FAR = DeviceId(b"f" * 32)


class Listening(MemoryBus):
    """Keeps what this node says; knows where `FAR` is."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[object, ...]] = []

    def announce(self, device: DeviceId, epoch: int) -> None:
        self.said.append(("announce", device))

    def withdraw(self, device: DeviceId, epoch: int) -> None:
        self.said.append(("withdraw", device))

    def enter(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        self.said.append(("enter", tag, device))

    def leave(self, tag: bytes, device: DeviceId, epoch: int) -> None:
        self.said.append(("leave", tag, device))

    def relay(self, destination: DeviceId, frame: bytes) -> bool:
        self.said.append(("relay", destination, frame))
        return destination == FAR


async def test_a_far_device_comes_and_goes_like_a_near_one() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    ann.messages()
    town.nodes.far_came(TAG, FAR, 7)
    town.nodes.far_came(TAG, FAR, 7)
    assert ann.messages() == [Came(TAG, FAR)]
    await bob.say(Enter((TAG,)))
    (room,) = bob.came(Room)
    assert set(room.devices) == {ann.device, FAR}
    ann.messages()
    town.nodes.far_went(TAG, FAR, 7)
    assert ann.messages() == [Went(TAG, FAR)]
    assert FAR not in town.hub.directory.sessions


async def test_a_far_device_in_rooms_of_nobody_here_is_not_kept() -> None:
    town = Town()
    ann = await town.node()
    town.nodes.far_came(TAG, FAR, 7)
    assert FAR not in town.hub.directory.sessions
    await ann.say(Enter((TAG,)))
    town.nodes.far_came(TAG, FAR, 7)
    town.nodes.far_came(OTHER, FAR, 7)
    await ann.say(Leave((TAG,)))
    assert FAR not in town.hub.directory.sessions
    assert town.hub.rooms.places == 0


async def test_frames_go_to_the_node_of_a_far_device_and_come_from_it() -> None:
    bus = Listening()
    town = Town(bus=bus)
    ann = await town.node()
    await ann.say(Enter((TAG,)))
    town.nodes.far_came(TAG, FAR, 7)
    ann.messages()
    ann.relay(FAR, b"hello")
    assert bus.said[-1] == ("relay", FAR, write_relay(ann.device, b"hello"))
    frame = write_relay(FAR, b"hello back")
    assert town.nodes.far_frame(ann.device, frame)
    assert ann.messages() == [frame]
    assert not town.nodes.far_frame(FAR, frame)
    town.nodes.far_gone(ann.device, FAR)
    assert ann.messages() == [Gone(FAR)]


async def test_without_a_common_tag_nothing_goes_to_another_node() -> None:
    bus = Listening()
    town = Town(bus=bus)
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((OTHER,)))
    town.nodes.far_came(TAG, FAR, 7)
    bob.messages()
    bob.relay(FAR, b"unasked")
    assert bob.messages() == [Gone(FAR)]
    assert "relay" not in [said[0] for said in bus.said]


async def test_a_login_at_another_node_ends_the_connection_here() -> None:
    town = Town()
    ann, bob = await town.node(), await town.node()
    await ann.say(Enter((TAG,)))
    await bob.say(Enter((TAG,)))
    ann.messages()
    assert bob.session is not None
    town.nodes.far_login(bob.device, bob.session.epoch - 1)
    assert not bob.connection.closing
    town.nodes.far_login(bob.device, bob.session.epoch + 1)
    assert [error.code for error in bob.came(Error)] == ["replaced"]
    town.nodes.far_came(TAG, bob.device, bob.session.epoch + 1)
    assert ann.messages() == [Went(TAG, bob.device), Came(TAG, bob.device)]


async def test_a_login_here_ends_the_far_session_and_what_comes_late_changes_nothing() -> None:
    town = Town()
    ann = await town.node()
    await ann.say(Enter((TAG,)))
    signer = Signer(os.urandom(32))
    device = DeviceId(signer.public)
    town.nodes.far_came(TAG, device, 1)
    bob = await town.node(signer)
    await bob.say(Enter((TAG,)))
    town.nodes.far_went(TAG, device, 1)
    town.nodes.far_came(TAG, device, 1)
    assert ann.messages()[-2:] == [Went(TAG, device), Came(TAG, device)]
    assert town.hub.directory.sessions[device] is bob.session
    assert bob.session is not None
    assert bob.session.tags == {TAG}


async def test_what_happens_here_is_said_to_the_others_once() -> None:
    bus = Listening()
    town = Town(bus=bus)
    ann = await town.node()
    await ann.say(Enter((TAG,)))
    await ann.say(Enter((TAG,)))
    assert ann.session is not None
    assert town.nodes.standing() == [(ann.device, ann.session.epoch, (TAG,))]
    ann.lose()
    town.now_s += 61
    town.hub.tick()
    assert bus.said == [
        ("announce", ann.device),
        ("enter", TAG, ann.device),
        ("leave", TAG, ann.device),
        ("withdraw", ann.device),
    ]
