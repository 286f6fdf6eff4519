"""Decides in one place where people write: what is shown, what is read, what becomes of a message.

One works the channel, another the thread beside it. Writing is in `writing`; this is reading.
"""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable

from PySide6.QtCore import QCoreApplication, QObject, QPoint, QRect, QSize, Signal
from PySide6.QtWidgets import QWidget

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import EntryId
from folkmoot.services.events import Event, MessageChanged, MessageCreated, MessagesArrived
from folkmoot.services.values import Message
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.conversation.pane import ConversationPane
from folkmoot.ui.conversation.shelf import Shelf
from folkmoot.ui.conversation.writing import Writing
from folkmoot.ui.facade import Node
from folkmoot.ui.model import Place, WindowModel
from folkmoot.ui.timeline.layout import Mode
from folkmoot.ui.widgets.emoji import EmojiList
from folkmoot.ui.widgets.emoji_picker import open_emoji_picker


def _tr(text: str) -> str:
    return QCoreApplication.translate("Conversation", text)


class ConversationPresenter(QObject):
    """Works a `ConversationPane`."""

    thread_wanted = Signal(object)
    """A `Message`: open its thread."""
    link_pressed = Signal(str)
    """An address in a message; nothing is opened before somebody agreed."""

    def __init__(
        self,
        pane: ConversationPane,
        model: WindowModel,
        bridge: Bridge,
        drafting: Drafting,
        emoji: EmojiList,
    ) -> None:
        super().__init__()
        self.pane = pane
        self.place: Place | None = None
        self._model = model
        self._bridge = bridge
        self._shelf = Shelf(bridge)
        self._shelf.failed.connect(self._say_error)
        self.writing = Writing(pane, model, bridge, drafting)
        self._emoji = emoji
        self._deleting: EntryId | None = None
        self._make_empty: Callable[[], QWidget] | None = None
        self._wanted: Place | None = None
        self._shown: tuple[Place, int] | None = None
        self._marked: tuple[Place, int] | None = None
        self._connect()

    def _connect(self) -> None:
        timeline = self.pane.timeline
        timeline.react.connect(self._react)
        timeline.react_more.connect(self._pick_reaction)
        timeline.reply.connect(lambda id_: self._with(id_, self.writing.reply_to))
        timeline.edit.connect(lambda id_: self._with(id_, self.writing.edit))
        timeline.delete.connect(lambda id_: self._with(id_, self._ask_delete))
        timeline.open_thread.connect(lambda id_: self._with(id_, self.thread_wanted.emit))
        timeline.read_to.connect(self._read_to)
        timeline.link_activated.connect(self.link_pressed)
        timeline.message_wanted.connect(self._load_around)
        self.pane.confirmation.confirmed.connect(self._delete)
        self.pane.confirmation.dropped.connect(self._keep)
        self.pane.composer.emoji_wanted.connect(self._pick_emoji)
        self.writing.said.connect(timeline.jump_to_latest)
        self._model.typing_changed.connect(self._show_typing)
        self._model.conversations_changed.connect(self._mark_read)

    # --- opening

    def adopt(self, place: Place, make_empty: Callable[[], QWidget]) -> None:
        """Take over what the first frame shows."""
        self.place = self._wanted = place
        self._make_empty = make_empty
        self._shelf.keep(place, self.pane.timeline.model)
        self.writing.open(place)
        self._show_whether_empty()

    def open(
        self,
        place: Place,
        *,
        unread: bool,
        make_empty: Callable[[], QWidget],
        shown: Callable[[], None] = lambda: None,
    ) -> None:
        """Show a place; what is there stays until its text can be drawn, then `shown` is called."""
        self._wanted = place
        held = None if unread else self._shelf.find(place)
        if held is not None:
            self._show(place, make_empty, shown)
            return

        async def read() -> None:
            try:
                await self._shelf.read(place, unread=unread)
            except FolkmootError as error:
                self._say_error(error)
                return
            if self._wanted == place:
                self._show(place, make_empty, shown)

        self._bridge.run(read(), "ui: open a conversation")

    def _show(
        self, place: Place, make_empty: Callable[[], QWidget], shown: Callable[[], None]
    ) -> None:
        self._keep()
        model = self._shelf.find(place) or self._shelf.peek(place)
        self._make_empty = make_empty
        if model is not None and self.pane.timeline.model is not model:
            self.pane.timeline.set_model(model)
        if self.place != place:
            self.place = place
            self.writing.open(place)
        self._show_whether_empty()
        self._show_typing()
        shown()

    def close(self) -> None:
        """Nothing is shown here any more."""
        self.writing.leave()
        self.place = self._wanted = None

    def refresh(self) -> None:
        """Events were lost: read what is shown anew."""
        self._shelf.forget_truth()
        if self.place is not None and self._make_empty is not None:
            self.open(self.place, unread=False, make_empty=self._make_empty)

    def take(self, event: Event) -> None:
        """Follow an event."""
        self._shelf.take(event)
        if isinstance(event, (MessageCreated, MessageChanged, MessagesArrived)):
            self._show_whether_empty()

    def _show_whether_empty(self) -> None:
        if self.pane.mode is Mode.THREAD or self._make_empty is None:
            return
        empty = not len(self.pane.timeline.model)
        if empty and not self.pane.is_empty:
            self.pane.show_empty(self._make_empty())
        elif not empty and self.pane.is_empty:
            self.pane.show_empty(None)

    def renew_empty(self, make_empty: Callable[[], QWidget]) -> None:
        """Another empty state fits now (somebody joined)."""
        self._make_empty = make_empty
        if self.pane.is_empty:
            self.pane.show_empty(make_empty())

    # --- reading

    def _read_to(self, newest: Message) -> None:
        """The end was shown: what came up to `newest` has been read."""
        if self.place is not None:
            self._shown = (self.place, newest.arrival)
            self._mark_read()

    def _mark_read(self) -> None:
        """Tell what has been read once it counts as unread: that may be told after it was drawn."""
        if self._shown is None or self._shown == self._marked or self._shown[0] != self.place:
            return
        (conversation, thread), arrival = self._shown
        known = self._model.conversations.get(conversation)
        if thread is None and known is not None and not known.unread:
            return
        self._marked = self._shown

        async def mark(node: Node) -> None:
            await node.conversations.mark_read(conversation, arrival, thread)

        self._bridge.tell(mark)

    def _load_around(self, message: EntryId) -> None:
        if self.place is not None:
            self._bridge.run(self._shelf.show(self.place, message), "ui: show a message")

    def _show_typing(self) -> None:
        typing = self._model.typing.get(self.place, {}) if self.place else {}
        names = [self._model.name_of(person) or name for person, name in typing.items()]
        names = [name for name in names if name]
        words = {
            0: "",
            1: _tr("{a} is typing"),
            2: _tr("{a} and {b} are typing"),
        }.get(len(names), _tr("Several people are typing"))
        a, b = (*[name.split()[0] if name.split() else name for name in names], "", "")[:2]
        self.pane.say_typing(words.format(a=a, b=b))

    # --- acts on a message

    def _with(self, id_: EntryId, act: Callable[[Message], None]) -> None:
        index = self.pane.timeline.model.index_of(id_)
        if index is not None:
            act(self.pane.timeline.model[index])

    def _react(self, message: EntryId, emoji: str, on: bool) -> None:
        async def react(node: Node) -> object:
            return await node.messages.react(message, emoji, on)

        self._bridge.run(self._try(react), "ui: react")

    def _pick_reaction(self, message: EntryId, at: QPoint) -> None:
        _, picker = open_emoji_picker(
            self.pane, self.pane.theme, self._emoji, QRect(at, QSize(1, 1))
        )
        picker.chosen.connect(lambda emoji: self._react(message, emoji, True))

    def _pick_emoji(self, beside: QRect) -> None:
        _, picker = open_emoji_picker(self.pane, self.pane.theme, self._emoji, beside)
        editor = self.pane.composer.editor
        picker.chosen.connect(editor.insertPlainText)

    def _ask_delete(self, message: Message) -> None:
        self._deleting = message.id
        said = self.pane.timeline.wording.words(message)
        start = textwrap.shorten(said, 40, placeholder="…")
        words = _tr("Delete “{text}” for everyone?")
        self.pane.confirmation.ask(words.format(text=start))

    def _keep(self) -> None:
        if self._deleting is not None:
            self._deleting = None
            self.pane.confirmation.hide()
            self.pane.composer.editor.setFocus()

    def _delete(self) -> None:
        message = self._deleting
        self._keep()
        if message is None:
            return

        async def delete(node: Node) -> object:
            return await node.messages.delete(message)

        self._bridge.run(self._try(delete), "ui: delete")

    async def _try(self, act: Callable[[Node], Awaitable[object]]) -> None:
        try:
            await self._bridge.ask(act)
        except FolkmootError as error:
            self._say_error(error)

    def _say_error(self, error: FolkmootError) -> None:
        self.pane.composer.say(str(error), bad=True)
