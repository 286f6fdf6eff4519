"""The layout of a recording: whatever the call, everybody has a place and no two overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakes.calls import call_id, somebody
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.services.call_values import Call, CallPhase, Participant, ParticipantState
from folkmoot.services.calls.record_layout import LAYOUTS, Seen, places_of, size_of
from folkmoot.services.media_port import CAMERA, SCREEN, SELF, RecordPlace

SIZES = st.sampled_from([(320, 180), (854, 480), (1280, 720), (1920, 1080)])


def one(number: int, **changes: object) -> Participant:
    """A participant; number 0 is this person."""
    person = PersonId(bytes([number]) * 32)
    return somebody(person, f"Person {number}", number, is_me=number == 0, **changes)


def call_of(*participants: Participant) -> Call:
    """A call with these."""
    return Call(
        *(call_id(1), ConversationId(bytes(32)), CallPhase.JOINED, False, PersonId(bytes(32)), 0),
        participants,
    )


def device(number: int) -> DeviceId:
    """The device of a participant."""
    return DeviceId(bytes([number]) * 32)


def at(places: tuple[RecordPlace, ...], number: int, kind: str = CAMERA) -> RecordPlace:
    """The place of a participant."""
    peer = SELF if number == 0 else device(number)
    [found] = [place for place in places if (place.peer, place.kind) == (peer, kind)]
    return found


def overlap(one: RecordPlace, other: RecordPlace) -> bool:
    """Whether two places share a pixel."""
    return (
        one.left < other.left + other.width
        and other.left < one.left + one.width
        and one.top < other.top + other.height
        and other.top < one.top + one.height
    )


@given(
    st.lists(st.booleans(), min_size=1, max_size=25),
    st.sampled_from(LAYOUTS),
    st.none() | st.integers(0, 30),
    SIZES,
)
def test_everybody_has_a_place_inside_and_no_two_overlap(
    shares: list[bool], layout: str, front: int | None, size: tuple[int, int]
) -> None:
    call = call_of(*(one(number, screen=on) for number, on in enumerate(shares)))
    seen = Seen(layout, None if front is None else device(front))
    places = places_of(call, seen, *size)
    assert len(places) == len(shares) + sum(shares)
    assert len({(place.peer, place.kind) for place in places}) == len(places)
    for place in places:
        assert place.width >= 2
        assert place.height >= 2
        assert place.left + place.width <= size[0]
        assert place.top + place.height <= size[1]
        sides = (place.left, place.top, place.width, place.height)
        assert [side % 2 for side in sides] == [0, 0, 0, 0]
        assert place.fit == (place.kind == SCREEN)
    pairs = [(a, b) for a in places for b in places if a is not b]
    assert not any(overlap(a, b) for a, b in pairs)


def test_four_stand_in_two_rows_of_two() -> None:
    places = places_of(call_of(*map(one, range(4))), Seen(), 1280, 720)
    assert len({place.left for place in places}) == len({place.top for place in places}) == 2
    assert {(place.width, place.height) for place in places} == {(636, 356)}
    assert [place.name for place in places] == [f"Person {number}" for number in range(4)]


def test_the_last_row_of_a_grid_stands_in_the_middle() -> None:
    places = places_of(call_of(*map(one, range(3))), Seen(), 1280, 720)
    last = places[-1]
    assert abs(last.left + last.width / 2 - 640) <= 2


def test_who_is_in_front_is_large_and_the_others_stand_beside() -> None:
    call = call_of(*map(one, range(4)))
    places = places_of(call, Seen("speaker", device(2)), 1280, 720)
    large = at(places, 2)
    assert (large.left, large.top, large.height) == (0, 0, 720)
    assert large.width > 900
    beside = [place for place in places if place is not large]
    assert {place.left for place in beside} == {1280 - 256}


def test_without_anybody_in_front_it_is_somebody_else_than_oneself() -> None:
    places = places_of(call_of(*map(one, range(3))), Seen("speaker"), 1280, 720)
    assert at(places, 1).width > at(places, 0).width


def test_a_shared_screen_is_large_whole_and_the_cameras_stand_beside() -> None:
    call = call_of(one(0), one(1, screen=True), one(2))
    for seen in (Seen(), Seen("speaker", device(2))):
        places = places_of(call, seen, 1280, 720)
        screen = at(places, 1, SCREEN)
        assert screen.fit
        assert screen.width > 900
        assert all(place.width <= 256 for place in places if place is not screen)


def test_of_two_shared_screens_the_one_in_front_is_large() -> None:
    call = call_of(one(0), one(1, screen=True), one(2, screen=True))
    assert at(places_of(call, Seen("grid", device(2)), 1280, 720), 2, SCREEN).width > 900
    assert at(places_of(call, Seen(), 1280, 720), 1, SCREEN).width > 900


def test_alone_one_fills_the_picture_and_who_is_rung_has_no_place() -> None:
    rung = Participant(PersonId(b"r" * 32), DeviceId(b""), "Rung", ParticipantState.RINGING)
    [place] = places_of(call_of(one(0), rung), Seen("speaker"), 1280, 720)
    assert (place.peer, place.left, place.top, place.width, place.height) == (SELF, 0, 0, 1280, 720)


def test_sizes_are_even_and_sixteen_to_nine() -> None:
    sizes = [size_of(height) for height in (180, 360, 480, 481, 720, 1080)]
    assert sizes == [(320, 180), (640, 360), (854, 480), (854, 480), (1280, 720), (1920, 1080)]
