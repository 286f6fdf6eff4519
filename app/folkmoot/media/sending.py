"""Sends one source of pictures to all peers: one encoding, and one small one when it is needed.

`take` comes from the thread of the camera, everything else runs on the loop. Refuses to encode for
nobody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import av

from folkmoot.media.encoding import H264, VP8, EncodedPicture, Encoder, EncoderSettings, Spent
from folkmoot.media.h264 import Encoders
from folkmoot.media.rates import Level, Pressure, RatePolicy, choose_profile
from folkmoot.media.tracks import PictureTrack
from folkmoot.services.media_port import VideoPlan

LOW_HEIGHT, LOW_FPS = 180, 15
PLAN_S = 0.5


class PictureSender:
    """The send side of pictures. `limits` tells the source (width, height, pictures a second)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        limits: Callable[[int, int, int], None],
        warn: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._limits = limits
        self._warn = warn
        self._plan = VideoPlan()
        self._pressure = Pressure()
        self._profile = choose_profile("balanced", 0)
        self._policy = RatePolicy(self._profile)
        self._tracks: set[PictureTrack] = set()
        self._h264 = Encoders()
        self._main: Encoder | None = None
        self._low: Encoder | None = None
        self._low_next_ns = 0
        self._sent: dict[PictureTrack, int] = {}
        self._aspect = 16 / 9
        self._planned_at = 0.0

    @property
    def steps_down(self) -> int:
        """How many sizes the pictures are lowered by, for want of CPU."""
        return self._pressure.steps

    @property
    def open(self) -> bool:
        """Whether pictures are wanted now."""
        return self._plan.open

    def set_plan(self, plan: VideoPlan) -> None:
        """Follow another choice of source, profile or size."""
        self._plan = plan
        self._apply_profile(force=True)
        if plan.open:
            self._apply_levels(self._loop.time())
        else:
            self._stop()

    def add(self, track: PictureTrack) -> None:
        """A peer is to get pictures."""
        self._tracks.add(track)
        self._policy.join(track)
        self._apply_levels(self._loop.time())

    def remove(self, track: PictureTrack) -> None:
        """A peer gets no more."""
        self._tracks.discard(track)
        self._policy.leave(track)
        self._sent.pop(track, None)
        if not self._tracks:
            self._stop()

    def note_estimate(self, track: PictureTrack, rate_bps: int) -> None:
        """What a peer says it can take."""
        self._policy.note_estimate(track, rate_bps)

    def note_loss(self, track: PictureTrack, loss: float) -> None:
        """Which share a peer says it loses."""
        self._policy.note_loss(track, loss)

    def want_key(self, level: Level, urgent: bool) -> None:
        """A key frame is needed in the encoding that `level` comes from."""
        encoder = self._low if level is Level.LOW else self._main
        if encoder is not None:
            encoder.keys.want(time.monotonic(), urgent=urgent)

    def take(self, frame: av.VideoFrame, capture_ns: int) -> None:
        """A picture of the source, in any thread but the loop's."""
        main, low = self._main, self._low
        if low is not None and capture_ns >= self._low_next_ns:
            self._low_next_ns = capture_ns + 900_000_000 // LOW_FPS
            self._aspect = frame.width / frame.height
            # The small one makes a picture of its own size first, so that it never sees marks
            # that the main encoder puts on this one.
            low.submit(frame, capture_ns)
        if main is not None:
            main.submit(frame, capture_ns)

    def tick(self, now: float) -> None:
        """Decide anew about rates; call it a few times a second."""
        if now - self._planned_at >= PLAN_S:
            self._note_sent(now - self._planned_at)
            self._planned_at = now
            self._apply_levels(now)

    def _note_sent(self, seconds: float) -> None:
        for track in self._tracks:
            sent = track.sent_bytes - self._sent.get(track, 0)
            self._sent[track] = track.sent_bytes
            if sent:
                self._policy.note_sent(track, sent * 8 / seconds)

    def close(self) -> None:
        """End the threads."""
        self._tracks.clear()
        self._stop()

    def _apply_profile(self, *, force: bool = False) -> None:
        plan = self._plan
        profile = choose_profile(plan.profile, plan.height, self._pressure.steps)
        if profile != self._profile or force:
            self._profile = profile
            self._policy.set_profile(profile)
            width = profile.height * 16 // 9 // 2 * 2
            self._limits(width, profile.height, profile.fps)

    def _apply_levels(self, now: float) -> None:
        if not (self._plan.open and self._tracks):
            return
        codec = self._choose_codec()
        self._policy.set_layered(codec == VP8)
        plan = self._policy.plan(now)
        layers = 2 if codec == VP8 else 1
        settings = EncoderSettings(plan.main_bps, self._profile.fps, layers, codec=codec)
        self._main = self._with(self._main, "main", settings, low=False)
        if plan.low_bps:
            # Always smaller than the main one, so that it is scaled into a picture of its own.
            height = min(LOW_HEIGHT, self._profile.height * 3 // 4) // 2 * 2
            width = int(height * self._aspect) // 2 * 2
            small = EncoderSettings(plan.low_bps, LOW_FPS, 1, width, height, codec)
            self._low = self._with(self._low, "low", small, low=True)
        elif self._low is not None:
            self._low.close()
            self._low = None
        for track in self._tracks:
            track.set_level(self._policy.level(track))

    def _choose_codec(self) -> str:
        """The codec that was chosen, if everybody takes it; else the other one, if they do."""
        order = (H264, VP8) if self._plan.codec == "h264" else (VP8, H264)
        usable = [codec for codec in order if codec == VP8 or self._h264.works]
        return next((c for c in usable if all(c in track.takes for track in self._tracks)), VP8)

    def _with(
        self, encoder: Encoder | None, name: str, settings: EncoderSettings, *, low: bool
    ) -> Encoder:
        if encoder is not None:
            encoder.settings = settings
            return encoder

        def done(picture: EncodedPicture, spent: Spent) -> None:
            with suppress(RuntimeError):  # the loop is gone, and everybody with it
                self._loop.call_soon_threadsafe(self._distribute, picture, spent, low)

        def failed(error: Exception) -> None:
            with suppress(RuntimeError):
                words = f"A picture could not be encoded: {error}"
                self._loop.call_soon_threadsafe(self._warn, words)

        return Encoder(name, settings, done, failed, self._h264)

    def _distribute(self, picture: EncodedPicture, spent: Spent, low: bool) -> None:
        for track in self._tracks:
            track.push(picture, low=low)
        interval = 1.0 / self._profile.fps
        now = self._loop.time()
        if not low and self._pressure.note(spent.wall_s, spent.cpu_s, interval, now):
            self._apply_profile()

    def _stop(self) -> None:
        for encoder in (self._main, self._low):
            if encoder is not None:
                encoder.close()
        self._main = self._low = None
