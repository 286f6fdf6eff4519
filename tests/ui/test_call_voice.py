"""One to one: calling, being called, the window of the call, and the strip, by keys and clicks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from fakes.calls import call_id
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.services.call_values import (
    Call,
    CallEnd,
    CallId,
    CallPhase,
    MediaChoice,
    ParticipantState,
)
from folkmoot.services.events import CallLevels, CallNotice
from folkmoot.ui.call import room as room_module
from folkmoot.ui.call import window as window_module
from folkmoot.ui.widgets.surfaces import Toast
from ui.call_window import Caller
from ui.window import words_in

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def test_the_phone_over_a_conversation_calls_and_shows_whom_it_rings(caller: Caller) -> None:
    rung = caller.other(state=ParticipantState.RINGING, device=DeviceId(b""), quality=0)
    caller.calls.others = (rung,)
    caller.click(caller.window.main.view.header.voice)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("start") == [(caller.place(), False, False)]
    assert caller.call_window.isVisible()
    assert caller.call_window.line.text() == "Ringing Mara…"
    assert caller.call_window.title.text() == "general"
    assert caller.call_window.chip.text() == ""


def test_a_call_between_two_rings_and_one_in_a_channel_does_not(caller: Caller) -> None:
    header = caller.window.main.view.header
    caller.click(header.voice)
    caller.window.until(lambda: caller.has_room)
    caller.room.acts.leave()
    caller.window.until(lambda: not caller.has_room)
    direct = caller.open_direct()
    caller.click(header.voice)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("start") == [(caller.place(), False, False), (direct, False, True)]


def test_who_is_alone_in_a_channels_call_is_led_to_whom_they_can_ring(caller: Caller) -> None:
    call = caller.join(caller.calls.me())
    caller.change(call, participants=(caller.calls.me(),))
    window = caller.call_window
    caller.window.until(lambda: window.line.text() == "Nobody else is here")
    caller.click(window.ring)
    people = caller.room.beside.people
    assert people is not None
    caller.window.until(lambda: bool(people.absent.rows))
    [row] = people.absent.rows
    assert row.ring.accessibleName() == "Ring Mara Oduya"
    caller.click(row.ring)
    caller.window.until(lambda: caller.asked("ring") == [(call.id, (caller.mara.id,))])
    rung = caller.other(state=ParticipantState.RINGING, device=DeviceId(b""))
    caller.change(call, participants=(caller.calls.me(), rung))
    caller.window.until(lambda: people.absent.rows == [])
    assert not window.ring.isVisible()


def test_the_header_says_join_while_others_are_in_a_call_and_in_call_once_one_is(
    caller: Caller,
) -> None:
    header = caller.window.main.view.header
    call = caller.runs()
    caller.window.until(header.running.isVisible)
    assert header.running.text() == "Join · 1"
    assert not header.voice.isVisible()
    caller.click(header.running)
    caller.window.until(lambda: header.running.text() == "In call · 2")
    assert caller.asked("join") == [(call.id, False, True)]


def test_the_card_of_a_call_in_the_timeline_joins_it_and_later_shows_it(caller: Caller) -> None:
    call = caller.runs()
    caller.window.timeline.call_pressed.emit(call.id)
    caller.window.until(lambda: caller.has_room)
    caller.call_window.close()
    caller.window.timeline.call_pressed.emit(call.id)
    assert caller.call_window.isVisible()
    assert caller.asked("join") == [(call.id, False, True)]


def test_who_rings_has_a_card_and_answering_it_opens_the_call(caller: Caller) -> None:
    call = caller.rings()
    card = caller.desk.rings.cards[call.id]
    assert card.isVisible()
    assert "Mara Oduya" in words_in(card)
    assert "calls in #general" in words_in(card)
    caller.click(card.voice)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("join") == [(call.id, False, True)]
    assert caller.desk.rings.cards == {}


def test_control_shift_a_answers_from_wherever_one_types(caller: Caller) -> None:
    call = caller.rings()
    editor = caller.window.main.view.conversation.composer.editor
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_A, CTRL_SHIFT)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("join") == [(call.id, False, True)]


def test_answering_with_video_opens_the_camera(caller: Caller) -> None:
    call = caller.rings()
    caller.click(caller.desk.rings.cards[call.id].video)
    caller.window.until(lambda: caller.has_room)
    assert caller.room.call.camera


def test_f6_leads_to_the_card_of_who_rings(caller: Caller) -> None:
    call = caller.rings()
    voice = caller.desk.rings.cards[call.id].voice
    caller.window.main.view.conversation.composer.editor.setFocus()
    for _ in range(6):
        if not voice.hasFocus():
            caller.window.press(Qt.Key.Key_F6)
    assert voice.hasFocus()
    QTest.keyClick(voice, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.has_room)


def test_declining_with_a_message_sends_what_was_typed(caller: Caller) -> None:
    call = caller.rings()
    card = caller.desk.rings.cards[call.id]
    caller.click(card.message)
    QTest.keyClicks(card.words, "In ten minutes")
    QTest.keyClick(card.words, Qt.Key.Key_Return)
    caller.window.until(lambda: caller.asked("decline") == [(call.id, "In ten minutes")])
    caller.window.until(lambda: caller.desk.rings.cards == {})
    assert not caller.has_room


def test_escape_on_the_card_declines_nothing(caller: Caller) -> None:
    call = caller.rings()
    card = caller.desk.rings.cards[call.id]
    caller.click(card.message)
    QTest.keyClick(card.words, Qt.Key.Key_Escape)
    assert card.decline.isVisible()
    assert caller.asked("decline") == []


def test_a_ring_that_ends_takes_its_card_away(caller: Caller) -> None:
    call = caller.rings()
    caller.change(call, phase=CallPhase.ENDED, end=CallEnd.MISSED)
    caller.window.until(lambda: caller.desk.rings.cards == {})


def test_a_ring_while_the_window_is_not_looked_at_shows_over_everything(caller: Caller) -> None:
    elsewhere = QWidget()
    caller.window.qtbot.addWidget(elsewhere)
    elsewhere.show()
    elsewhere.activateWindow()
    caller.window.until(lambda: not caller.window.shell.isActiveWindow())
    call = caller.rings()
    toast = caller.desk.rings.toasts[call.id]
    assert toast.isVisible()
    assert toast.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    caller.click(toast.card.voice)
    caller.window.until(lambda: caller.has_room)
    assert caller.desk.rings.toasts == {}


@pytest.mark.parametrize("first", ["note", "ring"])
def test_a_note_never_lies_over_the_answers_of_who_rings(caller: Caller, first: str) -> None:
    caller.window.shell.resize(700, 600)
    said = "There is no speaker here."
    notice = CallNotice("speaker", said, "Plug one in.")
    if first == "ring":
        call = caller.rings()
        caller.publish(notice)
    else:
        assert caller.desk.room is None  # asking for the desk composes it
        caller.publish(notice)
        caller.window.until(lambda: caller.window.shell.findChildren(Toast))
        call = caller.rings()
    caller.window.until(lambda: caller.window.shell.findChildren(Toast))
    (note,) = caller.window.shell.findChildren(Toast)
    card = caller.desk.rings.cards[call.id]
    for button in (card.voice, card.video, card.decline, card.message):
        middle = button.mapTo(caller.window.shell, button.rect().center())
        seen = caller.window.shell.childAt(middle)
        assert seen is not None
        assert seen is button or button.isAncestorOf(seen)
    if first == "ring":
        top = card.mapTo(caller.window.shell, QPoint(0, 0)).y()
        assert note.geometry().bottom() < top


def test_what_the_node_refuses_stands_on_the_card(caller: Caller) -> None:
    call = caller.rings()
    caller.calls.fail = UserError("locked", "The call is locked.", "Ask who is in it.")
    card = caller.desk.rings.cards[call.id]
    caller.click(card.voice)
    caller.window.until(lambda: "The call is locked." in words_in(card))


def test_mute_works_by_click_by_key_and_in_the_strip(caller: Caller) -> None:
    caller.join()
    caller.click(caller.call_window.bar.microphone)
    caller.window.until(lambda: caller.asked("set_microphone") == [(False,)])
    assert "Switch the microphone on" in caller.call_window.bar.microphone.accessibleName()
    caller.key(Qt.Key.Key_M, CTRL_SHIFT)
    caller.window.until(lambda: caller.asked("set_microphone")[-1:] == [(True,)])
    caller.click(caller.desk.strip.microphone)
    caller.window.until(lambda: len(caller.asked("set_microphone")) == 3)
    editor = caller.window.main.view.conversation.composer.editor
    caller.window.shell.activateWindow()
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_M, CTRL_SHIFT)
    caller.window.until(lambda: len(caller.asked("set_microphone")) == 4)


def test_f6_walks_head_stage_panel_and_bar(caller: Caller) -> None:
    caller.join()
    window = caller.call_window
    caller.click(window.bar.people)
    window.layouts.setFocus()
    found = []
    for _ in range(4):
        caller.key(Qt.Key.Key_F6)
        found.append(window.focusWidget())
    [tile] = [one for one in window.stage.tiles.values() if one is found[0]]
    panel = window.panel
    assert panel is not None
    assert found == [tile, panel.close_button, window.bar.microphone, window.layouts]


def test_a_panel_over_the_whole_stage_hides_it_and_its_pictures(caller: Caller) -> None:
    caller.join(caller.other(camera=True))
    caller.window.until(lambda: len(caller.calls.tiles) == 1)
    caller.call_window.resize(420, 500)
    caller.click(caller.call_window.bar.people)
    caller.window.until(lambda: caller.calls.tiles == ())
    caller.key(Qt.Key.Key_Escape)
    caller.window.until(lambda: len(caller.calls.tiles) == 1)


def test_the_settings_asked_for_in_a_call_stand_over_its_window_and_are_dark(
    caller: Caller,
) -> None:
    caller.join()
    caller.room.settings_wanted.emit()
    check = caller.desk.check
    assert check is not None
    assert check.parentWidget() is caller.call_window
    assert check.theme.is_dark
    caller.change(caller.room.call, phase=CallPhase.ENDED, end=CallEnd.ENDED_FOR_ALL)
    caller.window.until(lambda: caller.desk.check is None)


def test_a_line_that_asks_for_nothing_goes_by_itself_and_a_warning_stays(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_module, "NOTE_MS", 1)
    caller.join()
    caller.publish(CallNotice("camera", "The camera is taken."))
    caller.publish(CallNotice("media_restarted", "Sound began again."))
    caller.window.until(lambda: caller.call_window.notices() == ("The camera is taken.",))


def test_the_keyboard_goes_on_at_the_header_and_in_the_composer_when_a_call_ends(
    caller: Caller,
) -> None:
    header = caller.window.main.view.header
    header.voice.setFocus()
    caller.window.press(Qt.Key.Key_Space)
    caller.window.until(header.running.isVisible)
    assert header.running.text() == "Calling…"
    caller.window.shell.activateWindow()
    header.running.setFocus()
    caller.change(caller.room.call, phase=CallPhase.ENDED, end=CallEnd.LEFT)
    caller.window.until(header.voice.isVisible)
    assert caller.window.shell.focusWidget() is header.voice
    caller.join()
    caller.desk.strip.leave.setFocus()
    caller.change(caller.room.call, phase=CallPhase.ENDED, end=CallEnd.LEFT)
    caller.window.until(lambda: not caller.has_room)
    composer = caller.window.main.view.conversation.composer
    assert composer.isAncestorOf(caller.window.shell.focusWidget())


def test_an_answer_that_is_older_than_what_was_told_meanwhile_changes_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = caller.rings()
    join, asked = caller.calls.join, asyncio.Event()

    async def slow(call: CallId, *, video: bool = False, microphone: bool = True) -> Call:
        made = await join(call, video=video, microphone=microphone)
        caller.calls.changed(made, locked=True)
        await asked.wait()
        return made

    monkeypatch.setattr(caller.calls, "join", slow)
    caller.click(caller.desk.rings.cards[call.id].voice)
    caller.window.until(lambda: caller.has_room and caller.room.call.locked)
    seen: list[bool] = []
    caller.room.changed.connect(lambda: seen.append(caller.room.call.locked))
    caller.tell(asked.set)
    for _ in range(3):  # there and back, after the answer
        caller.tell(lambda: None)
        before = len(seen)
        caller.change(caller.room.call, hand=not caller.room.call.hand)
        caller.window.until(lambda before=before: len(seen) > before)  # type: ignore[misc]
    assert False not in seen


def test_escape_closes_the_statistics_and_opens_nothing(caller: Caller) -> None:
    caller.join()
    caller.room.beside.toggle_stats()
    caller.call_window.bar.leave.setFocus()
    caller.key(Qt.Key.Key_Escape)
    assert caller.call_window.panel is None


def test_escape_never_hangs_up(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_Escape)
    assert caller.asked("leave") == []
    assert caller.call_window.isVisible()


def test_closing_the_window_keeps_the_call_and_says_so_once(caller: Caller) -> None:
    caller.join()
    caller.call_window.close()
    assert not caller.call_window.isVisible()
    assert caller.asked("leave") == []
    assert caller.desk.strip.isVisible()
    caller.window.until(lambda: caller.window.shell.findChildren(Toast))
    caller.click(caller.desk.strip.body)
    assert caller.call_window.isVisible()
    for toast in caller.window.shell.findChildren(Toast):
        toast.hide()
    caller.call_window.close()
    assert not [t for t in caller.window.shell.findChildren(Toast) if t.isVisible()]


def test_between_two_the_time_runs_from_the_first_sound(caller: Caller) -> None:
    direct = caller.open_direct()
    connecting = caller.other(state=ParticipantState.CONNECTING)
    call = caller.join(connecting, conversation=direct)
    caller.window.until(lambda: caller.call_window.time.text() == "")
    assert caller.room.strip_state(time.time()).time == ""
    me = call.participants[-1]
    caller.change(call, participants=(caller.other(), me))
    caller.window.until(lambda: caller.call_window.time.text().startswith("00:"))
    caller.room._heard_at = time.monotonic() - 65
    caller.window.until(lambda: caller.call_window.time.text().startswith("01:"))
    caller.change(call, participants=(connecting, me))
    caller.window.until(lambda: caller.call_window.time.text() > "01:05")


def test_in_a_channel_the_time_runs_since_the_call_began(caller: Caller) -> None:
    began = (time.time() - 125) * 1000
    caller.join(caller.other(state=ParticipantState.CONNECTING), started_at_ms=began)
    caller.window.until(lambda: caller.call_window.time.text().startswith("02:"))


def test_the_strip_names_the_place_and_who_is_there_and_hangs_up(caller: Caller) -> None:
    caller.join(caller.other(quality=2, quality_reason="loss"))
    state = caller.desk.strip.body.state
    assert state.place == "#general"
    assert state.names == "Mara and you"
    assert state.quality == 2
    assert "gets lost" in state.quality_words
    caller.click(caller.desk.strip.leave)
    caller.window.until(lambda: not caller.has_room)
    assert not caller.desk.strip.isVisible()


def test_the_row_in_the_side_bar_says_in_call(caller: Caller) -> None:
    caller.join()
    caller.window.until(lambda: "in call" in caller.window.row("general").accessibleName())


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (CallEnd.NO_ANSWER, "Mara did not answer."),
        (CallEnd.DECLINED, "Mara declined the call."),
        (CallEnd.BUSY, "Mara is busy."),
        (CallEnd.UNREACHABLE, "Mara cannot be reached: none of their computers is online."),
        (CallEnd.REMOVED, "You were removed from the call."),
        (CallEnd.NO_MEDIA, "Sound and picture could not be kept running on this computer."),
    ],
)
def test_the_window_of_a_call_that_ends_says_why(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, end: CallEnd, words: str
) -> None:
    monkeypatch.setattr(room_module, "OVER_MS", 60_000)
    call = caller.join()
    window = caller.call_window
    caller.change(call, phase=CallPhase.ENDED, end=end)
    caller.window.until(lambda: window.is_over)
    assert window.isVisible()
    assert window.ending.text() == words
    assert not window.bar.isVisible()


def test_the_window_of_a_call_that_ended_closes_by_itself(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "OVER_MS", 1)
    call = caller.join()
    caller.change(call, phase=CallPhase.ENDED, end=CallEnd.BUSY)
    caller.window.until(lambda: not caller.has_room)


def test_a_call_that_ends_while_its_window_is_closed_says_why_in_the_main_window(
    caller: Caller,
) -> None:
    call = caller.join()
    caller.call_window.close()
    caller.change(call, phase=CallPhase.ENDED, end=CallEnd.REMOVED)
    caller.window.until(lambda: not caller.has_room)
    assert "You were removed from the call." in words_in(caller.window.shell)


def test_of_two_calls_that_began_at_once_the_window_goes_on_with_the_other(
    caller: Caller,
) -> None:
    first = caller.join()
    before = caller.room
    caller.change(first, phase=CallPhase.ENDED, end=CallEnd.NO_ANSWER)
    other = replace(first, id=call_id(9))
    caller.tell(lambda: caller.calls.tell(other))
    caller.window.until(lambda: caller.has_room and caller.room.call.id == other.id)
    before._finish()  # its moment is over
    assert caller.room.call.id == other.id
    assert caller.call_window.isVisible()


def test_what_could_not_be_done_is_taken_back_and_said(caller: Caller) -> None:
    caller.join()
    caller.calls.fail = UserError("not_in_call", "You are not in that call.")
    caller.click(caller.call_window.bar.microphone)
    caller.window.until(lambda: "You are not in that call." in caller.call_window.notices())
    assert caller.room.call.microphone
    caller.click(caller.call_window.bar.leave)
    caller.window.until(caller.call_window.isVisible)


def test_leaving_closes_at_once(caller: Caller) -> None:
    caller.join()
    window = caller.call_window
    caller.click(window.bar.leave)
    assert not window.isVisible()
    caller.window.until(lambda: not caller.has_room)
    assert len(caller.asked("leave")) == 1


def test_a_call_that_changes_after_the_window_closed_opens_nothing(caller: Caller) -> None:
    call = caller.join()
    desk = caller.desk
    desk.close()
    desk.follow(call)
    assert desk.room is None


def test_a_ring_answered_during_a_call_leaves_the_one_before(caller: Caller) -> None:
    first = caller.join()
    second = caller.rings("shipping")
    caller.click(caller.desk.rings.cards[second.id].voice)
    caller.window.until(lambda: caller.has_room and caller.room.call.id == second.id)
    assert caller.asked("leave") == [(first.id,)]


def test_who_speaks_wears_a_ring_and_a_closed_microphone_its_words(caller: Caller) -> None:
    call = caller.join(caller.other(microphone=False))
    tile = next(t for k, t in caller.call_window.stage.tiles.items() if k[0] == caller.mara.id)
    assert "microphone off" in tile.accessibleName()
    caller.publish(CallLevels(call.id, ((caller.other().device, 0.5, True),)))
    caller.window.until(lambda: tile.speaks)
    caller.publish(CallLevels(call.id, ((caller.other().device, 0.0, False),)))
    caller.window.until(lambda: not tile.speaks)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ParticipantState.CONNECTING, "Connecting to Mara"),
        (ParticipantState.RECONNECTING, "Connection lost. Trying another way…"),
        (ParticipantState.DECLINED, "Mara declined"),
        (ParticipantState.BUSY, "Mara is busy"),
        (ParticipantState.UNREACHABLE, "Mara cannot be reached"),
    ],
)
def test_every_state_of_somebody_has_words(
    caller: Caller, state: ParticipantState, words: str
) -> None:
    caller.join(caller.other(state=state))
    tile = next(t for k, t in caller.call_window.stage.tiles.items() if k[0] == caller.mara.id)
    assert tile.state.line == words
    assert words in tile.accessibleName()


def test_space_talks_while_it_is_held_where_that_was_chosen(caller: Caller) -> None:
    caller.calls.kept = MediaChoice(push_to_talk=True)
    call = caller.rings()
    caller.click(caller.desk.rings.cards[call.id].voice)
    caller.window.until(lambda: caller.has_room and caller.call_window.push_to_talk)
    assert caller.asked("join") == [(call.id, False, False)]
    assert not caller.room.call.microphone
    bar = caller.call_window.bar
    bar.people.setFocus()
    QTest.keyPress(bar.people, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,)])
    QTest.keyRelease(bar.people, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,), (False,)])
    assert not bar.people.isChecked()


def test_letting_go_of_space_mutes_though_the_word_of_the_node_is_late(caller: Caller) -> None:
    caller.calls.kept = MediaChoice(push_to_talk=True)
    call = caller.rings()
    caller.click(caller.desk.rings.cards[call.id].voice)
    caller.window.until(lambda: caller.has_room and caller.call_window.push_to_talk)
    bar = caller.call_window.bar
    QTest.keyPress(bar.people, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,)])
    caller.room.show_call(replace(caller.room.call, microphone=False))
    QTest.keyRelease(bar.people, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,), (False,)])


def test_space_presses_the_button_with_the_focus_where_talking_was_not_chosen(
    caller: Caller,
) -> None:
    caller.join()
    bar = caller.call_window.bar
    bar.people.setFocus()
    QTest.keyClick(bar.people, Qt.Key.Key_Space)
    assert bar.people.isChecked()
    assert caller.asked("set_microphone") == []


def test_what_is_the_matter_with_a_device_stands_as_a_calm_line_until_it_is_over(
    caller: Caller,
) -> None:
    caller.join()
    said = "The camera is used by another program."
    caller.publish(CallNotice("camera", said, "Close that program."))
    caller.window.until(lambda: caller.call_window.notices() == (f"{said} Close that program.",))
    caller.publish(CallNotice("camera", ""))
    caller.window.until(lambda: caller.call_window.notices() == ())


def test_every_control_of_the_call_has_a_name_and_is_reached_by_the_keyboard(
    caller: Caller,
) -> None:
    caller.join(may_control=True)
    window = caller.call_window
    bar = window.bar
    wanted = {
        *(bar.microphone, bar.microphones, bar.camera, bar.cameras, bar.hand, bar.react),
        *(bar.chat, bar.people, bar.leave, window.layouts, window.compact, window.more),
    }
    reached = set()
    widget = window.nextInFocusChain()
    while widget is not None and widget is not window:
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            reached.add(widget)
            assert widget.accessibleName(), widget
        widget = widget.nextInFocusChain()
    assert wanted <= reached
    assert all(button.height() >= 36 and button.width() >= 36 for button in wanted)


def test_the_window_of_a_call_is_dark_in_a_light_program(caller: Caller) -> None:
    caller.join()
    image = caller.call_window.grab().toImage()
    assert image.pixelColor(2, 2).lightness() < 40
