"""Calls of one node: devices, the choice of them, the check, and when the media process runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from fakes.media import FakeLauncher
from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallId, CallRecord, MediaChoice
from folkmoot.services.calls.service import CallsService
from folkmoot.services.events import CallLevels, CallNotice, MicrophoneTested


class Paper:
    """A journal that is read by the test."""

    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    async def started(self, call: CallId, conversation: ConversationId, video: bool) -> None:
        await asyncio.sleep(0.01)
        self.lines.append(("started", call, video))

    async def ended(
        self,
        call: CallId,
        conversation: ConversationId,
        video: bool,
        persons: Sequence[PersonId],
        seconds: int,
    ) -> None:
        self.lines.append(("ended", call, tuple(persons), seconds))

    async def recorded(
        self, call: CallId, conversation: ConversationId, seconds: float | None
    ) -> None:
        self.lines.append(("recorded", call, seconds))

    async def history(self, limit: int) -> list[CallRecord]:
        return []


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
async def lone(tmp_path: Path, launcher: FakeLauncher) -> AsyncIterator[LoneNode]:
    """Ada's node, which can make calls."""
    opened = await open_node(tmp_path, media=launcher)
    await opened.node.teams.create("Harbour Studio")
    yield opened
    await opened.node.aclose()


async def until(claim: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def general(lone: LoneNode) -> ConversationId:
    """The first channel."""
    [channel] = await lone.node.conversations.list()
    return channel.id


def calls(lone: LoneNode) -> CallsService:
    return lone.node.calls


async def test_the_choice_is_kept_and_used_at_once(lone: LoneNode, launcher: FakeLauncher) -> None:
    choice = MediaChoice("mic", "none", "test", "saver", 360, False, True, False, True)
    await calls(lone).set_choice(choice)
    kept = await lone.store.settings("media.")
    assert kept["media.microphone"] == "mic"
    await calls(lone).load()
    assert calls(lone).choice() == choice
    await calls(lone).start(await general(lone), video=True)
    await until(lambda: launcher.running and launcher.media.video.open)
    audio, video = launcher.media.audio, launcher.media.video
    assert (audio.source, audio.source_id, audio.sink) == ("device", "mic", "none")
    assert (audio.echo_cancellation, audio.gain_control) == (False, False)
    assert not audio.open, "with push to talk the microphone waits for the key"
    assert (video.source, video.profile, video.height) == ("test", "saver", 360)


@pytest.mark.parametrize("choice", [MediaChoice(profile="best"), MediaChoice(microphone="m" * 501)])
async def test_a_choice_that_cannot_be_is_refused(lone: LoneNode, choice: MediaChoice) -> None:
    with pytest.raises(UserError) as refused:
        await calls(lone).set_choice(choice)
    assert refused.value.code == "bad_choice"
    assert calls(lone).choice() == MediaChoice()


async def test_a_check_opens_the_microphone_and_tells_its_level(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    assert not launcher.started
    await calls(lone).check(True, loopback=True)
    await until(lambda: launcher.running and launcher.media.audio.open)
    assert launcher.media.audio.loopback
    assert not launcher.media.video.open
    launcher.media.report(port.Levels(((port.SELF, 0.5, True),)))
    assert lone.told(MicrophoneTested) == [MicrophoneTested(0.5)]
    await calls(lone).check(False)
    assert not launcher.media.audio.open


async def test_a_camera_that_is_not_there_is_off_and_others_are_not_told_of_one(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    launcher.lists_devices = False
    call = await calls(lone).start(await general(lone), video=True)
    await until(lambda: launcher.running and launcher.media.video.open)
    fault = port.DeviceFault("camera", "none", "There is no camera here.")
    launcher.media.report(fault)
    assert calls(lone).get(call.id).camera, "not before the cameras were looked for"
    launcher.media.report(port.DevicesListed((), (), ()))
    launcher.media.report(fault)
    assert not calls(lone).get(call.id).camera
    hint = "The others see your initials."
    assert lone.told(CallNotice)[-1] == CallNotice("camera", fault.words, hint)


async def test_devices_are_listed_by_a_process_that_was_started_for_it(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    devices = await calls(lone).devices()
    assert [one.name for one in devices.microphones] == ["Microphone"]
    assert launcher.media.begin.devices


async def test_without_devices_none_are_used(lone: LoneNode, launcher: FakeLauncher) -> None:
    await calls(lone).set_choice(MediaChoice("test", "none", "file:a.mkv"))
    await calls(lone).start(await general(lone), video=True)
    await until(lambda: launcher.running)
    assert not launcher.media.begin.devices
    assert launcher.media.video.source_id == "a.mkv"
    await calls(lone).set_choice(MediaChoice())
    await until(lambda: len(launcher.started) == 2 and launcher.running)
    assert launcher.media.begin.devices


async def test_levels_and_faults_are_told_in_a_call(lone: LoneNode, launcher: FakeLauncher) -> None:
    call = await calls(lone).start(await general(lone))
    await until(lambda: launcher.running)
    launcher.media.report(port.Levels(((port.SELF, 0.25, True),)))
    device = lone.node.identity.me().device
    assert lone.told(CallLevels) == [CallLevels(call.id, ((device, 0.25, True),))]
    launcher.media.report(port.DeviceFault("microphone", "gone", "The microphone is gone."))
    assert lone.told(CallNotice) == [CallNotice("microphone", "The microphone is gone.")]


async def test_a_process_that_does_not_start_ends_the_call_in_words(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    launcher.refuses = True
    await calls(lone).start(await general(lone))
    await until(lambda: not calls(lone).list())
    [notice] = lone.told(CallNotice)
    assert isinstance(notice, CallNotice)
    assert notice.code == "no_media"
    launcher.refuses = False
    await calls(lone).start(await general(lone))
    await until(lambda: launcher.running)


async def test_a_call_that_needs_a_newer_program_says_that_a_restart_brings_it(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    launcher.fault = EnvironmentFault("updated", "Folkmoot was updated.", "Restart Folkmoot.")
    await calls(lone).start(await general(lone))
    await until(lambda: not calls(lone).list())
    [notice] = lone.told(CallNotice)
    assert isinstance(notice, CallNotice)
    assert "Folkmoot was updated. Restart Folkmoot." in notice.hint


async def test_a_call_is_written_down_before_the_node_closes(
    tmp_path: Path, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = Paper()
    monkeypatch.setattr("folkmoot.services.node.CallLog", lambda *_: paper)
    lone = await open_node(tmp_path, media=launcher)
    await lone.node.teams.create("Harbour Studio")
    call = await calls(lone).start(await general(lone), video=True)
    await lone.node.aclose()
    me = lone.node.identity.me().person
    assert paper.lines == [("started", call.id, True), ("ended", call.id, (me,), 0)]
    assert not launcher.running


async def test_servers_that_were_named_are_told_to_the_media_process(
    lone: LoneNode, launcher: FakeLauncher
) -> None:
    assert calls(lone).choice().ice_servers == ""
    named = "turn:turn.example.org ada secret"
    await calls(lone).set_choice(MediaChoice("test", "none", "test", ice_servers=named))
    await calls(lone).check(True)
    await until(lambda: launcher.running)
    expected = (port.IceServer("turn:turn.example.org", "ada", "secret"),)
    assert launcher.media.begin.ice_servers == expected
    await calls(lone).set_choice(MediaChoice("test", "none", "test"))
    assert launcher.media.of(port.SetServers) == [port.SetServers(())]


@pytest.mark.parametrize(("kept", "loaded"), [("stun:a.example", "stun:a.example"), ("a b", "")])
async def test_servers_are_kept_and_what_cannot_be_read_is_none(
    lone: LoneNode, kept: str, loaded: str
) -> None:
    await lone.store.set_setting("media.ice_servers", kept)
    await calls(lone).load()
    assert calls(lone).choice().ice_servers == loaded
