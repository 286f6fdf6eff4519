"""The end of the process, also where a thread hangs in a call of the operating system."""

from __future__ import annotations

import os
import sys
import threading


def leave(status: int) -> int:
    """End at once if a thread hangs in a call of the system (a name that is looked up)."""
    others = [t for t in threading.enumerate() if t is not threading.main_thread()]
    for thread in others:
        if not thread.daemon:
            thread.join(0.3)
            if thread.is_alive():
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
    return status
