"""What a build says of itself: `folkmoot/_build.json`, and the time that all its files bear."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def build_time(root: Path) -> int:
    """Seconds since 1970: SOURCE_DATE_EPOCH, else the time of the commit of `root`."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given) if given else int(_git(root, "log", "-1", "--format=%ct"))


def commit(root: Path) -> str:
    """Twelve hex digits of the commit of `root`; FOLKMOOT_COMMIT says it where there is no git."""
    return os.environ.get("FOLKMOOT_COMMIT") or _git(root, "rev-parse", "--short=12", "HEAD")


def stamp(root: Path, kind: str = "bundle") -> str:
    """The text of the build stamp."""
    day = datetime.fromtimestamp(build_time(root), UTC).date().isoformat()
    return json.dumps({"commit": commit(root), "date": day, "kind": kind}, indent=1) + "\n"


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()
