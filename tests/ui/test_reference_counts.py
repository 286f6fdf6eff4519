"""PySide6 6.12.0 drops a reference to None with each void call, and the process dies of it."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QCoreApplication, QObject, QTimerEvent, Signal
from pytestqt.qtbot import QtBot

_SINGLETONS = (None, True, False)


class _Probe(QObject):
    told = Signal(object)

    def timerEvent(self, _event: QTimerEvent) -> None:
        return None


def test_a_second_of_calls_leaves_the_counts_alone(qtbot: QtBot) -> None:
    """A wrong binding loses one count a call: some 100,000 in this second; 1,000 are noise."""
    probe = _Probe()
    probe.told.connect(lambda _value: None)
    event = QTimerEvent(1)
    before = [sys.getrefcount(each) for each in _SINGLETONS]
    calls = 0
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        for _ in range(100):
            probe.setObjectName("probe")
            QCoreApplication.sendEvent(probe, event)
            probe.told.emit(None)
            probe.blockSignals(False)
        calls += 400
    after = [sys.getrefcount(each) for each in _SINGLETONS]
    assert calls > 10_000
    assert max(abs(b - a) for a, b in zip(before, after, strict=True)) < 1_000
