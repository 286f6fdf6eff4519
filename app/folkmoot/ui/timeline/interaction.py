"""The pointer over the timeline: hover, clicks, selection, tool tips, the menu of a message.

Owns what the person is pointing at; asks the view where rows are and lets it emit what was meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import (
    QHelpEvent,
    QMouseEvent,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message
from folkmoot.ui.timeline.hoverbar import Act, HoverBar, act_name
from folkmoot.ui.timeline.layout import CONTENT_WIDTH, Hit, HitKind, Mode
from folkmoot.ui.timeline.peertext import calm
from folkmoot.ui.timeline.placement import Placed
from folkmoot.ui.timeline.selection import END
from folkmoot.ui.widgets.popover import MenuItem, build_menu
from folkmoot.ui.widgets.text import plain_tip

if TYPE_CHECKING:
    from folkmoot.ui.timeline.view import TimelineView

_NOTCH = 90
"""Pixels for one notch of a wheel (an eighth of a degree times 120)."""
_DRAG = 4
_AUTO_SCROLL_MS = 30
_HAND = (HitKind.REACTION, HitKind.ADD_REACTION, HitKind.THREAD, HitKind.REPLIED_TO)


class Interaction:
    """One view's input."""

    def __init__(self, view: TimelineView) -> None:
        self._view = view
        self._pointer: QPointF | None = None
        self._hovered: EntryId | None = None
        self._pressed: QPointF | None = None
        self._dragging = False
        self._link = ""
        self._menu_open = False
        self.bar: HoverBar | None = None
        self.hot_act: Act | None = None
        self.on_call = False
        """Whether the button of a call is pointed at."""
        self._auto = QTimer(view, interval=_AUTO_SCROLL_MS)
        self._auto.timeout.connect(self._auto_scroll)

    # --- what is pointed at -------------------------------------------------------------------

    def reset(self) -> None:
        """Another list is shown: nothing is hovered yet."""
        self._hovered = None
        self.bar = self.hot_act = None
        self.on_call = False

    @property
    def hovered(self) -> EntryId | None:
        """The message under the pointer."""
        return self._hovered

    @property
    def is_busy(self) -> bool:
        """Whether something is under way that an arrival must not move: a button under the
        pointer, a selection being dragged, an open menu."""
        return (
            self.hot_act is not None or self.on_call or self._pressed is not None or self._menu_open
        )

    def hovered_index(self) -> int | None:
        """Index of the row under the pointer."""
        return self._view.model.index_of(self._hovered) if self._hovered else None

    def follow(self) -> None:
        """Rows have moved: find again what lies under the pointer."""
        if self._pointer is not None and not self._dragging:
            self._hover(self._pointer)

    def _hover(self, point: QPointF) -> None:
        self._pointer = point
        on_bar = self.bar is not None and self.bar.box.contains(point.toPoint())
        placed = self._view.placed(self._hovered) if on_bar else None
        placed = placed or self._view.placed_at(point.y())
        before = (self._hovered, self.bar, self.hot_act, self.on_call)
        self._hovered = placed.row.message.id if placed is not None else None
        self.bar = self._bar_over(placed) if placed is not None else None
        self.hot_act = self.bar.act_at(point) if self.bar is not None else None
        hit = self._hit_at(point) if self.hot_act is None else None
        self.on_call = hit is not None and hit.kind is HitKind.CALL
        self._point_out(point)
        if before != (self._hovered, self.bar, self.hot_act, self.on_call):
            self._view.viewport().update()

    def _bar_over(self, placed: Placed) -> HoverBar | None:
        view = self._view
        pad = 16 if view.mode is Mode.THREAD else 20
        right = min(view.viewport().width(), CONTENT_WIDTH + 2 * pad) - pad
        offered = self._offered(placed.row.message)
        return HoverBar.over(placed.top + placed.row.band_top, right, offered)

    def _offered(self, message: Message) -> frozenset[Act]:
        if message.deleted:
            return frozenset()
        offered = self._view.actions_for(message)
        return offered - {Act.THREAD} if self._view.mode is Mode.THREAD else offered

    def _point_out(self, point: QPointF) -> None:
        """Cursor shape, and the address of a link in words."""
        hit = self._hit_at(point)
        link = self._link_at(point) if self.hot_act is None else ""
        hand = bool(link) or self.hot_act is not None
        hand = hand or (hit is not None and hit.kind is not HitKind.TIP)
        shape = Qt.CursorShape.PointingHandCursor
        if not hand:
            text = hit is None and self._text_at(point)
            shape = Qt.CursorShape.IBeamCursor if text else Qt.CursorShape.ArrowCursor
        self._view.viewport().setCursor(shape)
        if link != self._link:
            self._link = link
            self._view.link_hovered.emit(link)

    def _hit_at(self, point: QPointF) -> Hit | None:
        placed = self._view.placed_at(point.y())
        if placed is None:
            return None
        inner = QPointF(point.x(), point.y() - placed.top)
        return next((hit for hit in placed.row.hits if hit.box.contains(inner)), None)

    def _link_at(self, point: QPointF) -> str:
        placed = self._view.placed_at(point.y())
        if placed is None or placed.row.body is None:
            return ""
        inner = QPointF(point.x(), point.y() - placed.top) - placed.row.body_at
        return placed.row.body.document.documentLayout().anchorAt(inner)

    def _text_at(self, point: QPointF) -> bool:
        placed = self._view.placed_at(point.y())
        if placed is None or placed.row.body is None:
            return False
        inner = QPointF(point.x(), point.y() - placed.top) - placed.row.body_at
        return 0 <= inner.y() <= placed.row.body.height and inner.x() >= 0

    # --- pointer ------------------------------------------------------------------------------

    def viewport_event(self, event: QEvent) -> bool:
        """Take a viewport event; True when it needs nothing more."""
        kind = event.type()
        if isinstance(event, QWheelEvent):
            return self._wheel(event)
        if isinstance(event, QHelpEvent) and kind == QEvent.Type.ToolTip:
            return self._tool_tip(event)
        if isinstance(event, QMouseEvent):
            if kind == QEvent.Type.MouseMove:
                return self._move(event)
            if kind == QEvent.Type.MouseButtonPress:
                return self._press(event)
            if kind == QEvent.Type.MouseButtonRelease:
                return self._release(event)
            if kind == QEvent.Type.MouseButtonDblClick:
                return self._double(event)
        if kind == QEvent.Type.Leave and not self._menu_open:
            self._pointer = None
            self.reset_hover()
        return False

    def reset_hover(self) -> None:
        """Nothing is under the pointer."""
        self._hovered, self.bar, self.hot_act, self.on_call = None, None, None, False
        self._view.viewport().update()

    def _wheel(self, event: QWheelEvent) -> bool:
        pixels = event.pixelDelta().y()
        if not pixels:
            pixels = round(event.angleDelta().y() * _NOTCH / 120)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or not pixels:
            return False
        self._pointer = event.position()
        self._view.scroll_by(-pixels)
        event.accept()
        return True

    def _move(self, event: QMouseEvent) -> bool:
        point = event.position()
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._pointer = point
            far = (point - self._pressed).manhattanLength() >= _DRAG
            if self._dragging or far:
                self._dragging = True
                self._extend_to(point)
                inside = 0 <= point.y() < self._view.viewport().height()
                self._auto.stop() if inside else self._auto.start()
            return True
        self._hover(point)
        return True

    def _press(self, event: QMouseEvent) -> bool:
        point = event.position()
        self._view.keys.clicked(None)
        self._view.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() == Qt.MouseButton.RightButton:
            self._open_menu_at(point, event.globalPosition().toPoint())
            return True
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        self._hover(point)
        self._pressed = point
        self._dragging = False
        if self.hot_act is not None:
            return True
        place = self._place(point)
        if place is not None:
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._view.selection.extend(*place)
            else:
                self._view.selection.begin(*place)
            self._view.keys.clicked(place[0])
        self._view.viewport().update()
        return True

    def _release(self, event: QMouseEvent) -> bool:
        self._auto.stop()
        pressed, self._pressed = self._pressed, None
        dragged, self._dragging = self._dragging, False
        point = event.position()
        if event.button() != Qt.MouseButton.LeftButton or pressed is None:
            return event.button() == Qt.MouseButton.RightButton
        if not dragged:
            self._click(point)
        self._hover(point)
        return True

    def _double(self, event: QMouseEvent) -> bool:
        place = self._place(event.position())
        index = self._view.model.index_of(place[0]) if place is not None else None
        if place is None or index is None or (body := self._view.body_at(index)) is None:
            return True
        cursor = QTextCursor(body.document)
        cursor.setPosition(min(place[1], body.document.characterCount() - 1))
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        self._view.selection.begin(place[0], cursor.selectionStart())
        self._view.selection.extend(place[0], cursor.selectionEnd())
        self._view.viewport().update()
        return True

    def _click(self, point: QPointF) -> None:
        if self.hot_act is not None and self._hovered is not None:
            self._do_on_bar(self.hot_act, self._hovered)
            return
        link = self._link_at(point)
        if link:
            self._view.link_activated.emit(link)
            return
        placed, hit = self._view.placed_at(point.y()), self._hit_at(point)
        if placed is not None and hit is not None:
            self._do_hit(placed.row.message, hit, point)

    def _do_hit(self, message: Message, hit: Hit, point: QPointF) -> None:
        view = self._view
        if hit.kind is HitKind.REACTION:
            mine = any(r.mine for r in message.reactions if r.emoji == hit.value)
            view.react.emit(message.id, hit.value, not mine)
        elif hit.kind is HitKind.ADD_REACTION:
            view.react_more.emit(message.id, view.viewport().mapToGlobal(point.toPoint()))
        elif hit.kind is HitKind.THREAD:
            view.open_thread.emit(message.thread or message.id)
        elif hit.kind is HitKind.REPLIED_TO and message.reply_to is not None:
            view.show_message(message.reply_to)
        elif hit.kind is HitKind.SHOW_ALL:
            view.expand(message.id)
        elif hit.kind is HitKind.CALL and message.call is not None:
            view.call_pressed.emit(message.call.id)
        elif hit.kind is HitKind.RECORDING and message.call is not None:
            view.recording_pressed.emit(message.call.id, int(hit.value))
        elif hit.kind is HitKind.COPY_CODE:
            view.copy_text(hit.value)

    def _extend_to(self, point: QPointF) -> None:
        place = self._place(point)
        if place is not None:
            self._view.selection.extend(*place)
            self._view.viewport().update()

    def _auto_scroll(self) -> None:
        """Scroll while a selection is dragged beyond an edge."""
        if self._pointer is None or self._pressed is None:
            self._auto.stop()
            return
        below = self._pointer.y() - self._view.viewport().height()
        self._view.scroll_by(round(max(-60, min(60, below if below > 0 else self._pointer.y()))))
        self._extend_to(self._pointer)

    def _place(self, point: QPointF) -> tuple[EntryId, int] | None:
        """The message and the position in its text nearest to a point."""
        visible = self._view.placement.visible
        if not visible:
            return None
        placed = self._view.placed_at(point.y())
        if placed is None:
            placed = visible[0] if point.y() < visible[0].top else visible[-1]
        row = placed.row
        if row.body is None:
            return row.message.id, 0
        inner = QPointF(point.x(), point.y() - placed.top) - row.body_at
        if inner.y() < 0:
            return row.message.id, 0
        if inner.y() > row.body.height:
            return row.message.id, END
        layout = row.body.document.documentLayout()
        return row.message.id, max(0, layout.hitTest(inner, Qt.HitTestAccuracy.FuzzyHit))

    def _tool_tip(self, event: QHelpEvent) -> bool:
        point = QPointF(event.pos())
        act = self.bar.act_at(point) if self.bar is not None else None
        hit = self._hit_at(point)
        words = act_name(act) if act is not None else self._link_at(point)
        if not words and hit is not None:
            words = hit.tip
        if words:
            QToolTip.showText(event.globalPos(), plain_tip(words), self._view.viewport())
        else:
            QToolTip.hideText()
        return True

    # --- acts ---------------------------------------------------------------------------------

    def _do_on_bar(self, act: Act, message: EntryId) -> None:
        if act is Act.MORE and self.bar is not None:
            corner = self._view.viewport().mapToGlobal(self.bar.box.bottomLeft())
            self.open_menu(message, corner)
        else:
            self.do(act, message)

    def do(self, act: Act, message: EntryId) -> None:
        """Tell the presenter what somebody wants done (or do it here: copying)."""
        view = self._view
        if act is Act.COPY:
            index = view.model.index_of(message)
            if index is not None:
                copied = view.model[index]
                view.copy_text(calm(view.wording.words(copied, view.live(copied))))
        elif act is Act.REACT:
            view.react_more.emit(message, self._react_point(message))
        else:
            signal = {
                Act.REPLY: view.reply,
                Act.THREAD: view.open_thread,
                Act.EDIT: view.edit,
                Act.DELETE: view.delete,
            }[act]
            signal.emit(message)

    def _react_point(self, message: EntryId) -> QPoint:
        placed = self._view.placed(message)
        local = QPoint(80, round(placed.top + placed.row.band_top) if placed is not None else 0)
        if self.bar is not None and message == self._hovered:
            local = self.bar.box.bottomLeft()
        return self._view.viewport().mapToGlobal(local)

    def _open_menu_at(self, point: QPointF, where: QPoint) -> None:
        placed = self._view.placed_at(point.y())
        if placed is not None:
            self.open_menu(placed.row.message.id, where)

    def open_menu(self, message: EntryId, where: QPoint) -> None:
        """Offer the acts of a message at a global point."""
        index = self._view.model.index_of(message)
        if index is None:
            return
        offered = self._offered(self._view.model[index])
        items = [
            MenuItem(
                act_name(act),
                lambda act=act: self.do(act, message),  # type: ignore[misc]
                act.value,
                danger=act is Act.DELETE,
            )
            for act in Act
            if act in offered
        ]
        if not items:
            return
        menu = build_menu(self._view, self._view.theme, items)
        self._menu_open = True
        menu.aboutToHide.connect(self._menu_closed)
        menu.popup(where)

    def _menu_closed(self) -> None:
        self._menu_open = False
