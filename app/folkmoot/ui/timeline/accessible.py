"""The timeline to a screen reader: a list whose items are the visible messages, with their buttons.

Qt keeps no Python object alive, so every interface that was handed out is kept here until Qt has
deleted it with its view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QPoint, QRect, QSize
from PySide6.QtGui import QAccessible, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAccessibleWidget

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message
from folkmoot.ui.timeline.hoverbar import Act, act_name
from folkmoot.ui.timeline.layout import Hit, HitKind

if TYPE_CHECKING:
    from folkmoot.ui.timeline.view import TimelineView

_KEPT = 1_200


class MessageItem(QAccessibleInterface):
    """One message as a list item, by its id: it stays the same when rows move."""

    def __init__(self, owner: TimelineList, message: EntryId) -> None:
        super().__init__()
        self._owner = owner
        self.message = message

    def isValid(self) -> bool:
        """Whether the message is still held."""
        return self._owner.view.model.index_of(self.message) is not None

    def object(self) -> QObject:
        """It has no object of its own."""
        return cast(QObject, None)

    def window(self) -> QWindow:
        """The window that the list is in."""
        return self._owner.view.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        """The list."""
        return self._owner

    def child(self, index: int) -> QAccessibleInterface:
        """The button at `index`."""
        return self._owner.part(self, index)

    def childCount(self) -> int:
        """Its buttons that can be seen now."""
        return len(self._owner.parts(self.message))

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """The place of a button that `child` gave."""
        return child.index if isinstance(child, MessagePart) else -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        """The button at a point of the screen."""
        for index, (_, box) in enumerate(self._owner.parts(self.message)):
            if box.contains(x, y):
                return self.child(index)
        return cast(QAccessibleInterface, None)

    def role(self) -> QAccessible.Role:
        """A list item."""
        return QAccessible.Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        """The whole message as its name, after the word of the "New" line above it."""
        view = self._owner.view
        index = view.model.index_of(self.message)
        if kind is not QAccessible.Text.Name or index is None:
            return ""
        message = view.model[index]
        spoken = view.wording.spoken(message, view.live(message))
        first = view.model.first_unread == self.message
        return f"{view.wording.new_line()}, {spoken}" if first else spoken

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Read only."""

    def state(self) -> QAccessible.State:
        """Focusable, and focused when the keyboard is here."""
        state = QAccessible.State()
        view = self._owner.view
        state.focusable = True
        state.readOnly = True
        index = view.keys.focused_index()
        state.focused = index is not None and view.model[index].id == self.message
        return state

    def rect(self) -> QRect:
        """Where it is on the screen; empty while scrolled away."""
        view = self._owner.view
        for placed in view.placement.visible:
            if placed.row.message.id == self.message:
                corner = view.viewport().mapToGlobal(QPoint(0, placed.top))
                return QRect(corner, QSize(view.viewport().width(), placed.bottom - placed.top))
        return QRect()

    def foregroundColor(self) -> QColor:
        """The ink."""
        return self._owner.view.theme.colour("ink")

    def backgroundColor(self) -> QColor:
        """The panel."""
        return self._owner.view.theme.colour("panel")


class MessagePart(QAccessibleInterface):
    """A button painted in or over a message: a reaction, a thread, an act of the hover bar."""

    def __init__(self, owner: TimelineList, item: MessageItem, index: int) -> None:
        super().__init__()
        self._owner = owner
        self._item = item
        self.index = index

    def _shown(self) -> tuple[str, QRect]:
        parts = self._owner.parts(self._item.message)
        return parts[self.index] if self.index < len(parts) else ("", QRect())

    def isValid(self) -> bool:
        """Whether it is still there."""
        return self._item.isValid() and not self._shown()[1].isNull()

    def object(self) -> QObject:
        """It has no object of its own."""
        return cast(QObject, None)

    def window(self) -> QWindow:
        """The window that the list is in."""
        return self._item.window()

    def parent(self) -> QAccessibleInterface:
        """The message."""
        return self._item

    def child(self, index: int) -> QAccessibleInterface:
        """A button has no parts."""
        return cast(QAccessibleInterface, None)

    def childCount(self) -> int:
        """A button has no parts."""
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """A button has no parts."""
        return -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        """A button has no parts."""
        return cast(QAccessibleInterface, None)

    def role(self) -> QAccessible.Role:
        """A button."""
        return QAccessible.Role.Button

    def text(self, kind: QAccessible.Text) -> str:
        """What it does."""
        return self._shown()[0] if kind is QAccessible.Text.Name else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Read only."""

    def state(self) -> QAccessible.State:
        """Nothing special; the keyboard's way to the same acts is the menu of the message."""
        return QAccessible.State()

    def rect(self) -> QRect:
        """Where it is on the screen."""
        return self._shown()[1]


