"""The window over a node: what a person does with mouse and keyboard, and what she then sees."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import Draft
from folkmoot.storage.first_page import read_first_page
from folkmoot.ui import bridge
from folkmoot.ui.conversation import drafting
from folkmoot.ui.conversation.editor import PASTE_LIMIT
from folkmoot.ui.main.first import build_main
from folkmoot.ui.theme.theme import Theme
from ui.conftest import end_session
from ui.town import Person
from ui.window import Open, Window


def paste(window: Window, text: str) -> None:
    """Paste into the composer."""
    editor = window.main.view.conversation.composer.editor
    editor.setFocus()
    QGuiApplication.clipboard().setText(text)
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def types(person: Person, place: ConversationId) -> bool:
    """Somebody presses a key. They go on: what a link loses of that is not sent again."""
    person.look(lambda node: node.presence.typing(place, None, True))
    return True


def test_what_is_written_stands_in_both_timelines_and_leaves_the_composer(
    window: Window, mara: Person
) -> None:
    window.write("Hello")
    assert window.texts() == ["Hello"]
    assert not window.main.view.conversation.is_empty
    window.until(lambda: mara.reads("general") == ["Hello"])


def test_a_text_that_finds_the_disk_full_stays_with_words_until_it_can_be_stored(
    window: Window, elin: Person, mara: Person
) -> None:
    text = ("word " * 3000).strip()
    elin.fill_disk()
    paste(window, text)
    window.press(Qt.Key.Key_Return)
    window.until(lambda: "The disk is full" in window.said())
    assert window.composed() == text
    window.until(lambda: "The disk is full" in window.notices())
    elin.free_disk()
    window.press(Qt.Key.Key_Return)
    window.until(lambda: window.texts() == [text])
    window.until(lambda: window.composed() == "")
    window.until(lambda: window.notices() == "")
    window.until(lambda: mara.reads("general") == [text])


def test_two_lines_are_one_message_with_shift_return(window: Window) -> None:
    editor = window.main.view.conversation.composer.editor
    window.type("one", editor)
    window.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    window.type("two\n", editor)
    window.until(lambda: window.texts() == ["one\ntwo"])


def test_up_in_an_empty_composer_edits_the_last_own_message(window: Window, mara: Person) -> None:
    window.write("Helo")
    window.press(Qt.Key.Key_Up)
    assert window.composed() == "Helo"
    window.press(Qt.Key.Key_Backspace)
    window.type("lo\n")
    window.until(lambda: window.texts() == ["Hello"])
    window.until(lambda: window.composed() == "")
    assert window.message("Hello").edited
    window.until(lambda: mara.reads("general") == ["Hello"])


def test_escape_drops_an_edit_and_brings_the_draft_back(window: Window) -> None:
    window.write("Hello")
    window.press(Qt.Key.Key_Up)
    window.type(" there")
    window.press(Qt.Key.Key_Escape)
    assert window.composed() == ""
    assert window.texts() == ["Hello"]


def test_what_others_write_in_the_open_conversation_is_read_and_elsewhere_counted(
    window: Window, elin: Person, mara: Person
) -> None:
    mara.write("general", "Here")
    mara.write("shipping", "There")
    window.until(lambda: window.texts() == ["Here"])
    window.until(lambda: elin.conversation("general").unread == 0)
    row = window.row("shipping")
    window.until(lambda: row.row.unread == 1)
    assert "1 unread" in row.accessibleName()
    window.click(row)
    window.until(lambda: window.texts() == ["There"])
    window.until(lambda: "New" in window.painted())
    window.until(lambda: row.row.unread == 0)


def test_a_draft_belongs_to_its_place_and_is_saved_within_a_second(
    window: Window, elin: Person
) -> None:
    general = elin.conversation("general").id
    window.type("half a thou", window.main.view.conversation.composer.editor)
    saved = [Draft(general, None, "half a thou")]
    assert drafting.SAVE_MS < 1000
    window.until(lambda: elin.do(lambda node: node.drafts.all()) == saved)
    window.press(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    window.until_open("#shipping")
    assert window.composed() == ""
    window.until(lambda: window.row("general").row.draft)
    window.press(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    window.until(lambda: window.composed() == "half a thou")


@pytest.mark.timeout(60)
def test_more_than_a_message_holds_is_refused_with_words_and_without_a_pause(
    window: Window,
) -> None:
    paste(window, "word " * (PASTE_LIMIT // 5 + 1))  # a little too much: red before it can hang
    assert window.composed() == ""
    began = time.thread_time()
    paste(window, "x" * 10_000_000)
    assert time.thread_time() - began < 0.5
    assert window.composed() == ""
    assert "10000000" in window.said().replace(",", "")


def test_a_text_beyond_the_limit_says_so_and_is_not_sent(window: Window) -> None:
    paste(window, "word " * 6_500)
    assert "Too long" in window.said()
    window.press(Qt.Key.Key_Return)
    window.press(Qt.Key.Key_Backspace)
    assert window.texts() == []


def test_f6_walks_the_regions_and_comes_round(window: Window) -> None:
    window.write("Hello")
    view = window.main.view
    seen: list[str] = []
    for _ in range(4):
        window.press(Qt.Key.Key_F6)
        focus = QApplication.focusWidget()
        assert focus is not None
        regions = (view.side_bar, view.header, view.conversation.timeline)
        seen.append(
            next((r.accessibleName() for r in regions if r is focus or r.isAncestorOf(focus)), "")
        )
    assert seen == ["Side bar", "Conversation", "Messages", ""]
    assert view.conversation.composer.editor.hasFocus()


def test_a_narrow_window_folds_the_side_bar_and_a_button_opens_it(window: Window) -> None:
    view = window.main.view
    window.shell.resize(500, 700)
    window.until(lambda: not view.side_bar.isVisible())
    window.click(view.header.fold)
    assert view.side_bar.isVisible()
    window.press(Qt.Key.Key_Escape)
    window.until(lambda: not view.side_bar.isVisible())
    window.shell.resize(1000, 700)
    window.until(view.side_bar.isVisible)


def test_below_900_pixels_the_right_pane_covers_and_the_timeline_keeps_its_width(
    window: Window,
) -> None:
    view = window.main.view
    window.shell.resize(800, 700)
    before = view.conversation.width()
    window.click(view.header.members)
    assert view.conversation.width() == before
    window.shell.resize(1200, 700)
    window.until(lambda: view.conversation.width() == 1200 - 252 - 330)


def test_the_first_frame_has_the_text_of_the_last_conversation(
    open_window: Open, elin: Person, mara: Person, team: ConversationId, theme: Theme
) -> None:
    shipping = elin.conversation("shipping").id
    elin.write("shipping", "Written before")
    elin.do(lambda node: node.drafts.save(Draft(shipping, None, "half")))
    elin.do(lambda node: node.settings.set("window.conversation", shipping.hex()))
    first = read_first_page(elin.path)
    assert first is not None
    view = build_main(theme, first)
    assert [m.text for m in view.conversation.timeline.model.rows] == ["Written before"]
    assert view.conversation.composer.text() == "half"
    window = open_window(elin, first=first)
    window.until(lambda: window.main.conversation == shipping)
    assert window.composed() == "half"
    mara.write("shipping", "And now")
    window.until(lambda: window.texts() == ["Written before", "And now"])


def test_a_conversation_chosen_before_the_node_answered_stays_chosen(
    open_window: Open,
    elin: Person,
    mara: Person,
    team: ConversationId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mara.write("general", "Unread")
    elin.until(lambda: elin.conversation("general").unread)
    first = read_first_page(elin.path)
    chosen, answered = asyncio.Event(), asyncio.Event()
    listed, page = elin.node.conversations.list, elin.node.messages.page

    async def list_later() -> object:
        await chosen.wait()
        return await listed()

    async def page_later(*given: Any, **named: Any) -> object:
        await answered.wait()
        return await page(*given, **named)

    monkeypatch.setattr(elin.node.conversations, "list", list_later)
    monkeypatch.setattr(elin.node.messages, "page", page_later)
    window = open_window(elin, first=first, loaded=False)
    window.click(window.row("shipping"))
    elin.town.loop.call_soon_threadsafe(chosen.set)
    window.until(lambda: window.session.model.identity is not None)
    elin.town.loop.call_soon_threadsafe(answered.set)
    window.until_open("#shipping")
    assert window.texts() == []


def test_a_second_team_brings_the_rail(window: Window, elin: Person) -> None:
    assert not window.main.view.rail.isVisible()
    window.click(window.main.view.side_bar.team)
    window.choose("Start or join another team")
    window.until(window.start_view.welcome.name.hasFocus)
    window.press(Qt.Key.Key_Return)
    window.type("Workshop\n")
    window.until_open("#general – Workshop")
    assert window.main.view.rail.isVisible()
    buttons = window.main.view.rail.findChildren(QPushButton)
    window.click(next(b for b in buttons if b.accessibleName() == "Harbour Studio"))
    window.until_open("#general – Harbour Studio")


def test_a_window_that_lost_events_reads_everything_anew(
    window: Window, elin: Person, mara: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.write("Hello")
    texts = [f"Missed {number}" for number in range(8)]
    monkeypatch.setattr(bridge, "LIMIT", 3)
    for text in texts:
        mara.write("general", text)
    elin.until(lambda: len(elin.reads("general")) == 9)
    assert window.texts() == ["Hello"]
    window.until(lambda: window.texts() == ["Hello", *texts])


def test_every_control_of_the_window_has_a_name(window: Window) -> None:
    window.click(window.main.view.header.members)
    nameless = [
        type(w).__name__
        for w in window.shell.findChildren(QPushButton)
        if w.isVisible() and not (w.accessibleName() or w.text())
    ]
    assert nameless == []


def test_who_types_is_named_until_the_message_comes(window: Window, mara: Person) -> None:
    general = mara.conversation("general").id
    typing = window.main.view.conversation.typing
    window.until(lambda: types(mara, general) and typing.text() == "Mara is typing")
    mara.write("general", "Here I am")
    window.until(lambda: typing.text() == "")


def test_a_message_sent_just_before_the_window_closes_is_no_draft_as_well(
    window: Window, elin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = threading.Event(), asyncio.Event()
    post = elin.node.messages.post

    async def post_when_told(*given: Any) -> object:
        asked.set()
        await go.wait()
        return await post(*given)

    monkeypatch.setattr(elin.node.messages, "post", post_when_told)
    window.type("Sent\n", window.main.view.conversation.composer.editor)
    window.until(asked.is_set)
    elin.town.loop.call_soon_threadsafe(go.set)
    elin.until(lambda: elin.reads("general") == ["Sent"])  # of which the window has not heard
    end_session(window)
    elin.start(alone=True)
    assert elin.reads("general") == ["Sent"]
    assert elin.do(lambda node: node.drafts.all()) == []


def test_a_window_that_closes_leaves_no_task_behind(
    window: Window, elin: Person, caplog: pytest.LogCaptureFixture
) -> None:
    window.type("Sent\n", window.main.view.conversation.composer.editor)
    window.click(window.row("shipping"))
    end_session(window)
    del window
    gc.collect()
    assert [r.getMessage() for r in caplog.records if r.name == "asyncio"] == []


def test_a_late_message_is_read_once_it_was_shown_in_the_active_window(
    window: Window, elin: Person, mara: Person
) -> None:
    mara.close()
    mara.start(alone=True)
    mara.write("general", "Early, from the train")
    mara.close()
    window.write("Later")
    mara.start()
    window.until(lambda: window.texts() == ["Early, from the train", "Later"])
    window.until(lambda: elin.conversation("general").unread == 0)
    window.until(lambda: window.row("general").row.unread == 0)


def test_a_late_message_out_of_sight_stays_unread_until_one_scrolls_there(
    window: Window, elin: Person, mara: Person
) -> None:
    mara.close()
    mara.start(alone=True)
    mara.write("general", "Early, from the train")
    mara.close()
    for number in range(40):
        elin.write("general", f"Line {number}\nand one more")
    window.until(lambda: len(window.texts()) == 40)
    mara.start()
    window.until(lambda: len(window.texts()) == 41)
    window.until(lambda: window.row("general").row.unread == 1)
    window.type("a while", window.main.view.conversation.composer.editor)
    window.until(lambda: elin.do(lambda node: node.drafts.all()))
    assert elin.conversation("general").unread == 1
    window.timeline.setFocus()
    window.press(Qt.Key.Key_Home)
    window.until(lambda: window.timeline.placement.visible[0].index == 0)
    window.until(lambda: not window.timeline._unseen)
    window.press(Qt.Key.Key_End)
    window.until(lambda: window.row("general").row.unread == 0)


def test_markup_of_others_is_shown_as_the_text_it_is(
    window: Window, elin: Person, mara: Person, team: ConversationId
) -> None:
    name, topic = "<b>Mara</b><img src=x>", "<h1>Loud</h1> & more"
    mara.do(lambda node: node.identity.rename(name))
    made = mara.do(lambda node: node.conversations.create_channel(team, "<i>ship</i>", topic))
    channel = made.id
    mara.write("<i>ship</i>", "<script>alert(1)</script>")
    window.until(lambda: [r for r in window.main.view.side_bar.rows if r.row.name == "<i>ship</i>"])
    window.click(window.row("<i>ship</i>"))
    window.until(lambda: window.texts() == ["<script>alert(1)</script>"])
    window.until(lambda: name in window.painted())
    header = window.main.view.header
    window.until(lambda: header.topic.accessibleName() == f"Topic: {topic}")
    window.click(header.members)
    window.until(lambda: name in [m.name for m in window.session.model.members[team]])
    typing = window.main.view.conversation.typing
    window.until(lambda: types(mara, channel) and typing.text() == "<b>Mara</b><img is typing")
    rich = [
        label.text()
        for label in window.shell.findChildren(QLabel)
        if label.textFormat() != Qt.TextFormat.PlainText and label.text()
    ]
    assert rich == []
    tips = [w.toolTip() for w in window.shell.findChildren(QWidget)]
    assert [tip for tip in tips if "<b>" in tip or "<h1>" in tip] == []
