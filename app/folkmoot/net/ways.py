"""The transport of the node: TCP, relays of servers, and ways through NAT, behind one port.

Nothing of QUIC is loaded before it is used: a node without servers pays nothing for it.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from folkmoot.domain.errors import EnvironmentFault, FolkmootError
from folkmoot.domain.servers import RELAY_PREFIX
from folkmoot.net.limits import LinkLimits
from folkmoot.net.paths import DatagramPath
from folkmoot.net.relay import Relays
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream
from folkmoot.services.supervisor import Supervisor

if TYPE_CHECKING:
    from folkmoot.net.quic import QuicEndpoint
    from folkmoot.net.quic_stream import QuicStream

log = logging.getLogger(__name__)

Accept = Callable[[Stream], Awaitable[None]]


async def load_quic() -> None:
    """Import QUIC off the loop; the second time this costs nothing."""
    await asyncio.to_thread(importlib.import_module, "folkmoot.net.quic")


class WaysTransport:
    """A `services.ports.Transport`; `dial` understands ``relay://…`` as well."""

    def __init__(
        self, direct: TlsTransport, relays: Relays, limits: LinkLimits | None = None
    ) -> None:
        self._direct = direct
        self._relays = relays
        self._limits = limits or LinkLimits()
        self._loop = asyncio.get_running_loop()
        self._paths: set[QuicEndpoint] = set()
        self._supervisor = Supervisor(self._tell_bug)

    async def listen(self, addresses: Sequence[str], accept: Accept) -> list[str]:
        """Listen on ``host:port`` and behind every server, as `TlsTransport.listen` does."""
        bound = await self._direct.listen(addresses, accept)
        identity = await self._direct.identity()

        def take(stream: QuicStream) -> None:
            self._supervisor.start(f"stream from {stream.remote}", self._serve(stream, accept))

        self._relays.listen(identity, take)
        return bound

    async def dial(self, address: str, timeout_s: float) -> Stream:
        """Connect to ``host:port`` or ``relay://host:port/device``.

        Raises UserError ``bad_address`` and `EnvironmentFault` ``unreachable``.
        """
        if address.startswith(RELAY_PREFIX):
            return await self._relays.dial(address, timeout_s)
        return await self._direct.dial(address, timeout_s)

    async def over(
        self, path: DatagramPath, remote: str, listen: bool, timeout_s: float, local: str = ""
    ) -> Stream:
        """A stream over `path`, which this takes over; `remote`, `local`: what it will say.

        With `listen` the other side dials, and this waits for it. Raises `EnvironmentFault`
        ``unreachable``; then the path is closed.
        """
        await load_quic()
        from folkmoot.net.quic import QuicEndpoint

        endpoint = QuicEndpoint(
            path,
            self._limits,
            self._relays.log,
            remote=remote,
            local=local,
            on_idle=lambda: self._idle(endpoint),
        )
        stream: QuicStream | None = None
        try:
            if listen:
                stream = await self._first(endpoint, remote, timeout_s)
            else:
                stream = await endpoint.dial(timeout_s)
            self._paths.add(endpoint)
        finally:
            if stream is None:
                await endpoint.aclose()
        return stream

    async def addresses(self) -> list[str]:
        """``host:port`` at which others may reach what listens."""
        return await self._direct.addresses()

    async def aclose(self) -> None:
        """Stop listening and close every stream."""
        await self._supervisor.aclose(timeout_s=2 * self._limits.close_s)
        await asyncio.gather(
            self._direct.aclose(),
            self._relays.aclose(),
            *(endpoint.aclose() for endpoint in list(self._paths)),
        )

    async def _first(self, endpoint: QuicEndpoint, remote: str, timeout_s: float) -> QuicStream:
        """The first stream that the other side makes; one at a time is tried."""
        came: asyncio.Queue[QuicStream] = asyncio.Queue()
        identity = await self._direct.identity()
        endpoint.listen(
            identity,
            lambda: "one is enough" if endpoint.streams else lambda: None,
            came.put_nowait,
        )
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    stream = await came.get()
                    try:
                        await stream.ready()
                    except FolkmootError as error:
                        log.debug("Stream from %s ended: %s", remote, error)
                        continue
                    return stream
        except TimeoutError as fault:
            raise EnvironmentFault(
                "unreachable", f"{remote} was not reached: nobody called."
            ) from fault

    def _idle(self, endpoint: QuicEndpoint) -> None:
        """The stream over a path is gone, and with it the path."""
        if endpoint in self._paths:
            self._paths.discard(endpoint)
            endpoint.close_path()

    async def _serve(self, stream: QuicStream, accept: Accept) -> None:
        try:
            await stream.ready()
            await accept(stream)
            if not stream.proved:
                await stream.aclose()
        except FolkmootError as error:
            log.debug("Stream from %s ended: %s", stream.remote, error)
            await stream.aclose()
        except BaseException:
            await stream.aclose()
            raise

    def _tell_bug(self, name: str, error: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": f"bug in the task “{name}”", "exception": error}
        )
