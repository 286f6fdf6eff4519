"""The frame buffer of a picture, over a network made of numbers."""

from __future__ import annotations

import heapq
import random
import statistics
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.media.receive.playout import MOST_HOLD_S, Playout
from folkmoot.media.receive.video_buffer import (
    MOST_BYTES,
    MOST_FRAME_BYTES,
    MOST_PACKETS,
    VideoBuffer,
)


def _vp8(
    first: bool, key: bool = False, droppable: bool = False, data: bytes = b"x" * 900
) -> bytes:
    head = bytes([(0x10 if first else 0) | (0x20 if droppable else 0)])
    return head + (bytes([0 if key else 1]) if first else b"") + data


FREEZE_S = 0.183


@dataclass
class _Seen:
    """What was shown: (when, how long after it was taken)."""

    shown: list[tuple[float, float]] = field(default_factory=list)
    frozen_s: float = 0.0
    longest_s: float = 0.0
    sent_again: int = 0
    sent: int = 0

    def delay(self, begin: float, end: float) -> float:
        """Median delay of what was shown from `begin` to `end`."""
        return statistics.median(late for at, late in self.shown if begin <= at < end)

    def fps(self, begin: float, end: float) -> float:
        return sum(1 for at, _ in self.shown if begin <= at < end) / (end - begin)


class _Call:
    """30 frames a second over a way that loses packets both ways, through a wrap-around.

    `layers` 2: as our sender does it, every other frame is needed by no other.
    """

    def __init__(self, loss: float, rtt: float, seed: int, *, burst: int = 1, layers: int = 1):
        self.loss, self._rtt, self._burst, self._layers = loss, rtt, burst, layers
        self._chance = random.Random(seed)
        self._buffer, self._playout = VideoBuffer(), Playout()
        self._way: list[tuple[float, int, str, Any]] = []
        self._sent: dict[int, tuple[int, int, bool, bytes]] = {}
        self._sequence, self._number, self._order, self._dead = 65_000, 0, 0, 0
        self._index = self._base = 0
        self._want_key = True
        self.seen = _Seen()

    def run(self, begin: float, end: float) -> _Seen:
        for milli in range(round(begin * 1000), round(end * 1000)):
            now = milli / 1000
            if milli % 33 == 0:
                self._send_frame(now)
            while self._way and self._way[0][0] <= now:
                self._take(now, *heapq.heappop(self._way)[2:])
            self._poll(now)
        return self.seen

    def _send(self, kind: str, what: Any, at: float) -> None:
        if self._dead == 0 and self._chance.random() < self.loss / self._burst:
            self._dead = self._burst
        if self._dead > 0:
            self._dead -= 1
            return
        self._order += 1
        heapq.heappush(self._way, (at + self._rtt / 2, self._order, kind, what))

    def _send_frame(self, now: float) -> None:
        key, self._want_key = self._want_key, False
        self._index = 0 if key else self._index + 1
        layer = self._index % self._layers
        self._base += layer == 0
        count = 40 if key else 4 if layer else 8
        for part in range(count):
            payload = _vp8(part == 0, key)
            if self._layers > 1:
                first = 0x80 | (0x20 if layer else 0) | (0x10 if part == 0 else 0)
                more = bytes([first, 0x60, self._base & 0xFF, 0x60 if layer else 0])
                payload = more + payload[1:]
            low = self._sequence & 0xFFFF
            self._sent[low] = (low, self._number * 2_970, part == count - 1, payload)
            self._send("video", low, now + part * 0.0003)
            self._sequence += 1
            self.seen.sent += 1
        self._number += 1

    def _take(self, now: float, kind: str, what: Any) -> None:
        if kind == "video":
            self._buffer.push(*self._sent[what], now)
        elif kind == "nack":
            for low in what:
                self.seen.sent_again += 1
                self._send("video", low, now)
        else:
            self._want_key = True

    def _poll(self, now: float) -> None:
        wishes = self._buffer.poll(now, self._rtt, self._playout.hold_s)
        if wishes.nacks:
            self._send("nack", wishes.nacks, now)
        if wishes.pli:
            self._send("pli", None, now)
        for frame in wishes.frames:
            due = self._playout.place(frame.timestamp, now, frame.mended)
            assert now <= due <= now + MOST_HOLD_S
            shown = self.seen.shown
            if shown:
                gap = due - shown[-1][0]
                assert gap >= 0
                self.seen.longest_s = max(self.seen.longest_s, gap)
                self.seen.frozen_s += gap if gap > FREEZE_S else 0.0
            shown.append((due, due - frame.timestamp / 90_000))


