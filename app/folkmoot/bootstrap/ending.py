"""The end of the process, also where a thread hangs in the operating system, and its next start."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path


def leave(status: int) -> int:
    """End at once if a thread hangs in a call of the system (a name that is looked up)."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    for thread in others:
        if not thread.daemon:
            thread.join(0.3)
            if thread.is_alive():
                for out in filter(None, (sys.stdout, sys.stderr)):
                    out.flush()
                os._exit(status)
    return status


def start_again(profile: Path | None) -> None:
    """Start the program once more, on the same profile; this process must be done with it."""
    import subprocess

    from folkmoot.media.launcher import program

    # What the boot loader of a frozen program left in the environment is of the old version.
    environment = {**os.environ, "PYINSTALLER_RESET_ENVIRONMENT": "1"}
    where = ["--profile", str(profile)] if profile is not None else []
    subprocess.Popen([*program(), *where], env=environment, start_new_session=True)
