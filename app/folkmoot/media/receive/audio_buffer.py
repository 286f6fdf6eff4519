"""The playout buffer of one voice: packets in as they come, 10 ms out whenever asked.

Owns order, delay, loss and silence. It follows the idea of NetEq: the delay is what 97 % of the
last packets needed beyond the fastest (the jitter told is that of RFC 3550 section 6.4.1); it
grows at once and shrinks slowly; what plays too late is made up by shortening speech, what runs
dry by lengthening it. A lost packet comes from the FEC copy in the next one, else it is concealed.
What was made up while nothing came is judged by the next packet: its number says how much was lost,
and the rest of the time the sender was silent (DTX, a muted microphone), which is no loss.
Pure: the time is an argument. Refuses packets that do not fit the stream; never raises on input
and never holds more than a second.
"""

from __future__ import annotations

import collections
import random
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.receive.opus import MAX_PAYLOAD, RATE, OpusError, Samples
from folkmoot.media.receive.stretch import NEEDED, lengthen, loudness, shorten

PULL = 480
FRAME = 960
MIN_DELAY_S, MAX_DELAY_S = 0.020, 0.200
_MOST_SAMPLES = RATE
_MOST_PACKETS = 400
_WINDOW_S, _RECENT_S = 5.0, 0.6
_WINDOW_PACKETS = 500
_QUANTILE = 0.97
_SHRINK_PER_S = 0.05
_MOST_APART_S = 2.0
_LITTLE_S, _LASTS_S = 0.006, 1.5
_FADE_FROM, _FADE_OVER = RATE // 10, RATE // 10


def _make_noise() -> NDArray[np.float32]:
    """A second of noise, nearly normal: four even ones added up. Without `numpy.random`, which
    takes as long to import as the rest of this package."""
    even = np.frombuffer(random.Random(1).randbytes(4 * RATE), np.uint8).astype(np.float32)
    noise = (even.reshape(4, RATE).sum(axis=0) - 4 * 127.5) / (2 * 73.9)
    return np.asarray(noise, np.float32)


_NOISE = _make_noise()


class VoiceDecoder(Protocol):
    """What `opus.OpusDecoder` does."""

    def decode(self, payload: bytes) -> Samples: ...
    def decode_fec(self, next_payload: bytes, samples: int) -> Samples: ...
    def has_fec(self, payload: bytes) -> bool: ...
    def conceal(self, samples: int) -> Samples: ...


@dataclass(slots=True)
class AudioCounters:
    """Sums since the start; `delay_ms` and `jitter_ms` as of now."""

    packets: int = 0
    concealed_ms: float = 0.0
    fec_ms: float = 0.0
    late: int = 0
    duplicates: int = 0
    refused: int = 0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0


