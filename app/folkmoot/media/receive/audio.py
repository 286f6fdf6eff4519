"""One remote voice: from aiortc's receiver to 10 ms of samples at a time.

Owns the decoder, the playout buffer and the lock between the loop that brings packets and the audio
thread that pulls. Refuses other codecs than Opus (`broken`). A peer's nonsense becomes silence.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from folkmoot.media.flood import Allowance
from folkmoot.media.receive.audio_buffer import AudioBuffer
from folkmoot.media.receive.opus import OpusDecoder, Samples
from folkmoot.media.receive.overrides import Tap

_MOST_SOURCES, _SOURCES_S = 6, 0.2
_SAID_S = 1.0


@dataclass(frozen=True, slots=True)
class AudioStats:
    """Sums since the start; `loss` 0–1; `last_packet_s` of `time.monotonic`, 0 for none yet."""

    jitter_ms: float = 0.0
    loss: float = 0.0
    concealed_ms: float = 0.0
    fec_ms: float = 0.0
    delay_ms: float = 0.0
    bytes: int = 0
    last_packet_s: float = 0.0


class AudioStream:
    """`broken(code, words)` is called on the loop, at most once a code.

    Raises `AiortcChanged` or `OpusError` when made where those libraries are not as needed.
    """

    def __init__(
        self,
        receiver: RTCRtpReceiver,
        *,
        broken: Callable[[str, str], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._decoder = OpusDecoder()
        self._buffer = AudioBuffer(self._decoder)
        self._tap = Tap(receiver, self._packet, self._report, self._crowd)
        self._broken, self._loop = broken, loop
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._source: int | None = None
        self._sources = Allowance(_SOURCES_S, _MOST_SOURCES)
        self._bytes = 0
        self._last_s = 0.0
        self._said: tuple[float, float] | None = None
        self._closed = False
        self.on_report: Callable[[int, int], None] | None = None

    def attach(self) -> None:
        """Take the packets away from aiortc. On the loop's thread."""
        self._tap.attach()

    def close(self) -> None:
        """Free the decoder; `pull` answers None from here on. Twice is no error."""
        self._tap.detach()
        with self._lock:
            self._closed = True
            self._decoder.close()

    def pull(self) -> Samples | None:
        """The next 10 ms (int16[480]), or None while nothing has come. From any one thread."""
        with self._lock:
            return None if self._closed else self._buffer.pull(time.monotonic())

    def said_db(self) -> float | None:
        """How loud the peer says the voice is, without what else is in its sound (RFC 6464), in
        dB of full scale; None where it does not say. From any thread."""
        said = self._said
        return said[1] if said is not None and time.monotonic() - said[0] < _SAID_S else None

    @property
    def delay_s(self) -> float:
        """How long the voice waits in the buffer."""
        return self._buffer.counters.delay_ms / 1000

    @property
    def heard(self) -> tuple[int, float] | None:
        """The timestamp (48 kHz, 32 bits) that was pulled last, and when; None before any."""
        return self._buffer.heard

    @property
    def stats(self) -> AudioStats:
        """For the loop's thread."""
        counters = self._buffer.counters
        return AudioStats(
            jitter_ms=counters.jitter_ms,
            loss=self._tap.loss(),
            concealed_ms=counters.concealed_ms,
            fec_ms=counters.fec_ms,
            delay_ms=counters.delay_ms,
            bytes=self._bytes,
            last_packet_s=self._last_s,
        )

    def _packet(self, codec: str, packet: RtpPacket) -> None:
        if codec.lower() != "opus":
            self._tell("audio_codec", f"the voice comes as {codec[:20]}, not as Opus")
            return
        now = time.monotonic()
        self._bytes += len(packet.payload)
        self._last_s = now
        told = packet.extensions.audio_level
        self._said = None if told is None else (now, -float(told[1]))
        with self._lock:
            if packet.ssrc != self._source:
                if not self._sources.take(1, now):
                    self._loop.call_soon(self._crowd)  # not under the lock
                    return
                self._source = packet.ssrc
                self._buffer.reset()
            self._buffer.push(packet.sequence_number, packet.timestamp, packet.payload, now)

    def _report(self, ntp: int, timestamp: int) -> None:
        if self.on_report is not None:
            self.on_report(ntp, timestamp)

    def _crowd(self) -> None:
        self._tell("many_sources", "one voice comes from too many sources")

    def _tell(self, code: str, words: str) -> None:
        if code not in self._told:
            self._told.add(code)
            self._broken(code, words)
