"""Lockers that say nothing on D-Bus: known by the window that they put over the whole screen.

Owns their names. Refuses to guess by the look of a window: full screens of games look alike.
"""

from __future__ import annotations

from folkmoot.media.capture.source import ShareEnded
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, XError

_NAMES = frozenset(
    (
        *("i3lock", "xscreensaver", "xlock", "xsecurelock", "slock", "alock", "xtrlock"),
        *("gnome-screensaver", "mate-screensaver", "cinnamon-screensaver", "xfce4-screensaver"),
    )
)
_HIGHEST = 8


def check_unlocked(connection: Connection) -> None:
    """Raises `ShareEnded` ``locked`` while a locker has the screen."""
    children = core.query_tree(connection, connection.screen.root).children
    for window in children[: -_HIGHEST - 1 : -1]:
        try:
            if _is_locker(connection, window):
                raise ShareEnded("locked", "The screen was locked.")
        except XError:  # it went away meanwhile
            continue


def _is_locker(connection: Connection, window: int) -> bool:
    attributes = core.get_attributes(connection, window)
    if not (attributes.viewable and attributes.override_redirect):
        return False
    names = core.get_text(connection, window, "WM_CLASS").lower().split("\0")
    names.append(core.get_text(connection, window, "WM_NAME").lower())
    return not _NAMES.isdisjoint(names)
