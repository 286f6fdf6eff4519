"""Sharing, recording and ink in the machine of calls: who says what, who may draw, how fast."""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.writers import seed
from folkmoot.domain.calls import CallId
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import frames
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.room import INK_BURST, INK_PER_S
from unit.protocol.calls_town import HIDDEN, OTHER_ROOM, ROOM, Town

POINT = (100, 200)


def talk(*names: str) -> tuple[Town, CallId]:
    """A call in which all of them are; the first one shares its screen."""
    town = Town(*names)
    call = town.start(names[0], "a", ring=False)
    town.flow()
    for name in names[1:]:
        town.act(name, "join", call, microphone=True, camera=False)
        town.flow()
    town.act(names[0], "set_flag", call, "screen", True)
    town.flow()
    return town, call


def ink(
    town: Town,
    call: bytes,
    presenter: str,
    action: str = "point",
    places: tuple[int, ...] = POINT,
    stroke: int = 0,
) -> frames.CallInk:
    """A word of ink on what `presenter` shares."""
    return frames.CallInk(call, town[presenter].device, action, stroke, places)


def inked(town: Town, name: str) -> list[fx.Inked]:
    """What somebody was to show."""
    return [one for one in town[name].of(fx.Inked) if isinstance(one, fx.Inked)]


def flags(town: Town, name: str, other: str) -> int:
    """The flags of `other` as `name` knows them."""
    return town[name].room().others[town[other].device].flags


def test_sharing_pausing_and_recording_are_said_to_everybody() -> None:
    town, call = talk("ann", "ben")
    assert flags(town, "ben", "ann") & frames.CALL_SCREEN
    for flag, bit in (("paused", frames.CALL_PAUSED), ("recording", frames.CALL_RECORDS)):
        town.act("ann", "set_flag", call, flag, True)
        town.flow()
        assert flags(town, "ben", "ann") & bit
        town.act("ann", "set_flag", call, flag, False)
        town.flow()
        assert not flags(town, "ben", "ann") & bit


def test_who_comes_later_hears_of_a_recording_before_media_flows() -> None:
    town = Town("ann", "ben")
    call = town.start("ann", "a", ring=False)
    town.act("ann", "set_flag", call, "recording", True)
    town.flow()
    assert flags(town, "ben", "ann") & frames.CALL_RECORDS, "known before joining"
    town.cut("ann", "ben")
    town.wires["ann", "ben"] = deque()
    town._do("ann", "link_up", town["ben"].device, town["ben"].person)
    first = town.wires["ann", "ben"][0]
    assert isinstance(first, frames.CallState)
    assert first.flags & frames.CALL_RECORDS


def test_the_pause_of_a_share_that_is_not_there_is_not_said() -> None:
    town, call = talk("ann", "ben")
    town.act("ann", "set_flag", call, "paused", True)
    town.act("ann", "set_flag", call, "screen", False)
    town.flow()
    assert not flags(town, "ben", "ann") & (frames.CALL_SCREEN | frames.CALL_PAUSED)


def test_sharing_and_recording_end_with_the_call() -> None:
    for way in ("leave", "removed", "ended"):
        town, call = talk("ann", "ben", "cat")
        town.act("ann", "set_flag", call, "recording", True)
        town.rights.admins.add(town["cat"].person)
        if way == "leave":
            town.act("ann", "leave", call)
        elif way == "removed":
            town.act("cat", "act", call, "remove", town["ann"].person)
        else:
            town.act("cat", "act", call, "end")
        own = [room.own for room in town["ann"].machine.rooms()]
        town.flow()
        assert not any(one is not None and (one.screen or one.recording) for one in own), way
        assert town["ann"].machine.own_room() is None


def test_a_share_does_not_go_over_to_another_call() -> None:
    town, call = talk("ann", "ben")
    town.act("ann", "set_flag", call, "recording", True)
    town.act("ann", "start", CallId(seed("x")), OTHER_ROOM, video=False, ring=False, wall_ms=1)
    town.flow()
    own = town["ann"].machine.own_room()
    assert own is not None
    assert own.own is not None
    assert (own.own.screen, own.own.paused, own.own.recording) == (False, False, False)


