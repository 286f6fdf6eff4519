"""Calls between shipped nodes on virtual time: ringing, answering, merging, losing links."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest

from fakes.transport import Faults, MemoryTransport
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ZERO, PersonId
from folkmoot.protocol import frames
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallEnd, CallPhase, CallRecord, ParticipantState
from folkmoot.services.values import PresenceState
from sim.attackers import dial, turn
from sim.calling import Caller, Party, gather
from sim.loop import sim_loop
from sim.world import keys_of, until

pytestmark = pytest.mark.blocks_loop("the simulated store works inline")

Story = Callable[[Party], Awaitable[None]]


def play(folder: Path, story: Story, *names: str, seed: int = 1) -> None:
    """Tell a story of these persons, on a loop of its own."""

    async def told() -> None:
        party = await gather(folder, *names, seed=seed)
        await story(party)
        bugs = [bug for host in party.world.hosts.values() for bug in host.bugs]
        await party.world.aclose()
        assert bugs == []

    sim_loop(seed).run(told())


def test_a_call_rings_is_answered_and_ends_for_both_when_one_hangs_up(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        place = await party.direct("ann", "ben")
        call = await ann.calls.start(place)
        assert call.phase is CallPhase.CALLING
        await until(lambda: ben.phase() is CallPhase.RINGING, 2)
        await ben.calls.join(call.id)
        await party.all_hear("ann", "ben", within_s=3)
        assert ann.phase() is ben.phase() is CallPhase.JOINED
        await ben.calls.leave(call.id)
        await until(lambda: ann.phase() is None and ben.phase() is None, 3)
        assert ann.end() is ben.end() is CallEnd.LEFT

    play(tmp_path, story, "ann", "ben")


def test_no_device_opens_before_the_person_answers(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await ann.calls.start(await party.direct("ann", "ben"), video=True)
        await until(lambda: ben.host.media.running, 5)
        await asyncio.sleep(20)
        assert ben.phase() is CallPhase.RINGING
        assert not ben.host.media.opened
        assert ben.media.of(port.Connect) == []
        await ben.calls.join(call.id)
        await until(lambda: ben.media.audio.open, 2)
        assert not ben.media.video.open
        await ben.calls.leave(call.id)
        assert not ben.media.audio.open

    play(tmp_path, story, "ann", "ben")


def test_a_call_can_be_declined_with_a_message(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        place = await party.direct("ann", "ben")
        call = await ann.calls.start(place)
        await until(lambda: ben.phase() is CallPhase.RINGING, 2)
        await ben.calls.decline(call.id, "In a meeting, later?")
        await until(lambda: ann.phase() is None and ben.phase() is None, 3)
        assert ann.end() is ben.end() is CallEnd.DECLINED
        page = await ben.host.node.messages.page(place)
        assert "In a meeting, later?" in [message.text for message in page.messages]

        async def card(caller: Caller) -> CallRecord | None:
            told = (await caller.host.node.messages.page(place)).messages
            return next((message.call for message in told if message.call is not None), None)

        await asyncio.sleep(10)
        one, other = await card(ann), await card(ben)
        assert one is not None
        assert other is not None
        assert (one.declined, [person for person, _ in one.declined_by]) == (False, [ben.person])
        assert (other.declined, other.declined_by, other.missed) == (True, (), False)
        [shown] = [c for c in await ben.host.node.conversations.list() if c.id == place]
        assert shown.unread == 1, "what ann wrote before; a call that was declined is no news"

    play(tmp_path, story, "ann", "ben")


def test_a_cancelled_call_is_missed(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.phase() is CallPhase.RINGING, 2)
        await ann.calls.leave(call.id)
        await until(lambda: ben.phase() is None, 2)
        assert (ann.end(), ben.end()) == (CallEnd.LEFT, CallEnd.MISSED)

    play(tmp_path, story, "ann", "ben")


def test_nobody_answers_within_45_seconds(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await ann.calls.start(await party.direct("ann", "ben"))
        await until(lambda: ben.phase() is CallPhase.RINGING, 2)
        await asyncio.sleep(42)
        assert ben.phase() is CallPhase.RINGING
        await until(lambda: ann.phase() is None and ben.phase() is None, 5)
        assert (ann.end(), ben.end()) == (CallEnd.NO_ANSWER, CallEnd.MISSED)

    play(tmp_path, story, "ann", "ben")


def test_whoever_wants_not_to_be_disturbed_is_busy_and_hears_no_ring(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        place = await party.direct("ann", "ben")
        await ben.host.node.presence.set(PresenceState.DND)
        await ann.calls.start(place)
        await until(lambda: ann.phase() is None, 5)
        assert ann.end() is CallEnd.BUSY
        phases = {e.call.phase for e in ben.events if hasattr(e, "call")}
        assert CallPhase.RINGING not in phases
        assert not ben.host.media.running

    play(tmp_path, story, "ann", "ben")


def test_nobody_who_is_away_can_be_rung(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        place = await party.direct("ann", "ben")
        await ben.host.stop()
        await until(lambda: not ann.host.node.links.members(), 20)
        call = await ann.calls.start(place)
        assert call.participants[1].state is ParticipantState.UNREACHABLE
        await until(lambda: ann.phase() is None, 7)
        assert ann.end() is CallEnd.UNREACHABLE

    play(tmp_path, story, "ann", "ben")


def test_two_who_call_each_other_at_once_are_in_one_call(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        place = await party.direct("ann", "ben")
        party.world.network.faults = Faults(delay_s=(0.05, 0.1))
        first = await ann.calls.start(place)
        second = await ben.calls.start(place, video=True)
        await party.all_hear("ann", "ben", within_s=8)
        assert ann.call.id == ben.call.id == min(first.id, second.id)
        await asyncio.sleep(60)
        assert ann.phase() is ben.phase() is CallPhase.JOINED

    for seed in (1, 2, 3, 4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(folder, story, "ann", "ben", seed=seed)


def test_two_calls_in_a_channel_become_one(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        place = party.crew.channel
        world = party.world
        for left in ("ann", "ben"):
            for right in ("cat", "dan"):
                world.network.part(world[left].ip, world[right].ip)
        await party.talk(place, "ann", "ben")
        await party.talk(place, "cat", "dan")
        world.network.heal()
        await party.all_hear("ann", "ben", "cat", "dan", within_s=90)

    play(tmp_path, story, "ann", "ben", "cat", "dan")


def test_a_running_call_can_be_joined_left_and_joined_again(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        call = await party.talk(party.crew.channel, "ann", "ben")
        cat = party["cat"]
        await until(lambda: cat.phase() is not None, 3)
        await cat.calls.join(call)
        await party.all_hear("ann", "ben", "cat")
        await cat.calls.leave(call)
        assert cat.phase() is CallPhase.RUNNING
        await party.all_hear("ann", "ben")
        await cat.calls.join(call)
        await party.all_hear("ann", "ben", "cat")

    play(tmp_path, story, "ann", "ben", "cat")


def test_who_starts_another_call_leaves_the_first(tmp_path: Path) -> None:
    async def told(party: Party) -> None:
        await party.talk(party.crew.channel, "ann", "ben", "cat")
        place = await party.direct("cat", "ann")
        await party["cat"].calls.start(place)
        await until(lambda: party["ben"].connected() == {party["ann"].device}, 5)
        phases = sorted(one.phase for one in party["ann"].calls.list())
        assert phases == [CallPhase.JOINED, CallPhase.RINGING]

    play(tmp_path, told, "ann", "ben", "cat")


def test_a_lost_link_ends_nothing_while_media_flows(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        party.world.network.part(ann.host.ip, ben.host.ip)
        await asyncio.sleep(120)
        assert ann.host.node.links.members() == []
        assert ann.connected() == {ben.device}
        party.world.network.heal()
        await until(lambda: bool(ann.host.node.links.members()), 90)
        await ben.calls.set_hand(ben.call.id, True)
        await until(lambda: ann.call.participants[1].hand, 3)

    play(tmp_path, story, "ann", "ben")


def test_who_is_silent_without_a_link_is_gone_after_30_seconds(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        party.world.network.part(ann.host.ip, ben.host.ip)
        await asyncio.sleep(1)
        ann.host.media.works = ben.host.media.works = False
        ann.media.silence(ben.device)
        await asyncio.sleep(25)
        assert ann.states() == {ben.device: ParticipantState.RECONNECTING}
        await until(lambda: ann.states() == {}, 12)

    play(tmp_path, story, "ann", "ben")


def test_silent_media_gets_a_new_connection_with_growing_pauses(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        low, high = sorted((ann, ben), key=lambda one: one.device)
        low.host.media.works = high.host.media.works = False
        high.media.silence(low.device)  # one side alone hears nothing and asks for another
        await asyncio.sleep(20)
        numbers = [command.connection for command in low.media.of(port.Connect)]
        assert numbers == list(range(1, len(numbers) + 1))
        assert 4 <= len(numbers) <= 6
        low.media.silence(high.device)
        low.host.media.works = high.host.media.works = True
        await party.all_hear("ann", "ben", within_s=9)

    play(tmp_path, story, "ann", "ben")


def test_a_media_process_that_dies_is_replaced_within_3_seconds(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        was = ann.media
        was.crash()
        assert ann.states() == {ben.device: ParticipantState.RECONNECTING}
        await until(lambda: ann.media is not was and ben.device in ann.media.flowing, 3)
        assert ann.media.audio.open
        assert ann.media.newest[ben.device] == 2
        assert "media_restarted" in ann.notices()
        await party.all_hear("ann", "ben", within_s=1)

    play(tmp_path, story, "ann", "ben")


def test_a_media_process_that_dies_three_times_ends_the_call_in_words(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann = party["ann"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        for count in (2, 3):
            ann.media.crash()
            await until(lambda count=count: len(ann.host.media.started) == count, 3)  # type: ignore[misc]
        ann.media.crash()
        await asyncio.sleep(5)
        assert len(ann.host.media.started) == 3
        assert ann.end() is CallEnd.NO_MEDIA
        assert ann.notices()[-1] == "no_media"
        await ann.calls.join(call)
        await party.all_hear("ann", "ben")

    play(tmp_path, story, "ann", "ben")


def test_the_media_process_ends_a_minute_after_the_last_call(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann = party["ann"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.leave(call)
        await asyncio.sleep(55)
        assert ann.host.media.running
        await asyncio.sleep(10)
        assert not ann.host.media.running

    play(tmp_path, story, "ann", "ben")


def test_a_changed_network_is_noticed_at_once_in_a_call(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        party.world.network.part(ann.host.ip, ben.host.ip)
        await asyncio.sleep(1)  # what media needs to call it silence
        ann.media.silence(ben.device)
        ben.media.silence(ann.device)
        party.world.network.heal()  # the new way is there, the old link is dead
        party.world.network.break_streams(ann.host.ip, ben.host.ip)
        await party.all_hear("ann", "ben", within_s=2)

    play(tmp_path, story, "ann", "ben")


def test_a_removed_person_is_out_and_stays_out(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, cat = party["ann"], party["cat"]
        call = await party.talk(party.crew.channel, "ann", "ben", "cat")
        await ann.calls.remove(call, cat.person)
        await party.all_hear("ann", "ben", within_s=3)
        assert cat.end() is CallEnd.REMOVED
        with pytest.raises(UserError, match="removed"):
            await cat.calls.join(call)

    play(tmp_path, story, "ann", "ben", "cat")


def test_a_member_without_the_right_controls_nothing(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        call = await party.talk(party.crew.channel, "ann", "ben")
        ben = party["ben"]
        with pytest.raises(UserError) as refused:
            await ben.calls.remove(call, party["ann"].person)
        assert refused.value.code == "forbidden"
        with pytest.raises(UserError) as refused:
            await ben.calls.end_for_all(call)
        assert refused.value.code == "forbidden"

    play(tmp_path, story, "ann", "ben")


def test_a_locked_call_lets_nobody_in_until_it_is_unlocked(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, cat = party["ann"], party["cat"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.lock(call, True)
        await until(lambda: cat.call.locked and party["ben"].call.locked, 3)
        with pytest.raises(UserError) as refused:
            await cat.calls.join(call)
        assert refused.value.code == "locked"
        await ann.calls.lock(call, False)
        await until(lambda: not cat.call.locked, 3)
        await cat.calls.join(call)
        await party.all_hear("ann", "ben", "cat")

    play(tmp_path, story, "ann", "ben", "cat")


def test_the_host_ends_a_call_for_all(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        call = await party.talk(party.crew.channel, "ann", "ben", "cat")
        await party["ann"].calls.end_for_all(call)
        await until(lambda: all(c.phase() is None for c in party.callers.values()), 3)
        assert {c.end() for c in party.callers.values()} == {CallEnd.ENDED_FOR_ALL}

    play(tmp_path, story, "ann", "ben", "cat")


def test_a_muted_person_is_told_and_may_speak_again(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        assert ben.media.audio.open
        await ann.calls.ask_mute(call, ben.person)
        await until(lambda: not ben.media.audio.open, 2)
        assert ben.notices() == ["mute_asked"]
        await ben.calls.set_microphone(call, True)
        assert ben.media.audio.open

    play(tmp_path, story, "ann", "ben")


def test_reactions_are_shown_and_bounded(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.react(call, "👏")
        await until(lambda: ben.reactions() == ["👏"], 2)
        for _ in range(4):
            await ann.calls.react(call, "👏")
        with pytest.raises(UserError) as refused:
            await ann.calls.react(call, "👏")
        assert refused.value.code == "too_fast"

    play(tmp_path, story, "ann", "ben")


def test_signalling_survives_a_lossy_network(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        party.world.network.faults = Faults(loss=0.2, double=0.2, delay_s=(0.0, 0.2), reorder=True)
        call = await party["ann"].calls.start(party.crew.channel)
        for name in ("ben", "cat"):
            caller = party[name]
            await until(lambda c=caller: c.phase() is not None, 20)  # type: ignore[misc]
            await caller.calls.join(call.id)
        await party.all_hear("ann", "ben", "cat", within_s=60)
        await party["ben"].calls.leave(call.id)
        await party.all_hear("ann", "cat", within_s=30)

    for seed in (5, 6, 7):
        folder = tmp_path / str(seed)
        folder.mkdir()
        play(folder, story, "ann", "ben", "cat", seed=seed)


def test_a_link_whose_own_address_is_gone_is_closed_and_dialled_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        [old] = ann.host.node.links.members()

        async def moved(self: MemoryTransport) -> list[str]:
            return ["10.0.9.9:7000"] if self.host == ann.host.ip else [f"{self.host}:7000"]

        monkeypatch.setattr(MemoryTransport, "addresses", moved)
        await until(lambda: old.closed, 1)
        assert old.reason == "dead"
        # The other side holds the old link for alive still, and lets it go for the new one; sound
        # does not wait for silence.
        await until(lambda: bool(ann.host.node.links.members()), 0.5)
        await until(lambda: ann.media.newest[ben.device] >= 2, 0.5)
        assert ann.connected() == {ben.device}

    play(tmp_path, story, "ann", "ben")


@pytest.mark.parametrize("dead", [False, True])
def test_after_another_address_went_a_link_has_to_show_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dead: bool
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        own, wifi = f"{ann.host.ip}:7000", "10.0.9.9:7000"
        here = [own, wifi]

        async def addresses(self: MemoryTransport) -> list[str]:
            return list(here) if self.host == ann.host.ip else [f"{self.host}:7000"]

        monkeypatch.setattr(MemoryTransport, "addresses", addresses)
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        [old] = ann.host.node.links.members()
        if dead:
            party.world.network.part(ann.host.ip, ben.host.ip)
        here.remove(wifi)
        await asyncio.sleep(1.5)
        assert old.closed is dead
        assert ann.media.newest[ben.device] == (1 if dead and ann.device > ben.device else 2)

    play(tmp_path, story, "ann", "ben")


def test_a_young_call_that_falls_silent_is_connected_anew_at_once(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        low, high = sorted((party["ann"], party["ben"]), key=lambda one: one.device)
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(1)
        low.media.silence(high.device)
        await until(lambda: low.media.newest[high.device] == 2, 1)

    play(tmp_path, story, "ann", "ben")


def test_a_dead_link_gives_way_to_a_new_one_at_once(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        network = party.world.network
        low, high = sorted((party["ann"], party["ben"]), key=lambda one: one.device)
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(20)
        [old] = high.host.node.links.members()
        network.part(low.host.ip, high.host.ip)
        await asyncio.sleep(1)
        for one, other in ((low, high), (high, low)):
            one.media.silence(other.device)
        await asyncio.sleep(1.5)
        assert old.closed
        network.heal()
        await party.all_hear("ann", "ben", within_s=5)

    play(tmp_path, story, "ann", "ben")


def test_a_stranger_hears_of_no_call(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann = party["ann"]
        link = await dial(
            party.world.network.transport("10.9.0.1"), ann.host.address, keys_of("eve"), None
        )
        await party.talk(party.crew.channel, "ann", "ben")
        await asyncio.sleep(10)
        assert not any(type(frame).__name__.startswith("Call") for frame in link.got)
        await link.aclose()

    play(tmp_path, story, "ann", "ben")


def test_a_member_who_floods_calls_stops_nobody(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        ann, crew = party["ann"], party.crew
        me = ann.person
        mal = await turn(party.world, "mal", crew)
        call = await party.talk(crew.channel, "ann", "ben")
        link = await mal.link("ann")
        host, rung = mal.keyring.person, 0
        for number in range(2000):
            name = b"\xff" + sha256(b"%d" % number).digest()[1:]
            link.send(
                frames.CallState(name, crew.channel, 2 * number, "joined", 0, 0, host, (me,)),
                frames.CallState(call, crew.channel, 2 * number + 1, "left", 0, 0, host, ()),
                frames.CallOffer(name, 1 + number, "v=0\r\n"),
                frames.CallAct(call, "end", PersonId(ZERO)),
            )
            rung += any(one.phase is CallPhase.RINGING for one in ann.calls.list())
            await asyncio.sleep(0.001)
        await asyncio.sleep(60)
        assert rung == 0
        assert len(ann.media.of(port.Connect)) < 5
        await party.all_hear("ann", "ben")

    play(tmp_path, story, "ann", "ben", "mal")


def test_who_crashed_is_gone_soon_and_can_come_back(tmp_path: Path) -> None:
    async def story(party: Party, name: str, other: str) -> None:
        one, stays = party[name], party[other]
        call = await party.talk(party.crew.channel, name, other)
        await asyncio.sleep(20)
        await one.host.crash()
        stays.media.silence(one.device)
        await asyncio.sleep(2)
        await one.host.boot()
        one.listen()
        await until(lambda: one.phase() is CallPhase.RUNNING, 15)
        await one.calls.join(call)
        await party.all_hear(name, other, within_s=10)
        await one.host.crash()
        stays.media.silence(one.device)
        await one.host.boot()
        await until(lambda: stays.states() == {}, 25)

    async def first(party: Party) -> None:
        await story(party, "ann", "ben")

    async def second(party: Party) -> None:
        await story(party, "ben", "ann")

    for number, told in enumerate((first, second)):
        folder = tmp_path / str(number)
        folder.mkdir()
        play(folder, told, "ann", "ben")


def test_a_member_who_may_not_see_the_conversation_hears_of_no_call(tmp_path: Path) -> None:
    async def story(party: Party) -> None:
        place = await party.direct("ann", "ben")
        cat = await turn(party.world, "cat", party.crew)
        link = await cat.link("ann")
        await party.talk(place, "ann", "ben")
        await asyncio.sleep(10)
        assert link.of(frames.CallState) == []
        link.send(frames.CallState(bytes(32), place, 1, "joined", 0, 0, cat.keyring.person, ()))
        await asyncio.sleep(1)
        assert len(party["ann"].calls.list()) == 1
        assert party["ann"].connected() == {party["ben"].device}

    play(tmp_path, story, "ann", "ben", "cat")
