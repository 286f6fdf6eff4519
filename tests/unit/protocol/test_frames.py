"""Frames: bounds, the few that a stranger may send, and nothing but PeerError."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.writers import seed
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.protocol import frames as f
from folkmoot.protocol.codec import pack

VECTORS = [
    (bytes.fromhex(case["bytes"]), bool(case["stranger"]))
    for case in json.loads(
        (Path(__file__).parents[2] / "vectors" / "frames.json").read_text("utf-8")
    )
]
TEAM = ConversationId(seed("team"))
ENTRY = EntryId(seed("entry"))
PERSON = PersonId(seed("person"))


def code(data: bytes, stranger: bool = False) -> str:
    with pytest.raises(PeerError) as caught:
        f.decode(data, stranger)
    assert caught.value.message
    return caught.value.code


@pytest.mark.parametrize(("data", "stranger"), VECTORS)
def test_on_a_stranger_link_only_the_few_frames_are_taken(data: bytes, stranger: bool) -> None:
    f.decode(data, stranger=False)
    if stranger:
        f.decode(data, stranger=True)
    else:
        assert code(data, stranger=True) == "stranger_frame"


def test_a_stranger_may_send_four_kibibytes_and_a_member_a_mebibyte() -> None:
    assert code(bytes(4097), stranger=True) == "too_large"
    assert code(bytes(2**20 + 1)) == "too_large"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x90", b"\x01", b"\xa1a", b"\x91\xcc\x80", b"\x92\xc0\x01", b"\x91\xa1a"],
)
def test_what_is_no_frame_at_all_is_refused(data: bytes) -> None:
    assert code(data) in ("bad_frame", "not_canonical")


@pytest.mark.parametrize("kind", [0, 5, 15, 23, 38, 47, 55, 63, 71, 127])
def test_a_type_that_is_not_known_is_refused(kind: int) -> None:
    assert code(pack([kind, 1])) == "unknown_frame"


@pytest.mark.parametrize(("data", "stranger"), VECTORS)
def test_a_frame_with_a_field_more_or_less_is_refused(data: bytes, stranger: bool) -> None:
    count = data[0] & 0x0F
    assert code(bytes([0x90 | (count + 1)]) + data[1:] + b"\x01", stranger) == "not_canonical"
    assert code(bytes([0x90 | (count - 1)]) + data[1:]) in ("not_canonical", "bad_frame")


@pytest.mark.parametrize(
    "frame",
    [
        f.Hello(1, "0.1\n", "computer", 0, ()),
        f.Hello(1, "0.1", "", 0, ()),
        f.Hello(1, "0.1", "right\u202eleft", 0, ()),
        f.Hello(1, "0.1", "computer", 65536, ()),
        f.Hello(1, "0.1", "computer", 1, ("",)),
        f.Hello(1, "0.1", "computer", 1, ("host:1",) * 9),
        f.Bye("c" * 33, ""),
        f.Digests(((TEAM, seed("d")),) * 1001, False),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 0, (b"h",), bytes(64), (None,)),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (), bytes(64), ()),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (b"h",) * 257, bytes(64), (None,) * 257),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (b"h", b"h"), bytes(64), (None,)),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (b"h",), bytes(63), (None,)),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (b"h",), bytes(64), (bytes(32769),)),
        f.Segment(TEAM, DeviceId(ENTRY), ENTRY, 1, (bytes(257),), bytes(64), (None,)),
        f.Ack(TEAM, ((DeviceId(b"short"), ENTRY, 1, ENTRY),)),
        f.Want(TEAM, (ENTRY,) * 257),
        f.Presence("online", "x" * 141, 0),
        f.Presence("online", "", 2**63),
        f.Presence("online", "a\x07b", 0),
        f.Addresses(((DeviceId(ENTRY), ()),) * 65),
        f.Teams((f.TeamRow(TEAM, " ", 1, True),)),
        f.Teams((f.TeamRow(TEAM, "Crew", 1, True),) * 17),
        f.Ask(TEAM, "Carl", "x" * 201, seed("n1")),
        f.Ask(TEAM, "Ca\0rl", "", seed("n1")),
        f.Join(TEAM, ENTRY, "x" * 81, bytes(64)),
        f.CallState(ENTRY, TEAM, 1, "joined", 256, 0, PERSON, ()),
        f.CallState(ENTRY, TEAM, 1, "jo\nined", 0, 0, PERSON, ()),
        f.CallState(ENTRY, TEAM, 1, "joined", 0, 0, PERSON, (PERSON,) * 65),
        f.CallState(ENTRY, TEAM, 2**63, "joined", 0, 0, PERSON, ()),
        f.CallOffer(ENTRY, 0, "v=0\r\n"),
        f.CallOffer(ENTRY, 2**31, "v=0\r\n"),
        f.CallOffer(ENTRY, 1, ""),
        f.CallOffer(ENTRY, 1, "v" * 24_577),
        f.CallOffer(ENTRY, 1, "v=0\n"),
        f.CallOffer(ENTRY, 1, "v=é\r\n"),
        f.CallAnswer(ENTRY, 1, "v=0\0\r\n"),
        f.CallAnswer(b"short", 1, "v=0\r\n"),
        f.CallAgain(ENTRY, 2**31),
        f.CallAct(ENTRY, "x" * 33, PERSON),
        f.CallAct(ENTRY, "mute", PersonId(b"")),
        f.CallReact(ENTRY, ""),
        f.CallReact(ENTRY, "a b"),
        f.CallReact(ENTRY, "é" * 17),
    ],
)
def test_a_frame_out_of_its_bounds_is_refused(frame: f.Frame) -> None:
    assert code(f.encode(frame)) in ("bad_frame", "not_canonical")


@given(st.sampled_from(VECTORS), st.data())
def test_a_frame_with_a_bit_changed_is_refused_or_says_what_its_bytes_say(
    case: tuple[bytes, bool], data: st.DataObject
) -> None:
    changed = bytearray(case[0])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        frame = f.decode(bytes(changed), stranger=False)
    except PeerError:
        return
    assert f.encode(frame) == changed


@given(st.binary(max_size=300), st.booleans(), st.integers(0, 70))
def test_random_bytes_raise_nothing_but_a_peer_error(
    garbage: bytes, stranger: bool, kind: int
) -> None:
    for data in (garbage, bytes([0x93, kind]) + garbage):
        try:
            frame = f.decode(data, stranger)
        except PeerError:
            continue
        assert f.encode(frame) == data


@pytest.mark.parametrize("kind", [1, 17, 18, 19, 20, 21, 22, 34, 49, 64, 65, 66, 69])
def test_a_claim_of_huge_things_costs_nothing(kind: int) -> None:
    for claim in (b"\xdd\x0f\xff\xff\xff", b"\xc6\x7f\xff\xff\xff", b"\xdc\xff\xff"):
        for before in range(6):
            fields = (b"\xc4\x20" + bytes(32)) * before
            tracemalloc.start()
            with pytest.raises(PeerError):
                f.decode(bytes([0x98, kind]) + fields + claim, stranger=False)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 100_000
