"""The book of rooms of one server."""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot.net.signaling_rooms import RoomBook
from folkmoot.protocol.signaling import Came, Enter, Leave, Room, Went

OWN, ANN, BEN = (DeviceId(bytes([n]) * 32) for n in range(3))
ONE, TWO, THREE = (bytes([n]) * 16 for n in range(3))


def test_wanted_tags_are_entered_and_unwanted_left() -> None:
    book = RoomBook(OWN)
    assert book.want([ONE, TWO]) == ([Enter((ONE, TWO))], [])
    book.take(Room(ONE, (ANN,)))
    book.take(Room(TWO, ()))
    assert book.want([TWO, THREE]) == ([Leave((ONE,)), Enter((THREE,))], [(ONE, ANN, False)])


def test_a_second_room_tells_only_what_changed() -> None:
    book = RoomBook(OWN)
    book.want([ONE])
    assert book.take(Room(ONE, (ANN, OWN))) == [(ONE, ANN, True)]
    assert book.take(Room(ONE, (ANN,))) == []
    assert book.take(Room(ONE, (BEN,))) == [(ONE, ANN, False), (ONE, BEN, True)]


def test_nobody_comes_or_goes_twice() -> None:
    book = RoomBook(OWN)
    book.want([ONE])
    book.take(Room(ONE, ()))
    assert book.take(Came(ONE, ANN)) == [(ONE, ANN, True)]
    assert book.take(Came(ONE, ANN)) == []
    assert book.take(Came(ONE, OWN)) == []
    assert book.take(Went(ONE, ANN)) == [(ONE, ANN, False)]
    assert book.take(Went(ONE, ANN)) == []


def test_what_nobody_asked_for_is_dropped() -> None:
    book = RoomBook(OWN)
    book.want([ONE])
    assert book.take(Room(TWO, (ANN,))) == []
    assert book.take(Came(TWO, ANN)) == []
    assert book.lost() == []


def test_a_new_connection_enters_everything_again_up_to_the_limit_of_the_server() -> None:
    book = RoomBook(OWN)
    book.want([ONE, TWO])
    book.take(Room(ONE, (ANN,)))
    assert book.connected(64) == [Enter((ONE, TWO))]
    assert book.connected(1) == [Enter((ONE,))]
    assert book.connected(0) == []


def test_what_is_confirmed_is_not_asked_for_again() -> None:
    book = RoomBook(OWN)
    book.want([ONE, TWO])
    book.take(Room(TWO, ()))
    assert book.missing() == [Enter((ONE,))]


def test_a_connection_lost_for_good_takes_everybody_with_it() -> None:
    book = RoomBook(OWN)
    book.want([ONE, TWO])
    book.take(Room(ONE, (ANN,)))
    book.take(Room(TWO, (BEN,)))
    assert book.lost() == [(ONE, ANN, False), (TWO, BEN, False)]
    assert book.lost() == []
