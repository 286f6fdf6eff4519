"""Shows a conversation where it was at a time: the way back from a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.shell import Shell

if TYPE_CHECKING:
    from folkmoot.ui.main.presenter import MainPresenter

_BEFORE, _SCAN = 20, 200
"""Messages that are looked through for the words of a chapter: clocks of two computers differ, and
pauses are not in a recording."""


class Moments:
    """The jumps of one main window."""

    def __init__(self, main: MainPresenter, shell: Shell, bridge: Bridge) -> None:
        self._main = main
        self._shell = shell
        self._bridge = bridge

    def show(self, conversation: bytes, at_ms: int, said: str = "") -> None:
        """Bring the main window forward with a conversation, at a time (milliseconds).

        `said`: the words of a chapter, as ``Mara: look at this``; found from then on.
        """
        id_ = ConversationId(conversation)
        self._shell.come_forward()
        self._main.open_conversation(
            id_, lambda: self._bridge.run(self._jump(id_, at_ms, said), "ui: show a moment")
        )

    async def _jump(self, id_: ConversationId, at_ms: int, said: str) -> None:
        pane = self._main.view.conversation
        try:
            message = await self._bridge.ask(lambda node: message_at(node, id_, at_ms, said))
        except FolkmootError as error:
            pane.composer.say(str(error), bad=True)
            return
        if message is not None and self._main.conversation == id_:
            pane.timeline.show_message(message)


async def message_at(
    node: Node, conversation: ConversationId, at_ms: int, said: str = ""
) -> EntryId | None:
    """The first message at `at_ms` or after it that fits `said`, or the first there, or the last;
    None where nothing is.

    Halves the list: some fifteen questions for a year of talk.
    """
    low, high = 0, (await node.messages.page(conversation, limit=1)).total
    while low < high:
        middle = (low + high) // 2
        page = await node.messages.page(conversation, ordinal=middle, limit=1)
        if page.messages and page.messages[0].order.wall_ms >= at_ms:
            high = middle
        else:
            low = middle + 1
    if said:
        first = max(0, low - _BEFORE)
        page = await node.messages.page(conversation, ordinal=first, limit=_SCAN)
        for message in page.messages:
            if fits(f"{message.author_name}: {message.text}", said):
                return message.id
    page = await node.messages.page(conversation, ordinal=low, limit=1)
    return page.messages[-1].id if page.messages else None


def fits(message: str, said: str) -> bool:
    """Whether a message is the one that a chapter has the beginning of."""
    words, wanted = " ".join(message.split()), " ".join(said.split())
    return words == wanted or (wanted.endswith("…") and words.startswith(wanted[:-1]))
