"""The windows of an X server that can be shared: found with a window manager, and without one.

Owns the choice. Refuses our own windows, panels and desktops, and what does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, XError

PREFIX = "window:"
SMALLEST = 24
"""Pixels on a side; smaller windows are helpers that nobody sees."""
_DEEP = 3
_NO_WINDOWS = ("_NET_WM_WINDOW_TYPE_DESKTOP", "_NET_WM_WINDOW_TYPE_DOCK")


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a program: `size` in pixels."""

    number: int
    title: str
    application: str
    size: tuple[int, int]

    @property
    def id(self) -> str:
        """The id of the source."""
        return f"{PREFIX}{self.number:x}"


def window_number(source_id: str) -> int | None:
    """The window that `Window.id` names; None when it is none."""
    try:
        number = int(source_id.removeprefix(PREFIX), 16)
    except ValueError:
        return None
    return number if source_id.startswith(PREFIX) and 0 < number < 2**32 else None


def list_windows(connection: Connection, own_pid: int) -> list[Window]:
    """What can be shared, the topmost first, without the windows of the process `own_pid`."""
    found = []
    for number in _candidates(connection):
        try:
            window = _look(connection, number, own_pid)
        except XError:  # it went away meanwhile
            continue
        if window is not None:
            found.append(window)
    return found


def has_manager(connection: Connection) -> bool:
    """Whether a window manager runs: it says so on the root and on a window of its own."""
    name = "_NET_SUPPORTING_WM_CHECK"
    said = core.get_numbers(connection, connection.screen.root, name)
    return bool(said) and core.get_numbers(connection, said[0], name) == said[:1]


def _candidates(connection: Connection) -> list[int]:
    root = connection.screen.root
    if has_manager(connection):
        for name in ("_NET_CLIENT_LIST_STACKING", "_NET_CLIENT_LIST"):
            listed = core.get_numbers(connection, root, name)
            if listed:
                return list(reversed(listed))
    return [
        window
        for child in reversed(core.query_tree(connection, root).children)
        for window in _in_frame(connection, child)
    ]


def _in_frame(connection: Connection, child: int) -> list[int]:
    """The windows of programs at or within a child of the root: frames hold them."""
    try:
        attributes = core.get_attributes(connection, child)
        if not attributes.viewable or attributes.override_redirect:
            return []
        return list(_marked(connection, child, _DEEP)) or [child]
    except XError:
        return []


def _marked(connection: Connection, window: int, deep: int) -> Iterator[int]:
    """Those that a program has named as its own; not those within them."""
    if core.get_numbers(connection, window, "WM_STATE") or core.get_text(
        connection, window, "WM_CLASS"
    ):
        yield window
    elif deep:
        for child in reversed(core.query_tree(connection, window).children):
            yield from _marked(connection, child, deep - 1)


def _look(connection: Connection, number: int, own_pid: int) -> Window | None:
    attributes = core.get_attributes(connection, number)
    width, height = core.get_geometry(connection, number).inner
    is_shown = attributes.draws and attributes.viewable and not attributes.override_redirect
    if not is_shown or min(width, height) < SMALLEST:
        return None
    if core.get_numbers(connection, number, "_NET_WM_PID")[:1] == (own_pid,):
        return None
    types = core.get_numbers(connection, number, "_NET_WM_WINDOW_TYPE")
    if any(connection.atom(name) in types[:1] for name in _NO_WINDOWS):
        return None
    title = _text(connection, number, "_NET_WM_NAME") or _text(connection, number, "WM_NAME")
    names = [part for part in core.get_text(connection, number, "WM_CLASS").split("\0") if part]
    application = names[-1] if names else ""
    return Window(number, title or application or f"{number:#x}", application, (width, height))


def _text(connection: Connection, number: int, name: str) -> str:
    """One line that can be shown."""
    text = core.get_text(connection, number, name).split("\0")[0]
    return "".join(c if c.isprintable() else " " for c in text).strip()


def find_top(connection: Connection, window: int) -> tuple[int, Box]:
    """(the child of the root that holds it, its place on the screen). Raises `XError`."""
    root = connection.screen.root
    width, height = core.get_geometry(connection, window).inner
    place = *core.translate(connection, window, root), width, height
    top, parent = window, core.query_tree(connection, window).parent
    while parent and parent != root:
        top, parent = parent, core.query_tree(connection, parent).parent
    return top, place
