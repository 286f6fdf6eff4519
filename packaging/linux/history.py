"""What `CHANGELOG.md` says, as other formats want it: AppStream releases, a Debian changelog.

A heading is ``## 0.1.0, 2026-12-01`` or ``## 0.1.0, not released yet``; points below it begin with
``- ``. A version without a date is dated by the build.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

MAINTAINER = "Folkmoot developers <developers@folkmoot.org>"


@dataclass(frozen=True, slots=True)
class Release:
    """One version; `points` in the order of the file, each one line."""

    version: str
    date: datetime
    released: bool
    points: tuple[str, ...]


def read_releases(text: str, built: datetime) -> list[Release]:
    """The versions of a change log, the newest first. Raises ValueError if there is none."""
    releases = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        version, _, when = heading.partition(",")
        date = re.fullmatch(r"\s*(\d{4}-\d\d-\d\d)\s*", when)
        day = datetime.fromisoformat(date[1]).replace(tzinfo=UTC) if date else built
        points = re.findall(r"^- (.*(?:\n  .*)*)", body, re.MULTILINE)
        lines = tuple(" ".join(point.split()) for point in points)
        releases.append(Release(version.strip(), day, date is not None, lines))
    if not releases:
        raise ValueError("The change log names no version.")
    return releases


def metainfo_releases(releases: list[Release]) -> str:
    """The element `releases` of AppStream metainfo."""
    lines = ["<releases>"]
    for one in releases:
        kind = "stable" if one.released else "development"
        lines.append(
            f'    <release version="{one.version}" date="{one.date:%Y-%m-%d}" type="{kind}">'
        )
        lines.append("      <description><ul>")
        lines += [f"        <li>{escape(_plain(point), quote=False)}</li>" for point in one.points]
        lines += ["      </ul></description>", "    </release>"]
    return "\n".join([*lines, "  </releases>"])


def debian_changelog(package: str, releases: list[Release], version: str) -> str:
    """A Debian change log; the newest entry is of `version`, which a build may have lengthened."""
    entries = []
    for number, one in enumerate(releases):
        name = version if number == 0 else one.version
        points = "\n".join(
            textwrap.fill(
                _plain(point),
                78,
                initial_indent="  * ",
                subsequent_indent="    ",
                break_long_words=False,
            )
            for point in one.points
        )
        entries.append(
            f"{package} ({name}) unstable; urgency=medium\n\n{points}\n\n"
            f" -- {MAINTAINER}  {format_datetime(one.date)}\n"
        )
    return "\n".join(entries)


def _plain(text: str) -> str:
    """Without Markdown."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("*", "")
