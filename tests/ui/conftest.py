"""What every test of the window shares: one themed application, drawn into memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import FirstPage, PresenceState
from folkmoot.ui.main.first import build_main
from folkmoot.ui.session import Session
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Mode, Theme
from ui.fake_node import FakeNode, FakeNodeThread
from ui.window import Open, Window


@pytest.fixture(scope="session")
def qapp_args() -> list[str]:
    """Arguments of the application object that pytest-qt makes."""
    return ["folkmoot-tests"]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """A light theme on the shared application."""
    return Theme(qapp, Mode.LIGHT)


@pytest.fixture
def open_window(qtbot: QtBot, qapp: QApplication, theme: Theme, tmp_path: Path) -> Iterator[Open]:
    """Opens a window over a fake node; `first` makes it begin with the main view."""
    opened: list[Window] = []

    def make(fake: FakeNode, *, first: FirstPage | None = None) -> Window:
        shell = Shell(theme)
        thread = FakeNodeThread(fake)
        start_view = main_view = None
        if first is not None:
            main_view = build_main(theme, first)
            shell.show_page(main_view)
        else:
            start_view = StartView(theme)
            start_view.welcome.name.setText(fake.my.name)
            start_view.welcome.computer.setText(fake.my.device_name)
            shell.show_page(start_view)
        qtbot.addWidget(shell)
        shell.show()
        session = Session(qapp, shell, theme, tmp_path, first, lambda: thread)
        session.begin(start_view, main_view)
        window = Window(qtbot, shell, session, thread)
        opened.append(window)
        shell.activateWindow()
        window.until(lambda: session.model.identity is not None)
        return window

    yield make
    for window in opened:
        end_session(window)


def end_session(window: Window) -> None:
    """Close a window and its node, as the program does when it ends."""
    window.shell.close()
    window.session.close()
    loop = window.session.loop
    loop._QEventLoop__is_running = False  # its own `stop` would end Qt's loop for all tests
    loop.close()


@pytest.fixture
def fake() -> FakeNode:
    return FakeNode()


@pytest.fixture
def team(fake: FakeNode) -> ConversationId:
    """A team with a channel more, and two others in it."""
    loop = asyncio.new_event_loop()
    made = loop.run_until_complete(fake.teams.create("Harbour Studio"))
    loop.run_until_complete(fake.conversations.create_channel(made.id, "shipping"))
    fake.add_member(made.id, "Mara Oduya", PresenceState.ONLINE)
    fake.add_member(made.id, "Tomas Lind", PresenceState.OFFLINE)
    loop.close()
    return made.id


@pytest.fixture
def window(open_window: Open, fake: FakeNode, team: ConversationId) -> Window:
    """The main window, with #general open."""
    window = open_window(fake)
    window.until(lambda: window.session.main is not None and window.main.conversation)
    return window
