"""One WebSocket to a signaling server: writes without waiting, and says when it takes no more.

Messages of one turn of the loop leave together. Nothing is compressed, no redirect is followed, and
every size and time has a bound.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxy
from websockets.protocol import State

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.servers import ServerUrl
from folkmoot.net.limits import KIB
from folkmoot.net.outgoing import proxy_to
from folkmoot.protocol.signaling import MAX_MESSAGE_BYTES, SIGNALING_PATH

CONNECT_S = 10.0
CLOSE_S = 0.5
_FULL_BYTES = 64 * KIB
"""So much waits for the network before the socket counts as busy."""
_ROOM_BYTES = 16 * KIB
_MAX_TURN_BYTES = 2 * 1024 * KIB
"""What may be given in one turn of the loop; more is a bug of ours, and is lost."""

_quiet = logging.getLogger(f"{__name__}.library")
_quiet.setLevel(logging.ERROR)


class _Connection(ClientConnection):
    """Tells when the network takes more again."""

    roomy: Callable[[], None] | None = None

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.roomy is not None:
            self.roomy()


class _Connect(connect):
    """Follows no redirect: what is signed names the address that the person typed."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class ServerSocket:
    """An open WebSocket."""

    def __init__(self, connection: ClientConnection, resumed: Callable[[], None]) -> None:
        """`resumed` is called when `busy` is over."""
        assert isinstance(connection, _Connection)
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._resumed = resumed
        self._turn: list[bytes] = []
        self._turn_bytes = 0
        self._was_busy = False
        connection.roomy = self._look_for_room

    @property
    def busy(self) -> bool:
        """More should not be written now."""
        busy = self._connection.paused or self._turn_bytes >= _FULL_BYTES
        self._was_busy = self._was_busy or busy
        return busy

    def send(self, message: bytes) -> None:
        """Write a binary message at the end of this turn; on a closed socket it is dropped."""
        if self._turn_bytes + len(message) > _MAX_TURN_BYTES:
            return
        if not self._turn:
            self._loop.call_soon(self._write)
        self._turn.append(message)
        self._turn_bytes += len(message)

    async def receive(self) -> bytes:
        """The next message. Raises `EnvironmentFault` ``lost``, `PeerError` ``bad_message``."""
        try:
            message = await self._connection.recv()
        except ConnectionClosed as closed:
            code = closed.sent.code if closed.sent is not None else 0
            if closed.rcvd is None and code in (1002, 1003, 1007, 1009, 1010):
                raise PeerError("bad_message", f"broken WebSocket ({code})") from closed
            raise EnvironmentFault("lost", "The connection to the server was lost.") from closed
        if not isinstance(message, bytes) or not message:
            raise PeerError("bad_message", "not a binary message")
        return message

    async def ping(self, timeout_s: float) -> float:
        """Seconds to the server and back. Raises `EnvironmentFault` ``lost``."""
        try:
            async with asyncio.timeout(timeout_s):
                return float(await (await self._connection.ping()))
        except (TimeoutError, ConnectionClosed) as fault:
            raise EnvironmentFault("lost", "The server does not answer any more.") from fault

    async def aclose(self, *, at_once: bool = False) -> None:
        """End it; politely unless `at_once`."""
        self._connection.roomy = None
        if not at_once:
            self._write()
            try:
                async with asyncio.timeout(2 * CLOSE_S):
                    await self._connection.close()
            except (TimeoutError, OSError):
                pass
        self._connection.transport.abort()

    def _write(self) -> None:
        turn, self._turn, self._turn_bytes = self._turn, [], 0
        protocol = self._connection.protocol
        if protocol.state is not State.OPEN:
            return
        for message in turn:
            protocol.send_binary(message)
        data = b"".join(protocol.data_to_send())
        if data:
            self._connection.transport.write(data)
        self._look_for_room()

    def _look_for_room(self) -> None:
        if self._was_busy and not self._connection.paused and not self._turn:
            self._was_busy = False
            self._resumed()


async def open_socket(
    url: ServerUrl, context: ssl.SSLContext | None, resumed: Callable[[], None]
) -> ServerSocket:
    """Connect. Raises what the library, TLS and the system raise: see `signaling_words`."""
    address = str(url) + SIGNALING_PATH
    try:
        connection = await _Connect(
            address,
            ssl=context,
            compression=None,
            proxy=await proxy_to(address, CONNECT_S),
            happy_eyeballs_delay=0.25,
            user_agent_header=None,
            open_timeout=CONNECT_S,
            close_timeout=CLOSE_S,
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=16,
            write_limit=(_FULL_BYTES, _ROOM_BYTES),
            logger=_quiet,
            create_connection=_Connection,
        )
    except OSError:
        raise  # errors of TLS are of both kinds
    except ValueError as error:
        # The address is ours and was read: it is that of the proxy.
        raise InvalidProxy("of the system", str(error)) from error
    return ServerSocket(connection, resumed)
