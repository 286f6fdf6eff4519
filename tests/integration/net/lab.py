"""A listener on loopback, and strangers that talk to it with bare sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

from folkmoot.net.certificate import make_dialler_context
from folkmoot.net.stream import TlsStream
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream


class Side:
    """One transport that keeps what it accepts, and its address."""

    def __init__(self, transport: TlsTransport, *, proves: bool) -> None:
        self.transport = transport
        self.accepted: asyncio.Queue[TlsStream] = asyncio.Queue()
        self.ended: asyncio.Queue[Exception] = asyncio.Queue()
        self.proves = proves
        self.address = ""
        self.port = 0

    async def accept(self, stream: Stream) -> None:
        """Open up at once, or wait for frames as a handshake would."""
        assert isinstance(stream, TlsStream)
        self.accepted.put_nowait(stream)
        if self.proves:
            stream.open_up()
            return
        try:
            while True:
                await stream.receive()
        except Exception as error:
            self.ended.put_nowait(error)
            raise

    async def listen(self, address: str = "127.0.0.1:0") -> Side:
        """Begin."""
        (self.address,) = await self.transport.listen([address], self.accept)
        self.port = int(self.address.rpartition(":")[2])
        return self

    async def pair(self, other: Side | None = None) -> tuple[TlsStream, TlsStream]:
        """(dialled, accepted), both open."""
        dialled = await (other or self).transport.dial(self.address, 20)
        dialled.open_up()
        return dialled, await asyncio.wait_for(self.accepted.get(), 20)


MakeSide = Callable[..., Awaitable[Side]]


async def until(holds: Callable[[], bool], timeout_s: float = 20) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  (what is waited for sets no event)
            await asyncio.sleep(0.005)


async def dial_raw(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A TLS connection of somebody who does not follow our rules."""
    return await asyncio.open_connection("127.0.0.1", port, ssl=make_dialler_context())


async def wait_for_end(reader: asyncio.StreamReader, timeout_s: float = 20) -> bytes:
    """Everything that comes until the other side hangs up, politely or not."""
    got = b""
    async with asyncio.timeout(timeout_s):
        try:
            while chunk := await reader.read(65536):
                got += chunk
        except (ConnectionError, ssl.SSLError):
            pass
    return got
