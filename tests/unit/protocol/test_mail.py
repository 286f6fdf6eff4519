"""The text of an envelope: golden vectors, and what is refused before anything is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from builders.hpke import seal
from folkmoot.domain.entry import MAX_BODY_BYTES
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.net.sealing import HpkeSealer
from folkmoot.protocol.codec import pack
from folkmoot.protocol.entries import MAX_HEADER_BYTES
from folkmoot.protocol.frames import Segment, decode, encode
from folkmoot.protocol.keys import seal_public
from folkmoot.protocol.mail import (
    MAX_MAIL_BYTES,
    SEAL_OVERHEAD_BYTES,
    mail_info,
    read_mail,
    write_mail,
)
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES

CASES = json.loads((Path(__file__).parents[2] / "vectors" / "mail.json").read_text("utf-8"))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_envelope_is_written_read_and_opened_as_ever(case: dict[str, Any]) -> None:
    text, seal_seed, info = raw(case["text"]), raw(case["seal_seed"]), raw(case["info"])
    segments = read_mail(text)
    assert [encode(segment).hex() for segment in segments] == case["segments"]
    assert write_mail(segments) == text
    assert mail_info(DeviceId(raw(case["recipient"]))) == info
    assert HpkeSealer().open(seal_seed, info, raw(case["sealed"])) == text
    again = seal(raw(case["ephemeral"]), seal_public(seal_seed), info, text)
    assert again.hex() == case["sealed"]


def segments() -> list[Segment]:
    """Three segments of one device."""
    found = [decode(raw(text), stranger=False) for text in CASES[1]["segments"]]
    return [segment for segment in found if isinstance(segment, Segment)]


def test_every_byte_that_is_changed_is_seen_or_changes_a_field() -> None:
    text = raw(CASES[0]["text"])
    held = read_mail(text)
    for at in range(len(text)):
        changed = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        try:
            assert read_mail(changed) != held
        except PeerError:
            continue


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "not_canonical"),
        (b"\x92\x01", "not_canonical"),
        (pack((1, ())), "bad_mail"),
        (pack((1,)), "bad_mail"),
        (pack((1, [[20]])), "bad_mail"),
        (pack((2, segments()[:1])), "bad_mail"),
        (pack((1, segments()[:1], 0)), "not_canonical"),
        (pack((1, segments()[:1] * 65)), "bad_mail"),
        (pack((1, segments()[:1])) + b"\x00", "not_canonical"),
        (pack((1, [structs.replace(segments()[0], bodies=(None, None))])), "bad_mail"),
        (pack((1, [segments()[0], structs.replace(segments()[1], device=bytes(32))])), "bad_mail"),
        (bytes(MAX_MAIL_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_mail_of_one_device_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(PeerError) as caught:
        read_mail(text)
    assert caught.value.code == code


def test_the_longest_entry_fits_into_an_envelope() -> None:
    assert MAX_MAIL_BYTES + SEAL_OVERHEAD_BYTES == MAX_ENVELOPE_BYTES
    [first, *_] = segments()
    longest = structs.replace(
        first, headers=(bytes(MAX_HEADER_BYTES),), bodies=(bytes(MAX_BODY_BYTES),)
    )
    assert len(write_mail([longest])) < MAX_MAIL_BYTES
