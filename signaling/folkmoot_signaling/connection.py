"""One WebSocket of a node: reads its messages, writes without ever waiting, ends it.

Nothing here awaits a send, so a receiver that does not read costs its own buffer and nobody's time.
Refuses to decide anything: that is for the hub.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import (
    CONTROL,
    MAX_MESSAGE_BYTES,
    RELAY,
    Control,
    Error,
    Login,
    read_control,
)
from folkmoot_signaling.directory import Session
from folkmoot_signaling.door import Guest
from folkmoot_signaling.frames import close_frame, control_frame, pong_frame
from folkmoot_signaling.limits import Place

if TYPE_CHECKING:
    from folkmoot_signaling.hub import Hub

MAX_WAITING_BYTES = 256 * 1024
RELAY_WAITING_BYTES = 192 * 1024
_CLOSING_S = 2.0
_LINGER_S = 0.5
_REPEAT_S = 1.0
_MAX_GONE = 256
_MAX_PINGS = 16
"""Before the login."""
_OPEN = (WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG)
_BROKEN = (
    WSCloseCode.PROTOCOL_ERROR,
    WSCloseCode.UNSUPPORTED_DATA,
    WSCloseCode.INVALID_TEXT,
    WSCloseCode.MESSAGE_TOO_BIG,
)


class Connection:
    """What is known of one WebSocket."""

    __slots__ = (
        "closing",
        "expires_s",
        "gone",
        "guest",
        "heard",
        "host",
        "mail_after",
        "nonce",
        "origin",
        "place",
        "session",
        "silent",
        "told_fast_s",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, host: str, place: Place, guest: Guest | None = None
    ) -> None:
        self.transport = transport
        self.guest = guest
        self.host = host
        self.place = place
        self.nonce = b""
        self.origin = ""
        self.session: Session[Connection] | None = None
        self.closing = False
        self.heard = True
        self.silent = 0
        self.expires_s = 0.0
        self.told_fast_s = -_REPEAT_S
        self.gone: dict[DeviceId, float] | None = None
        self.mail_after = 0

    @property
    def waiting_bytes(self) -> int:
        """Written and not yet taken by the system."""
        return self.transport.get_write_buffer_size()

    def send(self, message: Control) -> bool:
        """Write a control message. False: nothing more fits, and nothing was written."""
        return self.write(control_frame(message))

    def write(self, frame: bytes) -> bool:
        """Write a WebSocket frame. False: nothing more fits, and nothing was written."""
        if self.closing:
            return True
        if self.transport.get_write_buffer_size() + len(frame) > MAX_WAITING_BYTES:
            return False
        self.transport.write(frame)
        return True

    def finish(self, error: Error | None, code: int = WSCloseCode.OK) -> None:
        """Say why, and end. What the node still sends is thrown away."""
        if self.closing:
            return
        self.closing = True
        if not self.transport.is_closing():
            if error is not None:
                self.transport.write(control_frame(error))
            self.transport.write(close_frame(code))
        # A node that does not answer the close is cut off.
        asyncio.get_running_loop().call_later(_CLOSING_S, self.transport.abort)

    def may_tell_fast(self, now_s: float) -> bool:
        """Whether `too_fast` for a frame may be said: at most once a second."""
        if now_s - self.told_fast_s < _REPEAT_S:
            return False
        self.told_fast_s = now_s
        return True

    def may_tell_gone(self, device: DeviceId, now_s: float) -> bool:
        """Whether `gone` for a device may be said: at most once a second."""
        if self.gone is None or len(self.gone) >= _MAX_GONE:
            self.gone = {}
        if now_s - self.gone.get(device, -_REPEAT_S) < _REPEAT_S:
            return False
        self.gone[device] = now_s
        return True


class _Socket(web.WebSocketResponse):
    """Says in our words what is wrong before aiohttp ends a connection for a broken frame."""

    on_broken: Callable[[int], None] | None = None

    async def close(self, *, code: int = 1000, message: bytes = b"", drain: bool = True) -> bool:
        """End the connection; called by `receive` as well, then with the reason as `code`."""
        if self.on_broken is not None and code in _BROKEN and not self.closed:
            self.on_broken(code)
            # Closed at once, with bytes of the node unread, the system would throw our words away.
            await asyncio.sleep(_LINGER_S)
        return await super().close(code=code, message=message, drain=drain)


async def serve(request: web.Request, place: Place, hub: Hub) -> web.WebSocketResponse:
    """Speak with one node until either side ends it."""
    socket = _Socket(
        timeout=_CLOSING_S,
        autoclose=False,
        autoping=False,
        compress=False,
        # aiohttp refuses from this size on.
        max_msg_size=MAX_MESSAGE_BYTES + 1,
    )
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    # Not `request.host`: without the header that asks the system for its name, and waits for it.
    guest = request.protocol
    assert isinstance(guest, Guest)
    guest.forget_request()
    connection = Connection(transport, request.headers.get("Host", ""), place, guest)
    socket.on_broken = lambda code: hub.broken(connection, code)
    guest.on_lost = lambda: hub.closed(connection)
    hub.opened(connection)
    try:
        await _speak(socket, connection, hub)
    except TimeoutError:
        hub.late(connection)
        await _discard(socket)
    except PeerError as error:
        hub.wrong(connection, error)
        await _discard(socket)
    finally:
        # Whatever happened, a transport with something waiting is not left to close by itself.
        connection.finish(None, WSCloseCode.INTERNAL_ERROR)
        hub.closed(connection)
    return socket


async def _speak(socket: web.WebSocketResponse, connection: Connection, hub: Hub) -> None:
    login = await _login(socket, connection, hub)
    if login is None:
        return
    session = await hub.login(connection, login)
    if session is None:
        await _discard(socket)
        return
    hand_on = hub.relay.hand_on
    binary = WSMsgType.BINARY
    receive = socket.receive
    guest = connection.guest
    assert guest is not None
    while True:
        kind, data, _ = await receive()
        connection.heard = True
        guest.unheard_bytes = 0
        if kind is binary and type(data) is not bytes:
            data = bytes(data)
        if connection.closing:
            if kind in _OPEN:
                await _discard(socket)
            return
        if kind is binary and data and data[0] == RELAY:
            wait_s = hand_on(session, connection, data)
        elif kind is binary and data and data[0] == CONTROL:
            wait_s = await hub.control(session, connection, data)
        elif not _answer(connection, kind, data):
            return
        else:
            wait_s = hub.relay.weigh(session, connection, len(data or b""))
        if wait_s:
            # Who is too fast waits, and with it what it has sent: TCP then slows it down.
            await asyncio.sleep(min(wait_s, 1.0))


async def _login(socket: web.WebSocketResponse, connection: Connection, hub: Hub) -> Login | None:
    """The login; None if the node ended the connection."""
    async with asyncio.timeout(hub.settings.login_s):
        for _ in range(_MAX_PINGS):
            kind, data, _ = await socket.receive()
            if kind is WSMsgType.BINARY:
                if not data or data[0] != CONTROL:
                    raise PeerError("bad_message", "a login was expected")
                message = read_control(bytes(data), from_server=False)
                if not isinstance(message, Login):
                    raise PeerError("bad_message", "a login was expected")
                return message
            if not _answer(connection, kind, data):
                return None
        raise PeerError("bad_message", "a login was expected")


def _answer(connection: Connection, kind: WSMsgType, data: bytes) -> bool:
    """Answer a frame that is not a message. False: the connection is at its end."""
    if kind is WSMsgType.PING:
        if not connection.write(pong_frame(bytes(data))):
            raise PeerError("too_slow", "pings without reading the answers")
        return True
    if kind is WSMsgType.PONG:
        return True
    if kind in (WSMsgType.BINARY, WSMsgType.TEXT):
        raise PeerError("bad_message", "neither control nor relay")
    if kind is WSMsgType.CLOSE:
        connection.finish(None)
        connection.transport.close()
    return False


async def _discard(socket: web.WebSocketResponse) -> None:
    """Read until the node has seen the end; `finish` has set a deadline."""
    while (await socket.receive()).type in _OPEN:
        pass
