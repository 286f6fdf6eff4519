"""PySide6 6.12.0 drops a reference to None with each void call, and the process dies of it."""

from __future__ import annotations

import sys

from PySide6.QtCore import QCoreApplication, QObject, QTimerEvent, Signal
from pytestqt.qtbot import QtBot

_SINGLETONS = (None, True, False)
_CALLS = 100_000


class _Probe(QObject):
    told = Signal(object)

    def timerEvent(self, _event: QTimerEvent) -> None:
        return None


def test_a_hundred_thousand_calls_leave_the_counts_alone(qtbot: QtBot) -> None:
    """A wrong binding loses one count a call; 1,000 are noise."""
    probe = _Probe()
    probe.told.connect(lambda _value: None)
    event = QTimerEvent(1)
    before = [sys.getrefcount(each) for each in _SINGLETONS]
    for _ in range(_CALLS // 4):
        probe.setObjectName("probe")
        QCoreApplication.sendEvent(probe, event)
        probe.told.emit(None)
        probe.blockSignals(False)
    after = [sys.getrefcount(each) for each in _SINGLETONS]
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 1_000
