"""Two media processes talk to each other: real sound, real pictures, real descriptions.

The test stands where the links of two nodes stand: what one process describes, it hands to the
other.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable

import numpy as np
import pytest

from folkmoot.media.launcher import ProcessLauncher
from folkmoot.media.pipe import frame
from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import (
    SELF,
    VERSION,
    AnyReport,
    AudioPlan,
    Begin,
    Begun,
    Connect,
    Describe,
    Described,
    DevicesListed,
    Disconnect,
    Levels,
    PathChanged,
    PeerBroken,
    PictureChanged,
    SetAudio,
    SetVideo,
    ShowTiles,
    StatsTaken,
    TilePlan,
    VideoPlan,
    encode,
)
from integration.media.ends import WAIT_S, End, connect, two


def _talk(end: End, *, video: bool) -> None:
    end.send(SetAudio(AudioPlan(source="test", open=True)))
    if video:
        end.send(SetVideo(VideoPlan(source="test", open=True, profile="saver")))


async def _see(end: End, peer: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The first picture of a peer in the shared memory."""
    assert end.media is not None
    memory = end.media.memory
    assert memory is not None
    async with asyncio.timeout(WAIT_S):
        # Shared memory tells nobody that it changed.
        while (picture := newest(memory, 2)) is None or picture.tag != 7:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return np.frombuffer(picture.pixels, np.uint8).reshape(picture.height, picture.width, 4)


async def test_two_processes_hear_and_see_each_other() -> None:
    async with two() as (ada, bob):
        for end, other in ((ada, bob), (bob, ada)):
            end.send(ShowTiles((TilePlan(2, other.name, 320, 180, 7),)))
            _talk(end, video=True)
        connect(ada, bob)
        for end in (ada, bob):
            await end.path("connected")
            await end.path("flowing")
        for end, other in ((ada, bob), (bob, ada)):
            picture = await _see(end, other.name)
            assert picture.shape == (180, 320, 4)
            assert picture[..., :3].std() > 10
            await end.wait_for(_is_heard(other.name))
            size = await end.wait_for(
                lambda r, o=other: isinstance(r, PictureChanged) and r.peer == o.name  # type: ignore[misc]
            )
            assert isinstance(size, PictureChanged)
            assert size.height == 360
            row = await end.wait_for(_has_full_stats)
            assert isinstance(row, StatsTaken)
            assert row.rows[0].way == "host"
            assert row.rows[0].codec == "opus, VP8"
            await end.wait_for(_has_a_usual_delay)
        assert ada.ends == bob.ends == []


def _is_heard(peer: bytes) -> Callable[[AnyReport], bool]:
    return lambda report: (
        isinstance(report, Levels) and any(row[0] == peer and row[1] > 0.05 for row in report.rows)
    )


def _has_full_stats(report: AnyReport) -> bool:
    if not isinstance(report, StatsTaken):
        return False
    row = report.rows[0]
    return (
        min(row.audio_in_bps, row.audio_out_bps, row.video_in_bps, row.video_out_bps) > 1000
        and row.rtt_ms >= 0
        and row.fps_out > 5
        and row.quality > 0
    )


def _has_a_usual_delay(report: AnyReport) -> bool:
    """It is longer for a while where a machine stood still."""
    return isinstance(report, StatsTaken) and 2 <= report.rows[0].audio_delay_ms <= 250


async def test_h264_is_sent_where_it_is_chosen_and_vp8_the_other_way() -> None:
    async with two() as (ada, bob):
        for end, other in ((ada, bob), (bob, ada)):
            end.send(ShowTiles((TilePlan(2, other.name, 320, 180, 7),)))
        ada.send(SetVideo(VideoPlan("test", "", True, "saver", codec="h264")))
        bob.send(SetVideo(VideoPlan("test", "", True, "saver")))
        connect(ada, bob)
        await ada.wait_for(_uses("opus, H264, VP8"))
        await bob.wait_for(_uses("opus, VP8, H264"))
        picture = await _see(bob, ada.name)
        assert picture[..., :3].std() > 10


