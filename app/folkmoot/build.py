"""Which build of Folkmoot runs, and how it was installed.

A bundle carries a stamp beside the package (``_build.json``); whatever has none, or one that cannot
be read, runs from source. Cheap to import: the command line does before the window paints.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from folkmoot import __version__

APP_ID = "org.folkmoot.Folkmoot"
STAMP = Path(__file__).with_name("_build.json")
_SHAPES = {"commit": r"[0-9a-f]{12}", "date": r"\d{4}-\d{2}-\d{2}"}


@dataclass(frozen=True, slots=True)
class Build:
    """What runs. `commit` is 12 hexadecimal digits and `date` the day of that commit, both empty
    without a stamp. `frozen`: a bundle with a Python of its own."""

    version: str
    commit: str
    date: str
    frozen: bool

    @property
    def words(self) -> str:
        """Such as ``0.1.0, build 3f2a9c1b, 2026-11-26`` or ``0.1.0, from source``."""
        if self.commit:
            return f"{self.version}, build {self.commit[:8]}, {self.date}"
        return f"{self.version}, {'unknown build' if self.frozen else 'from source'}"


@cache
def build() -> Build:
    """The build that runs. Reads one small file, the first time; never raises."""
    stamp = _read_stamp(STAMP)
    return Build(__version__, *stamp, frozen=bool(getattr(sys, "frozen", False)))


def installed_as() -> str:
    """By what it was installed: ``AppImage``, ``Flatpak``, ``.deb``, ``Windows``, ``macOS``, or
    empty if it was not.

    A program inherits the environment of the one that starts it, an AppImage among them: its
    variable counts only where the program lies in its folder.
    """
    if os.environ.get("FLATPAK_ID") == APP_ID:
        return "Flatpak"
    if not build().frozen:
        return ""
    inside = os.environ.get("APPDIR", "")
    if os.environ.get("APPIMAGE") and inside and _lies_in(inside):
        return "AppImage"
    if sys.platform == "win32":
        return "Windows"
    if sys.platform == "darwin":
        return "macOS"
    return ".deb" if _lies_in("/usr/lib") or _lies_in("/opt") else ""


def _read_stamp(path: Path) -> tuple[str, str]:
    """The commit and the date; both empty unless both are there and well formed."""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError):
        return "", ""
    import json

    try:
        read = json.loads(text)
        values = [str(read[name]) for name in _SHAPES]
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", ""
    well = all(re.fullmatch(s, v, re.ASCII) for s, v in zip(_SHAPES.values(), values, strict=True))
    return (values[0], values[1]) if well else ("", "")


def _lies_in(folder: str) -> bool:
    return Path(os.path.realpath(sys.executable)).is_relative_to(os.path.realpath(folder))
