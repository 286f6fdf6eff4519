"""The player over real files that PyAV made: keys, slider, chapters, and files that are broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from folkmoot.services.call_values import Chapter, Recording
from folkmoot.ui.recording.player import Player
from folkmoot.ui.recording.window import RecordingsWindow
from ui.call_window import Caller
from ui.films import CHAPTERS, colour_at, make_film, make_tracks, recording

SHORT = (
    Chapter(0.0, "joined", "Mara and Elin are here"),
    Chapter(2.3, "hand", "Mara raises a hand"),
    Chapter(4.3, "chat", "Elin Aas: line 20"),
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds, a colour each."""
    return make_film(tmp_path_factory.mktemp("films") / "whole.mkv")


def play(caller: Caller, made: Recording) -> tuple[RecordingsWindow, Player]:
    """Open a recording from the list."""
    caller.recordings.held = [replace(made, conversation=caller.place())]
    library = caller.desk.library
    library.open()
    window = library.window
    assert window is not None
    caller.window.until(lambda: [r.state.recording.id for r in window.rows] == [made.id])
    QTest.keyClick(window.rows[0], Qt.Key.Key_Return)
    caller.window.until(lambda: library.player is not None and library.player.isVisible())
    assert library.player is not None
    return window, library.player


def still(caller: Caller, player: Player) -> None:
    """It shows something, and stands a little after the start."""
    caller.window.until(lambda: player.engine.is_playing and shows_any(player))
    QTest.keyClick(player, Qt.Key.Key_Space)
    caller.window.until(lambda: not player.engine.is_playing)
    player.engine.seek(200)  # it may have come further than a second
    caller.window.until(lambda: shows(player, 0))


def shows(player: Player, second: int) -> bool:
    """Whether the picture is that of a second."""
    return second in seconds_of(player.picture.image)


def shows_any(player: Player) -> bool:
    """Whether the picture is one of the film."""
    return bool(seconds_of(player.picture.image))


def seconds_of(image: QImage) -> list[int]:
    """The second of which this is a picture; none, if it is one of none."""
    if image.isNull():
        return []
    seen = image.pixelColor(80, 45)
    got = (seen.red(), seen.green(), seen.blue())
    return [
        second
        for second in range(6)
        if all(abs(a - b) < 12 for a, b in zip(got, colour_at(second), strict=True))
    ]


def watch(player: Player) -> list[int]:
    """The seconds of which pictures come from now on: each is in sight for a second only."""
    seen: list[int] = []
    to_image = player.engine.to_image
    player.engine.pictured.connect(lambda frame: seen.extend(seconds_of(to_image(frame))))
    return seen


def film_of(film: Path, **changes: object) -> Recording:
    """The film as a recording."""
    return replace(recording(1, str(film), duration_s=6.0, chapters=SHORT), **changes)  # type: ignore[arg-type]


def test_a_recording_plays_and_space_stops_it(caller: Caller, film: Path) -> None:
    window, player = play(caller, film_of(film))
    assert window.windowTitle() == "#general: recording"
    caller.window.until(lambda: player.engine.is_playing and player.engine.position > 100)
    assert player.controls.play.accessibleName() == "Pause (Space)"
    caller.window.until(lambda: shows_any(player))
    still(caller, player)
    assert player.controls.play.accessibleName() == "Play (Space)"
    assert player.controls.time.text() == "00:00 / 00:06"
    caller.click(player.controls.play)
    caller.window.until(lambda: player.engine.is_playing)


