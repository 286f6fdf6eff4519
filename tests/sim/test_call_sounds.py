"""What a call sounds like by itself, between shipped nodes: the plans that media gets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallPhase, ShareChoice
from folkmoot.services.values import PresenceState
from sim.calling import Caller, Party
from sim.test_calls import play
from sim.world import until

pytestmark = pytest.mark.blocks_loop("the simulated store works inline")


def _cues(caller: Caller) -> list[str]:
    """The short sounds that were to be played, in order."""
    plans = [command.plan for command in caller.media.of(port.SetAudio)]
    return [
        after.cue
        for before, after in zip([port.AudioPlan(), *plans], plans, strict=False)
        if after.cues != before.cues
    ]


def test_a_call_rings_with_the_microphone_closed_until_it_is_answered(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.host.media.running and ben.media.audio.tone == "ring", 5)
        assert not ben.host.media.opened
        assert ben.media.audio.sink == "device"
        await until(lambda: ann.media.audio.tone == "ringback", 2)
        await ben.calls.join(call.id)
        assert ben.media.audio.tone == ""
        await party.all_hear("ann", "ben", within_s=3)
        assert ann.media.audio.tone == ""

    play(tmp_path, story, "ann", "ben")


def test_a_ring_ends_at_once_with_the_answer_no(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.host.media.running and ben.media.audio.tone == "ring", 5)
        await ben.calls.decline(call.id)
        assert (ben.media.audio.tone, ben.media.audio.sink) == ("", "none")
        assert _cues(ben) == []

    play(tmp_path, story, "ann", "ben")


def test_a_ring_ends_when_nobody_answers(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.host.media.running and ben.media.audio.tone == "ring", 5)
        await until(lambda: ben.phase() is None, 50)
        assert ben.media.audio.tone == ""
        await until(lambda: ann.phase() is None, 5)
        assert ann.media.audio.tone == ""
        assert _cues(ann) == ["ended"]

    play(tmp_path, story, "ann", "ben")


def test_do_not_disturb_silences_a_ring_that_goes_on(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.host.media.running and ben.media.audio.tone == "ring", 5)
        await ben.host.node.presence.set(PresenceState.DND)
        await until(lambda: ben.media.audio.tone == "", 1)
        assert ben.phase() is CallPhase.RINGING

    play(tmp_path, story, "ann", "ben")


def test_during_a_call_another_one_knocks_unless_a_screen_is_shared(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben, cat = party["ann"], party["ben"], party["cat"]
        call = await party.talk(await party.direct("ann", "ben"), "ann", "ben")
        await cat.calls.start(await party.direct("ben", "cat"))
        await until(lambda: ben.media.audio.tone == "waiting", 5)
        assert ann.media.audio.tone == ""
        await ben.calls.share(call, ShareChoice("test"))
        await until(lambda: ben.media.audio.tone == "", 2)

    play(tmp_path, story, "ann", "ben", "cat")


def test_who_wants_no_ring_sees_it_only(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await ben.calls.set_choice(replace(ben.calls.choice(), ring=False))
        await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.phase() is CallPhase.RINGING and ben.host.media.running, 5)
        await asyncio.sleep(1)
        assert (ben.media.audio.tone, ben.media.audio.sink) == ("", "none")

    play(tmp_path, story, "ann", "ben")


def test_coming_going_and_the_end_are_one_sound_each(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben, cat = party["ann"], party["ben"], party["cat"]
        place = await party.direct("ann", "ben", "cat")
        call = await party.talk(place, "ann", "ben")
        assert _cues(ann) == ["joined"]
        assert _cues(ben) == [], "who was there before does not come"
        await until(lambda: cat.phase() is not None, 10)
        await cat.calls.join(call)
        await until(lambda: _cues(ann) == ["joined", "joined"], 3)
        assert _cues(ben) == ["joined"]
        await cat.calls.leave(call)
        await until(lambda: _cues(ann)[2:] == ["left"], 3)
        assert _cues(cat) == ["ended"]
        await ben.calls.leave(call)
        await asyncio.sleep(3)
        assert _cues(ben) == ["joined", "left", "ended"]

    play(tmp_path, story, "ann", "ben", "cat")
