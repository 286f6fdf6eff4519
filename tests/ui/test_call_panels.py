"""Beside the stage: people and the host's controls, chat, statistics; hands and reactions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from folkmoot.services.call_values import Participant, PeerStats
from folkmoot.services.events import CallReaction, CallStatsTaken
from folkmoot.ui.call import stage as stage_module
from folkmoot.ui.call.people import PeopleList, PersonRow
from folkmoot.ui.theme.theme import Mode
from ui.call_window import Caller
from ui.window import words_in


def people_of(caller: Caller) -> PeopleList:
    """The list, opened."""
    caller.click(caller.call_window.bar.people)
    people = caller.room.beside.people
    assert people is not None
    caller.window.until(people.isVisible)
    return people


def row_of(people: PeopleList, who: Participant) -> PersonRow:
    """Somebody's row."""
    return next(r for r in people.rows if r.who is not None and r.who.person == who.person)


def test_the_people_say_how_each_one_stands(caller: Caller) -> None:
    weak = caller.other(microphone=False, quality=1, quality_reason="loss", is_host=True)
    caller.join(weak)
    people = people_of(caller)
    caller.window.until(lambda: "Mara Oduya" in words_in(row_of(people, weak)))
    words = words_in(row_of(people, weak))
    assert "host" in words
    assert "Weak connection: some of what is sent gets lost" in words
    assert "microphone off" in row_of(people, weak).accessibleName()
    assert not people.end.isVisible()


def test_raised_hands_stand_first_in_their_order(caller: Caller) -> None:
    call = caller.join()
    people = people_of(caller)
    mine = caller.calls.me(hand=True)
    caller.change(call, participants=(caller.other(), mine), hand=True)
    caller.window.until(lambda: people.rows[0].who is not None and people.rows[0].who.is_me)
    caller.window.until(lambda: "number 1" in words_in(people.rows[0]))


def test_raising_a_hand_is_a_press_and_lowering_it_another(caller: Caller) -> None:
    caller.join()
    hand = caller.call_window.bar.hand
    caller.click(hand)
    caller.window.until(hand.isChecked)
    assert hand.accessibleName() == "Lower hand"
    caller.click(hand)
    caller.window.until(lambda: caller.asked("set_hand") == [(True,), (False,)])


def test_a_persons_volume_follows_the_arrow_keys(caller: Caller) -> None:
    who = caller.other()
    caller.join(who)
    volume = row_of(people_of(caller), who).volume
    volume.setFocus()
    QTest.keyClick(volume, Qt.Key.Key_Left)
    caller.window.until(lambda: caller.asked("set_volume") == [(who.device, 0.95)])


def test_somebody_is_muted_for_me_alone(caller: Caller) -> None:
    who = caller.other()
    caller.join(who)
    row = row_of(people_of(caller), who)
    caller.click(row.quiet)
    caller.window.until(lambda: caller.asked("mute_for_me") == [(who.device, True)])
    caller.window.until(lambda: not row.volume.isEnabled())
    assert row.quiet.accessibleName() == "Hear Mara Oduya again"


def test_the_host_asks_to_mute_and_removes_after_one_more_press(caller: Caller) -> None:
    who = caller.other()
    caller.join(who, may_control=True)
    people = people_of(caller)
    row = row_of(people, who)
    caller.click(row.ask_mute)
    caller.window.until(lambda: caller.asked("ask_mute") == [(who.person,)])
    caller.click(row.remove)
    assert caller.asked("remove") == []
    QTest.keyClick(people.question.delete, Qt.Key.Key_Escape)
    assert not people.question.isVisible()
    caller.click(row.remove)
    caller.click(people.question.delete)
    caller.window.until(lambda: caller.asked("remove") == [(who.person,)])


def test_the_host_locks_the_call_and_ends_it_for_all_after_one_more_press(caller: Caller) -> None:
    caller.join(may_control=True)
    people = people_of(caller)
    caller.click(people.lock)
    caller.window.until(lambda: caller.call_window.locked.text() == "Locked")
    caller.click(people.end)
    assert caller.asked("end_for_all") == []
    caller.click(people.question.delete)
    caller.window.until(lambda: len(caller.asked("end_for_all")) == 1)


def test_who_may_not_control_sees_no_controls(caller: Caller) -> None:
    who = caller.other()
    caller.join(who)
    people = people_of(caller)
    row = row_of(people, who)
    assert not row.remove.isVisible()
    assert not row.ask_mute.isVisible()
    assert not people.lock.isVisible()


def test_escape_closes_the_panel_and_not_the_call(caller: Caller) -> None:
    caller.join()
    people = people_of(caller)
    QTest.keyClick(people.window().focusWidget() or people, Qt.Key.Key_Escape)
    assert not people.isVisible()
    assert not caller.call_window.bar.people.isChecked()
    assert caller.call_window.isVisible()


