"""The lines under the card of a call that say who recorded it, one's own with a way to play it."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from folkmoot.services.call_values import CallRecord, Recorded
from folkmoot.ui.timeline.callwords import LiveCall
from folkmoot.ui.timeline.peertext import calm, isolate

LINE = 24
MOST = 4
"""Lines under one card; more who record are counted in the last one."""


def _tr(text: str, count: int = -1) -> str:
    return QCoreApplication.translate("Timeline", text, "", count)


class RecordedLine(NamedTuple):
    """`began_at_ms`: of a recording of this person that can be played; `runs`: it is made now."""

    words: str
    began_at_ms: int | None = None
    runs: bool = False


def say_recorded(one: Recorded, live: LiveCall | None) -> str:
    """ "Elin recorded this call · 12:03"; while both run "Elin records this call"."""
    if one.seconds is None and live is not None:
        words = _tr("You record this call") if one.is_me else _tr("{name} records this call")
    else:
        words = _tr("You recorded this call") if one.is_me else _tr("{name} recorded this call")
    said = words.format(name=isolate(calm(one.name)))
    return f"{said} · {clock(one.seconds)}" if one.seconds is not None else said


def recorded_lines(call: CallRecord, live: LiveCall | None) -> list[RecordedLine]:
    """What stands under the card of a call."""
    lines = []
    for one in call.recorded:
        runs = one.seconds is None and live is not None
        plays = one.is_me and not runs  # one that broke off plays up to there
        began = one.began_at_ms if plays else None
        lines.append(RecordedLine(say_recorded(one, live), began, runs))
    if len(lines) > MOST:
        more = len(lines) - MOST + 1
        lines = [*lines[: MOST - 1], RecordedLine(_tr("%n more recordings", more))]
    return lines


def play_words() -> str:
    """What is pressed behind one's own recording."""
    return _tr("Play")


def play_tip() -> str:
    """The same in full."""
    return _tr("Play your recording of this call")


def clock(seconds: int) -> str:
    """A length: ``12:03``, ``1:02:03``."""
    minutes, left = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"
