"""Whether a window can be shown: Qt ends the process with a crash where no display answers.

Refuses to guess on systems other than Linux and BSD: there a display is always present.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping

from folkmoot.domain.errors import EnvironmentFault

_X11_TIMEOUT_S = 3.0
_X11_DISPLAY = re.compile(r"(?P<host>.*):(?P<number>\d{1,4})(\.\d+)?", re.DOTALL)
_HINT = (
    "With a virtual display: xvfb-run -a make run. "
    "Without any window: folkmoot node (from a clone: make run ARGS=node)."
)


def find_display_fault(
    environ: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> EnvironmentFault | None:
    """Return the fault ``no_display`` where a window cannot be shown, else None.

    `environ` and `platform` are those of the process; a test passes its own.
    """
    if platform in ("win32", "darwin", "cygwin"):
        return None
    chosen = environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if chosen and chosen not in ("xcb", "wayland"):
        return None
    wayland, x11 = environ.get("WAYLAND_DISPLAY", ""), environ.get("DISPLAY", "")
    if chosen != "xcb" and wayland and _wayland_answers(wayland, environ):
        return None
    if chosen != "wayland" and x11 and _x11_answers(x11):
        return None
    named = " and ".join(name for name in (wayland, x11) if name)
    message = f"The display {named} does not answer." if named else "There is no display here."
    return EnvironmentFault("no_display", message, _HINT)


def _wayland_answers(name: str, environ: Mapping[str, str]) -> bool:
    path = os.path.join(environ.get("XDG_RUNTIME_DIR", "/run"), name)
    return _unix_socket_answers(path)


def _x11_answers(display: str) -> bool:
    match = _X11_DISPLAY.fullmatch(display)
    if match is None:
        return False
    host, number = match["host"], int(match["number"])
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _unix_socket_answers("\0" + path) or _unix_socket_answers(path)
    try:
        with socket.create_connection((host.strip("[]"), 6000 + number), timeout=_X11_TIMEOUT_S):
            return True
    except OSError:
        return False


def _unix_socket_answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_X11_TIMEOUT_S)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True
