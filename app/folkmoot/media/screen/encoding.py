"""Encodes a shared screen, for all who receive it, in a thread of its own.

Owns the settings of VP8 for text, and what happens when nothing moves: the last picture is encoded
a few times more until it is sharp, and then nothing; who needs a whole picture gets one made of
the last. Refuses to trade sharpness or size for anything: pictures are left out instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from folkmoot.media.devices.planes import copy_frame
from folkmoot.media.encoding import EncodedPicture, Spent, cut
from folkmoot.media.h264 import BROKEN, CLOCK_HZ
from folkmoot.media.screen.rates import MOST_FPS, Pacer

WORST, BEST = 42, 16
"""Bounds of the quantizer of VP8 (0 to 63). Text keeps an SSIM of 0.97 at the worst of them; below
the best one bits buy nothing that is seen."""
AIM_BPS, NARROW_AIM_BPS = 24_000_000, 3_000_000
"""What the encoder is told: enough for the best quality of all but the wildest pictures, or, where
the way is narrow, so little that it keeps near the worst: a picture has half the size then."""
NARROW_BPS = 6_000_000
REFINE_TIMES, REFINE_S = 4, 0.12
MUCH_BYTES = 12_000
"""A picture that is smaller changed little (a caret, a hand of a clock): it is sharp at once."""
KEY_FRAME_S, KEY_APART_S = 0.3, 1.0
"""A request for a whole picture so soon after one has gone out is answered by that one; later ones
wait."""
BUSY_S = 0.02
_TIME_BASE = Fraction(1, CLOCK_HZ)
_OPTIONS = {
    "deadline": "realtime",
    # From -10 on text that moves costs a fifth less, at the same sharpness and size.
    "cpu-used": "-16",
    "lag-in-frames": "0",
    "noise-sensitivity": "0",
    "static-thresh": "1",
    "screen-content-mode": "1",
    "undershoot-pct": "100",
    "overshoot-pct": "100",
}


class ScreenCoder:
    """One encoder, opened anew only for another size: that costs a whole picture."""

    def __init__(self) -> None:
        self._codec: VideoCodecContext | None = None
        self._last_pts = -1
        self._picture = self._base = 0
        self._opened = (0, 0, 0)

    @property
    def is_narrow(self) -> bool:
        """Whether it was opened for a narrow way."""
        return self._opened[0] == NARROW_AIM_BPS

    def encode(
        self, frame: av.VideoFrame, at_ns: int, key: bool, aim_bps: int = AIM_BPS
    ) -> EncodedPicture | None:
        """Encode a yuv420p picture with even sides; None if nothing came of it.

        Times of one encoder only grow. Another `aim_bps` counts from the next whole picture on.
        Raises `av.FFmpegError`, `ValueError`.
        """
        codec = self._codec
        if codec is None or (codec.width, codec.height) != (frame.width, frame.height):
            key = True
        # One that was open for a while has saved bits, which a whole picture would spend.
        narrow = aim_bps == NARROW_AIM_BPS
        if codec is None or (
            key and (narrow or (aim_bps, frame.width, frame.height) != self._opened)
        ):
            codec = self._codec = _open(frame.width, frame.height, aim_bps)
            self._opened = (aim_bps, frame.width, frame.height)
        self._last_pts = max(at_ns * 9 // 100_000, self._last_pts + 1)
        frame.pts, frame.time_base = self._last_pts, _TIME_BASE
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = codec.encode(frame)
        data = b"".join(bytes(packet) for packet in packets)
        if not data:
            return None
        self._picture = (self._picture + 1) & 0x7FFF
        self._base = (self._base + 1) & 0xFF
        return EncodedPicture(
            cut(data, self._picture, 0, self._base),
            self._last_pts & 0xFFFFFFFF,
            any(packet.is_keyframe for packet in packets),
            0,
            len(data),
        )


class Refining:
    """Counts how often a picture that stays is encoded again. Pure."""

    def __init__(self) -> None:
        self._left = 0

    def note(self, size_bytes: int, *, key: bool, again: bool) -> None:
        """A picture was encoded; `again`: it is the one before, once more."""
        if again and not key:
            self._left = max(0, self._left - 1)
        elif key or size_bytes >= MUCH_BYTES:
            self._left = REFINE_TIMES

    @property
    def wanted(self) -> bool:
        """Whether it is to be encoded once more if it stays."""
        return self._left > 0


class ScreenEncoder:
    """A thread that encodes the newest picture when its `pacer` says so.

    `done` is called in it. `copies`: pictures are copied first, because another encoder works on
    the same ones. `busy` tells whether what was made before still waits to be sent to everybody: it
    may be called in any thread.
    """

    def __init__(
        self,
        name: str,
        done: Callable[[EncodedPicture, Spent], None],
        failed: Callable[[Exception], None],
        *,
        copies: bool = False,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self.pacer = Pacer()
        self._busy = busy
        self._done, self._failed, self._copies = done, failed, copies
        self._waiting: tuple[av.VideoFrame, int] | None = None
        self._last: av.VideoFrame | None = None
        self._refining = Refining()
        self._key_wanted, self._key_made_s, self._key_lasts_s = True, -1e9, 0.0
        self._encoded_s = 0.0
        self._closed = False
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"screen-{name}", daemon=True)
        self._thread.start()

    def submit(self, frame: av.VideoFrame, capture_ns: int) -> None:
        """Take a picture from any thread; one that still waits is dropped."""
        with self._condition:
            self._waiting = (frame, capture_ns)
            self._condition.notify()

    def want_key(self, *, urgent: bool) -> None:
        """Ask for a whole picture, made of the last one if nothing new comes. Any thread.

        `urgent`: somebody new has nothing yet, so one just made does not count.
        """
        with self._condition:
            if urgent or time.monotonic() - self._key_made_s >= KEY_FRAME_S + self._key_lasts_s:
                self._key_wanted = True
                if urgent:
                    self._key_made_s = -1e9
                self._condition.notify()

    def set_pace(self, rate_bps: int, most_fps: int) -> None:
        """What may be sent, and how often. Any thread."""
        with self._condition:
            self.pacer.rate_bps = rate_bps
            self.pacer.most_fps = min(MOST_FPS, most_fps) if most_fps else MOST_FPS

    def close(self) -> None:
        """End the thread; does not wait for it."""
        with self._condition:
            self._closed = True
            self._condition.notify()

    def _run(self) -> None:
        coder = ScreenCoder()
        while (work := self._take()) is not None:
            frame, at_ns, key, again = work
            began, worked = time.monotonic(), time.thread_time()
            try:
                wide = self.pacer.rate_bps >= NARROW_BPS
                if again and wide and coder.is_narrow:
                    key = True  # a still picture is better made anew than refined under that aim
                aim = AIM_BPS if wide else NARROW_AIM_BPS
                picture = coder.encode(frame, at_ns, key, aim)
            except BROKEN as error:
                self._failed(error)
                coder, picture = ScreenCoder(), None
                with self._condition:  # it is not tried again and again
                    self._last = None
            spent = Spent(time.monotonic() - began, time.thread_time() - worked)
            self._note(picture, began, spent, again)
            if picture is not None:
                self._done(picture, spent)

    def _note(
        self, picture: EncodedPicture | None, began: float, spent: Spent, again: bool
    ) -> None:
        size, key = (0, False) if picture is None else (picture.size, picture.key)
        with self._condition:
            if key:
                self._key_lasts_s = size * 8 / self.pacer.rate_bps
            self.pacer.note(began, size, spent.cpu_s, key=key)
            self._refining.note(size, key=key, again=again)
            self._encoded_s = began

    def _take(self) -> tuple[av.VideoFrame, int, bool, bool] | None:
        """What to encode next: picture, time, whether as a whole one, whether once more."""
        with self._condition:
            while not self._closed:
                now = time.monotonic()
                at = self._next_s()
                if at is not None and at <= now:
                    return self._taken(now)
                self._condition.wait(None if at is None else at - now)
            return None

    def _next_s(self) -> float | None:
        """When there is something to do; None: when something comes."""
        times = []
        if self._waiting is not None:
            times.append(self.pacer.due_s)
        if self._last is not None and self._key_wanted:
            times.append(max(self._key_made_s + KEY_APART_S, self.pacer.due_s))
        if self._last is not None and self._refining.wanted:
            times.append(max(self.pacer.due_s, self._encoded_s + REFINE_S))
        soonest = min(times, default=None)
        if soonest is not None and self._busy():
            return max(soonest, time.monotonic() + BUSY_S)
        return soonest

    def _taken(self, now: float) -> tuple[av.VideoFrame, int, bool, bool]:
        waiting, self._waiting = self._waiting, None
        again = waiting is None
        if waiting is not None:
            self._last = copy_frame(waiting[0]) if self._copies else waiting[0]
        assert self._last is not None
        key = self._key_wanted and now >= self._key_made_s + KEY_APART_S
        if key:
            self._key_wanted, self._key_made_s = False, now
        at_ns = time.monotonic_ns() if waiting is None else waiting[1]
        return self._last, at_ns, key, again


def _open(width: int, height: int, aim_bps: int) -> VideoCodecContext:
    codec = av.CodecContext.create("libvpx", "w")
    assert isinstance(codec, VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.bit_rate, codec.time_base = aim_bps, _TIME_BASE
    codec.framerate = Fraction(15, 1)
    codec.gop_size, codec.qmin, codec.qmax = 100_000, BEST, WORST
    codec.thread_count = 1  # two cost much more on a computer that others keep busy
    rate = str(aim_bps)
    codec.options = {**_OPTIONS, "bufsize": rate, "minrate": rate, "maxrate": rate}
    return codec
