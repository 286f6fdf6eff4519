"""The adapter for Windows, macOS and Wayland: captures through Qt, whose side is `qt_screen`.

Owns the last picture and what changed since. Refuses to look at more pictures than are needed: what
stands still is looked at less often.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.backend import THUMBNAIL
from folkmoot.media.capture.boxes import Box, Rows
from folkmoot.media.capture.changes import ChangeFinder
from folkmoot.media.capture.picture import Limits, Painter
from folkmoot.media.capture.source import NOWHERE, ShareEnded, Source
from folkmoot.media.devices.qt import call_in_qt
from folkmoot.services.media_port import SharePlan, SourceRow, SourcesListed

if TYPE_CHECKING:
    from folkmoot.media.capture.qt_screen import QtScreen

_FAST_S, _IDLE_S = 1 / 30, 1 / 8
_QUIET_S = 1.0
_WAIT_S = 2.0
_NO_QT = "The screen cannot be shared without a desktop."


class QtSource:
    """What Qt captures. See `Source`, and `qt_screen.QtScreen` for `source_id` and `region`."""

    def __init__(self, source_id: str, region: Box | None = None) -> None:
        self._fault: ShareEnded | None = None
        self._finder = ChangeFinder()
        self._painter = Painter()
        self._lock = threading.Condition()
        self._pixels: NDArray[np.uint8] | None = None
        self._moved = 0.0
        self._bands: list[Rows] | None = None
        self._changed_at = self._looked_at = 0.0
        self._closed = False
        self._qt: QtScreen | None = None
        self.place = region or NOWHERE
        if not call_in_qt(lambda: self._open(source_id, region)):
            raise ShareEnded("none", _NO_QT)

    # --- as a source

    @property
    def is_ready(self) -> bool:
        """See `Source`. While a person chooses in the desktop's picker, it is not."""
        return self._pixels is not None

    def attend(self, now: float) -> None:
        """See `Source`."""
        if self._fault is not None:
            raise self._fault

    def moved(self, now: float) -> float:
        """See `Source`."""
        return self._moved

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`."""
        with self._lock:
            if self._pixels is None:
                return None
            bands = None if whole else self._bands
            self._moved, self._bands = 0.0, []
            return self._painter.paint(self._pixels, limits, bands)

    def wait(self, seconds: float) -> bool:
        """Whether there is a picture in time."""
        with self._lock:
            self._lock.wait_for(lambda: self._pixels is not None or self._fault, seconds)
            return self._pixels is not None

    def close(self) -> None:
        """See `Source`."""
        self._closed = True
        call_in_qt(self._shut)

    # --- in the Qt thread

    def wants(self) -> bool:
        """Whether it is time to look at a picture."""
        now = time.monotonic()
        period = _IDLE_S if now - self._changed_at > _QUIET_S else _FAST_S
        if self._closed or now - self._looked_at < period * 0.9:
            return False
        self._looked_at = now
        return True

    def give(self, pixels: NDArray[np.uint8]) -> None:
        """A picture came; it is copied where it changed."""
        with self._lock:
            moved = self._finder.look(pixels)
            if not moved:
                return
            self._changed_at = time.monotonic()
            self._moved = min(1.0, self._moved + moved)
            new = self._finder.bands
            self._bands = None if new is None or self._bands is None else self._bands + new
            self._pixels = self._finder.pixels
            self._lock.notify_all()

    def fail(self, code: str, words: str) -> None:
        """It is over."""
        with self._lock:
            self._fault = self._fault or ShareEnded(code, words)
            self._lock.notify_all()

    def _open(self, source_id: str, region: Box | None) -> None:
        from folkmoot.media.capture.qt_screen import QtScreen

        if not self._closed:
            self._qt = QtScreen(self, source_id, region)

    def _shut(self) -> None:
        if self._qt is not None:
            self._qt.close()
            self._qt = None


class QtBackend:
    """`portal`: the desktop's own picker chooses, and nothing is listed."""

    def __init__(self, *, portal: bool) -> None:
        self._portal = portal

    def open(self, plan: SharePlan) -> Source:
        """See `Backend`."""
        if self._portal:
            return QtSource("")
        if plan.source == "region":
            return QtSource("", plan.region)
        if not plan.source_id:
            raise ShareEnded("none", "Nothing was chosen.")
        return QtSource(plan.source_id)

    def browse(self) -> QtBrowser:
        """See `Backend`."""
        return QtBrowser(portal=self._portal)


class QtBrowser:
    """See `Browser`. One source after the other is opened for a small picture."""

    def __init__(self, *, portal: bool) -> None:
        self._portal = portal
        self._rows: list[SourceRow] = []
        self._next = 0

    def look(self) -> SourcesListed:
        """See `Browser`."""
        if self._portal:
            return SourcesListed((), platform=True)
        self._rows = ask_qt(_list_rows)[:96]
        return SourcesListed(tuple(self._rows), regions=True)

    def thumbnails(self) -> Iterator[tuple[str, av.VideoFrame]]:
        """See `Browser`."""
        if not self._rows:
            return
        self._next = (self._next + 1) % len(self._rows)
        name = self._rows[self._next][0]
        source = QtSource(name)
        try:
            frame = source.take(THUMBNAIL, whole=True) if source.wait(_WAIT_S) else None
        finally:
            source.close()
        if frame is not None:
            yield name, frame

    def close(self) -> None:
        """See `Browser`."""


def _list_rows() -> list[SourceRow]:
    from folkmoot.media.capture.qt_screen import list_rows

    return list_rows()


def ask_qt(ask: Callable[[], list[SourceRow]]) -> list[SourceRow]:
    """What `ask` answers in the Qt thread. Raises `ShareEnded` ``none`` when none answers."""
    answered = threading.Event()
    answers: list[list[SourceRow]] = []

    def call() -> None:
        try:
            answers.append(ask())
        finally:
            answered.set()

    if not (call_in_qt(call) and answered.wait(_WAIT_S) and answers):
        raise ShareEnded("none", _NO_QT)
    return answers[0]
