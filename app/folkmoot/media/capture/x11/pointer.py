"""The mouse pointer in a picture, which is not among the pixels of any window.

Owns its picture and where it was. Refuses to leave a trace: what it covers is put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.boxes import Box, clip
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, XError
from folkmoot.media.capture.x11.extensions import Cursor, CursorImage


class Pointer:
    """Follows the pointer of one display; without XFixes there is none."""

    def __init__(self, connection: Connection) -> None:
        self._c = connection
        self._root = connection.screen.root
        self._cursor: Cursor | None = None
        self._image: CursorImage | None = None
        self._box: Box | None = None
        with suppress(XError):
            self._cursor = Cursor(connection, self._root)

    def notice(self, event: bytes) -> None:
        """An event came: the picture of the pointer may be another one."""
        if self._cursor is not None and self._cursor.is_told(event):
            self._image = None

    def look(self, place: Box, over: int = 0) -> list[Box]:
        """Where in the picture of `place` it must be painted anew; empty when it stands still.

        With `over`, it is seen only while that child of the root is the one under it.
        """
        if self._cursor is None:
            return []
        child, left, top = core.query_pointer(self._c, self._root)
        is_new = self._image is None
        image = self._image = self._image or self._cursor.take()
        box: Box | None = None
        if not over or child == over:
            height, width = image.pixels.shape[:2]
            at = left - image.hot[0] - place[0], top - image.hot[1] - place[1]
            box = clip((*at, width, height), (0, 0, *place[2:])) and (*at, width, height)
        before, self._box = self._box, box
        if before == box and not (is_new and box):
            return []
        return [each for each in (before, box) if each is not None]

    @contextmanager
    def drawn(self, pixels: NDArray[np.uint8]) -> Iterator[None]:
        """Have it in `pixels` for a moment."""
        part = self._part(pixels)
        if part is None:
            yield
            return
        under, image = part
        saved = under.copy()
        cover = 255 - image[..., 3:].astype(np.uint16)
        under[..., :3] = np.minimum(255, image[..., :3] + under[..., :3] * cover // 255)
        try:
            yield
        finally:
            under[:] = saved

    def _part(
        self, pixels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        """What of the picture it covers, and what of it covers that."""
        if self._box is None or self._image is None:
            return None
        height, width = pixels.shape[:2]
        inside = clip(self._box, (0, 0, width, height))
        if inside is None:
            return None
        left, top, wide, tall = inside
        across, down = left - self._box[0], top - self._box[1]
        image = self._image.pixels[down : down + tall, across : across + wide]
        return pixels[top : top + tall, left : left + wide], image
