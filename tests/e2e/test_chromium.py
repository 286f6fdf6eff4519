"""Calls with a WebRTC peer that nobody of this project wrote, pictures and sound in both ways."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard, TypeVar

import av
import numpy as np
import pytest

from folkmoot.services.frame_slots import newest
from folkmoot.services.media_port import (
    SCREEN,
    SELF,
    AudioPlan,
    Levels,
    PictureChanged,
    SetShare,
    SharePlan,
    ShowTiles,
    StatsTaken,
    TilePlan,
    VideoPlan,
)
from lab.chromium import Chromium, chromium
from lab.sides import OurSide, our_side
from lab.sound import chirp, repeated
from lab.stock import (
    Receiver,
    SoundTrack,
    StampedCamera,
    accept,
    describe_answer,
    describe_offer,
    make_connection,
    prefer,
)

pytestmark = [pytest.mark.long, pytest.mark.needs("chromium"), pytest.mark.timeout(120)]
T = TypeVar("T")
WANTED_FRAMES = 60
CODECS = ("vp8", "h264")


async def eventually(ask: Callable[[], Awaitable[T]], right: Callable[[T], bool], what: str) -> T:
    """What `ask` answers as soon as it is right; fails with `what` and the last answer."""
    deadline = time.monotonic() + 30
    while True:
        answer = await ask()
        if right(answer):
            return answer
        assert time.monotonic() < deadline, f"never: {what}; last {answer!r}"
        await asyncio.sleep(0.2)


def saw_and_heard(report: dict[str, Any]) -> bool:
    """Whether Chromium decoded pictures and heard sound."""
    picture, sound = report.get("video_in", {}), report.get("audio_in", {})
    return bool(
        picture.get("framesDecoded", 0) >= WANTED_FRAMES
        and sound.get("packetsReceived", 0) >= 50
        and sound.get("totalAudioEnergy", 0) > 0.001
    )


class Seen:
    """What came from Chromium, decoded by us."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.loudest = 0

    def picture(self, frame: av.VideoFrame) -> None:
        """Note a picture."""
        self.sizes.append((frame.width, frame.height))

    def sound(self, frame: av.AudioFrame) -> None:
        """Note how loud a piece of sound is."""
        self.loudest = max(self.loudest, int(np.abs(frame.to_ndarray()).max()))


async def report_of(browser: Chromium, codec: str, seen: Seen) -> None:
    """Wait until both sides have pictures and sound; check what they are."""
    report = await eventually(browser.report, saw_and_heard, "pictures and sound in Chromium")
    assert report["state"] == "connected"
    for way in ("video_in", "video_out"):
        assert report[way]["codec"].lower() == f"video/{codec}"
    assert report["audio_in"]["codec"].lower() == "audio/opus"
    assert (report["video_in"]["frameWidth"], report["video_in"]["frameHeight"]) == (640, 360)

    async def ours() -> tuple[int, int]:
        return len(seen.sizes), seen.loudest

    await eventually(
        ours, lambda got: got[0] >= WANTED_FRAMES and got[1] > 1000, "pictures and sound here"
    )


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("offers", ["chromium", "aiortc"])
async def test_chromium_and_plain_aiortc_see_and_hear_each_other(codec: str, offers: str) -> None:
    seen = Seen()
    connection = make_connection()
    receiver = Receiver(connection, seen.picture, seen.sound)
    try:
        async with chromium() as browser:
            await browser.begin()
            if offers == "aiortc":
                connection.addTrack(StampedCamera(640, 360))
                connection.addTrack(SoundTrack(repeated(chirp(200), 1, 0.4, lead_s=0)))
                prefer(connection, codec)
                sdp = await browser.answer(await describe_offer(connection), codec)
                await accept(connection, sdp)
            else:
                offer = await browser.offer(codec)
                connection.addTrack(StampedCamera(640, 360))
                connection.addTrack(SoundTrack(repeated(chirp(200), 1, 0.4, lead_s=0)))
                await browser.accept(await describe_answer(connection, offer))
            await report_of(browser, codec, seen)
    finally:
        await receiver.aclose()
        await connection.close()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("offers", ["chromium", "folkmoot"])
async def test_chromium_and_our_media_process_see_and_hear_each_other(
    codec: str, offers: str
) -> None:
    ours = our_side(
        audio=AudioPlan(source="test", open=True),
        video=VideoPlan(source="test", open=True, height=360),
        window=True,
    )
    async with chromium() as browser, ours as side:
        side.send(ShowTiles((TilePlan(0, b"chromium", 320, 180, 1),)))
        await browser.begin()
        if offers == "chromium":
            await browser.accept(await side.answer("chromium", await browser.offer(codec)))
        else:
            # Chromium sends the first codec that it was offered, whatever its answer prefers.
            offer = only(await side.offer("chromium"), codec)
            await side.accept("chromium", await browser.answer(offer, codec))
        await report_of_side(browser, codec, side)
        rows = [row for each in side.reports if isinstance(each, StatsTaken) for row in each.rows]
        assert any(row.codec.startswith(f"opus, {codec.upper()}") for row in rows)


