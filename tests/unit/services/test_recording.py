"""A recording by one node: its file, its list, its chapters, its log entries, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from fakes.media import FakeLauncher, FakeMedia
from fakes.recordings import FakeRecordingFiles
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId
from folkmoot.services import media_port as port
from folkmoot.services.call_values import (
    Call,
    CallId,
    RecordChoice,
    Recorded,
    Recording,
    RecordingNow,
    ShareChoice,
)
from folkmoot.services.calls import chapters
from folkmoot.services.events import CallNotice, RecordingsChanged
from folkmoot.services.recordings import MIN_FREE_BYTES, RecordingsService

MKV = RecordChoice()
PATH = "/recordings/general 2026-09-21 14.13.20.mkv"


async def until(claim: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Recorder:
    """Ada in a call, alone."""

    def __init__(self, lone: LoneNode, launcher: FakeLauncher, id: CallId) -> None:
        self.lone, self.launcher, self.id = lone, launcher, id
        self.calls = lone.node.calls

    @property
    def media(self) -> FakeMedia:
        return self.launcher.media

    @property
    def call(self) -> Call:
        return self.calls.get(self.id)

    def says(self) -> bool:
        """Whether the others are told of a recording."""
        [me] = self.call.participants
        return me.records

    async def held(self) -> list[Recording]:
        """What is kept."""
        return await self.lone.store.recordings()

    async def settled(self, *states: str) -> list[Recording]:
        """The recordings, once they are in these states, the newest first."""
        async with asyncio.timeout(20):
            while [one.state for one in await self.held()] != list(states):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return await self.held()

    async def recorded(self) -> list[Recorded]:
        """What the card of the call says, once there is one and nothing is being written."""
        async with asyncio.timeout(20):
            while True:
                records = await self.calls.history()
                if records and "call log" not in self.lone.node.supervisor.names:
                    return list((await self.calls.history())[0].recorded)
                await asyncio.sleep(0.01)

    def notices(self) -> list[str]:
        """What was told of the recording."""
        told = (event for event in self.lone.events if isinstance(event, CallNotice))
        return [one.message for one in told if one.code == "recording"]


@pytest.fixture
async def ada(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Recorder]:
    monkeypatch.setattr("folkmoot.protocol.calls.settle.STARTED_AFTER_S", 0.0)
    launcher = FakeLauncher()
    lone = await open_node(tmp_path, media=launcher)
    await lone.node.teams.create("Harbour Studio")
    [channel] = await lone.node.conversations.list()
    call = await lone.node.calls.start(channel.id)
    await until(lambda: launcher.running)
    yield Recorder(lone, launcher, call.id)
    await lone.node.aclose()


async def test_a_recording_is_planned_kept_said_and_written_down(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    plan = ada.media.recording
    assert plan is not None
    assert (plan.path, plan.width, plan.height, plan.tracks) == (PATH, 1280, 720, False)
    [place] = plan.places
    assert (place.peer, place.name, place.width, place.height) == (port.SELF, "Ada", 1280, 720)
    assert ada.says()
    [held] = await ada.held()
    assert (held.path, held.state, held.names) == (PATH, "recording", ("Ada",))
    assert ada.call.recording == RecordingNow(held.id, PATH)
    me = ada.lone.node.identity.me().person
    began = Recorded(me, "Ada", ada.lone.clock.now_ms, None, True)
    assert await ada.recorded() == [began]
    ada.media.record_on(61.4, 5000)
    await ada.calls.stop_recording(ada.id)
    assert not ada.says()
    assert ada.call.recording is None
    [held] = await ada.settled("done")
    assert (held.duration_s, held.size_bytes) == (61.4, 5000)
    [told] = await ada.recorded()
    assert told.seconds == 61
    assert ada.notices() == []


async def test_nothing_is_recorded_before_the_flag_is_raised(
    ada: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bool] = []
    send = FakeMedia.send

    def look(media: FakeMedia, command: port.Command) -> None:
        if isinstance(command, port.Record):
            said.append(ada.says())
        send(media, command)

    monkeypatch.setattr(FakeMedia, "send", look)
    await ada.calls.record(ada.id, MKV)
    assert said == [True]


async def test_a_pause_stops_the_clock_and_is_a_chapter(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(10.0)
    await ada.calls.pause_recording(ada.id, True)
    assert ada.media.paused
    assert ada.says(), "the notice stays"
    now = ada.call.recording
    assert now is not None
    assert now.paused
    await ada.calls.pause_recording(ada.id, True)
    ada.media.record_on(10.0)
    await ada.calls.pause_recording(ada.id, False)
    assert not ada.media.paused
    await ada.calls.stop_recording(ada.id)
    [held] = await ada.settled("done")
    assert [(one.kind, round(one.at_s)) for one in held.chapters] == [("pause", 10)]


async def test_hands_shares_and_words_are_chapters(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(5.0)
    await ada.calls.set_hand(ada.id, True)
    await ada.calls.set_hand(ada.id, False)
    await ada.calls.share(ada.id, ShareChoice("test"))
    ada.media.record_on(9.0)
    await ada.lone.node.messages.post(ada.call.conversation, "See\nhere " + "x" * 300)
    await ada.calls.pause_recording(ada.id, True)
    await ada.lone.node.messages.post(ada.call.conversation, "not this")
    await ada.calls.pause_recording(ada.id, False)
    await ada.calls.stop_share(ada.id)
    await ada.calls.stop_recording(ada.id)
    [held] = await ada.settled("done")
    told = [(one.kind, one.text[:20]) for one in held.chapters]
    assert told == [
        ("hand", "Ada raised a hand"),
        ("share", "Ada shares a screen"),
        ("chat", "Ada: See here xxxxxx"),
        ("pause", "Paused"),
        ("share", "Ada stopped sharing"),
    ]
    assert all(len(one.text) < chapters.MAX_WORDS + 10 for one in held.chapters)
    assert [one.at_s for one in held.chapters] == sorted(one.at_s for one in held.chapters)


async def test_the_recorded_picture_follows_what_is_seen(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    await ada.calls.share(ada.id, ShareChoice("test"))
    kinds = [(place.kind, place.width > 900) for place in ada.media.places]
    assert kinds == [("screen", True), ("camera", False)]
    before = len(ada.media.of(port.SetRecording))
    ada.calls.set_seen(ada.id, "speaker", None)
    ada.calls.set_seen(ada.id, "no such layout", None)
    assert len(ada.media.of(port.SetRecording)) == before, "nothing moved"
    await ada.calls.stop_share(ada.id)
    assert [place.kind for place in ada.media.places] == ["camera"]


async def test_progress_is_kept_now_and_then_and_shown_at_once(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    await until(lambda: "recording is kept" not in ada.lone.node.supervisor.names)
    told = len(ada.lone.told(RecordingsChanged))
    for second in range(1, 30):
        ada.media.record_on(second, second * 1000)
        now = ada.call.recording
        assert now is not None
        assert (now.seconds, now.size_bytes) == (second, second * 1000)
    await until(lambda: "recording is kept" not in ada.lone.node.supervisor.names)
    assert len(ada.lone.told(RecordingsChanged)) - told <= 2


@pytest.mark.parametrize(("code", "state"), [("full", "done"), ("failed", "broken off")])
async def test_a_recording_that_ends_by_itself_says_why_and_is_kept(
    ada: Recorder, code: str, state: str
) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(30.0, 9000)
    ada.media.end_recording(code, "The disk is full.")
    assert not ada.says()
    assert ada.notices() == ["The disk is full."]
    [held] = await ada.settled(state)
    assert (held.duration_s, held.size_bytes) == (30.0, 9000)
    assert [one.seconds for one in await ada.recorded()] == [30]


async def test_leaving_ends_the_recording(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(4.0)
    await ada.calls.leave(ada.id)
    assert ada.media.recording is None
    [held] = await ada.settled("done")
    assert held.duration_s == 4.0
    assert [one.seconds for one in await ada.recorded()] == [4]


async def test_closing_the_program_finishes_the_file_first(tmp_path: Path) -> None:
    launcher, files = FakeLauncher(), FakeRecordingFiles()
    lone = await open_node(tmp_path, media=launcher, files=files)
    await lone.node.teams.create("Harbour Studio")
    [channel] = await lone.node.conversations.list()
    call = await lone.node.calls.start(channel.id)
    await until(lambda: launcher.running)
    await lone.node.calls.record(call.id, MKV)
    launcher.media.record_on(7.0, 700)
    files.files[PATH] = 700
    await lone.node.aclose()
    again = await open_node(tmp_path, files=files)
    [held] = await again.node.recordings.list()
    assert (held.state, held.duration_s) == ("done", 7.0)
    [record] = await again.node.calls.history()
    assert [one.seconds for one in record.recorded] == [7]
    await again.node.aclose()


async def test_a_media_process_that_is_deaf_does_not_keep_the_program_open(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(7.0, 700)
    ada.launcher.works = False
    async with asyncio.timeout(20):
        await ada.lone.node.calls.aclose()
    [held] = await ada.settled("broken off")
    assert held.duration_s == 7.0


async def test_a_media_process_that_dies_leaves_a_file_and_begins_another(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.record_on(12.0, 1200)
    ada.lone.files.files[PATH] = 1200
    first = ada.media
    first.crash()
    assert ada.says(), "the notice stays: it goes on in a moment"
    with pytest.raises(UserError) as refused:
        await ada.calls.record(ada.id, MKV)
    assert refused.value.code == "already"
    await until(lambda: ada.media is not first and ada.media.recording is not None)
    assert ada.media.recording is not None
    assert ada.media.recording.path == PATH.replace(".mkv", " 2.mkv")
    assert ada.says()
    await until(lambda: len(ada.notices()) == 1)
    held = await ada.held()
    assert sorted(one.state for one in held) == ["broken off", "recording"]
    assert [one.seconds for one in await ada.recorded()] == [12, None]
    await ada.calls.stop_recording(ada.id)
    await until(lambda: not ada.says())


async def test_a_recording_that_was_stopped_while_media_was_gone_does_not_go_on(
    ada: Recorder,
) -> None:
    await ada.calls.record(ada.id, MKV)
    first = ada.media
    first.crash()
    await ada.calls.stop_recording(ada.id)
    await until(lambda: ada.media is not first and ada.launcher.running)
    assert ada.media.of(port.Record) == []
    assert not ada.says()
    assert ada.notices() == []


async def test_what_was_being_recorded_at_a_power_cut_broke_off(tmp_path: Path) -> None:
    files = FakeRecordingFiles()
    lone = await open_node(tmp_path, files=files)
    for number, (id, seconds) in enumerate((("a", 60.0), ("b", 9.0))):
        place = (CallId(bytes(32)), ConversationId(bytes(32)), f"/r/{id}.mkv", number)
        await lone.store.save_recording(Recording(id, *place, seconds, 5, (), (), (), "recording"))
    files.files["/r/a.mkv"] = 4096
    await lone.node.aclose()
    again = await open_node(tmp_path, files=files)
    found = await again.node.recordings.list()
    listed = [(one.id, one.state, one.duration_s, one.size_bytes) for one in found]
    assert listed == [("b", "missing", 9.0, 0), ("a", "broken off", 60.0, 4096)]
    files.files["/r/b.mkv"] = 77
    listed_again = [one.state for one in await again.node.recordings.list()]
    assert listed_again == ["broken off", "broken off"], "a disk that was not there is back"
    await again.node.aclose()


async def test_without_room_on_the_disk_nothing_begins_and_nobody_is_told(ada: Recorder) -> None:
    ada.lone.files.free_bytes = MIN_FREE_BYTES - 1
    with pytest.raises(UserError) as refused:
        await ada.calls.record(ada.id, MKV)
    assert refused.value.code == "no_space"
    assert "MiB" in refused.value.hint
    assert not ada.says()
    assert await ada.held() == []
    ada.lone.files.free_bytes = MIN_FREE_BYTES
    await ada.calls.record(ada.id, MKV)
    assert ada.says()


async def test_a_folder_of_ones_own_is_checked_kept_and_used(ada: Recorder) -> None:
    recordings = ada.lone.node.recordings
    ada.lone.files.closed.add("/locked")
    for wrong in ("/locked", "", "a\0b", "/" + "x" * 1024):
        with pytest.raises(UserError) as refused:
            await recordings.set_folder(wrong)
        assert refused.value.code == "bad_folder"
    assert await recordings.folder() == "/recordings"
    await recordings.set_folder("/mine")
    assert await recordings.folder() == "/mine"
    await ada.calls.record(ada.id, RecordChoice("mp4"))
    assert ada.media.recording is not None
    assert ada.media.recording.path.startswith("/mine/")
    assert ada.media.recording.path.endswith(".mp4")


async def test_a_track_for_each_person_needs_a_file_that_takes_them(ada: Recorder) -> None:
    with pytest.raises(UserError) as refused:
        await ada.calls.record(ada.id, RecordChoice("mp4", tracks=True))
    assert refused.value.code == "bad_choice"
    await ada.calls.record(ada.id, RecordChoice("mkv", tracks=True))
    assert ada.media.recording is not None
    assert ada.media.recording.tracks


async def test_the_name_of_a_conversation_cannot_lead_out_of_the_folder(ada: Recorder) -> None:
    renamed = "..\u2215..\\..\\evil"
    await ada.lone.node.conversations.rename(ada.call.conversation, renamed)
    await ada.calls.record(ada.id, MKV)
    assert ada.media.recording is not None
    path = ada.media.recording.path
    assert path.startswith("/recordings/")
    assert path.count("/") == 2
    assert "\\" not in path


async def test_a_second_recording_at_once_is_refused(ada: Recorder) -> None:
    first, second = await asyncio.gather(
        ada.calls.record(ada.id, MKV), ada.calls.record(ada.id, MKV), return_exceptions=True
    )
    assert first is None
    assert isinstance(second, UserError)
    assert second.code == "already"
    assert ada.says()
    assert len(ada.media.of(port.Record)) == 1


async def test_one_after_the_other_are_two_files(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.lone.files.files[PATH] = 1
    await ada.calls.stop_recording(ada.id)
    ada.lone.clock.now_ms += 5
    await ada.calls.record(ada.id, MKV)
    await until(lambda: "recording is kept" not in ada.lone.node.supervisor.names)
    assert ada.says()
    newest, oldest = await ada.settled("recording", "done")
    assert newest.path != oldest.path


async def test_a_recording_stopped_before_it_began_never_begins(
    ada: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = ada.lone.node.recordings.keep

    async def slowly(recording: Recording) -> None:
        await keep(recording)
        await ada.calls.stop_recording(ada.id)

    monkeypatch.setattr(ada.lone.node.recordings, "keep", slowly)
    with pytest.raises(UserError) as refused:
        await ada.calls.record(ada.id, MKV)
    assert refused.value.code == "stopped"
    assert ada.media.of(port.Record) == []
    assert await ada.held() == []
    assert not ada.says()


async def test_a_report_of_a_file_that_is_not_ours_changes_nothing(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.media.report(port.RecordingChanged("/etc/passwd", "ended", 1.0, 1, "full", "No."))
    assert ada.says()
    assert ada.notices() == []


async def test_deleting_takes_the_file_and_is_told(ada: Recorder) -> None:
    await ada.calls.record(ada.id, MKV)
    ada.lone.files.files[PATH] = 10
    [held] = await ada.held()
    with pytest.raises(UserError) as refused:
        await ada.lone.node.recordings.delete(held.id)
    assert refused.value.code == "recording"
    await ada.calls.stop_recording(ada.id)
    await ada.settled("done")
    await until(lambda: "recording is kept" not in ada.lone.node.supervisor.names)
    await ada.lone.node.recordings.delete(held.id)
    assert ada.lone.files.files == {}
    assert await ada.lone.node.recordings.list() == []
    last = ada.lone.told(RecordingsChanged)[-1]
    assert isinstance(last, RecordingsChanged)
    assert (last.recording.id, last.gone) == (held.id, True)


async def test_without_a_place_for_files_recording_is_refused_in_words() -> None:
    service = RecordingsService(None, None, None)  # type: ignore[arg-type]
    with pytest.raises(UserError) as refused:
        _ = service.files
    assert refused.value.code == "bad_folder"


async def test_two_files_that_end_at_once_are_both_kept_before_the_program_ends(
    ada: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shorter it would rightly give up where the computer stands still meanwhile.
    monkeypatch.setattr("folkmoot.services.calls.recording.CLOSE_S", 20.0)
    await ada.calls.record(ada.id, MKV)
    ada.lone.files.files[PATH] = 1
    ada.launcher.works = False
    await ada.calls.stop_recording(ada.id)
    await ada.calls.record(ada.id, MKV)
    await until(lambda: "recording is kept" not in ada.lone.node.supervisor.names)
    paths = [one.path for one in await ada.held()]
    keep, slow = ada.lone.node.recordings.keep, {PATH: 0.2}

    async def slowly(recording: Recording) -> None:
        await asyncio.sleep(slow.get(recording.path, 0.0))
        await keep(recording)

    monkeypatch.setattr(ada.lone.node.recordings, "keep", slowly)
    for path in paths:
        ada.media.report(port.RecordingChanged(path, "ended", 3.0, 30))
    await ada.calls.aclose()
    assert [one.state for one in await ada.held()] == ["done", "done"]
