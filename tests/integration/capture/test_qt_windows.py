"""The ids of windows where Qt tells only titles."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtMultimedia import QWindowCapture

from folkmoot.media.capture import qt_screen


class Window:
    """A window as Qt tells it: two objects of one window are equal."""

    def __init__(self, number: int, title: str) -> None:
        self.number, self.title = number, title

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and other.number == self.number

    def __hash__(self) -> int:
        return self.number

    def description(self) -> str:
        return self.title

    def isValid(self) -> bool:
        return True


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Window]]:
    there: list[Window] = []
    monkeypatch.setattr(QWindowCapture, "capturableWindows", lambda: list(there))
    yield there
    qt_screen._named.clear()


def ids() -> dict[int, str]:
    return {window.number: id_ for id_, window in qt_screen.list_windows()}  # type: ignore[attr-defined]


def test_of_two_windows_with_one_title_each_keeps_its_id_when_the_other_is_raised(
    windows: list[Window],
) -> None:
    windows[:] = [Window(1, "New tab"), Window(2, "New tab")]
    before = ids()
    assert before == {1: "window:New tab", 2: "window:New tab#"}
    windows[:] = [Window(2, "New tab"), Window(1, "New tab")]
    assert ids() == before


def test_a_window_with_another_title_keeps_its_id_and_nobody_else_gets_it(
    windows: list[Window],
) -> None:
    windows[:] = [Window(1, "Plans")]
    ids()
    windows[:] = [Window(3, "Plans"), Window(1, "Money")]
    assert ids() == {1: "window:Plans", 3: "window:Plans#"}


def test_windows_without_a_title_are_left_out(windows: list[Window]) -> None:
    windows[:] = [Window(1, ""), Window(2, "Mail")]
    assert ids() == {2: "window:Mail"}
