"""What is typed, sent or told while an answer of the node is on its way is not undone by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from folkmoot.domain.ids import ConversationId
from folkmoot.services.events import Event, Gap, MessageCreated, MessagesArrived
from folkmoot.services.values import Draft, FirstPage
from folkmoot.storage.first_page import read_first_page
from folkmoot.ui.shell import Shell
from ui.town import Person
from ui.window import Open, Window


class Late:
    """Pages that are read at once and answered late: after `answer`, and what was told by then."""

    def __init__(self, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
        self._person = person
        self._answer = asyncio.Event()
        self._page = person.node.messages.page
        self.was_read = threading.Event()
        self.read = asyncio.Event()
        self.asked = 0
        monkeypatch.setattr(person.node.messages, "page", self._late)

    async def _late(self, *given: Any, **named: Any) -> object:
        self.asked += 1
        page = await self._page(*given, **named)
        self.was_read.set()
        self.read.set()
        await self._answer.wait()
        return page

    def answer(self) -> None:
        """Let the answers go."""
        self._person.town.loop.call_soon_threadsafe(self._answer.set)


def _left_with_a_draft(elin: Person) -> FirstPage:
    """Elin's window was left in #general with half a sentence."""
    general = elin.conversation("general").id
    elin.write("general", "Before")
    elin.do(lambda node: node.drafts.save(Draft(general, None, "Half a sentence")))
    elin.do(lambda node: node.settings.set("window.conversation", general.hex()))
    first = read_first_page(elin.path)
    assert first is not None
    return first


def _keys(text: str) -> Callable[[Shell], None]:
    """Types where the system window has its keyboard, as a person does."""

    def press(shell: Shell) -> None:
        for letter in text:
            code = Qt.Key.Key_Return if letter == "\n" else Qt.Key(ord(letter.upper()))
            QTest.keyClick(shell.windowHandle(), code)

    return press


def _tell(person: Person, event: Event) -> None:
    """The node tells its window something."""

    async def tell(node: Any) -> None:
        node.events.publish(event)

    person.do(tell)


