"""The window over a node: what a person does with mouse and keyboard, and what she then sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import (
    FirstPage,
    PresenceState,
)
from folkmoot.ui.main.first import build_main
from folkmoot.ui.main.presenter import MainPresenter
from folkmoot.ui.session import Session
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.presenter import StartPresenter
from folkmoot.ui.start.view import StartView
from folkmoot.ui.theme.theme import Theme
from ui.fake_node import FakeNode, FakeNodeThread


@dataclass
class Window:
    """A window that is up, its node, and the ways of a person with it."""

    qtbot: QtBot
    shell: Shell
    session: Session
    node: FakeNodeThread

    @property
    def start(self) -> StartPresenter:
        assert self.session.start is not None
        return self.session.start

    @property
    def start_view(self) -> StartView:
        page = self.shell.page()
        assert isinstance(page, StartView)
        return page

    @property
    def main(self) -> MainPresenter:
        assert self.session.main is not None
        return self.session.main

    def until(self, claim: Callable[[], object]) -> None:
        """Wait until `claim` holds."""
        self.qtbot.waitUntil(lambda: bool(claim()), timeout=5000)

    def type(self, text: str, into: QWidget | None = None) -> None:
        """Type text (Return for a line break) where the focus is, or into a widget."""
        target = into or QApplication.focusWidget() or self.shell
        for part, line in enumerate(text.split("\n")):
            if part:
                QTest.keyClick(target, Qt.Key.Key_Return)
            QTest.keyClicks(target, line)

    def press(
        self, pressed: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Press a key where the focus is."""
        QTest.keyClick(QApplication.focusWidget() or self.shell, pressed, held)

    def click(self, button: QPushButton) -> None:
        """Click a button that can be seen."""
        assert button.isVisible()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def write(self, text: str) -> None:
        """Write a message and wait until it is shown."""
        before = len(self.main.view.conversation.timeline.model)
        self.type(text + "\n", self.main.view.conversation.composer.editor)
        self.until(lambda: len(self.main.view.conversation.timeline.model) == before + 1)
        self.until(lambda: self.composed() == "")

    def composed(self) -> str:
        return self.main.view.conversation.composer.text()

    def texts(self) -> list[str]:
        return [m.text for m in self.main.view.conversation.timeline.model.rows]


Open = Callable[..., Window]


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


def conversation(fake: FakeNode, name: str) -> ConversationId:
    return next(c.id for c in fake.conversation_map.values() if c.name == name)


def test_a_team_is_started_with_return_alone_and_the_main_window_opens(
    open_window: Open, fake: FakeNode
) -> None:
    window = open_window(fake)
    window.press(Qt.Key.Key_Return)
    window.type("Harbour Studio\n")
    window.until(lambda: window.session.main is not None and window.main.conversation)
    assert [t.name for t in fake.team_map.values()] == ["Harbour Studio"]
    assert window.shell.windowTitle().startswith("#general – Harbour Studio")
    assert window.main.view.conversation.is_empty


def test_what_is_written_stands_in_the_timeline_and_leaves_the_composer(window: Window) -> None:
    window.write("Hello")
    assert window.texts() == ["Hello"]
    assert not window.main.view.conversation.is_empty


def test_a_text_that_could_not_be_stored_stays_with_words(window: Window, fake: FakeNode) -> None:
    fake.fail = EnvironmentFault("disk_full", "The disk is full.", "Free some space.")
    composer = window.main.view.conversation.composer
    window.type("Hello\n", composer.editor)
    window.until(lambda: "The disk is full." in composer.state.text())
    assert composer.text() == "Hello"
    fake.fail = None
    window.press(Qt.Key.Key_Return)
    window.until(lambda: window.texts() == ["Hello"])
    window.until(lambda: composer.text() == "")
