"""A node that cannot start: the window says why, loses nothing, and comes back by itself."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from folkmoot.bootstrap import node_thread
from folkmoot.bootstrap.node_thread import NodeThread
from folkmoot.bootstrap.running import Options
from folkmoot.services.values import FirstPage
from folkmoot.storage.first_page import read_first_page
from folkmoot.system.profile import Profile, open_profile
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Theme
from ui.conftest import begin_window, end_session
from ui.window import Open, Window, words_in

NEWER = 9999


def set_version(profile: Profile, version: int) -> int:
    """Write the number of the store's schema; the one before."""
    with contextlib.closing(sqlite3.connect(profile.store)) as store:
        ((before,),) = store.execute("PRAGMA user_version")
        store.execute(f"PRAGMA user_version = {version}")
    return int(before)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return open_profile(tmp_path / "profile")


@pytest.fixture
def open_profile_window(
    qtbot: QtBot, theme: Theme, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """Opens the window that `folkmoot --profile` would, over the shipped thread of the node."""
    monkeypatch.setattr(node_thread, "RETRY_S", 0.1)
    opened: list[Window] = []

    def make(first: FirstPage | None = None) -> Window:
        def start() -> NodeThread:
            return NodeThread(profile, Options(listen=("127.0.0.1:0",), discovery=False))

        window = begin_window(qtbot, theme, profile.folder, start, name="Elin Aas", first=first)
        opened.append(window)
        return window

    yield make
    for window in opened:
        end_session(window)


def test_the_start_screen_shows_the_fault_and_comes_back_by_itself(
    open_profile_window: Open, profile: Profile
) -> None:
    profile.store.touch()  # a store without the keys of its person
    window = open_profile_window()
    window.until(lambda: not isinstance(window.shell.page(), StartView))
    page = window.shell.page()
    assert page is not None
    window.until(lambda: "The keys of this profile are missing" in words_in(page))
    profile.store.unlink()
    window.until(lambda: isinstance(window.shell.page(), StartView))
    window.until(lambda: window.session.model.identity is not None)
    window.start_view.welcome.name.setFocus()
    window.type("\n")
    window.type("Harbour Studio\n")
    window.until_open("#general – Harbour Studio")


def test_the_main_window_stays_with_a_notice_and_goes_on_when_the_store_is_back(
    open_profile_window: Open, profile: Profile
) -> None:
    window = open_profile_window()
    window.until(lambda: window.session.model.identity is not None)
    window.type("\n")
    window.type("Harbour Studio\n")
    window.until_open("#general – Harbour Studio")
    window.write("Before")
    end_session(window)
    first = read_first_page(profile.store)
    version = set_version(profile, NEWER)
    window = open_profile_window(first)
    window.until(lambda: "newer Folkmoot" in window.notices())
    assert window.texts() == ["Before"]
    editor = window.main.view.conversation.composer.editor
    window.type("Meanwhile\n", editor)
    window.until(lambda: "newer Folkmoot" in window.said())
    assert window.composed() == "Meanwhile"
    set_version(profile, version)
    window.until(lambda: window.notices() == "")
    window.type("\n", editor)
    window.until(lambda: window.texts() == ["Before", "Meanwhile"])
    window.until(lambda: window.composed() == "")
