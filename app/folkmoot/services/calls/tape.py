"""One file of a recording while it is made: its figures, places and chapters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from folkmoot.services import media_port as port
from folkmoot.services.call_values import RecordChoice, Recording
from folkmoot.services.calls.chapters import Chapters


@dataclass(slots=True)
class Tape:
    """One file that is being made. `told_at`: when its figures were true, in loop time."""

    held: Recording
    choice: RecordChoice
    chapters: Chapters
    places: tuple[port.RecordPlace, ...] = ()
    told_at: float = 0.0
    paused: bool = False
    written_at: float = 0.0
    writes: bool = False

    def seconds(self, now: float) -> float:
        """How long it is now."""
        since = 0.0 if self.paused else max(0.0, now - self.told_at)
        return self.held.duration_s + min(since, 2.0)

    def as_kept(self) -> Recording:
        """What is kept of it now."""
        chapters = self.chapters
        return replace(
            self.held,
            names=tuple(chapters.persons.values()),
            participants=tuple(chapters.persons),
            chapters=chapters.rows,
        )
