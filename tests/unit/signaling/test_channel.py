"""Messages between nodes: what is written is read, and what is none is refused whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import write_relay
from folkmoot_signaling.channel import (
    GONE,
    LOGIN,
    ROOM,
    VERSION,
    read_epoch,
    read_login,
    read_message,
    read_room,
    write_epoch,
    write_frame,
    write_record,
)

NODE = b"0123456789abcdef"
HEAD = VERSION + NODE
ANN, BOB = DeviceId(b"a" * 32), DeviceId(b"b" * 32)
FRAME = write_relay(ANN, b"hello")


def test_a_message_holds_frames_and_records_in_order() -> None:
    login = ANN + write_epoch(7)
    data = HEAD + write_frame(BOB, FRAME) + write_record(LOGIN, login) + write_frame(ANN, FRAME)
    heard = read_message(data)
    assert heard.node == NODE
    assert heard.frames == [(BOB, FRAME), (ANN, FRAME)]
    assert heard.records == [(LOGIN, login)]
    assert read_login(login) == (ANN, 7)


def test_a_room_says_who_came_and_who_went() -> None:
    body = b"t" * 16 + b"+" + ANN + write_epoch(5) + b"-" + BOB + write_epoch(6)
    part = read_room(body)
    assert part.tag == b"t" * 16
    assert part.changes == [(True, ANN, 5), (False, BOB, 6)]


def test_epochs_have_sixteen_digits_and_keep_their_order() -> None:
    epochs = [0, 1, 999, 1_700_000_000_000_000]
    written = [write_epoch(epoch) for epoch in epochs]
    assert written == sorted(written)
    assert [read_epoch(one) for one in written] == epochs


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:-1],
        b"\x02" + NODE,
        HEAD + b"F",
        HEAD + b"F\x00\x00\x00\x02a",
        HEAD + write_record(b"F", b"x" * 65),
        HEAD + write_record(b"F", ANN + b"\x00" + FRAME[1:]),
        HEAD + write_record(b"F", ANN + FRAME[:34]),
        HEAD + write_record(b"F", ANN + write_relay(ANN, b"x" * 16_384) + b"x"),
        HEAD + write_record(LOGIN, b"short"),
        HEAD + write_record(GONE, ANN),
        HEAD + b"R\xff\xff\xff\xff",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_message(data)


@pytest.mark.parametrize(
    "body",
    [b"short", b"t" * 17, b"t" * 16 + b"?" + ANN + write_epoch(5), b"t" * 16 + b"+" + ANN * 2],
)
def test_what_is_no_room_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_room(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for message in (data, HEAD + data, HEAD + write_record(ROOM, data)):
        try:
            for kind, body in read_message(message).records:
                if kind == ROOM:
                    read_room(body)
        except ValueError:
            pass
