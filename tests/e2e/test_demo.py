"""`make demo` opens two windows that are joined already, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from e2e.clones import TOP, started, virtual_display, wait_for_window

pytestmark = [pytest.mark.long, pytest.mark.needs("Xvfb", "xdotool")]


def test_the_demo_opens_two_joined_windows_and_cleans_up(tmp_path: Path) -> None:
    with virtual_display() as display:
        environ = os.environ | {
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "TMPDIR": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(str(TOP / name) for name in ("app", "signaling")),
        }
        with started([sys.executable, "packaging/demo.py"], TOP, environ) as process:
            wait_for_window(display, "Folkmoot", timeout_s=60, count=2)
            (folder,) = tmp_path.glob("folkmoot-demo-*")
            assert sorted(path.name for path in folder.iterdir()) == ["ada", "grace"]
            process.send_signal(signal.SIGTERM)
            _out, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
