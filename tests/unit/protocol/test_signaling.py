"""The words between a node and a signaling server: as ever, within their bounds, in one form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.describing import describe
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import signaling as s
from folkmoot.protocol.keys import Signer, verify

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "signaling.json").read_text(encoding="utf-8")
)
DEVICE = DeviceId(b"d" * 32)
TAG = b"t" * 16


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def code_of(data: bytes, *, from_server: bool) -> str:
    with pytest.raises(PeerError) as refused:
        s.read_control(data, from_server=from_server)
    return refused.value.code


def packed(*fields: object) -> bytes:
    return b"\x00" + msgspec.msgpack.encode(fields)


@pytest.mark.parametrize("case", VECTORS["messages"], ids=lambda case: case["name"])
def test_a_message_is_read_and_written_as_ever(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    message = s.read_control(data, from_server=case["from_server"])
    assert type(message).__name__ == case["name"]
    assert describe(message) == case["fields"]
    assert s.write_control(message) == data


@pytest.mark.parametrize("case", VECTORS["messages"], ids=lambda case: case["name"])
def test_a_message_of_the_other_direction_is_refused(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    assert code_of(data, from_server=not case["from_server"]) == "bad_message"


@pytest.mark.parametrize("case", VECTORS["messages"], ids=lambda case: case["name"])
def test_a_message_that_is_cut_or_goes_on_is_refused(case: dict[str, Any]) -> None:
    data = raw(case["bytes"])
    for wrong in (*(data[:n] for n in range(1, len(data))), data + b"\x00"):
        code = code_of(wrong, from_server=case["from_server"])
        assert code in ("not_canonical", "bad_message")


def test_every_kind_has_a_vector() -> None:
    kinds = {raw(case["bytes"])[2] for case in VECTORS["messages"]}
    assert kinds == {*range(1, 13), *range(33, 40)}


def test_a_relayed_frame_is_cut_as_ever() -> None:
    case = VECTORS["relay"]
    device, payload = DeviceId(raw(case["device"])), raw(case["payload"])
    assert s.write_relay(device, payload, case["flags"]).hex() == case["bytes"]
    assert s.read_relay(raw(case["bytes"])) == (device, case["flags"], payload)


def test_a_login_is_signed_as_ever() -> None:
    case = VECTORS["login"]
    signed = s.login_bytes(raw(case["server"]), case["origin"], raw(case["nonce"]))
    assert signed.hex() == case["signed"]
    signer = Signer(raw(case["seed"]))
    assert signer.sign(s.LABEL_LOGIN, signed).hex() == case["signature"]
    assert not verify(signer.public, s.LABEL_MAIL, signed, raw(case["signature"]))


def test_a_tag_is_made_as_ever_and_another_at_each_server() -> None:
    case = VECTORS["tag"]
    key = raw(case["key"])
    assert s.rendezvous_tag(key, case["origin"]).hex() == case["tag"]
    assert s.rendezvous_tag(key, "wss://other.example.org").hex() != case["tag"]
    assert s.rendezvous_tag(b"k" * 32, case["origin"]).hex() != case["tag"]


def test_a_grant_is_signed_as_ever() -> None:
    case = VECTORS["grant"]
    signer, sender = Signer(raw(case["seed"])), DeviceId(raw(case["sender"]))
    assert s.make_grant(signer, sender, case["until_s"]).hex() == case["bytes"]
    grant = s.read_grant(raw(case["bytes"]))
    assert (grant.recipient, grant.sender, grant.until_s) == (
        signer.public,
        sender,
        case["until_s"],
    )


def test_a_grant_with_any_byte_changed_is_refused() -> None:
    data = raw(VECTORS["grant"]["bytes"])
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        with pytest.raises(PeerError):
            s.read_grant(bytes(changed))


@pytest.mark.parametrize(
    ("message", "bound"),
    [
        (packed(8, "c" * 32, "w" * 200, 0), None),
        (packed(8, "c" * 33, "w", 0), "bad_message"),
        (packed(8, "c", "w" * 201, 0), "bad_message"),
        (packed(8, "c", "w", -1), "not_canonical"),
        (packed(3, TAG, [DEVICE] * 256), None),
        (packed(3, TAG, [DEVICE] * 257), "bad_message"),
        (packed(3, TAG, [DEVICE] * 400), "too_large"),
        (packed(11, TAG, bytes(s.MAX_ENVELOPE_BYTES)), None),
        (packed(11, TAG, bytes(s.MAX_ENVELOPE_BYTES + 1)), "bad_message"),
        (packed(11, TAG, bytes(s.MAX_CONTROL_BYTES)), "too_large"),
        (packed(4, TAG[:15], DEVICE), "bad_message"),
        (packed(4, TAG, DEVICE + b"d"), "bad_message"),
        (packed(7, 0, "u" * 513), "bad_message"),
        (packed(7, 0, "u" * 5000), "too_large"),
        (packed(10, "t" * 1024, 900, [[], "", "", 0]), None),
        (packed(10, "t" * 1025, 900, [[], "", "", 0]), "bad_message"),
        (packed(10, "t", 900, [["u"] * 5, "", "", 0]), "bad_message"),
        (packed(13, 1), "bad_message"),
        (packed(0), "bad_message"),
        (packed("x"), "bad_message"),
        (packed(), "bad_message"),
        (b"\x00", "not_canonical"),
        (b"\x00\xdc\x00\x02\x08", "not_canonical"),
        (b"\x00\x92\xcc\x09\xc4\x20" + bytes(32), "bad_message"),
    ],
)
def test_what_comes_from_a_server_is_within_its_bounds(message: bytes, bound: str | None) -> None:
    if bound is None:
        s.read_control(message, from_server=True)
    else:
        assert code_of(message, from_server=True) == bound


@pytest.mark.parametrize(
    ("message", "bound"),
    [
        (packed(34, [TAG] * 64), None),
        (packed(34, [TAG] * 65), "bad_message"),
        (packed(34, [TAG] * 300), "too_large"),
        (packed(35, [TAG[:8]]), "bad_message"),
        (packed(39, [TAG] * 64), None),
        (packed(39, [TAG] * 65), "bad_message"),
        (packed(38, TAG, DEVICE, bytes(256), 600, bytes(s.MAX_ENVELOPE_BYTES)), None),
        (packed(38, TAG, DEVICE, bytes(257), 600, b""), "bad_message"),
        (packed(38, TAG, DEVICE, b"", 600, bytes(s.MAX_ENVELOPE_BYTES + 1)), "bad_message"),
        (packed(38, TAG, DEVICE, b"", 600, bytes(s.MAX_CONTROL_BYTES)), "too_large"),
        (packed(33, 1, DEVICE, "wss://a", bytes(64), bytes(32)), None),
        (packed(33, 1, DEVICE, "wss://a", bytes(64), bytes(33)), "bad_message"),
        (packed(33, 1, DEVICE, "wss://a", bytes(63), b""), "bad_message"),
        (packed(37, bytes(65)), "bad_message"),
    ],
)
def test_what_comes_from_a_node_is_within_its_bounds(message: bytes, bound: str | None) -> None:
    if bound is None:
        s.read_control(message, from_server=False)
    else:
        assert code_of(message, from_server=False) == bound


def test_no_message_is_longer_than_a_websocket_message_may_be() -> None:
    longest = s.Put(TAG, DEVICE, bytes(256), 2**63 - 1, bytes(s.MAX_ENVELOPE_BYTES))
    assert len(s.write_control(longest)) <= s.MAX_MESSAGE_BYTES
    assert s.RELAY_HEADER_BYTES + s.MAX_RELAYED_BYTES <= s.MAX_MESSAGE_BYTES


def test_a_relayed_frame_is_neither_empty_nor_too_long() -> None:
    for size in (0, s.MAX_RELAYED_BYTES + 1):
        with pytest.raises(ValueError, match="a relayed frame"):
            s.write_relay(DEVICE, bytes(size))
        with pytest.raises(PeerError, match="a relayed frame"):
            s.read_relay(b"\x01" + DEVICE + b"\x00" + bytes(size))
    for size in (1, s.MAX_RELAYED_BYTES):
        assert s.read_relay(s.write_relay(DEVICE, bytes(size))) == (DEVICE, 0, bytes(size))


@given(st.binary(max_size=200), st.booleans())
def test_nonsense_is_refused_in_words(data: bytes, from_server: bool) -> None:
    try:
        message = s.read_control(b"\x00" + data, from_server=from_server)
    except PeerError:
        return
    assert s.write_control(message)[1:] == data
