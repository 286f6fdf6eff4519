"""Sharing, ink and recording between shipped nodes on virtual time.

`Witness` looks at the one thing that must hold, at every moment of every story: whoever's pictures
or sound reach a process that records has been told so by then, in the value their window shows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fakes.media import FakeMedia
from fakes.transport import Faults
from folkmoot.domain.errors import UserError
from folkmoot.protocol import frames
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallPhase, Participant, RecordChoice, ShareChoice
from folkmoot.services.events import CallNotice, InkDrawn
from sim.attackers import turn
from sim.calling import Caller, Party, gather
from sim.loop import sim_loop
from sim.world import until

pytestmark = pytest.mark.blocks_loop("the simulated store works inline")

Story = Callable[[Party], Awaitable[None]]
MKV, TEST = RecordChoice(), ShareChoice("test")


def seen(viewer: Caller, other: Caller) -> Participant | None:
    """`other` in the call as the window of `viewer` shows it."""
    for call in viewer.calls.list():
        for one in call.participants:
            if one.device == other.device:
                return one
    return None


def knows(viewer: Caller, other: Caller) -> bool:
    """Whether the window of `viewer` says that `other` records."""
    shown = seen(viewer, other)
    return shown is not None and shown.records


def sees(viewer: Caller, other: Caller) -> bool:
    """Whether the window of `viewer` says that `other` shares a screen."""
    shown = seen(viewer, other)
    return shown is not None and shown.screen


class Witness:
    """Looks after each command and each report of every media process."""

    def __init__(self, party: Party) -> None:
        self._callers = list(party.callers.values())
        self.broken: list[str] = []

    def look(self) -> None:
        """Note who is recorded without knowing."""
        for caller in self._callers:
            launcher = caller.host.media
            if not launcher.running or launcher.media.recording is None:
                continue
            for other in self._callers:
                if other is caller or not other.host.runs or seen(other, other) is None:
                    continue  # who left sends nothing, even if that is not heard yet
                if other.device not in launcher.media.flowing:
                    continue
                if not knows(other, caller):
                    now = asyncio.get_running_loop().time()
                    self.broken.append(f"{now}: {caller.host.name} records {other.host.name}")


def play(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    story: Story,
    *names: str,
    seed: int = 1,
) -> None:
    """Tell a story of these persons, with a witness."""

    async def told() -> None:
        party = await gather(folder, *names, seed=seed)
        witness = Witness(party)
        send, report = FakeMedia.send, FakeMedia.report

        def look_at_send(media: FakeMedia, command: port.Command) -> None:
            send(media, command)
            witness.look()

        def look_at_report(media: FakeMedia, said: port.AnyReport) -> None:
            report(media, said)
            witness.look()

        with monkeypatch.context() as patch:
            patch.setattr(FakeMedia, "send", look_at_send)
            patch.setattr(FakeMedia, "report", look_at_report)
            await story(party)
        bugs = [bug for host in party.world.hosts.values() for bug in host.bugs]
        await party.world.aclose()
        assert bugs == []
        assert witness.broken == []

    sim_loop(seed).run(told())


def test_everybody_is_told_before_a_recording_begins_and_when_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        party.world.network.faults = Faults(delay_s=(0.1, 0.4))
        ann, ben, cat = (party[name] for name in ("ann", "ben", "cat"))
        call = await party.talk(party.crew.channel, "ann", "ben", "cat")
        await ann.calls.record(call, MKV)
        for other in (ben, cat):
            assert knows(other, ann)
        assert {place.name for place in ann.media.places} == {"ann", "ben", "cat"}
        ann.media.record_on(5.0)
        await ann.calls.stop_recording(call)
        await until(lambda: not any(knows(other, ann) for other in (ben, cat)), 2)

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat")


def test_who_comes_later_knows_before_they_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        party.world.network.faults = Faults(delay_s=(0.1, 0.4))
        ann, cat = party["ann"], party["cat"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.record(call, MKV)
        await until(lambda: knows(cat, ann), 2)
        await cat.calls.join(call)
        await party.all_hear("ann", "ben", "cat")
        assert "cat" in {place.name for place in ann.media.places}
        await cat.calls.leave(call)
        await until(lambda: "cat" not in {place.name for place in ann.media.places}, 2)
        ann.media.record_on(9.0)
        await ann.calls.stop_recording(call)
        await asyncio.sleep(1)
        [held] = await ann.host.node.recordings.list()
        assert set(held.names) == {"ann", "ben", "cat"}
        assert [one.text for one in held.chapters] == ["cat joined", "cat left"]

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat")


def test_who_cannot_be_told_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben", "cat")
        party.world.network.part(ann.host.ip, ben.host.ip)
        with pytest.raises(UserError) as refused:
            await ann.calls.record(call, MKV)
        assert refused.value.code == "not_told"
        assert "ben" in refused.value.message
        assert "cat" not in refused.value.message
        assert ann.media.of(port.Record) == []
        assert not knows(ann, ann)
        party.world.network.heal()
        await until(lambda: ann.host.node.links.get(ben.device) is not None, 60)
        await asyncio.sleep(10)
        await ann.calls.record(call, MKV)
        assert ann.media.recording is not None

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat")


def test_the_notice_stays_over_links_that_break_and_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.record(call, MKV)
        for _ in range(3):
            party.world.network.break_streams(ann.host.ip, ben.host.ip)
            await asyncio.sleep(3)
        assert knows(ben, ann)

    play(tmp_path, monkeypatch, story, "ann", "ben")


def test_the_log_says_on_every_computer_who_recorded_and_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        for recorder, seconds in ((ann, 61.0), (ben, 5.0)):
            await recorder.calls.record(call, MKV)
            recorder.media.record_on(seconds)
            await recorder.calls.stop_recording(call)
            await asyncio.sleep(1)
        await ann.calls.record(call, MKV)
        await asyncio.sleep(5)
        for reader in ("ann", "ben", "cat"):
            [record] = await party[reader].calls.history()
            told = [(one.name, one.seconds, one.is_me) for one in record.recorded]
            assert told == [
                ("ann", 61, reader == "ann"),
                ("ben", 5, reader == "ben"),
                ("ann", None, reader == "ann"),
            ]

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat")


def test_a_media_process_that_dies_goes_on_recording_and_the_notice_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.share(call, TEST)
        await ann.calls.record(call, MKV)
        ann.media.record_on(20.0)
        ann.media.crash()
        await until(lambda: ann.host.media.running and ann.media.recording is not None, 20)
        await party.all_hear("ann", "ben")
        assert knows(ben, ann)
        assert sees(ben, ann)
        held = await ann.host.node.recordings.list()
        assert [one.duration_s for one in held] in ([0.0, 20.0], [20.0, 0.0])

    play(tmp_path, monkeypatch, story, "ann", "ben")


def test_a_recording_that_was_paused_goes_on_paused_after_the_media_process_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann = party["ann"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.record(call, MKV)
        ann.media.record_on(20.0)
        await ann.calls.pause_recording(call, True)
        ann.media.crash()
        await until(lambda: ann.host.media.running and ann.media.recording is not None, 20)
        plan, shown = ann.media.recording, ann.calls.get(call).recording
        assert plan is not None
        assert plan.paused
        assert shown is not None
        assert shown.paused
        await ann.calls.pause_recording(call, False)
        await until(lambda: not ann.media.paused, 5)

    play(tmp_path, monkeypatch, story, "ann", "ben")


def test_who_crashed_while_recording_finds_a_file_that_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.record(call, MKV)
        for second in range(1, 12):
            ann.media.record_on(second, second * 100)
            await asyncio.sleep(1)
        [held] = await ann.host.node.recordings.list()
        ann.host.files.files[held.path] = 1234
        await ann.host.crash()
        await ann.host.boot()
        [found] = await ann.host.node.recordings.list()
        assert (found.id, found.state, found.size_bytes) == (held.id, "broken off", 1234)
        assert found.duration_s >= 9
        [record] = await ann.calls.history()
        assert [one.seconds for one in record.recorded] == [round(found.duration_s)]
        ben.media.silence(ann.device)
        await until(lambda: seen(ben, ann) is None, 40)

    play(tmp_path, monkeypatch, story, "ann", "ben")


def test_several_share_and_everybody_points_at_what_they_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben, cat = (party[name] for name in ("ann", "ben", "cat"))
        call = await party.talk(party.crew.channel, "ann", "ben", "cat")
        await ann.calls.share(call, TEST)
        await ben.calls.share(call, TEST)
        await until(lambda: all(sees(cat, other) for other in (ann, ben)), 2)
        await cat.calls.ink(call, ann.device, "point", 0, [(0.5, 0.5)])
        await ann.calls.ink(call, ben.device, "stroke", 3, [(0.0, 0.0), (1.0, 1.0)])
        await ben.calls.ink(call, ben.device, "clear")
        await asyncio.sleep(1)
        names = {ann.device: "ann", ben.device: "ben", cat.device: "cat"}
        told = [
            sorted(
                (names[event.device], event.action)
                for event in caller.events
                if isinstance(event, InkDrawn) and event.presenter in (ann.device, ben.device)
            )
            for caller in (ann, ben, cat)
        ]
        assert told == [[("ann", "stroke"), ("ben", "clear"), ("cat", "point")]] * 3
        with pytest.raises(UserError) as refused:
            await cat.calls.ink(call, ann.device, "clear")
        assert refused.value.code == "forbidden"
        await ann.calls.leave(call)
        await until(lambda: seen(cat, ann) is None, 2)
        with pytest.raises(UserError) as refused:
            await cat.calls.ink(call, ann.device, "point", 0, [(0.5, 0.5)])
        assert refused.value.code == "not_shared"

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat")


def test_a_call_that_others_end_ends_share_and_recording_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ben.calls.share(call, TEST)
        await ben.calls.record(call, MKV)
        ben.media.record_on(3.0)
        await ann.calls.end_for_all(call)
        await until(lambda: ben.media.recording is None, 2)
        assert ben.media.share == port.SharePlan()
        assert [e.message for e in ben.events if isinstance(e, CallNotice) and e.code == "share"]
        await asyncio.sleep(1)
        [held] = await ben.host.node.recordings.list()
        assert (held.duration_s, held.names) == (3.0, ("ben", "ann"))

    play(tmp_path, monkeypatch, story, "ann", "ben")


def test_a_member_outside_the_call_draws_and_records_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        mal = await turn(party.world, "mal", party.crew)
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.share(call, TEST)
        link, person = await mal.link("ben"), mal.keyring.person
        every = frames.CALL_SCREEN | frames.CALL_RECORDS
        for number in range(300):
            link.send(
                frames.CallState(
                    *(call, party.crew.channel, number, ("left", "declined", "busy")[number % 3]),
                    *(every, 0, person, ()),
                ),
                frames.CallInk(call, ann.device, "point", 0, (1, 1)),
                frames.CallInk(call, ann.device, "clear", 0, ()),
                frames.CallInk(call, mal.keyring.device, "point", 0, (1, 1)),
            )
            await asyncio.sleep(0.01)
        await asyncio.sleep(10)
        assert not [event for event in ben.events if isinstance(event, InkDrawn)]
        assert not any(one.records for one in ben.call.participants)
        await party.all_hear("ann", "ben")

    play(tmp_path, monkeypatch, story, "ann", "ben", "mal")


def test_a_member_in_the_call_who_floods_ink_hinders_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann, ben = party["ann"], party["ben"]
        mal = await turn(party.world, "mal", party.crew)
        call = await party.talk(party.crew.channel, "ann", "ben")
        await ann.calls.share(call, TEST)
        link, person = await mal.link("ben"), mal.keyring.person
        link.send(frames.CallState(call, party.crew.channel, 1, "joined", 0, 0, person, ()))
        await asyncio.sleep(1)
        begun = asyncio.get_running_loop().time()
        for _ in range(100):
            link.send(
                *(
                    frames.CallInk(call, ann.device, "stroke", stroke, (stroke,) * 128)
                    for stroke in range(20)
                ),
                frames.CallInk(call, ann.device, "clear", 0, ()),
            )
            await asyncio.sleep(0.1)
        await ann.calls.ink(call, ann.device, "point", 0, [(0.5, 0.5)])
        await asyncio.sleep(2)
        took_s = asyncio.get_running_loop().time() - begun
        drawn = [event for event in ben.events if isinstance(event, InkDrawn)]
        assert sum(one.device == ann.device for one in drawn) == 1
        assert len(drawn) <= 60 + 40 * took_s + 1
        assert all(one.action != "clear" for one in drawn)
        assert ben.phase() is CallPhase.JOINED

    play(tmp_path, monkeypatch, story, "ann", "ben", "mal")


def test_who_answers_nothing_is_not_recorded_until_they_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(party: Party) -> None:
        ann = party["ann"]
        mal = await turn(party.world, "mal", party.crew)
        call = await party.talk(party.crew.channel, "ann", "ben")
        link, person = await mal.link("ann"), mal.keyring.person
        said = (call, party.crew.channel, 1, "joined", 0, 0, person, ())
        link.send(frames.CallState(*said))
        await until(lambda: mal.keyring.device in ann.states(), 2)
        leg = ann.media.newest.get(mal.keyring.device, 1)
        ann.media.report(port.PathChanged(mal.keyring.device, leg, "flowing"))
        party.world.network.part(party.world["mal"].ip, ann.host.ip, one_way=True)
        with pytest.raises(UserError) as refused:
            await ann.calls.record(call, MKV)
        assert refused.value.code == "not_told"
        assert "mal" in refused.value.message
        await until(lambda: not knows(party["ben"], ann), 2)
        await ann.calls.remove(call, person)
        await ann.calls.record(call, MKV)
        assert {place.name for place in ann.media.places} == {"ann", "ben"}

    play(tmp_path, monkeypatch, story, "ann", "ben", "mal")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_bad_day_still_nobody_is_recorded_without_knowing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """People come and go, record and stop, links break and media processes die, for minutes."""

    async def story(party: Party) -> None:
        network = party.world.network
        network.faults, chance = Faults(delay_s=(0.0, 0.5)), network.random
        names = list(party.callers)
        first = await party["ann"].calls.start(party.crew.channel, ring=False)
        for _ in range(150):
            who = party[chance.choice(names)]
            calls = who.calls.list()
            act = chance.choice(("join", "join", "leave", "record", "stop", "break", "die", "wait"))
            try:
                if act == "join":
                    await who.calls.join(calls[0].id if calls else first.id)
                elif act == "leave" and calls:
                    await who.calls.leave(calls[0].id)
                elif act == "record" and calls:
                    party.world.hosts["ann"].node.supervisor.start(
                        "asks", _quietly(who.calls.record(calls[0].id, MKV))
                    )
                elif act == "stop" and calls:
                    await who.calls.stop_recording(calls[0].id)
                elif act == "break":
                    other = party[chance.choice(names)]
                    network.break_streams(who.host.ip, other.host.ip)
                elif act == "die" and who.host.media.running and chance.random() < 0.3:
                    who.media.crash()
            except UserError:
                pass
            await asyncio.sleep(chance.uniform(0, 2))

    play(tmp_path, monkeypatch, story, "ann", "ben", "cat", "dan", seed=seed)


async def _quietly(asked: Awaitable[None]) -> None:
    with contextlib.suppress(UserError):
        await asked
