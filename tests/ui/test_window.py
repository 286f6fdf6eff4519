"""The window over a node: what a person does with mouse and keyboard, and what she then sees."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services import events as told
from folkmoot.services.values import Draft, FirstPage, JoinRequest, Typing
from folkmoot.ui.main.first import build_main
from folkmoot.ui.theme.theme import Theme
from ui.fake_node import FakeNode, key
from ui.window import Open, Window, conversation


def test_what_is_written_stands_in_the_timeline_and_leaves_the_composer(window: Window) -> None:
    window.write("Hello")
    assert window.texts() == ["Hello"]
    assert not window.main.view.conversation.is_empty


def test_a_text_that_could_not_be_stored_stays_with_words(window: Window, fake: FakeNode) -> None:
    fake.fail = EnvironmentFault("disk_full", "The disk is full.", "Free some space.")
    composer = window.main.view.conversation.composer
    window.type("Hello\n", composer.editor)
    window.until(lambda: "The disk is full." in composer.state.text())
    assert composer.text() == "Hello"
    fake.fail = None
    window.press(Qt.Key.Key_Return)
    window.until(lambda: window.texts() == ["Hello"])
    window.until(lambda: composer.text() == "")


def test_two_lines_are_one_message_with_shift_return(window: Window) -> None:
    editor = window.main.view.conversation.composer.editor
    window.type("one", editor)
    window.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    window.type("two\n", editor)
    window.until(lambda: window.texts() == ["one\ntwo"])


def test_up_in_an_empty_composer_edits_the_last_own_message(window: Window) -> None:
    window.write("Helo")
    composer = window.main.view.conversation.composer
    window.press(Qt.Key.Key_Up)
    assert composer.text() == "Helo"
    window.press(Qt.Key.Key_Backspace)
    window.type("lo\n")
    window.until(lambda: window.texts() == ["Hello"])
    window.until(lambda: composer.text() == "")
    assert window.main.view.conversation.timeline.model[0].edited


def test_escape_drops_an_edit_and_brings_the_draft_back(window: Window) -> None:
    window.write("Hello")
    composer = window.main.view.conversation.composer
    window.press(Qt.Key.Key_Up)
    window.type(" there")
    window.press(Qt.Key.Key_Escape)
    assert composer.text() == ""
    assert window.texts() == ["Hello"]


def test_a_message_is_deleted_only_after_a_question_in_place(window: Window) -> None:
    window.write("Hello")
    pane = window.main.view.conversation
    pane.timeline.delete.emit(pane.timeline.model[0].id)
    assert pane.confirmation.isVisible()
    window.press(Qt.Key.Key_Escape)
    assert not pane.confirmation.isVisible()
    assert window.texts() == ["Hello"]
    pane.timeline.delete.emit(pane.timeline.model[0].id)
    window.click(pane.confirmation.delete)
    window.until(lambda: window.texts() == [])
    assert pane.is_empty


def test_a_reply_in_a_thread_stands_in_the_right_pane_only(window: Window) -> None:
    window.write("Layup?")
    view = window.main.view
    view.conversation.timeline.open_thread.emit(view.conversation.timeline.model[0].id)
    window.until(lambda: view.right.shows_thread)
    replies = view.right.replies
    window.until(replies.composer.editor.hasFocus)
    window.type("Tomorrow\n")
    window.until(lambda: [m.text for m in replies.timeline.model.rows] == ["Layup?", "Tomorrow"])
    assert window.texts() == ["Layup?"]
    assert view.conversation.timeline.model[0].reply_count == 1
    window.until(lambda: replies.composer.text() == "")
    replies.composer.also.setChecked(True)
    window.type("Now\n")
    window.until(lambda: window.texts() == ["Layup?", "Now"])
    window.until(lambda: replies.composer.text() == "")
    window.press(Qt.Key.Key_Escape)


def test_a_reaction_shows_under_the_message(window: Window) -> None:
    window.write("Done")
    timeline = window.main.view.conversation.timeline
    timeline.react.emit(timeline.model[0].id, "👍", True)
    window.until(lambda: timeline.model[0].reactions)
    assert timeline.model[0].reactions[0].emoji == "👍"


def test_what_others_write_in_the_open_conversation_is_read_and_elsewhere_counted(
    window: Window, fake: FakeNode
) -> None:
    shipping = conversation(fake, "shipping")
    general = conversation(fake, "general")
    window.node.do(lambda n: n.write(general, "Here", "Mara Oduya"))
    window.node.do(lambda n: n.write(shipping, "There", "Mara Oduya"))
    window.until(lambda: window.texts() == ["Here"])
    window.until(lambda: fake.conversation_map[general].unread == 0)
    row = next(r for r in window.main.view.side_bar.rows if r.row.name == "shipping")
    window.until(lambda: row.row.unread == 1)
    assert "1 unread" in row.accessibleName()
    window.click(row)
    window.until(lambda: window.texts() == ["There"])
    assert window.main.view.conversation.timeline.model.first_unread is not None
    window.until(lambda: row.row.unread == 0)


def test_a_draft_belongs_to_its_place_and_is_saved_within_a_second(
    window: Window, fake: FakeNode
) -> None:
    window.type("half a thou", window.main.view.conversation.composer.editor)
    general = conversation(fake, "general")
    window.until(lambda: fake.draft_map.get((general, None)) == "half a thou")
    window.press(Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    window.until(lambda: window.main.conversation == conversation(fake, "shipping"))
    assert window.composed() == ""
    row = next(r for r in window.main.view.side_bar.rows if r.row.name == "general")
    assert row.row.draft
    window.press(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    window.until(lambda: window.composed() == "half a thou")


def test_closing_the_window_saves_what_was_typed_last(window: Window, fake: FakeNode) -> None:
    window.type("not lost", window.main.view.conversation.composer.editor)
    window.shell.close()
    window.until(lambda: fake.draft_map.get((conversation(fake, "general"), None)) == "not lost")


def test_ten_megabytes_are_refused_with_words_and_without_a_pause(window: Window) -> None:
    composer = window.main.view.conversation.composer
    composer.editor.setFocus()
    QGuiApplication.clipboard().setText("x" * 10_000_000)
    QTest.keyClick(composer.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert composer.text() == ""
    assert "10000000" in composer.state.text().replace(",", "")
    QGuiApplication.clipboard().clear()


def test_a_text_beyond_the_limit_says_so_and_is_not_sent(window: Window) -> None:
    composer = window.main.view.conversation.composer
    composer.editor.setFocus()
    QGuiApplication.clipboard().setText("word " * 6_500)
    QTest.keyClick(composer.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "Too long" in composer.state.text()
    window.press(Qt.Key.Key_Return)
    window.press(Qt.Key.Key_Backspace)
    assert window.texts() == []
    QGuiApplication.clipboard().clear()


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


def test_who_asks_to_be_let_in_is_one_quiet_card(
    window: Window, fake: FakeNode, team: ConversationId
) -> None:
    person = PersonId(key("Per"))
    request = JoinRequest(
        team, person, fake.my.device, "Per", "", ("amber", "canoe", "drift", "fabric"), 0
    )
    fake.request_list = [request]
    window.node.do(lambda n: n.bus.publish(told.JoinRequestsChanged((request,))))
    window.until(lambda: window.main.door.cards.ask_card(team, person))
    card = window.main.door.cards.ask_card(team, person)
    assert card is not None
    assert QApplication.activeModalWidget() is None
    card.block.setChecked(True)
    window.click(card.decline)
    window.until(lambda: ("decline", team, person, True) in fake.calls)
    window.until(lambda: window.main.door.cards.ask_card(team, person) is None)


def test_the_first_frame_has_the_text_of_the_last_conversation(
    open_window: Open, fake: FakeNode, team: ConversationId, theme: Theme
) -> None:
    shipping = conversation(fake, "shipping")
    fake.write(shipping, "Seen before", "Mara Oduya", quiet=True)
    first = FirstPage(
        me=fake.person,
        name=fake.my.name,
        teams=tuple(fake.team_map.values()),
        team=team,
        conversations=tuple(fake.conversation_map.values()),
        conversation=shipping,
        page=asyncio.run(fake.messages.page(shipping)),
        drafts=(Draft(shipping, None, "half"),),
        settings=(),
    )
    view = build_main(theme, first)
    assert [m.text for m in view.conversation.timeline.model.rows] == ["Seen before"]
    assert view.conversation.composer.text() == "half"
    window = open_window(fake, first=first)
    window.until(lambda: window.main.conversation == shipping)
    assert window.composed() == "half"


def test_two_teams_bring_the_rail(window: Window, fake: FakeNode) -> None:
    assert not window.main.view.rail.isVisible()
    asyncio.run_coroutine_threadsafe(fake.teams.create("Workshop"), window.node.loop).result(5)
    window.until(window.main.view.rail.isVisible)


def test_a_lost_stream_of_events_reads_everything_anew(window: Window, fake: FakeNode) -> None:
    window.write("Hello")
    general = conversation(fake, "general")
    window.node.do(lambda n: n.write(general, "Missed", "Mara Oduya", quiet=True))
    window.node.do(lambda n: n.bus.publish(told.Gap()))
    window.until(lambda: window.texts() == ["Hello", "Missed"])


def test_every_control_of_the_window_has_a_name(window: Window) -> None:
    window.click(window.main.view.header.members)
    nameless = [
        type(w).__name__
        for w in window.shell.findChildren(QPushButton)
        if w.isVisible() and not (w.accessibleName() or w.text())
    ]
    assert nameless == []


def test_who_types_is_named_even_where_the_event_has_no_name(
    window: Window, fake: FakeNode
) -> None:
    typing = Typing(conversation(fake, "general"), None, PersonId(key("Mara Oduya")), "", True)
    window.node.do(lambda n: n.bus.publish(told.TypingChanged(typing)))
    window.until(lambda: window.main.view.conversation.typing.text() == "Mara is typing")


def test_a_conversation_chosen_before_the_node_answered_stays_chosen(
    window: Window, fake: FakeNode
) -> None:
    general, shipping = conversation(fake, "general"), conversation(fake, "shipping")
    window.until(lambda: window.main.conversation == general)
    known = window.session.model.conversations
    known[general] = replace(known[general], unread=1)
    window.main.open_conversation(shipping)  # what a click in the side bar does
    window.main.loaded()
    window.until(lambda: window.main.conversation == shipping)
    window.until(lambda: window.shell.windowTitle().startswith("#shipping"))
