"""What is said about recordings: who records, how long, how large. Pure functions, no widgets."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLocale

from folkmoot.services.call_values import Call, Participant
from folkmoot.ui.call.state import first_name


def _tr(text: str) -> str:
    return QCoreApplication.translate("Recording", text)


def recorders(call: Call) -> tuple[Participant, ...]:
    """Who records this call now, this person first."""
    found = [p for p in call.participants if p.records]
    return tuple(sorted(found, key=lambda p: not p.is_me))


def who_records(people: Sequence[Participant]) -> str:
    """ "Elin records", "You and 1 more record"; nothing where nobody does."""
    if not people:
        return ""
    name = _tr("You") if people[0].is_me else first_name(people[0].name)
    if len(people) > 1:
        return _tr("{name} and {n} more record").format(name=name, n=len(people) - 1)
    return _tr("You record") if people[0].is_me else _tr("{name} records").format(name=name)


def meets_recording(people: Sequence[Participant]) -> str:
    """For who comes into a call that is recorded already."""
    names = [first_name(p.name) for p in people if not p.is_me]
    if not names:
        return ""
    if len(names) == 1:
        return _tr("{name} records this call: what you say and show is in it.").format(
            name=names[0]
        )
    words = _tr("{name} and {n} more record this call: what you say and show is in it.")
    return words.format(name=names[0], n=len(names) - 1)


def began(who: Participant) -> str:
    """Somebody began to record."""
    if who.is_me:
        return _tr("You record this call. Everybody in it sees that.")
    return _tr("{name} began to record this call.").format(name=first_name(who.name))


def ended(who: Participant) -> str:
    """Somebody records no more."""
    if who.is_me:
        return _tr("You no longer record. The recording is in your list.")
    return _tr("{name} no longer records this call.").format(name=first_name(who.name))


def who_is_told(call: Call) -> str:
    """Who will see that this person records, as a sentence."""
    names = [first_name(p.name) for p in call.participants if not p.is_me and p.device]
    if not names:
        return _tr("Whoever joins this call sees that you record.")
    if len(names) == 1:
        words = _tr("{name} sees that you record, and whoever joins later sees it too.")
        return words.format(name=names[0])
    if len(names) > 4:
        listed, last = ", ".join(names[:3]), _tr("{n} more").format(n=len(names) - 3)
    else:
        listed, last = ", ".join(names[:-1]), names[-1]
    words = _tr("{names} and {last} see that you record, and whoever joins later sees it too.")
    return words.format(names=listed, last=last)


def size_words(size_bytes: int) -> str:
    """ "24 MB" in the language's numbers; steps of 1000, as shops and file managers count."""
    form = QLocale.DataSizeFormat.DataSizeSIFormat
    precision = 1 if size_bytes >= 1_000_000_000 else 0
    return QLocale().formattedDataSize(max(0, size_bytes), precision, form)
