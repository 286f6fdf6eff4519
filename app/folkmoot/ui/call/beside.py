"""Decides beside the stage: people, chat or statistics; one at a time, each made when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.services import events as told
from folkmoot.services.call_values import Call, Participant, PeerStats
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.call.absent import absent_members
from folkmoot.ui.call.panel import Panel
from folkmoot.ui.call.people import PeopleList
from folkmoot.ui.call.plots import History, StatsPage
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.conversation.pane import ConversationPane
from folkmoot.ui.conversation.presenter import ConversationPresenter
from folkmoot.ui.main import empty
from folkmoot.ui.main.state import place_words
from folkmoot.ui.timeline.layout import Mode
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.widgets.emoji import EmojiList

if TYPE_CHECKING:
    from folkmoot.ui.call.room import Room


class BesideStage(QObject):
    """Works the panel of a room."""

    changed = Signal()
    link_pressed = Signal(str)
    chat_made = Signal(object)
    """The timeline of the chat, once there is one."""

    def __init__(self, room: Room, bridge: Bridge, drafting: Drafting, emoji: EmojiList) -> None:
        super().__init__(room)
        self._room = room
        self._bridge = bridge
        self._drafting = drafting
        self._emoji = emoji
        self._history = History()
        self.people: PeopleList | None = None
        self.stats: StatsPage | None = None
        self.chat: ConversationPresenter | None = None
        self._people_panel: Panel | None = None
        self._stats_panel: Panel | None = None
        self._chat_panel: Panel | None = None

    @property
    def shows_chat(self) -> bool:
        """Whether the chat is open."""
        return self._chat_panel is not None and self._room.window.panel is self._chat_panel

    @property
    def shows_people(self) -> bool:
        """Whether the list of participants is open."""
        return self._people_panel is not None and self._room.window.panel is self._people_panel

    @property
    def shows_stats(self) -> bool:
        """Whether the statistics are open."""
        return self._stats_panel is not None and self._room.window.panel is self._stats_panel

    def toggle_people(self) -> None:
        """Open or close the list of participants."""
        if self.shows_people:
            self.close()
            return
        if self._people_panel is None:
            self.people = people = PeopleList(self._room.theme)
            people.volume_changed.connect(self._room.acts.set_volume)
            people.act_wanted.connect(self._room.acts.act)
            people.absent.ring_wanted.connect(self._room.acts.ring)
            self._room.model.presence_changed.connect(self._show_absent)
            self._room.model.members_changed.connect(self._show_absent)
            self._people_panel = self._wrap(self.tr("People"), people)
        self._open(self._people_panel)
        self.show_call(self._room.call)
        self._people_panel.take_focus()

    def open_people(self) -> None:
        """The list of participants, if it is not there."""
        if not self.shows_people:
            self.toggle_people()

    def ask_end(self) -> None:
        """End for all, after one more press: the question stands among the people."""
        self.open_people()
        assert self.people is not None
        self.people.ask_end()

    def toggle_stats(self) -> None:
        """Open or close the figures."""
        if self.shows_stats:
            self.close()
            return
        if self._stats_panel is None:
            self.stats = StatsPage(self._room.theme)
            self._stats_panel = self._wrap(self.tr("Statistics"), self.stats)
        self._open(self._stats_panel)
        self._show_stats()
        self._stats_panel.take_focus()

    def toggle_chat(self) -> None:
        """Open or close the conversation of the call."""
        if self.shows_chat:
            self.close()
            return
        room = self._room
        if self.chat is None:
            pane = ConversationPane(room.theme, TimelineModel(), Mode.THREAD)
            pane.composer.also.hide()
            self.chat = ConversationPresenter(
                pane, room.model, self._bridge, self._drafting, self._emoji
            )
            self.chat.link_pressed.connect(self.link_pressed)
            self.chat_made.emit(pane.timeline)
            self._chat_panel = self._wrap(self.tr("Chat"), pane)
            room.theme.changed.connect(self._colour_chat)
        conversation = room.model.conversations.get(room.call.conversation)
        if conversation is None or self._chat_panel is None:
            return
        words = place_words(room.model, conversation)
        pane = self.chat.pane
        pane.composer.set_placeholder(self.tr("Message {place}").format(place=words))
        self._open(self._chat_panel)
        self._colour_chat()

        def shown() -> None:
            pane.composer.also.hide()
            pane.composer.editor.setFocus()

        self.chat.open(
            (conversation.id, None),
            unread=conversation.unread > 0,
            make_empty=lambda: empty.fresh_direct(room.theme, words),
            shown=shown,
        )

    def _colour_chat(self) -> None:
        if self.chat is not None and not self._room.is_over:
            self._room.theme.colour_ground(self.chat.pane.timeline)

    def close(self) -> None:
        """Nothing stands beside the stage."""
        if self.shows_chat and self.chat is not None:
            self.chat.close()
        self._room.window.show_panel(None)
        self.changed.emit()

    def show_call(self, call: Call) -> None:
        """The call as it is now."""
        if self.people is not None and self.shows_people:
            self.people.show_call(call)
            self._show_absent()

    def _show_absent(self) -> None:
        if self.people is not None and self.shows_people:
            self.people.absent.show_members(absent_members(self._room.model, self._room.call))

    def show_speaking(self, speaking: set[bytes]) -> None:
        """Who speaks (devices)."""
        if self.people is not None and self.shows_people:
            self.people.show_speaking(speaking)

    def take_stats(self, rows: tuple[PeerStats, ...]) -> None:
        """Figures of one second; kept for the plots also while they are not shown."""
        self._history.take(rows)
        if self.shows_stats:
            self._show_stats()

    def take_message(self, event: told.Event) -> None:
        """A message event, for the chat."""
        if self.chat is not None and self.chat.place is not None:
            self.chat.take(event)

    def _show_stats(self) -> None:
        if self.stats is not None:
            who: dict[bytes, Participant] = {
                bytes(p.device): p for p in self._room.call.participants if p.device
            }
            self.stats.show_history(self._history, {d: p.name for d, p in who.items()})

    def _open(self, panel: Panel) -> None:
        if self.shows_chat and self.chat is not None:
            self.chat.close()
        self._room.window.show_panel(panel)
        self.changed.emit()

    def _wrap(self, title: str, content: QWidget) -> Panel:
        panel = Panel(title, content, self._room.theme)
        panel.hide()
        panel.closed.connect(self.close)
        return panel
