"""What the card of a call says: title, line, act and icon, for the eye and for a screen reader.

Whether a call runs now is told from outside; the log only knows that it started and how it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from folkmoot.services.call_values import CallRecord
from folkmoot.ui.timeline.peertext import calm, isolate

_MOST_NAMES = 4


def _tr(text: str, count: int = -1) -> str:
    return QCoreApplication.translate("Timeline", text, "", count)


class LiveCall(NamedTuple):
    """A call that runs now. `names` and `minutes` are words; `mine`: this person is in it."""

    names: str
    minutes: str
    mine: bool


@dataclass(frozen=True, slots=True)
class CallWords:
    """A card in words. `act` is on its button, "" for none; `tip` says the act in full.

    `tone` is ``live``, ``past`` or ``bad``.
    """

    title: str
    line: str
    icon: str
    tone: str
    act: str = ""
    tip: str = ""


def say_call(call: CallRecord, live: LiveCall | None, time: str) -> CallWords:
    """What a card says now; `time` is when the call started, in words."""
    icon = "video" if call.video else "phone"
    if live is not None:
        line = " · ".join(part for part in (calm(live.names), live.minutes) if part)
        act = _tr("Open") if live.mine else _tr("Join")
        tip = _tr("Open the call") if live.mine else _tr("Join the call")
        return CallWords(_tr("Call in progress"), line, icon, "live", act, tip)
    if call.ended_at_ms is None:
        return CallWords(_tr("Call"), _tr("Started {time}").format(time=time), icon, "past")
    came = [person for person in call.participants if person != call.started_by]
    if call.is_open:
        line = _how_long(call) if came else _alone(call)
        return CallWords(_tr("Call ended"), line, icon, "past")
    if call.missed:
        line = _how_long(call) if came else _from(call)
        back = _tr("Call back")
        return CallWords(_tr("Missed call"), line, "phone-missed", "bad", back, back)
    if call.declined and not call.took_part:
        line = _how_long(call) if came else _from(call)
        back = _tr("Call back")
        return CallWords(_tr("You declined"), line, "phone-off", "past", back, back)
    if not came:
        title = _tr("Declined") if call.declined_by else _tr("No answer")
        again = _tr("Call again")
        return CallWords(title, _alone(call), "phone-off", "past", again, again)
    return CallWords(_tr("Call ended"), _how_long(call), icon, "past")


def _alone(call: CallRecord) -> str:
    if call.declined_by:
        words = (
            _tr("Video call, {names} declined")
            if call.video
            else _tr("Voice call, {names} declined")
        )
        return words.format(names=people([name for _, name in call.declined_by], and_you=False))
    return _tr("Video call, nobody joined") if call.video else _tr("Voice call, nobody joined")


def _from(call: CallRecord) -> str:
    words = _tr("Video call from {name}") if call.video else _tr("Voice call from {name}")
    return words.format(name=people((call.started_by_name,), and_you=False))


def _how_long(call: CallRecord) -> str:
    words = _tr("Video call, {time}") if call.video else _tr("Voice call, {time}")
    time = duration(call.duration_s) if call.duration_s else _tr("never connected")
    said = words.format(time=time)
    return f"{said} · {people(call.names, and_you=call.took_part)}"


def duration(seconds: int) -> str:
    """ "45 s", "12 min", "1 h 5 min"."""
    if seconds < 60:
        return _tr("{s} s").format(s=seconds)
    hours, minutes = divmod(seconds // 60, 60)
    if not hours:
        return _tr("{m} min").format(m=minutes)
    return _tr("{h} h {m} min").format(h=hours, m=minutes)


def people(names: Sequence[str], *, and_you: bool) -> str:
    """ "Mara, Tomas and you": first names where they differ; `and_you`: the last one is oneself."""
    named = list(names[:-1] if and_you else names)
    firsts = [(calm(name).split() or [name])[0] for name in named]
    count = Counter(firsts)
    shown = [
        isolate(first if count[first] == 1 else name)
        for first, name in zip(firsts, named, strict=True)
    ]
    more = len(shown) + and_you - _MOST_NAMES
    if more > 0:
        shown = shown[: _MOST_NAMES - 1 - and_you]
        more = len(named) - len(shown)
    if and_you:
        shown.append(_tr("you"))
    if more > 0:
        shown.append(_tr("{n} others").format(n=more))
    if len(shown) < 2:
        return "".join(shown)
    return _tr("{some} and {last}").format(some=", ".join(shown[:-1]), last=shown[-1])
