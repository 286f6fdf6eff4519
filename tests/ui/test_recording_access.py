"""Everything of recording can be reached by Tab and has a name for a screen reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QSlider, QWidget

from ui.call_window import Caller
from ui.films import CHAPTERS, make_film, samples

_CONTROLS = (QAbstractButton, QSlider, QLineEdit)


def controls(part: QWidget) -> list[QWidget]:
    """What can be worked, in sight."""
    return [
        w
        for w in part.findChildren(QWidget)
        if isinstance(w, _CONTROLS)
        and w.isVisible()
        and w.isEnabled()
        and w.window() is part.window()
    ]


def unnamed(part: QWidget) -> list[str]:
    """Controls that say nothing."""
    return [type(w).__name__ for w in controls(part) if not _name(w)]


def _name(control: QWidget) -> str:
    words = control.text() if isinstance(control, QAbstractButton) else ""
    return control.accessibleName() or words


def missed_by_tab(caller: Caller, part: QWidget) -> set[str]:
    """Controls that Tab does not come to."""
    window = part.window()
    window.activateWindow()
    caller.window.until(window.isActiveWindow)
    wanted = {w: _name(w) for w in controls(part)}
    seen: set[QWidget] = set()
    for _ in range(3 * len(wanted) + 10):
        focus = window.focusWidget() or window
        seen.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    return {name for widget, name in wanted.items() if widget not in seen}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("films") / "film.mkv", seconds=3)


def test_the_sheet(caller: Caller) -> None:
    caller.join()
    caller.room.recording.open_sheet()
    sheet = caller.room.recording.sheet
    assert sheet is not None
    caller.window.until(sheet.isVisible)
    assert unnamed(sheet) == []
    # Of a group of choices Tab comes to the one that is on, arrows to the others.
    missed = missed_by_tab(caller, sheet)
    assert missed == {"Picture and sound: One track for each person", "File: MP4"}


def test_the_list(caller: Caller, film: Path) -> None:
    caller.recordings.held = samples(str(film))
    caller.desk.library.open()
    window = caller.desk.library.window
    assert window is not None
    caller.window.until(lambda: len(window.rows) == 5)
    assert unnamed(window) == []
    assert missed_by_tab(caller, window) == set()


def test_the_player(caller: Caller, film: Path) -> None:
    made = replace(samples(str(film))[1], chapters=CHAPTERS[:4], conversation=caller.place())
    caller.recordings.held = [made]
    library = caller.desk.library
    library.play("r2")
    caller.window.until(lambda: library.player is not None and library.player.isVisible())
    player = library.player
    assert player is not None
    caller.window.until(lambda: player.engine.position > 0)
    player.engine.pause()
    assert unnamed(player) == []
    assert missed_by_tab(caller, player) == set()
