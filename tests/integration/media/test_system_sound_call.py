"""What one computer plays is heard on another: two media processes on two sound systems."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from folkmoot.media.launcher import ProcessLauncher
from folkmoot.services.media_port import (
    VERSION,
    AudioPlan,
    Begin,
    LevelRow,
    Levels,
    ListSources,
    SetAudio,
    SetShare,
    ShareChanged,
    SharePlan,
    SourcesListed,
)
from integration.media.ends import WAIT_S, End, connect
from lab.sound import RATE, Recording, SoundSystem, chirp, find, repeated, sound_system

pytestmark = [pytest.mark.long, pytest.mark.needs("pulseaudio", "parec", "pactl")]

MUSIC = chirp(180)
"""Loud enough and long enough to be taken for speech."""


async def _begin(end: End, system: SoundSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in system.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DISPLAY", raising=False)
    end.media = await ProcessLauncher(False).launch(
        Begin(VERSION, devices=True), end.take, end.ended
    )
    end.send(SetAudio(AudioPlan(source="device", sink="device")))


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - a recording tells nobody that it goes on
            await asyncio.sleep(0.05)


def _rows(end: End) -> list[LevelRow]:
    return [row for each in end.reports if isinstance(each, Levels) for row in each.rows]


def _latest(heard: Recording, seconds: float) -> list[int]:
    return find(heard.samples()[-int(seconds * RATE) :], MUSIC)


async def test_music_of_one_is_heard_by_the_other_and_is_nobodys_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, bob = End(b"a" * 32), End(b"b" * 32)
    ada.other, bob.other = bob, ada
    with sound_system() as here, sound_system() as there:
        try:
            await _begin(ada, here, monkeypatch)
            await _begin(bob, there, monkeypatch)
            connect(ada, bob)
            await bob.path("flowing")
            heard = await asyncio.to_thread(there.record, "speaker.monitor")
            await asyncio.to_thread(here.play_on, "speaker", repeated(MUSIC, 300, 0.2, 0.0))
            ada.send(ListSources(True))
            await ada.wait_for(lambda r: isinstance(r, SourcesListed) and r.sound)
            ada.send(SetShare(SharePlan("test", sound=True)))
            await _until(lambda: len(_latest(heard, 2)) >= 6)
            shown = [row for end in (ada, bob) for row in _rows(end) if row[2] or row[1] > 0.05]
            assert shown == []
            ada.send(SetShare(SharePlan("test", sound=True, paused=True)))
            await _until(lambda: not _latest(heard, 1))
            ada.send(SetShare(SharePlan("test", sound=True)))
            await _until(lambda: len(_latest(heard, 1)) >= 2)
            ada.send(SetShare(SharePlan()))
            await _until(lambda: not _latest(heard, 1))
            # A share that ends by itself takes its sound with it.
            ada.send(SetShare(SharePlan("window", "nobody", sound=True)))
            await ada.wait_for(lambda r: isinstance(r, ShareChanged) and r.state == "ended")
            await _until(lambda: here.list_recordings() == [])
            assert ada.ends == bob.ends == []
        finally:
            for end in (ada, bob):
                if end.media is not None:
                    await end.media.aclose()
