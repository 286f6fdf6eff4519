"""Decides how much picture goes to whom. Pure: it is given the time and what the receivers report.

The main encoding follows the *fastest* receiver, up to what the profile allows, so that a slow
one never sets the rate of the others. A slower one gets the base layer of the main encoding; one
that cannot take even that gets a second, small encoding, of which there is at most one. Refuses to
swing: it goes down at once and up only after a while.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

BASE_SHARE = 0.6
"""The share of the main rate that the base layer takes; the encoder is told the same."""
MIN_RATE_BPS = 100_000
LOW_RATE_BPS = 350_000
"""What the small encoding takes at most."""
MIN_LOW_RATE_BPS = 60_000
REOPEN_SHARE = 0.1
"""Smaller changes of the rate do not open the encoder again: that would cost a key frame."""
UP_S = 4.0
"""How long there has to be room before anything goes up."""
DOWN_S = 1.0
UP_ROOM = 1.1
LIMIT_NEAR = 1.2
GROWS_S = 2.0
GROWTH = 1.04
"""What a receiver without a limit is given more at each plan, every half second."""
MAX_RAISE = 1.4
"""How far the main rate goes up at once: what nobody tried may not fit."""
TRIED_S = 15.0
MAX_WAIT_S = 60.0
SAFE_LOSS = 0.02
MAX_LOSS = 0.10


class Level(Enum):
    """What a receiver gets."""

    LOW = 0
    BASE = 1
    FULL = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person chose: pixels high, pictures and bits a second."""

    height: int
    fps: int
    rate_bps: int


_PROFILES = {
    "saver": Profile(360, 15, 350_000),
    "balanced": Profile(720, 30, 1_700_000),
    "high": Profile(1080, 30, 3_500_000),
}
_STEPS = (1080, 720, 540, 360, 270, 180)
"""Heights that CPU pressure goes down through."""


def choose_profile(name: str, height: int, steps_down: int = 0) -> Profile:
    """The profile `name`, capped at `height` (0: not), lowered by `steps_down` under pressure."""
    profile = _PROFILES.get(name, _PROFILES["balanced"])
    top = min(profile.height, height) if height else profile.height
    lower = [step for step in _STEPS if step < top]
    if steps_down and lower:
        top = lower[min(steps_down, len(lower)) - 1]
    return Profile(top, profile.fps, _scale_rate(profile, top))


def _scale_rate(profile: Profile, height: int) -> int:
    """Fewer pixels need fewer bits, but more for each of them."""
    share: float = (height / profile.height) ** 1.5
    return max(MIN_RATE_BPS, int(profile.rate_bps * share))


@dataclass(slots=True)
class Receiver:
    """What is known of one receiver: its estimates, what it loses, what it is sent and gets.

    An estimate (REMB) is never much above what arrives, so it says nothing about the way while
    little is sent: it counts as a limit only while it does not grow and what is sent is near it.
    Without such a limit the receiver is given more, little by little, and so found out.
    """

    estimate_bps: float | None = None
    sent_bps: float | None = None
    loss: float = 0.0
    level: Level = Level.FULL
    limit_bps: float = float("inf")
    room_since: float | None = None
    raised_at: float | None = None
    wait_s: float = UP_S
    _seen: deque[tuple[float, float]] = field(default_factory=deque)

    def allowed_bps(self) -> float:
        """What it can take; without a report, everything."""
        allowed = self.limit_bps
        if self.loss > SAFE_LOSS:
            allowed *= 1.0 - 0.5 * min(self.loss, 0.5)
        if self.loss > MAX_LOSS and self.sent_bps:
            allowed = min(allowed, self.sent_bps * (1.0 - 0.5 * min(self.loss, 0.5)))
        return allowed

    def look(self, now: float) -> None:
        """Follow the estimate; call it at each plan."""
        if self.estimate_bps is None:
            return
        grows = self._grows(self.estimate_bps, now)
        if self.sent_bps is None:
            self.limit_bps = self.estimate_bps
        elif grows or self.estimate_bps >= LIMIT_NEAR * self.sent_bps:
            self.limit_bps = max(self.limit_bps * GROWTH, self.estimate_bps)
        else:
            self.limit_bps = self.estimate_bps

    def _grows(self, estimate: float, now: float) -> bool:
        self._seen.append((now, estimate))
        while now - self._seen[0][0] > GROWS_S:
            self._seen.popleft()
        at, before = self._seen[0]
        return now - at < GROWS_S / 2 or estimate > before * 1.01


@dataclass(frozen=True, slots=True)
class Plan:
    """Bits a second of the two encodings; the small one is off at 0."""

    main_bps: int
    low_bps: int


