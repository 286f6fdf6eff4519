"""Invitations opened from outside, as a browser does it: real windows, mouse and keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.desktop import WindowProcess
from e2e.nodes import until
from e2e.people import NEEDS, Desk, desk_with_two_places, gone, start_team

pytestmark = [pytest.mark.needs(*NEEDS), pytest.mark.blocks_loop("a person waits")]


def invitation_of(window: WindowProcess) -> str:
    """Make an invitation and read it."""
    window.click("Copy an invitation link")
    link = window.text_of(window.find("Invitation link", "text"))
    assert link.startswith("folkmoot://join/")
    return link


def open_link(desk: Desk, name: str, link: str) -> None:
    """What a browser does with a link: a start of the program, which is over at once."""
    done = subprocess.run(
        [sys.executable, "-m", "folkmoot", link, "--profile", str(desk.folder_of(name))],
        env={**os.environ, **desk.desk.environment},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def test_an_invitation_from_a_browser_is_joined_with_a_click(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin = desk.open("elin")
        start_team(elin, "Elin", "Harbour Studio")
        link = invitation_of(elin)
        tomas = desk.open("tomas", 1, link)
        tomas.find("Invitation to Harbour Studio", "label")
        desk.picture("invited")
        tomas.click("Your name", "text")
        tomas.key("ctrl+a")
        tomas.type("Tomas")
        tomas.until_enabled("Join", "push button")
        tomas.click("Join", "push button")
        tomas.find("Message #general", "text")
        elin.focus()
        open_link(desk, "tomas", link)
        tomas.find("You are in this team already", "label")
        until(lambda: desk.desk.keyboard_at() == tomas.process.pid, "the window comes forward")
        desk.picture("already-there")
        tomas.click("Close", "push button")


@pytest.mark.long
def test_a_second_team_is_joined_from_the_dialog_and_a_wrong_link_is_said(tmp_path: Path) -> None:
    with desk_with_two_places(tmp_path) as desk:
        elin, tomas = desk.open("elin"), desk.open("tomas", 1)
        start_team(elin, "Elin", "Harbour Studio")
        start_team(tomas, "Tomas", "Sail Loft")
        link = invitation_of(elin)
        open_link(desk, "tomas", "folkmoot://join/nothing")
        tomas.find("This link cannot be opened", "label")
        desk.picture("wrong-link")
        open_link(desk, "tomas", link)
        gone(tomas, "This link cannot be opened")
        tomas.find("Join this team?", "label")
        desk.picture("dialog")
        tomas.until_enabled("Join", "push button")  # a person reads first
        tomas.click("Join", "push button")
        tomas.find("Message #general", "text")
        until(lambda: any("Harbour Studio" in name for name in tomas.names()), "the team is open")
        gone(tomas, "Join this team?")
        desk.picture("second-team")
