"""Keeps the links to those in a call alive: a changed network is noticed, and dialled around.

Works only while this device is in a call. Refuses to close a link that was heard a moment ago, or
that answers after the network changed; and one through a server for a silence that the connection
to the server survives: whoever keeps that connection up makes it anew, and the link goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.services.link import Link
from folkmoot.services.values import Way

LOOK_S = 0.5
PROBE_S, PROBE_LOOK_S = 0.8, 0.1
"""After a change a link has so long to show that it lives; it is looked at so often."""
QUIET_S, RELAY_QUIET_S = 1.5, 6.0
"""A link of a call is asked for life twice a second: after so long without it is dead; one through
a server is away for a few seconds while its connection is made anew."""

_log = logging.getLogger(__name__)


class Linked(Protocol):
    """The links, as far as they matter here."""

    def get(self, device: DeviceId) -> Link | None:
        """The link to a device."""
        ...

    def members(self) -> list[Link]:
        """All links of members."""
        ...


class Ways:
    """Looks at own addresses and at links while a call lasts."""

    def __init__(
        self,
        links: Linked,
        redial: Callable[[DeviceId], None],
        look: Callable[[], Awaitable[list[str]]],
    ) -> None:
        """`look` gives the addresses of this computer as they are now, ``host:port``."""
        self._links = links
        self._redial = redial
        self._look = look
        self._hosts: set[str] = set()
        self._redials: dict[DeviceId, float] = {}
        self._probed_at: float | None = None

    async def watch(
        self, in_call: Callable[[], Iterable[DeviceId] | None], moved: Callable[[], None]
    ) -> None:
        """Go on until `in_call` gives None; else the devices that are in the call with us.

        `moved` is told when an address of this computer is gone.
        """
        self._hosts.clear()
        self._probed_at = None
        while (devices := in_call()) is not None:
            try:
                gone = self._gone(await self._look())
            except EnvironmentFault as fault:
                _log.warning("the network cannot be looked at: %s", fault)
                gone = set()
            now = asyncio.get_running_loop().time()
            if gone:
                self._probed_at = now
                self._close_those_of(gone)
                moved()
            self._beat(devices, now)
            await asyncio.sleep(LOOK_S if self._probed_at is None else PROBE_LOOK_S)

    def _gone(self, addresses: list[str]) -> set[str]:
        hosts = {address.rpartition(":")[0] for address in addresses}
        gone, self._hosts = self._hosts - hosts, hosts
        return gone

    def _close_those_of(self, hosts: set[str]) -> None:
        """Nothing passes where our own address is gone."""
        for link in self._links.members():
            if link.local_host in hosts:
                link.close("dead", "The address of this computer is gone.")

    def _beat(self, devices: Iterable[DeviceId], now: float) -> None:
        """Ask each link for life; after a change one that does not answer is dead."""
        probed_at = self._probed_at
        for device in devices:
            link = self._links.get(device)
            if link is None:
                continue
            if probed_at is not None and self._is_lost(link, probed_at, now):
                link.close("dead", "Nothing was heard since the network changed.")
            link.beat(now)
        if probed_at is not None and now - probed_at >= PROBE_S:
            self._probed_at = None

    def _is_lost(self, link: Link, probed_at: float, now: float) -> bool:
        silent = now - probed_at >= PROBE_S and link.heard_at < probed_at
        return silent and link.way is not Way.RELAY

    def down(self, link: Link) -> None:
        """A link of the call went down: if it was dead, dial anew at once."""
        if link.reason == "dead":
            self._dial(link.device, asyncio.get_running_loop().time())

    def silent(self, device: DeviceId) -> None:
        """No media comes from a device: if its link is dead as well, dial anew at once."""
        now = asyncio.get_running_loop().time()
        link = self._links.get(device)
        if link is not None:
            if now - link.heard_at < (RELAY_QUIET_S if link.way is Way.RELAY else QUIET_S):
                return
            link.close("dead", "Nothing was heard for too long.")
            return
        if now - self._redials.get(device, -LOOK_S) >= LOOK_S:
            self._dial(device, now)

    def _dial(self, device: DeviceId, now: float) -> None:
        if len(self._redials) > 64:
            self._redials.clear()
        self._redials[device] = now
        self._redial(device)
