"""A node without a node: logs in at a signaling server by hand and speaks its words one by one.

What comes is kept by kind, so a test waits for one kind and the others stay for later. Control
messages are those of `folkmoot.protocol.signaling`. Every wait has a timeout.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import (
    Control,
    read_control,
    read_relay,
    write_control,
    write_relay,
)

WAIT_S = 30.0
K = TypeVar("K", bound=Control)
Relayed = tuple[DeviceId, int, bytes]
"""(source, flags, payload)"""


class Closed(Exception):
    """The server ended the connection; `error` is what it said."""

    def __init__(self, error: words.Error | None, code: int | None) -> None:
        super().__init__(f"closed with {code}: {error}")
        self.error = error
        self.code = code


class SignalClient:
    """One WebSocket. `await SignalClient.connect(url)`, `await client.login()`, then talk."""

    def __init__(self, url: str, signer: Signer | None = None) -> None:
        self.url = url
        self.signer = signer or Signer(os.urandom(32))
        self.device = DeviceId(self.signer.public)
        self.hello: words.Hello | None = None
        self.ready: words.Ready | None = None
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._came: list[Control | Relayed] = []

    @classmethod
    async def connect(
        cls,
        url: str,
        signer: Signer | None = None,
        headers: dict[str, str] | None = None,
        *,
        hello: bool = True,
    ) -> SignalClient:
        """Connect and, unless told otherwise, read the `Hello`."""
        client = cls(url, signer)
        client._session = aiohttp.ClientSession()
        try:
            client._socket = await client._session.ws_connect(
                url + words.SIGNALING_PATH,
                headers=headers,
                max_msg_size=words.MAX_MESSAGE_BYTES,
                autoclose=False,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
            if hello:
                client.hello = await client.wait(words.Hello)
        except BaseException:
            await client._session.close()
            raise
        return client

    @classmethod
    async def logged_in(
        cls, url: str, signer: Signer | None = None, *, resume: bytes = b""
    ) -> SignalClient:
        """Connect and log in."""
        client = await cls.connect(url, signer)
        try:
            await client.login(resume=resume)
        except BaseException:
            await client.close()
            raise
        return client

    async def __aenter__(self) -> SignalClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        """The WebSocket itself, for what a good client does not do."""
        assert self._socket is not None
        return self._socket

    @property
    def transport(self) -> asyncio.Transport:
        """What is below it: pause its reading to be a receiver that does not read."""
        connection = self.socket._conn
        assert connection is not None
        assert connection.transport is not None
        return connection.transport

    def sign(self, nonce: bytes, origin: str | None = None, server: bytes | None = None) -> bytes:
        """The signature under a challenge."""
        assert self.hello is not None
        signed = words.login_bytes(server or self.hello.server, origin or self.url, nonce)
        return self.signer.sign(words.LABEL_LOGIN, signed)

    async def login(self, *, resume: bytes = b"", origin: str | None = None) -> words.Ready:
        """Answer the challenge and wait for `Ready`."""
        assert self.hello is not None
        origin = origin or self.url
        signature = self.sign(self.hello.nonce, origin)
        version = words.SIGNALING_VERSION
        await self.send(words.Login(version, self.device, origin, signature, resume))
        self.ready = await self.wait(words.Ready)
        return self.ready

    async def send(self, message: Control) -> None:
        """Send a control message."""
        await self.send_raw(write_control(message))

    async def send_raw(self, data: bytes) -> None:
        """Send a binary message as it is."""
        await self.socket.send_bytes(data)

    async def relay(self, device: DeviceId, payload: bytes, flags: int = 0) -> None:
        """Send a frame to a device."""
        await self.send_raw(write_relay(device, payload, flags))

    async def enter(self, *tags: bytes) -> list[words.Room]:
        """Enter rooms; gives who is in each."""
        await self.send(words.Enter(tags))
        return [await self.wait(words.Room, lambda room, tag=tag: room.tag == tag) for tag in tags]  # type: ignore[misc]

    async def wait(
        self,
        kind: type[K],
        which: Callable[[K], bool] = lambda _: True,
        timeout_s: float = WAIT_S,
    ) -> K:
        """The next control message of a kind. Raises `Closed`, `TimeoutError`."""

        def fits(message: Control | Relayed) -> bool:
            return isinstance(message, kind) and which(message)

        found = await self._next(fits, timeout_s)
        assert isinstance(found, kind)
        return found

    async def relayed(self, timeout_s: float = WAIT_S) -> Relayed:
        """The next relayed frame: (source, flags, payload)."""
        found = await self._next(lambda message: isinstance(message, tuple), timeout_s)
        assert isinstance(found, tuple)
        return found

    async def ended(self, timeout_s: float = WAIT_S) -> Closed:
        """Wait until the server ends the connection; what else comes is dropped."""
        try:
            await self._next(lambda _: False, timeout_s)
        except Closed as closed:
            return closed
        raise AssertionError

    def seen(self, kind: type[K]) -> list[K]:
        """What came of a kind and nobody waited for."""
        return [message for message in self._came if isinstance(message, kind)]

    async def settle(self) -> None:
        """Return when the server has done what was sent before (it answers in order)."""
        await self.send(words.Renew())
        await self.wait(words.Challenge)

    async def _next(
        self, fits: Callable[[Control | Relayed], bool], timeout_s: float
    ) -> Control | Relayed:
        for number, message in enumerate(self._came):
            if fits(message):
                return self._came.pop(number)
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self._read()
                if fits(message):
                    return message
                self._came.append(message)

    async def _read(self) -> Control | Relayed:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            errors = self.seen(words.Error)
            raise Closed(errors[-1] if errors else None, self.socket.close_code)
        data = bytes(message.data)
        if data[0] == words.RELAY:
            return read_relay(data)
        return read_control(data, from_server=True)

    def drop(self) -> None:
        """Lose the connection as a cable that is pulled would, without a word."""
        self.transport.abort()
        self._socket = None

    async def close(self) -> None:
        """End it in order."""
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
