"""The encoders of a recording: H264 pictures, Opus or AAC sound, on the clock of the recording.

Owns their settings. H264 plays everywhere in both containers, and ultrafast costs half of VP8 at
the same quality. Refuses pictures that are not yuv420p.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from folkmoot.media.devices.ring import RATE
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.voices import Sound

KEY_NS = 2 * SECOND
"""A player can seek to each of them."""
_MICROSECOND = Fraction(1, 1_000_000)
_PICTURE = {"preset": "ultrafast", "tune": "zerolatency", "crf": "22", "forced-idr": "1"}
_MOST_BPS = 8_000_000
_MIXED_BPS, _VOICE_BPS, _AAC_BPS = 64_000, 40_000, 96_000
_BT601, _LIMITED = 6, 1
_START = re.compile(rb"\x00+\x00\x01")
_SPS, _PPS, _DELIMITER, _WORDS = 7, 8, 9, 6


@dataclass(frozen=True, slots=True)
class Coded:
    """One picture, or a few milliseconds of sound. Times in nanoseconds of the recording."""

    data: bytes
    at_ns: int
    lasts_ns: int
    key: bool


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """What a container has to know. `avcc`: ISO/IEC 14496-15, AVCDecoderConfigurationRecord."""

    width: int
    height: int
    lasts_ns: int
    avcc: bytes


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """What a container has to know. `private` is the head of Opus (RFC 7845)."""

    rate: int
    delay_samples: int
    private: bytes


def set_up_picture(codec: VideoCodecContext, width: int, height: int, fps: int) -> None:
    """The settings of H264."""
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base, codec.framerate = _MICROSECOND, Fraction(fps, 1)
    codec.gop_size, codec.thread_count = 3000, 1
    # What calls send is BT.601; a player would guess something else for large pictures.
    codec.colorspace = codec.color_primaries = codec.color_trc = _BT601
    codec.color_range = _LIMITED
    codec.options = _PICTURE | {"maxrate": str(_MOST_BPS), "bufsize": str(_MOST_BPS)}


class PictureEncoder:
    """One stream of pictures of one size, with or without `codec` from a container."""

    def __init__(
        self, width: int, height: int, fps: int, codec: VideoCodecContext | None = None
    ) -> None:
        if codec is None:
            made = av.CodecContext.create("libx264", "w")
            assert isinstance(made, VideoCodecContext)
            codec = made
        set_up_picture(codec, width, height, fps)
        self.size = width, height
        self._codec = codec
        self._lasts_ns = SECOND // fps
        self._key_at: int | None = None
        self._last = -1

    def encode(self, frame: av.VideoFrame, at_ns: int) -> list[av.Packet[Any]]:
        """Encode a picture of this size. Raises `av.FFmpegError`, `ValueError`."""
        key = self._key_at is None or at_ns - self._key_at >= KEY_NS
        if key:
            self._key_at = at_ns
        self._last = max(at_ns // 1000, self._last + 1)
        frame.pts, frame.time_base = self._last, _MICROSECOND
        frame.pict_type = PictureType.I if key else PictureType.NONE
        return self._codec.encode(frame)

    def coded(self, packets: list[av.Packet[Any]]) -> Iterator[tuple[Coded, PictureFormat | None]]:
        """Packets as a container of length-prefixed units has them; with a key frame its format."""
        for packet in packets:
            units = list(_units(bytes(packet)))
            data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
            at_ns = (packet.pts or 0) * 1000
            form = None
            if packet.is_keyframe:
                form = _format(self.size, self._lasts_ns, units)
            yield Coded(data, at_ns, self._lasts_ns, packet.is_keyframe), form


class SoundEncoder:
    """One stream of mono sound at 48 kHz. `name` is ``libopus`` or ``aac``."""

    def __init__(
        self, name: str, *, mixed: bool = True, codec: AudioCodecContext | None = None
    ) -> None:
        if codec is None:
            made = av.CodecContext.create(name, "w")
            assert isinstance(made, AudioCodecContext)
            codec = made
        codec.sample_rate, codec.layout = RATE, "mono"
        codec.format = "fltp" if name == "aac" else "flt"
        codec.time_base = Fraction(1, RATE)
        codec.bit_rate = _AAC_BPS if name == "aac" else _MIXED_BPS if mixed else _VOICE_BPS
        if name == "libopus":
            codec.options = {"application": "audio", "vbr": "on", "compression_level": "5"}
        self._codec = codec
        self._format = codec.format.name
        codec.open()
        self.chunk = codec.frame_size or 960
        """Samples that it takes at a time."""

    @property
    def form(self) -> SoundFormat:
        """For the container."""
        private = bytes(self._codec.extradata or b"")
        delay = int.from_bytes(private[10:12], "little")
        return SoundFormat(RATE, delay, private)

    @property
    def delay_ns(self) -> int:
        """How far what comes out lies before what goes in."""
        return self.form.delay_samples * SECOND // RATE

    def encode(self, sound: Sound | None, position: int) -> list[av.Packet[Any]]:
        """Encode `chunk` samples that begin at sample `position`; None: the rest."""
        if sound is None:
            return self._codec.encode(None)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format=self._format, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, position, Fraction(1, RATE)
        return self._codec.encode(frame)

    def coded(self, packets: list[av.Packet[Any]]) -> Iterator[Coded]:
        """Packets as a container has them: their time is when they are decoded, not heard."""
        for packet in packets:
            at_ns = (packet.pts or 0) * SECOND // RATE + self.delay_ns
            yield Coded(bytes(packet), at_ns, self.chunk * SECOND // RATE, True)


def _units(data: bytes) -> Iterator[bytes]:
    for unit in _START.split(data):
        if unit and unit[0] & 31 not in (_DELIMITER, _WORDS):
            yield unit


def _format(size: tuple[int, int], lasts_ns: int, units: list[bytes]) -> PictureFormat | None:
    sps = next((unit for unit in units if unit[0] & 31 == _SPS), None)
    pps = next((unit for unit in units if unit[0] & 31 == _PPS), None)
    if sps is None or pps is None:
        return None
    avcc = b"\x01" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
    avcc += b"\x01" + len(pps).to_bytes(2, "big") + pps
    return PictureFormat(*size, lasts_ns, avcc)
