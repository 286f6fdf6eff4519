"""A voice and a picture from one real connection to another, in one process."""

from __future__ import annotations

import asyncio
import fractions
from typing import Any

import av
import numpy as np
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    VideoStreamTrack,
)
from aiortc.rtp import RtpPacket

from folkmoot.media.receive.audio import AudioStream
from folkmoot.media.receive.opus import load
from folkmoot.media.receive.overrides import MOST_SOURCES
from folkmoot.media.receive.video import VideoStream

load()


class _Tone(AudioStreamTrack):
    """440 Hz."""

    async def recv(self) -> av.AudioFrame:
        silent: Any = await super().recv()
        wave = np.sin(2 * np.pi * 440 * (silent.pts + np.arange(silent.samples)) / 8_000) * 9_000
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16).reshape(1, -1), layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = silent.pts, 8_000, silent.time_base
        return frame


class _Moving(VideoStreamTrack):
    """A grey picture that changes; once one was shown, each is made when the one before was.

    Stock aiortc lets no frame out before the next one comes: nothing would go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self._place: int | None = None
        self._shown = asyncio.Event()

    def show(self, place: int) -> None:
        """The picture of this place among twenty was shown."""
        self._place = place
        self._shown.set()

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        while self._place is not None and self._place != (self.made - 1) % 20:
            self._shown.clear()
            await self._shown.wait()
        level = 40 + 10 * (self.made % 20)
        frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), level, np.uint8), "rgb24")
        frame.pts, frame.time_base = pts, fractions.Fraction(base)
        self.made += 1
        return frame


async def test_voice_and_picture_arrive_past_the_buffers_of_aiortc() -> None:
    loop = asyncio.get_running_loop()
    nothing = RTCConfiguration(iceServers=[])
    sender, taker = RTCPeerConnection(nothing), RTCPeerConnection(nothing)
    voices: list[AudioStream] = []
    views: list[VideoStream] = []
    receivers: list[Any] = []
    pictures: list[tuple[int, int]] = []
    broken: list[str] = []
    enough = asyncio.Event()

    def deliver(frame: av.VideoFrame, _timestamp: int) -> None:
        luma = float(frame.to_ndarray(format="gray").mean())
        place = round((luma - 40) / 10) % 20
        pictures.append((frame.width, frame.height))
        loop.call_soon_threadsafe(moving.show, place)
        if len(pictures) == 40:
            loop.call_soon_threadsafe(enough.set)

    def tell(code: str, _words: str) -> None:
        broken.append(code)

    moving = _Moving()
    sender.addTrack(_Tone())
    sender.addTrack(moving)
    await sender.setLocalDescription(await sender.createOffer())
    await taker.setRemoteDescription(sender.localDescription)
    for transceiver in taker.getTransceivers():
        receiver = transceiver.receiver
        receivers.append(receiver)
        if transceiver.kind == "audio":
            voices.append(AudioStream(receiver, broken=tell, loop=loop))
            voices[-1].attach()
        else:
            views.append(VideoStream(receiver, deliver=deliver, broken=tell, loop=loop))
            views[-1].attach()
    await taker.setLocalDescription(await taker.createAnswer())
    await sender.setRemoteDescription(taker.localDescription)
    heard: list[np.ndarray[Any, Any]] = []

    async def listen() -> None:
        while True:
            samples = voices[0].pull()
            if samples is not None:
                heard.append(samples)
            await asyncio.sleep(0.01)

    listening = asyncio.create_task(listen())
    try:
        async with asyncio.timeout(30):
            await enough.wait()
            while len(heard) < 50:  # noqa: ASYNC110 - sound may begin later
                await asyncio.sleep(0.01)
        assert pictures[-1] == (320, 240)
        sound = np.concatenate(heard[-50:]).astype(float)
        spectrum = np.abs(np.fft.rfft(sound))
        assert abs(int(np.argmax(spectrum)) * 48_000 / len(sound) - 440) < 10
        assert not broken
        for receiver in receivers:
            assert receiver._RTCRtpReceiver__decoder_thread is None
            assert not any(receiver._RTCRtpReceiver__jitter_buffer._packets)
            assert receiver._RTCRtpReceiver__remote_streams
        assert views[0].stats.width == 320
        assert voices[0].stats.bytes > 0
        await _crowd(receivers[0], broken)
    finally:
        listening.cancel()
        for voice in voices:
            voice.close()
        for view in views:
            view.close()
        await asyncio.gather(sender.close(), taker.close())
    assert voices[0].pull() is None


async def _crowd(receiver: Any, broken: list[str]) -> None:
    """A thousand sources: the peer is told of once, and nothing is remembered."""
    kind = next(iter(receiver._RTCRtpReceiver__codecs))
    for source in range(1_000):
        packet = RtpPacket(payload_type=kind, ssrc=source, payload=b"\xff" * 9)
        await receiver._handle_rtp_packet(packet, arrival_time_ms=1)
    assert len(receiver._RTCRtpReceiver__remote_streams) <= MOST_SOURCES
    assert broken == ["many_sources"]