class TimelineList(QAccessibleWidget):
    """The view as a list of the visible messages."""

    def __init__(self, view: TimelineView) -> None:
        super().__init__(view, QAccessible.Role.List, view.accessibleName())
        self.view = view
        self._items: dict[EntryId, MessageItem] = {}
        self._parts: dict[tuple[EntryId, int], MessagePart] = {}
        self._ids: list[int] = []

    def childCount(self) -> int:
        """Visible messages."""
        return len(self.view.placement.visible)

    def child(self, index: int) -> QAccessibleInterface:
        """The visible message at `index`, counted from the top."""
        visible = self.view.placement.visible
        if not 0 <= index < len(visible):
            return cast(QAccessibleInterface, None)
        message = visible[index].row.message.id
        item = self._items.get(message)
        if item is None:
            if len(self._ids) >= _KEPT:
                self.drop_items()
            item = self._items[message] = MessageItem(self, message)
            self._ids.append(QAccessible.registerAccessibleInterface(item))
        return item

    def parts(self, message: EntryId) -> list[tuple[str, QRect]]:
        """Name and place on the screen of each button of a visible message."""
        placed = self.view.placed(message)
        if placed is None:
            return []
        viewport, found = self.view.viewport(), []
        for hit in placed.row.hits:
            if name := self._name_of(hit, placed.row.message):
                box = hit.box.translated(0, placed.top).toRect()
                found.append((name, QRect(viewport.mapToGlobal(box.topLeft()), box.size())))
        bar = self.view.interaction.bar
        if bar is not None and self.view.interaction.hovered == message:
            for number, act in enumerate(bar.acts):
                cell = bar.cell(number)
                corner = viewport.mapToGlobal(cell.topLeft())
                found.append((act_name(act), QRect(corner, cell.size())))
        return found

    def _name_of(self, hit: Hit, message: Message) -> str:
        """What a place in a row does; "" where it only has a tip."""
        wording = self.view.wording
        return {
            HitKind.TIP: "",
            HitKind.ADD_REACTION: act_name(Act.REACT),
            HitKind.SHOW_ALL: wording.show_all(),
            HitKind.THREAD: hit.tip or wording.replies(message.reply_count),
        }.get(hit.kind, hit.tip)

    def part(self, item: MessageItem, index: int) -> QAccessibleInterface:
        """The button of a message at `index`."""
        if not 0 <= index < item.childCount():
            return cast(QAccessibleInterface, None)
        key = (item.message, index)
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = MessagePart(self, item, index)
            self._ids.append(QAccessible.registerAccessibleInterface(part))
        return part

    def drop_items(self) -> None:
        """Let Qt delete the items first: what it still knows by number must not be gone."""
        for number in self._ids:
            QAccessible.deleteAccessibleInterface(number)
        self._ids.clear()
        self._items.clear()
        self._parts.clear()

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """The place of an item that `child` gave."""
        wanted = getattr(child, "message", None)
        for number, placed in enumerate(self.view.placement.visible):
            if placed.row.message.id == wanted:
                return number
        return -1


class _Factory:
    """Makes the interface of each timeline and keeps it as long as the view lives.

    Qt asks again for the same view when its meta object has changed, and deletes each answer once:
    so every answer is a new one.
    """

    def __init__(self) -> None:
        self.installed = False
        self._lists: dict[int, list[TimelineList]] = {}
        self._ended: list[TimelineList] = []

    def __call__(self, _class_name: str, made_for: QObject | None) -> QAccessibleInterface | None:
        from folkmoot.ui.timeline.view import TimelineView

        if not isinstance(made_for, TimelineView):
            return None
        key = id(made_for)
        if key not in self._lists:
            self._lists[key] = []
            made_for.destroyed.connect(lambda: self._end(key))
        made = TimelineList(made_for)
        self._lists[key].append(made)
        return made

    def _end(self, key: int) -> None:
        """A view is gone. Qt deletes the lists itself, before this or after, and must find them."""
        self._ended = self._lists.pop(key, [])
        for each in self._ended:
            each.drop_items()


_factory = _Factory()


def install_accessibility() -> None:
    """Make Qt ask here for the interface of a timeline; once for the process."""
    if not _factory.installed:
        _factory.installed = True
        QAccessible.installFactory(_factory)