def test_arrows_go_five_seconds_on_and_back(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    seek = player.controls.seek
    assert seek.hasFocus()
    QTest.keyClick(seek, Qt.Key.Key_Right)
    caller.window.until(lambda: shows(player, 5))
    QTest.keyClick(player, Qt.Key.Key_Left)
    caller.window.until(lambda: shows(player, 0))


def test_a_press_on_the_slider_goes_there_and_near_a_mark_to_the_mark(
    caller: Caller, film: Path
) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    seek = player.controls.seek
    caller.window.until(lambda: seek.maximum() > 5_900)
    QTest.mouseClick(seek, Qt.MouseButton.LeftButton, pos=_on(player, 3_400))
    caller.window.until(lambda: shows(player, 3))
    beside = _on(player, 2_300) + QPoint(3, 0)
    QTest.mouseClick(seek, Qt.MouseButton.LeftButton, pos=beside)
    caller.window.until(lambda: shows(player, 2))
    assert seek.value() == 2_300


def _on(player: Player, at_ms: int) -> QPoint:
    return QPoint(round(player.controls.seek.place_of(at_ms)), 14)


def test_chapters_are_listed_and_a_press_goes_there(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    rows = player.chapters.rows
    assert [row.accessibleName() for row in rows] == [
        "00:00, Joined: Mara and Elin are here",
        "00:02, Hand raised: Mara raises a hand",
        "00:04, Message: Elin Aas: line 20",
    ]
    assert rows[0].is_current
    caller.click(rows[1])
    caller.window.until(lambda: shows(player, 2) and rows[1].is_current)
    assert not rows[0].is_current
    rows[1].setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(rows[1], Qt.Key.Key_Down)
    assert rows[2].hasFocus()
    QTest.keyClick(rows[2], Qt.Key.Key_Return)
    caller.window.until(lambda: shows(player, 4) and rows[2].is_current)


def test_the_marks_stand_on_the_slider(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    seek = player.controls.seek
    caller.window.until(lambda: seek.maximum() > 5_900)
    picture = seek.grab().toImage()
    ratio = picture.devicePixelRatio()

    def dark(x: float) -> bool:
        pixel = picture.pixelColor(round(x * ratio), round(9 * ratio))
        return pixel.lightness() < 160

    assert dark(seek.place_of(2_300))
    assert dark(seek.place_of(4_300))
    assert not dark(seek.place_of(3_000))


def test_a_chapter_of_a_message_leads_back_to_its_conversation(caller: Caller, film: Path) -> None:
    for number in range(60):
        caller.window.write(f"line {number}")
    message = caller.window.message("line 20")
    _, player = play(caller, film_of(film, started_at_ms=message.sent_at_ms - 4_300))
    back = player.chapters.rows[2].message
    assert back is not None
    assert player.chapters.rows[1].message is None
    caller.click(back)
    caller.window.until(lambda: caller.window.timeline.placed(message.id) is not None)
    assert not player.engine.is_playing


def test_the_volume_follows_keys_and_m_is_silence(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    controls = player.controls
    controls.show_sound(True)
    controls.loudness.setEnabled(True)
    controls.mute.setEnabled(True)
    heard: list[float] = []
    controls.volume_changed.connect(heard.append)
    controls.loudness.setFocus()
    QTest.keyClick(controls.loudness, Qt.Key.Key_Left)
    assert heard == [0.95]
    QTest.keyClick(player, Qt.Key.Key_M)
    assert heard[-1] == 0.0
    assert controls.mute.accessibleName() == "Hear again (M)"
    QTest.keyClick(player, Qt.Key.Key_M)
    assert heard[-1] == 0.95


def test_full_screen_leaves_only_picture_and_controls_until_escape(
    caller: Caller, film: Path
) -> None:
    window, player = play(caller, film_of(film))
    caller.click(player.controls.full)
    caller.window.until(window.isFullScreen)
    assert not player.title.isVisible()
    assert not player.chapters.isVisible()
    assert player.controls.isVisible()
    QTest.keyClick(player, Qt.Key.Key_Escape)
    caller.window.until(lambda: not window.isFullScreen())
    assert player.title.isVisible()
    assert player.chapters.isVisible()


def test_escape_goes_back_to_the_row_in_the_list_and_nothing_plays_on(
    caller: Caller, film: Path
) -> None:
    window, player = play(caller, film_of(film))
    caller.window.until(lambda: player.engine.is_playing)
    QTest.keyClick(player, Qt.Key.Key_Escape)
    assert window.shows_list
    assert window.rows[0].hasFocus()
    caller.window.until(lambda: not player.engine.is_playing)


def test_closing_the_window_stops_it(caller: Caller, film: Path) -> None:
    window, player = play(caller, film_of(film))
    caller.window.until(lambda: player.engine.is_playing)
    window.close()
    caller.window.until(lambda: not player.engine.is_playing)
    caller.desk.library.open()
    assert window.shows_list


def test_at_its_end_it_stands_and_play_begins_anew(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    player.controls.seek.step(5_700)
    caller.window.until(lambda: shows(player, 5))
    played: list[bool] = []
    player.engine.played.connect(played.append)
    QTest.keyClick(player, Qt.Key.Key_Space)
    caller.window.until(lambda: True in played and not player.engine.is_playing)
    assert shows(player, 5)
    seen = watch(player)
    QTest.keyClick(player, Qt.Key.Key_Space)
    caller.window.until(lambda: 0 in seen)


def test_play_at_the_end_begins_anew_also_where_nothing_was_played_to_it(
    caller: Caller, film: Path
) -> None:
    _, player = play(caller, film_of(film))
    still(caller, player)
    QTest.keyClick(player.controls.seek, Qt.Key.Key_End)
    caller.window.until(lambda: shows(player, 5))
    seen = watch(player)
    QTest.keyClick(player, Qt.Key.Key_Space)
    caller.window.until(lambda: 0 in seen)
    assert player.engine.is_playing


def test_what_a_kill_left_plays_and_seeks_by_the_length_that_the_list_knows(
    caller: Caller, tmp_path: Path
) -> None:
    path = make_film(tmp_path / "live.mkv", whole=False)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.9)])
    _, player = play(caller, film_of(path, state="broken off", duration_s=5.0))
    assert "Broken off: it plays up to 00:05" in player.facts.text()
    still(caller, player)
    assert player.controls.seek.maximum() == 5_000
    caller.click(player.chapters.rows[1])
    caller.window.until(lambda: shows(player, 2))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "The file is missing. Was it moved or deleted?"),
        (b"", "The file is empty: nothing was recorded."),
        (b"this is no film " * 500, "The file is damaged: nothing in it can be played."),
    ],
)
def test_a_file_that_cannot_be_played_says_why(
    caller: Caller, tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "film.mkv"
    if content is not None:
        path.write_bytes(content)
    _, player = play(caller, film_of(path, chapters=CHAPTERS))
    caller.window.until(lambda: player.picture.words == words)
    assert player.picture.accessibleName() == words
    assert not player.controls.play.isEnabled()
    assert player.elsewhere.isVisible() == (content is not None)
    QTest.keyClick(player, Qt.Key.Key_Escape)
    assert caller.desk.library.window is not None
    assert caller.desk.library.window.shows_list


def test_after_a_broken_file_a_whole_one_plays(caller: Caller, film: Path, tmp_path: Path) -> None:
    window, player = play(caller, film_of(tmp_path / "gone.mkv"))
    caller.window.until(lambda: player.picture.words)
    QTest.keyClick(player, Qt.Key.Key_Escape)
    window.close()
    _, again = play(caller, film_of(film, id="r2"))
    caller.window.until(lambda: again.engine.is_playing and shows_any(again))
    assert again.controls.play.isEnabled()


def test_of_tracks_one_chooses_whose_picture_and_whose_voice(
    caller: Caller, tmp_path: Path
) -> None:
    path = make_tracks(tmp_path / "tracks.mkv")
    _, player = play(caller, film_of(path, duration_s=3.0, chapters=()))
    caller.window.until(player.controls.tracks.isVisible)
    caller.window.until(lambda: light(player) > 120)
    player.engine.pause()
    caller.click(player.controls.tracks)
    assert offered() == [
        "Picture",
        "Mara Oduya*",
        "Tomas Lind",
        "Voice",
        "Mara Oduya*",
        "Tomas Lind",
    ]
    caller.choose("Tomas Lind")
    caller.window.until(lambda: light(player) < 60)
    assert player.engine.chosen == (1, 0)


def test_a_recording_with_one_picture_offers_no_tracks(caller: Caller, film: Path) -> None:
    _, player = play(caller, film_of(film))
    caller.window.until(lambda: player.engine.position > 150)
    assert not player.controls.tracks.isVisible()


def light(player: Player) -> int:
    """How light the middle of the picture is; 90 for none."""
    image = player.picture.image
    return 90 if image.isNull() else image.pixelColor(80, 45).lightness()


def offered() -> list[str]:
    """The words of the menu that is open; what is on has a star."""
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    actions = [action for action in menu.actions() if action.text()]
    return [action.text() + "*" * action.isChecked() for action in actions]


def test_pictures_that_nobody_sees_are_not_made(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = make_film(tmp_path / "long.mkv", seconds=30)
    window, player = play(caller, film_of(film, duration_s=30.0))
    caller.window.until(lambda: shows_any(player))
    made: list[object] = []

    def make(frame: object) -> QImage:
        made.append(frame)
        return QImage()

    window.showMinimized()
    caller.window.until(window.isMinimized)
    QApplication.processEvents()
    monkeypatch.setattr(player.picture, "_to_image", make)
    at_ms = player.engine.position
    caller.window.until(lambda: player.engine.position > at_ms + 600)
    assert made == []
    assert player.engine.is_playing
