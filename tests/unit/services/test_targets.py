"""Addresses worth dialling: what others say of them is bounded and never replaces what was seen."""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot.services.targets import MAX_PER_DEVICE, MAX_TARGETS, Targets
from folkmoot.services.values import Way

BEN, CYD = DeviceId(b"b" * 32), DeviceId(b"c" * 32)


def test_lies_about_a_device_make_room_for_its_true_address_once_they_failed() -> None:
    targets = Targets()
    lies = [targets.add(f"10.0.0.1:{n}", Way.DIRECT, device=BEN) for n in range(1, 20)]
    assert len(targets.of(BEN)) == MAX_PER_DEVICE
    assert targets.add("10.0.0.9:7", Way.DIRECT, device=BEN) is None
    assert lies[0] is not None
    lies[0].failed(0.0, 1.0)
    assert targets.add("10.0.0.9:7", Way.DIRECT, device=BEN) is not None
    assert "10.0.0.1:1" not in {target.address for target in targets.all()}
    assert len(targets.of(BEN)) == MAX_PER_DEVICE


def test_a_typed_address_is_never_given_up_for_one_that_was_heard() -> None:
    targets = Targets()
    for number in range(1, MAX_PER_DEVICE + 1):
        typed = targets.add(f"10.0.0.1:{number}", Way.TYPED, device=BEN, typed=True)
        assert typed is not None
        typed.failed(0.0, 1.0)
    assert targets.add("10.0.0.9:7", Way.DIRECT, device=BEN) is None


def test_an_address_of_one_device_is_known_to_be_of_another() -> None:
    targets = Targets()
    targets.add("10.0.0.1:7", Way.DIRECT, device=BEN)
    assert targets.is_of_another("10.0.0.1:7", CYD)
    assert not targets.is_of_another("10.0.0.1:7", BEN)
    assert not targets.is_of_another("10.0.0.2:7", CYD)


def test_there_are_only_so_many() -> None:
    targets = Targets()
    for number in range(2 * MAX_TARGETS):
        targets.add(f"10.1.{number // 250}.{number % 250}:7", Way.LAN)
    assert len(targets.all()) == MAX_TARGETS


def test_a_new_address_of_a_record_belongs_to_the_device_behind_it() -> None:
    targets = Targets()
    first = targets.add("10.0.0.1:7", Way.LAN, group="ben-record")
    assert first is not None
    targets.answered(first, BEN)
    moved = targets.add("10.0.0.40:7", Way.LAN, group="ben-record")
    assert moved is not None
    assert moved.device == BEN
    targets.moved(moved)  # somebody else answered there: seen again it is dialled as anybody's
    targets.add("10.0.0.40:7", Way.LAN, group="ben-record")
    assert moved.device is None
    other = targets.add("10.0.0.2:7", Way.LAN)
    assert other is not None
    assert other.device is None
