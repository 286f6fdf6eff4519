"""What a window keeps when its process is killed, and that one profile has one window."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.nodes import until
from e2e.people import NEEDS, desk_with_two_places, message, start_team, two_people, write
from folkmoot.ui.conversation.drafting import SAVE_MS

pytestmark = [
    pytest.mark.needs(*NEEDS),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
]
DRAFT_S = 1.0
"""What was typed longer ago than this is on disk, where the computer does not stand still."""


def _drafts(profile: Path) -> list[str]:
    """The unsent texts that are on disk."""
    uri = f"{(profile / 'store.sqlite3').as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as store:
        return [str(row[0]) for row in store.execute("SELECT text FROM draft")]


def test_drafts_are_saved_so_soon_that_a_second_suffices() -> None:
    assert SAVE_MS / 1000 < DRAFT_S


def test_a_killed_window_keeps_its_draft_and_what_was_sent(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin = desk.open("elin")
        start_team(elin, "Elin", "Harbour Studio")
        for number in range(3):
            write(elin, f"Said before {number}.")
            message(elin, f"Said before {number}.")
        elin.type("Half a sentence")
        until(lambda: _drafts(desk.folder_of("elin")) == ["Half a sentence"], "the draft on disk")
        elin.kill()
        again = desk.open("elin")
        for number in range(3):
            message(again, f"Said before {number}.")
        desk.picture("after-kill")
        again.type(", continued.")
        again.key("Return")
        message(again, "Half a sentence, continued.")


def test_what_a_killed_writer_said_is_kept_by_the_reader(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        for turn in range(3):
            write(elin, f"Turn {turn} of Elin.")
            message(elin, f"Turn {turn} of Elin.")
            elin.kill()
            write(tomas, f"Turn {turn} of Tomas.")
            elin = desk.open("elin")
            for window in (elin, tomas):
                message(window, f"Turn {turn} of Elin.")
                message(window, f"Turn {turn} of Tomas.")
        desk.picture("after-three-kills")


def test_a_second_start_raises_the_first_window_and_ends(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin = desk.open("elin")
        elin.find("Your name", "text")
        other = desk.open("other", 1)
        other.focus()
        command = [sys.executable, "-m", "folkmoot", "--profile", str(desk.folder_of("elin"))]
        done = subprocess.run(
            command, env={**os.environ, **desk.desk.environment}, timeout=20, check=False
        )
        assert done.returncode == 0
        until(lambda: desk.desk.keyboard_at() == elin.process.pid, "the first window in front")
