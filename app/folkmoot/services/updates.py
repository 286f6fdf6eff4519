"""Tells of new versions: asks a signed feed once a day, if the person wants it.

Owns the address, the newest feed that was seen and what was dismissed; all of it is kept. Refuses a
feed that is older than one seen before, and makes nothing of one that has expired. It never asks
while it is off, and never downloads or runs anything: it only tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from folkmoot.domain.errors import EnvironmentFault, PeerError, UserError
from folkmoot.domain.updates import Feed, FeedAddress, newest, parse_feed_address
from folkmoot.protocol.feed import read_feed
from folkmoot.services.events import EventBus, UpdatesChanged
from folkmoot.services.ports import Clock, Randomness, Store
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.update_values import Feeds, Updates

FIRST_S = (20.0, 300.0)
"""After the start: not all who start at nine ask at nine, nor while the computer is busy."""
DAY_S = 24 * 3600.0
RETRY_S = 600.0
"""After a failure; twice as long after each further one, up to a day."""
JITTER = (0.9, 1.1)

_ON, _ADDRESS = "updates.on", "updates.address"
_FEED, _ETAG, _LOOKED = "updates.feed", "updates.etag", "updates.looked_ms"
_DISMISSED = "updates.dismissed"

_log = logging.getLogger(__name__)


class UpdatesService:
    """`node.updates`."""

    def __init__(
        self,
        version: str,
        feeds: Feeds | None,
        store: Store,
        clock: Clock,
        randomness: Randomness,
        events: EventBus,
        supervisor: Supervisor,
    ) -> None:
        """`version` is the one that runs. Without `feeds` the settings are kept and nothing is
        asked."""
        self._version = version
        self._feeds = feeds
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._events = events
        self._supervisor = supervisor
        self._on = False
        self._address: FeedAddress | None = None
        self._feed: Feed | None = None
        self._data = b""
        """The bytes of `_feed`."""
        self._etag = ""
        self._looked_ms: int | None = None
        self._looking = False
        self._problem = ("", "")
        self._dismissed = ""
        self._asking: asyncio.Task[None] | None = None
        self._told = Updates()

    async def start(self) -> None:
        """Read what is kept, and begin to ask if that is wanted."""
        kept = await self._store.settings("updates.")
        self._dismissed = kept.get(_DISMISSED, "")
        self._data = kept.get(_FEED, "").encode()
        with contextlib.suppress(UserError):  # none is kept, or by other rules than today's
            self._take_address(parse_feed_address(kept.get(_ADDRESS, "")))
        if self._feed is not None:
            self._etag = kept.get(_ETAG, "")
            self._looked_ms = int(kept.get(_LOOKED, "0")) or None
        self._on = bool(kept.get(_ON)) and self._address is not None
        if self._on:
            self._begin(self._randomness.uniform(*FIRST_S))

    def state(self) -> Updates:
        """How it stands now."""
        problem, hint = self._problem
        offer = None
        if self._on and self._feed is not None:
            if self._feed.expires_ms <= self._clock.wall_ms():
                if not problem:
                    problem, hint = _STALE
            else:
                offer = newest(self._feed.releases, self._version)
        return Updates(
            on=self._on,
            address="" if self._address is None else str(self._address),
            looking=self._looking,
            looked_ms=self._looked_ms,
            problem=problem if self._on else "",
            hint=hint if self._on else "",
            offer=offer,
            dismissed=offer is not None and offer.version == self._dismissed,
        )

    async def turn_on(self, address: str) -> None:
        """Ask the feed at `address`, now and once a day. Raises `UserError` ``bad_feed``."""
        self._take_address(parse_feed_address(address))
        await self._turn(on=True)

    async def turn_off(self) -> None:
        """Ask nothing any more; the address stays for another time."""
        await self._turn(on=False)

    async def _turn(self, *, on: bool) -> None:
        self._stop()
        self._on, self._problem = on, ("", "")
        await self._store.set_setting(_ADDRESS, str(self._address) if self._address else None)
        await self._store.set_setting(_ON, "1" if on else None)
        if self._on:
            self._begin(0.0)
        self._tell()

    def look(self) -> None:
        """Ask now, if it is on."""
        if self._on and not self._looking:
            self._begin(0.0)
            self._tell()

    async def dismiss(self, version: str) -> None:
        """The person has seen this version."""
        self._dismissed = version
        await self._store.set_setting(_DISMISSED, version)
        self._tell()

    # --- asking

    def _begin(self, after_s: float) -> None:
        self._stop()
        if self._feeds is not None:
            self._looking = after_s == 0
            self._asking = self._supervisor.start("updates", self._keep_asking(after_s))

    def _stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None
        self._looking = False

    async def _keep_asking(self, after_s: float) -> None:
        failures = 0
        while True:
            await asyncio.sleep(after_s)
            failures = 0 if await self._ask() else failures + 1
            wait_s = min(DAY_S, RETRY_S * 2 ** (failures - 1)) if failures else DAY_S
            after_s = wait_s * self._randomness.uniform(*JITTER)

    async def _ask(self) -> bool:
        """Ask once; whether there was an answer that counts."""
        assert self._feeds is not None
        address = self._address
        assert address is not None
        self._looking = True
        self._tell()
        try:
            fetched = await self._feeds.fetch(address.url, self._etag)
            if fetched.data is not None:
                await self._take(fetched.data, fetched.etag, address.key)
            elif self._feed is None:
                raise PeerError("bad_feed", "“not modified”, where nothing is known")
            self._looked_ms = self._clock.wall_ms()
            await self._store.set_setting(_LOOKED, str(self._looked_ms))
            self._problem = ("", "")
        except EnvironmentFault as fault:
            self._problem = (fault.message, fault.hint)
        except PeerError as error:
            _log.warning("the feed of new versions is refused: %s (%s)", error, error.code)
            self._problem = _WORDS.get(error.code, _BAD)
        self._looking = False
        self._tell()
        return not self._problem[0]

    async def _take(self, data: bytes, etag: str, key: bytes) -> None:
        """Keep a newer feed. Raises `PeerError` for one that does not count."""
        feed, before = read_feed(data, key), self._feed
        if before is not None and (
            feed.serial < before.serial or (feed.serial == before.serial and feed != before)
        ):
            raise PeerError("rollback", f"serial {feed.serial}, where {before.serial} was seen")
        self._feed, self._data, self._etag = feed, data, etag
        await self._store.set_setting(_FEED, data.decode())
        await self._store.set_setting(_ETAG, etag)

    def _take_address(self, address: FeedAddress) -> None:
        """Use an address; of what was seen, only what the same key signed counts."""
        if self._address is None or self._address.url != address.url:
            self._etag = ""
        self._address = address
        try:
            self._feed = read_feed(self._data, address.key)
        except PeerError:
            self._feed, self._etag, self._looked_ms = None, "", None

    def _tell(self) -> None:
        state = self.state()
        if state != self._told:
            self._told = state
            self._events.publish(UpdatesChanged(state))


_STALE = (
    "What the address says of new versions is out of date.",
    "Whoever publishes it has not renewed it, or somebody keeps newer words back. If it stays so,"
    " look for new versions where you got Folkmoot.",
)
_BAD = (
    "What is at this address is not a feed of new versions.",
    "Check the address, or ask whoever gave it to you.",
)
_WORDS = {
    "bad_signature": (
        "What is at this address is not signed by the key in it, so it is not believed.",
        "Ask whoever gave you the address for the one that holds now.",
    ),
    "rollback": (
        "The address says less than it said before, so it is not believed.",
        "Somebody may keep newer words back. If it stays so, look for new versions where you got"
        " Folkmoot.",
    ),
}
