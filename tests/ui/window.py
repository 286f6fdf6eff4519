"""A window in a test: its parts, and the ways of a person with it (keys and clicks, no calls)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from folkmoot.domain.ids import ConversationId
from folkmoot.ui.bridge import NodeHandle
from folkmoot.ui.main.presenter import MainPresenter
from folkmoot.ui.session import Session
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.presenter import StartPresenter
from folkmoot.ui.start.view import StartView
from ui.fake_node import FakeNode, FakeNodeThread


@dataclass
class Window:
    """A window that is up, its node, and the ways of a person with it."""

    qtbot: QtBot
    shell: Shell
    session: Session
    thread: NodeHandle

    @property
    def node(self) -> FakeNodeThread:
        assert isinstance(self.thread, FakeNodeThread)
        return self.thread

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
        """Click a button once it can be seen."""
        self.until(button.isVisible)
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


def dialog() -> QWidget | None:
    """The dialog that is open and has the focus."""
    found, focus = QApplication.activeModalWidget(), QApplication.focusWidget()
    if found is None or focus is None or not found.isAncestorOf(focus):
        return None
    return found


def conversation(fake: FakeNode, name: str) -> ConversationId:
    """The identifier of a conversation by its name."""
    return next(c.id for c in fake.conversation_map.values() if c.name == name)
