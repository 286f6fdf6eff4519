"""Whether a picture differs from the one before, where nobody tells.

Owns a copy of the last picture. Refuses to guess: every pixel is compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot.media.capture.boxes import Rows, find_bands


class ChangeFinder:
    """Compares pictures of (height, width, 4) with the last one that was looked at."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self.bands: list[Rows] | None = None
        """The rows that changed in the last call; None: all."""

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """The last picture. The next call changes it."""
        return self._last

    def look(self, pixels: NDArray[np.uint8]) -> float:
        """What fraction of the rows changed since the last call; 0: nothing did."""
        last = self._last
        if last is None or last.shape != pixels.shape:
            self._last, self.bands = pixels.copy(), None
            return 1.0
        rows = np.flatnonzero(np.any(_words(pixels) != _words(last), axis=1))
        self.bands = find_bands([(0, int(row), 1, 1) for row in rows], len(pixels))
        for top, bottom in self.bands:
            last[top:bottom] = pixels[top:bottom]
        return len(rows) / len(pixels)


def _words(pixels: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The same with one number a pixel."""
    return pixels.view(np.uint32)[:, :, 0]
