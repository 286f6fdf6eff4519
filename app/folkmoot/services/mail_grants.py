"""Leave to put envelopes: what linked devices gave us, and what we give them.

A grant names a server, a recipient and a sender, and ends after a month; it is given anew when half
of that is over. What we were given is kept in local settings. Refuses grants that are not signed by
the device at the other end of the link, or are for somebody else, and more than a bounded number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, parse_server
from folkmoot.protocol import frames
from folkmoot.protocol.signaling import make_grant, read_grant
from folkmoot.services.keyring import Keyring
from folkmoot.services.link import Link
from folkmoot.services.ports import Clock, Store

GRANT_S = 30 * 24 * 3600
RENEW_S = GRANT_S // 2
MAX_GRANTERS = 512
"""Devices whose grants are kept; past it the one that ends first goes."""
_KEY = "mail.grants."
LITTLE_S = 24 * 3600
"""A grant that ends hardly later than the one that is held is not written again."""


@dataclass(frozen=True, slots=True)
class _Held:
    grant: bytes
    until_s: int


class MailGrants:
    """Grants received and given."""

    def __init__(self, keyring: Callable[[], Keyring], store: Store, clock: Clock) -> None:
        self._keyring = keyring
        self._store = store
        self._clock = clock
        self._held: dict[DeviceId, dict[str, _Held]] = {}
        self._given: dict[DeviceId, tuple[frozenset[ServerUrl], int]] = {}

    # --- received ----------------------------------------------------------------------------

    async def load(self) -> None:
        """Take what is kept; what cannot be read is forgotten."""
        for key, value in (await self._store.settings(_KEY)).items():
            try:
                device = DeviceId(bytes.fromhex(key.removeprefix(_KEY)))
                rows = [(str(url), bytes.fromhex(grant)) for url, grant in json.loads(value)]
                held = {url: _Held(grant, read_grant(grant).until_s) for url, grant in rows}
            except (ValueError, TypeError, PeerError):
                await self._store.set_setting(key, None)
                continue
            self._held[device] = held

    def devices(self) -> list[DeviceId]:
        """Those that gave us leave."""
        return list(self._held)

    def grant_of(self, device: DeviceId, url: ServerUrl) -> bytes | None:
        """Leave to put envelopes for `device` at a server, if it holds now."""
        held = self._held.get(device, {}).get(str(url))
        return held.grant if held is not None and held.until_s > self._now_s() else None

    async def take(self, link: Link, frame: frames.MailGrants) -> bool:
        """What a linked device lets us do from now on; whether that is more than before.

        Raises `PeerError` for a grant that is not its own, or not for us.
        """
        rows = {url: held for url, held in (self._read(link, *row) for row in frame.rows) if url}
        before = self._held.get(link.device, {})
        if rows.keys() == before.keys() and all(
            held.until_s <= before[url].until_s + LITTLE_S for url, held in rows.items()
        ):
            return False
        await self._keep(link.device, rows)
        return True

    async def forget(self, device: DeviceId, url: ServerUrl) -> None:
        """The server does not take this grant."""
        rows = {key: held for key, held in self._held.get(device, {}).items() if key != str(url)}
        await self._keep(device, rows)

    def _read(self, link: Link, text: str, grant: bytes) -> tuple[str, _Held]:
        read = read_grant(grant)
        if read.recipient != link.device or read.sender != self._keyring().device:
            raise PeerError("bad_frame", "A grant of another device, or for another one.")
        try:
            url = str(parse_server(text))
        except UserError as error:
            raise PeerError("bad_frame", "A grant names no server.") from error
        return (url if read.until_s > self._now_s() else ""), _Held(grant, read.until_s)

    async def _keep(self, device: DeviceId, rows: dict[str, _Held]) -> None:
        self._held.pop(device, None)
        if rows:
            self._held[device] = rows
        gone = [] if rows else [device]
        while len(self._held) > MAX_GRANTERS:
            first = min(self._held, key=lambda d: max(h.until_s for h in self._held[d].values()))
            del self._held[first]
            gone.append(first)
        for lost in gone:
            await self._store.set_setting(_KEY + lost.hex(), None)
        if device in self._held:
            value = json.dumps([(url, held.grant.hex()) for url, held in rows.items()])
            await self._store.set_setting(_KEY + device.hex(), value)

    # --- given -------------------------------------------------------------------------------

    def give(self, link: Link, servers: Iterable[ServerUrl]) -> None:
        """Let a linked member leave envelopes for us at these servers, unless it has that leave
        for longer than half a grant still."""
        urls = frozenset(servers)
        given = self._given.get(link.device)
        now_s = self._now_s()
        if given is not None and given[0] == urls and given[1] > now_s + GRANT_S - RENEW_S:
            return
        if not urls and given is None:
            return
        until_s = now_s + GRANT_S
        signer = self._keyring().device_key
        rows = [
            (str(url), make_grant(signer, link.device, until_s)) for url in sorted(urls, key=str)
        ]
        link.send(frames.MailGrants(tuple(rows[: frames.MAX_SERVERS])))
        self._given[link.device] = urls, until_s

    def link_up(self, link: Link) -> None:
        """Whoever links anew is given leave anew: it may have lost what it had."""
        self._given.pop(link.device, None)

    def _now_s(self) -> int:
        return self._clock.wall_ms() // 1000
