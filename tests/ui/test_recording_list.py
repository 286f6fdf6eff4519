"""The list of recordings, by keys and clicks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit

from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import Recorded, Recording
from folkmoot.services.events import Gap, RecordingsChanged
from folkmoot.ui.call.history import RecordRow
from folkmoot.ui.recording.rows import RecordingRow
from folkmoot.ui.recording.window import RecordingsWindow
from ui.call_window import Caller
from ui.films import CHAPTERS, recording
from ui.samples import call_message, person
from ui.window import words_in


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was handed to other programs."""
    addresses: list[str] = []

    def take(url: QUrl) -> bool:
        addresses.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", take)
    return addresses


def show(caller: Caller, *held: Recording) -> RecordingsWindow:
    """The list with these, opened from the menu of the team."""
    place = caller.place()
    caller.recordings.held = [replace(one, conversation=place) for one in held]
    caller.click(caller.window.main.view.side_bar.team)
    caller.choose("Recordings…")
    caller.window.until(lambda: caller.desk.library.window is not None)
    window = caller.desk.library.window
    assert window is not None
    caller.window.until(lambda: len(window.rows) == len(held) and window.folder.text())
    caller.window.until(lambda: all(one.isVisible() for one in window.rows))
    return window


def row(window: RecordingsWindow, number: int) -> RecordingRow:
    """The row of recording `number`."""
    found = window.row(f"r{number}")
    assert found is not None
    return found


def test_without_recordings_the_list_says_how_one_is_made(caller: Caller) -> None:
    window = show(caller)
    caller.window.until(lambda: window.empty is not None)
    assert "No recordings yet" in words_in(window)
    assert not window.search.isEnabled()
    assert "/recordings" in window.folder.text()


def test_the_settings_and_the_menu_of_the_call_lead_to_the_list(caller: Caller) -> None:
    caller.click(caller.window.main.view.side_bar.settings)
    caller.window.click_text("Recordings")
    window = caller.desk.library.window
    assert window is not None
    assert window.isVisible()
    window.close()
    caller.join()
    caller.click(caller.call_window.more)
    caller.choose("Recordings…")
    caller.window.until(window.isVisible)


def test_the_newest_stands_first_and_each_says_where_who_when_and_how_long(caller: Caller) -> None:
    window = show(caller, recording(2), recording(1, duration_s=3_661.0, size_bytes=1_240_000_000))
    assert [r.state.recording.id for r in window.rows] == ["r1", "r2"]
    said = row(window, 1).accessibleName()
    assert said.startswith("#general, ")
    assert "1:01:01" in said
    assert "1.2 GB" in said
    assert row(window, 2).state.length == "12:03"


def test_what_is_not_whole_says_so_and_what_is_gone_cannot_be_played(caller: Caller) -> None:
    window = show(
        caller,
        recording(1, state="recording"),
        recording(2, state="broken off", duration_s=95.0),
        recording(3, state="missing"),
    )
    assert [r.state.mark for r in window.rows] == [
        "Recording now",
        "Broken off: it plays up to 01:35",
        "The file is missing",
    ]
    assert [r.play.isVisible() for r in window.rows] == [False, True, False]
    assert [r.folder.isVisible() for r in window.rows] == [True, True, False]
    QTest.keyClick(row(window, 3), Qt.Key.Key_Return)
    assert window.shows_list


def test_words_find_people_places_dates_and_what_happened(caller: Caller) -> None:
    window = show(caller, recording(1, chapters=CHAPTERS), recording(2, names=("Yuki Kato",) * 3))
    QTest.keyClicks(window.search, "laminate tomas")
    caller.window.until(lambda: [r.state.recording.id for r in window.rows] == ["r1"])
    assert window.count.text() == "1 of 2"
    window.search.clear()
    QTest.keyClicks(window.search, "keel")
    caller.window.until(lambda: "Nothing found" in words_in(window))
    QTest.keyClick(window.search, Qt.Key.Key_Escape)
    caller.window.until(lambda: len(window.rows) == 2)
    assert window.empty is None


def test_arrows_walk_the_rows(caller: Caller) -> None:
    window = show(caller, recording(1), recording(2))
    row(window, 1).setFocus()
    QTest.keyClick(row(window, 1), Qt.Key.Key_Down)
    assert row(window, 2).hasFocus()
    QTest.keyClick(row(window, 2), Qt.Key.Key_Down)
    assert row(window, 2).hasFocus()
    QTest.keyClick(row(window, 2), Qt.Key.Key_Up)
    assert row(window, 1).hasFocus()


def test_a_recording_is_deleted_only_after_one_more_press(caller: Caller) -> None:
    window = show(caller, recording(1), recording(2))
    QTest.keyClick(row(window, 2), Qt.Key.Key_Delete)
    assert window.confirmation.isVisible()
    assert "#general" in window.confirmation.accessibleName()
    QTest.keyClick(window.confirmation.delete, Qt.Key.Key_Escape)
    assert not window.confirmation.isVisible()
    QTest.keyClick(row(window, 2), Qt.Key.Key_Delete)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert not window.confirmation.isVisible()
    assert len(caller.recordings.held) == 2
    caller.click(row(window, 2).more)
    caller.choose("Delete…")
    caller.click(window.confirmation.delete)
    caller.window.until(lambda: [r.state.recording.id for r in window.rows] == ["r1"])
    assert [one.id for one in caller.recordings.held] == ["r1"]


