"""The painted timeline: one widget that lays out, draws and scrolls only what is visible.

It decides nothing about messages: acts leave as signals with ids, pages are asked for through the
model, which acts may be offered is the presenter's answer. Input is in `interaction` and `keys`,
placement in `placement`. Peer text is only ever drawn from documents that `documents` made.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.accessible import install_accessibility
from folkmoot.ui.timeline.callwords import LiveCall
from folkmoot.ui.timeline.documents import Body, DocumentCache
from folkmoot.ui.timeline.ends import UNITS, LatestPill, show_on_bar
from folkmoot.ui.timeline.highlight import Highlighter
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.interaction import Interaction
from folkmoot.ui.timeline.keys import Keys
from folkmoot.ui.timeline.layout import Context, HitKind, Mode, Row, RowBuilder
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.paint import RowPainter
from folkmoot.ui.timeline.placement import Placed, Placement
from folkmoot.ui.timeline.selection import Selection, selected_text
from folkmoot.ui.timeline.wording import Wording

_NEAR = 24
"""Rows left at an edge of the window when more are asked for."""
_ROWS = 600
_MINUTE_MS = 60_000
_JUMP_DELAY_MS = 60
_FLASH_MS = 1_500


def _own_acts(message: Message) -> frozenset[Act]:
    """What is offered when nobody says otherwise."""
    offered = {Act.REACT, Act.REPLY, Act.THREAD, Act.COPY}
    if message.mine:
        offered |= {Act.DELETE} if message.call is not None else {Act.EDIT, Act.DELETE}
    return frozenset(offered)


class TimelineView(QAbstractScrollArea):
    """Shows a `TimelineModel`. Signals carry the id of the message that they are about."""

    react = Signal(object, str, bool)
    """Message, emoji, on."""
    react_more = Signal(object, QPoint)
    """Message, global point where a picker may open."""
    reply = Signal(object)
    edit = Signal(object)
    delete = Signal(object)
    open_thread = Signal(object)
    read_to = Signal(object)
    """The `Message` that came last of those shown, once the end is on screen in the active window.
    What came late, above what is on screen, counts from when it is drawn."""
    link_activated = Signal(str)
    """An address that somebody wants opened: show it whole and ask first."""
    link_hovered = Signal(str)
    message_wanted = Signal(object)
    """A message that is not held and should be shown: load around it, then `show_page`."""
    copied = Signal()
    call_pressed = Signal(object)
    """The id of a call (bytes) whose button was pressed: join it, open it or call again."""
    recording_pressed = Signal(object, object)
    """The id of a call (bytes), and when one's own recording of it began (milliseconds)."""

    def __init__(
        self,
        model: TimelineModel,
        theme: Theme,
        *,
        mode: Mode = Mode.CHANNEL,
        actions_for: Callable[[Message], frozenset[Act]] = _own_acts,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.mode = mode
        self.model = model
        self.actions_for = actions_for
        self.wording = Wording()
        self.highlighter = Highlighter(self)
        self.highlighter.ready.connect(self._restyle)
        self.documents = DocumentCache(theme, self.highlighter, _ROWS)
        self._rows: OrderedDict[EntryId, Row] = OrderedDict()
        self._expanded: set[EntryId] = set()
        self._live: dict[bytes, LiveCall] = {}
        context = Context(
            theme, self.documents, self.wording, mode, now_ms, self._find, self._live.get
        )
        self._builder = RowBuilder(context)
        self._painter = RowPainter(theme, mode)
        self.placement = Placement(lambda: len(self.model), self.row_at)
        self.placement.from_top = mode is Mode.THREAD
        self.selection = Selection(lambda message: self.model.index_of(message))
        self._below = 0
        self._read: tuple[EntryId, int, int] | None = None
        self._unseen: set[EntryId] = set()
        self._flashed: EntryId | None = None
        self._goal: EntryId | int | None = None
        self._wants_end = True
        self.interaction = Interaction(self)
        self.keys = Keys(self)
        self._build()
        self._connect_model()
        install_accessibility()

    def _build(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.setAutoFillBackground(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Messages"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().setAccessibleName(self.tr("Scroll messages"))
        self.verticalScrollBar().valueChanged.connect(self._bar_moved)
        self.latest = LatestPill(self.theme, self.wording, self.viewport())
        self.latest.clicked.connect(self.jump_to_latest)
        self._jump_timer = QTimer(self, singleShot=True, interval=_JUMP_DELAY_MS)
        self._jump_timer.timeout.connect(self._jump_far)
        self._flash_timer = QTimer(self, singleShot=True, interval=_FLASH_MS)
        self._flash_timer.timeout.connect(self._end_flash)
        self._clock = QTimer(self, interval=_MINUTE_MS)
        self._clock.timeout.connect(self._refresh_times)
        self.theme.changed.connect(self._restyle)

    def _connect_model(self) -> None:
        self.model.was_reset.connect(self._on_reset)
        self.model.inserted.connect(self._on_inserted)
        self.model.removed.connect(self._on_removed)
        self.model.changed.connect(self._on_changed)
        self.model.moved_on.connect(self._on_moved_on)

    def set_model(self, model: TimelineModel) -> None:
        """Show another list (another conversation); what is held is drawn in the next frame."""
        self.model.disconnect(self)
        self.model = model
        self._connect_model()
        self._on_reset()

    # --- rows ---------------------------------------------------------------------------------

    def row_at(self, index: int) -> Row:
        """The laid out row at an index of the model."""
        message = self.model[index]
        width = self.viewport().width()
        found = self._rows.get(message.id)
        if found is not None and found.width == width:
            self._rows.move_to_end(message.id)
            return found
        before = self.model[index - 1] if index else None
        row = self._builder.build(
            message,
            before,
            width,
            unread_begins=message.id == self.model.first_unread,
            newest_own=message.id == self.model.newest_own,
            expanded=message.id in self._expanded,
            root=self.mode is Mode.THREAD and index == 0 and self.model.first_ordinal == 0,
        )
        self._rows[message.id] = row
        if len(self._rows) > _ROWS:
            self._rows.popitem(last=False)
        return row

    def body_at(self, index: int) -> Body | None:
        """The laid out text of the row at an index."""
        return self.row_at(index).body

    def placed_at(self, y: float) -> Placed | None:
        """The visible row at a height of the viewport."""
        return next((p for p in self.placement.visible if p.top <= y < p.bottom), None)

    def placed(self, message: EntryId | None) -> Placed | None:
        """Where a message is drawn; None when it is not visible."""
        return next((p for p in self.placement.visible if p.row.message.id == message), None)

    def expand(self, message: EntryId) -> None:
        """Show a long text whole; its first line stays where it is."""
        self._expanded.add(message)
        index = self.model.index_of(message)
        if index is not None:
            self._change(index, follow=False)

    def set_live_calls(self, calls: Mapping[bytes, LiveCall]) -> None:
        """Which calls run now, by their id, in whatever conversation; no height changes."""
        changed = {
            call for call in {*self._live, *calls} if self._live.get(call) != calls.get(call)
        }
        self._live.clear()
        self._live.update(calls)
        stale = [
            key
            for key, row in self._rows.items()
            if row.message.call is not None and row.message.call.id in changed
        ]
        if stale:
            self._hold()
            for key in stale:
                self._rows.pop(key)
            self._place_again(follow=self._is_at_end())

    def live(self, message: Message) -> LiveCall | None:
        """How the call of a message runs now; None when it does not, or is none."""
        return self._live.get(message.call.id) if message.call is not None else None

    def press_call(self, index: int) -> bool:
        """Press what the row at an index has of a call: its button, else Play; False for none."""
        call, hits = self.model[index].call, self.row_at(index).hits
        if call is None:
            return False
        if any(hit.kind is HitKind.CALL for hit in hits):
            self.call_pressed.emit(call.id)
            return True
        play = next((hit for hit in hits if hit.kind is HitKind.RECORDING), None)
        if play is not None:
            self.recording_pressed.emit(call.id, int(play.value))
        return play is not None

    def _find(self, message: EntryId) -> Message | None:
        index = self.model.index_of(message)
        return self.model[index] if index is not None else None

    # --- what the model says ------------------------------------------------------------------

    def _on_reset(self) -> None:
        self._rows.clear()
        self._expanded.clear()
        self._unseen.clear()
        self.selection.clear()
        self.interaction.reset()
        self.keys.reset()
        self._below = 0
        goal, self._goal = self._goal, None
        to_end, self._wants_end = self._wants_end, False
        unread = self.model.first_unread
        self.placement.height = self.viewport().height()
        if isinstance(goal, bytes) and (index := self.model.index_of(goal)) is not None:
            self._centre(index)
        elif isinstance(goal, int) and 0 <= goal - self.model.first_ordinal < len(self.model):
            self.placement.put(goal - self.model.first_ordinal, 0)
        elif (
            not to_end and unread is not None and (index := self.model.index_of(unread)) is not None
        ):
            self.placement.put(index, self.viewport().height() // 4)
        elif self.mode is Mode.THREAD and not to_end:
            self.placement.put(0, 0)
        else:
            self.placement.to_end()
        self._settled()

    def _on_inserted(self, index: int, count: int) -> None:
        at_end = self._is_at_end()
        if count == 1 and index + 1 < len(self.model) and not self.model[index].mine:
            self._unseen.add(self.model[index].id)
        follow = at_end and index + count == len(self.model) and not self.interaction.is_busy
        self._hold()
        for number in range(index, min(index + count + 1, len(self.model))):
            self._rows.pop(self.model[number].id, None)
        self.placement.shift(index, count)
        if index + count == len(self.model) and index and not follow:
            self._below += sum(not m.mine for m in self.model.rows[index : index + count])
        self._place_again(follow=follow)

    def _on_removed(self, index: int, count: int) -> None:
        at_end = self._is_at_end()
        self._hold()
        if index < len(self.model):
            self._rows.pop(self.model[index].id, None)
        self.placement.shift(index, -count)
        self._place_again(follow=at_end)

    def _on_changed(self, index: int) -> None:
        self._change(index, follow=self._is_at_end())

    def _change(self, index: int, *, follow: bool) -> None:
        self._hold()
        changed = self.model[index].id
        stale = [key for key, row in self._rows.items() if row.message.reply_to == changed]
        stale.append(changed)
        if index + 1 < len(self.model):
            stale.append(self.model[index + 1].id)
        for key in stale:
            self._rows.pop(key, None)
        self._place_again(follow=follow)

    def _on_moved_on(self, newer: int) -> None:
        self._below += newer
        self._settled()

    def _hold(self) -> None:
        """Before a change: what is under the pointer stays there, else what is read at the top."""
        self.placement.hold()
        if self.interaction.hovered is not None:
            self.placement.hold(self.interaction.hovered)

    def _place_again(self, *, follow: bool) -> None:
        if follow:
            self.placement.to_end()
        else:
            self.placement.settle()
        self._settled()

    # --- moving -------------------------------------------------------------------------------

    def scroll_by(self, pixels: int) -> None:
        """Move by pixels, towards newer messages when positive."""
        self.placement.scroll(pixels)
        self._settled()

    def jump_to_latest(self) -> None:
        """Show the newest message."""
        if self.model.has_newer:
            self._wants_end = True
            self.model.jump_wanted.emit(-1)
            return
        self.placement.to_end()
        self._settled()

    def jump_to_first(self) -> None:
        """Show the oldest message."""
        if self.model.has_older:
            self._goal = 0
            self.model.jump_wanted.emit(0)
            return
        if len(self.model):
            self.placement.put(0, 0)
        self._settled()

    def show_message(self, message: EntryId) -> None:
        """Show a message in the middle and mark it for a moment; load it if it is not held."""
        self._flashed = message
        self._flash_timer.start()
        index = self.model.index_of(message)
        if index is None:
            self._goal = message
            self.message_wanted.emit(message)
            return
        self._centre(index)
        self._settled()

    def reveal(self, index: int) -> None:
        """Scroll as little as needed to show a row."""
        self.placement.reveal(index)
        self._settled()

    def _centre(self, index: int) -> None:
        row = self.row_at(index)
        self.placement.put(index, max(0, (self.viewport().height() - round(row.height)) // 2))

    def _bar_moved(self, value: int) -> None:
        bar = self.verticalScrollBar()
        ordinal, part = divmod(value, UNITS)
        index = ordinal - self.model.first_ordinal
        if value >= bar.maximum() and not self.model.has_newer:
            self.placement.to_end()
        elif 0 <= index < len(self.model):
            self.placement.put(index, -round(self.row_at(index).height * part / UNITS))
        else:
            self._goal = min(ordinal, max(self.model.total - 1, 0))
            self._jump_timer.start()
            return
        self._jump_timer.stop()
        self._settled(move_bar=bar.isSliderDown() is False)

    def _jump_far(self) -> None:
        if isinstance(self._goal, int):
            self.model.jump_wanted.emit(self._goal)

    def _is_at_end(self) -> bool:
        return self.placement.at_end and not self.model.has_newer

    def _settled(self, *, move_bar: bool = True) -> None:
        """After every change of place: bar, pill, requests for more, repaint."""
        visible, at_end = self.placement.visible, self._is_at_end()
        if at_end:
            self._below = 0
        if move_bar:
            show_on_bar(self.verticalScrollBar(), self.placement, self.model, at_end=at_end)
        if at_end or not visible:
            self.latest.hide()
        else:
            self.latest.offer(self._below)
        if visible:
            if visible[0].index < _NEAR:
                self.model.want_older()
            if visible[-1].index >= len(self.model) - _NEAR:
                self.model.want_newer()
        self.interaction.follow()
        self.viewport().update()

    # --- drawing ------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the visible rows that the dirty rectangle touches, then the hover bar."""
        painter = QPainter(self.viewport())
        dirty = event.rect()
        painter.fillRect(dirty, self.theme.colour("panel"))
        ratio = self.devicePixelRatioF()
        hovered = self.interaction.hovered_index()
        focused = self.keys.focused_index()
        for placed in self.placement.visible:
            if placed.bottom < dirty.top() or placed.top > dirty.bottom():
                continue
            self._painter.paint(
                painter,
                placed.row,
                placed.top,
                hovered=placed.index == hovered,
                focused=placed.index == focused,
                flashed=placed.row.message.id == self._flashed,
                on_call=placed.index == hovered and self.interaction.on_call,
                selection=self.selection.range_in(placed.index),
                ratio=ratio,
            )
        bar = self.interaction.bar
        if bar is not None:
            bar.paint(painter, self.theme, self.interaction.hot_act, ratio)
        self._tell_read()

    def _tell_read(self) -> None:
        """The end is on screen in the active window: everything is read that was to be seen."""
        if not len(self.model) or not self.isActiveWindow():
            return
        self._unseen.difference_update(p.row.message.id for p in self.placement.visible)
        now = (self.model[len(self.model) - 1].id, len(self.model), len(self._unseen))
        if now == self._read or not self._is_at_end():
            return
        self._read = now
        seen = [m for m in self.model.rows if m.id not in self._unseen]
        newest = max(seen, key=lambda message: message.arrival)
        QTimer.singleShot(0, self, lambda: self.read_to.emit(newest))

    def _restyle(self) -> None:
        self.documents.clear()
        self._rows.clear()
        self._painter.refresh()
        self.placement.settle()
        self._settled()

    def _refresh_times(self) -> None:
        """Once a minute "20 minutes ago" and "Today" are written anew; no height changes."""
        if self.isVisible():
            self._hold()
            self._rows.clear()
            self._place_again(follow=self._is_at_end())

    def _end_flash(self) -> None:
        self._flashed = None
        self.viewport().update()

    # --- Qt's events --------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the end at the end, and otherwise the first read line where it is."""
        super().resizeEvent(event)
        at_end = self._is_at_end()
        self.placement.height = self.viewport().height()
        self._place_again(follow=at_end and self.mode is Mode.CHANNEL)

    def showEvent(self, event: QShowEvent) -> None:
        """Start the clock; warm up what the first emoji would cost."""
        super().showEvent(event)
        self._clock.start()
        QTimer.singleShot(300, self, self._warm)

    def _warm(self) -> None:
        picture = self.theme.pixmap("smile", "mute").copy()
        painter = QPainter(picture)
        painter.setFont(self.theme.font(TextStyle.BODY))
        painter.drawText(QRect(0, 0, 16, 16), 0, "👍")
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys are for `keys`; what means nothing there goes on to the window."""
        if not self.keys.key(event):
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keyboard's focus begins at the last visible message."""
        super().focusInEvent(event)
        self.keys.focus_in(event.reason())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The focus mark goes."""
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:
        """Pointer events go to the interaction, the rest to Qt. In a window that became active,
        what is on screen is read now."""
        if event.type() == QEvent.Type.WindowActivate:
            self.viewport().update()
        return self.interaction.viewport_event(event) or super().viewportEvent(event)

    # --- copying ------------------------------------------------------------------------------

    def copy_selection(self) -> bool:
        """Put the selected words on the clipboard; False when nothing is selected."""
        if self.selection.is_empty:
            return False
        text = selected_text(self.selection, self.model.rows, self.body_at, self.wording.copied)
        self.copy_text(text)
        return True

    def copy_text(self, text: str) -> None:
        """Put plain text on the clipboard and tell."""
        QGuiApplication.clipboard().setText(text)
        self.copied.emit()
