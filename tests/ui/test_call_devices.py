"""Devices: the check before a call, the settings, the menus during one; and calls of before."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from fakes.calls import DEVICES, ME, call_id
from folkmoot.services.call_values import CallRecord, MediaChoice, MediaDevices
from folkmoot.services.events import CallLevels, CallNotice, DevicesChanged, MicrophoneTested
from folkmoot.services.media_port import SELF
from folkmoot.ui.call.check import CheckDialog
from folkmoot.ui.call.history import HistoryDialog
from ui.call_window import Caller
from ui.window import words_in


def check_of(caller: Caller) -> CheckDialog:
    """The dialog that is open."""
    caller.window.until(lambda: caller.desk.check is not None)
    check = caller.desk.check
    assert check is not None
    caller.window.until(lambda: check.camera.count() > 1)
    return check


def pick(box: QComboBox, name: str) -> None:
    """Choose from a box by the keyboard."""
    box.setFocus()
    for _ in range(box.count()):
        if box.currentText() == name:
            return
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == name


def test_a_video_call_begins_with_a_look_at_oneself(caller: Caller) -> None:
    caller.click(caller.window.main.view.header.video)
    check = check_of(caller)
    assert caller.asked("start") == []
    caller.window.until(lambda: caller.asked("check") == [(True, False, False, True)])
    caller.window.until(lambda: [t.peer for t in caller.calls.tiles] == [SELF])
    assert caller.calls.tiles[0].mirrored
    caller.publish(MicrophoneTested(0.5))
    caller.window.until(lambda: check.meter.level == 0.5)
    caller.click(check.act)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("start") == [(caller.place(), True, False)]
    caller.window.until(lambda: [on for on, *_ in caller.asked("check")[-1:]] == [False])


def test_a_call_begun_with_the_camera_off_never_opens_it(caller: Caller) -> None:
    caller.click(caller.window.main.view.header.video)
    check = check_of(caller)
    caller.click(check.camera_switch)
    caller.click(check.act)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("start") == [(caller.place(), False, False)]


def test_the_check_can_be_left_without_calling(caller: Caller) -> None:
    caller.click(caller.window.main.view.header.video)
    check = check_of(caller)
    QTest.keyClick(check, Qt.Key.Key_Escape)
    caller.window.until(lambda: caller.desk.check is None)
    assert caller.asked("start") == []
    caller.window.until(lambda: [on for on, *_ in caller.asked("check")[-1:]] == [False])
    caller.window.until(lambda: caller.calls.tiles == ())


def test_a_running_video_call_can_be_joined_with_the_camera_off(caller: Caller) -> None:
    call = caller.runs(video=True)
    caller.click(caller.window.main.view.header.running)
    check = check_of(caller)
    caller.click(check.camera_switch)
    caller.window.until(lambda: caller.asked("check")[-1:] == [(True, False, False, False)])
    caller.click(check.act)
    caller.window.until(lambda: caller.has_room)
    assert caller.asked("join") == [(call.id, False, True)]


def test_devices_are_chosen_heard_and_kept(caller: Caller) -> None:
    caller.desk.open_settings()
    check = check_of(caller)
    pick(check.microphone, "Headset")
    caller.window.until(lambda: caller.calls.kept.microphone == "mic-2")
    caller.click(check.loopback)
    caller.window.until(lambda: caller.asked("check")[-1:] == [(True, True, False, True)])
    caller.click(check.test)
    caller.window.until(lambda: caller.asked("check")[-1:] == [(True, True, True, True)])
    caller.click(check.noise)
    caller.window.until(lambda: not caller.calls.kept.noise_suppression)
    pick(check.profile, "High: the largest pictures that all can take")
    caller.window.until(lambda: caller.calls.kept.profile == "high")
    pick(check.height_choice, "At most 360 lines")
    caller.window.until(lambda: caller.calls.kept.height == 360)
    pick(check.codec, "H264, by the graphics card where it can")
    caller.window.until(lambda: caller.calls.kept.codec == "h264")
    check.servers.setText("stun:stun.example.org")
    check.servers.editingFinished.emit()
    caller.window.until(lambda: caller.calls.kept.ice_servers == "stun:stun.example.org")
    caller.click(check.close_button)
    caller.window.until(lambda: caller.desk.check is None)


def test_the_settings_lead_to_calls_and_devices(caller: Caller) -> None:
    caller.click(caller.window.main.view.side_bar.settings)
    caller.window.click_text("Calls and devices")
    assert check_of(caller).windowTitle() == "Calls and devices"


def test_what_was_chosen_and_is_not_plugged_in_is_said(caller: Caller) -> None:
    caller.calls.kept = MediaChoice(microphone="mic-9")
    caller.desk.open_settings()
    check = check_of(caller)
    assert check.microphone.currentText() == "The one chosen before (not plugged in)"
    caller.publish(DevicesChanged(MediaDevices()))
    caller.window.until(lambda: check.speaker.currentText() == "None found")


def test_a_fault_that_comes_and_goes_moves_no_button_away(caller: Caller) -> None:
    caller.click(caller.window.main.view.header.video)
    check = check_of(caller)
    stood = check.microphone.mapTo(check, check.microphone.rect().center())
    caller.publish(CallNotice("camera", "There is no camera here."))
    caller.window.until(lambda: "There is no camera here." in words_in(check))
    QApplication.processEvents()
    assert check.microphone.mapTo(check, check.microphone.rect().center()) == stood
    before = check.act.mapToGlobal(check.act.rect().center())
    caller.publish(CallNotice("camera", ""))
    caller.window.until(lambda: "There is no camera here." not in words_in(check))
    for _ in range(3):
        QApplication.processEvents()
    assert check.act.mapToGlobal(check.act.rect().center()) == before


def test_a_list_that_is_read_stays_as_it_is_until_it_is_closed(caller: Caller) -> None:
    caller.desk.open_settings()
    check = check_of(caller)
    QTest.mouseClick(check.camera, Qt.MouseButton.LeftButton)
    caller.window.until(lambda: check.camera.is_open)
    QTest.keyClick(check.camera.view(), Qt.Key.Key_End)
    caller.publish(DevicesChanged(MediaDevices()))
    caller.window.until(lambda: check.speaker.currentText() == "None found")
    QTest.keyClick(check.camera.view(), Qt.Key.Key_Return)
    caller.window.until(lambda: caller.calls.kept.camera == "test")
    caller.window.until(lambda: check.camera.itemText(0) == "None found")
    assert check.camera.currentText() == "Test picture"


def test_a_device_that_is_busy_stands_in_the_dialog_with_what_to_do(caller: Caller) -> None:
    caller.desk.open_settings()
    check = check_of(caller)
    said = "The camera is used by another program."
    caller.publish(CallNotice("camera", said, "Close that program."))
    caller.window.until(lambda: f"{said} Close that program." in words_in(check))
    caller.publish(CallNotice("camera", ""))
    caller.window.until(lambda: said not in words_in(check))


def test_another_microphone_is_chosen_during_a_call(caller: Caller) -> None:
    caller.join()
    caller.window.until(lambda: caller.room.devices == DEVICES)
    caller.click(caller.call_window.bar.microphones)
    menu = QApplication.activePopupWidget()
    assert menu is not None
    action = next(a for a in menu.actions() if a.text() == "Headset")
    action.trigger()
    menu.close()
    caller.window.until(lambda: caller.calls.kept.microphone == "mic-2")


def test_the_settings_during_a_call_show_its_level_and_nothing_that_a_call_forbids(
    caller: Caller,
) -> None:
    call = caller.join()
    caller.click(caller.call_window.more)
    caller.choose("Calls and devices…")
    check = check_of(caller)
    assert not check.loopback.isVisible()
    assert not check.test.isVisible()
    assert caller.asked("check") == []
    caller.publish(CallLevels(call.id, ((ME, 0.4, True),)))
    caller.window.until(lambda: check.meter.level == 0.4)


def test_another_camera_is_chosen_during_a_call(caller: Caller) -> None:
    caller.join()
    caller.window.until(lambda: caller.room.devices == DEVICES)
    caller.click(caller.call_window.bar.cameras)
    caller.choose("Document camera")
    caller.window.until(lambda: caller.calls.kept.camera == "cam-2")


def test_calls_of_before_say_which_were_missed_and_lead_to_their_place(caller: Caller) -> None:
    shipping, general = caller.place("shipping"), caller.place()
    mara, elin = caller.mara.id, caller.elin.id
    caller.calls.records = [
        CallRecord(
            call_id(1), shipping, mara, "Mara Oduya", False, 1_000, 2_000, 0, (mara,), (), False
        ),
        CallRecord(
            call_id(2), general, elin, "Elin Aas", True, 0, 90_000, 90, (elin, mara), (), True
        ),
        CallRecord(
            *(call_id(3), general, mara, "Mara Oduya", True, 0, 90_000, 90, (mara,), (), False),
            is_open=True,
        ),
        CallRecord(
            *(call_id(4), general, mara, "Mara Oduya", True, 0, 1_000, 0, (mara,), (), False),
            declined=True,
        ),
        CallRecord(
            *(call_id(5), general, elin, "Elin Aas", True, 0, 1_000, 0, (elin,), (), True),
            declined_by=((mara, "Mara Oduya"),),
        ),
        CallRecord(
            *(call_id(6), general, elin, "Elin Aas", True, 0, 1_000, 0, (elin, mara), (), True),
        ),
    ]
    caller.click(caller.window.main.view.side_bar.team)
    caller.choose("Calls…")
    caller.window.until(lambda: isinstance(QApplication.activeModalWidget(), HistoryDialog))
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, HistoryDialog)
    caller.window.until(lambda: len(dialog.rows) == 6)
    missed, long, other, *rest = dialog.rows
    assert "01:30, without you" in other.accessibleName()
    assert not any(row.state.missed for row in (other, *rest))
    said = [row.accessibleName() for row in rest]
    for row, words in zip(said, ("You declined", "Mara declined", "Never connected"), strict=True):
        assert words in row
    assert missed.accessibleName().startswith("#shipping, Missed, Mara called")
    assert "01:30" in long.accessibleName()
    caller.click(missed)
    caller.window.until_open("#shipping")
