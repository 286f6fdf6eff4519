"""The process ends although a thread hangs in a call of the operating system."""

from __future__ import annotations

import os
import subprocess
import sys

HANG = """
import sys, threading
from folkmoot.bootstrap.ending import leave
threading.Thread(target=threading.Event().wait).start()
sys.stdout.write("told")
sys.exit(leave(7))
"""


def test_a_hanging_thread_does_not_hold_the_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANG],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stdout) == (7, "told")
