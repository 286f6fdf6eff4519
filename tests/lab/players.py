"""Participants of a call who cost next to nothing: nodes that send what was encoded beforehand.

`python -m lab.players FOLDER INVITE COUNT` makes so many nodes in one process. Each joins the team
by the invitation; the first starts a call in #general, the others join it. Links and signalling are
the shipped ones; only the media process is another: plain aiortc that packs encoded pictures and
sound and decodes nothing. Prints ``ready`` when all are in, and ends with its input.
"""

from __future__ import annotations

import asyncio
import fractions
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiortc.rtcrtpreceiver
import av
import numpy as np
from aiortc import MediaStreamTrack

from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.receive.opus import OpusEncoder
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallPhase
from folkmoot.services.media_port import AnyReport, Begin, Command
from folkmoot.services.node import Node
from integration.linked.nodes import open_node, until, until_true
from lab.sound import RATE
from lab.stock import accept, add_screen, describe_answer, describe_offer, make_connection

WIDTH, HEIGHT, FPS = 1280, 720, 30
BITRATE = 1_500_000
SECONDS = 4
_CLOCK = fractions.Fraction(1, 90_000)


class _NoDecoder:
    def decode(self, frame: object) -> list[object]:
        return []


def encode_pictures() -> list[bytes]:
    """Some seconds of the generated picture in VP8, a key frame each second."""
    codec: Any = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.bit_rate, codec.gop_size, codec.thread_count = BITRATE, FPS, 1
    codec.time_base, codec.framerate = fractions.Fraction(1, FPS), fractions.Fraction(FPS)
    codec.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"}
    pattern, packets = Pattern(WIDTH, HEIGHT), []
    for number in range(SECONDS * FPS):
        frame = pattern.draw(number, 0)
        frame.pts = number
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets


def encode_sound() -> list[bytes]:
    """A second of a soft tone in Opus."""
    at = np.arange(RATE) / RATE
    tone = (np.sin(2 * np.pi * 220 * at) * 3000).astype(np.int16)
    encoder = OpusEncoder(dtx=False)
    return [encoder.encode(piece) for piece in tone.reshape(-1, 960)]


class _Played(MediaStreamTrack):
    """Packets at their times, again and again."""

    def __init__(self, kind: str, packets: list[bytes], interval_s: float) -> None:
        super().__init__()
        self.kind = kind
        self._packets, self._interval_s = packets, interval_s
        self._at, self._began = 0, time.monotonic()

    async def recv(self) -> av.Packet[Any]:
        """The next one, when its time has come."""
        due = self._began + self._at * self._interval_s
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        packet: av.Packet[Any] = av.Packet(self._packets[self._at % len(self._packets)])
        packet.time_base = _CLOCK
        packet.pts = round(self._at * self._interval_s * 90_000)
        self._at += 1
        return packet


class PlayedMedia:
    """Stands where a media process would be; `services.media_port.Media`."""

    memory = None

    def __init__(self, take: Callable[[AnyReport], None], media: tuple[list[bytes], list[bytes]]):
        self._take = take
        self._pictures, self._sound = media
        self._connections: dict[bytes, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, command: Command) -> None:
        """Take what concerns connections."""
        if isinstance(command, port.Connect | port.Describe | port.Disconnect):
            task = asyncio.ensure_future(self._do(command))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """End every connection."""
        for connection in self._connections.values():
            await connection.close()

    async def _do(self, command: Command) -> None:
        match command:
            case port.Connect(peer, number, offers):
                await self._drop(peer)
                made = self._connections[peer] = self._make(peer, number)
                if offers:
                    add_screen(made)
                    sdp = await describe_offer(made)
                    self._take(port.Described(peer, number, "offer", sdp))
            case port.Describe(peer, number, "offer", sdp):
                answer = await describe_answer(self._connections[peer], sdp)
                self._take(port.Described(peer, number, "answer", answer))
            case port.Describe(peer, _, _, sdp):
                await accept(self._connections[peer], sdp)
            case port.Disconnect(peer):
                await self._drop(peer)

    def _make(self, peer: bytes, number: int) -> Any:
        made = make_connection()
        made.addTrack(_Played("audio", self._sound, 0.02))
        made.addTrack(_Played("video", self._pictures, 1 / FPS))

        def changed() -> None:
            if made.connectionState == "connected":
                self._take(port.PathChanged(peer, number, "flowing"))

        made.on("connectionstatechange", changed)
        return made

    async def _drop(self, peer: bytes) -> None:
        old = self._connections.pop(peer, None)
        if old is not None:
            await old.close()


class PlayedLauncher:
    """`services.media_port.MediaLauncher` without a process."""

    def __init__(self, media: tuple[list[bytes], list[bytes]]) -> None:
        self._media = media

    async def launch(
        self, begin: Begin, take: Callable[[AnyReport], None], ended: Callable[[str], None]
    ) -> PlayedMedia:
        """Ready at once."""
        take(port.Begun(port.VERSION, ""))
        return PlayedMedia(take, self._media)


async def _play(folder: Path, invite: str, count: int) -> None:
    setattr(aiortc.rtcrtpreceiver, "get_decoder", lambda codec: _NoDecoder())  # noqa: B010
    media = await asyncio.to_thread(lambda: (encode_pictures(), encode_sound()))
    nodes: list[Node] = []
    for number in range(count):
        node = await open_node(f"Player {number}", folder, media=PlayedLauncher(media))
        await node.joining.join(invite)
        nodes.append(node)
    await until_true(lambda: _all_see(nodes), 30)
    (room,) = await nodes[0].conversations.list()
    call = await nodes[0].calls.start(room.id, video=True, ring=False)
    await nodes[0].calls.set_camera(call.id, True)
    for node in nodes[1:]:
        await until(lambda node=node: bool(node.calls.list()), 20)  # type: ignore[misc]
        await node.calls.join(call.id, video=True)
    await until(lambda: all(n.calls.get(call.id).phase is CallPhase.JOINED for n in nodes), 20)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def _all_see(nodes: list[Node]) -> bool:
    return all([bool(await node.conversations.list()) for node in nodes])


if __name__ == "__main__":
    asyncio.run(_play(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
