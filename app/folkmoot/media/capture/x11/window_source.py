"""One window of an X server: its own pixels, wherever it is and whatever lies over it.

Owns the following of its life: resized, minimised, moved, closed. Refuses to show it with pixels
that may be of another window: see `own_pixels`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import av

from folkmoot.media.capture.boxes import Box, area
from folkmoot.media.capture.picture import Limits
from folkmoot.media.capture.source import NOWHERE, ShareEnded
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.canvas import Canvas
from folkmoot.media.capture.x11.connection import Connection, DisplayLost, XError
from folkmoot.media.capture.x11.extensions import Damage
from folkmoot.media.capture.x11.lockers import check_unlocked
from folkmoot.media.capture.x11.own_pixels import OwnPixels, Pixels
from folkmoot.media.capture.x11.pointer import Pointer
from folkmoot.media.capture.x11.windows import find_top, has_manager, window_number

_LOOK_S = 0.25
_REPAINT_S, _PATIENCE_S = 0.08, 0.3
"""How long a program has to paint again before it is shown, and when it takes longer."""
_PAINTED = 0.9
"""Of the window: then it has been painted again."""
_RENEW_S = 0.2
"""Every program is held for a moment when a pixmap is cleaned: not at each step of a resize."""
_HIDDEN_S = 1.0
_BAD_WINDOW, _BAD_DRAWABLE = 3, 9
_CLOSED = "The window was closed."
_NOT_ALONE = "This display cannot show one window alone."


class WindowSource:
    """A window by the id of `Window`. `browsing`: for a small picture that only this person sees.

    Raises `ShareEnded` ``none`` when it is not there, ``refused`` when the server cannot keep its
    pixels apart from those of others.
    """

    is_ready = True

    def __init__(self, connection: Connection, source_id: str, *, browsing: bool = False) -> None:
        self._c = connection
        self._window = window_number(source_id) or 0
        self._canvas: Canvas | None = None
        self._own = OwnPixels(connection, self._window)
        self._damage: Damage | None = None
        self._pointer = None if browsing else Pointer(connection)
        self._top, self.place = 0, (0, 0, 0, 0)
        self._looked = self._ready = self._hidden_at = self._renewed = self._patient = 0.0
        self._now, self._painted = 0.0, 0
        self._stale = self._settles = False
        self._inner: Box = (0, 0, 0, 0)
        try:
            core.select_events(connection, self._window, core.STRUCTURE_NOTIFY)
            self._top, self.place = find_top(connection, self._window)
            pixels = self._own.begin(trusting=browsing)
            self._damage = Damage(connection, self._window)
            self._use(pixels)
        except (XError, DisplayLost) as error:
            if isinstance(error, XError) and not error.code:
                raise ShareEnded("refused", _NOT_ALONE) from error
            raise ShareEnded("none", "The window is not there.") from error

    def attend(self, now: float) -> None:
        """See `Source`."""
        self._now = now
        with self._told():
            self._notice(now)
            if self._stale and now - self._renewed >= _RENEW_S:
                self._stale, self._renewed = False, now
                self._use(self._own.renew())
            if self._settles:
                self._settles = False
                self._ready, self._patient = now + _REPAINT_S, now + _PATIENCE_S
            if now - self._looked >= _LOOK_S:
                self._looked = now
                self._follow(now)

    def moved(self, now: float) -> float:
        """See `Source`."""
        if self._canvas is None or self._waits(now):
            return 0.0
        with self._told():
            if self._pointer is not None:
                self._canvas.cover(self._pointer.look(self.place, self._top))
            return self._canvas.moved()

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`."""
        if self._canvas is None or self._waits(self._now):
            return None
        with self._told():
            return self._canvas.take(limits, self._pointer, whole=whole)

    @property
    def fetched(self) -> int:
        """Rows fetched of the pixmap of now."""
        return 0 if self._canvas is None else self._canvas.fetched

    def close(self) -> None:
        """See `Source`. The connection stays."""
        with suppress(DisplayLost):
            if self._canvas is not None:
                self._canvas.close()
                self._canvas = None
            if self._damage is not None:
                self._damage.close()
                self._damage = None
            self._own.end()

    def _waits(self, now: float) -> bool:
        """Whether the program has still to paint what was overwritten."""
        if self._canvas is None or self._settles or now < self._ready:
            return True
        width, height = self._canvas.size
        return now < self._patient and self._painted < _PAINTED * width * height

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except XError as error:
            if error.code in (_BAD_WINDOW, _BAD_DRAWABLE):
                raise ShareEnded("closed", _CLOSED) from error
            raise ShareEnded("failed", f"The window cannot be read: {error}.") from error
        except DisplayLost as error:
            raise ShareEnded("failed", error.message) from error

    def _notice(self, now: float) -> None:
        is_painted = False
        for event in self._c.events():
            if self._damage is not None and self._damage.is_told(event):
                is_painted = True
            elif self._pointer is not None:
                self._pointer.notice(event)
            if event[4:12] == struct.pack("=II", self._window, self._window):
                self._live(event, now)
        if is_painted and self._damage is not None:
            painted = self._damage.take()
            self._painted += area(painted)
            if self._canvas is not None:
                self._canvas.spoil(self._in_pixmap(painted))

    def _live(self, event: bytes, now: float) -> None:
        """Something happened to the window itself."""
        kind = event[0] & 0x7F
        if kind == core.DESTROY_NOTIFY:
            raise ShareEnded("closed", _CLOSED)
        if kind == core.UNMAP_NOTIFY:
            self._hidden_at = now
            self._drop()
        elif kind in (core.MAP_NOTIFY, core.REPARENT_NOTIFY):
            if kind == core.MAP_NOTIFY:
                self._hidden_at = 0.0
            self._stale = True
        elif kind == core.CONFIGURE_NOTIFY and not event[0] & core.SENT:
            width, height, border = struct.unpack_from("=HHH", event, 20)
            self._stale = self._stale or (border, border, width, height) != self._inner

    def _drop(self) -> None:
        if self._canvas is not None:
            self._canvas.close()
            self._canvas = None

    def _use(self, pixels: Pixels | None) -> None:
        self._drop()
        self._inner = (0, 0, 0, 0) if pixels is None else pixels.inner
        if pixels is not None:
            self._canvas = Canvas(self._c, pixels.pixmap, pixels.inner, pixels.depth)
            self._settles = pixels.cleaned
            self._painted = 0

    def _in_pixmap(self, boxes: list[Box]) -> list[Box]:
        border = self._inner[0]
        return [(left + border, top + border, wide, tall) for left, top, wide, tall in boxes]

    def _follow(self, now: float) -> None:
        """Look where it is: nowhere while it is minimised. One that its program has taken back is
        closed."""
        check_unlocked(self._c)
        self._top, place = find_top(self._c, self._window)
        self.place = NOWHERE if self._hidden_at else place
        if self._hidden_at and now - self._hidden_at > _HIDDEN_S and has_manager(self._c):
            state = core.get_numbers(self._c, self._window, "WM_STATE")
            if not state or state[0] == 0:
                raise ShareEnded("closed", _CLOSED)


def open_window(display: str, source_id: str, *, browsing: bool = False) -> OpenWindow:
    """A window with a connection of its own. Raises `ShareEnded`."""
    try:
        connection = Connection(display)
    except DisplayLost as error:
        raise ShareEnded("none", error.message) from error
    try:
        return OpenWindow(connection, source_id, browsing=browsing)
    except BaseException:
        connection.close()
        raise


class OpenWindow(WindowSource):
    """Closes its connection too."""

    def close(self) -> None:
        """See `Source`."""
        super().close()
        self._c.close()
