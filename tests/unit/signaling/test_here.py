"""What a node has to say: as it is now, once, and bounded."""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import write_relay
from folkmoot_signaling.channel import write_frame
from folkmoot_signaling.here import MAX_FRAME_BYTES, MAX_WAITING, Here, Outbox

TAG = b"t" * 16
ANN, BOB = DeviceId(b"a" * 32), DeviceId(b"b" * 32)
NODE = b"1" * 16


def test_what_changed_several_times_is_said_once_as_it_is_now() -> None:
    here = Here()
    here.announce(ANN, 5)
    here.announce(BOB, 6)
    here.enter(TAG, ANN)
    here.enter(TAG, BOB)
    here.leave(TAG, ANN)
    assert here.take_rooms() == [TAG]
    assert here.members(TAG) == [(BOB, 6)]
    assert here.take_placed() == [(ANN, 5), (BOB, 6)]
    assert not here
    here.repeat()
    assert here.take_rooms() == [TAG]
    assert len(here.take_placed()) == 2


def test_a_new_epoch_is_said_in_all_rooms() -> None:
    here = Here()
    here.announce(ANN, 5)
    here.enter(TAG, ANN)
    here.take_placed(), here.take_rooms()
    here.announce(ANN, 9)
    assert here.take_rooms() == [TAG]
    assert here.members(TAG) == [(ANN, 9)]


def test_who_is_gone_is_withdrawn_with_the_epoch_it_had() -> None:
    here = Here()
    here.announce(ANN, 5)
    here.enter(TAG, ANN)
    here.withdraw(ANN, 4)
    assert here.has(TAG)
    here.withdraw(ANN, 5)
    assert not here.has(TAG)
    assert here.take_gone() == [(ANN, 5)]
    assert here.take_placed() == []
    here.announce(ANN, 6)
    assert here.take_gone() == []


def test_the_last_of_a_room_is_known() -> None:
    here = Here()
    here.enter(TAG, ANN)
    here.enter(TAG, BOB)
    assert not here.leave(TAG, ANN)
    assert not here.leave(TAG, ANN)
    assert here.leave(TAG, BOB)


def test_a_round_takes_so_many_and_leaves_the_rest() -> None:
    here = Here()
    for number in range(1000):
        device = DeviceId(number.to_bytes(32, "big"))
        here.announce(device, number + 1)
        here.enter(number.to_bytes(16, "big"), device)
    assert 0 < len(here.take_placed()) < 1000
    assert 0 < len(here.take_rooms()) < 1000
    rounds = 0
    while here:
        here.take_placed(), here.take_rooms()
        rounds += 1
    assert 1 < rounds < 20


def test_frames_for_a_node_leave_together_in_order() -> None:
    out = Outbox()
    frames = [write_relay(ANN, b"%d" % number) for number in range(3)]
    assert all(out.relay(NODE, BOB, frame) for frame in frames)
    out.say(b"2" * 16, b"word")
    taken = out.take()
    assert taken == {NODE: [write_frame(BOB, frame) for frame in frames], b"2" * 16: [b"word"]}
    assert not out
    assert out.waiting_bytes == 0


def test_what_waits_is_bounded() -> None:
    out = Outbox()
    frame = write_relay(ANN, b"x" * 16_000)
    taken = sum(out.relay(NODE, BOB, frame) for _ in range(1000))
    assert 1 < taken < MAX_FRAME_BYTES // 16_000 + 1
    assert out.waiting_bytes < MAX_FRAME_BYTES + 20_000
    for number in range(MAX_WAITING + 10):
        out.say(NODE, b"word")
        out.mail(DeviceId(number.to_bytes(32, "big")))
    assert len(out.take()[NODE]) == taken + MAX_WAITING
    mailed = 0
    while found := out.take_mail():
        mailed += len(found)
    assert mailed == MAX_WAITING
    assert out.relay(NODE, BOB, frame)
