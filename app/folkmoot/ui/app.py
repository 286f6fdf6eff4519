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

from folkmoot.services.values import FirstPage
from folkmoot.ui.application import Application
from folkmoot.ui.early import EarlyInput
from folkmoot.ui.late import LateImports
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Mode, Theme

if TYPE_CHECKING:
    from folkmoot.ui.bridge import NodeHandle
    from folkmoot.ui.session import Session
    from folkmoot.ui.start.view import StartView

START_AGAIN = -1
FIRST_FRAME_MS = 3000
"""A display that shows nothing for so long shall not keep the node from starting."""


def run(
    *,
    profile: Path,
    first: FirstPage | None,
    start: Callable[[], NodeHandle],
    proposed_name: str,
    computer_name: str,
    link: str = "",
    listen: Callable[[Callable[[str], None]], None] | None = None,
) -> int:
    """Show the window, start the node after its first frame, and return the exit status, or
    `START_AGAIN` if the person wants the program to be started once more.

    What comes after the frame is imported while the window answers.
    `start` is called in this thread once that is there and returns at once. `link` is shown, and
    `listen` is given the callback for a second start of the program, with the link of that or an
    empty text.
    """
    application = Application(["folkmoot"])
    application.setApplicationName("folkmoot")
    application.setApplicationDisplayName("Folkmoot")
    application.setDesktopFileName("org.folkmoot.Folkmoot")
    settings = dict(first.settings) if first is not None else {}
    theme = Theme(application, _mode(settings.get("window.theme", "")))
    theme.set_reduce_motion(bool(settings.get("window.reduce_motion")))
    shell = Shell(theme)
    shell.take_place(settings.get("window.place", ""))
    main = start_view = None
    if first is not None and first.teams:
        from folkmoot.ui.main.first import build_main

        main = build_main(theme, first)
        shell.show_page(main)
    else:
        name = (first.name if first else "") or proposed_name
        start_view = _build_start(theme, name, computer_name)
        shell.show_page(start_view)
    shell.show()
    early = EarlyInput(shell.windowHandle())
    session: list[Session] = []
    imports: list[LateImports] = []
    links = [link]

    def open_link(link: str) -> None:
        shell.come_forward()
        if session:
            session[0].open_link(link)
        elif link:
            links.append(link)

    def compose() -> None:
        try:
            build()
        except Exception as error:
            # A part that is missing or damaged: the window must say so, and not look ready.
            from folkmoot.ui.fault import broken, fault_page

            shell.show_page(fault_page(shell, theme, broken(error)))
            early.give_back()
            raise

    def build() -> None:
        from folkmoot.ui.garbage import Garbage
        from folkmoot.ui.language import translate_qt
        from folkmoot.ui.session import Session

        Garbage(application)
        translate_qt(application)
        session.append(Session(application, shell, theme, profile, first, start))
        session[0].begin(start_view, main)
        early.give_back()
        session[0].open_link(links[-1])

    def begin() -> None:
        if not imports:
            imports.append(LateImports(compose))

    shell.first_painted.connect(begin, Qt.ConnectionType.QueuedConnection)
    QTimer.singleShot(FIRST_FRAME_MS, begin)
    application.link_opened.connect(open_link)
    if listen is not None:
        listen(open_link)
    status = application.exec()
    for one in session:
        one.close()
        one.end_loop()
    return START_AGAIN if shell.starts_again else status


def _build_start(theme: Theme, name: str, computer: str) -> StartView:
    from folkmoot.ui.start.view import StartView

    view = StartView(theme)
    view.welcome.name.setText(name)
    view.welcome.computer.setText(computer)
    return view


def _mode(name: str) -> Mode:
    return Mode(name) if name in {mode.value for mode in Mode} else Mode.SYSTEM
