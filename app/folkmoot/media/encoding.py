"""Encodes one source of pictures, once for all who receive it, in a thread of its own.

Owns the settings of VP8 and the cutting into payloads (RFC 7741); those of H264 are in `h264`.
Refuses to fall behind: of the pictures that wait it takes the newest, and drops the others.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.media.h264 import (
    BROKEN,
    CLOCK_HZ,
    MAX_PAYLOAD_BYTES,
    SOFTWARE,
    Encoders,
    cut_h264,
)
from folkmoot.media.rates import BASE_SHARE, REOPEN_SHARE

VP8, H264 = "VP8", "H264"
_VP8_ENCODER = "libvpx"
_MOST_SILENT = 5
"""Pictures in a row of which an encoder may make nothing."""
KEY_FRAME_S = 0.3
"""Requests that come within this time of a key frame are answered by that one."""
_TIME_BASE = Fraction(1, CLOCK_HZ)
_EXTENDED, _NON_REFERENCE, _START = 0x80, 0x20, 0x10
"""Bits X, N and S of the first octet of a VP8 payload (RFC 7741 section 4.2)."""
_UPPER = 0x60
"""Layer 1, of which each picture needs only the base layer (bits TID and Y)."""
_DESCRIPTOR_BYTES = 6


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture, cut for RTP. `layer` 1 can be left out; `timestamp` counts in 1/90,000 s.

    `codec` is ``VP8`` or ``H264``; `encoder` names what made it.
    """

    payloads: list[bytes]
    timestamp: int
    key: bool
    layer: int
    size: int
    codec: str = VP8
    encoder: str = _VP8_ENCODER

    @property
    def codec_words(self) -> str:
        """The codec, and the encoder if it is one of the hardware."""
        known = self.encoder in (_VP8_ENCODER, SOFTWARE)
        return self.codec if known else f"{self.codec} ({self.encoder})"

    def age_s(self, now_ns: int) -> float:
        """How long ago it was captured, by its timestamp; 0 if that is of another clock."""
        ticks = (_ticks(now_ns) - self.timestamp) & 0xFFFFFFFF
        return ticks / CLOCK_HZ if ticks < CLOCK_HZ * 10 else 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """What a picture took: seconds on the clock, and seconds of CPU in the thread that encodes."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What the encoder is told. `width`, `height` 0: as the pictures come; else scaled to that."""

    rate_bps: int
    fps: int
    layers: int = 2
    width: int = 0
    height: int = 0
    codec: str = VP8


