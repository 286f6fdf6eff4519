"""Calls between nodes in processes of their own: who rings, hears, sees, leaves, and what stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.calling import (
    NO_SOUND_BPS,
    Caller,
    crew,
    make_direct,
    talk,
    wait_end_written,
    wait_heard,
    wait_state,
)
from e2e.nodes import ApiError, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(200)]


def _hears_nothing(one: Caller, call: str, other: Caller) -> bool:
    row = one.figures(call, other)
    return bool(row) and row["audio_in_bps"] < NO_SOUND_BPS


def test_two_ring_talk_mute_and_hang_up_and_the_log_says_so(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), _general):
        direct = make_direct(ann, ben)
        call = ann.start(direct)
        assert ann.state(call) == "calling"
        wait_state(ben, call, "ringing")
        ben.join(call)
        talk(call, ann, ben)
        until(lambda: ann.figures(call, ben).get("width", 0) >= 320, "pictures of some size")
        row = until(lambda: ann.figures(call, ben), "figures")
        assert row["way"] == "host"
        assert "VP8" in row["codec"]

        ben.act(call, "mute", audio=False, hand=True)
        until(lambda: ann.sees(call, ben)["audio"] is False, "Ann sees that Ben is muted")
        until(lambda: ann.sees(call, ben)["hand"], "and his hand")
        until(lambda: _hears_nothing(ann, call, ben), "Ann hears nothing")
        assert ann.sees(call, ben)["state"] == "connected"
        ben.act(call, "mute", audio=True, video=False, hand=False)
        wait_heard(ann, call, ben)
        until(lambda: not ann.sees(call, ben)["video"], "Ann sees that the camera is off")
        until(lambda: ann.figures(call, ben).get("width") == 0, "and no picture")
        ben.act(call, "mute", video=True)
        talk(call, ann, ben)

        ben.act(call, "leave")
        for one in (ann, ben):
            wait_state(one, call, "ended")
            card = wait_end_written(one, direct, call)
            assert {each["person"] for each in card["participants"]} == {
                ann.node.person,
                ben.node.person,
            }
            assert card["duration_s"] >= 1
            assert card["video"]
            assert card["took_part"]
            assert card["started_by"] == ann.node.person
        assert len(ann.node.items(f"/chat/sessions/{direct}/messages")) == 2


def test_a_ring_is_declined_with_a_message_and_the_next_one_answered(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), _general):
        direct = make_direct(ann, ben)
        call = ann.start(direct, video=False)
        wait_state(ben, call, "ringing")
        ben.act(call, "decline", message="In a minute.")
        wait_state(ann, call, "ended")
        until(lambda: "In a minute." in ann.node.texts(direct), "the words of Ben")
        wait_end_written(ann, direct, call)
        until(lambda: ann.card(direct, call)["declined_by"], "Ann's card says who declined")
        card = wait_end_written(ben, direct, call)
        assert (card["took_part"], card["declined"], card["declined_by"]) == (False, True, [])
        again = ben.start(direct, video=False)
        wait_state(ann, again, "ringing")
        ann.join(again, video=False)
        talk(again, ann, ben, watch=False)
        ben.act(again, "leave")
        wait_state(ann, again, "ended")


def test_a_cancelled_ring_is_missed(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), _general):
        direct = make_direct(ann, ben)
        call = ann.start(direct, video=False)
        wait_state(ben, call, "ringing")
        ann.act(call, "leave")
        wait_state(ben, call, "ended")
        card = wait_end_written(ben, direct, call)
        assert card["duration_s"] == 0
        assert not card["took_part"]


def test_four_in_a_channel_come_go_and_come_back(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben", "cleo", "dan") as (callers, general):
        ann, ben, cleo, dan = callers
        call = ann.start(general)
        wait_state(ben, call, "ringing")
        ben.join(call)
        talk(call, ann, ben)
        # Who starts a call where one runs joins that one.
        assert cleo.start(general) == call
        talk(call, ann, ben, cleo)
        dan.join(call)
        talk(call, *callers)
        names = {one.node.name for one in callers}
        assert all(one.present(call) == names for one in callers)

        ben.act(call, "leave")
        wait_state(ben, call, "running")
        until(lambda: "ben" not in ann.present(call), "Ben is gone")
        ben.join(call)
        talk(call, *callers)

        # The starter leaves; the others go on, and the call is not over.
        ann.act(call, "leave")
        wait_state(ann, call, "running")
        until(lambda: dan.present(call) == names - {"ann"}, "Ann is gone")
        talk(call, ben, cleo, dan)
        assert until(lambda: cleo.card(general, call), "the card of Cleo")["ended_at"] is None
        for one in (ben, cleo, dan):
            one.act(call, "leave")
        for one in callers:
            wait_state(one, call, "ended")
            wait_end_written(one, general, call)
            until(lambda one=one: _named(one, general, call) == names, "who took part")  # type: ignore[misc]


def test_the_host_mutes_removes_locks_and_ends(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben", "cleo") as ((ann, ben, cleo), general):
        call = ann.start(general, video=False)
        for one in (ben, cleo):
            wait_state(one, call, "ringing")
        ben.join(call, video=False)
        talk(call, ann, ben, watch=False)
        with pytest.raises(ApiError) as refused:
            ben.act(call, "end")
        assert (refused.value.status, refused.value.code) == (403, "forbidden")
        ann.control(call, ben, "mute")
        until(lambda: ben.sees(call, ben)["audio"] is False, "Ben's microphone is off")
        until(lambda: _hears_nothing(ann, call, ben), "Ann hears nothing")
        ben.act(call, "mute", audio=True)
        wait_heard(ann, call, ben)

        assert ann.act(call, "lock", on=True)["locked"]
        until(lambda: cleo.room(call)["locked"], "Cleo sees the lock")
        with pytest.raises(ApiError) as refused:
            cleo.join(call)
        assert refused.value.code == "locked"
        ann.act(call, "lock", on=False)
        until(lambda: not cleo.room(call)["locked"], "Cleo sees it open")
        cleo.join(call, video=False)
        talk(call, ann, ben, cleo, watch=False)

        ann.control(call, ben, "remove")
        until(lambda: ben.room(call) is None or ben.state(call) != "joined", "Ben is out")
        until(lambda: cleo.present(call) == {"ann", "cleo"}, "for Cleo too")
        with pytest.raises(ApiError) as refused:
            ben.join(call)
        assert refused.value.code in ("removed", "not_found")
        talk(call, ann, cleo, watch=False)
        ann.act(call, "end")
        for one in (ann, ben, cleo):
            wait_state(one, call, "ended")
        wait_end_written(cleo, general, call)


def test_a_bot_answers_by_itself(tmp_path: Path) -> None:
    with crew(tmp_path, "ann", "ben") as ((ann, ben), general):
        ben.node.stop()
        ben.node.options = (*ben.node.options, "--answer")
        ben.node.start()
        until(lambda: ben.node.person in ann.node.linked(), "linked again", 40)
        call = ann.start(general)
        talk(call, ann, ben)


def _named(one: Caller, session: str, call: str) -> set[str]:
    """Who took part, by the card of the call."""
    return {each["name"] for each in one.card(session, call)["participants"]}
