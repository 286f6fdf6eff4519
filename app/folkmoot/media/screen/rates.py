"""Decides how often a shared screen is encoded, and who gets which of its two encodings.

Pure: it is given the time. Pictures are always sharp and of full size, so that all that is left to
decide is when the next one is made: when the bits of those before have gone out, when the CPU has
rested, and not more often than `MOST_FPS`. Refuses to let a slow receiver thin out what the others
get: it goes into a group of its own.
"""

from __future__ import annotations

from collections import deque

from folkmoot.media.rates import MAX_LOSS, Level, Receiver

MOST_FPS, LEAST_FPS = 30, 5
"""Bounds of what content and CPU ask for; only the network goes below."""
MOST_BPS, START_BPS = 20_000_000, 4_000_000
"""What is sent at most, and at first: nobody knows the way yet."""
LEAST_BPS = 400_000
RISE = 1.5
"""By how much the rate of a receiver grows in a second that used it and lost little."""
PART = 0.8
"""Of what a way can carry; the rest is for what is sent again."""
SENT_PLANS = 3
"""What is sent comes in bursts, and an estimate of the way does not: so many plans are averaged."""
CPU_SHARE = 0.5
"""Of a core, for encoding."""
SLOW_SHARE = 0.5
"""Who can take less than this share of what the fastest can is a slow receiver."""
ENOUGH_BPS = 4_000_000
"""Who can take this is never slow."""
PACE = 1.5
"""How much faster than its rate a large picture goes out where nothing limits the way."""
ASKED_TIMES, ASKED_S = 6, 10.0
"""Who asks for whole pictures so often gets them apart: they would fill the ways of the others."""
UP_S = 6.0
BURST_BITS = 2_000_000
"""What may go out ahead of the rate: a change of the whole page is shown at once."""