class RatePolicy:
    """Keeps one `Receiver` for each key. Times are seconds of any steady clock."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._receivers: dict[object, Receiver] = {}
        self._main = profile.rate_bps
        self._low = 0
        self._changed_at: float | None = None
        self._up_wait = UP_S
        self._went_up = False
        self._layered = True

    def set_layered(self, on: bool) -> None:
        """Whether the main encoding has a base layer; without, there is nothing between the two."""
        self._layered = on

    def set_profile(self, profile: Profile) -> None:
        """Another choice, or pressure: takes effect at the next `plan`."""
        if profile != self._profile:
            self._profile = profile
            self._changed_at = None

    def join(self, key: object) -> None:
        """A receiver came."""
        self._receivers.setdefault(key, Receiver())

    def leave(self, key: object) -> None:
        """A receiver went."""
        self._receivers.pop(key, None)

    def note_estimate(self, key: object, rate_bps: float) -> None:
        """A receiver said what it can take (REMB)."""
        if key in self._receivers:
            self._receivers[key].estimate_bps = max(0.0, rate_bps)

    def note_sent(self, key: object, rate_bps: float) -> None:
        """What was sent to a receiver lately."""
        if key in self._receivers:
            self._receivers[key].sent_bps = rate_bps

    def note_loss(self, key: object, loss: float) -> None:
        """A receiver said which share it loses."""
        if key in self._receivers:
            self._receivers[key].loss = min(1.0, max(0.0, loss))

    def level(self, key: object) -> Level:
        """What a receiver gets."""
        receiver = self._receivers.get(key)
        return Level.FULL if receiver is None else receiver.level

    def plan(self, now: float) -> Plan:
        """Decide anew, and say the rates of the encodings."""
        receivers = list(self._receivers.values())
        if receivers:
            for receiver in receivers:
                receiver.look(now)
            fastest = max(receiver.allowed_bps() for receiver in receivers)
            self._main = self._step(fastest, now)
            # The main rate follows the fastest, if not at once: so that one always gets it whole.
            for receiver in receivers:
                _place(receiver, min(self._main, fastest), now, self._layered)
        slow = [receiver for receiver in receivers if receiver.level is Level.LOW]
        self._low = self._low_rate(slow)
        return Plan(self._main, self._low)

    def _step(self, fastest: float, now: float) -> int:
        wanted = int(max(MIN_RATE_BPS, min(self._profile.rate_bps, fastest)))
        if self._changed_at is None:
            self._changed_at = now
            return wanted
        wanted = min(wanted, int(self._main * MAX_RAISE))
        change = (wanted - self._main) / self._main
        since = now - self._changed_at
        if abs(change) < REOPEN_SHARE or since < (self._up_wait if change > 0 else DOWN_S):
            return self._main
        if change < 0 and self._went_up and since < TRIED_S:
            self._up_wait = min(MAX_WAIT_S, self._up_wait * 2)
        elif change < 0:
            self._up_wait = UP_S
        self._went_up = change > 0
        self._changed_at = now
        return wanted

    def _low_rate(self, slow: list[Receiver]) -> int:
        if not slow:
            return 0
        best = max(receiver.allowed_bps() for receiver in slow)
        wanted = int(max(MIN_LOW_RATE_BPS, min(LOW_RATE_BPS, self._main * BASE_SHARE, best)))
        if self._low and abs(wanted - self._low) / self._low < REOPEN_SHARE:
            return self._low
        return wanted


def _place(receiver: Receiver, main_bps: float, now: float, layered: bool) -> None:
    """Move a receiver down at once, up one level after `UP_S` of room."""
    allowed = receiver.allowed_bps()
    fits = _fitting(allowed, main_bps, layered)
    if fits.value < receiver.level.value:
        if receiver.raised_at is not None and now - receiver.raised_at < TRIED_S:
            # It was tried and did not fit: the next try comes later.
            receiver.wait_s = min(MAX_WAIT_S, receiver.wait_s * 2)
        else:
            receiver.wait_s = UP_S
        receiver.level, receiver.room_since, receiver.raised_at = fits, None, None
    elif _fitting(allowed / UP_ROOM, main_bps, layered).value > receiver.level.value:
        if receiver.room_since is None:
            receiver.room_since = now
        elif now - receiver.room_since >= receiver.wait_s:
            receiver.level = Level(receiver.level.value + 1) if layered else Level.FULL
            receiver.room_since, receiver.raised_at = None, now
    else:
        receiver.room_since = None


def _fitting(allowed: float, main_bps: float, layered: bool) -> Level:
    # An estimate a little under the rate is what a rate that fits looks like.
    if allowed >= main_bps * (1.0 - REOPEN_SHARE):
        return Level.FULL
    return Level.BASE if layered and allowed >= main_bps * BASE_SHARE else Level.LOW


class Pressure:
    """Watches what encoding takes, and says how many steps to go down.

    What counts is the CPU time of the thread: on a computer that others keep busy a picture takes
    long though it costs little, and a smaller one would hardly be sooner. Being late counts where
    the encoding has a part in it, and where it has none only if nearly every picture is late.
    """

    HIGH, LIGHT, PART = 0.85, 0.3, 0.35
    """CPU time, as shares of the time between two pictures."""
    LATE, ALWAYS_LATE, PUNCTUAL = 0.5, 0.9, 0.1
    """Shares of pictures that took longer than the time between two."""
    # A start is always slow: processes, key frames, a codec that opens.
    DOWN_S, UP_S = 4.0, 10.0

    def __init__(self) -> None:
        self.steps = 0
        self._cpu = self._late = 0.0
        self._since: float | None = None
        self._way = 0

    def note(self, wall_s: float, cpu_s: float, interval_s: float, now: float) -> bool:
        """A picture took `wall_s`, of which `cpu_s` on the CPU; true when `steps` changed."""
        self._cpu += 0.1 * (cpu_s / interval_s - self._cpu)
        self._late += 0.1 * (float(wall_s > interval_s) - self._late)
        way = self._direction()
        if way == 0 or way != self._way:
            self._way, self._since = way, now
            return False
        wait = self.DOWN_S if way > 0 else self.UP_S
        if self._since is None or now - self._since < wait:
            return False
        steps = min(len(_STEPS) - 1, max(0, self.steps + way))
        changed = steps != self.steps
        self.steps, self._since = steps, now
        return changed

    def _direction(self) -> int:
        if self._cpu > self.HIGH or self._late > self.ALWAYS_LATE:
            return 1
        if self._late > self.LATE and self._cpu > self.PART:
            return 1
        return -1 if self._cpu < self.LIGHT and self._late < self.PUNCTUAL else 0
