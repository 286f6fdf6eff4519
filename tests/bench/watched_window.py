"""Runs Folkmoot's window and notes when Return is pressed and when a text is first drawn.

`python -m bench.watched_window …` takes the arguments of `folkmoot`. Lines go to the file that
FOLKMOOT_WATCH names: `key NANOSECONDS` and `draw NANOSECONDS TEXT`, times of CLOCK_MONOTONIC. With
FOLKMOOT_WATCH_GAPS each time in which the window's loop did not turn for 5 ms is noted too, as `gap
NANOSECONDS LENGTH`. With FOLKMOOT_WATCH_LATE a timer of 10 ms notes how late it came, each time, as
`late NANOSECONDS LENGTH`.
"""

from __future__ import annotations

import os
import sys
import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPaintEvent

from folkmoot.main import main
from folkmoot.ui.conversation.editor import Editor
from folkmoot.ui.shell import Shell
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.view import TimelineView

_TOLD_NS = 5_000_000
_TICK_NS = 10_000_000
_file = os.open(os.environ["FOLKMOOT_WATCH"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _note(line: str) -> None:
    os.write(_file, f"{line}\n".encode())


class _WatchedEditor:
    press = Editor.keyPressEvent

    @staticmethod
    def key_press(editor: Editor, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Return:
            _note(f"key {time.monotonic_ns()}")
        _WatchedEditor.press(editor, event)


class _WatchedTimeline:
    draw = TimelineView.paintEvent
    last = ""

    @staticmethod
    def paint(view: TimelineView, event: QPaintEvent) -> None:
        _WatchedTimeline.draw(view, event)
        now = time.monotonic_ns()
        visible = view.placement.visible
        text = visible[-1].row.message.text if visible else ""
        if text != _WatchedTimeline.last:
            _WatchedTimeline.last = text
            _note(f"draw {now} {text}")


class _Gaps:
    """Looks how late a timer of one millisecond comes; tells every time above 5 ms."""

    def __init__(self) -> None:
        self._before = time.monotonic_ns()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turned)
        self._timer.start(1)

    def _turned(self) -> None:
        now = time.monotonic_ns()
        if now - self._before > _TOLD_NS:
            _note(f"gap {now} {now - self._before}")
        self._before = now


class _Late:
    """Looks how late a timer comes; tells every time."""

    def __init__(self) -> None:
        self._due = time.monotonic_ns() + _TICK_NS
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turned)
        self._timer.start(_TICK_NS // 1_000_000)

    def _turned(self) -> None:
        now = time.monotonic_ns()
        _note(f"late {now} {max(0, now - self._due)}")
        self._due = now + _TICK_NS


def _watch() -> None:
    Editor.keyPressEvent = _WatchedEditor.key_press  # type: ignore[method-assign,assignment]
    TimelineView.paintEvent = _WatchedTimeline.paint  # type: ignore[method-assign,assignment]
    for name, watcher in (("FOLKMOOT_WATCH_GAPS", _Gaps), ("FOLKMOOT_WATCH_LATE", _Late)):
        if name in os.environ:
            _from_the_first_frame(watcher)


def _from_the_first_frame(watcher: type[_Gaps | _Late]) -> None:
    made: list[_Gaps | _Late] = []
    start = Shell.__init__

    def begin(shell: Shell, theme: Theme) -> None:
        start(shell, theme)
        shell.first_painted.connect(lambda: made.append(watcher()))

    Shell.__init__ = begin  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    _watch()
    sys.exit(main(sys.argv[1:]))
