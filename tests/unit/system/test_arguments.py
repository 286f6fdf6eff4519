"""What `ps` shows of a process that was started with a secret."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from folkmoot.system.arguments import hide_argument

SHOW = """
import sys
from pathlib import Path
from folkmoot.system.arguments import hide_argument

assert hide_argument(sys.argv[2])
sys.stdout.write(Path("/proc/self/cmdline").read_text())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is hidden")
def test_the_secret_alone_is_written_over() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHOW, "before", "folkmoot://join/secret", "after"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    shown = done.stdout.split("\0")
    assert shown[-4:] == ["before", "*" * len("folkmoot://join/secret"), "after", ""]
    assert shown[1] == "-c"


def test_what_is_no_argument_changes_nothing() -> None:
    assert not hide_argument("folkmoot://never/given")
    assert not hide_argument("")