class AudioBuffer:
    """Times are seconds of one monotonic clock; samples are mono int16 at 48 kHz."""

    def __init__(self, decoder: VoiceDecoder) -> None:
        self.counters = AudioCounters()
        self._decoder = decoder
        self._silence_rms = 0.0
        self._noise_at = 0
        self.reset()

    def reset(self) -> None:
        """Forget the stream (another source, or another clock); the counters stay."""
        self._packets: dict[int, tuple[int, bytes, float]] = {}
        self._newest: tuple[int, int, float] | None = None  # sequence, timestamp, arrival
        self._suspect: tuple[int, int] | None = None
        self._transits: collections.deque[tuple[float, float]] = collections.deque()
        self._target = MIN_DELAY_S
        self._fastest = 0.0
        self._recent = 0.0
        self._measured = -1.0
        self._jitter = 0.0
        self._losses = 0.0
        self._next: int | None = None  # timestamp of the next sample to decode
        self._last_sequence = 0
        self._out: Samples = np.empty(0, np.int16)
        self._invented = 0  # samples in a row that no packet gave
        self._owed = 0  # of those, the ones that the stream's time did not move on by
        self._unclear = 0  # of those, the ones of which nobody knows yet whether they were lost
        self._span = FRAME  # samples of the last packet
        self._delay: float | None = None
        self._excess_since = 0.0
        self._heard: tuple[int, float] | None = None

    # In.

    def push(self, sequence: int, timestamp: int, payload: bytes, arrival_s: float) -> None:
        """A packet: `sequence` of 16 bits, `timestamp` of 32, in any order, even nonsense."""
        if not payload or len(payload) > MAX_PAYLOAD:
            self.counters.refused += 1
            return
        place = self._placed(sequence & 0xFFFF, timestamp & 0xFFFFFFFF, arrival_s)
        if place is None:
            self.counters.refused += 1
            return
        seq, stamp = place
        self.counters.packets += 1
        self._observe(stamp, arrival_s)
        if stamp in self._packets:
            self.counters.duplicates += 1
        elif self._next is not None and stamp < self._next:
            self.counters.late += 1
        else:
            self._packets[stamp] = (seq, payload, arrival_s)
            self._bound()

    def _placed(self, sequence: int, timestamp: int, now: float) -> tuple[int, int] | None:
        """Sequence and timestamp without wrap-around, or None for what does not belong."""
        if self._newest is None:
            self._newest = (sequence + 65_536, timestamp + (1 << 32), now)
            return self._newest[:2]
        last_seq, last_stamp, last_time = self._newest
        seq = last_seq + _signed(sequence - last_seq, 16)
        stamp = last_stamp + _signed(timestamp - last_stamp, 32)
        if abs((stamp - last_stamp) / RATE - (now - last_time)) > _MOST_APART_S:
            # One stray packet changes nothing; two that agree are a new clock.
            known, self._suspect = self._suspect, (sequence, timestamp)
            if known is None or not self._agree(known, sequence, timestamp):
                return None
            self.reset()
            return self._placed(sequence, timestamp, now)
        self._suspect = None
        if stamp > last_stamp:
            lost = seq - last_seq - 1
            self._losses += (float(lost > 0) - self._losses) * 0.02
            self._newest = (seq, stamp, now)
        return seq, stamp

    @staticmethod
    def _agree(known: tuple[int, int], sequence: int, timestamp: int) -> bool:
        steps = _signed(sequence - known[0], 16)
        return 0 < steps < 50 and 0 < _signed(timestamp - known[1], 32) < _MOST_APART_S * RATE

    def _observe(self, stamp: int, now: float) -> None:
        transit = now - stamp / RATE
        if self._transits:
            self._jitter += (abs(transit - self._transits[-1][1]) - self._jitter) / 16
        self._transits.append((now, transit))
        while len(self._transits) > 1 and (
            len(self._transits) > _WINDOW_PACKETS or now - self._transits[0][0] > _WINDOW_S
        ):
            self._transits.popleft()
        if len(self._transits) < 10 or now - self._measured >= 0.06:
            self._measure(now)
        elif transit < self._fastest:
            self._fastest = transit

    def _measure(self, now: float) -> None:
        passed = max(0.0, now - self._measured) if self._measured >= 0 else 0.0
        self._measured = now
        all_of_them = np.fromiter((t for _, t in self._transits), float, len(self._transits))
        self._fastest = float(all_of_them.min())
        self._recent = min(t for at, t in self._transits if now - at <= _RECENT_S)
        spread = float(np.quantile(all_of_them, _QUANTILE)) - self._fastest
        # The copy of a lost packet is in the next one: wait for that where packets get lost.
        spare = 0.025 if self._losses > 0.005 else 0.010
        wanted = min(MAX_DELAY_S, max(MIN_DELAY_S, spread + spare))
        self._target = max(wanted, self._target - _SHRINK_PER_S * passed)

    def _bound(self) -> None:
        while self._packets:
            first = min(self._packets)
            span = max(self._packets) + FRAME - first
            if len(self._packets) <= _MOST_PACKETS and span <= _MOST_SAMPLES:
                return
            seq, _, _ = self._packets.pop(first)
            if self._next is not None:
                self._next, self._owed = min(self._packets, default=self._next), 0
                self._last_sequence = max(self._last_sequence, seq)

    # Out.

    def pull(self, now_s: float) -> Samples | None:
        """The next 10 ms (int16[480]); None while there has been nothing to play yet."""
        if self._next is None and not self._begin(now_s):
            return None
        if not len(self._packets) and not len(self._out) and self._newest is not None:
            self._starve()
        self._fill(PULL, now_s)
        self._steer(now_s)
        if not self._invented and self._next is not None:
            self._heard = self._next - len(self._out), now_s
        head, self._out = self._out[:PULL], self._out[PULL:]
        # In silence there is no delay to see: the last one counts on.
        if self._delay is not None:
            self.counters.delay_ms = max(0.0, self._delay * 1000)
        self.counters.jitter_ms = self._jitter * 1000
        return head

    @property
    def heard(self) -> tuple[int, float] | None:
        """The timestamp (32 bits) last pulled that was not made up, and when; None before."""
        return None if self._heard is None else (self._heard[0] & 0xFFFFFFFF, self._heard[1])

    def _begin(self, now: float) -> bool:
        if not self._packets:
            return False
        first = min(self._packets)
        if now - self._packets[first][2] < self._target - 0.001:
            return False
        self._next = first
        self._last_sequence = self._packets[first][0] - 1
        return True

    def _starve(self) -> None:
        """Nothing is left: what comes next is a new beginning, not something late."""
        self._delay = None

    def _fill(self, wanted: int, now: float) -> None:
        while len(self._out) < wanted:
            self._append(now)

    def _append(self, now: float) -> None:
        assert self._next is not None
        for stale in [stamp for stamp in self._packets if stamp < self._next]:
            del self._packets[stale]
            self.counters.late += 1
        if not self._packets:
            self._invent(PULL, moves=False)
            return
        first = min(self._packets)
        seq, payload, _ = self._packets[first]
        gap = first - self._next
        # The numbers of packets have no gap where the sender was silent: what their time jumps by
        # beyond the lost ones is silence.
        lost = max(0, seq - self._last_sequence - 1) * self._span
        if gap <= 0:
            self._settle(0)
            self._play(first, seq, payload)
        elif gap > lost:
            self._wait_or_jump(gap - lost, now)
        elif gap <= self._owed:
            # What was invented while nothing was there has filled the hole already.
            self._settle(0)
            self._next, self._owed = first, 0
        elif gap <= FRAME and self._decoder.has_fec(payload):
            self._settle(0)
            self._recover(payload, gap)
        else:
            self._settle(0)
            left = gap - self._owed
            self._owed = 0
            self._next = first - left
            self._invent(min(PULL, left), moves=True)

    def _settle(self, silent: int) -> None:
        """Count what was made up while nothing came, but for so many samples of silence."""
        self.counters.concealed_ms += max(0, self._unclear - silent) * 1000 / RATE
        self._unclear = 0

    def _wait_or_jump(self, silent: int, now: float) -> None:
        """The sender was silent: noise until what comes then is due, whatever the clock."""
        assert self._next is not None
        due = (self._next + silent) / RATE + self._fastest + self._target
        if now >= due - PULL / RATE:
            self._settle(silent)
            self._next, self._delay = self._next + silent, None
            self._owed = max(0, self._owed - silent)
        else:
            self._invent(PULL, moves=False, silent=True)

    def _play(self, stamp: int, seq: int, payload: bytes) -> None:
        del self._packets[stamp]
        self._last_sequence = max(self._last_sequence, seq)
        try:
            samples = self._decoder.decode(payload)
        except OpusError:
            self.counters.refused += 1
            self._next = stamp
            self._invent(FRAME, moves=True)
            return
        self._next = stamp + len(samples)
        self._span = len(samples)
        if self._invented > _FADE_FROM:
            ramp = np.linspace(0.0, 1.0, min(240, len(samples)), dtype=np.float32)
            samples[: len(ramp)] = (samples[: len(ramp)] * ramp).astype(np.int16)
        self._invented = self._owed = 0
        level = loudness(samples)
        slow = 0.001 if level > self._silence_rms else 0.2
        self._silence_rms = min(200.0, self._silence_rms + (level - self._silence_rms) * slow)
        self._out = np.concatenate((self._out, samples))

    def _recover(self, payload: bytes, gap: int) -> None:
        assert self._next is not None
        try:
            samples = self._decoder.decode_fec(payload, gap)[:gap]
        except OpusError:
            self._invent(gap, moves=True)
            return
        self.counters.fec_ms += gap * 1000 / RATE
        self._next += gap
        self._invented = self._owed = 0
        self._out = np.concatenate((self._out, samples))

    def _invent(self, samples: int, *, moves: bool, silent: bool = False) -> None:
        """Go on with what libopus makes of the last sound, fading into quiet noise."""
        assert self._next is not None
        try:
            made = self._decoder.conceal(samples)[:samples]
        except OpusError:
            made = np.zeros(samples, np.int16)
        if self._invented + len(made) > _FADE_FROM:
            made = self._faded(made)
        self._invented += len(made)
        if moves:
            self.counters.concealed_ms += len(made) * 1000 / RATE
            self._next += len(made)
        else:
            self._owed += len(made)
            self._unclear += 0 if silent else len(made)
        self._out = np.concatenate((self._out, made))

    def _faded(self, made: Samples) -> Samples:
        left = 1.0 - (self._invented + len(made) - _FADE_FROM) / _FADE_OVER
        left = max(0.0, min(1.0, left))
        self._noise_at = (self._noise_at + len(made)) % (RATE - 5_760)
        noise = _NOISE[self._noise_at : self._noise_at + len(made)]
        mixed = made * left + noise * (self._silence_rms * (1.0 - left))
        return np.asarray(np.clip(mixed, -32_768, 32_767), np.int16)

    # The delay.

    def _steer(self, now: float) -> None:
        """Bring the delay to the target, by one period at a time."""
        assert self._next is not None
        if self._invented:
            self._delay = None
            return
        behind = now - (self._next - len(self._out)) / RATE
        delay = behind - self._fastest
        self._delay = delay if self._delay is None else self._delay + 0.1 * (delay - self._delay)
        # The fastest of late: after a lasting change of the way nothing can be gained back.
        excess = min(self._delay - self._target, behind - self._recent - MIN_DELAY_S)
        if excess <= _LITTLE_S:
            self._excess_since = now
        # A little too late is not worth a cut at once, but it is not to stay so either.
        lasts = now - self._excess_since >= _LASTS_S
        if (excess > 0.015 or lasts) and self._held() > NEEDED + PULL:
            self._fill_from_packets(NEEDED)
            if len(self._out) >= NEEDED:
                self._change(shorten(self._out, int(max(excess, _LITTLE_S) * RATE)))
                self._excess_since = now
        elif self._target - self._delay > 0.015 and self._held() > NEEDED:
            self._fill_from_packets(NEEDED)
            if len(self._out) >= NEEDED:
                self._change(lengthen(self._out))

    def _held(self) -> int:
        return len(self._out) + FRAME * len(self._packets)

    def _fill_from_packets(self, wanted: int) -> None:
        """Decode ahead, but only what follows without a hole."""
        while len(self._out) < wanted and self._packets and self._next is not None:
            first = min(self._packets)
            if first != self._next:
                return
            self._play(first, *self._packets[first][:2])

    def _change(self, samples: Samples) -> None:
        if self._delay is not None:
            self._delay += (len(samples) - len(self._out)) / RATE
        self._out = samples


def _signed(difference: int, bits: int) -> int:
    """`difference` modulo 2**bits, as the nearest number around zero (RFC 1982)."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
