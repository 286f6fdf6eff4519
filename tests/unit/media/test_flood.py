"""The bounds of what one connection may bring in."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import PeerError
from folkmoot.media.flood import MAX_PACKETS_S, MAX_SOURCES, Allowance, RtpGate


def _packet(source: int, payload_type: int = 96) -> bytes:
    return bytes([0x80, payload_type]) + bytes(6) + source.to_bytes(4, "big") + b"x"


def _feed(gate: RtpGate, packets: list[bytes]) -> None:
    for packet in packets:
        gate.check_rtp(packet)


def _pour(gate: RtpGate, *, count: int, size: int, a_second: float) -> None:
    for index in range(count):
        gate.check_datagram(size, index / a_second)


def test_a_thousand_sources_are_a_flood() -> None:
    gate = RtpGate()
    with pytest.raises(PeerError) as caught:
        _feed(gate, [_packet(source) for source in range(1000)])
    assert caught.value.code == "flood"


def test_the_sources_of_a_call_pass() -> None:
    gate = RtpGate()
    assert all(gate.check_rtp(_packet(i % MAX_SOURCES)) for i in range(10_000))


def test_every_kind_of_payload_at_once_is_a_flood() -> None:
    gate = RtpGate()
    with pytest.raises(PeerError, match="sources"):
        _feed(gate, [_packet(1, kind) for kind in range(128)])


def test_a_packet_without_a_whole_header_is_dropped() -> None:
    assert not RtpGate().check_rtp(b"\x80\x60short")


def test_more_packets_than_a_call_needs_are_a_flood() -> None:
    gate = RtpGate()
    with pytest.raises(PeerError) as caught:
        _pour(gate, count=MAX_PACKETS_S * 4, size=100, a_second=MAX_PACKETS_S * 8)
    assert caught.value.code == "flood"


def test_large_packets_are_counted_by_their_bytes() -> None:
    gate = RtpGate()
    with pytest.raises(PeerError, match="packets"):
        _pour(gate, count=MAX_PACKETS_S, size=60_000, a_second=4000)


def test_a_good_picture_for_a_minute_is_no_flood() -> None:
    gate = RtpGate()
    _pour(gate, count=60 * 400, size=1200, a_second=400)
    assert gate.check_rtp(_packet(1))


def test_an_allowance_refills() -> None:
    allowance = Allowance(rate=10, burst=2)
    assert [allowance.take(1, 0.0) for _ in range(3)] == [True, True, False]
    assert allowance.take(1, 0.1)
