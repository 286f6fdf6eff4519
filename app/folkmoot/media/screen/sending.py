"""Sends what is shared to all peers: one encoding, and another for slow receivers when needed.

Keeps the last picture, so that who comes gets it though nothing moves. `take` comes from the thread
that captures, everything else runs on the loop. Refuses to encode for nobody, and to keep a picture
of what is shared no more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

import av

from folkmoot.media.encoding import EncodedPicture, Spent
from folkmoot.media.rates import Level
from folkmoot.media.screen.encoding import ScreenEncoder
from folkmoot.media.screen.rates import ScreenRates
from folkmoot.media.tracks import PictureTrack
from folkmoot.services.media_port import SharePlan

PLAN_S = 0.5
MOST_WIDTH, MOST_HEIGHT = 3840, 2160
_RATES = (5, 8, 10, 15, 20, 30)
"""Pictures a second that the source is asked for; few, so that it is not told all the time."""


class ScreenSender:
    """The send side of a share. `limits` tells the source (width, height, pictures a second)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        limits: Callable[[int, int, int], None],
        warn: Callable[[str], None],
    ) -> None:
        self._loop, self._limits, self._warn = loop, limits, warn
        self._plan = SharePlan()
        self._rates = ScreenRates()
        self._tracks: set[PictureTrack] = set()
        self._lock = threading.Lock()
        self._last: tuple[av.VideoFrame, int] | None = None
        self._encoders: dict[Level, ScreenEncoder] = {}
        self._sent: dict[PictureTrack, int] = {}
        self._planned_at = 0.0
        self._asked_fps = 0

    @property
    def open(self) -> bool:
        """Whether something is shared."""
        return self._plan.source != "none"

    def set_plan(self, plan: SharePlan) -> None:
        """Follow another choice of what is shared. The last picture of what was shared before is
        for nobody who comes now."""
        before, self._plan = self._plan, plan
        for track in self._tracks:
            track.idle = not self.open
        if _what(before) != _what(plan):
            self.stop()
        if self.open:
            self._asked_fps = 0
            self._apply(self._loop.time())

    def stop(self) -> None:
        """What was shared is gone: it is kept no more, and nobody gets it."""
        with self._lock:
            self._last = None
            encoders, self._encoders = self._encoders, {}
        for encoder in encoders.values():
            encoder.close()

    def add(self, track: PictureTrack) -> None:
        """A peer is to get it."""
        self._tracks.add(track)
        track.idle = not self.open
        self._rates.join(track)
        self._apply(self._loop.time())

    def remove(self, track: PictureTrack) -> None:
        """A peer gets no more."""
        self._tracks.discard(track)
        self._rates.leave(track)
        self._sent.pop(track, None)
        self._apply(self._loop.time())

    def note_estimate(self, track: PictureTrack, rate_bps: int) -> None:
        """What a peer can take of the screen."""
        self._rates.note_estimate(track, rate_bps)

    def note_loss(self, track: PictureTrack, loss: float) -> None:
        """Which share a peer says it loses."""
        self._rates.note_loss(track, loss)

    def note_asked(self, track: PictureTrack) -> None:
        """A peer asked for a whole picture."""
        self._rates.note_asked(track, self._loop.time())

    def want_key(self, level: Level, urgent: bool) -> None:
        """A whole picture is needed in the encoding that `level` comes from."""
        encoder = self._encoders.get(level)
        if encoder is not None:
            encoder.want_key(urgent=urgent)

    def take(self, frame: av.VideoFrame, capture_ns: int) -> None:
        """A picture of what is shared, in any thread but the loop's."""
        with self._lock:
            if not self.open:
                return
            self._last = frame, capture_ns
            for encoder in self._encoders.values():
                encoder.submit(frame, capture_ns)

    def tick(self, now: float) -> None:
        """Decide anew about rates; call it a few times a second."""
        if now - self._planned_at >= PLAN_S:
            for track in self._tracks:
                sent = track.sent_bytes - self._sent.get(track, 0)
                self._sent[track] = track.sent_bytes
                if self._planned_at:
                    self._rates.note_sent(track, sent * 8 / (now - self._planned_at))
            self._planned_at = now
            self._apply(now)

    def close(self) -> None:
        """End the threads."""
        self._tracks.clear()
        self.stop()

    def _apply(self, now: float) -> None:
        if not self.open:
            return
        fast, slow = self._rates.plan(now)
        for level, rate in ((Level.FULL, fast), (Level.LOW, slow)):
            if rate:
                self._encoder(level).set_pace(rate, self._plan.fps)
        for track in self._tracks:
            track.pace_bps = self._rates.pace_bps(track)
            track.set_level(self._rates.level(track))
        for level, rate in ((Level.FULL, fast), (Level.LOW, slow)):
            if not rate and level in self._encoders:
                with self._lock:
                    self._encoders.pop(level).close()
        self._ask()

    def _ask(self) -> None:
        """Have no more captured than is encoded."""
        wanted = max((each.pacer.fps for each in self._encoders.values()), default=5.0)
        most = self._plan.fps or _RATES[-1]
        asked = min(most, next((rate for rate in _RATES if rate >= wanted - 0.5), _RATES[-1]))
        if asked != self._asked_fps:
            self._asked_fps = asked
            self._limits(MOST_WIDTH, MOST_HEIGHT, asked)

    def _encoder(self, level: Level) -> ScreenEncoder:
        found = self._encoders.get(level)
        if found is not None:
            return found
        low = level is Level.LOW

        def done(picture: EncodedPicture, _: Spent) -> None:
            with suppress(RuntimeError):  # the loop is gone, and everybody with it
                self._loop.call_soon_threadsafe(self._distribute, picture, low)

        def failed(error: Exception) -> None:
            with suppress(RuntimeError):
                words = f"A picture of the screen could not be encoded: {error}"
                self._loop.call_soon_threadsafe(self._warn, words)

        def busy() -> bool:
            served = [track for track in tuple(self._tracks) if track.level is level]
            return bool(served) and all(track.is_behind for track in served)

        made = ScreenEncoder("slow" if low else "fast", done, failed, copies=low, busy=busy)
        with self._lock:
            self._encoders[level] = made
            if self._last is not None:
                made.submit(*self._last)
        return made

    def _distribute(self, picture: EncodedPicture, low: bool) -> None:
        for track in self._tracks:
            track.push(picture, low=low)


def _what(plan: SharePlan) -> tuple[object, ...]:
    """What of a plan says what is shared."""
    return plan.source, plan.source_id, plan.region
