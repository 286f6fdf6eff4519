"""The picture of a drawable that is kept up to date: only rows that changed are fetched again.

Owns the grabber, the painter and what is known to have changed. Refuses nothing: an `XError` of
fetching goes to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable

import av

from folkmoot.media.capture.boxes import Box, area, clip_all, find_bands, move
from folkmoot.media.capture.picture import Limits, Painter
from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.pixels import Grabber
from folkmoot.media.capture.x11.pointer import Pointer

_MANY = 32


class Canvas:
    """`width` times `height` pixels of a drawable, its corner at `left`, `top` of it.

    `fetched` counts the rows that were fetched, for tests and statistics.
    """

    fetched = 0

    def __init__(self, connection: Connection, drawable: int, box: Box, depth: int) -> None:
        self._drawable, self._box = drawable, box
        self._grabber = Grabber(connection, box[2], box[3], depth)
        self._painter = Painter()
        self._dirty: list[Box] = []
        self._overlay: list[Box] = []
        self.spoil_all()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self._box[2:]

    def spoil(self, boxes: Iterable[Box]) -> None:
        """These parts of the drawable were painted."""
        inside = clip_all(boxes, self._box)
        self._dirty += [move(box, -self._box[0], -self._box[1]) for box in inside]
        if len(self._dirty) > _MANY:
            width, height = self.size
            bands = find_bands(self._dirty, height)
            self._dirty = [(0, top, width, bottom - top) for top, bottom in bands]

    def spoil_all(self) -> None:
        """All may be another one."""
        self._dirty = [(0, 0, *self.size)]

    def cover(self, boxes: Iterable[Box]) -> None:
        """What is drawn over these parts of the picture changed."""
        self._overlay += boxes

    def moved(self) -> float:
        """What fraction changed since the last `take`, at most 1."""
        width, height = self.size
        return min(1.0, area(self._dirty + self._overlay) / (width * height))

    def take(self, limits: Limits, pointer: Pointer | None, *, whole: bool) -> av.VideoFrame:
        """The picture now. `whole`: as if all had changed."""
        height = self.size[1]
        if whole:
            self.spoil_all()
        for rows in find_bands(self._dirty, height):
            self._grabber.fetch(self._drawable, *self._box[:2], rows)
            self.fetched += rows[1] - rows[0]
        bands = find_bands(self._dirty + self._overlay, height)
        self._dirty, self._overlay = [], []
        if pointer is None:
            return self._painter.paint(self._grabber.pixels, limits, bands)
        with pointer.drawn(self._grabber.pixels):
            return self._painter.paint(self._grabber.pixels, limits, bands)

    def close(self) -> None:
        """Let the memory go."""
        self._grabber.close()
