"""Limits with a clock of the test: how much a device, an address and all together may do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from folkmoot_signaling.limits import Bucket, Budget, Limits, Place, address_group, take_all
from folkmoot_signaling.settings import Bounds, Rate

BOUNDS = Bounds()


def place_of(limits: Limits, name: str = "192.0.2.1", now_s: float = 0.0) -> Place:
    place = limits.place(name, now_s)
    assert place is not None
    return place


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(Rate(2, 3), 0.0)
    assert [take_all(0.0, 1, bucket) for _ in range(3)] == [0.0] * 3
    assert take_all(0.0, 1, bucket) == 0.5
    assert take_all(0.5, 1, bucket) == 0.0
    assert take_all(0.5, 1, bucket) == 0.5


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(Rate(2, 3), 0.0)
    assert take_all(1e6, 4, bucket) > 0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = Bucket(Rate(1, 1), 100.0)
    assert take_all(100.0, 1, bucket) == 0
    assert take_all(0.0, 1, bucket) > 0


def test_of_several_buckets_each_is_asked_or_none() -> None:
    full, empty = Bucket(Rate(1, 5), 0.0), Bucket(Rate(1, 0), 0.0)
    assert take_all(0.0, 1, full, empty) > 0
    assert full.look(0.0, 5) == 0


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert address_group("2001:db8::1") == address_group("2001:db8::ffff:2") == "2001:db8::/64"
    assert address_group("2001:db8:0:1::1") != address_group("2001:db8::1")
    assert address_group("::ffff:192.0.2.7") == address_group("192.0.2.7") == "192.0.2.7"
    assert address_group("fe80::1%eth0") == "fe80::/64"


def frames_given(limits: Limits, budget: Budget, place: Place, size: int = 100) -> int:
    """How many frames go before the first wait."""
    given = 0
    while given < 10_000:
        if (budget.frames_left < 1 or budget.bytes_left < size) and limits.lease(
            budget, place, 0.0, size
        ):
            return given
        budget.frames_left -= 1
        budget.bytes_left -= size
        given += 1
    return given


def test_a_key_gets_exactly_its_frames() -> None:
    bounds = replace(BOUNDS, key_frames=Rate(1, 150))
    limits = Limits(bounds, 0.0)
    assert frames_given(limits, Budget(bounds, 0.0), place_of(limits)) == 150


def test_a_key_gets_exactly_its_bytes() -> None:
    bounds = replace(BOUNDS, key_bytes=Rate(1, 150_000))
    limits = Limits(bounds, 0.0)
    assert frames_given(limits, Budget(bounds, 0.0), place_of(limits), 1000) == 150


def test_the_keys_of_one_address_share_what_the_address_has() -> None:
    bounds = replace(BOUNDS, address_frames=Rate(1, 100))
    limits = Limits(bounds, 0.0)
    place = place_of(limits)
    assert frames_given(limits, Budget(bounds, 0.0), place) == 100
    assert frames_given(limits, Budget(bounds, 0.0), place) == 0
    assert frames_given(limits, Budget(bounds, 0.0), place_of(limits, "192.0.2.2")) == 100


def test_all_addresses_share_what_the_server_has() -> None:
    bounds = replace(BOUNDS, all_bytes=Rate(1, 10_000))
    limits = Limits(bounds, 0.0)
    assert frames_given(limits, Budget(bounds, 0.0), place_of(limits), 1000) == 10
    assert frames_given(limits, Budget(bounds, 0.0), place_of(limits, "192.0.2.2"), 1000) == 0


def test_logins_are_counted_per_key_per_address_and_overall() -> None:
    few = Rate(1, 2)
    changed: dict[str, Any]
    for name in ("address_logins", "all_logins"):
        changed = {name: few}
        limits = Limits(replace(BOUNDS, **changed), 0.0)
        waits = [limits.start_login(place_of(limits), 0.0) for _ in range(3)]
        assert waits == [0, 0, 1]
    limits = Limits(replace(BOUNDS, key_logins=few), 0.0)
    assert [limits.finish_login(b"a" * 32, 0.0) for _ in range(3)] == [0, 0, 1]
    assert limits.finish_login(b"b" * 32, 0.0) == 0


def test_envelopes_are_counted_per_key_per_address_and_overall() -> None:
    for name in ("key_puts", "address_puts", "all_puts"):
        changed: dict[str, Any] = {name: Rate(1, 2)}
        bounds = replace(BOUNDS, **changed)
        limits = Limits(bounds, 0.0)
        budget, place = Budget(bounds, 0.0), place_of(limits)
        assert [limits.take_put(budget, place, 0.0) for _ in range(3)] == [0, 0, 1]


def test_addresses_are_remembered_up_to_a_bound_and_the_idle_ones_go_first() -> None:
    limits = Limits(replace(BOUNDS, addresses=2), 0.0)
    busy = place_of(limits, "a")
    busy.connections = 1
    place_of(limits, "b")
    place_of(limits, "c")
    assert limits.place("a", 0.0) is busy
    place_of(limits, "c").connections = 1
    assert limits.place("d", 0.0) is None


def test_control_messages_are_counted_per_key_per_address_and_overall() -> None:
    for name in ("key_control", "address_control", "all_control"):
        changed: dict[str, Any] = {name: Rate(1, 10)}
        bounds = replace(BOUNDS, **changed)
        limits = Limits(bounds, 0.0)
        budget, place = Budget(bounds, 0.0), place_of(limits)
        assert [limits.take_control(budget, place, 0.0, 5) for _ in range(3)] == [0, 0, 5]