def test_the_chat_beside_the_call_is_the_conversation(caller: Caller) -> None:
    caller.mara.write("general", "Look at the drawing")
    caller.join()
    caller.click(caller.call_window.bar.chat)
    chat = caller.room.beside.chat
    assert chat is not None
    caller.window.until(lambda: [m.text for m in chat.pane.timeline.model.rows])
    assert [m.text for m in chat.pane.timeline.model.rows] == ["Look at the drawing"]
    QTest.keyClicks(chat.pane.composer.editor, "I see it")
    QTest.keyClick(chat.pane.composer.editor, Qt.Key.Key_Return)
    caller.window.until(lambda: caller.mara.reads("general")[-1:] == ["I see it"])
    caller.window.until(lambda: chat.pane.timeline.model.rows[-1].text == "I see it")


def test_the_card_of_the_call_in_its_chat_says_that_it_runs(caller: Caller) -> None:
    call = caller.join()
    caller.click(caller.call_window.bar.chat)
    chat = caller.room.beside.chat
    assert chat is not None
    timeline = chat.pane.timeline
    caller.window.until(lambda: timeline._live.get(call.id) is not None)
    caller.call_window.close()
    timeline.call_pressed.emit(call.id)
    assert caller.call_window.isVisible()


def test_the_chat_is_as_dark_as_the_window_of_the_call(caller: Caller) -> None:
    caller.join()
    caller.click(caller.call_window.bar.chat)
    chat = caller.room.beside.chat
    assert chat is not None
    caller.mara.write("general", "Look at the drawing")
    caller.window.until(lambda: len(chat.pane.timeline.model) and not chat.pane.is_empty)
    for mode in (Mode.DARK, Mode.LIGHT):
        caller.window.shell.theme.set_mode(mode)
        image = chat.pane.timeline.grab().toImage()
        y = image.height() - 4
        across = [image.pixelColor(x, y).lightness() for x in range(image.width())]
        assert max(across) < 140


def test_a_reaction_is_sent_from_the_row_of_emoji(caller: Caller) -> None:
    caller.join()
    caller.click(caller.call_window.bar.react)
    QTest.keyClick(caller.call_window.focusWidget(), Qt.Key.Key_Return)
    caller.window.until(lambda: caller.asked("react") == [("👍",)])


def test_a_reaction_floats_over_its_tile_and_stands_at_the_name_without_motion(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_module, "REACTION_MS", 60_000)  # until it was seen
    who = caller.other()
    call = caller.join(who)
    stage = caller.call_window.stage
    tile = next(t for k, t in stage.tiles.items() if k[1] == who.device)
    caller.publish(CallReaction(call.id, who.person, "🎉"))
    caller.window.until(lambda: [x.text() for x in tile.findChildren(QLabel)] == ["🎉"])
    for label in tile.findChildren(QLabel):
        label.setParent(None)
        label.deleteLater()
    stage._theme._base.set_reduce_motion(True)  # type: ignore[attr-defined]
    caller.publish(CallReaction(call.id, who.person, "👏"))
    caller.window.until(lambda: tile.reaction == "👏")
    assert tile.findChildren(QLabel) == []


def test_the_statistics_show_and_copy_the_last_second_as_text(caller: Caller) -> None:
    who = caller.other()
    call = caller.join(who)
    caller.click(caller.call_window.more)
    caller.choose("Statistics")
    figures = PeerStats(who.device, rtt_ms=21.0, loss_in=0.013, codec="opus, VP8", way="host")
    for _ in range(3):
        caller.publish(CallStatsTaken(call.id, (figures,)))
    stats = caller.room.beside.stats
    assert stats is not None
    caller.window.until(lambda: "1.3 %" in stats.table.text())
    assert "21 ms" in stats.rtt.accessibleName()
    caller.click(stats.copy)
    copied = QGuiApplication.clipboard().text()
    assert "Mara Oduya" in copied
    assert "opus, VP8" in copied


def test_a_relayed_call_is_not_called_direct(caller: Caller) -> None:
    who = caller.other()
    call = caller.join(who)
    assert caller.call_window.chip.text() == "Direct, encrypted"
    caller.publish(CallStatsTaken(call.id, (PeerStats(who.device, way="relay"),)))
    caller.window.until(lambda: caller.call_window.chip.text() == "Relayed, encrypted")
    caller.publish(CallStatsTaken(call.id, (replace(PeerStats(who.device), way="host"),)))
    caller.window.until(lambda: caller.call_window.chip.text() == "Direct, encrypted")
