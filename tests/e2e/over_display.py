"""A window of somebody's with frame and ink of a share over it, for a test on a real display.

Run as a program: says on its output what happens, one JSON value a line; "region" on its input
begins the choice of a part of the screen.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from PySide6.QtCore import QRect, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services.call_values import CallId
from folkmoot.services.events import InkDrawn
from folkmoot.ui.share.boards import Boards
from folkmoot.ui.share.frame import InkGlass, ShareFrame
from folkmoot.ui.share.region import RegionChoice
from folkmoot.ui.theme.theme import DarkTheme, Mode, Theme

SHARED = QRect(100, 100, 600, 400)
PRESENTER = DeviceId(b"p" * 32)


def tell(**what: object) -> None:
    """One line for the test."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def once(claim: Callable[[], bool], then: Callable[[], None]) -> None:
    """Do `then` when `claim` is true for the first time."""
    if claim():
        then()
    else:
        QTimer.singleShot(20, lambda: once(claim, then))


def is_seen(widget: QWidget) -> bool:
    """Whether the display shows it."""
    window = widget.windowHandle()
    return window is not None and window.isExposed()


def main() -> None:
    """Show everything and wait for words."""
    application = QApplication(sys.argv)
    theme = DarkTheme(Theme(application, Mode.LIGHT))
    below = QPushButton()
    below.setStyleSheet("background: #c02020; border: 0")
    below.setWindowFlag(below.windowFlags().FramelessWindowHint)
    below.setGeometry(SHARED)
    below.clicked.connect(lambda: tell(clicked=True))
    below.show()
    boards = Boards(b"m" * 32)
    boards.keep([PRESENTER])
    frame, glass = ShareFrame(theme), InkGlass(boards.of(PRESENTER))
    choice = RegionChoice(theme, application)
    choice.chosen.connect(lambda place: tell(chosen=place))
    choice.ended.connect(lambda: tell(ended=True))

    def begin() -> None:
        """Once the window is there."""
        screen = application.primaryScreen().geometry()
        frame.show_around(SHARED, screen, paused=False)
        glass.show_over(SHARED)
        places = ((0.2, 0.5), (0.5, 0.5), (0.8, 0.5))
        who = (PersonId(b"\0" * 32), DeviceId(b"t" * 32), "Tomas Lind")
        boards.take(InkDrawn(CallId(b"c" * 32), PRESENTER, *who, "stroke", 1, places))
        once(lambda: is_seen(glass), lambda: tell(ready=True))

    def takes_keys() -> bool:
        """Whether all displays are covered, and keys come here."""
        there = choice.overlays
        return bool(there) and all(map(is_seen, there)) and any(o.isActiveWindow() for o in there)

    def read() -> None:
        """A word from the test."""
        word = sys.stdin.readline().strip()
        if word == "region":
            choice.begin()
            once(takes_keys, lambda: tell(covered=len(choice.overlays)))
        else:
            application.quit()

    reader = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    reader.activated.connect(read)
    # What lies over it must come after it: without a manager the newest window is in front.
    once(lambda: is_seen(below), begin)
    application.exec()


if __name__ == "__main__":
    main()