def test_what_was_typed_and_sent_before_the_window_was_composed_stands_in_the_timeline(
    open_window: Open, elin: Person, team: ConversationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _left_with_a_draft(elin)
    late = Late(elin, monkeypatch)
    post = elin.node.messages.post

    async def post_after_the_page_was_read(*given: Any) -> object:
        await late.read.wait()
        return await post(*given)

    monkeypatch.setattr(elin.node.messages, "post", post_after_the_page_was_read)
    window = open_window(elin, first=first, loaded=False, early=_keys(" goes on\n"))
    window.until(lambda: window.texts() == ["Before", "Half a sentence goes on"])
    window.until(lambda: window.composed() == "")
    late.answer()
    window.until(lambda: not window.session.bridge._tasks)
    assert window.texts() == ["Before", "Half a sentence goes on"]
    assert window.timeline.model.total == 2


def test_what_is_typed_before_the_first_answer_is_the_draft_that_is_saved(
    open_window: Open, elin: Person, team: ConversationId
) -> None:
    first = _left_with_a_draft(elin)
    window = open_window(elin, first=first, early=_keys(" goes on"))
    assert window.composed() == "Half a sentence goes on"
    saved = "Half a sentence goes on"
    window.until(lambda: [d.text for d in elin.do(lambda node: node.drafts.all())] == [saved])
    window.click(window.row("shipping"))
    window.until_open("#shipping")
    window.click(window.row("general"))
    window.until_open("#general")
    assert window.composed() == saved


def test_a_draft_that_is_emptied_before_the_first_answer_is_no_draft(
    open_window: Open, elin: Person, team: ConversationId, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _left_with_a_draft(elin)
    go = asyncio.Event()
    read = elin.node.drafts.all

    async def read_late() -> list[Draft]:
        found = await read()
        await go.wait()
        return found

    monkeypatch.setattr(elin.node.drafts, "all", read_late)
    window = open_window(elin, first=first, loaded=False)
    window.until(window.main.view.conversation.composer.editor.hasFocus)
    window.press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.press(Qt.Key.Key_Delete)
    window.until(lambda: not elin.do(lambda _node: read()))
    elin.town.loop.call_soon_threadsafe(go.set)
    window.until(lambda: window.session.model.identity is not None)
    assert window.session.model.drafts == {}


def test_what_changes_while_a_page_is_on_its_way_reads_as_it_does_now(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("One", "Two", "Three"):
        window.write(text)
    late = Late(elin, monkeypatch)
    _tell(elin, Gap())
    window.until(late.was_read.is_set)
    one, two = window.message("One").id, window.message("Two").id
    elin.do(lambda node: node.messages.edit(one, "First"))
    elin.do(lambda node: node.messages.delete(two))
    window.until(lambda: window.texts() == ["First", "Three"])
    late.answer()
    window.until(lambda: not window.session.bridge._tasks)
    assert window.texts() == ["First", "Three"]
    assert window.timeline.model.total == 2


def test_what_is_sent_while_the_timeline_catches_up_stays_in_its_numbers(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.write("One")
    late = Late(elin, monkeypatch)
    _tell(elin, MessagesArrived(elin.conversation("general").id, 1))
    window.until(late.was_read.is_set)
    window.write("Two")
    one = window.message("One").id
    elin.do(lambda node: node.messages.edit(one, "First"))
    window.until(lambda: window.texts() == ["First", "Two"])
    late.answer()
    window.until(lambda: not window.session.bridge._tasks)
    assert window.texts() == ["First", "Two"]
    assert window.timeline.model.total == 2


def test_what_is_written_while_newer_messages_are_on_their_way_is_shown_after_them(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("One", "Two", "Three"):
        window.write(text)
    general, three = elin.conversation("general").id, window.message("Three").id
    page = elin.do(lambda node: node.messages.page(general, before=three))
    late = Late(elin, monkeypatch)
    window.timeline.model.show_page(page)
    window.timeline.model.want_newer()
    window.until(late.was_read.is_set)
    elin.write("general", "Four")
    window.until(lambda: window.timeline.model.total == 4)
    late.answer()
    window.until(lambda: window.texts() == ["One", "Two", "Three", "Four"])
    assert window.timeline.model.total == 4


def test_what_is_edited_while_older_messages_are_on_their_way_reads_as_it_does_now(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("One", "Two"):
        window.write(text)
    general, one, two = elin.conversation("general").id, *(m.id for m in window.timeline.model.rows)
    page = elin.do(lambda node: node.messages.page(general, after=one))
    late = Late(elin, monkeypatch)
    window.timeline.model.show_page(page)
    assert window.timeline.model[0].id == two
    window.timeline.model.want_older()
    window.until(late.was_read.is_set)
    elin.do(lambda node: node.messages.edit(one, "First"))
    elin.write("general", "Three")
    window.until(lambda: window.texts() == ["Two", "Three"])
    late.answer()
    window.until(lambda: window.texts() == ["First", "Two", "Three"])
    assert window.timeline.model.total == 3


def test_what_arrives_in_lots_while_the_first_is_taken_in_is_all_there(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.write("One")
    publish = elin.node.events.publish

    def publish_in_lots(event: Event) -> None:
        if isinstance(event, MessageCreated):
            event = MessagesArrived(event.message.conversation, 1)
        publish(event)

    monkeypatch.setattr(elin.node.events, "publish", publish_in_lots)
    late = Late(elin, monkeypatch)
    heard: list[Event] = []
    window.session.feed.message_event.connect(heard.append)
    elin.write("general", "Two")
    window.until(late.was_read.is_set)
    elin.write("general", "Three")
    window.until(lambda: len([e for e in heard if isinstance(e, MessagesArrived)]) == 2)
    assert late.asked == 1, "the second lot waits for the answer about the first"
    late.answer()
    window.until(lambda: window.texts() == ["One", "Two", "Three"])
    assert window.timeline.model.total == 3
