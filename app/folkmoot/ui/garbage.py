"""Looks for cyclic garbage in the window's thread only.

Python's collector runs in whichever thread happens to allocate. Let loose, the node's thread would
delete widgets and timers that a closed dialog left in a cycle, and Qt must not lose an object in
another thread than its own: its timers would fire into freed memory.
"""

from __future__ import annotations

import gc
import time

from PySide6.QtCore import QObject, QTimer

LOOK_MS = 500
YOUNG, MIDDLE, OLD = 5_000, 10, 10
"""Allocations, and collections of the generation before, after which one is looked through."""
OLD_S = 60.0
"""The whole heap is looked through this often at most: it takes tens of milliseconds."""


class Garbage(QObject):
    """Takes the collector over; lives as long as `parent`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # what the start made stays: it need not be looked through again
        self._old_at = time.monotonic()
        timer = QTimer(self, interval=LOOK_MS)
        timer.timeout.connect(self.look)
        timer.start()

    def look(self) -> None:
        """Collect the generations that are due."""
        young, middle, old = gc.get_count()
        if young < YOUNG:
            return
        now = time.monotonic()
        if old > OLD and now - self._old_at > OLD_S:
            self._old_at = now
            gc.collect()
        else:
            gc.collect(1 if middle > MIDDLE else 0)
