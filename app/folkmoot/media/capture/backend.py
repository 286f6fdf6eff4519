"""Which adapter shows the screens of this computer: X11, or Qt's for everything else.

Owns the choice, from the environment. Refuses X11 where Wayland runs: there it would show no window
but those of old programs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Protocol

import av

from folkmoot.media.capture.source import Source
from folkmoot.services.media_port import SharePlan, SourcesListed

THUMBNAIL = (480, 360)
"""Pixels, at most."""


class Browser(Protocol):
    """What can be shared now, while somebody chooses. Used by one thread."""

    def look(self) -> SourcesListed:
        """The list now."""
        ...

    def thumbnails(self) -> Iterator[tuple[str, av.VideoFrame]]:
        """(id of a source, small picture) of those that changed since the last call."""
        ...

    def close(self) -> None:
        """Let all go."""
        ...


class Backend(Protocol):
    """An adapter for one kind of desktop."""

    def open(self, plan: SharePlan) -> Source:
        """Open a screen, window or region. Raises `ShareEnded`."""
        ...

    def browse(self) -> Browser:
        """Begin to list."""
        ...


def choose(environ: Mapping[str, str], system: str) -> str:
    """``x11``, ``qt``, ``portal`` (Qt, where the desktop's own picker chooses), or empty."""
    if system in ("win32", "darwin"):
        return "qt"
    is_wayland = (
        bool(environ.get("WAYLAND_DISPLAY")) or environ.get("XDG_SESSION_TYPE") == "wayland"
    )
    if is_wayland:
        return "portal"
    return "x11" if environ.get("DISPLAY") else ""


def find_backend() -> Backend | None:
    """The adapter for this computer; None without a screen."""
    chosen = choose(os.environ, sys.platform)
    if chosen == "x11":
        from folkmoot.media.capture.x11.backend import X11Backend

        return X11Backend(os.environ["DISPLAY"], own_pid=os.getppid())
    if chosen:
        from folkmoot.media.capture.qt_source import QtBackend

        return QtBackend(portal=chosen == "portal")
    return None
