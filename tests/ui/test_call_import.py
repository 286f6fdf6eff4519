"""What belongs to calls is not there before the first call."""

from __future__ import annotations

import subprocess
import sys


def test_the_main_window_is_composed_without_anything_of_calls() -> None:
    source = """
import sys
import folkmoot.ui.app, folkmoot.ui.session, folkmoot.ui.main.first
late = ("folkmoot.ui.call", "folkmoot.ui.recording", "PySide6.QtMultimedia")
sys.exit(" ".join(name for name in sys.modules if name.startswith(late)) or 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
