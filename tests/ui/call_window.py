"""A window with calls in a test: the fake of `node.calls`, and a person's ways with a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenu, QWidget

from fakes.calls import FakeCalls, FakeRecordings, somebody
from folkmoot.domain.ids import ConversationId
from folkmoot.services.call_values import Call, CallPhase, Participant
from folkmoot.services.events import Event
from folkmoot.ui.call.desk import Desk
from folkmoot.ui.call.room import Room
from folkmoot.ui.call.window import CallWindow
from ui.town import Person
from ui.window import Window


@dataclass
class Caller:
    """Elin at her window, and what happens in calls around her."""

    window: Window
    calls: FakeCalls
    elin: Person
    mara: Person
    recordings: FakeRecordings

    @property
    def desk(self) -> Desk:
        return self.window.main.calls.desk

    @property
    def room(self) -> Room:
        assert self.desk.room is not None
        return self.desk.room

    @property
    def call_window(self) -> CallWindow:
        return self.room.window

    @property
    def has_room(self) -> bool:
        return self.window.main.calls.is_loaded and self.desk.room is not None

    def place(self, name: str = "general") -> ConversationId:
        return self.elin.conversation(name).id

    def open_direct(self) -> ConversationId:
        """Open the direct conversation with Mara."""
        team = next(iter(self.window.session.model.teams))

        async def make(node: Any) -> ConversationId:
            made = await node.conversations.open_direct(team, [self.mara.id])
            return ConversationId(made.id)

        opened: ConversationId = self.elin.do(make)
        self.window.until(lambda: opened in self.window.session.model.conversations)
        self.window.main.open_conversation(opened)
        self.window.until_open("Mara Oduya")
        return opened

    def other(self, number: int = 1, **changes: Any) -> Participant:
        """Mara, there with an open microphone."""
        return somebody(self.mara.id, "Mara Oduya", number, **changes)

    def tell(self, act: Callable[[], object]) -> None:
        """Something happens on the node's thread."""

        async def run(_: object) -> object:
            return act()

        self.elin.do(run)

    def publish(self, event: Event) -> None:
        self.tell(lambda: self.elin.node.events.publish(event))

    def rings(self, name: str = "general", **changes: Any) -> Call:
        """Mara rings Elin."""
        made: list[Call] = []
        place = self.place(name)
        self.tell(lambda: made.append(self.calls.ringing(place, self.other(), **changes)))
        self.window.until(lambda: made[0].id in self.desk.rings.cards)
        return made[0]

    def runs(self, name: str = "general", **changes: Any) -> Call:
        """Mara is in a call that Elin may join."""
        made: list[Call] = []
        place, there = self.place(name), self.other()
        changes = {"phase": CallPhase.RUNNING} | changes
        self.tell(lambda: made.append(self.calls.ringing(place, there, **changes)))
        self.window.until(lambda: made[0].id in self.window.session.model.calls)
        return made[0]

    def join(self, *others: Participant, **changes: Any) -> Call:
        """Elin is in a call with these (or with Mara)."""
        there = others or (self.other(),)
        me = self.calls.me(camera=changes.get("camera", False))
        place = self.place()
        made: list[Call] = []

        def run() -> None:
            call = self.calls._make(place, CallPhase.JOINED, (*there, me), microphone=True)
            made.append(self.calls.changed(call, **changes))

        self.tell(run)
        self.window.until(lambda: self.has_room and self.room.call.id == made[0].id)
        return made[0]

    def change(self, call: Call, **changes: Any) -> None:
        """The call is otherwise now."""
        self.tell(lambda: self.calls.changed(self.calls.calls.get(call.id, call), **changes))

    def asked(self, name: str) -> list[tuple[object, ...]]:
        """What was asked of the node under this name."""
        return [what[1:] for what in self.calls.asked if what[0] == name]

    def click(self, button: QAbstractButton) -> None:
        """Click a button of any window."""
        self.window.until(button.isVisible)
        middle = QPoint(button.width() // 2, min(20, button.height() // 2))
        QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=middle)

    def key(
        self,
        pressed: Qt.Key,
        held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        into: QWidget | None = None,
    ) -> None:
        """Press a key in the window of the call."""
        target = into or self.call_window
        QTest.keyClick(target.focusWidget() or target, pressed, held)

    def choose(self, words: str) -> None:
        """Click an entry of the menu that is open."""
        self.window.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        action = next(a for a in menu.actions() if a.text() == words)
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center())


def move_mouse(
    over: QWidget, where: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton
) -> None:
    """Move the mouse over a widget: Qt's own helper goes by the cursor of a display, which may
    pass over moves."""
    at, everywhere = QPointF(where), QPointF(over.mapToGlobal(where))
    none, plain = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        over, QMouseEvent(QEvent.Type.MouseMove, at, everywhere, none, held, plain)
    )