@pytest.mark.parametrize("layers", [1, 2])
def test_at_5_percent_loss_and_100_ms_hardly_anything_freezes(layers: int) -> None:
    frozen = []
    for seed in range(4):
        seen = _Call(0.05, 0.1, seed, layers=layers).run(0, 20)
        assert seen.longest_s <= 0.5
        assert seen.fps(0, 20) >= 28
        assert seen.sent_again <= 0.15 * seen.sent
        frozen.append(seen.frozen_s)
    assert sum(frozen) / 80 <= 0.02


def test_a_repair_shows_neither_as_a_stop_nor_as_a_burst() -> None:
    seen = _Call(0.05, 0.1, 1, layers=2).run(0, 20)
    gaps = [b - a for (a, _), (b, _) in pairwise(seen.shown) if a >= 2]
    assert sum(1 for gap in gaps if 0.02 <= gap <= 0.07) >= 0.97 * len(gaps)


@pytest.mark.parametrize("layers", [1, 2])
def test_without_loss_no_picture_waits_and_after_loss_none_within_ten_seconds(layers: int) -> None:
    call = _Call(0.0, 0.1, 2, layers=layers)
    call.run(0, 5)
    call.loss = 0.05
    call.run(5, 15)
    call.loss = 0.0
    seen = call.run(15, 30)
    before = seen.delay(2, 5)
    assert before == pytest.approx(0.05, abs=0.004)
    assert seen.delay(8, 15) > 1.5 * before
    assert seen.delay(25, 30) <= 1.05 * before
    assert max(late for at, late in seen.shown if at >= 25) <= 1.3 * before


def test_a_single_loss_makes_nothing_late_afterwards() -> None:
    call = _Call(0.0, 0.1, 2, layers=2)
    call.run(0, 2.046)
    call.loss = 1.0  # for one picture of the base layer
    call.run(2.046, 2.047)
    call.loss = 0.0
    seen = call.run(2.047, 5)
    assert seen.sent_again > 0
    assert seen.delay(2.5, 5) == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_picture_goes_on_at_20_percent_loss(layers: int) -> None:
    seen = _Call(0.2, 0.1, 1, layers=layers).run(0, 20)
    assert seen.fps(0, 20) >= 24
    assert seen.longest_s <= 0.7
    assert seen.frozen_s <= 3
    # What could not be repaired in time catches up, but not all at once.
    gaps = [b - a for (a, _), (b, _) in pairwise(seen.shown) if a >= 2]
    assert sum(1 for gap in gaps if gap < 0.012) <= 0.02 * len(gaps)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_picture_goes_on_after_bursts_of_ten(layers: int) -> None:
    seen = _Call(0.1, 0.1, 1, burst=10, layers=layers).run(0, 20)
    assert seen.fps(0, 20) >= 24
    assert seen.longest_s <= 0.7