async def test_chromium_takes_h264_where_we_chose_it_and_both_were_offered() -> None:
    ours = our_side(
        audio=AudioPlan(source="test", open=True),
        video=VideoPlan(source="test", open=True, height=360, codec="h264"),
        window=True,
    )
    async with chromium() as browser, ours as side:
        side.send(ShowTiles((TilePlan(0, b"chromium", 320, 180, 1),)))
        await browser.begin()
        offer = await side.offer("chromium")
        await side.accept("chromium", await browser.answer(offer, ""))
        report = await eventually(
            browser.report,
            lambda got: saw_and_heard(got) and got["video_in"]["codec"].lower() == "video/h264",
            "H264 in Chromium",
        )
        assert report["video_out"]["codec"].lower() == "video/vp8"


@pytest.mark.parametrize("offers", ["chromium", "folkmoot"])
async def test_chromium_sees_what_we_share_beside_our_camera(offers: str) -> None:
    ours = our_side(video=VideoPlan(source="test", open=True, height=360), window=True)
    async with chromium() as browser, ours as side:
        await browser.begin()
        if offers == "chromium":
            await browser.accept(await side.answer("chromium", await browser.offer("vp8")))
        else:
            await side.accept("chromium", await browser.answer(await side.offer("chromium"), "vp8"))
        side.send(SetShare(SharePlan("test")))

        async def shared() -> dict[str, Any]:
            found = await browser.call("shared")
            assert isinstance(found, dict)
            return found

        screen = await eventually(
            shared, lambda got: got.get("framesDecoded", 0) >= 3, "what is shared in Chromium"
        )
        sizes = {(each.width, each.height) for each in side.reports if is_own_screen(each)}
        assert (screen["frameWidth"], screen["frameHeight"]) in sizes
        await eventually(
            browser.report,
            lambda got: got["video_in"].get("framesDecoded", 0) >= WANTED_FRAMES,
            "the camera in Chromium",
        )


async def report_of_side(browser: Chromium, codec: str, side: OurSide) -> None:
    """As `report_of`, with our media process on this side."""
    report = await eventually(browser.report, saw_and_heard, "pictures and sound in Chromium")
    assert report["state"] == "connected"
    for way in ("video_in", "video_out"):
        assert report[way]["codec"].lower() == f"video/{codec}"
    assert report["audio_in"]["codec"].lower() == "audio/opus"
    assert report["video_in"]["frameHeight"] == 360

    async def seen() -> tuple[int, float]:
        assert side.memory is not None
        picture = newest(side.memory, 0)
        levels = [row for each in side.reports if isinstance(each, Levels) for row in each.rows]
        loudest = max((level for peer, level, _ in levels if peer == b"chromium"), default=0.0)
        return 0 if picture is None else picture.sequence // 2, loudest

    await eventually(
        seen, lambda got: got[0] >= WANTED_FRAMES and got[1] > 0.1, "pictures and sound here"
    )
    sizes = [(each.width, each.height) for each in side.reports if is_picture_of_peer(each)]
    assert (640, 360) in sizes


def only(sdp: str, codec: str) -> str:
    """A description without the other codecs of pictures, and what repeats their packets."""
    head, *pictures = re.split("(?=m=video)", sdp)
    return head + "".join(_only(picture, codec) for picture in pictures)


def _only(picture: str, codec: str) -> str:
    lines = picture.splitlines()
    names = dict(re.findall(r"a=rtpmap:(\d+) (\w+)/", picture))
    again = dict(re.findall(r"a=fmtp:(\d+) apt=(\d+)", picture))
    gone = {kind for kind in names if names[again.get(kind, kind)].lower() != codec}
    about = re.compile(r"a=(?:rtpmap|fmtp|rtcp-fb):(\d+) ")
    kept = [line for line in lines if not (said := about.match(line)) or said[1] not in gone]
    kept[0] = " ".join(word for word in kept[0].split(" ") if word not in gone)
    return "\r\n".join(kept) + "\r\n"


def is_picture_of_peer(report: object) -> TypeGuard[PictureChanged]:
    """Whether it tells the size of Chromium's pictures."""
    return isinstance(report, PictureChanged) and report.peer == b"chromium"


def is_own_screen(report: object) -> TypeGuard[PictureChanged]:
    """Whether it tells the size of what we share."""
    return isinstance(report, PictureChanged) and (report.peer, report.kind) == (SELF, SCREEN)
