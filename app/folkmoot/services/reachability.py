"""Where this node listens, where others may reach it, and what is said when they cannot.

Owns the listening port, the own addresses and the announcement on the network, and looks at them
again and again: a network that comes later is used without a restart. Refuses to listen at more
addresses than a person typed, and to fail for want of a network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.services.links import Links
from folkmoot.services.ports import Discovery, Store, Transport
from folkmoot.services.sightings import Sightings
from folkmoot.services.supervisor import Supervisor

LOOK_S = 1.5
"""A network that changes is followed within five seconds, announcing and dialling included."""
DISCOVER_AGAIN_S = 60.0
"""While the addresses stay the same. It is tried at once when they change."""
NO_NETWORK = "no_network"
_PORT_SETTING = "listen.port"

_log = logging.getLogger(__name__)


class Reachability:
    """Listens, announces, and keeps both true."""

    def __init__(
        self,
        links: Links,
        transport: Transport,
        discovery: Discovery | None,
        store: Store,
        sightings: Sightings,
        notice: Callable[[str, str, str], None],
        supervisor: Supervisor,
    ) -> None:
        """`notice(code, message, hint)` begins a state or, without a message, ends it."""
        self._links = links
        self._transport = transport
        self._discovery = discovery
        self._store = store
        self._sightings = sightings
        self._notice = notice
        self._supervisor = supervisor
        self._addresses: list[str] = []
        self._fault: EnvironmentFault | None = None
        self._started = False
        self._discovering = False
        self._discover_at = 0.0
        self._looking = asyncio.Lock()
        self._moved: list[Callable[[], None]] = []
        self.listening: list[str] = []

    def addresses(self) -> list[str]:
        """Where others may reach this node, the best first."""
        return list(self._addresses)

    @property
    def discovery(self) -> str:
        """How finding others by mDNS stands: ``on``, ``off``, ``failed``."""
        if self._discovery is None:
            return "off"
        return "on" if self._discovering else "failed"

    def watch(self, moved: Callable[[], None]) -> None:
        """Call `moved` when the addresses of this computer changed, after its start."""
        self._moved.append(moved)

    async def listen(self, wanted: Sequence[str]) -> None:
        """Listen where it is `wanted`; without that everywhere, at the port of the last time.

        A port that is taken is replaced by a free one; who typed it is told. Raises
        `EnvironmentFault` ``port_forbidden``, ``no_network`` and `UserError` ``bad_address`` for
        what a person typed.
        """
        if wanted:
            self.listening = await self._listen_as_typed(wanted)
            return
        try:
            self.listening = await self._listen_everywhere()
        except EnvironmentFault as fault:
            if fault.code != NO_NETWORK:
                raise
            self._fault = fault

    async def _listen_as_typed(self, wanted: Sequence[str]) -> list[str]:
        try:
            return await self._links.listen(list(wanted))
        except EnvironmentFault as fault:
            if fault.code != "port_taken":
                raise
            free = [str(Address(parse_address(text).host, 0)) for text in wanted]
            bound = await self._links.listen(list(dict.fromkeys(free)))
            ports = ", ".join(dict.fromkeys(text.rpartition(":")[2] for text in bound))
            self._notice(
                fault.code,
                f"{fault.message} Folkmoot listens on port {ports} instead.",
                "To use the port you chose, close that program and start Folkmoot again.",
            )
            return bound

    async def _listen_everywhere(self) -> list[str]:
        kept = await self._store.setting(_PORT_SETTING) or "0"
        try:
            bound = await self._links.listen(_everywhere(kept))
        except EnvironmentFault as fault:
            if fault.code != "port_taken":
                raise
            return await self._links.listen(_everywhere("0"))
        await self._store.set_setting(_PORT_SETTING, bound[0].rpartition(":")[2])
        return bound

    async def start(self) -> None:
        """Announce, and look after it from now on."""
        await self._look()
        self._started = True
        self._supervisor.start("reachability", self._keep_looking())

    async def look(self) -> list[str]:
        """Look now; where others may reach this node. Raises `EnvironmentFault`."""
        await self._look()
        return self.addresses()

    async def tags_changed(self) -> None:
        """Others recognise us by other tags now: announce anew."""
        if self._discovery is not None and self._discovering:
            await self._discovery.refresh()

    async def aclose(self) -> None:
        """Stop announcing."""
        if self._discovery is not None and self._discovering:
            await self._discovery.aclose()

    # --- looking -----------------------------------------------------------------------------

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look()
            except EnvironmentFault as fault:
                _log.warning("the network cannot be looked at: %s", fault)

    async def _look(self) -> None:
        """Bring what we say of ourselves in line with the network as it is now."""
        async with self._looking:
            await self._look_once()

    async def _look_once(self) -> None:
        if not self.listening:
            await self.listen(())
        addresses = await self._transport.addresses() if self.listening else []
        moved = addresses != self._addresses
        if moved:
            _log.info("others may reach this computer at %s", ", ".join(addresses) or "no address")
            old, self._addresses = self._addresses, addresses
            self._links.says(addresses)
            if self._started:
                self._tell_moved(old)
        await self._discover(moved)
        self._say()

    def _tell_moved(self, old: list[str]) -> None:
        """Nothing passes where our own address is gone: such links end; then all are told.

        While there is no other network they stay: this one may be back in a moment.
        """
        gone = {_host(text) for text in old} - {_host(text) for text in self._addresses}
        if all(_is_loopback(text) for text in self._addresses):
            gone.clear()
        for link in self._links.members():
            if link.local_host in gone:
                link.close("dead", "The address of this computer is gone.")
        for listener in self._moved:
            listener()

    async def _discover(self, moved: bool) -> None:
        now = asyncio.get_running_loop().time()
        discovery = self._discovery
        if discovery is None or self._discovering or not self.listening:
            return
        if not moved and now < self._discover_at:
            return
        self._discover_at = now + DISCOVER_AGAIN_S
        port = int(self.listening[0].rpartition(":")[2])
        try:
            await discovery.start(port, self._sightings.tags, self._sightings.see)
        except EnvironmentFault as fault:
            self._fault = fault
        else:
            self._discovering, self._fault = True, None

    def _say(self) -> None:
        """The notice that fits."""
        if self._is_alone():
            self._notice(
                NO_NETWORK,
                "This computer is on no network.",
                "What you write is safe here; it is sent as soon as there is a network.",
            )
        elif self._fault is not None:
            self._notice(NO_NETWORK, self._fault.message, self._fault.hint)
        else:
            self._notice(NO_NETWORK, "", "")

    def _is_alone(self) -> bool:
        """Whether nobody else can reach us though we listen for others."""
        if self._links.members():
            return False
        if not self.listening:
            return True
        for_others = not all(_is_loopback(text) for text in self.listening)
        return for_others and all(_is_loopback(text) for text in self._addresses)


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _is_loopback(address: str) -> bool:
    return address.startswith(("127.", "[::1]"))


def _everywhere(port: str) -> list[str]:
    return [f"0.0.0.0:{port}", f"[::]:{port}"]
