"""Envelopes that came for us: opened, judged and stored like what links bring, then taken.

What is in an envelope is believed as much as its entries' signatures prove, whoever put it. One
that is damaged, not for us, or from somebody with whom we share no team (any more) changes nothing
and is taken all the same: else it would come for ever. Refuses to take one before what it brought
is durable, and to hold more than a bounded number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl
from folkmoot.protocol.frames import Segment
from folkmoot.protocol.mail import mail_info, read_mail
from folkmoot.services.authority import Verdict
from folkmoot.services.keyring import Keyring
from folkmoot.services.pace import Bucket
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.signaling_port import Sealer

MAX_QUEUED = 1024
MAX_QUEUED_BYTES = 8 * 1024 * 1024
"""What does not fit is not taken: its server brings it again at the next connection."""
WORK_PER_S, WORK_BURST = 500.0, 5000.0
"""An envelope costs 10, an entry 1: a server, or a member, that sends without end waits."""
ENVELOPE_COST = 10.0
FAULT_REST_S = 2.0

_log = logging.getLogger(__name__)
Store = Callable[[Sequence[Segment], DeviceId], Awaitable[list[Verdict]]]
Taken = Callable[[ServerUrl, Sequence[bytes]], None]


class MailIntake:
    """The one queue of envelopes of a node."""

    def __init__(
        self,
        keyring: Callable[[], Keyring],
        sealer: Sealer,
        registry: TeamRegistry,
        store: Store,
        taken: Taken,
    ) -> None:
        """`store`: `Replication.take_mail`. `taken` tells the server."""
        self._keyring = keyring
        self._sealer = sealer
        self._registry = registry
        self._store = store
        self._taken = taken
        self._queue: dict[tuple[ServerUrl, bytes], bytes] = {}
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._work = Bucket(WORK_PER_S, WORK_BURST, 0.0)
        self._quiet_log = QuietLog(_log, _now)

    def add(self, url: ServerUrl, id: bytes, sealed: bytes) -> None:
        """An envelope came from a server."""
        if (url, id) in self._queue:
            return
        if len(self._queue) >= MAX_QUEUED or self._bytes + len(sealed) > MAX_QUEUED_BYTES:
            return
        self._queue[url, id] = sealed
        self._bytes += len(sealed)
        self._arrived.set()

    async def run(self) -> None:
        """Open and store what comes, one by one, without end."""
        while True:
            while self._queue:
                (url, id), sealed = next(iter(self._queue.items()))
                try:
                    await self._one(url, sealed)
                except EnvironmentFault as error:
                    _log.error("an envelope could not be stored now: %s", error)
                    await asyncio.sleep(FAULT_REST_S)
                    continue
                except Exception:  # noqa: BLE001 - our bug, but the next envelope may be fine
                    _log.exception("a bug in taking an envelope of %s", url)
                del self._queue[url, id]
                self._bytes -= len(sealed)
                self._taken(url, (id,))
            self._arrived.clear()
            await self._arrived.wait()

    async def _one(self, url: ServerUrl, sealed: bytes) -> None:
        await asyncio.sleep(self._work.owe(_now(), ENVELOPE_COST))
        try:
            segments = self._open(sealed)
            count = sum(len(segment.headers) for segment in segments)
            await asyncio.sleep(self._work.owe(_now(), count))
            refused = await self._store(segments, segments[0].device)
        except PeerError as error:
            self._quiet_log.info(
                "an envelope of %s is not taken: %s (%s)", url, error.message, error.code
            )
            return
        for verdict in refused:
            if verdict.outcome is not None:
                self._quiet_log.info(
                    "a segment in an envelope of %s is not taken: %s (%s)",
                    *(url, verdict.reason, verdict.outcome.value),
                )

    def _open(self, sealed: bytes) -> tuple[Segment, ...]:
        """What is in it, from somebody of our teams. Raises `PeerError`."""
        keyring = self._keyring()
        info = mail_info(keyring.device)
        segments = read_mail(self._sealer.open(keyring.seal_seed, info, sealed))
        person = self._registry.person_of(segments[0].device)
        if person is None or person not in self._registry.known_persons():
            raise PeerError("unknown_sender", "its writer is in no team of ours")
        return segments


def _now() -> float:
    return asyncio.get_running_loop().time()
