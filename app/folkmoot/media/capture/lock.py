"""Notices that the screen is locked, from what the desktop says on D-Bus.

Owns a thread for each bus. Refuses to end: where there is no bus, nothing is noticed. Windows and
macOS are asked instead (`lock_state`).

Sources: org.freedesktop.ScreenSaver and its kin of GNOME, MATE, Cinnamon, Xfce and KDE
(``ActiveChanged``); org.freedesktop.login1 (``Lock``, ``LockedHint``, ``Active``).
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_SYSTEM = "/run/dbus/system_bus_socket"
_SESSIONS = "/org/freedesktop/login1/session/"
_SESSION = "org.freedesktop.login1.Session"
_BUS = "org.freedesktop.DBus"
_ANSWER_S = 30.0
"""A bus that takes longer to greet is none. A busy computer may stand still for seconds."""
_SAVERS = (
    *("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.mate.ScreenSaver"),
    *("org.cinnamon.ScreenSaver", "org.xfce.ScreenSaver", "org.kde.screensaver"),
)
_SAVER_RULES = tuple(f"type='signal',interface='{each}',member='ActiveChanged'" for each in _SAVERS)


class LockWatch:
    """Calls `locked` each time the screen is locked, in a thread of its own, until `close`."""

    def __init__(self, locked: Callable[[], None]) -> None:
        self._locked = locked
        self._closed = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        session_bus, system_bus, session = find_buses(os.environ)
        where = f",path='{session}'" if session else ""
        self._listen(session_bus, _SAVER_RULES)
        self._listen(
            system_bus,
            (
                f"type='signal',interface='{_SESSION}',member='Lock'{where}",
                "type='signal',interface='org.freedesktop.DBus.Properties',"
                f"member='PropertiesChanged',arg0='{_SESSION}'{where}",
            ),
        )

    def close(self) -> None:
        """Listen no more. From any thread; does not wait."""
        with self._lock:
            self._closed = True
            for each in self._sockets:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _listen(self, address: str, rules: tuple[str, ...]) -> None:
        if address:
            thread = threading.Thread(
                target=self._run, args=(address, rules), name="lock watch", daemon=True
            )
            thread.start()

    # --- in a thread

    def _run(self, address: str, rules: tuple[str, ...]) -> None:
        try:
            from jeepney import DBusAddress, new_method_call
            from jeepney.io.blocking import open_dbus_connection
        except ImportError:  # it comes with the desktop
            return
        try:
            connection = open_dbus_connection(address, auth_timeout=_ANSWER_S)
        except (OSError, EOFError, ValueError, RuntimeError):
            return
        with contextlib.closing(connection):
            with self._lock:
                self._sockets.append(connection.sock)
                if self._closed:
                    return
            bus = DBusAddress("/org/freedesktop/DBus", _BUS, _BUS)
            with contextlib.suppress(OSError, EOFError):
                for rule in rules:
                    connection.send(new_method_call(bus, "AddMatch", "s", (rule,)))
                while not self._closed:
                    if says_locked(connection.receive()):
                        self._locked()


def says_locked(message: Any) -> bool:
    """Whether a message of the bus says that the screen is locked now."""
    from jeepney import HeaderFields, MessageType

    if message.header.message_type != MessageType.signal:
        return False
    match message.header.fields.get(HeaderFields.member), message.body:
        case "ActiveChanged", (True,):
            return True
        case "Lock", _:
            return True
        case "PropertiesChanged", (str(), {"LockedHint": (_, True)}, _):
            return True
        case "PropertiesChanged", (str(), {"Active": (_, False)}, _):  # another has the screen
            return True
    return False


def find_buses(environ: Mapping[str, str]) -> tuple[str, str, str]:
    """(address of the session's bus, of the system's, object of this session on the latter)."""
    session = environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    usual = Path(environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "bus"
    if not session and usual.exists():
        session = f"unix:path={usual}"
    system = environ.get("DBUS_SYSTEM_BUS_ADDRESS", "")
    if not system and Path(_SYSTEM).exists():
        system = f"unix:path={_SYSTEM}"
    number = environ.get("XDG_SESSION_ID", "")
    return session, system, session_object(number) if number else ""


def session_object(number: str) -> str:
    """The object of a login session, as systemd escapes names in paths (`sd_bus_path_encode`)."""
    escaped = "".join(
        c if c.isascii() and c.isalnum() and not (c.isdigit() and at == 0) else f"_{ord(c):02x}"
        for at, c in enumerate(number)
    )
    return _SESSIONS + escaped
