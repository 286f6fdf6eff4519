"""One remote picture: from aiortc's receiver to decoded frames.

Owns the frame buffer, what is asked of the sender and when, and the thread that decodes. Refuses
pictures above 4096x2304 and codecs other than VP8 and H264 (`broken`).
"""

from __future__ import annotations

import asyncio
import collections
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import av
from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from folkmoot.media.flood import Allowance
from folkmoot.media.receive.decode import DecodeThread
from folkmoot.media.receive.overrides import Tap
from folkmoot.media.receive.playout import MOST_HOLD_S, Playout
from folkmoot.media.receive.video_buffer import VideoBuffer

_TICK_S = 0.010
_FREEZE_S = 0.15
_FREEZE_TIMES = 3
_TAIL_S = 0.25
"""How long packets that were sent before a report may be later than it."""
_MOST_MESSAGES = 16
_MOST_SOURCES, _SOURCES_S = 6, 0.2
_MOST_SIZES, _SIZES_S = 30, 2.0
_ENDING = {"giant_picture", "many_sources", "restless_picture"}
"""After these nothing of the peer is looked at."""


@dataclass(frozen=True, slots=True)
class VideoStats:
    """Sums since the start; `fps` of the last second, `loss` 0–1.

    `fps` counts what is decoded; of a picture that nobody wants, what comes.
    A freeze is what the W3C's statistics call so (webrtc-stats, `freezeCount`): a picture that is
    shown 150 ms and at least twice the usual time later than it should be.
    """

    fps: float = 0.0
    freezes: int = 0
    frozen_ms: int = 0
    jitter_ms: float = 0.0
    loss: float = 0.0
    bytes: int = 0
    width: int = 0
    height: int = 0
    nacks: int = 0
    plis: int = 0


