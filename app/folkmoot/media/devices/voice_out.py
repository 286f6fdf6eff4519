"""What leaves this computer as sound: packets of 20 ms, and signs of life when there is nothing.

Owns the gates of the voice and of the system sound: while one is shut nothing recorded passes it,
whatever thread asks. Refuses to send silence that nobody needs: what the encoder leaves out (DTX)
is sent three times a second only.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from folkmoot.media.devices.mix import Limiter, mix
from folkmoot.media.devices.ring import RATE, STEP, Samples

PACKET = 2 * STEP
KEEP_ALIVE_S = 0.26
"""Packets come in steps of 20 ms: the next one after this is still within 300 ms."""
SILENCE = b"\xf8\xff\xfe"
"""20 ms of Opus silence (RFC 6716: CELT only, full band, mono): made here, never recorded."""

_NOTHING = np.zeros(STEP, np.int16)
MUSIC_BPS = 64_000
"""Enough for music in mono."""
_TAIL = 3
"""So many silent packets are sent after a sound, in which it dies away."""


class Encoder(Protocol):
    """An Opus encoder of mono at 48 kHz."""

    def encode(self, samples: Samples) -> bytes:
        """960 samples to a packet; of two bytes or fewer, it need not be sent."""
        ...

    def set_loss(self, percent: float) -> None:
        """How many packets of a hundred get lost."""
        ...


def make_encoder() -> Encoder:
    """Opus, loaded when it is first needed."""
    from folkmoot.media.receive.opus import OpusEncoder

    encoder: Encoder = OpusEncoder()
    return encoder


def make_music_encoder() -> Encoder:
    """Opus for any sound. Without DTX, which takes a soft passage for the noise of a room."""
    from folkmoot.media.receive.opus import OpusEncoder

    encoder: Encoder = OpusEncoder(MUSIC_BPS, dtx=False, music=True)
    return encoder


class VoiceOut:
    """Gathers samples into packets. `open`, `share` and `set_loss` from any thread, the rest from
    one. `make` makes the encoder for a voice, `make_music` the one while system sound is shared."""

    def __init__(
        self,
        packet: Callable[[bytes, int], None],
        make: Callable[[], Encoder],
        clock: Callable[[], float] = time.monotonic,
        make_music: Callable[[], Encoder] = make_music_encoder,
    ) -> None:
        self._packet = packet
        self._make, self._make_music = make, make_music
        self._encoder: Encoder | None = None
        self._is_for_music = False
        self._limiter = Limiter()
        self._silent = 0
        self._gate = threading.RLock()
        self._is_open = False
        self._shares = False
        self._opened = 0
        self._block = np.zeros(PACKET, np.int16)
        self._filled = 0
        self._seen = 0
        self._loss = 0
        self._told_loss = 0
        self._clock = clock
        self._began = clock()
        self._sent_at = self._began
        self._next = 0
        self._gap = True

    @property
    def shares(self) -> bool:
        """Whether system sound may leave."""
        return self._shares

    def open(self, is_open: bool) -> None:
        """Open or shut the gate of the voice. Once this returns after shutting, nothing of it
        passes."""
        with self._gate:
            if is_open != self._is_open:
                self._is_open = is_open
                self._opened += 1

    def share(self, shares: bool) -> None:
        """As `open`, for the system sound."""
        with self._gate:
            if shares != self._shares:
                self._shares = shares
                self._opened += 1

    def set_loss(self, percent: float) -> None:
        """What gets lost on the way, 0 to 100."""
        self._loss = round(min(max(percent, 0.0), 100.0))

    def take(self, voice: Samples | None, system: Samples | None = None) -> None:
        """The next 480 samples of each, or None: what may leave does."""
        with self._gate:
            opened, is_open, shares = self._opened, self._is_open, self._shares
        if opened != self._seen:  # a half packet of before must not be finished now
            self._seen, self._filled, self._gap = opened, 0, True
        if not (is_open or shares):
            return
        self._block[self._filled : self._filled + STEP] = self._join(
            voice if is_open else None, system if shares else None, shares
        )
        self._filled += STEP
        if self._filled < PACKET:
            return
        self._filled = 0
        payload = self._encode(shares)
        now = self._clock()
        stamp = self._stamp(now)
        if not self._is_silence(payload) or now - self._sent_at >= KEEP_ALIVE_S:
            with self._gate:
                if self._opened == opened:
                    self._sent_at = now
                    self._packet(payload, stamp)

    def keep_alive(self, now: float) -> None:
        """Called each step: silence goes out when nothing else did for a while."""
        if now - self._sent_at < KEEP_ALIVE_S + 0.02:  # an encoder that runs goes first
            return
        self._gap = True
        self._sent_at = now
        self._packet(SILENCE, self._stamp(now))
        self._gap = True

    def _join(self, voice: Samples | None, system: Samples | None, shares: bool) -> Samples:
        parts = [(each, 1.0) for each in (voice, system) if each is not None]
        if not parts:
            self._limiter.rest()
            return _NOTHING
        # While it is shared always the same way, so that the volume never jumps.
        return self._limiter.process(mix(parts)) if shares else parts[0][0]

    def _is_silence(self, payload: bytes) -> bool:
        """Whether it need not be sent."""
        if len(payload) <= 2:
            return True
        if not self._is_for_music:
            return False
        self._silent = self._silent + 1 if len(payload) <= len(SILENCE) else 0
        return self._silent > _TAIL

    def _encode(self, shares: bool) -> bytes:
        if self._encoder is None or shares != self._is_for_music:
            self._encoder = self._make_music() if shares else self._make()
            self._is_for_music, self._told_loss, self._silent = shares, 0, 0
        if self._loss != self._told_loss:
            self._told_loss = self._loss
            self._encoder.set_loss(self._loss)
        return self._encoder.encode(self._block)

    def _stamp(self, now: float) -> int:
        """The timestamp of the next packet: in a row, or after a gap where the clock is."""
        if self._gap:
            self._gap = False
            self._next = max(self._next, int((now - self._began) * RATE))
        stamp, self._next = self._next, self._next + PACKET
        return stamp & 0xFFFFFFFF
