"""Keys over the timeline: the focused message, its menu, selecting and scrolling without a mouse.

The focused message is marked only after keyboard use, and told to the screen reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QKeyEvent, QKeySequence

from folkmoot.domain.ids import EntryId
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.selection import END
from folkmoot.ui.widgets.focus import KEYBOARD_REASONS

if TYPE_CHECKING:
    from folkmoot.ui.timeline.view import TimelineView


class Keys:
    """One view's keyboard."""

    def __init__(self, view: TimelineView) -> None:
        self._view = view
        self._focused: EntryId | None = None
        self._by_keyboard = False

    def reset(self) -> None:
        """Another list is shown."""
        self._focused = None

    def clicked(self, message: EntryId | None) -> None:
        """The pointer was used: the mark goes, the keyboard goes on from that message."""
        self._by_keyboard = False
        if message is not None:
            self._focused = message

    def focused_index(self) -> int | None:
        """Index of the row that shows the keyboard's mark."""
        if not self._by_keyboard or not self._view.hasFocus() or self._focused is None:
            return None
        return self._view.model.index_of(self._focused)

    def focus_in(self, reason: Qt.FocusReason) -> None:
        """The view got the focus; by keyboard, a message is focused too."""
        if reason not in KEYBOARD_REASONS:
            return
        self._by_keyboard = True
        visible = self._view.placement.visible
        if self._view.placed(self._focused) is None and visible:
            self._focus(visible[-1].index)
        self._view.viewport().update()

    def key(self, event: QKeyEvent) -> bool:
        """Take a key; False when it means nothing here."""
        view, key = self._view, event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            return view.copy_selection() or self._copy_focused()
        page = max(60, view.viewport().height() - 60)
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._step(-1 if key == Qt.Key.Key_Up else 1, event.modifiers())
        elif key == Qt.Key.Key_PageUp:
            view.scroll_by(-page)
        elif key == Qt.Key.Key_PageDown:
            view.scroll_by(page)
        elif key == Qt.Key.Key_Home:
            view.jump_to_first()
        elif key == Qt.Key.Key_End:
            view.jump_to_latest()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._press_call():
            return True
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Menu):
            return self._menu_of_focused()
        elif key == Qt.Key.Key_Escape and not view.selection.is_empty:
            view.selection.clear()
            view.viewport().update()
        else:
            return False
        return True

    def _step(self, rows: int, modifiers: Qt.KeyboardModifier) -> None:
        """Move the focused message; with Shift, select from where one was."""
        view = self._view
        self._by_keyboard = True
        if not len(view.model):
            return
        index = view.model.index_of(self._focused) if self._focused else None
        if index is None or self._view.placed(self._focused) is None:
            visible = view.placement.visible
            target = visible[-1].index if rows < 0 else visible[0].index
        else:
            target = max(0, min(index + rows, len(view.model) - 1))
        if modifiers & Qt.KeyboardModifier.ShiftModifier and index is not None:
            if view.selection.is_empty:
                view.selection.begin(view.model[index].id, END if rows < 0 else 0)
            view.selection.extend(view.model[target].id, 0 if rows < 0 else END)
        self._focus(target)

    def _focus(self, index: int) -> None:
        self._focused = self._view.model[index].id
        self._view.reveal(index)
        event = QAccessibleEvent(self._view, QAccessible.Event.Focus)
        first = self._view.placement.visible[0].index
        event.setChild(index - first)
        QAccessible.updateAccessibility(event)

    def _copy_focused(self) -> bool:
        index = self.focused_index()
        if index is None:
            return False
        self._view.interaction.do(Act.COPY, self._view.model[index].id)
        return True

    def _press_call(self) -> bool:
        """Press the button of the focused card; False when there is none (the menu key is left)."""
        index = self.focused_index()
        return index is not None and self._view.press_call(index)

    def _menu_of_focused(self) -> bool:
        index = self.focused_index()
        placed = self._view.placed(self._focused)
        if index is None or placed is None:
            return False
        top = round(placed.top + placed.row.body_at.y() + 20)
        box = QRect(QPoint(68, min(max(top, 0), self._view.viewport().height())), QPoint(69, top))
        self._view.interaction.open_menu(
            placed.row.message.id, self._view.viewport().mapToGlobal(box.topLeft())
        )
        return True
