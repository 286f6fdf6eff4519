"""The adapter of one X display: opens what is shared, and lists what could be.

Owns the small pictures while somebody chooses. Refuses nothing by itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

import av

from folkmoot.media.capture.backend import THUMBNAIL
from folkmoot.media.capture.source import ShareEnded, Source
from folkmoot.media.capture.x11.connection import Connection, DisplayLost
from folkmoot.media.capture.x11.screens import ScreenSource, list_screens
from folkmoot.media.capture.x11.window_source import OpenWindow, open_window
from folkmoot.media.capture.x11.windows import PREFIX, list_windows
from folkmoot.services.media_port import SharePlan, SourceRow, SourcesListed

_MOST_ROWS, _MOST_PICTURES = 96, 24
_NAME = 512


class X11Backend:
    """The display `display`. Windows of the process `own_pid` are ours."""

    def __init__(self, display: str, *, own_pid: int) -> None:
        self._display, self._own_pid = display, own_pid

    def open(self, plan: SharePlan) -> Source:
        """See `Backend`."""
        if plan.source == "window":
            return open_window(self._display, plan.source_id)
        if plan.source == "region":
            return ScreenSource(self._display, "", plan.region)
        if plan.source == "screen":
            return ScreenSource(self._display, plan.source_id)
        raise ShareEnded("none", "This desktop has no picker of its own.")

    def browse(self) -> X11Browser:
        """See `Backend`."""
        try:
            return X11Browser(self._display, self._own_pid)
        except DisplayLost as error:
            raise ShareEnded("none", error.message) from error


class X11Browser:
    """See `Browser`."""

    def __init__(self, display: str, own_pid: int) -> None:
        self._display, self._own_pid = display, own_pid
        self._c = Connection(display)
        self._open: dict[str, ScreenSource | OpenWindow | None] = {}

    def look(self) -> SourcesListed:
        """See `Browser`. Raises `ShareEnded` when the display is lost."""
        try:
            rows: list[SourceRow] = [
                (name, "screen", title[:_NAME], "", place[2], place[3])
                for name, title, place in list_screens(self._c)
            ]
            rows += [
                (each.id, "window", each.title[:_NAME], each.application[:_NAME], *each.size)
                for each in list_windows(self._c, self._own_pid)
            ]
        except DisplayLost as error:
            raise ShareEnded("none", error.message) from error
        rows = rows[:_MOST_ROWS]
        self._follow([row[0] for row in rows])
        return SourcesListed(tuple(rows), regions=True)

    def thumbnails(self) -> Iterator[tuple[str, av.VideoFrame]]:
        """See `Browser`."""
        for name, source in list(self._open.items()):
            if source is None:
                continue
            try:
                frame = self._picture(source)
            except ShareEnded:
                source.close()
                self._open[name] = None
                continue
            if frame is not None:
                yield name, frame

    def close(self) -> None:
        """See `Browser`."""
        self._follow([])
        self._c.close()

    def _picture(self, source: Source) -> av.VideoFrame | None:
        now = time.monotonic()
        source.attend(now)
        if source.moved(now) <= 0:
            return None
        return source.take(THUMBNAIL, whole=False)

    def _follow(self, names: list[str]) -> None:
        """Have those open that are listed, and no others."""
        for name in self._open.keys() - set(names):
            source = self._open.pop(name)
            if source is not None:
                source.close()
        for name in names[:_MOST_PICTURES]:
            if name not in self._open:
                self._open[name] = None
                with suppress(ShareEnded):
                    self._open[name] = self._begin(name)

    def _begin(self, name: str) -> ScreenSource | OpenWindow:
        if name.startswith(PREFIX):
            return open_window(self._display, name, browsing=True)
        return ScreenSource(self._display, name)
