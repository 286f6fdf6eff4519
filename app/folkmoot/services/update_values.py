"""What is known of new versions, and the port through which a feed is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from folkmoot.domain.updates import Release


@dataclass(frozen=True, slots=True)
class Updates:
    """How it stands with new versions of the program.

    `on`: the feed at `address` is asked once a day. `looked_ms`: when it answered last, None if it
    never did. `problem`, `hint`: why the last attempt failed, or why what it says does not count.
    `offer`: a newer version than the one that runs; `dismissed`: the person has seen it.
    """

    on: bool = False
    address: str = ""
    looking: bool = False
    looked_ms: int | None = None
    problem: str = ""
    hint: str = ""
    offer: Release | None = None
    dismissed: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `data` None: nothing changed since the answer that had this `etag`."""

    data: bytes | None
    etag: str = ""


class Feeds(Protocol):
    """Asks for feeds over the network."""

    async def fetch(self, url: str, etag: str) -> Fetched:
        """The feed at `url`, at most `protocol.feed.MAX_FEED_BYTES`, not looked into.

        With the `etag` of an earlier answer only what changed. Raises `EnvironmentFault` with words
        if there is no answer that could be a feed.
        """
        ...
