"""Takes a secret out of what the system shows of this process.

Every account of a computer can read the arguments of every process (`ps`), as long as it runs. Only
Linux has a way to change them from inside; elsewhere this does nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

_ARG_START, _ARG_END = 48, 49
"""Fields of ``/proc/PID/stat``, as proc(5) counts them."""
_AFTER_NAME = 3


def hide_argument(secret: str) -> bool:
    """Write over `secret` where the arguments of this process lie; whether that was done."""
    if not secret or sys.platform != "linux":
        return False
    import ctypes

    wanted = secret.encode()
    try:
        shown = Path("/proc/self/cmdline").read_bytes()
        # The second field is the name of the program, in brackets, and may hold spaces.
        rest = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = (int(rest[field - _AFTER_NAME]) for field in (_ARG_START, _ARG_END))
    except (OSError, ValueError, IndexError):
        return False
    at = shown.find(wanted)
    if at < 0 or not start or end - start != len(shown):
        return False
    ctypes.memset(start + at, ord("*"), len(wanted))
    return True
