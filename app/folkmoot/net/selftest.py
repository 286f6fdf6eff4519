"""The check of the self-test for signaling servers: the WebSocket to one, and whom TLS trusts.

The server is a stand-in on loopback. Refuses to ask anybody outside of this computer.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from pathlib import Path

from aiohttp import WSMsgType, web

from folkmoot.domain.errors import Lacking
from folkmoot.domain.servers import ServerUrl
from folkmoot.net.outgoing import trusting_context
from folkmoot.net.signaling_socket import open_socket
from folkmoot.protocol.signaling import SIGNALING_PATH

LOOPBACK = "127.0.0.1"
_WAIT_S = 8.0


async def check_web_socket() -> str:
    """A message goes over a WebSocket to a server on this computer and comes back."""
    application = web.Application()
    application.router.add_get(SIGNALING_PATH, _echo)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    assert runner.server is not None
    listener = await asyncio.get_running_loop().create_server(runner.server, LOOPBACK, 0)
    try:
        port = int(listener.sockets[0].getsockname()[1])
        async with asyncio.timeout(_WAIT_S):
            await _talk(ServerUrl("ws", LOOPBACK, port))
    except TimeoutError:
        raise Lacking("A server on this computer does not answer over a WebSocket.") from None
    finally:
        listener.close()
        await runner.cleanup()
    trusted = await asyncio.to_thread(_count_trusted)
    return f"a WebSocket to a server on this computer carried a message and its echo; {trusted}"


async def _talk(url: ServerUrl) -> None:
    message = os.urandom(5000)
    socket = await open_socket(url, None, lambda: None)
    try:
        socket.send(message)
        if await socket.receive() != message:
            raise Lacking("A message came back over a WebSocket as another one.")
    finally:
        await socket.aclose()


async def _echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


def _count_trusted() -> str:
    """How many authorities vouch for servers. None is no fault of ours: teams may do without."""
    count = trusting_context().cert_store_stats()["x509_ca"]
    folder = ssl.get_default_verify_paths().capath
    if not count and folder is not None:  # read only when one of them is asked for
        count = sum(1 for _ in Path(folder).glob("*.0"))
    return f"{count} authorities are trusted" if count else "no authority for wss:// is installed"
