"""A window in a test: its parts, and the ways of a person with it (keys and clicks, no calls)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from folkmoot.services.values import Message
from folkmoot.ui.main.presenter import MainPresenter
from folkmoot.ui.main.rows import ConversationRow
from folkmoot.ui.session import Session
from folkmoot.ui.shell import Shell
from folkmoot.ui.start.presenter import StartPresenter
from folkmoot.ui.start.view import StartView
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.layout import HitKind, Rule, Words
from folkmoot.ui.timeline.placement import Placed
from folkmoot.ui.timeline.view import TimelineView
from folkmoot.ui.widgets.emoji_picker import EmojiPicker


@dataclass
class Window:
    """A window that is up, and the ways of a person with it."""

    qtbot: QtBot
    shell: Shell
    session: Session

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

    @property
    def timeline(self) -> TimelineView:
        return self.main.view.conversation.timeline

    def until(self, claim: Callable[[], object]) -> None:
        """Wait until `claim` holds."""
        self.qtbot.waitUntil(lambda: bool(claim()), timeout=20_000)

    def until_open(self, place: str) -> None:
        """Wait until the title says that a conversation is shown."""
        self.until(lambda: self.shell.windowTitle().startswith(place))

    # --- keys

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

    def write(self, text: str) -> None:
        """Write a message and wait until it is shown."""
        before = len(self.timeline.model)
        self.type(text + "\n", self.main.view.conversation.composer.editor)
        self.until(lambda: len(self.timeline.model) == before + 1)
        self.until(lambda: self.composed() == "")

    # --- the pointer

    def click(self, button: QAbstractButton) -> None:
        """Click a button once it can be seen."""
        self.until(button.isVisible)
        assert button.isEnabled()
        left = QPoint(8, button.height() // 2)  # a box to tick is pressed where its sign is
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=left)

    def click_text(self, text: str) -> None:
        """Click the button in sight that says `text`, once there is one."""

        def found() -> list[QPushButton]:
            top = QApplication.activeModalWidget() or self.shell
            buttons = top.findChildren(QPushButton)
            return [b for b in buttons if b.text() == text and b.isVisible()]

        self.until(found)
        (button,) = found()
        self.click(button)

    def choose(self, words: str) -> None:
        """Click an entry of the menu that is open."""
        self.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = next(action for action in menu.actions() if action.text() == words)
        place = menu.actionGeometry(action).center()
        QTest.mouseMove(menu, place)
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)

    def point(self, text: str, timeline: TimelineView | None = None) -> Placed:
        """Move the pointer onto a message."""
        view = timeline or self.timeline
        self.until(lambda: self._placed(view, text))
        placed = self._placed(view, text)
        assert placed is not None
        # Qt sends no move to where the pointer already is.
        QTest.mouseMove(view.viewport(), QPoint(1, 1))
        QTest.mouseMove(view.viewport(), QPoint(300, placed.bottom - 8))
        return placed

    def press_bar(self, text: str, act: Act) -> None:
        """Point at a message and click an act of the bar that appears over it."""
        view = self.timeline
        self.point(text)
        bar = view.interaction.bar
        assert bar is not None
        cell = bar.cell(bar.acts.index(act)).center()
        QTest.mouseMove(view.viewport(), cell)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=cell)

    def press_menu(self, text: str, words: str) -> None:
        """Choose from the menu of a message."""
        self.press_bar(text, Act.MORE)
        self.choose(words)

    def press_hit(self, text: str, kind: HitKind) -> None:
        """Click what can be pressed in a message: a reaction, the line of its thread."""
        placed = self.point(text)
        hit = next(hit for hit in placed.row.hits if hit.kind is kind)
        place = (hit.box.center() + QPointF(0, placed.top)).toPoint()
        QTest.mouseMove(self.timeline.viewport(), place)
        QTest.mouseClick(self.timeline.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def pick_emoji(self, words: str) -> str:
        """Search in the picker that is open and click what is found first; the emoji."""
        picker = self.shell.findChild(EmojiPicker)
        assert picker is not None
        self.until(picker.search.hasFocus)
        self.type(words)
        chosen: list[str] = []
        picker.chosen.connect(chosen.append)
        cell = picker.grid.cell(0).center()
        QTest.mouseClick(picker.grid, Qt.MouseButton.LeftButton, pos=cell)
        return chosen[0]

    # --- what one sees

    def _placed(self, view: TimelineView, text: str) -> Placed | None:
        return next((p for p in view.placement.visible if p.row.message.text == text), None)

    def message(self, text: str) -> Message:
        """A message that is held."""
        return next(m for m in self.timeline.model.rows if m.text == text)

    def composed(self) -> str:
        return self.main.view.conversation.composer.text()

    def said(self) -> str:
        """What the line below the composer says."""
        return self.main.view.conversation.composer.state.text()

    def texts(self) -> list[str]:
        return [m.text for m in self.timeline.model.rows]

    def painted(self) -> list[str]:
        """The words around the visible texts: names, times, lines between."""
        return [
            part.text
            for placed in self.timeline.placement.visible
            for part in placed.row.parts
            if isinstance(part, Words | Rule)
        ]

    def row(self, name: str) -> ConversationRow:
        """A row of the side bar."""
        return next(r for r in self.main.view.side_bar.rows if r.row.name == name)

    def notices(self) -> str:
        """Everything that the cards over the timeline say of this computer."""
        return words_in(self.main.door.cards)


Open = Callable[..., Window]


def words_in(part: QWidget) -> str:
    """All words of the labels in sight inside a part of the window."""
    return " ".join(label.text() for label in part.findChildren(QLabel) if label.isVisible())


def dialog() -> QWidget | None:
    """The dialog that is open and has the focus."""
    found, focus = QApplication.activeModalWidget(), QApplication.focusWidget()
    if found is None or focus is None or not found.isAncestorOf(focus):
        return None
    return found