class KeyFrames:
    """Merges requests for a key frame. Times are seconds; any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = True
        self._made_at: float | None = None

    def want(self, now: float, *, urgent: bool = False) -> None:
        """Ask for one. `urgent`: somebody new has nothing yet, so one just made does not count."""
        with self._lock:
            if urgent or self._made_at is None or now - self._made_at >= KEY_FRAME_S:
                self._wanted = True

    def take(self, now: float) -> bool:
        """Whether the next picture is to be a key frame."""
        with self._lock:
            wanted, self._wanted = self._wanted, False
            if wanted:
                self._made_at = now
            return wanted


class Coder:
    """One encoder: opened anew for another codec, another size or a rate that differs enough."""

    def __init__(self, h264: Encoders | None = None) -> None:
        self._h264 = h264 or Encoders()
        self._codec: VideoCodecContext | None = None
        self._name = ""
        self._settings: EncoderSettings | None = None
        self._index = 0
        self._last_pts = -1
        self._picture = 0
        self._silent = 0
        self._base = 0

    def encode(
        self, frame: av.VideoFrame, capture_ns: int, settings: EncoderSettings, key: bool
    ) -> EncodedPicture | None:
        """Encode a yuv420p picture; None if nothing came of it.

        An encoder of the hardware that fails is replaced at once by the next one. Raises
        `EnvironmentFault` ``no_encoder``, `av.FFmpegError`, `ValueError`.
        """
        frame = _scaled(frame, settings)
        while True:
            try:
                return self._encode(frame, capture_ns, settings, key)
            except BROKEN:
                codec, self._codec = self._codec, None
                if settings.codec != H264 or codec is None or self._name == SOFTWARE:
                    raise
                self._h264.give_up(self._name)

    def _encode(
        self, frame: av.VideoFrame, capture_ns: int, settings: EncoderSettings, key: bool
    ) -> EncodedPicture | None:
        if self._codec is None or self._must_reopen(frame, settings):
            self._open(frame, settings)
            key = True
        assert self._codec is not None
        if key:
            self._index = 0
        timestamp = _ticks(capture_ns)
        self._last_pts = max(timestamp, self._last_pts + 1)
        if frame.format.name != self._codec.pix_fmt:
            frame = frame.reformat(format=self._codec.pix_fmt)
        frame.pts, frame.time_base = self._last_pts, _TIME_BASE
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._codec.encode(frame)
        layer = self._index % max(1, settings.layers)
        self._index += 1
        data = b"".join(bytes(packet) for packet in packets)
        self._silent = 0 if data else self._silent + 1
        if self._silent > _MOST_SILENT:
            raise ValueError("the encoder makes nothing")
        if not data:
            return None
        self._picture = (self._picture + 1) & 0x7FFF
        if layer == 0:
            self._base = (self._base + 1) & 0xFF
        key = any(packet.is_keyframe for packet in packets)
        stamp = timestamp & 0xFFFFFFFF
        if settings.codec == H264:
            payloads = cut_h264(data)
        else:
            payloads = cut(data, self._picture, layer, self._base)
        return EncodedPicture(payloads, stamp, key, layer, len(data), settings.codec, self._name)

    def _open(self, frame: av.VideoFrame, settings: EncoderSettings) -> None:
        size = frame.width, frame.height
        self._codec = None
        if settings.codec == H264:
            self._name, self._codec = self._h264.open(*size, settings.rate_bps, settings.fps)
        else:
            self._name, self._codec = _VP8_ENCODER, _open(*size, settings)
        self._settings, self._index, self._last_pts, self._silent = settings, 0, -1, 0

    def _must_reopen(self, frame: av.VideoFrame, settings: EncoderSettings) -> bool:
        assert self._codec is not None
        assert self._settings is not None
        change = abs(settings.rate_bps - self._settings.rate_bps) / self._settings.rate_bps
        return (
            (frame.width, frame.height) != (self._codec.width, self._codec.height)
            or change >= REOPEN_SHARE
            or settings.fps != self._settings.fps
            or settings.layers != self._settings.layers
            or settings.codec != self._settings.codec
        )


def cut(data: bytes, picture: int, layer: int = 0, base: int = 0) -> list[bytes]:
    """Cut a picture into payloads, each with the descriptor of RFC 7741.

    `picture` counts to 2**15. `base` counts the pictures of the base layer to 2**8, so that a
    receiver sees when only a picture of the upper layer is lost, which no other needs.
    """
    size = MAX_PAYLOAD_BYTES - _DESCRIPTOR_BYTES
    count = -(-len(data) // size)
    even = -(-len(data) // count) if count else 0
    more = struct.pack("!BHBB", 0xE0, 0x8000 | picture, base, _UPPER if layer else 0)
    further = _EXTENDED | (_NON_REFERENCE if layer else 0)
    starts = range(0, len(data), even) if even else ()
    heads = (bytes([further | (0 if at else _START)]) + more for at in starts)
    return [head + data[at : at + even] for head, at in zip(heads, starts, strict=True)]


def _ticks(ns: int) -> int:
    return ns * 9 // 100_000


def _scaled(frame: av.VideoFrame, settings: EncoderSettings) -> av.VideoFrame:
    if not settings.height or (frame.width, frame.height) == (settings.width, settings.height):
        return frame
    return frame.reformat(
        width=settings.width, height=settings.height, interpolation="FAST_BILINEAR"
    )


def _open(width: int, height: int, settings: EncoderSettings) -> VideoCodecContext:
    rate = settings.rate_bps
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.bit_rate, codec.time_base = rate, _TIME_BASE
    codec.framerate = Fraction(settings.fps, 1)
    codec.gop_size, codec.qmin, codec.qmax = 3000, 2, 56
    codec.thread_count = 1  # two threads cost up to ten times as much on a busy computer
    options = {
        "deadline": "realtime",
        "cpu-used": "-6",
        "lag-in-frames": "0",
        "noise-sensitivity": "0",
        "static-thresh": "1",
        "bufsize": str(rate),
        "minrate": str(rate),
        "maxrate": str(rate),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        # Without it a picture of the upper layer changes how the next one is to be read, and
        # leaving it out would break what follows.
        "error-resilient": "default",
    }
    if settings.layers > 1:
        base = int(rate * BASE_SHARE / 1000)
        options["ts-parameters"] = (
            f"ts_number_layers=2:ts_target_bitrate={base},{rate // 1000}:ts_rate_decimator=2,1:"
            "ts_periodicity=2:ts_layer_id=0,1:ts_layering_mode=2"
        )
    codec.options = options
    return codec


class Encoder:
    """A thread that encodes the newest picture. `done` is called in it, with what it took."""

    def __init__(
        self,
        name: str,
        settings: EncoderSettings,
        done: Callable[[EncodedPicture, Spent], None],
        failed: Callable[[Exception], None],
        h264: Encoders | None = None,
    ) -> None:
        self._h264 = h264
        self.keys = KeyFrames()
        self.settings = settings
        self._done = done
        self._failed = failed
        self._waiting: tuple[av.VideoFrame, int] | None = None
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"encode-{name}", daemon=True)
        self._thread.start()

    def submit(self, frame: av.VideoFrame, capture_ns: int) -> None:
        """Take a picture from any thread; one that still waits is dropped."""
        with self._condition:
            self._waiting = (frame, capture_ns)
            self._condition.notify()

    def close(self) -> None:
        """End the thread; does not wait for it."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def _run(self) -> None:
        coder = Coder(self._h264)
        while (next_one := self._take()) is not None:
            frame, capture_ns = next_one
            began, worked = time.monotonic(), time.thread_time()
            try:
                key = self.keys.take(began)
                picture = coder.encode(frame, capture_ns, self.settings, key)
            except (*BROKEN, EnvironmentFault) as error:
                self._failed(error)
                coder = Coder(self._h264)
                continue
            if picture is not None:
                spent = Spent(time.monotonic() - began, time.thread_time() - worked)
                self._done(picture, spent)

    def _take(self) -> tuple[av.VideoFrame, int] | None:
        with self._condition:
            while self._waiting is None and not self._closed:
                self._condition.wait()
            if self._closed:
                return None
            waiting, self._waiting = self._waiting, None
            return waiting