async def test_another_codec_is_taken_up_in_the_middle_of_a_call() -> None:
    async with two() as (ada, bob):
        bob.send(ShowTiles((TilePlan(2, ada.name, 320, 180, 7),)))
        connect(ada, bob)
        for codec, told in (("auto", "VP8"), ("h264", "H264"), ("auto", "VP8")):
            seen = len(bob.reports)
            ada.send(SetVideo(VideoPlan("test", "", True, "saver", codec=codec)))
            await bob.wait_for(_flows(f"opus, {told}"), seen)
        assert not any(isinstance(report, PeerBroken) for report in bob.reports)


def _uses(codec: str) -> Callable[[AnyReport], bool]:
    return lambda report: isinstance(report, StatsTaken) and report.rows[0].codec == codec


def _flows(codec: str) -> Callable[[AnyReport], bool]:
    """Pictures of this codec come at nearly the full rate."""
    return lambda report: (
        isinstance(report, StatsTaken)
        and report.rows[0].codec == codec
        and report.rows[0].fps_in >= 12
    )


async def test_the_size_of_a_picture_is_told_though_it_is_not_shown() -> None:
    async with two() as (ada, bob):
        _talk(ada, video=True)
        connect(ada, bob)
        await bob.wait_for(lambda r: r == PictureChanged(ada.name, 640, 360))
        ada.send(SetVideo(VideoPlan()))
        await bob.wait_for(lambda r: r == PictureChanged(ada.name, 0, 0))


async def test_a_second_connection_takes_over_and_the_first_one_is_closed() -> None:
    async with two() as (ada, bob):
        for end, other in ((ada, bob), (bob, ada)):
            end.send(ShowTiles((TilePlan(2, other.name, 320, 180, 7),)))
            _talk(end, video=True)
        connect(ada, bob)
        for end in (ada, bob):
            await end.path("flowing")
        connect(ada, bob, 2)
        for end in (ada, bob):
            await end.path("flowing", 2)
            await end.path("closed", 1)
        for end, other in ((ada, bob), (bob, ada)):
            assert _paths(end) == [
                *[(1, "connected"), (1, "flowing")],
                *[(2, "connected"), (2, "flowing"), (1, "closed")],
            ]
            heard = _is_heard(other.name)
            await end.wait_for(heard, len(end.reports))


def _paths(end: End) -> list[tuple[int, str]]:
    """What became of the connections; a machine that stands still is silent for a moment."""
    told = [(each.connection, each.state) for each in end.reports if isinstance(each, PathChanged)]
    for silent in [each for each in told if each[1] == "silent"]:
        at = told.index(silent)
        del told[at]
        if (silent[0], "flowing") in told[at:]:
            del told[told.index((silent[0], "flowing"), at)]
    return told


async def test_a_muted_peer_is_not_silent() -> None:
    async with two() as (ada, bob):
        for end in (ada, bob):
            end.send(SetAudio(AudioPlan(source="test", open=False)))
        connect(ada, bob)
        for end in (ada, bob):
            await end.path("flowing")
        for end in (ada, bob):
            await end.wait_for(lambda _, end=end: len(_undisturbed(end)) >= 4)  # type: ignore[misc]
            # Silence that was not lost is not concealed.
            concealed = [each.rows[0].concealed_ms for each in _undisturbed(end)]
            assert concealed[-1] - concealed[0] <= 100


def _undisturbed(end: End) -> list[StatsTaken]:
    """The statistics since somebody was silent, which is so where a machine stands still too."""
    silent = [isinstance(each, PathChanged) and each.state == "silent" for each in end.reports]
    begin = len(silent) - silent[::-1].index(True) if any(silent) else 0
    return [each for each in end.reports[begin:] if isinstance(each, StatsTaken)]


async def test_a_peer_that_is_killed_falls_silent() -> None:
    async with two() as (ada, bob):
        for end in (ada, bob):
            _talk(end, video=False)
        connect(ada, bob)
        for end in (ada, bob):
            await end.path("flowing")
        assert bob.media is not None
        os.kill(bob.media.pid, signal.SIGKILL)
        await ada.path("silent")
        await bob.wait_for(lambda _: bool(bob.ends))
        assert len(bob.ends) == 1