def test_the_loss_of_a_frame_that_no_other_needs_is_no_stop() -> None:
    buffer, shown = VideoBuffer(), []
    for number in range(8):
        layer, base, now = number % 2, number // 2 + 1, number * 0.033
        head = bytes([0xB0 if layer else 0x90, 0x60, base, 0x60 * layer])
        if number != 3:  # lost whole, both packets
            body = b"\x00" if number == 0 else b"\x01"
            buffer.push(2 * number, number * 2_970, False, head + body, now)
            rest = bytes([head[0] & ~0x10]) + head[1:] + b"x"
            buffer.push(2 * number + 1, number * 2_970, True, rest, now)
        for at in (now, now + 0.02):
            shown += [(frame.timestamp // 2_970, at) for frame in buffer.poll(at, 0.1).frames]
    assert [number for number, _ in shown] == [0, 1, 2, 4, 5, 6, 7]
    assert dict(shown)[4] == pytest.approx(4 * 0.033 + 0.02)


def test_a_frame_leaves_with_its_last_packet() -> None:
    buffer = VideoBuffer()
    buffer.push(1, 0, False, _vp8(True, key=True), 0.0)
    assert buffer.poll(0.0, 0.1).frames == []
    buffer.push(2, 0, True, _vp8(False), 0.001)
    assert len(buffer.poll(0.001, 0.1).frames) == 1


def test_a_hole_in_a_frame_that_no_other_needs_is_skipped() -> None:
    buffer = VideoBuffer()
    buffer.push(1, 0, True, _vp8(True, key=True), 0.0)
    buffer.push(2, 3_000, False, _vp8(True, droppable=True), 0.033)
    buffer.push(4, 3_000, True, _vp8(False, droppable=True), 0.034)
    buffer.push(5, 6_000, True, _vp8(True), 0.066)
    # Pictures are shown 100 ms late: so long it may still come.
    assert [frame.timestamp for frame in buffer.poll(0.07, 0.1, 0.1).frames] == [0]
    assert [frame.timestamp for frame in buffer.poll(0.15, 0.1, 0.1).frames] == [6_000]
    assert not buffer.waiting_for_key


def test_a_hole_in_another_frame_freezes_until_a_key_frame() -> None:
    buffer = VideoBuffer()
    buffer.push(1, 0, True, _vp8(True, key=True), 0.0)
    buffer.push(3, 6_000, True, _vp8(True), 0.066)
    buffer.poll(0.07, 0.1)
    wishes = buffer.poll(0.5, 0.1)
    assert (wishes.frames, wishes.pli) == ([], True)
    buffer.push(4, 9_000, True, _vp8(True, key=True), 0.6)
    assert [frame.timestamp for frame in buffer.poll(0.6, 0.1).frames] == [9_000]


def test_a_lost_packet_is_asked_for_again_and_again_but_not_for_ever() -> None:
    buffer = VideoBuffer()
    buffer.push(1, 0, True, _vp8(True, key=True), 0.0)
    buffer.push(3, 3_000, True, _vp8(True), 0.0)
    asked = [at for at in range(2_000) if buffer.poll(at / 1000, 0.1).nacks]
    assert asked[0] == 5
    # Twice at once, since either way may lose it; then after the answer could have come.
    assert 25 <= asked[1] - asked[0] <= 27
    assert 110 <= asked[2] - asked[0] <= 112
    assert len(asked) == 10


def test_on_a_short_way_a_lost_packet_is_asked_for_once_a_round_trip() -> None:
    buffer = VideoBuffer()
    buffer.push(1, 0, True, _vp8(True, key=True), 0.0)
    buffer.push(3, 3_000, True, _vp8(True), 0.0)
    asked = [at for at in range(2_000) if buffer.poll(at / 1000, 0.04).nacks]
    assert 44 <= asked[1] - asked[0] <= 46


def test_who_answers_no_request_for_a_key_frame_is_asked_less_and_less() -> None:
    buffer, chance = VideoBuffer(), random.Random(5)
    asked = 0
    for tenth in range(1_800):
        now = tenth / 10
        buffer.push(tenth, tenth * 9_000, True, chance.randbytes(50), now)
        wishes = buffer.poll(now, 0.1)
        asked += wishes.pli
        if wishes.frames:
            buffer.want_key()  # the decoder can make nothing of it
    assert 60 <= asked <= 100


def test_a_frame_without_end_does_not_grow_for_ever() -> None:
    buffer = VideoBuffer()
    for sequence in range(4_000):
        buffer.push(sequence, 0, False, _vp8(sequence == 0, key=True, data=b"x" * 8_000), 0.0)
        buffer.poll(0.0, 0.1)
        assert buffer.held[1] <= MOST_FRAME_BYTES + 8_000
    assert buffer.counters.giants > 0


def test_when_a_frame_that_others_need_may_be_lost_too_nothing_is_skipped() -> None:
    buffer = VideoBuffer()

    def push(sequence: int, number: int, layer: int, base: int, now: float) -> None:
        head = bytes([0xB0 if layer else 0x90, 0x60, base, 0x60 * layer])
        body = b"\x01" if number else b"\x00"
        buffer.push(sequence, number * 2_970, True, head + body, now)

    push(1, 0, 0, 1, 0.0)
    push(4, 3, 1, 2, 0.1)  # 2 and 3 are lost: one of them was of the base layer
    push(5, 4, 0, 3, 0.133)
    assert [frame.timestamp for frame in buffer.poll(0.3, 0.1).frames] == [0]
    assert not buffer.waiting_for_key


def test_h264_goes_on_at_the_first_unit_of_a_key_frame() -> None:
    buffer = VideoBuffer("H264")
    sets = b"\x78" + b"\x00\x02\x67a" + b"\x00\x02\x68b"
    buffer.push(1, 0, False, sets, 0.0)
    buffer.push(2, 0, True, b"\x65c", 0.0)
    buffer.push(4, 6_000, False, sets, 0.066)  # 3 never comes
    buffer.push(5, 6_000, True, b"\x65d", 0.066)
    first, second = [frame for now in (0.0, 0.5) for frame in buffer.poll(now, 0.1).frames]
    assert first.data.replace(b"\x00\x00\x00\x01", b"|") == b"|ga|hb|ec"
    assert second.data.replace(b"\x00\x00\x00\x01", b"|") == b"|ga|hb|ed"


_packet = st.tuples(
    st.integers(0, 65_535),
    st.integers(0, (1 << 32) - 1),
    st.booleans(),
    st.binary(max_size=60),
    st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["VP8", "H264"]), st.lists(_packet, max_size=150))
def test_nonsense_never_raises_and_never_grows(
    codec: str, nonsense: list[tuple[int, int, bool, bytes, bool]]
) -> None:
    buffer = VideoBuffer(codec)
    for number, (sequence, stamp, marker, payload, near) in enumerate(nonsense):
        if near:
            sequence, stamp = number + sequence % 8, stamp % 9_000
        buffer.push(sequence, stamp, marker, payload, number * 0.02)
        wishes = buffer.poll(number * 0.02, 0.05)
        assert len(wishes.nacks) <= 200
        assert buffer.held[0] <= MOST_PACKETS
        assert buffer.held[1] <= MOST_BYTES


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 65_535), st.permutations(range(12)), st.integers(0, 11))
def test_frames_come_out_in_order_and_whole_whatever_the_order_in(
    start: int, order: list[int], twice: int
) -> None:
    buffer, frames = VideoBuffer(), []
    # The very first packet fixes the start; what is sent before a key frame is of no use anyway.
    for place in [0, *order, twice]:
        payload = _vp8(place % 3 == 0, place == 0, data=bytes([place]))
        stamp = place // 3 * 3_000
        buffer.push((start + place) & 0xFFFF, stamp, place % 3 == 2, payload, 0.0)
        frames += buffer.poll(0.0, 0.1).frames
    assert [frame.timestamp for frame in frames] == [0, 3_000, 6_000, 9_000]
    assert [frame.data[1:] for frame in frames] == [
        bytes([at, at + 1, at + 2]) for at in (0, 3, 6, 9)
    ]


def test_who_answers_no_request_is_asked_seldom_until_pictures_come_again() -> None:
    def asked(begin_s: int) -> int:
        return sum(buffer.poll(begin_s + at / 100, 0.05).pli for at in range(1_000))

    buffer = VideoBuffer()
    assert asked(0) >= 8  # at first it may be the way that loses them
    assert asked(10) <= 5
    buffer.note_sound()
    assert asked(20) >= 8
