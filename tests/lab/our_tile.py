"""Tiles fed by the window's own reader of pictures, which note when each picture was painted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from folkmoot.media.devices.stamp import read_stamp
from folkmoot.services.media_port import TilePlan
from folkmoot.ui.call.pictures import ALL, Part, Pictures, Want


class Tile(QWidget):
    """Paints the pictures of one peer.

    `painted`: (when it was done, microseconds, number) of each with a stamp, where `stamped`;
    `count`: of all.
    """

    def __init__(self, key: str, stamped: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.key = key
        self.count = 0
        self.painted: list[tuple[float, int, int]] = []
        self._stamped = stamped
        self._picture: QImage | None = None

    def wanted(self) -> Want | None:
        """What `Pictures` asks."""
        return Want(self.key.encode(), self.size())

    def show_picture(self, picture: QImage, part: Part = ALL) -> None:
        """A new picture."""
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the last one."""
        if self._picture is None:
            return
        painter = QPainter(self)
        painter.drawImage(0, 0, self._picture)
        painter.end()
        self.count += 1
        if self._stamped:
            self._note(time.monotonic(), self._picture)

    def _note(self, done: float, picture: QImage) -> None:
        width, height = picture.width(), picture.height()
        pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(height, width, 4)
        stamp = read_stamp(pixels)
        if stamp is not None:
            self.painted.append((done, stamp.micros, stamp.number))


def make_board(
    keys: Sequence[str],
    width: int,
    height: int,
    tell: Callable[[tuple[TilePlan, ...]], None],
    stamped: bool = True,
) -> tuple[QWidget, list[Tile], Pictures]:
    """A widget with a tile for each key, and what feeds them; `tell` hears what they want."""
    board = QWidget()
    across = max(1, round(len(keys) ** 0.5))
    board.resize(width * across, height * -(-len(keys) // across))
    pictures = Pictures(tell, board)
    tiles = [Tile(key, stamped, board) for key in keys]
    for place, tile in enumerate(tiles):
        tile.setGeometry(place % across * width, place // across * height, width, height)
        pictures.add(tile)
    return board, tiles, pictures
