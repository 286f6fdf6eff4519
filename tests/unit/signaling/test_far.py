"""The devices of other nodes: the greatest epoch counts, and who only changes nodes is not gone."""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.far import LINGER_S, FarDevices, FarPlace

TAG, OTHER = b"t" * 16, b"o" * 16
ANN, BOB = DeviceId(b"a" * 32), DeviceId(b"b" * 32)
LEFT, RIGHT = b"1" * 16, b"2" * 16


def test_who_left_is_told_after_a_moment() -> None:
    far = FarDevices()
    assert far.came(FarPlace(TAG, ANN, 5), LEFT)
    far.went(FarPlace(TAG, ANN, 5), 10.0)
    assert far.over(10.0 + LINGER_S / 2) == []
    assert far.over(10.0 + LINGER_S) == [FarPlace(TAG, ANN, 5)]
    assert far.over(99.0) == []
    assert (len(far), far.tags(), far.nodes()) == (0, [], set())


def test_who_comes_at_another_node_in_time_has_not_gone() -> None:
    far = FarDevices()
    far.came(FarPlace(TAG, ANN, 5), LEFT)
    far.went(FarPlace(TAG, ANN, 5), 10.0)
    assert far.came(FarPlace(TAG, ANN, 6), RIGHT)
    assert far.over(99.0) == []
    assert far.node(ANN) == RIGHT


def test_an_older_epoch_changes_nothing() -> None:
    far = FarDevices()
    far.came(FarPlace(TAG, ANN, 6), RIGHT)
    assert not far.came(FarPlace(OTHER, ANN, 5), LEFT)
    far.went(FarPlace(TAG, ANN, 5), 10.0)
    assert far.over(99.0) == []
    assert far.node(ANN) == RIGHT
    assert far.tags() == [TAG]


def test_everybody_at_a_dead_node_goes_and_nobody_else() -> None:
    far = FarDevices()
    far.came(FarPlace(TAG, ANN, 5), LEFT)
    far.came(FarPlace(OTHER, ANN, 5), LEFT)
    far.came(FarPlace(TAG, BOB, 6), RIGHT)
    far.dead(LEFT, 10.0)
    far.dead(LEFT, 10.5)
    assert set(far.over(10.0 + LINGER_S)) == {FarPlace(TAG, ANN, 5), FarPlace(OTHER, ANN, 5)}
    assert far.nodes() == {RIGHT}


def test_who_is_missing_in_a_whole_list_goes() -> None:
    far = FarDevices()
    far.came(FarPlace(TAG, ANN, 5), LEFT)
    far.came(FarPlace(TAG, BOB, 6), LEFT)
    far.came(FarPlace(OTHER, ANN, 5), LEFT)
    far.missing(TAG, [BOB], 10.0)
    assert far.over(99.0) == [FarPlace(TAG, ANN, 5)]
    assert far.node(ANN) == LEFT


def test_what_matters_here_no_more_is_forgotten_at_once() -> None:
    far = FarDevices()
    far.came(FarPlace(TAG, ANN, 5), LEFT)
    far.came(FarPlace(TAG, BOB, 6), LEFT)
    far.went(FarPlace(TAG, ANN, 5), 10.0)
    far.forget_device(ANN)
    far.forget_tag(TAG)
    assert far.over(99.0) == []
    assert len(far) == 0