def test_the_folder_of_a_file_is_shown_and_the_file_opened_elsewhere(
    caller: Caller, opened: list[str]
) -> None:
    window = show(caller, recording(1, "/films/hull/one.mkv"))
    caller.click(row(window, 1).folder)
    assert opened == ["/films/hull"]
    caller.click(row(window, 1).more)
    caller.choose("Open in another program")
    assert opened[1:] == ["/films/hull/one.mkv"]


def test_another_folder_is_chosen_and_one_that_does_not_serve_is_said(
    caller: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    window = show(caller, recording(1))
    folder = tmp_path_factory.mktemp("films")
    caller.recordings.kept = str(folder.parent)
    caller.recordings.fail = UserError("bad_folder", "Nothing can be written there.", "")
    caller.click(window.change)
    _choose(caller, window, str(folder))
    caller.window.until(window.problem.isVisible)
    assert "Nothing can be written there." in window.problem.accessibleName()
    caller.recordings.fail = None
    caller.click(window.change)
    _choose(caller, window, str(folder))
    caller.window.until(lambda: caller.recordings.kept == str(folder))
    caller.window.until(lambda: folder.name in window.folder.text())
    assert not window.problem.isVisible()


def _choose(caller: Caller, window: RecordingsWindow, path: str) -> None:
    def shown() -> QFileDialog | None:
        found = window.findChildren(QFileDialog)
        return next((one for one in found if one.isVisible()), None)

    caller.window.until(shown)
    dialog = shown()
    assert dialog is not None
    name = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(name, QLineEdit)
    name.setText(path)
    QTest.keyClick(name, Qt.Key.Key_Return)


def test_a_recording_that_ends_becomes_playable_while_the_list_is_open(caller: Caller) -> None:
    window = show(caller, recording(1, state="recording"))
    made = row(window, 1)
    assert not made.play.isVisible()
    ended = replace(caller.recordings.held[0], state="done", duration_s=61.0)
    caller.publish(RecordingsChanged(ended))
    caller.window.until(made.play.isVisible)
    assert row(window, 1) is made
    assert made.state.length == "01:01"


def test_the_conversation_is_shown_as_it_was_when_the_recording_began(caller: Caller) -> None:
    for number in range(60):
        caller.window.write(f"line {number}")
    middle = caller.window.message("line 20")
    window = show(caller, recording(1, started_at_ms=middle.sent_at_ms))
    row(window, 1).setFocus()
    caller.click(row(window, 1).more)
    caller.choose("Show the conversation then")
    timeline = caller.window.timeline
    caller.window.until(lambda: timeline.placed(middle.id) is not None)
    placed = timeline.placed(middle.id)
    assert placed is not None
    assert 0 <= placed.top < timeline.viewport().height()


def test_a_recording_that_is_not_in_the_list_any_more_is_said(caller: Caller) -> None:
    window = show(caller, recording(1))
    caller.desk.library.play("gone")
    caller.window.until(window.problem.isVisible)
    assert "not in your list" in window.problem.accessibleName()
    assert window.shows_list


def test_after_a_deletion_the_keyboard_goes_on_beside_it(caller: Caller) -> None:
    window = show(caller, recording(1), recording(2), recording(3))
    row(window, 2).setFocus()
    QTest.keyClick(row(window, 2), Qt.Key.Key_Delete)
    QTest.keyClick(window.confirmation.keep, Qt.Key.Key_Tab)
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    caller.window.until(lambda: len(window.rows) == 2)
    assert row(window, 3).hasFocus()
    QTest.keyClick(row(window, 3), Qt.Key.Key_Delete)
    QTest.keyClick(window.confirmation.delete, Qt.Key.Key_Escape)
    assert row(window, 3).hasFocus()


def test_a_window_that_lost_events_reads_the_list_anew(caller: Caller) -> None:
    window = show(caller, recording(1))
    caller.recordings.held = []
    caller.publish(Gap())
    caller.window.until(lambda: window.empty is not None)


def test_an_empty_list_stays_as_it_is_while_nothing_changes(caller: Caller) -> None:
    window = show(caller)
    caller.window.until(lambda: window.empty is not None)
    before = window.empty
    caller.window.session.model.conversations_changed.emit()
    assert window.empty is before


def test_the_history_of_calls_says_which_were_recorded(caller: Caller) -> None:
    shown = call_message(1, 2, 0, seconds=754).call
    assert shown is not None
    by_mara = Recorded(person(2), "Mara Oduya", 0, 60, is_me=False)
    caller.calls.records = [replace(shown, conversation=caller.place(), recorded=(by_mara,))]
    caller.desk.open_history()
    caller.window.until(lambda: caller.window.shell.findChildren(RecordRow))
    [made] = caller.window.shell.findChildren(RecordRow)
    assert made.state.line == "12:34 · recorded"
