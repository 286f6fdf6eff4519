"""The baseline as a process: aiortc and Qt as a user of both would join them.

`python -m lab.stock_peer JSON` takes one JSON object a line, `{"do": …, "key": …}`, and answers
each with one line. Qt runs in the main thread, aiortc on an asyncio loop in a second one, as the
examples of both say. The plan (`StockPlan`) tells what is sent, shown and played.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from typing import Any

import aiortc.rtcrtpreceiver
import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection
from aiortc.codecs import vpx
from aiortc.contrib.media import MediaRelay

from folkmoot.media.devices.stamp import read_stamp
from lab.plans import SYNTHETIC, StockPlan
from lab.sound import chirp, repeated
from lab.stamped import AUDIBLE
from lab.stock import (
    PageTrack,
    Receiver,
    SoundTrack,
    StampedCamera,
    accept,
    add_screen,
    describe_answer,
    describe_offer,
    make_connection,
    prefer,
)
from lab.tracing import make_noise

_QUEUED_PIECES = 50


class _Uncoded:
    """Stands in for a decoder where only the sender is measured."""

    def decode(self, frame: object) -> list[object]:
        """The frame as it came."""
        return [frame]


class StockPeer:
    """Its connections, the relay before them, and what they received."""

    def __init__(self, plan: StockPlan, desk: Any) -> None:
        self._plan = plan
        self._desk = desk
        self._relay = MediaRelay()
        self._sources: list[MediaStreamTrack] = []
        self._connections: dict[str, RTCPeerConnection] = {}
        self._receivers: list[Receiver] = []
        self._pictures: dict[str, list[tuple[float, int, int]]] = {}
        self._counted: dict[str, list[float]] = {}
        if plan.page:
            self._sources.append(PageTrack(plan.page))
        elif plan.width:
            self._sources.append(StampedCamera(plan.width, plan.height))
        if plan.sound == "chirps":
            self._sources.append(SoundTrack(repeated(chirp(), 1, 0.5, lead_s=0.2)))
        elif plan.sound == "noise":
            self._sources.append(SoundTrack(make_noise(2)))
        elif plan.sound != "none":
            self._sources.append(desk.microphone_track())

    async def obey(self, order: dict[str, Any]) -> object:
        """Do one order and answer."""
        key = str(order.get("key", ""))
        match order["do"]:
            case "offer":
                connection = self._connect(key, tracks=True)
                add_screen(connection)
                if self._plan.sound == "none":
                    connection.addTransceiver("audio", "recvonly")
                prefer(connection, self._plan.codec)
                return await describe_offer(connection)
            case "answer":
                connection = self._connect(key, tracks=True)
                return await describe_answer(connection, order["sdp"])
            case "accept":
                await accept(self._connections[key], order["sdp"])
            case "state":
                return {key: each.connectionState for key, each in self._connections.items()}
            case "report":
                carried = {key: await _bytes_in(each) for key, each in self._connections.items()}
                heard = getattr(self._desk, "heard_at", 0.0)
                return {
                    "pictures": self._pictures,
                    "counted": self._counted,
                    "bytes": carried,
                    "heard": heard,
                }
            case "end":
                for receiver in self._receivers:
                    await receiver.aclose()
                for connection in self._connections.values():
                    await connection.close()
        return None

    def _connect(self, key: str, tracks: bool) -> RTCPeerConnection:
        connection = self._connections[key] = make_connection()
        pictures = self._pictures.setdefault(key, [])
        counted = self._counted.setdefault(key, [])

        def picture(frame: av.VideoFrame) -> None:
            counted.append(time.monotonic())
            if self._plan.view is not None:
                self._desk.show(frame)
            elif self._plan.decode:
                self._note(frame, pictures)

        self._receivers.append(Receiver(connection, picture, self._desk.play))
        for track in self._sources if tracks else ():
            connection.addTrack(self._relay.subscribe(track))
        return connection

    def _note(self, frame: av.VideoFrame, pictures: list[tuple[float, int, int]]) -> None:
        """Keep every `keep`-th picture, so that it is compared with what was sent."""
        now = time.monotonic()
        if not self._plan.keep:
            return
        stamp = read_stamp(frame)
        if stamp is None:
            return
        pictures.append((now, stamp.micros, stamp.number))
        if stamp.number % self._plan.keep == 0:
            luma = frame.reformat(format="gray").to_ndarray()
            np.save(f"{self._plan.folder}/{stamp.number}-{stamp.micros}.npy", luma)


async def _bytes_in(connection: RTCPeerConnection) -> int:
    rows = (await connection.getStats()).values()
    return sum(row.bytesReceived for row in rows if row.type == "transport")


class NoDesk:
    """Neither widget nor devices; notes when something was heard first."""

    def __init__(self) -> None:
        self.heard_at = 0.0

    def play(self, frame: av.AudioFrame) -> None:
        """Drop it."""
        if not self.heard_at and int(np.abs(frame.to_ndarray()).max()) > AUDIBLE:
            self.heard_at = time.monotonic()

    def show(self, frame: av.VideoFrame) -> None:
        """Drop it."""


async def serve(plan: StockPlan, desk: Any) -> None:
    """Take orders until the input ends."""
    peer = StockPeer(plan, desk)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 22)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say("ready")
    while line := await reader.readline():
        order = json.loads(line)
        answer: Any = await peer.obey(order)
        if order["do"] == "report" and plan.view is not None:
            answer["pictures"]["view"] = desk.painted()
        _say(answer)
    os._exit(0)


def _say(answer: object) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def main(plan: StockPlan) -> None:
    """Run it with or without Qt."""
    if not plan.decode:
        setattr(aiortc.rtcrtpreceiver, "get_decoder", lambda codec: _Uncoded())  # noqa: B010
    if plan.bitrate:
        vpx.MIN_BITRATE = vpx.DEFAULT_BITRATE = vpx.MAX_BITRATE = plan.bitrate
    if not plan.uses_qt:
        asyncio.run(serve(plan, NoDesk()))
        return
    from lab.stock_desk import Desk

    desk = Desk(plan.view, plan.speaker, "" if plan.sound in SYNTHETIC else plan.sound)
    threading.Thread(target=lambda: asyncio.run(serve(plan, desk)), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        desk.run()


if __name__ == "__main__":
    said = json.loads(sys.argv[1])
    view = said.pop("view", None)
    main(StockPlan(**said, view=tuple(view) if view else None))
