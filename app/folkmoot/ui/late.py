"""Imports what is not needed for the first frame, while the window answers.

What knows no Qt is imported in a thread. What does is imported in the window's thread, a step for
each turn of its loop: PySide makes its types as modules ask for them, in tables that Qt's own code
reads without Python's lock, so a second thread that makes types is a crash now and then. Keep every
module that names a type of Qt out of `BESIDE`.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from PySide6.QtCore import QTimer

BESIDE = (
    "asyncio",
    "msgspec",
    "folkmoot.services.events",
    "folkmoot.services.values",
    "folkmoot.services.call_values",
    "folkmoot.services.doctor_text",
    "folkmoot.services.media_port",
    "folkmoot.domain.entry",
)
"""In a thread."""
IN_TURN = (
    "qasync",
    "folkmoot.ui.bridge",
    "folkmoot.ui.connections.card",
    "folkmoot.ui.timeline.documents",
    "folkmoot.ui.timeline.layout",
    "folkmoot.ui.timeline.view",
    "folkmoot.ui.conversation.pane",
    "folkmoot.ui.connections.servers",
    "folkmoot.ui.connections.window",
    "folkmoot.ui.connections.desk",
    "folkmoot.ui.conversation.presenter",
    "folkmoot.ui.main.right_pane",
    "folkmoot.ui.dialogs.presenter",
    "folkmoot.ui.main.view",
    "folkmoot.ui.main.beside",
    "folkmoot.ui.about.desk",
    "folkmoot.ui.main.presenter",
    "folkmoot.ui.start.view",
    "folkmoot.ui.session",
)
"""In the window's thread, in steps that take some milliseconds each."""
_LOOK_MS = 5


class LateImports:
    """Begins at once; calls `done` in the window's thread when everything is there.

    A module that is missing or damaged is no matter here: `done` meets it again, and can say so.
    """

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._left: Iterator[str] = iter(IN_TURN)
        self._thread = threading.Thread(target=_import_all, args=(BESIDE,))
        self._timer = QTimer(interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._thread.start()
        self._timer.start()

    def _look(self) -> None:
        if self._thread.is_alive():
            return
        self._timer.setInterval(0)
        name = next(self._left, None)
        if name is None:
            self._timer.stop()
            self._done()
        else:
            _import_all((name,))


def _import_all(names: tuple[str, ...]) -> None:
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)
