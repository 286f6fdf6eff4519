"""The signaling servers of this node, behind `services.signaling_port.Signaling`.

Nothing of it is loaded before a server is added. Refuses to let one server touch another: each has
its own connection, rooms, envelopes and bounds.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Callable, Sequence

from folkmoot.domain.errors import EnvironmentFault, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import MAX_SERVERS, ServerUrl
from folkmoot.net.relay import Relays
from folkmoot.net.signaling_client import ServerClient, Surroundings
from folkmoot.protocol.keys import Signer
from folkmoot.services.ports import Randomness
from folkmoot.services.signaling_port import ServerListener, ServerState
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import ServerPhase


class SignalingClients:
    """A `Signaling`. Make it on the loop that it shall use."""

    def __init__(
        self, signer: Callable[[], Signer], randomness: Randomness, relays: Relays
    ) -> None:
        """`signer` gives the device key, each time it is needed."""
        self._loop = asyncio.get_running_loop()
        self._signer = signer
        self._randomness = randomness
        self._relays = relays
        self._around: Surroundings | None = None
        self._servers: dict[ServerUrl, ServerClient] = {}
        self._context: asyncio.Task[ssl.SSLContext] | None = None
        self._supervisor = Supervisor(self._tell_bug)

    def attach(self, listener: ServerListener) -> None:
        """Whom to tell; once, before the first `add`."""
        self._around = Surroundings(
            self._signer,
            self._randomness,
            self._relays,
            self._supervisor,
            self._make_context,
            listener,
            self._tell_bug,
            self._twin,
        )

    def add(self, url: ServerUrl) -> None:
        """Connect and stay connected; again is harmless. Raises UserError ``too_many_servers``."""
        assert self._around is not None, "attach comes first"
        if url in self._servers:
            return
        if len(self._servers) >= MAX_SERVERS:
            raise UserError("too_many_servers", f"There are {MAX_SERVERS} servers already.")
        self._servers[url] = ServerClient(url, self._around)

    def remove(self, url: ServerUrl) -> None:
        """Say goodbye and forget it; streams through it end."""
        server = self._servers.pop(url, None)
        if server is not None:
            self._supervisor.start(f"remove {url}", server.aclose())

    def state(self, url: ServerUrl) -> ServerState:
        """How it stands."""
        server = self._servers.get(url)
        return ServerState(ServerPhase.OFF) if server is None else server.state

    def enter(self, url: ServerUrl, tags: Sequence[bytes]) -> None:
        """The tags to be under from now on."""
        server = self._servers.get(url)
        if server is not None:
            server.enter(tags)

    def wake(self) -> None:
        """The network changed."""
        for server in self._servers.values():
            server.wake()

    async def put(
        self, url: ServerUrl, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """Leave an envelope; for how many seconds it is kept."""
        server = self._servers.get(url)
        if server is None:
            raise EnvironmentFault("not_connected", f"{url} is not in the list of servers.")
        return await server.put(recipient, grant, sealed, keep_s)

    def taken(self, url: ServerUrl, ids: Sequence[bytes]) -> None:
        """These envelopes are stored durably."""
        server = self._servers.get(url)
        if server is not None:
            server.taken(ids)

    async def aclose(self) -> None:
        """Leave every server."""
        servers = list(self._servers.values())
        self._servers.clear()
        await asyncio.gather(*(server.aclose() for server in servers))
        await self._supervisor.aclose()

    async def _make_context(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._supervisor.start("load signaling", asyncio.to_thread(_load))
        return await asyncio.shield(self._context)

    def _twin(self, client: ServerClient) -> ServerClient | None:
        others = (each for each in self._servers.values() if each is not client)
        return next((each for each in others if each.is_at(client.server)), None)

    def _tell_bug(self, name: str, error: BaseException) -> None:
        self._loop.call_exception_handler(
            {"message": f"bug in the task “{name}”", "exception": error}
        )


def _load() -> ssl.SSLContext:
    """Import what a connection needs and read the certificates that this computer trusts."""
    for name in ("quic", "signaling_socket", "signaling_words"):
        importlib.import_module(f"folkmoot.net.{name}")
    from folkmoot.net.outgoing import trusting_context

    return trusting_context()
