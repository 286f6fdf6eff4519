"""The bytes of a feed: what is signed, and every bound."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.feeds import FEED, SIGNER, envelope, payload
from folkmoot.domain.errors import PeerError
from folkmoot.domain.updates import Release
from folkmoot.protocol.feed import (
    MAX_FEED_BYTES,
    MAX_RELEASES,
    MAX_SUMMARY_CHARACTERS,
    read_feed,
    write_feed,
)
from folkmoot.protocol.keys import Signer

KEY = SIGNER.public


def _code(data: bytes, key: bytes = KEY) -> str:
    with pytest.raises(PeerError) as caught:
        read_feed(data, key)
    return caught.value.code


def test_what_is_written_is_read() -> None:
    data = write_feed(FEED, SIGNER)
    assert read_feed(data, KEY) == FEED
    outer = json.loads(data)
    inner = json.loads(base64.b64decode(outer["signed"]))
    assert inner == payload()
    assert len(base64.b64decode(outer["signature"])) == 64


def test_a_feed_of_another_key_is_refused() -> None:
    assert _code(write_feed(FEED, Signer(bytes(32)))) == "bad_signature"
    assert _code(write_feed(FEED, SIGNER), bytes(32)) == "bad_signature"


def test_every_changed_byte_inside_is_refused() -> None:
    outer = json.loads(write_feed(FEED, SIGNER))
    signed = base64.b64decode(outer["signed"])
    for place in range(0, len(signed), 7):
        spoiled = bytearray(signed)
        spoiled[place] ^= 1
        changed = outer | {"signed": base64.b64encode(spoiled).decode()}
        assert _code(json.dumps(changed).encode()) == "bad_signature"


def test_the_signature_of_something_else_does_not_count() -> None:
    """It is made over a label: what this key signs for another purpose is no feed."""
    signed = json.dumps(payload()).encode()
    other = SIGNER.sign("folkmoot/entry/1", signed)
    outer = {"signed": base64.b64encode(signed).decode(),
             "signature": base64.b64encode(other).decode()}  # fmt: skip
    assert _code(json.dumps(outer).encode()) == "bad_signature"


_LONG = "a" * (MAX_SUMMARY_CHARACTERS + 1)
_BAD: dict[str, Callable[[dict[str, Any]], object]] = {
    "another format": lambda p: p.update(format=2),
    "no serial": lambda p: p.pop("serial"),
    "serial of nought": lambda p: p.update(serial=0),
    "serial too large": lambda p: p.update(serial=2**53),
    "serial a float": lambda p: p.update(serial=1.5),
    "serial a text": lambda p: p.update(serial="1"),
    "no zone": lambda p: p.update(issued="2026-11-26T10:00:00"),
    "no date": lambda p: p.update(expires="soon"),
    "expires first": lambda p: p.update(expires=p["issued"]),
    "too many releases": lambda p: p.update(releases=p["releases"] * (MAX_RELEASES + 1)),
    "releases no list": lambda p: p.update(releases={}),
    "no version": lambda p: p["releases"][0].pop("version"),
    "a version that is none": lambda p: p["releases"][0].update(version="latest"),
    "a version too long": lambda p: p["releases"][0].update(version="1" * 33),
    "a date that is none": lambda p: p["releases"][0].update(date="2026-13-01"),
    "a summary too long": lambda p: p["releases"][0].update(summary=_LONG),
    "a summary too high": lambda p: p["releases"][0].update(summary="a\n" * 20),
    "a summary that turns": lambda p: p["releases"][0].update(summary="a\u202eb"),
    "a summary that rings": lambda p: p["releases"][0].update(summary="a\ab"),
    "notes over http": lambda p: p["releases"][0].update(notes="http://example.org/"),
    "notes from a script": lambda p: p["releases"][0].update(notes="javascript:alert(1)"),
    "notes in a file": lambda p: p["releases"][0].update(notes="file:///etc/passwd"),
}


@pytest.mark.parametrize("what", _BAD)
def test_what_is_out_of_bounds_is_refused_though_signed(what: str) -> None:
    inside = payload()
    _BAD[what](inside)
    assert _code(envelope(json.dumps(inside).encode())) == "bad_feed"


@pytest.mark.parametrize(
    "inside", [b"", b"null", b"[]", b"{", b"[" * 50_000, b"\xff", b'{"format":"\\ud800"}']
)
def test_signed_garbage_is_refused(inside: bytes) -> None:
    data = envelope(inside)
    assert _code(data) in ("bad_feed", "too_large")


def test_a_feed_too_large_is_not_looked_into() -> None:
    data = write_feed(FEED, SIGNER)
    assert read_feed(data + b" " * (MAX_FEED_BYTES - len(data)), KEY) == FEED
    assert _code(data + b" " * (MAX_FEED_BYTES - len(data) + 1)) == "too_large"


def test_the_largest_feed_that_is_allowed_inside_can_be_written() -> None:
    one = Release("1.0", "2026-11-26", "a" * MAX_SUMMARY_CHARACTERS, "https://example.org/")
    data = write_feed(replace(FEED, releases=(one,) * MAX_RELEASES), SIGNER)
    assert len(data) <= MAX_FEED_BYTES


def test_fields_of_a_later_time_are_passed_over() -> None:
    inside = payload() | {"more": [1]}
    inside["releases"][0]["platforms"] = ["linux"]
    assert read_feed(envelope(json.dumps(inside).encode()), KEY) == FEED


def test_bytes_beside_the_signature_that_are_no_text_are_refused() -> None:
    data = write_feed(FEED, SIGNER).rstrip().removesuffix(b"}") + b',"x":"\xff"}'
    assert _code(data) == "bad_feed"


@given(st.binary(max_size=400))
def test_nothing_else_than_peer_errors_comes_of_garbage(data: bytes) -> None:
    with pytest.raises(PeerError):
        read_feed(data, KEY)
    with pytest.raises(PeerError):
        read_feed(envelope(data), KEY)
