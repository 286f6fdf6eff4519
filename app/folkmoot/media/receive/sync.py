"""How long a picture is held so that lips match the voice, and when it was taken.

Owns the arithmetic of RTCP sender reports (RFC 3550 section 6.4.1): they tell when, on the sender's
one clock, a sound and a picture were taken. A voice that is a little behind its picture is what
people are used to: it is noticed from 125 ms on (ITU-R BT.1359), and 60 ms are allowed (EBU R37).
Pure. Refuses to hold without reports of both, and while the voice waits in a small buffer anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_HOLD_S = 0.200
_SMALL_DELAY_S = 0.040
_STEP_S = 0.005
_NOTICED_S, _MUCH_S, _ALLOWED_S = 0.100, 0.150, 0.045
"""Nothing is done up to the first. From the second on the voice is left `_ALLOWED_S` behind."""
_MOST_SECONDS_APART = 60.0
_SMOOTH, _JUMP_S = 0.1, 0.2
_EARLIER_S, _LATER_S = 0.4, 0.02


@dataclass(frozen=True, slots=True)
class Report:
    """An RTCP sender report: `ntp` is 32.32 fixed point, `timestamp` RTP's 32 bits."""

    ntp: int
    timestamp: int


class LipSync:
    """For one sender's voice and picture. Times are seconds of one monotonic clock."""

    def __init__(self, audio_rate: int = 48_000, video_rate: int = 90_000) -> None:
        self._rates = {"audio": audio_rate, "video": video_rate}
        self._reports: dict[str, Report] = {}
        self._hold = 0.0

    def report(self, kind: str, ntp: int, timestamp: int) -> None:
        """A sender report for ``audio`` or ``video``."""
        if kind in self._rates and ntp:  # 0: the sender has not sent anything yet
            self._reports[kind] = Report(ntp & (1 << 64) - 1, timestamp & 0xFFFFFFFF)

    def hold_s(
        self,
        audio_timestamp: int,
        audio_played_s: float,
        video_timestamp: int,
        video_ready_s: float,
        audio_delay_s: float,
    ) -> float:
        """How long to hold the picture: 0–0.2 s, at most 5 ms more or less than the last one.

        The sound `audio_timestamp` is (or was) heard at `audio_played_s`; the picture
        `video_timestamp` could be shown at `video_ready_s`; `audio_delay_s` is the voice's buffer.
        """
        wanted = 0.0
        heard = self.taken_s("audio", audio_timestamp)
        seen = self.taken_s("video", video_timestamp)
        if heard is not None and seen is not None and audio_delay_s >= _SMALL_DELAY_S:
            behind = audio_played_s + (seen - heard) - video_ready_s
            share = min(1.0, max(0.0, (behind - _NOTICED_S) / (_MUCH_S - _NOTICED_S)))
            wanted = min(MOST_HOLD_S, share * (behind - _ALLOWED_S))
        self._hold += max(-_STEP_S, min(_STEP_S, wanted - self._hold))
        return self._hold

    def taken_s(self, kind: str, timestamp: int) -> float | None:
        """The second of the sender's clock that `timestamp` stands for."""
        report = self._reports.get(kind)
        if report is None:
            return None
        ticks = ((timestamp - report.timestamp + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        apart = ticks / self._rates[kind]
        return report.ntp / (1 << 32) + apart if abs(apart) < _MOST_SECONDS_APART else None


class SenderClock:
    """From a sender's clock to ours, such that what was said and seen at once stays together.

    Pictures come later than they were taken by what encoding them took, which the voice did not
    wait for. `voice` and `picture_s` may be called by different threads.
    """

    def __init__(self, lips: LipSync) -> None:
        self._lips = lips
        self._apart_s: float | None = None

    def voice(self, timestamp: int, at_s: float) -> None:
        """The sound `timestamp` is put at `at_s` of our clock; call it several times a second."""
        taken = self._lips.taken_s("audio", timestamp)
        if taken is None:
            return
        known, apart = self._apart_s, at_s - taken
        if known is None or abs(apart - known) > _JUMP_S:
            self._apart_s = apart
        else:
            self._apart_s = known + (apart - known) * _SMOOTH

    def picture_s(self, timestamp: int, came_s: float) -> float:
        """Where the picture `timestamp`, which came at `came_s`, belongs; that, if none knows."""
        taken, apart = self._lips.taken_s("video", timestamp), self._apart_s
        if taken is None or apart is None:
            return came_s
        at_s = taken + apart
        return at_s if came_s - _EARLIER_S <= at_s <= came_s + _LATER_S else came_s
