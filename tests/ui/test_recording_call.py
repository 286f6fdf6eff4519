"""Recording in a call, by keys and clicks: the sheet, the recorder, the sign for everybody."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessibleAnnouncementEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget

from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import Call, RecordChoice, RecordingNow
from folkmoot.services.events import CallLevels, CallNotice
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.call.state import key_of, screen_key
from folkmoot.ui.recording import announce as announce_module
from folkmoot.ui.recording import incall as incall_module
from folkmoot.ui.recording.sheet import RecordSheet
from folkmoot.ui.widgets.surfaces import Toast
from ui.call_window import Caller
from ui.window import words_in

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def sheet_of(caller: Caller) -> RecordSheet:
    """The sheet, once it is shown with the folder."""
    caller.window.until(lambda: caller.room.recording.sheet is not None)
    sheet = caller.room.recording.sheet
    assert sheet is not None
    caller.window.until(lambda: sheet.isVisible() and sheet.folder.text())
    return sheet


def records(caller: Caller, call: Call, *, on: bool = True) -> None:
    """Mara records, or no more."""
    known = caller.calls.calls[call.id]
    others = tuple(p if p.is_me else replace(p, records=on) for p in known.participants)
    caller.change(call, participants=others)


def begin(caller: Caller) -> None:
    """Elin records."""
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    QTest.keyClick(sheet_of(caller).act, Qt.Key.Key_Return)
    caller.window.until(lambda: caller.room.recording.bar is not None)


def test_recording_begins_from_the_menu_after_a_sheet_that_says_who_is_told(
    caller: Caller,
) -> None:
    call = caller.join()
    caller.click(caller.call_window.more)
    caller.choose("Record…")
    sheet = sheet_of(caller)
    assert "Mara sees that you record" in sheet.told.text()
    assert sheet.folder.text() == "/recordings"
    assert caller.asked("record") == []
    caller.click(sheet.act)
    caller.window.until(lambda: caller.asked("record") == [(RecordChoice("mkv"),)])
    caller.window.until(lambda: caller.room.recording.sheet is None)
    assert caller.calls.calls[call.id].recording is not None


def test_the_kind_of_file_is_chosen_by_keys_and_kept_for_the_next_time(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet = sheet_of(caller)
    sheet.pictures["one"].setFocus()
    QTest.keyClick(sheet.pictures["one"], Qt.Key.Key_Down)
    QTest.keyClick(sheet.act, Qt.Key.Key_Return)
    choice = RecordChoice("mkv", tracks=True)
    caller.window.until(lambda: caller.asked("record") == [(choice,)])
    caller.window.until(lambda: caller.room.recording.sheet is None)
    caller.room.show()
    caller.window.until(caller.call_window.isActiveWindow)
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    caller.window.until(lambda: caller.room.recording.bar is None)
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    again = sheet_of(caller)
    caller.window.until(lambda: again.choice() == choice)


def test_mp4_is_chosen_and_given_up_where_each_person_has_a_track(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet = sheet_of(caller)
    sheet.containers["mkv"].setFocus()
    QTest.keyClick(sheet.containers["mkv"], Qt.Key.Key_Down)
    assert sheet.choice() == RecordChoice("mp4")
    sheet.pictures["one"].setFocus()
    QTest.keyClick(sheet.pictures["one"], Qt.Key.Key_Down)
    assert sheet.choice() == RecordChoice("mkv", tracks=True)
    assert not sheet.containers["mp4"].isEnabled()
    QTest.keyClick(sheet.pictures["tracks"], Qt.Key.Key_Up)
    assert sheet.containers["mp4"].isEnabled()


def test_what_is_to_choose_is_read_on_the_dark_ground_of_a_light_program(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet = sheet_of(caller)
    shown = sheet.grab().toImage()
    for button in (*sheet.pictures.values(), *sheet.containers.values()):
        words = shown.copy(button.x() + 24, button.y(), 60, button.height())
        lights = [words.pixelColor(x, y).lightness() for x in range(60) for y in range(28)]
        assert max(lights) - min(lights) > 150


def test_escape_leaves_the_sheet_and_nothing_is_recorded(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    QTest.keyClick(sheet_of(caller), Qt.Key.Key_Escape)
    caller.window.until(lambda: caller.room.recording.sheet is None)
    assert caller.asked("record") == []


def test_a_folder_that_does_not_serve_is_said_in_the_sheet(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet = sheet_of(caller)
    caller.calls.fail = UserError("bad_folder", "Nothing can be written there.", "Choose another.")
    caller.click(sheet.act)
    caller.window.until(sheet.problem.isVisible)
    assert "Nothing can be written there." in sheet.problem.text()
    caller.calls.fail = None
    caller.click(sheet.act)
    caller.window.until(lambda: caller.room.recording.bar is not None)


def test_another_folder_is_chosen_without_leaving_the_sheet(
    caller: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("films")
    caller.recordings.kept = str(folder.parent)
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet = sheet_of(caller)
    caller.click(sheet.change)
    caller.window.until(lambda: sheet.findChild(QFileDialog) is not None)
    dialog = sheet.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(name, QLineEdit)
    name.setText(str(folder))
    QTest.keyClick(name, Qt.Key.Key_Return)
    caller.window.until(lambda: caller.recordings.kept == str(folder))
    caller.window.until(lambda: folder.name in sheet.folder.text())


def test_the_sheet_goes_with_the_call(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_R, CTRL_SHIFT)
    sheet_of(caller)
    caller.room.acts.leave()
    caller.window.until(lambda: not caller.has_room)
    assert not any(
        isinstance(w, RecordSheet) for w in QApplication.topLevelWidgets() if w.isVisible()
    )


def test_who_records_sees_time_and_size_and_pauses_and_stops(caller: Caller) -> None:
    call = caller.join()
    begin(caller)
    bar = caller.room.recording.bar
    assert bar is not None
    caller.change(call, recording=RecordingNow("r1", "/r/call.mkv", 65.0, 12_000_000))
    caller.window.until(lambda: bar.words().startswith("Recording 01:"))
    assert bar.words().endswith("12 MB")
    caller.click(bar.pause)
    caller.window.until(lambda: caller.asked("pause_recording") == [(True,)])
    caller.window.until(lambda: bar.words().startswith("Paused"))
    assert bar.pause.accessibleName() == "Go on recording"
    caller.click(bar.pause)
    caller.window.until(lambda: bar.words().startswith("Recording"))
    caller.click(bar.stop)
    caller.window.until(lambda: caller.asked("stop_recording") == [()])
    caller.window.until(lambda: caller.room.recording.bar is None)
    caller.window.until(lambda: any("in your list" in n for n in caller.call_window.notices()))


def test_the_time_goes_on_between_two_reports_and_stands_still_in_a_pause(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = caller.join()
    begin(caller)
    bar = caller.room.recording.bar
    assert bar is not None
    now = [100.0]
    # Its clock alone: the loops of the window and of the nodes go by the clock of the system.
    monkeypatch.setattr(incall_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    caller.change(call, recording=RecordingNow("r1", "/r/call.mkv", 60.0))
    caller.window.until(lambda: bar.words() == "Recording 01:00")
    now[0] += 3
    caller.window.until(lambda: bar.words() == "Recording 01:03")
    caller.change(call, recording=RecordingNow("r1", "/r/call.mkv", 63.0, paused=True))
    now[0] += 30
    caller.window.until(lambda: bar.words() == "Paused 01:03")
    assert not caller.room.recording._tick.isActive()


def test_while_somebody_records_the_head_says_so(caller: Caller) -> None:
    call = caller.join()
    sign = caller.call_window.recorded
    assert not sign.isVisible()
    records(caller, call)
    caller.window.until(sign.isVisible)
    assert sign.text() == "Mara records"
    assert sign.accessibleName() == "Recording: Mara records"
    caller.window.until(lambda: "Mara began to record this call." in caller.call_window.notices())
    records(caller, call, on=False)
    caller.window.until(lambda: not sign.isVisible())
    caller.window.until(lambda: "Mara no longer records this call." in caller.call_window.notices())


def test_several_who_record_are_counted_and_oneself_comes_first(caller: Caller) -> None:
    call = caller.join(caller.other(1, records=True), caller.other(2, records=True))
    sign = caller.call_window.recorded
    caller.window.until(lambda: sign.text() == "Mara and 1 more record")
    me = caller.calls.me(records=True)
    caller.change(call, participants=(caller.other(1, records=True), me))
    caller.window.until(lambda: sign.text() == "You and 1 more record")


def test_the_sign_stays_in_the_narrowest_window(caller: Caller) -> None:
    call = caller.join()
    records(caller, call)
    window = caller.call_window
    caller.change(call, locked=True)
    caller.window.until(window.locked.isVisible)
    window.show_title("#a-conversation-with-a-very-long-name", is_channel=True)
    window.resize(window.minimumSize())
    caller.window.until(window.recorded.isVisible)
    QApplication.processEvents()
    assert window.recorded.width() >= 55  # dot and REC
    assert window.more.geometry().right() <= window.width()
    assert window.locked.width() >= window.locked.sizeHint().width()
    assert window.rect().contains(window.recorded.mapTo(window, QPoint(0, 0)))
    assert red_in(window.recorded)


def red_in(widget: QWidget) -> bool:
    """Whether anything red is drawn in a widget."""
    picture = widget.grab().toImage()
    return any(
        picture.pixelColor(x, y).red() > picture.pixelColor(x, y).green() + 60
        for x in range(picture.width())
        for y in range(picture.height())
    )


def test_who_comes_into_a_recorded_call_is_told_at_once(caller: Caller) -> None:
    caller.join(caller.other(records=True))
    words = "Mara records this call: what you say and show is in it."
    caller.window.until(lambda: words in caller.call_window.notices())


def test_beginning_and_end_are_announced_to_a_screen_reader(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def take(event: object) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            said.append(event.message())

    class _Reader:
        isActive = staticmethod(lambda: True)
        updateAccessibility = staticmethod(take)

    monkeypatch.setattr(announce_module, "QAccessible", _Reader)
    call = caller.join()
    records(caller, call)
    caller.window.until(lambda: said == ["Mara began to record this call."])
    records(caller, call, on=False)
    caller.window.until(lambda: said[1:] == ["Mara no longer records this call."])


def test_the_strip_and_the_small_view_say_who_records(caller: Caller) -> None:
    call = caller.join()
    strip = caller.desk.strip
    caller.window.until(strip.isVisible)
    assert not red_in(strip.body)
    records(caller, call)
    caller.window.until(lambda: "Mara records" in strip.body.accessibleName())
    assert red_in(strip.body)
    caller.room.show_compact()
    compact = caller.room.small.compact
    assert compact is not None
    caller.window.until(compact.recorded.isVisible)
    assert compact.recorded.text() == "Mara records"
    assert red_in(compact.recorded)
    caller.room.show()


def test_a_recording_that_begins_while_the_window_is_hidden_is_said_in_the_main_window(
    caller: Caller,
) -> None:
    call = caller.join()
    caller.room.hide()
    records(caller, call)
    caller.window.until(
        lambda: any(
            "Mara began to record" in words_in(toast)
            for toast in caller.window.shell.findChildren(Toast)
        )
    )


def test_a_recording_that_ended_by_itself_says_why_until_the_note_is_closed(
    caller: Caller,
) -> None:
    call = caller.join()
    begin(caller)
    me = caller.calls.me()
    caller.change(call, participants=(caller.other(), me), recording=None)
    caller.publish(CallNotice("recording", "The disk is full.", "The recording plays up to there."))
    words = "The disk is full. The recording plays up to there."
    caller.window.until(lambda: words in caller.call_window.notices())
    assert caller.room.recording.bar is None


def test_what_is_large_is_told_only_while_one_records(caller: Caller) -> None:
    mara = caller.other(1)
    second = caller.other(2)
    call = caller.join(mara, second)
    caller.room.set_layout(LayoutKind.GRID)
    caller.room.toggle_pin((mara.person, mara.device))
    QApplication.processEvents()
    assert caller.calls.seen == ("", None)
    begin(caller)
    caller.window.until(lambda: caller.calls.seen == ("speaker", mara.device))
    caller.room.toggle_pin((mara.person, mara.device))
    caller.window.until(lambda: caller.calls.seen == ("grid", None))
    caller.room.set_layout(LayoutKind.SPEAKER)
    caller.window.until(lambda: caller.calls.seen[0] == "speaker")
    for _ in range(30):
        caller.publish(CallLevels(call.id, ((second.device, 0.7, True),)))
    caller.window.until(lambda: caller.calls.seen == ("speaker", second.device))


def test_who_is_rung_into_a_recorded_call_sees_it_before_answering(caller: Caller) -> None:
    place, there = caller.place(), caller.other(records=True)
    caller.tell(lambda: caller.calls.ringing(place, there))
    caller.window.until(lambda: caller.window.main.calls.is_loaded and caller.desk.rings.cards)
    [card] = caller.desk.rings.cards.values()
    assert "calls in #general · Mara records" in words_in(card)


def test_a_screen_that_is_looked_at_is_told_as_what_is_large(caller: Caller) -> None:
    mara, second = caller.other(1), caller.other(2)
    call = caller.join(mara, second)
    caller.room.set_layout(LayoutKind.GRID)
    begin(caller)
    caller.window.until(lambda: caller.calls.seen == ("grid", None))
    rows = caller.calls.calls[call.id].participants
    shares = [replace(p, screen=True, screen_width=800, screen_height=600) for p in rows[:2]]
    caller.change(call, participants=(*shares, rows[2]))
    caller.window.until(lambda: caller.calls.seen == ("speaker", mara.device))
    caller.room.toggle_pin(screen_key(shares[1]))
    caller.window.until(lambda: caller.calls.seen == ("speaker", second.device))


def test_the_sign_fits_the_smallest_window_of_a_picture(caller: Caller) -> None:
    mara = replace(caller.other(1, records=True), name="Maximiliane-Charlotte Oduya")
    caller.join(mara)
    caller.room.pop_out(key_of(mara))
    window = caller.room.small.pop_outs[key_of(mara)]
    caller.window.until(window.recorded.isVisible)
    window.resize(window.minimumSize())
    caller.window.until(lambda: window.width() == window.minimumWidth())
    assert window.rect().contains(window.recorded.geometry())
    assert red_in(window.recorded)


def test_a_picture_in_a_window_of_its_own_wears_the_sign(caller: Caller) -> None:
    mara = caller.other(1, screen=True, screen_width=800, screen_height=600)
    call = caller.join(mara)
    caller.room.pop_out(key_of(mara))
    records(caller, call)
    person = caller.room.small.pop_outs[key_of(mara)]
    caller.window.until(person.recorded.isVisible)
    caller.room.pop_out(screen_key(mara), full=True)
    screen = caller.room.small.pop_outs[screen_key(mara)]
    caller.window.until(lambda: screen.isFullScreen() and screen.recorded.isVisible())
    assert screen.recorded.text() == "Mara records"
    assert red_in(screen.recorded)
    inside = screen.recorded.geometry()
    assert screen.rect().contains(inside)
    assert screen.childAt(inside.center()) is not screen.recorded  # it takes no clicks
    records(caller, call, on=False)
    caller.window.until(lambda: not screen.recorded.isVisible())
    assert not person.recorded.isVisible()


def test_where_the_side_bar_is_folded_the_header_says_who_records(caller: Caller) -> None:
    call = caller.join()
    records(caller, call)
    sign = caller.desk.recorded
    caller.window.until(lambda: "Mara records" in caller.desk.strip.body.accessibleName())
    assert not sign.isVisible()
    caller.window.shell.resize(420, 600)
    caller.window.until(sign.isVisible)
    assert sign.text() == "Mara records"
    assert red_in(sign)
    records(caller, call, on=False)
    caller.window.until(lambda: not sign.isVisible())
