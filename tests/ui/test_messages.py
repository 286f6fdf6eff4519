"""What one does with a message, with the pointer on the painted timeline."""

from __future__ import annotations

from PySide6.QtCore import Qt

from folkmoot.services.call_values import CallId
from folkmoot.services.calls_log import CallLog
from folkmoot.services.node import Node
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.layout import HitKind
from ui.town import Person
from ui.window import Window


def test_a_message_is_deleted_only_after_a_question_in_place(window: Window, mara: Person) -> None:
    window.write("Hello")
    window.until(lambda: mara.reads("general") == ["Hello"])
    pane = window.main.view.conversation
    window.press_menu("Hello", "Delete for everyone")
    window.until(pane.confirmation.isVisible)
    window.press(Qt.Key.Key_Escape)
    assert not pane.confirmation.isVisible()
    assert window.texts() == ["Hello"]
    window.press_menu("Hello", "Delete for everyone")
    window.until(pane.confirmation.isVisible)
    window.click(pane.confirmation.delete)
    window.until(lambda: window.texts() == [])
    assert pane.is_empty
    window.until(lambda: mara.reads("general") == [])


def test_what_others_wrote_offers_no_editing(window: Window, mara: Person) -> None:
    mara.write("general", "Hers")
    window.until(lambda: window.texts() == ["Hers"])
    window.point("Hers")
    bar = window.timeline.interaction.bar
    assert bar is not None
    assert bar.acts == (Act.REACT, Act.REPLY, Act.THREAD, Act.MORE)
    window.press(Qt.Key.Key_Up)
    assert window.composed() == ""


def test_an_answer_says_what_it_answers(window: Window, mara: Person) -> None:
    mara.write("general", "Who brings the paint?")
    window.until(lambda: window.texts() == ["Who brings the paint?"])
    window.press_bar("Who brings the paint?", Act.REPLY)
    window.type("I do\n")
    window.until(lambda: window.texts() == ["Who brings the paint?", "I do"])
    answered = window.message("Who brings the paint?").id
    assert window.message("I do").reply_to == answered


def test_a_reply_in_a_thread_stands_in_the_right_pane_only(window: Window, mara: Person) -> None:
    window.write("Layup?")
    view = window.main.view
    window.press_bar("Layup?", Act.THREAD)
    window.until(lambda: view.right.shows_thread)
    replies = view.right.replies
    window.until(replies.composer.editor.hasFocus)
    window.type("Tomorrow\n")
    window.until(lambda: [m.text for m in replies.timeline.model.rows] == ["Layup?", "Tomorrow"])
    assert window.texts() == ["Layup?"]
    assert window.message("Layup?").reply_count == 1
    window.until(lambda: replies.composer.text() == "")
    window.click(replies.composer.also)
    window.type("Now\n", replies.composer.editor)
    window.until(lambda: window.texts() == ["Layup?", "Now"])
    window.until(lambda: replies.composer.text() == "")
    root = window.message("Layup?").id
    window.until(lambda: mara.reads("general") == ["Layup?", "Now"])
    mara.write("general", "I come too", root)
    window.until(lambda: "I come too" in [m.text for m in replies.timeline.model.rows])
    assert window.texts() == ["Layup?", "Now"]
    window.press(Qt.Key.Key_Escape)
    window.until(lambda: not view.right.isVisible())
    window.press_hit("Layup?", HitKind.THREAD)
    window.until(lambda: view.right.isVisible() and view.right.shows_thread)


def test_a_reaction_is_picked_joined_and_taken_back_with_the_pointer(
    window: Window, mara: Person
) -> None:
    window.write("Done")
    window.press_bar("Done", Act.REACT)
    emoji = window.pick_emoji("thumbs up")
    window.until(lambda: window.message("Done").reactions)
    assert [(r.emoji, r.count) for r in window.message("Done").reactions] == [(emoji, 1)]
    target = window.message("Done").id
    window.until(lambda: mara.reads("general") == ["Done"])
    mara.do(lambda node: node.messages.react(target, emoji, True))
    window.until(lambda: window.message("Done").reactions[0].count == 2)
    window.press_hit("Done", HitKind.REACTION)
    window.until(lambda: window.message("Done").reactions[0].count == 1)
    assert not window.message("Done").reactions[0].mine
    window.press_hit("Done", HitKind.REACTION)
    window.until(lambda: window.message("Done").reactions[0].mine)


def _calls_of(node: Node) -> CallLog:
    return CallLog(node.identity.keyring.person, node._store, node.registry, node.own_log)


def _card(window: Window) -> str:
    """What the newest card says."""
    rows = window.timeline.model.rows
    shown = next((m for m in reversed(rows) if m.call is not None), None)
    return window.timeline.wording.words(shown) if shown is not None else ""


def test_a_call_is_a_card_that_changes_and_is_answered_but_not_edited(
    window: Window, elin: Person, mara: Person
) -> None:
    window.write("Shall I call?")
    general = window.message("Shall I call?").conversation
    call = CallId(bytes(range(32)))
    elin.do(lambda node: _calls_of(node).started(call, general, True))
    window.until(lambda: _card(window).startswith("Call: Started"))
    window.until(lambda: mara.reads("general") == ["Shall I call?", ""])
    people = [elin.id, mara.id]
    mara.do(lambda node: _calls_of(node).ended(call, general, True, people, 61))
    window.until(lambda: _card(window).startswith("Call ended: Video call, 1 min"))
    assert window.texts() == ["Shall I call?", ""]
    window.press(Qt.Key.Key_Up)
    window.until(lambda: window.composed() == "Shall I call?")
    window.press(Qt.Key.Key_Escape)
    window.press_menu("", "Delete for everyone")
    confirmation = window.main.view.conversation.confirmation
    window.until(confirmation.isVisible)
    window.click(confirmation.delete)
    window.until(lambda: mara.reads("general") == ["Shall I call?"])
