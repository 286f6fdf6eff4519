"""H264: encoders that fail are replaced, and what is cut for RTP is put together again."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.media import h264
from folkmoot.media.encoding import H264, VP8, Coder, EncodedPicture, EncoderSettings
from folkmoot.media.h264 import MAX_PAYLOAD_BYTES, SOFTWARE, Encoders, cut_h264, open_codec
from folkmoot.media.receive.video_buffer import VideoBuffer

_SETTINGS = EncoderSettings(rate_bps=2_000_000, fps=30, layers=1, codec=H264)
_FRAME_NS = 33_333_333


def _frame(index: int, width: int = 320, height: int = 240) -> av.VideoFrame:
    chance = np.random.default_rng(index)
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = chance.integers(0, 256, (height, width), np.uint8)
    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


def _encode(coder: Coder, count: int, keys: tuple[int, ...] = ()) -> list[EncodedPicture]:
    made = [
        coder.encode(_frame(index), index * _FRAME_NS, _SETTINGS, index in keys)
        for index in range(count)
    ]
    assert None not in made
    return [picture for picture in made if picture is not None]


def _received(pictures: list[EncodedPicture]) -> list[tuple[int, bytes, bool]]:
    """What our own receive path makes of the payloads."""
    buffer, sequence = VideoBuffer("H264"), 100
    for picture in pictures:
        for number, payload in enumerate(picture.payloads):
            last = number == len(picture.payloads) - 1
            buffer.push(sequence, picture.timestamp, last, payload, 1.0)
            sequence += 1
    return [(one.timestamp, one.data, one.key) for one in buffer.poll(1.0, 0.1).frames]


def test_every_picture_comes_out_at_once_and_can_be_decoded_again() -> None:
    pictures = _encode(Coder(), 12, keys=(0, 7))
    assert [index for index, picture in enumerate(pictures) if picture.key] == [0, 7]
    assert {(picture.codec, picture.layer) for picture in pictures} == {(H264, 0)}
    received = _received(pictures)
    assert [key for _, _, key in received] == [picture.key for picture in pictures]
    decoder = av.CodecContext.create("h264", "r")
    decoded = [frame for _, data, _ in received for frame in decoder.decode(av.Packet(data))]
    decoded += decoder.decode(None)
    assert len(decoded) == 12
    error = decoded[-1].to_ndarray().astype(float) - _frame(11).to_ndarray()
    assert np.abs(error).mean() < 60


def test_a_decoder_can_begin_at_a_later_key_frame() -> None:
    later = _encode(Coder(), 10, keys=(0, 7))[7:]
    decoder = av.CodecContext.create("h264", "r")
    frames = [frame for _, data, _ in _received(later) for frame in decoder.decode(av.Packet(data))]
    assert len(frames + decoder.decode(None)) == 3


def test_units_are_cut_to_the_size_that_every_way_carries() -> None:
    pictures = _encode(Coder(), 3)
    assert max(len(payload) for one in pictures for payload in one.payloads) <= MAX_PAYLOAD_BYTES
    assert len(pictures[0].payloads) > 4


@pytest.mark.parametrize("size", [1, 2, 1_199, 1_200, 1_201, 2_398, 2_399, 50_000])
def test_a_unit_of_any_size_is_put_together_again(size: int) -> None:
    unit = bytes((0x65,)) + bytes((7,)) * (size - 1)
    payloads = cut_h264(b"\x00\x00\x00\x01" + unit)
    assert max(map(len, payloads)) <= MAX_PAYLOAD_BYTES
    buffer = VideoBuffer("H264")
    for number, payload in enumerate(payloads):
        buffer.push(number, 5, number == len(payloads) - 1, payload, 1.0)
    [frame] = buffer.poll(1.0, 0.1).frames
    assert frame.data == b"\x00\x00\x00\x01" + unit


class _Hardware:
    """An encoder of the hardware that gives up after so many pictures; 0: it does not open."""

    def __init__(self, good_for: int) -> None:
        self.good_for = good_for
        self.tried = 0

    def open(self, name: str, width: int, height: int, rate: int, fps: int) -> VideoCodecContext:
        if name == SOFTWARE:
            return open_codec(name, width, height, rate, fps)
        self.tried += 1
        if self.good_for == 0:
            raise ValueError("no such device")
        return _Failing(open_codec(SOFTWARE, width, height, rate, fps), self)  # type: ignore[return-value]


class _Failing:
    def __init__(self, codec: VideoCodecContext, hardware: _Hardware) -> None:
        self._codec, self._hardware = codec, hardware

    def __getattr__(self, name: str) -> object:
        return getattr(self._codec, name)

    def encode(self, frame: av.VideoFrame) -> list[Any]:
        self._hardware.good_for -= 1
        if self._hardware.good_for < 0:
            raise av.error.ExternalError(1, "the device is gone")
        return self._codec.encode(frame)


def test_an_encoder_that_does_not_open_is_passed_over_and_not_tried_again() -> None:
    hardware = _Hardware(0)
    encoders = Encoders(("h264_nvenc", SOFTWARE), hardware.open)
    assert _encode(Coder(encoders), 3)[0].encoder == SOFTWARE
    _encode(Coder(encoders), 1)
    assert hardware.tried == 1


def test_an_encoder_that_works_is_used_and_named() -> None:
    encoders = Encoders(("h264_nvenc", SOFTWARE), _Hardware(100).open)
    [picture] = _encode(Coder(encoders), 1)
    assert picture.encoder == "h264_nvenc"
    assert picture.codec_words == "H264 (h264_nvenc)"


def test_an_encoder_that_fails_in_a_call_is_replaced_without_losing_a_picture() -> None:
    hardware = _Hardware(h264.TRIAL_PICTURES + 5)
    pictures = _encode(Coder(Encoders(("h264_nvenc", SOFTWARE), hardware.open)), 8)
    assert [one.encoder for one in pictures] == ["h264_nvenc"] * 5 + [SOFTWARE] * 3
    assert [index for index, one in enumerate(pictures) if one.key] == [0, 5]


def test_without_any_encoder_it_is_told() -> None:
    encoders = Encoders(("h264_nvenc",), _Hardware(0).open)
    with pytest.raises(EnvironmentFault, match="H264"):
        Coder(encoders).encode(_frame(0), 0, _SETTINGS, True)
    assert not encoders.works


def test_another_codec_begins_with_a_key_frame() -> None:
    coder = Coder()
    coder.encode(_frame(0), 0, _SETTINGS, True)
    other = coder.encode(_frame(1), _FRAME_NS, EncoderSettings(2_000_000, 30, codec=VP8), False)
    back = coder.encode(_frame(2), 2 * _FRAME_NS, _SETTINGS, False)
    assert other is not None
    assert back is not None
    assert [(one.codec, one.key) for one in (other, back)] == [(VP8, True), (H264, True)]