class VideoStream:
    """`deliver(frame, timestamp)` is called on the decode thread (timestamp: 1/90,000 s, does not
    wrap around), `broken(code, words)` on the loop, at most once a code.

    `rtt_s` is set by who knows the round trip, `lip_s` from `sync.LipSync`, `patient` as in
    `video_buffer`. Raises `AiortcChanged` when made with another aiortc.
    """

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        *,
        deliver: Callable[[av.VideoFrame, int], None],
        broken: Callable[[str, str], None],
        loop: asyncio.AbstractEventLoop,
        patient: bool = False,
    ) -> None:
        self._patient = patient
        self._tap = Tap(receiver, self._packet, self._report, self._crowd)
        self._tap.on_count = self._count
        self._behind: tuple[int, int] | None = None
        self.alive_s: float | None = None
        """When a packet or a report of it came last (`time.monotonic`)."""
        self._deliver, self._broken, self._loop = deliver, broken, loop
        self._buffer = VideoBuffer(patient=patient)
        self._codec = ""
        self._source: int | None = None
        self._decoder: DecodeThread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        self._sources = Allowance(_SOURCES_S, _MOST_SOURCES)
        self._sizes = Allowance(_SIZES_S, _MOST_SIZES)
        self._wanted = True
        self._closed = False
        self._shown: collections.deque[float] = collections.deque(maxlen=120)
        self._troubled = False
        self._freezes, self._frozen_s = 0, 0.0
        self._width = self._height = 0
        self._transit: float | None = None
        self._jitter_s = 0.0
        self._playout = Playout()
        self.rtt_s = 0.1
        self.on_report: Callable[[int, int], None] | None = None

    def attach(self) -> None:
        """Take the packets away from aiortc. On the loop's thread."""
        self._tap.attach()

    def settle(self) -> None:
        """Keep no thread of aiortc for a stream that may never come; now and then."""
        self._tap.settle()

    def share_estimate(self, other: VideoStream) -> None:
        """Tell the peer what it can send on both streams together."""
        self._tap.share_estimate(other._tap)

    def close(self) -> None:
        """Stop; nothing is delivered after the frame in hand. Twice is no error."""
        self._closed = True
        self._tap.detach()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._sending:
            task.cancel()
        self._end_decoder()

    @property
    def wanted(self) -> bool:
        """Whether the picture is decoded at all."""
        return self._wanted

    @wanted.setter
    def wanted(self, on: bool) -> None:
        if on == self._wanted:
            return
        self._wanted = on
        self._buffer.reset()
        self._playout.reset()
        self._shown.clear()
        if on:
            self._poll()
        else:
            self._end_decoder()

    @property
    def codec(self) -> str:
        """``VP8`` or ``H264``; empty before the first packet."""
        return self._codec

    @property
    def hold_s(self) -> float:
        """How long pictures are held now: for the repair of lost packets, or for the lips."""
        return self._playout.hold_s

    @property
    def latest(self) -> tuple[int, float] | None:
        """The timestamp of the last picture, and when it could be shown without being held."""
        return self._playout.latest

    @property
    def lip_s(self) -> float:
        """How long `sync.LipSync` wants them to be held."""
        return self._playout.lip_s

    @lip_s.setter
    def lip_s(self, seconds: float) -> None:
        self._playout.lip_s = max(0.0, min(MOST_HOLD_S, seconds))

    @property
    def stats(self) -> VideoStats:
        """For the loop's thread."""
        now, counters = time.monotonic(), self._buffer.counters
        return VideoStats(
            fps=float(sum(1 for at in list(self._shown) if now - at <= 1.0)),
            freezes=self._freezes,
            frozen_ms=round(self._frozen_s * 1000),
            jitter_ms=self._jitter_s * 1000,
            loss=self._tap.loss(),
            bytes=counters.bytes,
            width=self._width,
            height=self._height,
            nacks=counters.nacks,
            plis=counters.plis,
        )

    # Packets, on the loop.

    def _packet(self, codec: str, packet: RtpPacket) -> None:
        if self._closed or self._told & _ENDING:
            return
        if codec not in ("VP8", "H264"):
            self._tell("video_codec", f"the picture comes as {codec[:20]}")
            return
        self.alive_s = time.monotonic()
        if (codec, packet.ssrc) != (self._codec, self._source):
            if not self._sources.take(1, time.monotonic()):
                self._crowd()
                return
            self._begin(codec, packet.ssrc)
        if not self._wanted:
            self._buffer.counters.bytes += len(packet.payload)
            if packet.marker:
                self._shown.append(time.monotonic())
            return
        now = time.monotonic()
        self._jitter(packet.timestamp, now)
        self._buffer.push(
            packet.sequence_number, packet.timestamp, bool(packet.marker), packet.payload, now
        )
        self._poll()

    def _begin(self, codec: str, source: int) -> None:
        counters = self._buffer.counters
        self._end_decoder()
        self._buffer = VideoBuffer(codec, patient=self._patient)
        self._buffer.counters = counters
        self._codec, self._source, self._transit = codec, source, None
        self._playout.reset()

    def _jitter(self, timestamp: int, now: float) -> None:
        transit = now - timestamp / 90_000
        if self._transit is not None:
            step = abs(transit - self._transit)
            # A wrap or a jump of the sender's clock is no jitter.
            self._jitter_s += (step - self._jitter_s) / 16 if step < 1.0 else 0.0
        self._transit = transit

    def _poll(self) -> None:
        if self._source is None or self._closed:
            return
        now = time.monotonic()
        wishes = self._buffer.poll(now, self.rtt_s, self._playout.hold_s)
        for frame in wishes.frames:
            due = self._playout.place(frame.timestamp, now, frame.mended)
            if not self._thread().put(frame, due):
                self._buffer.want_key()
        if wishes.nacks:
            self._send(self._tap.nack(self._source, wishes.nacks))
        if wishes.pli:
            self._send(self._tap.pli(self._source))
        if self._buffer.busy:
            self._troubled = True
            if self._timer is None:
                self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._wanted:
            self._poll()

    def _send(self, message: Coroutine[Any, Any, None]) -> None:
        if len(self._sending) >= _MOST_MESSAGES:
            message.close()
            return
        task = self._loop.create_task(message)
        self._sending.add(task)
        task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled() and task.exception() is not None and not self._closed:
            self._tell("feedback", "what is lost cannot be asked for")

    def _report(self, ntp: int, timestamp: int) -> None:
        if self.on_report is not None:
            self.on_report(ntp, timestamp)

    def _count(self, source: int, sent: int) -> None:
        """A sender report says how many packets there were (RFC 3550 section 6.4.1).

        The end of a picture after which nothing moves is missed by no later packet.
        """
        self.alive_s = time.monotonic()
        expected = self._tap.expected(source)
        behind = (sent - expected) & 0xFFFFFFFF
        least = behind if expected else 0
        if self._behind is not None and self._behind[0] == source:
            least = min(self._behind[1], least)
        self._behind = (source, least)
        if behind > least and self._wanted and not self._closed:
            self._loop.call_later(_TAIL_S, self._look_for_tail, source, expected)

    def _look_for_tail(self, source: int, expected: int) -> None:
        if self._closed or not self._wanted or self._tap.expected(source) != expected:
            return
        if self._source is None:  # nothing of it ever came
            self._send(self._tap.pli(source))
        else:
            self._want_key()

    def _crowd(self) -> None:
        self._tell("many_sources", "one picture comes from too many sources")

    def _tell(self, code: str, words: str) -> None:
        if code not in self._told and not self._closed:
            self._told.add(code)
            self._broken(code, words)

    # The decoder.

    def _thread(self) -> DecodeThread:
        if self._decoder is None:
            self._decoder = DecodeThread(
                self._codec, self._picture, self._lost, self._giant, self._sound
            )
        return self._decoder

    def _end_decoder(self) -> None:
        if self._decoder is not None:
            self._decoder.end()
            self._decoder = None

    def _picture(self, frame: av.VideoFrame, timestamp: int) -> None:
        """On the decode thread."""
        if self._closed or not self._wanted:
            return
        now = time.monotonic()
        self._watch_freezes(now)
        self._shown.append(now)
        if (frame.width, frame.height) != (self._width, self._height):
            self._width, self._height = frame.width, frame.height
            if not self._sizes.take(1, now):
                words = "the picture changes its size all the time"
                self._call(lambda: self._tell("restless_picture", words))
                return
        self._deliver(frame, timestamp)

    def _watch_freezes(self, now: float) -> None:
        if self._shown and self._troubled:
            gap = now - self._shown[-1]
            usual = (self._shown[-1] - self._shown[0]) / max(1, len(self._shown) - 1)
            if gap > max(_FREEZE_TIMES * usual, usual + _FREEZE_S):
                self._freezes += 1
                self._frozen_s += gap
        self._troubled = False

    def _lost(self) -> None:
        self._call(self._want_key)

    def _sound(self) -> None:
        self._call(lambda: self._buffer.note_sound())

    def _giant(self, words: str) -> None:
        self._call(lambda: self._tell("giant_picture", words))

    def _want_key(self) -> None:
        self._buffer.want_key()
        self._poll()

    def _call(self, act: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(act)
        except RuntimeError:
            pass  # The loop is closed: the call is over.
