"""Names as they are written into a picture: luma of white letters on dark ground.

Owns what was drawn before. Letters are Qt's, drawn in its thread and only there; until they are
drawn, and where no Qt with letters runs, there is nothing to write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from folkmoot.media.devices.planes import Plane
from folkmoot.media.devices.qt import call_in_qt

GROUND, LETTERS = 28, 235
_MOST_KEPT = 200
Request = tuple[str, int, int]
"""Words, height of the letters in pixels, the most that they may be wide."""


class Words:
    """Any thread asks; what is not there yet is drawn for the next time."""

    def __init__(self, call: Callable[[Callable[[], object]], bool] = call_in_qt) -> None:
        self._call = call
        self._drawn: dict[Request, Plane | None] = {}
        self._lock = threading.Lock()

    def find(self, words: str, pixels: int, width: int) -> Plane | None:
        """The luma of `words` with even sides, at most `width` wide; None: not there (yet)."""
        request = words, pixels, width
        if not words.strip() or pixels < 6 or width < 2 * pixels:
            return None
        with self._lock:
            if request in self._drawn:
                return self._drawn[request]
            if len(self._drawn) >= _MOST_KEPT:
                self._drawn.clear()
            self._drawn[request] = None
        self._call(lambda: self._draw(request))
        return None

    def _draw(self, request: Request) -> None:
        drawn = draw(*request)
        with self._lock:
            if request in self._drawn:
                self._drawn[request] = drawn


def draw(words: str, pixels: int, width: int) -> Plane | None:
    """In the Qt thread: draw one line; None where Qt has no letters."""
    from PySide6.QtCore import QCoreApplication, Qt
    from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QImage, QPainter, qRgb

    if not isinstance(QCoreApplication.instance(), QGuiApplication):
        return None
    font = QFont()
    font.setPixelSize(pixels)
    metrics = QFontMetrics(font)
    margin = max(2, pixels // 3)
    one_line = " ".join(words.split())
    shown = metrics.elidedText(one_line, Qt.TextElideMode.ElideRight, width - 2 * margin)
    across = min(width, metrics.horizontalAdvance(shown) + 2 * margin) // 2 * 2
    down = (metrics.height() + 2) // 2 * 2
    if across < 2:
        return None
    image = QImage(across, down, QImage.Format.Format_Grayscale8)
    image.fill(qRgb(GROUND, GROUND, GROUND))
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(qRgb(LETTERS, LETTERS, LETTERS))
    painter.drawText(margin, 1 + metrics.ascent(), shown)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(down, image.bytesPerLine())
    return rows[:, :across].copy()
