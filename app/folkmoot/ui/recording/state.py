"""What the list and the player show of a recording, computed from its values. No widgets."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale

from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import Chapter, Recording
from folkmoot.ui.call.state import clock_words
from folkmoot.ui.recording.words import size_words
from folkmoot.ui.timeline.callwords import people

CHAPTER_ICONS = {
    "joined": "log-in",
    "left": "log-out",
    "share": "monitor-up",
    "hand": "hand",
    "chat": "message-square",
    "pause": "pause",
}


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recording", text)


@dataclass(frozen=True, slots=True)
class RecordingState:
    """A recording in words. `mark` says what is not normal about it, in the token `tone`."""

    recording: Recording
    title: str
    names: str
    when: str
    length: str
    size: str
    mark: str = ""
    tone: str = "mute"

    @property
    def playable(self) -> bool:
        """Whether there is a whole file, or what is left of one."""
        return self.recording.state in ("done", "broken off")

    @property
    def is_there(self) -> bool:
        """Whether there is a file."""
        return self.recording.state != "missing"

    @property
    def facts(self) -> str:
        """When, how long, how large."""
        return " · ".join(part for part in (self.when, self.length, self.size) if part)

    @property
    def accessible(self) -> str:
        """Everything of the row."""
        parts = (self.title, self.mark, self.names, self.facts)
        return ", ".join(part for part in parts if part)

    def fits(self, words: str) -> bool:
        """Whether each of the words is found somewhere: place, people, date, chapters."""
        chapters = " ".join(chapter.text for chapter in self.recording.chapters)
        everything = " ".join(
            (self.title, " ".join(self.recording.names), self.facts, self.mark, chapters)
        ).casefold()
        return all(word in everything for word in words.casefold().split())


def recording_state(recording: Recording, place: str, me: PersonId) -> RecordingState:
    """A recording in words; `place` names its conversation, as far as it is known."""
    there = list(zip(recording.participants, recording.names, strict=False))
    others = [name for person, name in there if person != me]
    took_part = any(person == me for person, _ in there)
    names = people((*others, "") if took_part else tuple(others), and_you=took_part)
    length = clock_words(round(recording.duration_s))
    mark, tone = {
        "recording": (_tr("Recording now"), "bad_text"),
        "broken off": (_tr("Broken off: it plays up to {time}"), "away_text"),
        "missing": (_tr("The file is missing"), "bad_text"),
    }.get(recording.state, ("", "mute"))
    return RecordingState(
        recording=recording,
        title=place or ", ".join(others) or _tr("Call"),
        names=names,
        when=moment(recording.started_at_ms),
        length="" if recording.state == "recording" else length,
        size=size_words(recording.size_bytes) if recording.size_bytes else "",
        mark=mark.format(time=length),
        tone=tone,
    )


def moment(at_ms: int) -> str:
    """Day and time; the year where it is another one."""
    at = QDateTime.fromMSecsSinceEpoch(at_ms)
    locale = QLocale()
    this_year = at.date().year() == QDateTime.currentDateTime().date().year()
    day = locale.toString(at.date(), "ddd d MMM" if this_year else "d MMM yyyy")
    return f"{day}, {locale.toString(at.time(), QLocale.FormatType.ShortFormat)}"


def chapter_at(chapters: tuple[Chapter, ...], seconds: float) -> int | None:
    """The place of the chapter that runs at a time; None before the first."""
    found = None
    for place, chapter in enumerate(chapters):
        if chapter.at_s <= seconds + 0.05:
            found = place
    return found


def kind_words(kind: str) -> str:
    """What a chapter is, for a screen reader."""
    return {
        "joined": _tr("Joined"),
        "left": _tr("Left"),
        "share": _tr("Screen shared"),
        "hand": _tr("Hand raised"),
        "chat": _tr("Message"),
        "pause": _tr("Pause"),
    }.get(kind, _tr("Mark"))
