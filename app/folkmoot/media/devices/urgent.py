"""Asks the system to run this thread before others: sound that is late by a moment is broken.

Refuses to insist: where this person may not, it stays as it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_NICE = -11
_WINDOWS_HIGHEST = 2
_MAC_INTERACTIVE = 0x21
"""QOS_CLASS_USER_INTERACTIVE."""


def hurry() -> None:
    """From now on, this thread first. Linux needs a right that desktops give to audio groups."""
    with suppress(OSError, AttributeError):
        if sys.platform == "win32":
            kernel = ctypes.windll.kernel32
            kernel.GetCurrentThread.restype = ctypes.c_void_p
            handle = ctypes.c_void_p(kernel.GetCurrentThread())
            kernel.SetThreadPriority(handle, _WINDOWS_HIGHEST)
        elif sys.platform == "darwin":
            ctypes.CDLL(None).pthread_set_qos_class_self_np(_MAC_INTERACTIVE, 0)
        else:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
