"""Calls as a user of aiortc writes them: the baseline of the benchmarks, and a peer for tests.

Only what its documentation shows: tracks that make frames, a relay for several receivers, frames
taken from received tracks. No part of Folkmoot's media is used but the generated picture, so that
both sides send the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import json
import time
from collections.abc import Callable

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.mediastreams import MediaStreamError

from folkmoot.media.devices.pattern import Pattern
from lab.page import Painter, Script
from lab.sound import RATE, Samples

_LONG = "a=fingerprint:sha-5"
_PIECE = 960  # 20 ms, as aiortc's own examples do


class StampedCamera(VideoStreamTrack):
    """The generated picture at 30 a second."""

    def __init__(self, width: int = 1280, height: int = 720) -> None:
        super().__init__()
        self._pattern = Pattern(width, height)
        self.number = 0

    async def recv(self) -> av.VideoFrame:
        """The next picture, when its time has come."""
        pts, time_base = await self.next_timestamp()
        frame = self._pattern.draw(self.number, time.monotonic_ns() // 1000)
        self.number += 1
        frame.pts, frame.time_base = pts, time_base
        return frame


class PageTrack(MediaStreamTrack):
    """A page of text that moves as its script says."""

    kind = "video"

    def __init__(self, script: str) -> None:
        super().__init__()
        self._script = Script(**json.loads(script))
        self._painter = Painter(self._script)
        self._number = 0
        self._began = 0.0

    async def recv(self) -> av.VideoFrame:
        """The next picture, when its time has come."""
        self._began = self._began or time.monotonic()
        due = self._began + self._script.due_s(self._number)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        picture, _ = self._painter.paint(self._number)
        self._number += 1
        return picture


class SoundTrack(MediaStreamTrack):
    """Plays samples again and again, in pieces of 20 ms."""

    kind = "audio"

    def __init__(self, samples: Samples) -> None:
        super().__init__()
        whole = max(1, len(samples) // _PIECE)
        self._samples = (np.resize(samples, whole * _PIECE) * 32767).astype(np.int16)
        self._at = 0
        self._began: float | None = None

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms, when their time has come."""
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(max(0.0, self._began + self._at / RATE - time.monotonic()))
        place = self._at % len(self._samples)
        piece = self._samples[place : place + _PIECE]
        frame = av.AudioFrame.from_ndarray(piece.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, self._at
        frame.time_base = fractions.Fraction(1, RATE)
        self._at += _PIECE
        return frame


def make_connection() -> RTCPeerConnection:
    """A peer connection without a STUN server."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def add_screen(connection: RTCPeerConnection) -> None:
    """Have a second picture in the offer, as calls of ours have: what is shared, here nothing."""
    while sum(each.kind == "video" for each in connection.getTransceivers()) < 2:
        connection.addTransceiver("video", "recvonly")


def prefer(connection: RTCPeerConnection, codec: str) -> None:
    """Speak only this video codec, ``vp8`` or ``h264``."""
    wanted = [
        each
        for each in RTCRtpSender.getCapabilities("video").codecs
        if each.mimeType.lower() == f"video/{codec}"
    ]
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver.setCodecPreferences(wanted)


async def describe_offer(connection: RTCPeerConnection) -> str:
    """Make the offer."""
    await connection.setLocalDescription(await connection.createOffer())
    return _with_one_fingerprint(connection.localDescription.sdp)


async def describe_answer(connection: RTCPeerConnection, offer: str) -> str:
    """Take the offer and make the answer."""
    await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return _with_one_fingerprint(connection.localDescription.sdp)


async def accept(connection: RTCPeerConnection, answer: str) -> None:
    """Take the answer."""
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))


def _with_one_fingerprint(sdp: str) -> str:
    """aiortc gives three of its one certificate; a call of ours takes one."""
    lines = sdp.splitlines()
    kept = [line for line in lines if not line.startswith(("a=fingerprint:sha-3", _LONG))]
    return "\r\n".join(kept) + "\r\n"


class Receiver:
    """Takes every frame of the tracks of a connection and hands it on, as long as they last."""

    def __init__(
        self,
        connection: RTCPeerConnection,
        picture: Callable[[av.VideoFrame], None],
        sound: Callable[[av.AudioFrame], None],
    ) -> None:
        self._take: dict[str, Callable[..., None]] = {"video": picture, "audio": sound}
        self._tasks: set[asyncio.Task[None]] = set()
        connection.on("track", self._follow)

    def _follow(self, track: MediaStreamTrack) -> None:
        task = asyncio.create_task(self._drain(track, self._take[track.kind]))
        self._tasks.add(task)

    async def _drain(self, track: MediaStreamTrack, take: Callable[..., None]) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                take(await track.recv())

    async def aclose(self) -> None:
        """Stop taking."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
