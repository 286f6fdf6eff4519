"""Whose request it is: the connection's address, or what a proxy of ours says."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from folkmoot_signaling.counters import Counters
from folkmoot_signaling.door import Door
from folkmoot_signaling.limits import Limits
from folkmoot_signaling.settings import Bounds, Rate, Settings


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 127.0.0.9", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("198.51.100.7, unknown", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_counts_without_its_port(
    said: str, client: str
) -> None:
    settings = Settings(proxies=("127.0.0.0/8",))
    door = Door(settings, Limits(settings.bounds, 0.0), Counters())
    request = make_mocked_request("GET", "/signal", {"X-Forwarded-For": said})
    assert door.client(request.clone(remote="127.0.0.1")) == client
    assert door.client(request.clone(remote="192.0.2.1")) == "192.0.2.1"


def _door(**bounds: Rate | int) -> Door:
    settings = Settings(proxies=("10.0.0.1",), bounds=Bounds(**bounds))  # type: ignore[arg-type]
    return Door(settings, Limits(settings.bounds, 0.0), Counters())


def _handshakes(door: Door, host: str, count: int, now_s: float = 0.0) -> int:
    """How many of so many that come and go at once may begin."""
    begun = 0
    for _ in range(count):
        place = door.enter(host, now_s)
        assert place is not None
        if door.shake_hands(host, place, now_s, 0):
            begun += 1
            door.shaken(well=True)
        door.leave(place)
    return begun


def test_handshakes_of_an_address_are_paced_and_those_of_a_proxy_only_all_together() -> None:
    door = _door(address_handshakes=Rate(1, 3), all_handshakes=Rate(1, 10))
    assert _handshakes(door, "192.0.2.1", 5) == 3
    assert _handshakes(door, "192.0.2.1", 5, 2.0) == 2
    assert _handshakes(door, "10.0.0.1", 20, 2.0) == 7


def test_who_is_in_a_handshake_is_a_stranger_too() -> None:
    door = _door(all_strangers=4)
    places = [door.enter(f"192.0.2.{n}", 0.0) for n in range(3)]
    begun = [door.shake_hands("", place, 0.0, 2) for place in places if place is not None]
    assert begun == [True, True, False]
    door.shaken(well=False)
    assert places[2] is not None
    assert door.shake_hands("", places[2], 0.0, 2)
