"""Places and rates for strangers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from folkmoot.net.admission import MAX_REMEMBERED, Admission, Slot, address_key
from folkmoot.net.limits import LinkLimits
from folkmoot.services.pace import Bucket

ROOMY = LinkLimits(handshakes_burst=10_000, handshakes_per_address_burst=10_000)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::1", "::1"),
    ],
)
def test_one_computer_counts_once_however_its_address_is_written(host: str, key: str) -> None:
    assert address_key(host) == key


def test_one_address_gets_its_places_and_others_still_get_theirs() -> None:
    admission = Admission(ROOMY, now=0)
    slots = [admission.enter(f"2001:db8::{n:x}", 0) for n in range(9)]
    assert all(isinstance(slot, Slot) for slot in slots[:8])
    assert slots[8] == "too many connections of this address are waiting for their proofs"
    assert isinstance(admission.enter("192.0.2.7", 0), Slot)


def test_there_are_places_for_so_many_in_all() -> None:
    admission = Admission(ROOMY, now=0)
    for n in range(64):
        assert isinstance(admission.enter(f"192.0.2.{n}", 0), Slot)
    assert admission.enter("198.51.100.1", 0) == "too many connections are waiting for their proofs"


def test_a_place_given_back_twice_is_given_back_once() -> None:
    admission = Admission(replace(ROOMY, unproved_in_all=2), now=0)
    first = admission.enter("192.0.2.1", 0)
    second = admission.enter("192.0.2.1", 0)
    assert isinstance(first, Slot)
    assert isinstance(second, Slot)
    first.release()
    first.release()
    assert admission.unproved == 1
    second.release()
    assert admission.unproved == 0


def test_an_address_that_connects_too_often_waits_and_others_do_not() -> None:
    limits = LinkLimits(handshakes_per_address_per_s=10, handshakes_per_address_burst=2)
    admission = Admission(limits, now=0)
    for _ in range(2):
        slot = admission.enter("192.0.2.1", 0)
        assert isinstance(slot, Slot)
        slot.release()
    assert admission.enter("192.0.2.1", 0.01) == "this address connects too often"
    assert isinstance(admission.enter("192.0.2.2", 0.01), Slot)
    assert isinstance(admission.enter("192.0.2.1", 0.2), Slot)


def test_many_addresses_share_one_rate() -> None:
    limits = LinkLimits(handshakes_per_s=10, handshakes_burst=3)
    admission = Admission(limits, now=0)
    answers = [admission.enter(f"192.0.2.{n}", 0) for n in range(4)]
    assert answers[3] == "too many computers connect at once"
    assert isinstance(admission.enter("192.0.2.9", 0.11), Slot)


def test_the_memory_of_addresses_is_bounded() -> None:
    admission = Admission(ROOMY, now=0)
    for n in range(2 * MAX_REMEMBERED):
        slot = admission.enter(f"10.0.{n >> 8}.{n & 255}", 0)
        assert isinstance(slot, Slot)
        slot.release()
    assert len(admission._by_address) == MAX_REMEMBERED
    assert not admission._unproved


def test_a_bucket_says_how_long_to_wait() -> None:
    bucket = Bucket(rate=2, burst=1, now=0)
    assert bucket.wait(0) == 0
    assert bucket.take(0)
    assert bucket.wait(0.1) == pytest.approx(0.4)
    assert not bucket.take(0.1)
    assert bucket.take(0.5)
