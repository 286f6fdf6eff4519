"""Puts what a Linux desktop wants to know of Folkmoot below a prefix; packages of all kinds use it.

    desktop.py PREFIX

writes PREFIX/share: desktop file, AppStream metainfo with the releases of the change log, icons in
all sizes, the man page. The same tree gives the same bytes: times come from SOURCE_DATE_EPOCH.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from linux.history import metainfo_releases, read_releases

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[1]
APP_ID = "org.folkmoot.Folkmoot"
HICOLOR_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def source_date() -> datetime:
    """SOURCE_DATE_EPOCH, else the time of the commit that is built."""
    seconds = (
        os.environ.get("SOURCE_DATE_EPOCH")
        or subprocess.run(
            ["git", "-C", str(TOP), "log", "-1", "--format=%ct"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    )
    return datetime.fromtimestamp(int(seconds), UTC)


def version() -> str:
    """The version of the program, from the one place that has it."""
    text = (TOP / "app/folkmoot/__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise SystemExit("app/folkmoot/__init__.py names no version.")
    return found[1]


def changelog() -> str:
    """The text of the change log."""
    return (TOP / "CHANGELOG.md").read_text(encoding="utf-8")


def zip_text(text: str) -> bytes:
    """As `gzip -9n` would: without a name and without a time."""
    return gzip.compress(text.encode(), 9, mtime=0)


def install(prefix: Path, built: datetime) -> None:
    """Write everything below `prefix`/share."""
    share = prefix / "share"
    _put(share / f"applications/{APP_ID}.desktop", (HERE / f"{APP_ID}.desktop").read_bytes())
    _put(share / f"metainfo/{APP_ID}.metainfo.xml", metainfo(built).encode())
    _put(share / "man/man1/folkmoot.1.gz", zip_text((HERE / "folkmoot.1").read_text("utf-8")))
    _install_icons(share / "icons/hicolor")


def metainfo(built: datetime) -> str:
    """The metainfo with the releases of the change log."""
    template = (HERE / f"{APP_ID}.metainfo.xml").read_text(encoding="utf-8")
    releases = metainfo_releases(read_releases(changelog(), built))
    filled = template.replace("<releases/>", releases)
    if filled == template:
        raise SystemExit("The metainfo has no place for its releases.")
    return filled


def _install_icons(hicolor: Path) -> None:
    drawn = TOP / "build/icons"
    maker = TOP / "packaging/icons/make_icons.py"
    # In a process of its own: Qt is needed for nothing else here.
    subprocess.run([_python_with_qt(), str(maker), str(drawn)], check=True)
    for size in HICOLOR_SIZES:
        folder = hicolor / f"{size}x{size}/apps"
        _put(folder / f"{APP_ID}.png", (drawn / f"folkmoot-{size}.png").read_bytes())
    vector = TOP / "resources/app/folkmoot.svg"
    _put(hicolor / f"scalable/apps/{APP_ID}.svg", vector.read_bytes())


def _python_with_qt() -> str:
    """Of the environment that freezes the program, else of the one that runs the clone."""
    for name in (".venv-bundle", ".venv"):
        inner = TOP / name / "bin/python"
        if inner.exists():
            return str(inner)
    return sys.executable


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: desktop.py PREFIX")
    install(Path(sys.argv[1]), source_date())