def test_a_pointer_goes_to_everybody_in_the_call_and_to_oneself() -> None:
    town, call = talk("ann", "ben", "cat", "dan")
    town.act("dan", "leave", call)
    town.flow()
    town.act("ben", "ink", call, town["ann"].device, "point", 0, POINT)
    town.flow()
    for name in ("ann", "ben", "cat"):
        [one] = inked(town, name)
        assert (one.device, one.person) == (town["ben"].device, town["ben"].person)
        assert (one.presenter, one.action, one.places) == (town["ann"].device, "point", POINT)
    assert inked(town, "dan") == []


def test_the_flags_of_who_is_not_in_the_call_count_for_nothing() -> None:
    town, call = talk("ann", "ben", "cat")
    town.act("cat", "leave", call)
    town.flow()
    every = frames.CALL_SCREEN | frames.CALL_PAUSED | frames.CALL_RECORDS
    for sequence, word in enumerate(("declined", "busy", "left"), 100):
        said = frames.CallState(call, ROOM, sequence, word, every, 1, town["ann"].person, ())
        town.hear("ben", "cat", said)
        room = town["ben"].room()
        stand = room.others.get(town["cat"].device)
        assert stand is None or not any(map(stand.shows, (every, frames.CALL_RECORDS))), word
        assert not room.shares(town["cat"].device)
        town.hear("ben", "ann", ink(town, call, "cat"))
    assert inked(town, "ben") == []


@pytest.mark.parametrize("way", ["outsider", "other call", "nothing shared", "unknown presenter"])
def test_ink_that_may_not_be_is_dropped_in_silence(way: str) -> None:
    town, call = talk("ann", "ben", "cat")
    frame = ink(town, call, "ann")
    if way == "outsider":
        town.act("cat", "leave", call)
        town.flow()
    elif way == "other call":
        frame = ink(town, seed("another call"), "ann")
    elif way == "nothing shared":
        frame = ink(town, call, "ben")
    else:
        frame = frames.CallInk(call, seed("nobody"), "point", 0, POINT)
    town.hear("ben", "cat", frame)
    town.hear("ann", "cat", frame)
    assert inked(town, "ben") == inked(town, "ann") == []


def test_who_may_not_see_the_conversation_any_more_draws_nothing() -> None:
    town, call = talk("ann", "ben", "cat")
    town.rights.persons.discard(town["cat"].person)
    for name in ("ann", "ben"):
        town._do(name, "rights_changed")
    town.hear("ben", "cat", ink(town, call, "ann"))
    assert inked(town, "ben") == []
    assert not town.rights.may_see(HIDDEN, town["cat"].person)


def test_only_the_presenter_clears() -> None:
    town, call = talk("ann", "ben", "cat")
    clear = ink(town, call, "ann", "clear", ())
    town.hear("cat", "ben", clear)
    town.hear("ann", "ben", clear)
    assert inked(town, "cat") == inked(town, "ann") == []
    assert town.try_act("ben", "ink", call, town["ann"].device, "clear", 0, ()) == "forbidden"
    town.act("ann", "ink", call, town["ann"].device, "clear", 0, ())
    town.flow()
    assert [one.action for one in inked(town, "cat")] == ["clear"]


@pytest.mark.parametrize(
    ("action", "places"),
    [
        ("point", ()),
        ("point", (1,)),
        ("point", (1, 2, 3, 4)),
        ("stroke", ()),
        ("stroke", (1, 2, 3)),
        ("gone", (1, 2)),
        ("clear", (1, 2)),
        ("scribble", (1, 2)),
        ("", ()),
    ],
)
def test_ink_that_no_honest_device_sends_ends_the_link(
    action: str, places: tuple[int, ...]
) -> None:
    town, call = talk("ann", "ben")
    with pytest.raises(PeerError) as refused:
        town.hear("ann", "ben", ink(town, call, "ann", action, places))
    assert refused.value.code == "bad_frame"
    assert town.try_act("ben", "ink", call, town["ann"].device, action, 0, places) == "bad_ink"


