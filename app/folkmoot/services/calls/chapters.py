"""What happened in a recorded call, found by comparing what was with what is.

Pure: calls and seconds go in, chapters come out. Their text is a short sentence in English, ready
to be shown. Refuses more than `MAX_CHAPTERS`, and more than a line of a message.
"""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services.call_values import Call, Chapter, Participant, ParticipantState

MAX_CHAPTERS = 500
MAX_WORDS = 120
_WAITING = (
    *(ParticipantState.RINGING, ParticipantState.DECLINED),
    *(ParticipantState.BUSY, ParticipantState.UNREACHABLE),
)


class Chapters:
    """The chapters of one file."""

    def __init__(self, call: Call) -> None:
        self.rows: tuple[Chapter, ...] = ()
        self.persons: dict[PersonId, str] = {}
        """Everybody who was in it while it was recorded, in the order they came."""
        self._there: dict[DeviceId, Participant] = {}
        self._begun = False
        self.follow(call, 0.0)
        self._begun = True

    def follow(self, call: Call, at_s: float) -> None:
        """The call is so now."""
        there = {
            one.device: one for one in call.participants if one.device and one.state not in _WAITING
        }
        for device, was in self._there.items():
            if device not in there:
                self._add(at_s, "left", f"{was.name} left")
        for device, one in there.items():
            before = self._there.get(device)
            if before is None:
                self.persons.setdefault(one.person, one.name)
                self._add(at_s, "joined", f"{one.name} joined")
            self._shared(before, one, at_s)
            if one.hand and (before is None or not before.hand):
                self._add(at_s, "hand", f"{one.name} raised a hand")
        self._there = there

    def _shared(self, before: Participant | None, one: Participant, at_s: float) -> None:
        was = before is not None and before.screen
        if one.screen and not was:
            # Of a share that is on when a recording begins it is worth a chapter, too.
            self._add(at_s, "share", f"{one.name} shares a screen", always=True)
        elif was and not one.screen:
            self._add(at_s, "share", f"{one.name} stopped sharing")

    def said(self, name: str, text: str, at_s: float) -> None:
        """Somebody wrote in the conversation of the call."""
        words = " ".join(text.split())
        short = words if len(words) <= MAX_WORDS else f"{words[: MAX_WORDS - 1]}…"
        self._add(at_s, "chat", f"{name}: {short}")

    def paused(self, at_s: float) -> None:
        """The recording was paused."""
        self._add(at_s, "pause", "Paused")

    def _add(self, at_s: float, kind: str, text: str, *, always: bool = False) -> None:
        if (self._begun or always) and len(self.rows) < MAX_CHAPTERS:
            # The seconds of a moment are estimated: what came later is never earlier.
            after_s = self.rows[-1].at_s if self.rows else 0.0
            self.rows = (*self.rows, Chapter(max(after_s, round(at_s, 2)), kind, text))
