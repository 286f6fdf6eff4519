"""Whether the screen is locked, asked of Windows and macOS, which say it to no bus.

Owns a thread that asks each second. Refuses to guess: a system that does not answer is not locked.

Sources: WTSQuerySessionInformation with WTSSessionInfoEx (Windows), the dictionary of
CGSessionCopyCurrentDictionary (macOS).
"""

from __future__ import annotations

import ctypes
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any

EVERY_S = 1.0
_SESSION_INFO_EX, _CURRENT_SESSION = 25, 0xFFFFFFFF
_INFO = struct.Struct("<I4xIIi")
"""Level, then session, state and flags of level 1."""
_LOCKED = 0
_UTF8 = 0x08000100
_FRAMEWORKS = "/System/Library/Frameworks"


class LockPoll:
    """Calls `locked` each time that `ask` begins to say so, in a thread of its own."""

    def __init__(
        self, locked: Callable[[], None], ask: Callable[[], bool], every_s: float = EVERY_S
    ) -> None:
        self._locked, self._ask, self._every_s = locked, ask, every_s
        self._closed = threading.Event()
        threading.Thread(target=self._run, name="lock poll", daemon=True).start()

    def close(self) -> None:
        """Ask no more. From any thread; does not wait."""
        self._closed.set()

    def _run(self) -> None:
        before = False
        while not self._closed.wait(self._every_s):
            try:
                now = self._ask()
            except (OSError, AttributeError, ValueError, struct.error):
                return  # a system that cannot be asked
            if now and not before:
                self._locked()
            before = now


def question() -> Callable[[], bool] | None:
    """What to ask here; None where a bus says it."""
    return {"win32": _ask_windows, "darwin": _ask_macos}.get(sys.platform)


def read_session_info(data: bytes) -> bool:
    """Whether a WTSINFOEX structure of level 1 says that the session is locked."""
    level, _, _, flags = _INFO.unpack_from(data)
    return bool(level == 1 and flags == _LOCKED)


def _ask_windows() -> bool:
    sessions: Any = getattr(ctypes, "WinDLL")("wtsapi32")  # noqa: B009 - there on Windows only
    place, size = ctypes.c_void_p(), ctypes.c_uint32()
    asked = (None, _CURRENT_SESSION, _SESSION_INFO_EX, ctypes.byref(place), ctypes.byref(size))
    if not sessions.WTSQuerySessionInformationW(*asked) or not place.value:
        return False
    try:
        return read_session_info(ctypes.string_at(place.value, size.value))
    finally:
        sessions.WTSFreeMemory(place)


def _ask_macos() -> bool:
    graphics = ctypes.CDLL(f"{_FRAMEWORKS}/CoreGraphics.framework/CoreGraphics")
    core = ctypes.CDLL(f"{_FRAMEWORKS}/CoreFoundation.framework/CoreFoundation")
    for function in (
        graphics.CGSessionCopyCurrentDictionary,
        core.CFStringCreateWithCString,
        core.CFDictionaryGetValue,
    ):
        function.restype = ctypes.c_void_p
    session = ctypes.c_void_p(graphics.CGSessionCopyCurrentDictionary())
    if not session.value:
        return False
    name = b"CGSSessionScreenIsLocked"
    key = ctypes.c_void_p(core.CFStringCreateWithCString(None, name, _UTF8))
    try:
        value = ctypes.c_void_p(core.CFDictionaryGetValue(session, key))
        return bool(value.value) and bool(core.CFBooleanGetValue(value))
    finally:
        core.CFRelease(key)
        core.CFRelease(session)