def test_a_flood_of_ink_is_cut_and_the_pointer_still_ends() -> None:
    town, call = talk("ann", "ben", "cat")
    for _ in range(1000):
        town.hear("ann", "ben", ink(town, call, "ann"))
    assert len(inked(town, "ann")) == INK_BURST
    town.hear("ann", "ben", ink(town, call, "ann", "gone", ()))
    assert inked(town, "ann")[-1].action == "gone"
    town.hear("ann", "cat", ink(town, call, "ann"))
    assert inked(town, "ann")[-1].device == town["cat"].device, "others are not cut for it"
    before = len(inked(town, "ann"))
    town.now += 1
    for _ in range(1000):
        town.hear("ann", "ben", ink(town, call, "ann"))
    assert len(inked(town, "ann")) - before == INK_PER_S
    for _ in range(1000):
        town.hear("ann", "ben", ink(town, call, "ann", "gone", ()))
    assert len(inked(town, "ann")) - before - INK_PER_S <= 10


def test_own_ink_is_not_sent_faster_than_others_take_it() -> None:
    town, call = talk("ann", "ben")
    for number in range(500):
        town.act("ben", "ink", call, town["ann"].device, "stroke", number, POINT)
    town.flow()
    assert len(inked(town, "ann")) == len(inked(town, "ben")) == INK_BURST


def test_on_what_is_not_shared_nobody_draws() -> None:
    town, call = talk("ann", "ben")
    town.act("ann", "set_flag", call, "screen", False)
    town.flow()
    device = town["ann"].device
    assert town.try_act("ben", "ink", call, device, "point", 0, POINT) == "not_shared"
    assert town.try_act("ann", "ink", call, device, "clear", 0, ()) == "not_shared"
    town.act("ben", "leave", call)
    assert town.try_act("ben", "ink", call, device, "point", 0, POINT) == "not_in_call"


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(("ann", "ben", "cat")),
        st.sampled_from(("join", "leave", "screen", "off", "record", "ink", "clear", "wait")),
        st.sampled_from(("ann", "ben", "cat")),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(_ACTS, st.integers(0, 2**32))
def test_ink_is_shown_only_where_all_that_it_needs_holds(
    acts: list[tuple[str, str, str]], chance: int
) -> None:
    """Whatever happens in whatever order: who shows ink is in the call, and so is who drew it and
    who shares; and after all was heard everybody knows the same flags."""
    town, call = talk("ann", "ben", "cat")
    order = random.Random(chance)
    for who, act, other in acts:
        device: DeviceId = town[other].device
        if act == "join":
            town.try_act(who, "join", call, microphone=True, camera=False)
        elif act == "leave":
            town.try_act(who, "leave", call)
        elif act in ("screen", "off", "record"):
            flag = "recording" if act == "record" else "screen"
            town.try_act(who, "set_flag", call, flag, act != "off")
        elif act in ("ink", "clear"):
            places = POINT if act == "ink" else ()
            word = "point" if act == "ink" else "clear"
            town.try_act(who, "ink", call, device, word, 0, places)
        else:
            town.now += 0.1
        before = {name: len(inked(town, name)) for name in town.people}
        for _ in range(order.randrange(4)):
            town.arrive_one(order)
        for name, someone in town.people.items():
            for one in inked(town, name)[before[name] :]:
                room = someone.machine.own_room()
                assert room is not None
                assert one.device in room.others or one.device == someone.device
                assert room.shares(one.presenter) or one.presenter == someone.device
                assert one.action != "clear" or one.device == one.presenter
    town.flow()
    town.pass_time(6)
    for name, someone in town.people.items():
        room = someone.machine.own_room()
        for other, theirs in town.people.items():
            own = theirs.machine.own_room()
            if room is None or own is None or name == other or own.own is None:
                continue
            stand = room.others[theirs.device]
            assert stand.shows(frames.CALL_SCREEN) == own.own.screen
            assert stand.shows(frames.CALL_RECORDS) == own.own.recording