class Pacer:
    """Says when the next picture may be encoded. Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self.rate_bps = START_BPS
        self.most_fps = MOST_FPS
        self.due_s = 0.0
        self._owed = 0.0
        self._at = 0.0
        self._cpu_s = 0.0

    @property
    def fps(self) -> float:
        """Pictures a second that the CPU allows now, within the bounds."""
        if self._cpu_s <= 0.0:
            return float(self.most_fps)
        allowed = max(float(LEAST_FPS), CPU_SHARE / self._cpu_s)
        return min(float(self.most_fps), allowed)

    def note(self, began_s: float, size_bytes: int, cpu_s: float, *, key: bool = False) -> None:
        """A picture was encoded: it began at `began_s`, and took `cpu_s`."""
        if not key:  # a whole picture is rare, and says nothing about the next ones
            self._cpu_s += 0.3 * (cpu_s - self._cpu_s)
        self._owed = max(0.0, self._owed - (began_s - self._at) * self.rate_bps)
        self._owed += size_bytes * 8
        self._at = began_s
        # The same share of each interval is left out, so that 30 a second are not made 28.
        by_cpu = began_s + max(0.9 / self.fps, min(cpu_s / CPU_SHARE, 1 / LEAST_FPS))
        by_network = began_s + max(0.0, self._owed - self._burst()) / self.rate_bps
        self.due_s = max(by_cpu, by_network)

    def _burst(self) -> float:
        return min(float(BURST_BITS), self.rate_bps * 0.3)


class ScreenRates:
    """Keeps one `Receiver` for each key, and the group that it is in."""

    def __init__(self) -> None:
        self._receivers: dict[object, Receiver] = {}
        self._ceilings: dict[object, float] = {}
        self._sent: dict[object, deque[float]] = {}
        self._asked: dict[object, deque[float]] = {}

    def join(self, key: object) -> None:
        """A receiver came."""
        self._receivers.setdefault(key, Receiver())
        self._ceilings.setdefault(key, float(START_BPS))
        self._sent.setdefault(key, deque(maxlen=SENT_PLANS))
        self._asked.setdefault(key, deque(maxlen=ASKED_TIMES))

    def leave(self, key: object) -> None:
        """A receiver went."""
        self._receivers.pop(key, None)
        self._ceilings.pop(key, None)
        self._sent.pop(key, None)
        self._asked.pop(key, None)

    def note_estimate(self, key: object, rate_bps: float) -> None:
        """A receiver said what it can take of the screen (its part of a REMB)."""
        if key in self._receivers:
            self._receivers[key].estimate_bps = max(0.0, rate_bps)

    def note_sent(self, key: object, rate_bps: float) -> None:
        """What was sent to a receiver since the last plan."""
        if key in self._receivers:
            sent = self._sent[key]
            sent.append(rate_bps)
            if any(sent):  # while nothing is sent nothing is learnt of the way
                self._receivers[key].sent_bps = sum(sent) / len(sent)

    def note_loss(self, key: object, loss: float) -> None:
        """A receiver said which share it loses; once a second."""
        receiver = self._receivers.get(key)
        if receiver is None:
            return
        if loss > MAX_LOSS:
            self._ceilings[key] = max(float(LEAST_BPS), self._ceilings[key] * (1 - loss / 2))
        elif (receiver.sent_bps or 0.0) > self._ceilings[key] / 4:
            self._ceilings[key] = min(float(MOST_BPS), self._ceilings[key] * RISE)

    def note_asked(self, key: object, now: float) -> None:
        """A receiver asked for a whole picture."""
        if key in self._asked:
            self._asked[key].append(now)

    def level(self, key: object) -> Level:
        """FULL for the encoding of the fast ones, LOW for that of the slow ones."""
        receiver = self._receivers.get(key)
        return Level.FULL if receiver is None else receiver.level

    def pace_bps(self, key: object) -> float:
        """How fast the packets of a picture may follow each other on the way to a receiver."""
        receiver = self._receivers.get(key)
        if receiver is None:
            return START_BPS * PACE
        limit = receiver.limit_bps * (1 + PART) / 2
        return min(self._ceilings[key] * PACE, max(float(LEAST_BPS), limit))

    def plan(self, now: float) -> tuple[int, int]:
        """Decide anew: bits a second for the fast and for the slow ones, 0 without any."""
        allowed = {key: self._allowed(key, now) for key in self._receivers}
        fastest = max(allowed.values(), default=float(START_BPS))
        calm = [key for key in self._receivers if not self._is_troubled(key, now)]
        for key, receiver in self._receivers.items():
            # Where all have trouble nobody is disturbed by another.
            apart = bool(calm) and key not in calm
            self._place(receiver, 0.0 if apart else allowed[key], fastest, now)
        return self._least(Level.FULL, allowed), self._least(Level.LOW, allowed)

    def _allowed(self, key: object, now: float) -> float:
        receiver = self._receivers[key]
        receiver.look(now)
        return min(self._ceilings[key], max(float(LEAST_BPS), receiver.limit_bps * PART))

    def _is_troubled(self, key: object, now: float) -> bool:
        asked = self._asked[key]
        return len(asked) == ASKED_TIMES and now - asked[0] <= ASKED_S

    def _place(self, receiver: Receiver, allowed: float, fastest: float, now: float) -> None:
        fits = allowed >= min(float(ENOUGH_BPS), SLOW_SHARE * fastest)
        if not fits:
            receiver.level, receiver.room_since = Level.LOW, None
        elif receiver.level is Level.FULL:
            receiver.room_since = None
        elif allowed >= fastest:  # the fastest of all is never slow
            receiver.level, receiver.room_since = Level.FULL, None
        elif receiver.room_since is None:
            receiver.room_since = now
        elif now - receiver.room_since >= UP_S:
            receiver.level, receiver.room_since = Level.FULL, None

    def _least(self, level: Level, allowed: dict[object, float]) -> int:
        rates = [allowed[key] for key, one in self._receivers.items() if one.level is level]
        return int(min(rates)) if rates else 0
