"""A signaling server that a test writes line by line: it says what it likes."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import WSMsgType, web

from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import verify

Script = Callable[["Visit"], Awaitable[None]]
LIMITS = words.Limits(16_384, 4000, 4_000_000, 64, 256, 65_536, 86_400)


class Visit:
    """One connection of a node."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.socket = socket
        self.request = request
        self.login: words.Login | None = None

    async def say(self, *messages: words.Control) -> None:
        for message in messages:
            await self.socket.send_bytes(words.write_control(message))

    async def raw(self, data: bytes) -> None:
        await self.socket.send_bytes(data)

    async def hear(self) -> words.Control | bytes:
        """The next message: a control message or a relayed frame."""
        message = await self.socket.receive(timeout=10)
        assert message.type is WSMsgType.BINARY, message
        data = bytes(message.data)
        if data[0] == words.RELAY:
            return data
        return words.read_control(data, from_server=False)

    async def let_in(
        self,
        limits: words.Limits = LIMITS,
        token_s: int = 900,
        turn: words.Turn = words.Turn(),  # noqa: B008  (frozen)
        server: bytes = b"s" * 32,
        resumed: bool = False,
        stun_port: int = 3478,
    ) -> words.Login:
        """Do what a good server does up to `Ready`."""
        nonce = os.urandom(32)
        await self.say(words.Hello(1, server, nonce, limits))
        login = await self.hear()
        assert isinstance(login, words.Login)
        signed = words.login_bytes(server, login.origin, nonce)
        assert verify(login.device, words.LABEL_LOGIN, signed, login.signature)
        await self.say(words.Ready("token", token_s, b"resume", stun_port, turn, resumed))
        self.login = login
        return login

    async def stay(self) -> None:
        """Read until the node leaves."""
        while (await self.socket.receive()).type is WSMsgType.BINARY:
            pass


class WickedServer:
    """Listens on loopback; each connection gets the next script, the last one again and again."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.scripts = list(scripts)
        self.visits: list[Visit] = []
        self.url = ""
        self._tls = tls
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get(words.SIGNALING_PATH, self._visit)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'wss' if self._tls else 'ws'}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def until_visits(self, count: int, timeout_s: float = 20) -> None:
        """Wait for so many connections."""
        async with asyncio.timeout(timeout_s):
            while len(self.visits) < count:  # noqa: ASYNC110  (no event is set)
                await asyncio.sleep(0.01)

    async def _visit(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=0, timeout=0.5)
        await socket.prepare(request)
        visit = Visit(socket, request)
        number = min(len(self.visits), len(self.scripts) - 1)
        self.visits.append(visit)
        await self.scripts[number](visit)
        return socket
