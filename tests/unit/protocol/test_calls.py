"""The machine of calls: what follows from acts, words of others, media and time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.writers import seed
from folkmoot.domain.calls import CallEnd, CallId, CallPhase
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import ZERO, ConversationId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.book import MAX_ROOMS
from folkmoot.protocol.calls.room import MAX_PARTICIPANTS
from unit.protocol.calls_town import HIDDEN, OTHER_ROOM, ROOM, Someone, Town


def state(
    who: Someone,
    call: str,
    sequence: int,
    word: str = "joined",
    *,
    conversation: ConversationId = ROOM,
    rings: tuple[PersonId, ...] = (),
    flags: int = 0,
    host: PersonId | None = None,
) -> frames.CallState:
    """A word of somebody about a call."""
    return frames.CallState(
        seed("call", call), conversation, sequence, word, flags, 1, host or who.person, rings
    )


def test_the_other_devices_of_a_person_stop_ringing_when_one_answers() -> None:
    for answer, options in (("join", {"microphone": True, "camera": False}), ("decline", {})):
        town = Town("ann", "ben", "ben/2", "cat")
        call = town.start("ann", "a")
        town.flow()
        assert town["ben"].room().phase() is CallPhase.RINGING
        assert town["ben/2"].room().phase() is CallPhase.RINGING
        town.act("ben", answer, call, **options)
        town.flow()
        room = town["ben/2"].room()
        assert (room.phase(), room.end) == (CallPhase.RUNNING, CallEnd.ELSEWHERE)


def test_of_two_the_lower_device_offers_and_nothing_is_described_before_both_are_in() -> None:
    town = Town("ann", "ben")
    call = town.start("ann", "a")
    town.flow()
    assert town["ann"].of(fx.Connect) == town["ben"].of(fx.Connect) == []
    low, high = sorted(("ann", "ben"), key=lambda name: town[name].device)
    offer = frames.CallOffer(call, 1, "v=0\r\n")
    town.hear("ben", "ann", offer)
    assert town["ben"].of(fx.Describe) == []
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    assert town[low].of(fx.Connect) == [fx.Connect(town[high].device, 1, True)]
    assert town[high].of(fx.Connect) == []
    town.hear(low, high, offer)
    assert town[low].of(fx.Describe) == []
    town.hear(high, low, offer)
    assert town[high].of(fx.Connect) == [fx.Connect(town[low].device, 1, False)]


def test_a_description_of_an_older_connection_is_dropped() -> None:
    town = Town("ann", "ben")
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    low, high = sorted(("ann", "ben"), key=lambda name: town[name].device)
    town.hear(high, low, frames.CallOffer(call, 3, "v=0\r\n"))
    town.path(high, low)
    town.hear(high, low, frames.CallOffer(call, 2, "v=0\r\n"))
    town.hear(high, low, frames.CallOffer(call, 3, "v=0\r\n"))
    assert len(town[high].of(fx.Describe)) == 1
    town.hear(low, high, frames.CallAnswer(call, 9, "v=0\r\n"))
    assert town[low].of(fx.Describe) == []
    town.hear(low, high, frames.CallAnswer(call, 1, "v=0\r\n"))
    town.hear(low, high, frames.CallAnswer(call, 1, "v=1\r\n"))
    assert len(town[low].of(fx.Describe)) == 1


def test_who_leaves_last_writes_the_end_and_only_they() -> None:
    town = Town("ann", "ben", "cat")
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.pass_time(2)
    town.path("ann", "ben")
    town.path("ben", "ann")
    town.pass_time(30)
    town.act("ann", "leave", call)
    town.flow()
    town.pass_time(5)
    town.act("ben", "leave", call)
    town.flow()
    assert len(town["ann"].of(fx.Started)) == 1
    assert town["ann"].of(fx.Finished) == town["cat"].of(fx.Finished) == []
    [finished] = town["ben"].of(fx.Finished)
    assert isinstance(finished, fx.Finished)
    assert finished.persons == tuple(sorted((town["ann"].person, town["ben"].person)))
    assert 34 <= finished.seconds <= 36


def test_a_call_in_which_nobody_was_ever_heard_was_no_second_long() -> None:
    town = Town("ann", "ben", pair=True)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.pass_time(20)
    town.act("ben", "leave", call)
    town.flow()
    [finished] = town["ben"].of(fx.Finished)
    assert isinstance(finished, fx.Finished)
    assert (finished.seconds, len(finished.persons)) == (0, 2)


def test_a_call_in_which_somebody_was_heard_was_a_second_long_at_least() -> None:
    town = Town("ann", "ben", pair=True)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.path("ben", "ann")
    town.pass_time(0.25)
    town.act("ben", "leave", call)
    [finished] = town["ben"].of(fx.Finished)
    assert isinstance(finished, fx.Finished)
    assert finished.seconds == 1


@pytest.mark.parametrize("heard", [False, True])
def test_who_came_late_and_leaves_last_writes_how_long_the_others_talked(heard: bool) -> None:
    town = Town("ann", "ben", "cat")
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.pass_time(10)
    town.act("cat", "join", call, microphone=True, camera=False)
    town.flow()
    town.path("ann", "ben")
    town.path("ben", "ann")
    if heard:
        town.path("cat", "ann")
    town.pass_time(20)
    town.act("ann", "leave", call)
    town.flow()
    town.act("ben", "leave", call)
    town.flow()
    town.pass_time(5)
    town.act("cat", "leave", call)
    town.flow()
    [finished] = town["cat"].of(fx.Finished)
    assert isinstance(finished, fx.Finished)
    assert len(finished.persons) == 3
    assert 34 <= finished.seconds <= 36


def test_a_no_to_a_ring_is_written_down_and_no_other() -> None:
    town = Town("ann", "ben", "cat", pair=True)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "decline", call)
    town.act("ben", "decline", call)
    town.act("ann", "decline", call)  # that is hanging up
    town.flow()
    assert len(town["ben"].of(fx.Declined)) == 1
    assert town["ann"].of(fx.Declined) == town["cat"].of(fx.Declined) == []


def test_when_both_leave_at_once_the_end_is_written() -> None:
    for pair in (False, True):
        town = Town("ann", "ben", pair=pair)
        call = town.start("ann", "a")
        town.flow()
        town.act("ben", "join", call, microphone=True, camera=False)
        town.flow()
        town.pass_time(3)
        town.act("ann", "leave", call)
        town.act("ben", "leave", call)
        town.now += 0.1
        town.flow()
        assert town["ann"].of(fx.Finished)
        assert town["ben"].of(fx.Finished)
        assert town["ann"].machine.rooms() == town["ben"].machine.rooms() == []


def test_when_one_of_two_hangs_up_only_they_write_it_down() -> None:
    town = Town("ann", "ben", pair=True)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.act("ben", "leave", call)
    town.now += 0.1
    town.flow()
    assert town.joined() == {"ann": None, "ben": None}
    assert (len(town["ben"].of(fx.Finished)), town["ann"].of(fx.Finished)) == (1, [])


@pytest.mark.parametrize(("old", "new"), [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("both", [False, True])
def test_who_calls_again_right_after_hanging_up_rings_the_other_one(
    old: str, new: str, both: bool
) -> None:
    town = Town("ann", "ben", pair=True)
    call = town.start("ann", old)
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.act("ann", "leave", call)
    if both:
        town.act("ben", "leave", call)
    # Ann has not heard yet that Ben is gone.
    again = town.start("ann", new)
    town.flow()
    town.pass_time(1)
    room = town["ben"].room()
    assert (room.id, room.rings_here) == (again, True)
    town.act("ben", "join", again, microphone=True, camera=False)
    town.flow()
    town.pass_time(5)
    both_of_them = frozenset((town["ann"].device, town["ben"].device))
    assert set(town.joined().values()) == {(again, both_of_them)}


def test_a_call_of_two_may_be_taken_back_by_another_device_of_one() -> None:
    town = Town("ann", "ann/2", "ben", pair=True)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.act("ann/2", "join", call, microphone=True, camera=False)
    town.flow()
    town.act("ann", "leave", call)
    town.flow()
    assert town.start("ann", "b") != call
    town.flow()
    assert {found and found[0] for found in town.joined().values()} == {call}


def test_a_call_rings_whom_somebody_in_it_wants_and_nobody_else() -> None:
    town = Town("ann", "ben", "cat")
    call = town.start("ann", "a", ring=False)
    town.flow()
    assert {town[name].room().phase() for name in ("ben", "cat")} == {CallPhase.RUNNING}
    town.act("ann", "ring", call, [town["ben"].person])
    town.flow()
    assert town["ben"].room().phase() is CallPhase.RINGING
    assert town["cat"].room().phase() is CallPhase.RUNNING
    assert town.try_act("cat", "ring", call, [town["ben"].person]) == "not_in_call"
    assert town.try_act("ann", "ring", call, [town["ann"].person]) == "not_found"


def test_who_missed_a_ring_or_left_is_rung_again_and_who_declined_is_not() -> None:
    town = Town("ann", "ben", "cat", "dan")
    call = town.start("ann", "a")
    town.flow()
    town.act("cat", "join", call, microphone=True, camera=False)
    town.act("dan", "decline", call)
    town.flow()
    town.pass_time(50)
    town.act("cat", "leave", call)
    town.flow()
    assert town["ben"].room().phase() is CallPhase.RUNNING
    town.act("ann", "ring", call, [town[name].person for name in ("ben", "cat", "dan")])
    town.flow()
    assert town["ben"].room().phase() is town["cat"].room().phase() is CallPhase.RINGING
    assert town["dan"].room().phase() is CallPhase.RUNNING
    town.act("cat", "join", call, microphone=True, camera=False)
    town.flow()
    assert town["cat"].room().phase() is CallPhase.JOINED


def test_who_declined_in_a_larger_call_is_seen_for_a_moment() -> None:
    town = Town("ann", "ben", "cat")
    call = town.start("ann", "a", ring=False)
    town.act("ann", "ring", call, [town["ben"].person])
    town.flow()
    town.act("ben", "decline", call)
    town.flow()
    own = town["ann"].room().own
    assert own is not None
    assert list(own.rings) == [town["ben"].person]
    town.pass_time(7)
    assert list(own.rings) == []


def test_a_call_that_merged_at_once_is_not_written_down() -> None:
    town = Town("ann", "ben", pair=True)
    first, second = town.start("ann", "a"), town.start("ben", "b")
    town.flow()
    loser = "ann" if first > second else "ben"
    town.pass_time(5)
    assert town[loser].of(fx.Started) == town[loser].of(fx.Finished) == []
    [one, other] = town.joined().values()
    assert one == other


def test_the_twenty_sixth_is_told_that_it_is_full() -> None:
    names = [f"p{number}" for number in range(MAX_PARTICIPANTS + 1)]
    town = Town(*names)
    call = town.start("p0", "a", ring=False)
    town.flow()
    for name in names[1:MAX_PARTICIPANTS]:
        assert not town.try_act(name, "join", call, microphone=True, camera=False)
        town.flow()
    assert town.try_act(names[-1], "join", call, microphone=True, camera=False) == "full"
    assert len(town["p0"].room().legs) == MAX_PARTICIPANTS - 1


def test_two_who_take_the_last_place_at_once_leave_nobody_behind() -> None:
    names = [f"p{number}" for number in range(MAX_PARTICIPANTS + 1)]
    town = Town(*names)
    call = town.start("p0", "a", ring=False)
    town.flow()
    for name in names[1 : MAX_PARTICIPANTS - 1]:
        town.act(name, "join", call, microphone=True, camera=False)
        town.flow()
    town.pass_time(11, 1)
    for name in names[-2:]:
        town.act(name, "join", call, microphone=True, camera=False)
    town.flow()
    assert len(town["p0"].room().legs) <= MAX_PARTICIPANTS - 1
    for name in names[:-2]:
        assert town.joined()[name] is not None


# --- somebody who keeps to no rule ---------------------------------------------------------------


def test_thousands_of_call_ids_of_one_device_are_one_call_and_few_rings() -> None:
    town = Town("ann", "mal")
    rung = 0
    for number in range(3000):
        frame = state(town["mal"], f"{number}", number, rings=(town["ann"].person,))
        town.hear("ann", "mal", frame)
        rung += town["ann"].room().phase() is CallPhase.RINGING
    assert len(town["ann"].machine.rooms()) == 1
    assert len(town["ann"].machine._book.rooms) == 1
    assert rung <= 4
    for number in range(3000):
        word = state(town["mal"], f"n{number}", 4000 + number, "declined")
        town.hear("ann", "mal", word)
    assert len(town["ann"].machine._book.rooms) <= MAX_ROOMS


def test_words_about_a_conversation_that_one_may_not_see_are_ignored() -> None:
    town = Town("ann", "mal")
    hidden = state(town["mal"], "x", 1, conversation=HIDDEN, rings=(town["ann"].person,))
    town.hear("ann", "mal", hidden)
    town.rights.persons.discard(town["mal"].person)
    town.hear("ann", "mal", state(town["mal"], "x", 2, rings=(town["ann"].person,)))
    assert town["ann"].machine.rooms() == []
    assert town["ann"].done == []


def test_descriptions_for_a_call_that_one_is_not_in_do_nothing() -> None:
    town = Town("ann", "mal")
    for frame in (
        frames.CallOffer(seed("call", "x"), 1, "v=0\r\n"),
        frames.CallAnswer(seed("call", "x"), 1, "v=0\r\n"),
        frames.CallAgain(seed("call", "x"), 1),
        frames.CallAct(seed("call", "x"), "end", PersonId(ZERO)),
        frames.CallReact(seed("call", "x"), "a"),
    ):
        town.hear("ann", "mal", frame)
    assert town["ann"].done == []


def test_a_flood_of_offers_makes_few_connections() -> None:
    town = Town("ann", "ben")
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    low, high = sorted(("ann", "ben"), key=lambda name: town[name].device)
    for number in range(1, 1000):
        town.hear(high, low, frames.CallOffer(call, number, "v=0\r\n"))
        town.hear(low, high, frames.CallAgain(call, number))
    assert len(town[high].of(fx.Connect)) <= 4
    assert len(town[low].of(fx.Connect)) <= 2


def test_acts_without_the_right_do_nothing() -> None:
    town = Town("ann", "ben", "mal")
    call = town.start("ann", "a")
    town.flow()
    for name in ("ben", "mal"):
        town.act(name, "join", call, microphone=True, camera=False)
        town.flow()
    before = town.joined()
    for action in ("mute", "remove", "lock", "end"):
        for name in ("ann", "ben"):
            town.hear(name, "mal", frames.CallAct(call, action, town["ben"].person))
    town.flow()
    assert town.joined() == before
    own = town["ben"].room().own
    assert own is not None
    assert own.microphone
    assert not town["ben"].room().locked


def test_who_claims_to_be_the_host_of_a_running_call_is_not() -> None:
    town = Town("ann", "ben", "mal")
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    town.hear("ben", "mal", state(town["mal"], "a", 50, host=town["mal"].person))
    town.hear("ben", "mal", frames.CallAct(call, "end", PersonId(ZERO)))
    assert town["ben"].machine.own_room() is not None


def test_who_was_removed_is_refused_whatever_they_say() -> None:
    town = Town("ann", "ben", "mal")
    call = town.start("ann", "a")
    town.flow()
    for name in ("ben", "mal"):
        town.act(name, "join", call, microphone=True, camera=False)
        town.flow()
    town.act("ann", "act", call, "remove", town["mal"].person)
    town.flow()
    assert town.joined()["mal"] is None
    for number in range(1000, 1020):
        for name in ("ann", "ben"):
            town.hear(name, "mal", state(town["mal"], "a", number))
            town.hear(name, "mal", frames.CallOffer(call, number, "v=0\r\n"))
    for name in ("ann", "ben"):
        assert town["mal"].device not in town[name].room().legs
        assert town["mal"].device not in town[name].room().others


def test_an_admin_is_removed_by_admins_only() -> None:
    town = Town("ann", "ben")
    town.rights.admins.add(town["ben"].person)
    call = town.start("ann", "a")
    town.flow()
    town.act("ben", "join", call, microphone=True, camera=False)
    town.flow()
    assert town.try_act("ann", "act", call, "remove", town["ben"].person) == "forbidden"
    town.hear("ben", "ann", frames.CallAct(call, "remove", town["ben"].person))
    assert town.joined()["ben"] is not None


def test_an_ended_call_is_not_heard_of_again() -> None:
    town = Town("ann", "ben", "mal")
    call = town.start("ann", "a")
    town.flow()
    town.act("ann", "act", call, "end")
    town.flow()
    for number in range(100, 110):
        town.hear("ben", "mal", state(town["mal"], "a", number, rings=(town["ben"].person,)))
    assert town["ben"].machine.rooms() == []


def test_a_device_cannot_be_in_two_calls_nor_move_a_call_elsewhere() -> None:
    town = Town("ann", "mal")
    town.hear("ann", "mal", state(town["mal"], "x", 1))
    town.hear("ann", "mal", state(town["mal"], "x", 2, conversation=OTHER_ROOM))
    assert town["ann"].room().conversation == ROOM
    town.hear("ann", "mal", state(town["mal"], "y", 3, conversation=OTHER_ROOM))
    assert town["ann"].room().id == CallId(seed("call", "y"))


def test_states_and_acts_that_do_not_exist_break_the_link() -> None:
    town = Town("ann", "mal")
    for frame in (
        state(town["mal"], "x", 1, "zzz"),
        frames.CallAct(seed("call", "x"), "zzz", PersonId(ZERO)),
    ):
        with pytest.raises(PeerError):
            town.hear("ann", "mal", frame)


# --- any order -----------------------------------------------------------------------------------

_NAMES = ("ann", "ben", "ben/2", "cat")
_ACTS = ("start", "join", "leave", "decline", "hand", "wait", "arrive", "arrive", "arrive")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(_ACTS), max_size=40), st.booleans())
def test_whatever_happens_in_whatever_order_all_see_the_same_in_the_end(
    number: int, acts: list[str], pair: bool
) -> None:
    chance = random.Random(number)
    town = Town(*_NAMES, pair=pair)
    for count, act in enumerate(acts):
        name = chance.choice(_NAMES)
        known = town[name].machine.rooms()
        call = chance.choice(known).id if known else CallId(seed("call", "none"))
        if act == "start":
            town.start(name, f"{count}", ring=chance.random() < 0.7)
        elif act == "join":
            town.try_act(name, "join", call, microphone=True, camera=False)
        elif act in ("leave", "decline"):
            town.try_act(name, act, call)
        elif act == "hand":
            town.try_act(name, "set_flag", call, "hand", True)
        elif act == "arrive":
            town.arrive_one(chance)
        else:
            town.now += chance.random() * 3
            town._do(name, "tick")
    town.flow(chance)
    town.pass_time(60, 1)
    town.flow()
    seen = town.joined()
    there = frozenset(town[name].device for name, at in seen.items() if at is not None)
    calls = {at[0] for at in seen.values() if at is not None}
    assert len(calls) <= 1
    for name, at in seen.items():
        if at is not None:
            assert at[1] == there, name
        else:
            present = {s.device for room in town[name].machine.rooms() for s in room.present()}
            assert present == there, name
