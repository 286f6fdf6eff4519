"""Checks of what is kept on the disk: messages that are found again, private files, the clock."""

from __future__ import annotations

import os
import stat
import sys
import time
from pathlib import Path

from folkmoot.bootstrap.running import Options, build, run_loop
from folkmoot.domain.errors import Lacking
from folkmoot.storage.selftest import describe, find_texts
from folkmoot.system.profile import open_profile, write_private

_TEXTS = ("Where is the ladder?", "The ladder stands in the Käserei.", "会議は明日です")
_QUERIES = (("ladder kaserei", 1), ("lad*", 0), ("会議", 2))
"""What is asked, and which of the texts must come."""
EARLIEST_S = 1_767_225_600
"""2026-01-01: no copy of this program was made before."""
LATEST_S = EARLIEST_S + 50 * 365 * 86_400
LEAST_SQLITE = (3, 37, 0)
"""STRICT tables."""


def check_full_text(folder: Path) -> str:
    """Messages that a real node stored are found by their words, also after it ended."""
    profile = open_profile(folder / "profile")
    run_loop(_post(folder / "profile"))
    for words, wanted in _QUERIES:
        found = find_texts(profile.store, words)
        if _TEXTS[wanted] not in found:
            raise Lacking(f"The full text does not find “{words}”; it finds {len(found)} messages.")
    version, journal = describe(profile.store)
    if tuple(map(int, version.split("."))) < LEAST_SQLITE:
        raise Lacking(f"SQLite {version} is too old.")
    if journal != "wal":
        raise Lacking(f"The journal of the store is “{journal}”, not WAL.")
    return f"SQLite {version} with WAL and FTS5: stored messages are found by their words"


async def _post(folder: Path) -> None:
    running = await build(open_profile(folder), lonely("Ada"))
    try:
        team = await running.node.teams.create("Self-test")
        conversation = next(
            one for one in await running.node.conversations.list() if one.team == team.id
        )
        for text in _TEXTS:
            await running.node.messages.post(conversation.id, text)
    finally:
        await running.aclose()


def lonely(name: str, *, camera: str = "none", microphone: str = "none") -> Options:
    """A node that nobody outside this computer sees."""
    return Options(
        name=name,
        listen=("127.0.0.1:0",),
        discovery=False,
        media=(microphone, "none", camera),
    )


def check_profile(folder: Path) -> str:
    """A private file is written whole and closed to others; the clock is plausible."""
    profile = open_profile(folder / "profile")
    path = profile.identity / "trial"
    for content in (b"one", os.urandom(4096)):
        write_private(path, content)
        if path.read_bytes() != content:
            raise Lacking("A private file reads differently from what was written.")
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Lacking("A private file can be read by others.")
    now = time.time()
    if not EARLIEST_S <= now <= LATEST_S:
        when = time.strftime("%Y-%m-%d", time.gmtime(now))
        raise Lacking(f"The clock of this computer says {when}. Set it.")
    before = time.monotonic()
    time.sleep(0.02)
    if not 0.01 < time.monotonic() - before < 10:
        raise Lacking("The clock of this computer does not go forward evenly.")
    return "private files are written whole and closed to others; the clock is plausible"
