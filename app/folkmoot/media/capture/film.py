"""A video file as what is shared: at its own pace, again and again.

Owns the file and its decoder. Refuses files without a picture: `ShareEnded` ``failed``.
"""

from __future__ import annotations

from collections.abc import Generator

import av
import av.error

from folkmoot.media.capture.picture import Limits, shrink
from folkmoot.media.capture.source import NOWHERE, ShareEnded

_LATE_S = 0.5
"""When it is later than this, its clock starts anew instead of catching up."""


class Film:
    """The file at `path`."""

    place, is_ready = NOWHERE, True

    def __init__(self, path: str) -> None:
        self._path = path
        self._frames = self._decode()
        self._coming = self._next()
        self._shown: av.VideoFrame | None = None
        self._is_due = False
        self._began: float | None = None

    def attend(self, now: float) -> None:
        """See `Source`."""

    def moved(self, now: float) -> float:
        """See `Source`."""
        late = 0.0 if self._began is None else now - self._began - self._coming[0]
        if self._began is None or late > _LATE_S:
            self._began, late = now - self._coming[0], 0.0
        self._is_due = self._is_due or late >= 0
        return float(self._is_due)

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """See `Source`."""
        if self._is_due or self._shown is None:
            self._is_due = False
            self._shown, self._coming = self._coming[1], self._next()
        return shrink(self._shown, limits)

    def close(self) -> None:
        """See `Source`."""
        self._frames.close()

    def _next(self) -> tuple[float, av.VideoFrame]:
        """The next picture with its second, which grows over the repetitions too."""
        try:
            return next(self._frames)
        except (av.error.FFmpegError, OSError, ValueError, StopIteration) as error:
            words = f"The video file cannot be played: {error}"[:500]
            raise ShareEnded("failed", words) from error

    def _decode(self) -> Generator[tuple[float, av.VideoFrame], None, None]:
        offset = 0.0
        while True:
            with av.open(self._path) as container:
                if not container.streams.video:
                    raise ValueError("it has no picture")
                stream = container.streams.video[0]
                stream.codec_context.thread_count = 1
                first, last, step = None, offset, 0.04
                for frame in container.decode(stream):
                    if frame.time is None:
                        continue
                    first = frame.time if first is None else first
                    at = offset + frame.time - first
                    step, last = max(0.001, at - last) if at > last else step, at
                    yield at, frame
                if first is None:
                    raise ValueError("it has no picture")
                offset = last + step