async def test_a_description_with_two_fingerprints_breaks_the_peer() -> None:
    async with two() as (ada, bob):
        ada.other = None
        ada.send(Connect(bob.name, 1, offers=True))
        offer = await ada.wait_for(lambda r: isinstance(r, Described))
        assert isinstance(offer, Described)
        forged = offer.sdp + "a=fingerprint:sha-256 " + ":".join(["00"] * 32) + "\r\n"
        bob.send(Connect(ada.name, 1, offers=False))
        bob.send(Describe(ada.name, 1, "offer", forged))
        broken = await bob.wait_for(lambda r: isinstance(r, PeerBroken))
        assert isinstance(broken, PeerBroken)
        assert (broken.peer, broken.code) == (ada.name, "bad_description")
        assert bob.ends == []


@pytest.mark.long
async def test_a_peer_that_never_answers_has_failed() -> None:
    async with two() as (ada, bob):
        ada.other, peer = None, bob.name
        ada.send(Connect(peer, 1, offers=True))
        await ada.wait_for(lambda r: r == PathChanged(peer, 1, "failed"))


async def test_a_peer_that_is_disconnected_is_told_closed_on_both_sides() -> None:
    async with two() as (ada, bob):
        for end in (ada, bob):
            _talk(end, video=False)
        connect(ada, bob)
        for end in (ada, bob):
            await end.path("flowing")
        ada.send(Disconnect(bob.name))
        for end in (ada, bob):
            await end.path("closed")


async def test_our_own_picture_is_shown_and_its_end_told() -> None:
    async with two() as (ada, _):
        ada.send(ShowTiles((TilePlan(2, SELF, 160, 90, 7),)))
        _talk(ada, video=True)
        assert (await _see(ada, SELF)).shape == (90, 160, 4)
        ada.send(SetVideo(VideoPlan()))
        await ada.wait_for(lambda r: r == PictureChanged(SELF, 0, 0))


@pytest.mark.parametrize(
    ("garbage", "status"),
    [(b"\xff\xff\xff\xff", 3), (b"\x00\x00\x00\x03abc", 3), (b"", 0)],
)
async def test_a_child_that_is_told_garbage_ends_and_says_so(garbage: bytes, status: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "folkmoot", "media"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(garbage)
    assert process.returncode == status
    assert out == b""
    assert (b"garbage" in err) == (status == 3)


async def test_a_child_that_crashes_says_where() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "folkmoot", "media", "--memory", "nowhere:1"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(frame(encode(Begin(VERSION, devices=False))))
    await process.stdin.drain()
    assert process.stderr is not None
    err = await process.stderr.read()
    assert await process.wait() == 1
    assert b"Traceback" in err
    assert b"nowhere" in err


def test_no_orphan_stays_when_the_parent_is_killed() -> None:
    script = textwrap.dedent("""
        import asyncio
        from folkmoot.media.launcher import ProcessLauncher
        from folkmoot.services.media_port import *
        async def main():
            media = await ProcessLauncher(True).launch(
                Begin(VERSION, False), lambda r: None, lambda r: None)
            media.send(SetAudio(AudioPlan(source="test", open=True)))
            print(media.pid, flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    handle = os.pidfd_open(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    import select

    ready, _, _ = select.select([handle], [], [], WAIT_S)
    os.close(handle)
    assert ready


async def test_begun_names_the_version() -> None:
    async with two() as (ada, _):
        begun = ada.reports[0]
        assert isinstance(begun, Begun)
        assert begun.version == VERSION


async def test_a_process_with_devices_lists_them_after_it_began_and_ends_well() -> None:
    end = End(b"a" * 32)
    media = await ProcessLauncher(True).launch(Begin(VERSION, devices=True), end.take, end.ended)
    await end.wait_for(lambda report: isinstance(report, DevicesListed))
    await media.aclose()
    await asyncio.sleep(0)
    assert isinstance(end.reports[0], Begun)
    assert end.ends == [""]


async def test_a_display_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node that was started in a window's terminal goes on when that is closed."""
    monkeypatch.setenv("DISPLAY", ":9399")
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    end = End(b"a" * 32)
    media = await ProcessLauncher(False).launch(Begin(VERSION, devices=True), end.take, end.ended)
    await end.wait_for(lambda report: isinstance(report, DevicesListed))
    await media.aclose()
    await asyncio.sleep(0)
    assert end.ends == [""]
