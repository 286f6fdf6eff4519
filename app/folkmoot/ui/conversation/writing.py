"""Decides in the composer: sending, editing, replying, drafts, limits, telling that one types.

The text leaves the composer only after its commit: a failure leaves it there, with words.
"""

from __future__ import annotations

import contextlib
import time

from PySide6.QtCore import QCoreApplication, QLocale, QObject, Signal

from folkmoot.domain.entry import MAX_BODY_BYTES
from folkmoot.domain.errors import FolkmootError
from folkmoot.services.values import Draft, Message
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.conversation.composer import About
from folkmoot.ui.conversation.drafting import Drafting
from folkmoot.ui.conversation.pane import ConversationPane
from folkmoot.ui.facade import Node
from folkmoot.ui.model import Place, WindowModel
from folkmoot.ui.timeline.layout import Mode

TEXT_LIMIT = MAX_BODY_BYTES - 1024
"""Bytes of text; the rest of a body is for salt, ids and mentions."""
_NEAR = 4 * 1024
_TYPING_EVERY_S = 3.0


def _tr(text: str) -> str:
    return QCoreApplication.translate("Conversation", text)


class Writing(QObject):
    """Works the composer of a pane."""

    said = Signal()
    """A message was stored: show the end."""

    def __init__(
        self, pane: ConversationPane, model: WindowModel, bridge: Bridge, drafting: Drafting
    ) -> None:
        super().__init__()
        self._pane = pane
        self._composer = pane.composer
        self._model = model
        self._bridge = bridge
        self._drafting = drafting
        self._place: Place | None = None
        self._about = About.NEW
        self._target: Message | None = None
        self._sending = False
        self._again = False
        self._typing_told_s = 0.0
        self._loading = False
        self._composer.sent.connect(self.send)
        self._composer.changed.connect(self._changed)
        self._composer.about_dropped.connect(self.drop_about)
        self._composer.last_wanted.connect(self._edit_last)
        self._composer.paste_refused.connect(self._refuse_paste)

    def open(self, place: Place) -> None:
        """Write in another place from now on."""
        self.leave()
        self._place = place
        self._put(self._drafting.of(place))
        self._composer.also.setVisible(self._pane.mode is Mode.THREAD)
        self._composer.also.setChecked(False)
        self._say_room()

    def leave(self) -> None:
        """The place is left: its draft is saved, an edit is dropped."""
        if self._place is None:
            return
        self.drop_about()
        self._stop_typing()
        self._drafting.save()
        self._place = None

    # --- what the text is about

    def reply_to(self, message: Message) -> None:
        """The text answers a message."""
        self.drop_about()
        self._target, self._about = message, About.REPLY
        start = " ".join(self._pane.timeline.wording.words(message).split())[:120]
        words = _tr("Reply to {name}: {text}").format(name=message.author_name, text=start)
        self._composer.show_about(About.REPLY, words)
        self._composer.editor.setFocus()

    def edit(self, message: Message) -> None:
        """The text of one's own message is changed; the draft waits."""
        if not message.mine or message.deleted or message.call is not None:
            return
        self.drop_about()
        self._target, self._about = message, About.EDIT
        self._put(message.text)
        self._composer.show_about(About.EDIT, _tr("Editing your message"))
        self._composer.editor.setFocus()

    def drop_about(self) -> None:
        """A new message again; after an edit the draft is back."""
        was, self._about, self._target = self._about, About.NEW, None
        self._composer.show_about(About.NEW, "")
        if was is About.EDIT and self._place is not None:
            self._put(self._drafting.of(self._place))

    def _edit_last(self) -> None:
        rows = self._pane.timeline.model.rows
        own = (m for m in reversed(rows) if m.mine and not m.deleted and m.call is None)
        mine = next(own, None)
        if mine is not None:
            self.edit(mine)

    # --- typing

    def _changed(self) -> None:
        if self._loading or self._place is None:
            return
        text = self._composer.text()
        if self._about is not About.EDIT:
            self._drafting.note(self._place, text)
        self._say_room()
        self._tell_typing(bool(text.strip()))

    def _tell_typing(self, on: bool) -> None:
        now = time.monotonic()
        if not on:
            self._stop_typing()
        elif now - self._typing_told_s >= _TYPING_EVERY_S and self._about is not About.EDIT:
            self._typing_told_s = now
            self._send_typing(True)

    def _stop_typing(self) -> None:
        if self._typing_told_s:
            self._typing_told_s = 0.0
            self._send_typing(False)

    def _send_typing(self, on: bool) -> None:
        if self._place is None:
            return
        conversation, thread = self._place

        async def tell(node: Node) -> None:
            node.presence.typing(conversation, thread, on)

        self._bridge.tell(tell)

    def _put(self, text: str) -> None:
        self._loading = True
        self._composer.put(text)
        self._loading = False
        self._say_room()

    # --- limits

    def _left(self) -> int:
        return TEXT_LIMIT - len(self._composer.text().encode("utf-8", "replace"))

    def _say_room(self) -> None:
        left = self._left()
        number = QLocale().toString(abs(left))
        if left < 0:
            words = _tr("Too long for one message by {n} bytes. Split it, or cut it down.")
            self._composer.say(words.format(n=number), bad=True)
        elif left < _NEAR:
            self._composer.say(_tr("Room for {n} more bytes in this message.").format(n=number))
        else:
            self._composer.say("")

    def _refuse_paste(self, characters: int) -> None:
        words = _tr(
            "Nothing was pasted: {n} characters are too many for a message, which holds about "
            "{most}. Paste a part of it."
        )
        most, number = QLocale().toString(TEXT_LIMIT), QLocale().toString(characters)
        self._composer.say(words.format(n=number, most=most), bad=True)

    # --- sending

    def send(self) -> None:
        """Store the text; until that is done it stays where it is."""
        text = self._composer.text().strip()
        if self._place is None or not text or self._left() < 0:
            return
        if self._sending:
            self._again = True
            return
        self._sending = True
        work = self._save(text) if self._about is About.EDIT else self._post(text)
        self._bridge.run(work, "ui: send")

    async def _post(self, text: str) -> None:
        place, target = self._place, self._target
        assert place is not None
        also = self._pane.mode is Mode.THREAD and self._composer.also.isChecked()
        reply = target.id if target is not None else None

        async def post(node: Node) -> None:
            """Who closes the window now shall not find the sent text as a draft."""
            await node.messages.post(place[0], text, place[1], reply, also)
            with contextlib.suppress(FolkmootError):  # the text is stored: it must leave here
                await node.drafts.save(Draft(*place, ""))

        stored = self._bridge.ask(post, whole=True)
        self._drafting.save()  # before the draft is taken away, and not again after that
        try:
            await stored
        except FolkmootError as error:
            self._sending = self._again = False
            self._composer.say(str(error), bad=True)
            return
        self._take_out(place, text)
        self.said.emit()
        self._sending = False
        if self._again:
            self._again = False
            self.send()

    def _take_out(self, place: Place, text: str) -> None:
        """What was stored leaves the composer; what was typed meanwhile stays."""
        self._stop_typing()
        if place != self._place:
            self._drafting.note(place, "")
        else:
            typed = self._composer.text().lstrip()
            rest = typed[len(text) :].lstrip("\n") if typed.startswith(text) else ""
            self._about, self._target = About.NEW, None
            self._composer.show_about(About.NEW, "")
            self._composer.also.setChecked(False)
            self._put(rest)
            self._drafting.note(place, rest)
        self._drafting.save()

    async def _save(self, text: str) -> None:
        target = self._target
        assert target is not None

        async def edit(node: Node) -> Message:
            return await node.messages.edit(target.id, text)

        try:
            await self._bridge.ask(edit)
        except FolkmootError as error:
            self._composer.say(str(error), bad=True)
        else:
            if self._target is target:
                self.drop_about()
        finally:
            self._sending = self._again = False
