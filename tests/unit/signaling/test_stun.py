"""Binding requests of STUN: vectors of RFC 5769, what is refused, and how little is given."""

from __future__ import annotations

import os
import struct

import pytest
from aioice import stun

from folkmoot_signaling.stun import (
    ANSWERS_PER_ADDRESS_S,
    ANSWERS_PER_S,
    MAX_REQUEST_BYTES,
    AnswerBudget,
    answer_binding,
)

# RFC 5769, section 2.1: the sample request; 2.2 and 2.3: the addresses in its answers.
_SAMPLE = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "0006000965766a3a68367659202020".replace("65766a", "6576746a")
    + "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
_MAPPED_IPV4 = bytes.fromhex("002000080001a147e112a643")
_MAPPED_IPV6 = bytes.fromhex("002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")
_SHORTEST = struct.pack("!HHI12s", 1, 0, 0x2112A442, b"transaction!")


def _with(*attributes: bytes) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HHI12s", 1, len(body), 0x2112A442, b"transaction!") + body


@pytest.mark.parametrize(
    ("host", "mapped"),
    [("192.0.2.1", _MAPPED_IPV4), ("2001:db8:1234:5678:11:2233:4455:6677", _MAPPED_IPV6)],
)
def test_the_sample_of_the_rfc_is_answered_with_its_address(host: str, mapped: bytes) -> None:
    answer = answer_binding(_SAMPLE, host, 32853)
    assert answer is not None
    assert answer[:2] == b"\x01\x01"
    assert answer[4:20] == _SAMPLE[4:20]
    assert answer[20:].startswith(mapped)
    # It had a fingerprint, so the answer has one, which the library checks.
    assert "FINGERPRINT" in stun.parse_message(answer).attributes


def test_a_request_without_a_fingerprint_gets_none() -> None:
    answer = answer_binding(_SHORTEST, "192.0.2.1", 1234)
    assert answer is not None
    attributes = stun.parse_message(answer).attributes
    assert attributes == {"XOR-MAPPED-ADDRESS": ("192.0.2.1", 1234), "SOFTWARE": "Folkmoot"}


@pytest.mark.parametrize("host", ["::ffff:192.0.2.1", "192.0.2.1"])
def test_ipv4_on_a_socket_of_ipv6_is_ipv4(host: str) -> None:
    answer = answer_binding(_SHORTEST, host, 1234)
    assert answer is not None
    assert stun.parse_message(answer).attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 1234)


def test_every_flipped_bit_of_the_sample_is_ignored_by_its_fingerprint() -> None:
    for at in range(20, len(_SAMPLE)):
        broken = bytearray(_SAMPLE)
        broken[at] ^= 1
        answer = answer_binding(bytes(broken), "192.0.2.1", 1)
        # A flipped length or kind may make another message of it, never a good answer.
        assert answer is None or answer[:2] == b"\x01\x11" or at in (100, 101, 102, 103)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0",
        _SHORTEST[:19],
        b"GET / HTTP/1.1\r\n\r\n",
        _SHORTEST + b"\0",
        b"\x01\x01" + _SHORTEST[2:],
        b"\x00\x11" + _SHORTEST[2:],
        b"\x00\x03" + _SHORTEST[2:],
        b"\xc0\x01" + _SHORTEST[2:],
        _SHORTEST[:4] + b"\0\0\0\0" + _SHORTEST[8:],
        _with(struct.pack("!HH", 0x8022, 60)),
        _with(b"\0" * 2000),
    ],
)
def test_what_is_no_binding_request_is_ignored(garbage: bytes) -> None:
    assert answer_binding(garbage, "192.0.2.1", 1) is None


def test_random_datagrams_are_never_a_crash() -> None:
    for size in range(200):
        answer_binding(os.urandom(size), "192.0.2.1", 1)
        body = os.urandom(size - size % 4)
        answer_binding(_with(body), "192.0.2.1", 1)


def test_an_attribute_that_must_be_understood_and_is_not_is_refused_by_number() -> None:
    change_request = struct.pack("!HHI", 0x0003, 4, 6)
    answer = answer_binding(_with(change_request), "192.0.2.1", 1)
    assert answer is not None
    assert answer[:2] == b"\x01\x11"
    assert b"\0\0\x04\x14" in answer
    assert struct.pack("!HHH", 0x000A, 2, 0x0003) in answer


def test_no_answer_is_longer_than_three_times_the_shortest_request() -> None:
    odd = [struct.pack("!HH", number, 0) for number in range(0x4000, 0x4080)]
    requests = [_SHORTEST, _SAMPLE, _with(*odd)]
    assert all(len(request) <= MAX_REQUEST_BYTES for request in requests)
    for host in ("192.0.2.1", "2001:db8::1"):
        for request in requests:
            answer = answer_binding(request, host, 65535)
            assert answer is not None
            assert len(answer) <= 3 * len(_SHORTEST) + 8


def test_an_address_gets_some_answers_a_second_and_others_are_not_touched() -> None:
    budget = AnswerBudget()
    given = [budget.take("192.0.2.1", 5.0) for _ in range(ANSWERS_PER_ADDRESS_S + 5)]
    assert sum(given) == ANSWERS_PER_ADDRESS_S
    assert budget.take("192.0.2.2", 5.9)
    assert budget.take("192.0.2.1", 6.0)


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    budget = AnswerBudget()
    given = [budget.take(f"2001:db8::{n:x}", 5.0) for n in range(ANSWERS_PER_ADDRESS_S + 5)]
    assert sum(given) == ANSWERS_PER_ADDRESS_S


def test_forged_senders_share_one_budget() -> None:
    budget = AnswerBudget()
    given = [budget.take(f"10.{n >> 8}.{n & 255}.1", 5.0) for n in range(ANSWERS_PER_S + 50)]
    assert sum(given) == ANSWERS_PER_S
