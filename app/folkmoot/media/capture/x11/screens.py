"""Screens and regions of an X server, and their pictures.

Owns the search for a monitor and the source that shows a part of the root window. Refuses to show
what is beside the screen.
"""

from __future__ import annotations

from contextlib import suppress

import av

from folkmoot.media.capture.boxes import Box, clip
from folkmoot.media.capture.picture import Limits
from folkmoot.media.capture.source import ShareEnded
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.canvas import Canvas
from folkmoot.media.capture.x11.connection import Connection, DisplayLost, XError
from folkmoot.media.capture.x11.extensions import Damage, get_monitors
from folkmoot.media.capture.x11.lockers import check_unlocked
from folkmoot.media.capture.x11.pointer import Pointer

PREFIX = "screen:"
_LOOK_S = 1.0
_SMALLEST = 16
_BAD_MATCH = 8


def list_screens(connection: Connection) -> list[tuple[str, str, Box]]:
    """(id, title, place) of each monitor; where none is known, the whole as one."""
    found = get_monitors(connection) or [("", whole_screen(connection))]
    return [(PREFIX + name, name, place) for name, place in found]


def whole_screen(connection: Connection) -> Box:
    """All monitors together."""
    return core.get_geometry(connection, connection.screen.root).box


class ScreenSource:
    """A screen (`source_id` of `list_screens`, empty: the first) or a region of all of them.

    Raises `ShareEnded` ``none`` when it is not there, ``failed`` when it cannot be shown.
    """

    is_ready = True

    def __init__(self, display: str, source_id: str, region: Box | None = None) -> None:
        self._wanted, self._region = source_id, region
        self._looked = 0.0
        self._canvas: Canvas | None = None
        try:
            self._c = Connection(display)
        except DisplayLost as error:
            raise ShareEnded("none", error.message) from error
        try:
            self.place = self._find_place()
            self._pointer = Pointer(self._c)
            self._damage = Damage(self._c, self._c.screen.root)
            self._fresh()
        except BaseException as error:
            self.close()
            if isinstance(error, XError | DisplayLost):
                raise ShareEnded("failed", "This screen cannot be shared.") from error
            raise

    def attend(self, now: float) -> None:
        """See `Source`."""
        try:
            if now - self._looked >= _LOOK_S:
                self._looked = now
                check_unlocked(self._c)
                self._follow()
        except (XError, DisplayLost) as error:
            raise ShareEnded("failed", "The display does not answer.") from error

    def moved(self, now: float) -> float:
        """See `Source`."""
        assert self._canvas is not None
        try:
            is_painted = False
            for event in self._c.events():
                is_painted = is_painted or self._damage.is_told(event)
                self._pointer.notice(event)
            if is_painted:
                self._canvas.spoil(self._damage.take())
            self._canvas.cover(self._pointer.look(self.place))
            return self._canvas.moved()
        except (XError, DisplayLost) as error:
            raise ShareEnded("failed", "The display does not answer.") from error

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`."""
        assert self._canvas is not None
        try:
            return self._canvas.take(limits, self._pointer, whole=whole)
        except XError as error:
            if error.code == _BAD_MATCH:  # the screen has just become smaller
                self._looked = 0.0
                return None
            raise ShareEnded("failed", f"The screen cannot be read: {error}.") from error
        except DisplayLost as error:
            raise ShareEnded("failed", error.message) from error

    @property
    def fetched(self) -> int:
        """Rows fetched so far."""
        return 0 if self._canvas is None else self._canvas.fetched

    def close(self) -> None:
        """See `Source`."""
        with suppress(DisplayLost):
            if self._canvas is not None:
                self._canvas.close()
                self._canvas = None
        self._c.close()

    def _follow(self) -> None:
        place = self._find_place()
        if place != self.place:
            self.place = place
            self._fresh()

    def _fresh(self) -> None:
        if self._canvas is not None:
            self._canvas.close()
        screen = self._c.screen
        self._canvas = Canvas(self._c, screen.root, self.place, screen.depth)

    def _find_place(self) -> Box:
        whole = whole_screen(self._c)
        if self._region is not None:
            place = clip(self._region, whole)
        else:
            screens = list_screens(self._c)
            found = [box for name, _, box in screens if name == self._wanted or not self._wanted]
            place = clip(found[0], whole) if found else None
        if place is None or min(place[2:]) < _SMALLEST:
            raise ShareEnded("none", "This part of the screen is not there.")
        return place
