"""Decides in the right pane: which thread or list of members is open beside the conversation."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.events import Event
from folkmoot.services.values import Conversation, ConversationKind, Message
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.conversation.presenter import ConversationPresenter
from folkmoot.ui.main.members import member_states
from folkmoot.ui.main.right_pane import RightPane
from folkmoot.ui.main.state import place_words
from folkmoot.ui.main.view import MainView
from folkmoot.ui.model import WindowModel
from folkmoot.ui.widgets.emoji import EmojiList


class Beside(QObject):
    """Works the right pane, which is made when it is first needed."""

    closed = Signal()
    invite_wanted = Signal()
    person_chosen = Signal(bytes)
    person_menu_wanted = Signal(bytes, QPoint)
    link_pressed = Signal(str)
    thread_made = Signal(object)
    """The timeline of the thread, once there is one."""

    def __init__(
        self,
        view: MainView,
        model: WindowModel,
        bridge: Bridge,
        drafting: Drafting,
        emoji: EmojiList,
    ) -> None:
        super().__init__()
        self._view = view
        self._model = model
        self._bridge = bridge
        self._drafting = drafting
        self._emoji = emoji
        self._pane: RightPane | None = None
        self.replies: ConversationPresenter | None = None
        self._team: ConversationId | None = None
        self._persons: tuple[PersonId, ...] = ()
        model.members_changed.connect(lambda _: self._show_members())
        model.presence_changed.connect(self._show_members)
        model.peers_changed.connect(self._show_members)

    @property
    def shows_members(self) -> bool:
        """Whether the list of members is open."""
        return self._pane is not None and self._pane.shows_members

    def open_thread(self, message: Message) -> None:
        """Open the thread that a message begins or belongs to."""
        conversation = self._model.conversations.get(message.conversation)
        if conversation is None:
            return
        pane, thread = self._make()
        root = message.thread or message.id
        name = place_words(self._model, conversation)

        def shown() -> None:
            pane.show_thread(name)
            self._view.set_right_open(True)
            pane.replies.composer.set_placeholder(self.tr("Reply"))
            in_channel = conversation.kind is ConversationKind.CHANNEL
            words = (
                self.tr("Also send to {channel}").format(channel=name)
                if in_channel
                else self.tr("Also send to the conversation")
            )
            pane.replies.composer.also.setText(words.replace("&", "&&"))
            pane.replies.composer.setFocus()
            self.closed.emit()

        thread.open((conversation.id, root), unread=False, make_empty=QWidget, shown=shown)

    def toggle_members(self, conversation: Conversation, team: ConversationId | None) -> None:
        """Open or close the list of members."""
        pane, thread = self._make()
        if pane.shows_members:
            self.close()
            return
        thread.close()
        self._team = team
        self._persons = conversation.participants
        pane.members.invite.setVisible(conversation.kind is ConversationKind.CHANNEL)
        pane.show_members(place_words(self._model, conversation))
        self._view.set_right_open(True)
        self._show_members()

    def close(self) -> None:
        """Close the pane."""
        if self._pane is None or self.replies is None:
            return
        was_open = self._pane.shows_members or self._pane.shows_thread
        self.replies.close()
        self._view.set_right_open(False)
        if was_open:
            self._view.conversation.composer.setFocus()
            self.closed.emit()

    def leave_for(self, conversation: Conversation) -> None:
        """Another conversation is opened: what belongs to the one before goes.

        The list of a channel stays for another channel of the team, under its name."""
        if self._pane is None:
            return
        is_channel = conversation.kind is ConversationKind.CHANNEL
        stays = is_channel and not self._persons and conversation.team == self._team
        if self._pane.shows_members and stays:
            self._pane.show_members(place_words(self._model, conversation))
        elif self._pane.shows_members or self._pane.shows_thread:
            self.close()

    def take(self, event: Event) -> None:
        """Follow an event in the thread."""
        if self.replies is not None:
            self.replies.take(event)

    def refresh(self) -> None:
        """Events were lost."""
        if self.replies is not None and self.replies.place is not None:
            self.replies.refresh()

    def _make(self) -> tuple[RightPane, ConversationPresenter]:
        if self._pane is None or self.replies is None:
            self._pane = pane = self._view.right
            pane.closed.connect(self.close)
            pane.members.invite_wanted.connect(self.invite_wanted)
            pane.members.chosen.connect(self.person_chosen)
            pane.members.menu_wanted.connect(self.person_menu_wanted)
            self.replies = ConversationPresenter(
                pane.replies, self._model, self._bridge, self._drafting, self._emoji
            )
            self.replies.link_pressed.connect(self.link_pressed)
            self.thread_made.emit(pane.replies.timeline)
        return self._pane, self.replies

    def _show_members(self) -> None:
        if self._pane is None or self._team is None or not self._pane.shows_members:
            return
        members = member_states(self._model, self._team)
        if self._persons:
            members = [m for m in members if m.person in self._persons]
        self._pane.members.show_members(members)
