"""What every kind of source looks like to the thread that serves a share.

Owns nothing; says when a share is over. Refuses nothing.
"""

from __future__ import annotations

from typing import Protocol

import av

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.picture import Limits

NOWHERE: Box = (0, 0, 0, 0)


class ShareEnded(Exception):
    """The source gives no more pictures: `code` and `words` as in `media_port.ShareChanged`."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


class Source(Protocol):
    """A source that is open. Used by one thread; every method may raise `ShareEnded`."""

    @property
    def place(self) -> Box:
        """Where it is on the screen; `NOWHERE` where that is not known."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether it is shared already: somebody may still have to allow it."""
        ...

    def attend(self, now: float) -> None:
        """Notice what happens to it, also while it is paused; `now` is monotonic seconds."""
        ...

    def moved(self, now: float) -> float:
        """What fraction of it changed since the last `take`. Costs next to nothing."""
        ...

    def take(self, limits: Limits, *, whole: bool) -> av.VideoFrame | None:
        """The picture now, within `limits`; None while there is none. `whole`: look anew."""
        ...

    def close(self) -> None:
        """Let it go. Never raises."""
        ...
