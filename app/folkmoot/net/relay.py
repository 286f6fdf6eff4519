"""Streams to devices behind a signaling server: QUIC in relayed frames, a path for each device.

The server is believed in nothing. A frame of a device that nothing is known of leaves nothing
behind unless it is the first packet of a connection and `Admission` has a place, counted for each
device and for the whole server. A lost connection to the server ends no stream: QUIC sends again
when it is back, and the heartbeat of the link decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, parse_relay_address, relay_address
from folkmoot.net.admission import Admission
from folkmoot.net.certificate import ListenerIdentity
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.services.attempts import Unreachable
from folkmoot.services.quiet_log import QuietLog

if TYPE_CHECKING:
    from folkmoot.net.quic import QuicEndpoint
    from folkmoot.net.quic_stream import QuicStream

log = logging.getLogger(__name__)

_MAX_DATAGRAM_BYTES = 8 * KIB
_MIN_DATAGRAM_BYTES = 1200


class Carrier(Protocol):
    """A connection to a server, as relaying sees it."""

    @property
    def relaying(self) -> bool:
        """Frames pass, once there is room."""
        ...

    @property
    def busy(self) -> bool:
        """It takes no frame now."""
        ...

    @property
    def max_relayed_bytes(self) -> int:
        """The longest payload that the server takes."""
        ...

    def relay(self, device: DeviceId, payload: bytes) -> None:
        """Send a frame, or lose it."""
        ...


class _DevicePath:
    """A `DatagramPath` to one device."""

    def __init__(self, carrier: Carrier, device: DeviceId) -> None:
        self._carrier = carrier
        self._device = device

    @property
    def max_datagram_bytes(self) -> int:
        return min(_MAX_DATAGRAM_BYTES, self._carrier.max_relayed_bytes)

    @property
    def busy(self) -> bool:
        return self._carrier.busy

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        """`ServerRelay` calls the endpoint itself."""

    def send(self, datagram: bytes) -> None:
        self._carrier.relay(self._device, datagram)

    def close(self) -> None:
        pass


class ServerRelay:
    """The streams through one server."""

    def __init__(self, relays: Relays, url: ServerUrl, own: DeviceId, carrier: Carrier) -> None:
        self._relays = relays
        self._url = url
        self._local = relay_address(url, own)
        self._carrier = carrier
        self._loop = asyncio.get_running_loop()
        self._admission = Admission(relays.limits, self._loop.time())
        self._endpoints: dict[DeviceId, QuicEndpoint] = {}

    @property
    def streams(self) -> int:
        """Connections that are not gone."""
        return sum(endpoint.streams for endpoint in self._endpoints.values())

    @property
    def unproved(self) -> int:
        """Taken connections that have not proved themselves."""
        return self._admission.unproved

    async def dial(self, device: DeviceId, timeout_s: float) -> QuicStream:
        """A stream to a device. Raises `EnvironmentFault` ``unreachable``."""
        if not self._carrier.relaying:
            address = relay_address(self._url, device)
            raise Unreachable("server_away", f"{address}: the server is not connected.")
        if self._carrier.max_relayed_bytes < _MIN_DATAGRAM_BYTES:
            address = relay_address(self._url, device)
            raise Unreachable("no_server", f"{address}: the server relays nothing.")
        return await self._endpoint(device).dial(timeout_s)

    def received(self, device: DeviceId, payload: bytes) -> None:
        """A frame of a device came."""
        from folkmoot.net.quic import read_header

        endpoint = self._endpoints.get(device)
        if endpoint is None:
            if self._relays.listening is None or not read_header(payload)[1]:
                return
            endpoint = self._endpoint(device)
        endpoint.received(payload)
        if not endpoint.streams:
            self._endpoints.pop(device, None)

    def gone(self, device: DeviceId) -> None:
        """The server says that a device is not there: dials to it need not wait."""
        endpoint = self._endpoints.get(device)
        if endpoint is not None:
            address = relay_address(self._url, device)
            words = f"{address} was not reached: it is not connected to the server."
            endpoint.fail_dials(Unreachable("not_there", words))

    def resumed(self) -> None:
        """Frames pass again. Who came last before is asked first: nobody starves."""
        for device, endpoint in list(reversed(self._endpoints.items())):
            self._endpoints.pop(device, None)
            self._endpoints[device] = endpoint
            endpoint.resumed()

    async def aclose(self) -> None:
        """End every stream."""
        endpoints = list(self._endpoints.values())
        await asyncio.gather(*(endpoint.aclose() for endpoint in endpoints))
        self._relays.forget(self._url, self)

    def _endpoint(self, device: DeviceId) -> QuicEndpoint:
        from folkmoot.net.quic import QuicEndpoint

        endpoint = self._endpoints.get(device)
        if endpoint is None:
            endpoint = QuicEndpoint(
                _DevicePath(self._carrier, device),
                self._relays.limits,
                self._relays.log,
                remote=relay_address(self._url, device),
                local=self._local,
                on_idle=lambda: self._idle(device),
            )
            self._endpoints[device] = endpoint
        if self._relays.listening is not None:
            identity, accept = self._relays.listening
            endpoint.listen(identity, lambda: self._enter(device), accept)
        return endpoint

    def _enter(self, device: DeviceId) -> Callable[[], None] | str:
        slot = self._admission.enter_as(device.hex(), self._loop.time())
        return slot if isinstance(slot, str) else slot.release

    def _idle(self, device: DeviceId) -> None:
        self._endpoints.pop(device, None)


class Relays:
    """The relays of all servers that are added, as the transport sees them."""

    def __init__(self, limits: LinkLimits | None = None) -> None:
        self.limits = limits or LinkLimits()
        self.log = QuietLog(log, asyncio.get_running_loop().time)
        self.listening: tuple[ListenerIdentity, Callable[[QuicStream], None]] | None = None
        self._servers: dict[ServerUrl, ServerRelay] = {}

    def make(self, url: ServerUrl, own: DeviceId, carrier: Carrier) -> ServerRelay:
        """The relay of a server that was added."""
        relay = self._servers[url] = ServerRelay(self, url, own, carrier)
        return relay

    def forget(self, url: ServerUrl, relay: ServerRelay) -> None:
        """A server is removed."""
        if self._servers.get(url) is relay:
            del self._servers[url]

    def listen(self, identity: ListenerIdentity, accept: Callable[[QuicStream], None]) -> None:
        """Take streams from now on; `accept` gets each before its handshake."""
        self.listening = (identity, accept)

    async def dial(self, address: str, timeout_s: float) -> QuicStream:
        """A stream to ``relay://host:port/device``.

        Raises UserError ``bad_address`` and `EnvironmentFault` ``unreachable``.
        """
        place, device = parse_relay_address(address)
        for url, relay in self._servers.items():
            if url.place == place:
                return await relay.dial(device, timeout_s)
        raise Unreachable("no_server", f"{address}: its server is not in the list.")

    async def aclose(self) -> None:
        """Take no more, end every stream."""
        self.listening = None
        await asyncio.gather(*(relay.aclose() for relay in list(self._servers.values())))
