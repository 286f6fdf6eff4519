"""The process of one check: where it shows something, and that it ends with whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from folkmoot.bootstrap.selftest import child
from folkmoot.bootstrap.selftest.runner import Check
from folkmoot.domain.errors import EnvironmentFault


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="a display is always there")
@pytest.mark.parametrize(
    ("name", "shows", "display", "platform"),
    [
        ("qt_platform", True, True, "xcb"),
        ("qt_platform", True, False, "xcb"),
        ("media_player", True, True, "xcb"),
        ("media_player", True, False, "offscreen"),
        ("svg", False, True, "offscreen"),
        ("svg", False, False, "offscreen"),
    ],
)
def test_only_what_shows_something_uses_the_display(
    monkeypatch: pytest.MonkeyPatch, name: str, shows: bool, display: bool, platform: str
) -> None:
    fault = None if display else EnvironmentFault("no_display", "There is none.")
    monkeypatch.setattr(child, "find_display_fault", lambda: fault)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    child._choose_platform(Check(name, "", shows=shows))
    assert os.environ["QT_QPA_PLATFORM"] == platform


def test_a_check_ends_with_who_started_it() -> None:
    code = "from folkmoot.bootstrap.selftest import child; import threading\n"
    code += "threading.Thread(target=child._end_with_parent).start(); print('ready', flush=True)\n"
    code += "threading.Event().wait(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(30) == 1
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
