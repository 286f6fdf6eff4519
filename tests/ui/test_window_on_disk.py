"""The window over the shipped node and a store on disk: what was written outlasts a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from folkmoot.bootstrap.node_thread import NodeThread
from folkmoot.bootstrap.running import Options
from folkmoot.storage.first_page import read_first_page
from folkmoot.system.profile import Profile, open_profile
from folkmoot.ui.theme.theme import Theme
from ui.conftest import begin_window, end_session
from ui.window import Window


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return open_profile(tmp_path / "profile")


def _open(qtbot: QtBot, theme: Theme, profile: Profile) -> Window:
    """What `folkmoot --profile` composes, without discovery."""
    first = read_first_page(profile.store) if profile.store.exists() else None

    def start() -> NodeThread:
        return NodeThread(profile, Options(listen=("127.0.0.1:0",), discovery=False))

    window = begin_window(qtbot, theme, profile.folder, start, name="Elin Aas", first=first)
    window.until(lambda: window.session.model.identity is not None)
    return window


def test_a_message_and_a_draft_are_there_after_a_restart_in_the_first_frame(
    qtbot: QtBot, theme: Theme, profile: Profile
) -> None:
    window = _open(qtbot, theme, profile)
    window.press(Qt.Key.Key_Return)
    window.type("Harbour Studio\n")
    window.until(lambda: window.session.main is not None and window.main.conversation)
    window.write("Hello to myself")
    window.type("half a thou", window.main.view.conversation.composer.editor)
    end_session(window)

    first = read_first_page(profile.store)
    assert first is not None
    assert first.page is not None
    assert [m.text for m in first.page.messages] == ["Hello to myself"]
    again = _open(qtbot, theme, profile)
    assert again.texts() == ["Hello to myself"]
    assert again.composed() == "half a thou"
    again.until(lambda: again.shell.windowTitle().startswith("#general – Harbour Studio"))
    again.press(Qt.Key.Key_End)
    again.type("ght\n", again.main.view.conversation.composer.editor)
    again.until(lambda: again.texts() == ["Hello to myself", "half a thought"])
    end_session(again)
