"""What runs, and how it stands with new versions, in words. No widgets."""

from __future__ import annotations

import platform

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, QSysInfo, qVersion
from PySide6.QtGui import QGuiApplication

from folkmoot.build import build, installed_as
from folkmoot.services.update_values import Updates


def _tr(text: str) -> str:
    return QCoreApplication.translate("About", text)


def version_words() -> str:
    """Such as "Version 0.1.0, build 3f2a9c1b, 2026-11-26"."""
    return _tr("Version {words}").format(words=build().words)


def installed_words() -> str:
    """How it was installed; empty if it was not."""
    kind = installed_as()
    return _tr("Installed as {kind}").format(kind=kind) if kind else ""


def support_text() -> str:
    """What who helps needs to know, to be pasted: it names neither persons nor folders.

    In English in every language, since those who help read it.
    """
    lines = (
        ("Folkmoot", build().words),
        ("Installed as", installed_as() or "not installed"),
        ("System", f"{QSysInfo.prettyProductName()}, {QSysInfo.currentCpuArchitecture()}"),
        ("Kernel", f"{QSysInfo.kernelType()} {QSysInfo.kernelVersion()}"),
        ("Windows by", QGuiApplication.platformName()),
        ("Qt", qVersion()),
        ("Python", platform.python_version()),
    )
    return "\n".join(f"{name}: {words}" for name, words in lines)


def update_words(updates: Updates, now_ms: int) -> tuple[str, bool]:
    """How the last look at the feed went, and whether that is bad; empty while it is off."""
    if not updates.on:
        return "", False
    if updates.looking:
        return _tr("Looking…"), False
    if updates.problem:
        return f"{updates.problem} {updates.hint}".strip(), True
    if updates.looked_ms is None:
        return _tr("Not looked yet; it looks a few minutes after the start."), False
    when = when_words(updates.looked_ms, now_ms)
    if updates.offer is None:
        return _tr("Up to date, looked {when}").format(when=when), False
    words = _tr("Folkmoot {version} is out, looked {when}")
    return words.format(version=updates.offer.version, when=when), False


def when_words(at_ms: int, now_ms: int) -> str:
    """Such as "today 10:30", or the date."""
    at, now = (QDateTime.fromMSecsSinceEpoch(ms) for ms in (at_ms, now_ms))
    time = QLocale().toString(at.time(), QLocale.FormatType.ShortFormat)
    if at.date() == now.date():
        return _tr("today {time}").format(time=time)
    return f"{QLocale().toString(at.date(), QLocale.FormatType.ShortFormat)} {time}"
