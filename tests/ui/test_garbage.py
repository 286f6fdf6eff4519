"""Who deletes what was left in a cycle."""

from __future__ import annotations

import gc
import threading

from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from folkmoot.ui.garbage import YOUNG, Garbage


class Cyclic(QTimer):
    """A timer that only the collector can delete, and that says in which thread."""

    def __init__(self, deleted_in: list[int]) -> None:
        super().__init__()
        self.me = self
        self._deleted_in = deleted_in

    def __del__(self) -> None:
        self._deleted_in.append(threading.get_ident())


def _allocate() -> None:
    kept = [[number] for number in range(20 * YOUNG)]
    assert kept


def test_only_the_thread_of_the_window_deletes_what_is_qt_s(qtbot: QtBot) -> None:
    gc.enable()  # as Python starts
    parent = QObject()
    garbage = Garbage(parent)
    deleted_in: list[int] = []
    Cyclic(deleted_in)
    other = threading.Thread(target=_allocate)
    other.start()
    other.join()
    assert deleted_in == []
    kept = [[number] for number in range(2 * YOUNG)]
    garbage.look()
    assert kept
    assert deleted_in == [threading.get_ident()]


def test_young_garbage_goes_by_itself(qtbot: QtBot) -> None:
    parent = QObject()
    garbage = Garbage(parent)
    deleted_in: list[int] = []
    Cyclic(deleted_in)
    kept = [[number] for number in range(2 * YOUNG)]
    qtbot.waitUntil(lambda: bool(deleted_in), timeout=20_000)
    assert kept
    assert garbage.parent() is parent
