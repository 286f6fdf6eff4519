"""Feeds of new versions, good and spoiled, and a source of them without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from builders.writers import START_MS, seed
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.updates import Feed, FeedAddress, Release
from folkmoot.protocol.feed import write_feed
from folkmoot.protocol.keys import LABEL_FEED, Signer
from folkmoot.services.update_values import Fetched

SIGNER = Signer(seed("feed"))
URL = "https://example.org/folkmoot.json"
ADDRESS = str(FeedAddress(URL, SIGNER.public))
DAY_MS = 24 * 3600 * 1000
FEED = Feed(
    serial=7,
    issued_ms=1_795_687_200_000,
    expires_ms=1_795_687_200_000 + 30 * DAY_MS,
    releases=(
        Release("0.2.0", "2026-11-26", "Files.\nFaster calls.", "https://example.org/0.2.0"),
        Release("0.1.0", "2026-10-01", "The first version."),
    ),
)


def feed(*versions: str, serial: int = 1, days: float = 30.0, now_ms: int = START_MS) -> Feed:
    """A feed of these versions, issued at `now_ms`."""
    releases = tuple(
        Release(version, "2026-11-26", f"What is new in {version}.", f"{URL}/{version}")
        for version in versions
    )
    return Feed(serial, now_ms, now_ms + int(days * DAY_MS), releases)


def payload() -> dict[str, Any]:
    """The inside of `FEED` as it is written."""
    return {
        "format": 1,
        "serial": 7,
        "issued": "2026-11-26T10:00:00Z",
        "expires": "2026-12-26T10:00:00Z",
        "releases": [
            {
                "version": "0.2.0",
                "date": "2026-11-26",
                "summary": "Files.\nFaster calls.",
                "notes": "https://example.org/0.2.0",
            },
            {
                "version": "0.1.0",
                "date": "2026-10-01",
                "summary": "The first version.",
                "notes": "",
            },
        ],
    }


def envelope(signed: bytes, signer: Signer = SIGNER) -> bytes:
    """Whatever bytes, properly signed."""
    outer = {"signed": signed, "signature": signer.sign(LABEL_FEED, signed)}
    return json.dumps({k: base64.b64encode(v).decode() for k, v in outer.items()}).encode()


class FakeFeeds:
    """The port without a network: what is at `data` is answered, under an etag that changes with
    it. `asked`: (time of the loop, url, etag) of each question."""

    def __init__(self, *said: Feed) -> None:
        self.data = write_feed(said[0], SIGNER) if said else b""
        self.fault: EnvironmentFault | None = None
        self.asked: list[tuple[float, str, str]] = []
        self.hold: asyncio.Event | None = None

    def say(self, said: Feed, signer: Signer = SIGNER) -> None:
        """Publish another one."""
        self.data = write_feed(said, signer)

    async def fetch(self, url: str, etag: str) -> Fetched:
        """See the port."""
        self.asked.append((asyncio.get_running_loop().time(), url, etag))
        if self.hold is not None:
            await self.hold.wait()
        if self.fault is not None:
            raise self.fault
        now = f'"{hash(self.data)}"'
        return Fetched(None, etag) if etag == now else Fetched(self.data, now)
