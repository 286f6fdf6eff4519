"""What is imported after the first frame: where, and in how small steps.

PySide makes types as they are asked for. In a second thread that crashed one start in some hundred:
Qt's code looks at the tables of types without Python's lock.
"""

from __future__ import annotations

import subprocess
import sys

from pytestqt.qtbot import QtBot

from folkmoot.ui.late import LateImports

MOST_IN_A_STEP = 11
"""Modules of the window that one turn of its loop imports: about 15 ms."""

_SOURCE = """
import importlib, sys
import folkmoot.bootstrap.window, folkmoot.ui.app, {first}
from folkmoot.ui.late import BESIDE, IN_TURN, _import_all

def drawn():
    ours = ("folkmoot.ui", "PySide6", "shiboken", "qasync")
    return {{name for name in sys.modules if name.startswith(ours)}}

before = drawn()
_import_all(BESIDE)
if new := drawn() - before:
    sys.exit(f"in the thread: {{new}}")
for name in IN_TURN:
    before, known = drawn(), set(sys.modules)
    importlib.import_module(name)
    new = drawn() - before
    if len(new) > {most}:
        sys.exit(f"{{name}} brings {{len(new)}} at once: {{sorted(new)}}")
    late = sorted(n for n in set(sys.modules) - known if n.startswith("folkmoot.services"))
    if late:
        sys.exit(f"{{name}} brings {{late}}, which the thread can import")
"""


def _import_in_order(first: str) -> str:
    source = _SOURCE.format(first=first, most=MOST_IN_A_STEP)
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stderr


def test_nothing_of_qt_is_imported_in_the_thread_and_the_rest_in_small_steps() -> None:
    assert _import_in_order("folkmoot.ui.start.view") == ""
    assert _import_in_order("folkmoot.ui.main.first") == ""


def test_the_window_turns_until_all_is_there(qtbot: QtBot) -> None:
    done: list[bool] = []
    late = LateImports(lambda: done.append("folkmoot.ui.session" in sys.modules))
    assert not done
    qtbot.waitUntil(lambda: bool(done), timeout=20_000)
    assert done == [True]
    assert not late._timer.isActive()
