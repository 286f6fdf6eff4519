"""Where calls stand in the main window: loads `ui.call` when the first one is there, not before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.ids import ConversationId
from folkmoot.services.call_values import Call, CallId
from folkmoot.services.events import Event
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.feed import Feed
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.emoji import EmojiList

if TYPE_CHECKING:
    from folkmoot.ui.call.desk import Desk
    from folkmoot.ui.timeline.callwords import LiveCall
    from folkmoot.ui.timeline.view import TimelineView


_MINUTE_MS = 30_000


class CallGate(QObject):
    """Hands what concerns calls to the desk, which it makes when it is first needed."""

    opened = Signal(bytes)
    """A conversation that should be shown."""
    link_pressed = Signal(str)
    moment_wanted = Signal(bytes, object, str)
    """A conversation, a time in it (milliseconds), and words that were said about then."""

    def __init__(
        self,
        view: MainView,
        shell: Shell,
        theme: Theme,
        model: WindowModel,
        feed: Feed,
        bridge: Bridge,
        drafting: Drafting,
        emoji: EmojiList,
        current: Callable[[], ConversationId | None],
    ) -> None:
        super().__init__()
        self._parts = (view, shell, theme, model, bridge, drafting, emoji)
        self._model = model
        self._current = current
        self._desk: Desk | None = None
        model.call_changed.connect(self._follow)
        feed.call_event.connect(self._take)
        feed.message_event.connect(self._take_message)
        feed.reloaded.connect(self._reloaded)
        view.header.call_pressed.connect(self._start)
        view.header.running_pressed.connect(self._join)
        self._timelines: list[TimelineView] = []
        self.attend(view.conversation.timeline)
        self._minute = QTimer(view)  # goes with what it writes on
        self._minute.setInterval(_MINUTE_MS)
        self._minute.timeout.connect(self._show_live)
        shell.closing.connect(self._close)
        shell.activated.connect(self._activated)

    def attend(self, timeline: TimelineView) -> None:
        """Let the cards in a timeline say what runs, and their buttons act."""
        self._timelines.append(timeline)
        timeline.call_pressed.connect(lambda call: self._press_card(timeline, call))
        timeline.recording_pressed.connect(
            lambda call, began: self.desk.library.play_of(CallId(call), began)
        )
        timeline.destroyed.connect(lambda: self._timelines.remove(timeline))
        if self._model.calls:
            timeline.set_live_calls(self._live())

    @property
    def desk(self) -> Desk:
        """The desk, made now if it was not."""
        if self._desk is None:
            from folkmoot.ui.call.desk import Desk  # not before the first call

            self._desk = Desk(*self._parts)
            self._desk.opened.connect(self.opened)
            self._desk.link_pressed.connect(self.link_pressed)
            self._desk.moment_wanted.connect(self.moment_wanted)
            self._desk.chat_made.connect(self.attend)
        return self._desk

    @property
    def ring_control(self) -> QWidget | None:
        """Where the keyboard answers who rings longest."""
        cards = self._desk.rings.cards if self._desk is not None else {}
        return next((card.voice for card in cards.values() if card.isVisible()), None)

    @property
    def is_loaded(self) -> bool:
        """Whether there was a call, or a question about one."""
        return self._desk is not None

    def _press_card(self, timeline: TimelineView, call: bytes) -> None:
        """The card of a call in the timeline: join or show it; call again when it is over."""
        if CallId(call) in self._model.calls:
            self.desk.join_or_show(CallId(call))
            return
        card = next((m for m in timeline.model.rows if m.call and m.call.id == call), None)
        if card is not None and card.call is not None:
            self.desk.start(card.conversation, video=card.call.video)

    def _follow(self, call: Call) -> None:
        self.desk.follow(call)
        self._show_live()

    def _show_live(self) -> None:
        """Cards of calls that run say who is there and since when."""
        live = self._live()
        for timeline in self._timelines:
            timeline.set_live_calls(live)
        if live and not self._minute.isActive():
            self._minute.start()
        elif not live:
            self._minute.stop()

    def _live(self) -> dict[bytes, LiveCall]:
        from folkmoot.ui.call.state import live_call  # not before the first call

        return {bytes(c.id): live_call(c, time.time()) for c in self._model.calls.values()}

    def _take(self, event: Event) -> None:
        if self._desk is not None:
            self._desk.take(event)

    def _reloaded(self) -> None:
        if self._desk is not None:
            self._desk.library.refresh()

    def _take_message(self, event: Event) -> None:
        if self._desk is not None:
            self._desk.take_message(event)

    def _start(self, video: bool) -> None:
        conversation = self._current()
        if conversation is not None:
            self.desk.start(conversation, video=video)

    def _join(self) -> None:
        conversation = self._current()
        call = self.desk.call_in(conversation) if conversation is not None else None
        if call is not None:
            self.desk.join_or_show(call.id)

    def _close(self) -> None:
        if self._desk is not None:
            self._desk.close()

    def _activated(self, active: bool) -> None:
        if self._desk is not None and active:
            self._desk.came_forward()
