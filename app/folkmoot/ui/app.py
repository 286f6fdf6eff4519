"""Runs the window: first frame, then the node, then everything else.

Before the first frame nothing is imported but Qt's widgets and what is drawn; the loop for
coroutines, the presenters and the node come after it. Refuses to import storage: what is drawn
first comes in as a `FirstPage`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from folkmoot.services.values import FirstPage
from folkmoot.ui.early import EarlyInput
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Mode, Theme

if TYPE_CHECKING:
    from folkmoot.ui.bridge import NodeHandle
    from folkmoot.ui.session import Session

_LOOK_MS = 5
FIRST_FRAME_MS = 3000
"""A display that shows nothing for so long shall not keep the node from starting."""


def run(
    *,
    profile: Path,
    first: FirstPage | None,
    start: Callable[[], NodeHandle],
    proposed_name: str,
    computer_name: str,
    raised: Callable[[Callable[[], None]], None] | None = None,
) -> int:
    """Show the window, start the node after its first frame, and return the exit status.

    What comes after the frame is imported beside the loop, so that the window answers meanwhile.
    `start` is called in this thread once that is there and returns at once. `raised` is given
    the callback for a second start of the program.
    """
    application = QApplication(["folkmoot"])
    application.setApplicationName("folkmoot")
    application.setApplicationDisplayName("Folkmoot")
    application.setDesktopFileName("folkmoot")
    settings = dict(first.settings) if first is not None else {}
    theme = Theme(application, _mode(settings.get("window.theme", "")))
    shell = Shell(theme)
    shell.take_place(settings.get("window.place", ""))
    if first is not None and first.teams:
        from folkmoot.ui.main.first import build_main

        main = build_main(theme, first)
        shell.show_page(main)
        start_view = None
    else:
        from folkmoot.ui.start.view import StartView

        main = None
        start_view = StartView(theme)
        start_view.welcome.name.setText((first.name if first else "") or proposed_name)
        start_view.welcome.computer.setText(computer_name)
        shell.show_page(start_view)
    shell.show()
    early = EarlyInput(shell.windowHandle())
    session: list[Session] = []
    imports: list[_Import] = []

    def compose() -> None:
        from folkmoot.ui.garbage import Garbage
        from folkmoot.ui.session import Session

        Garbage(application)
        session.append(Session(application, shell, theme, profile, first, start))
        session[0].begin(start_view, main)
        early.give_back()

    def begin() -> None:
        if not imports:
            imports.append(_Import("folkmoot.ui.session", compose))

    shell.first_painted.connect(begin, Qt.ConnectionType.QueuedConnection)
    QTimer.singleShot(FIRST_FRAME_MS, begin)
    if raised is not None:
        raised(shell.come_forward)
    status = application.exec()
    for one in session:
        one.close()
        one.end_loop()
    return status


class _Import:
    """Imports a module beside the window's loop, which goes on turning, then calls `done` in it."""

    def __init__(self, name: str, done: Callable[[], None]) -> None:
        import importlib
        import threading

        self._thread = threading.Thread(target=importlib.import_module, args=(name,))
        self._done = done
        self._timer = QTimer(interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._thread.start()
        self._timer.start()

    def _look(self) -> None:
        if not self._thread.is_alive():
            self._timer.stop()
            self._done()


def _mode(name: str) -> Mode:
    return Mode(name) if name in {mode.value for mode in Mode} else Mode.SYSTEM
