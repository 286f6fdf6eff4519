"""A log that strangers cannot fill: so many lines per minute, then one that counts the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable

WINDOW_S = 60.0
LINES = 20


class QuietLog:
    """Writes at most `LINES` lines in `WINDOW_S` seconds of `now()`."""

    def __init__(self, logger: logging.Logger, now: Callable[[], float]) -> None:
        self._logger = logger
        self._now = now
        self._since = now()
        self._lines = 0
        self._left_out = 0

    def info(self, text: str, *values: object) -> None:
        """Log a line, or count it."""
        now = self._now()
        if now - self._since >= WINDOW_S:
            if self._left_out:
                self._logger.info("… and %d more lines like the last ones", self._left_out)
            self._since, self._lines, self._left_out = now, 0, 0
        if self._lines < LINES:
            self._lines += 1
            self._logger.info(text, *values)
        else:
            self._left_out += 1
