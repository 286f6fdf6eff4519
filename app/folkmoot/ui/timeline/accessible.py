"""The timeline to a screen reader: a list whose items are the visible messages.

Qt keeps no Python object alive, so every interface that was handed out is kept here, and dropped
with its view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QPoint, QRect, QSize
from PySide6.QtGui import QAccessible, QAccessibleInterface, QColor, QWindow
from PySide6.QtWidgets import QAccessibleWidget

from folkmoot.domain.ids import EntryId

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
        """An item has no parts."""
        return cast(QAccessibleInterface, None)

    def childCount(self) -> int:
        """An item has no parts."""
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """An item has no parts."""
        return -1

    def childAt(self, x: int, y: int) -> QAccessibleInterface:
        """An item has no parts."""
        return cast(QAccessibleInterface, None)

    def role(self) -> QAccessible.Role:
        """A list item."""
        return QAccessible.Role.ListItem

    def text(self, kind: QAccessible.Text) -> str:
        """The whole message as its name."""
        view = self._owner.view
        index = view.model.index_of(self.message)
        if kind is not QAccessible.Text.Name or index is None:
            return ""
        return view.wording.spoken(view.model[index])

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


class TimelineList(QAccessibleWidget):
    """The view as a list of the visible messages."""

    def __init__(self, view: TimelineView) -> None:
        super().__init__(view, QAccessible.Role.List, view.accessibleName())
        self.view = view
        self._items: dict[EntryId, MessageItem] = {}

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
            if len(self._items) >= _KEPT:
                self._items.clear()
            item = self._items[message] = MessageItem(self, message)
            QAccessible.registerAccessibleInterface(item)
        return item

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        """The place of an item that `child` gave."""
        wanted = getattr(child, "message", None)
        for number, placed in enumerate(self.view.placement.visible):
            if placed.row.message.id == wanted:
                return number
        return -1


class _Factory:
    """Makes the interface of each timeline once and keeps it as long as the view lives."""

    def __init__(self) -> None:
        self.installed = False
        self._lists: dict[int, TimelineList] = {}

    def __call__(self, _class_name: str, made_for: QObject | None) -> QAccessibleInterface | None:
        from folkmoot.ui.timeline.view import TimelineView

        if not isinstance(made_for, TimelineView):
            return None
        key = id(made_for)
        if key not in self._lists:
            self._lists[key] = TimelineList(made_for)
            made_for.destroyed.connect(lambda: self._lists.pop(key, None))
        return self._lists[key]


_factory = _Factory()


def install_accessibility() -> None:
    """Make Qt ask here for the interface of a timeline; once for the process."""
    if not _factory.installed:
        _factory.installed = True
        QAccessible.installFactory(_factory)
