"""Pictures are encoded once, in layers that can be left out, and cut for RTP."""

from __future__ import annotations

import threading

import av
import numpy as np
import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor

from folkmoot.media.encoding import (
    KEY_FRAME_S,
    Coder,
    EncodedPicture,
    Encoder,
    EncoderSettings,
    KeyFrames,
    Spent,
    cut,
)
from folkmoot.media.h264 import MAX_PAYLOAD_BYTES

_SETTINGS = EncoderSettings(rate_bps=400_000, fps=30)


def _frame(index: int, width: int = 320, height: int = 240) -> av.VideoFrame:
    rows, columns = np.mgrid[0:height, 0:width]
    luma = ((columns + 5 * index) // 9 * 40 + rows // 7 * 30) % 256
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    picture[:height] = luma
    return av.VideoFrame.from_ndarray(picture, format="yuv420p")


def _encode(count: int, keys: tuple[int, ...] = ()) -> list[EncodedPicture]:
    coder = Coder()
    made = [coder.encode(_frame(i), i * 33_333_333, _SETTINGS, i in keys) for i in range(count)]
    pictures = [picture for picture in made if picture is not None]
    assert len(pictures) == count
    return pictures


def _decode(pictures: list[EncodedPicture]) -> dict[int, np.ndarray[tuple[int, ...], np.dtype]]:
    decoder = av.CodecContext.create("libvpx", "r")
    decoded = {}
    for picture in pictures:
        parts = [VpxPayloadDescriptor.parse(payload)[1] for payload in picture.payloads]
        for frame in decoder.decode(av.Packet(b"".join(parts))):
            decoded[picture.timestamp] = frame.to_ndarray()
    return decoded


def test_the_upper_layer_can_be_left_out_and_what_is_left_looks_the_same() -> None:
    pictures = _encode(40, keys=(0, 21))
    whole = _decode(pictures)
    thinned = _decode([picture for picture in pictures if picture.layer == 0])
    assert 15 < len(thinned) < 25
    assert all(np.array_equal(whole[at], picture) for at, picture in thinned.items())


def test_a_key_frame_is_made_where_it_was_asked_for_and_only_there() -> None:
    pictures = _encode(30, keys=(0, 17))
    assert [index for index, picture in enumerate(pictures) if picture.key] == [0, 17]
    assert pictures[17].layer == 0


def test_a_small_change_of_the_rate_makes_no_key_frame_and_a_large_one_does() -> None:
    coder = Coder()
    coder.encode(_frame(0), 0, _SETTINGS, False)
    small = coder.encode(_frame(1), 33_000_000, EncoderSettings(430_000, 30), False)
    large = coder.encode(_frame(2), 66_000_000, EncoderSettings(200_000, 30), False)
    assert small is not None
    assert large is not None
    assert (small.key, large.key) == (False, True)


def test_a_picture_of_another_size_begins_with_a_key_frame() -> None:
    coder = Coder()
    coder.encode(_frame(0), 0, _SETTINGS, False)
    other = coder.encode(_frame(1, 160, 120), 33_000_000, _SETTINGS, False)
    assert other is not None
    assert other.key


def test_a_clock_that_stands_still_does_not_break_the_encoder() -> None:
    coder = Coder()
    made = [coder.encode(_frame(i), 5_000_000, _SETTINGS, False) for i in range(3)]
    assert None not in made


@pytest.mark.parametrize("size", [0, 1, 1195, 1196, 1197, 40_000])
def test_payloads_are_bounded_and_hold_the_picture(size: int) -> None:
    data = bytes(i % 251 for i in range(size))
    payloads = cut(data, 5)
    parsed = [VpxPayloadDescriptor.parse(payload) for payload in payloads]
    assert b"".join(rest for _, rest in parsed) == data
    assert all(len(payload) <= MAX_PAYLOAD_BYTES for payload in payloads)
    assert [d.partition_start for d, _ in parsed] == [1, *[0] * len(payloads[1:])][: len(payloads)]
    assert all(descriptor.picture_id == 5 for descriptor, _ in parsed)


def test_each_payload_says_what_can_be_left_out() -> None:
    pictures = _encode(8, keys=(0, 5))
    said = [[VpxPayloadDescriptor.parse(p)[0] for p in picture.payloads] for picture in pictures]
    base = 0
    for picture, descriptors in zip(pictures, said, strict=True):
        base += picture.layer == 0
        for descriptor in descriptors:
            assert descriptor.tl0picidx == base
            assert descriptor.tid == (picture.layer, picture.layer)  # needs only the base layer
        assert all(bool(p[0] & 0x20) == (picture.layer == 1) for p in picture.payloads)


def test_requests_for_a_key_frame_are_merged() -> None:
    keys = KeyFrames()
    assert keys.take(0.0)
    for at in (0.01, 0.1, KEY_FRAME_S - 0.01):
        keys.want(at)
    assert not keys.take(0.29)
    keys.want(KEY_FRAME_S)
    keys.want(KEY_FRAME_S)
    assert keys.take(0.31)
    assert not keys.take(0.32)


def test_somebody_new_gets_a_key_frame_at_once() -> None:
    keys = KeyFrames()
    assert keys.take(0.0)
    keys.want(0.01, urgent=True)
    assert keys.take(0.02)


def test_an_encoder_takes_the_newest_picture_and_ends_when_it_is_closed() -> None:
    done: list[EncodedPicture] = []
    two = threading.Event()
    first = threading.Event()
    go_on = threading.Event()

    def take(picture: EncodedPicture, spent: Spent) -> None:
        done.append(picture)
        first.set()
        assert spent.cpu_s > 0
        assert spent.wall_s > 0
        go_on.wait(30)
        if len(done) == 2:
            two.set()

    encoder = Encoder("test", _SETTINGS, take, lambda error: done.clear())
    encoder.submit(_frame(0), 0)
    assert first.wait(30)
    for index in range(1, 8):
        encoder.submit(_frame(index), index * 33_000_000)
    go_on.set()
    assert two.wait(30)
    encoder.close()
    encoder._thread.join(30)
    assert not encoder._thread.is_alive()
    assert [picture.timestamp for picture in done] == [0, 7 * 33_000_000 * 9 // 100_000]
