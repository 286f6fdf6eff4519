"""H264: opens the best encoder that works here, and cuts its pictures for RTP (RFC 6184).

Owns the settings, and which encoders failed. Encoders of the hardware are tried first, each by
really encoding pictures; one that fails, then or later, is not used again. Refuses to believe that
an encoder works because it opens.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from fractions import Fraction

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from folkmoot.domain.errors import EnvironmentFault

CLOCK_HZ = 90_000
MAX_PAYLOAD_BYTES = 1_200
SOFTWARE = "libx264"
TRIAL_PICTURES = 4
BROKEN = (av.error.FFmpegError, ValueError, OSError)
_FRAGMENT, _FIRST, _LAST = 28, 0x80, 0x40
_LEFT_OUT = (6, 9)
"""Kinds of units that no decoder needs: words of the encoder about itself, delimiters."""
_START = re.compile(rb"\x00*\x00\x00\x01")
_HARDWARE: dict[str, tuple[str, dict[str, str]]] = {
    "h264_nvenc": (
        "yuv420p",
        {"preset": "p2", "tune": "ull", "rc": "cbr", "zerolatency": "1", "delay": "0"}
        | {"forced-idr": "1", "bf": "0"},
    ),
    "h264_vaapi": ("nv12", {"rc_mode": "CBR", "bf": "0", "async_depth": "1"}),
    "h264_qsv": (
        "nv12",
        {"preset": "veryfast", "async_depth": "1", "low_delay_brc": "1", "forced_idr": "1"}
        | {"bf": "0"},
    ),
    "h264_videotoolbox": ("nv12", {"realtime": "1", "prio_speed": "1", "bf": "0"}),
    "h264_amf": (
        "nv12",
        {"usage": "ultralowlatency", "quality": "speed", "rc": "cbr", "forced_idr": "1"},
    ),
    "h264_mf": ("nv12", {"scenario": "video_conference", "rate_control": "cbr"}),
}
NAMES = (*_HARDWARE, SOFTWARE)
"""In the order in which they are tried."""

Open = Callable[[str, int, int, int, int], VideoCodecContext]


def open_codec(name: str, width: int, height: int, rate_bps: int, fps: int) -> VideoCodecContext:
    """An encoder of the constrained baseline profile without delay; raises one of `BROKEN`."""
    pixels, options = _HARDWARE.get(name, ("yuv420p", {}))
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, pixels
    codec.bit_rate, codec.time_base = rate_bps, Fraction(1, CLOCK_HZ)
    codec.framerate, codec.gop_size = Fraction(fps, 1), 3000
    codec.thread_count = 1
    if name == SOFTWARE:
        options = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline"}
        options["forced-idr"] = "1"
    # The buffer of one second keeps a key frame from being many times the usual picture.
    codec.options = {**options, "maxrate": str(rate_bps), "bufsize": str(rate_bps)}
    return codec


class Encoders:
    """Which encoders still count as working; for every source of a process, from any thread."""

    def __init__(self, names: Sequence[str] = NAMES, opened: Open = open_codec) -> None:
        self._names = [name for name in names if name in av.codecs_available]
        self._opened = opened
        self._proven: set[str] = set()
        self._lock = threading.Lock()

    @property
    def works(self) -> bool:
        """Whether there is any left."""
        return bool(self._names)

    def open(
        self, width: int, height: int, rate_bps: int, fps: int
    ) -> tuple[str, VideoCodecContext]:
        """The first that works, with its name; raises `EnvironmentFault` ``no_encoder``."""
        with self._lock:
            while self._names:
                name = self._names[0]
                try:
                    if name not in self._proven:
                        _try_out(self._opened(name, width, height, rate_bps, fps))
                        self._proven.add(name)
                    codec = self._opened(name, width, height, rate_bps, fps)
                    codec.open(strict=False)
                    return name, codec
                except BROKEN:
                    self._names.remove(name)
        raise EnvironmentFault("no_encoder", "No encoder for H264 works on this computer.")

    def give_up(self, name: str) -> None:
        """It failed in the middle: never again."""
        with self._lock:
            if name in self._names:
                self._names.remove(name)


def _try_out(codec: VideoCodecContext) -> None:
    """Encode a few grey pictures; raises one of `BROKEN` unless something comes out at once."""
    came = 0
    for number in range(TRIAL_PICTURES):
        frame = av.VideoFrame(codec.width, codec.height, codec.pix_fmt or "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        frame.pts, frame.time_base = number * 3000, Fraction(1, CLOCK_HZ)
        frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
        came += len(codec.encode(frame))
    if came < TRIAL_PICTURES - 1:
        raise ValueError("it keeps pictures back")


def split(data: bytes) -> list[bytes]:
    """The units (NAL) of a picture with start codes (ITU-T H.264 annex B)."""
    return [unit.rstrip(b"\x00") for unit in _START.split(data) if unit]


def cut_h264(data: bytes) -> list[bytes]:
    """Cut a picture into payloads: units as they are, or in fragments (FU-A) of even size."""
    payloads: list[bytes] = []
    for unit in split(data):
        if not unit or unit[0] & 0x1F in _LEFT_OUT:
            continue
        if len(unit) <= MAX_PAYLOAD_BYTES:
            payloads.append(unit)
        else:
            payloads += _fragments(unit)
    return payloads


def _fragments(unit: bytes) -> list[bytes]:
    indicator, kind, body = unit[0] & 0xE0 | _FRAGMENT, unit[0] & 0x1F, unit[1:]
    count = -(-len(body) // (MAX_PAYLOAD_BYTES - 2))
    even = -(-len(body) // count)
    starts = range(0, len(body), even)
    marks = [(_FIRST if at == 0 else 0) | (_LAST if at + even >= len(body) else 0) for at in starts]
    return [
        bytes((indicator, mark | kind)) + body[at : at + even]
        for at, mark in zip(starts, marks, strict=True)
    ]
