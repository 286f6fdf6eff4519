"""Keeps up the connection to one signaling server: connects, logs in, hears, and begins again.

A server is believed in nothing. What it sends is bounded and counted; a word that breaks the rules
ends the connection, the next attempt comes later, and nobody else notices.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault, PeerError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, parse_server
from folkmoot.net.relay import Relays
from folkmoot.net.signaling_carrier import FrameCarrier
from folkmoot.net.signaling_mail import MailBook
from folkmoot.net.signaling_rooms import Change, RoomBook
from folkmoot.protocol import signaling as words
from folkmoot.protocol.keys import Signer
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Randomness
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.signaling_port import ServerListener, ServerState, TurnServer
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import ServerPhase

if TYPE_CHECKING:
    from folkmoot.net.signaling_socket import ServerSocket
    from folkmoot.net.signaling_words import Failure

log = logging.getLogger(__name__)
K = TypeVar("K", bound=words.Control)

LOGIN_S = 8.0
PING_EVERY_S = 15.0
PONG_S = 8.0
WOKEN_PONG_S = 3.0
RESUME_S = 60.0
MAX_WAIT_S = 60.0
_STEADY_S = 20.0
"""A connection that held so long was a good one: the next loss begins with short waits."""
_MIN_TOKEN_S = 30
_HURRY_EVERY_S = 30.0
"""So often a server may ask us to come back at once; else it could make us hammer on it."""
_CHANGES_PER_S, _CHANGES_BURST = 200.0, 2.0 * words.MAX_TAGS * words.MAX_ROOM_DEVICES
"""How fast devices may come and go; all of all rooms twice at once."""
_TWIN_LOOK_S = 5.0
"""How often it is looked whether the other address of the same server still holds."""
_RENEW_AGAIN_S = 10.0
_ABOUT_ROOMS = ("too_fast", "room_full", "too_many_rooms")
"""What the server refuses without ending the connection."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all servers share. `signer` gives the device key; `context` the TLS settings; `bug`
    hears of a fault for which there are no words, after which a server is tried again; `twin` finds
    another client that is at the same server, or about to be."""

    signer: Callable[[], Signer]
    randomness: Randomness
    relays: Relays
    supervisor: Supervisor
    context: Callable[[], Awaitable[ssl.SSLContext]]
    listener: ServerListener
    bug: Callable[[str, BaseException], None]
    twin: Callable[[ServerClient], ServerClient | None]


class ServerClient:
    """One server."""

    def __init__(self, url: ServerUrl, around: Surroundings) -> None:
        self.url = url
        self.state = ServerState(ServerPhase.CONNECTING)
        self._around = around
        self._loop = asyncio.get_running_loop()
        own = DeviceId(around.signer().public)
        self._rooms = RoomBook(own)
        self._mail = MailBook(around.randomness, self._loop)
        self._carrier = FrameCarrier(self._loop, lambda: self._relay.resumed())
        self._relay = around.relays.make(url, own, self._carrier)
        self._log = QuietLog(log, self._loop.time)
        self._socket: ServerSocket | None = None
        self._ready = False
        self._server = b""
        self._origin = url
        self._next: ServerUrl | None = None
        self._again_at: float | None = None
        self._hurried_at = -_HURRY_EVERY_S
        self._resume = b""
        self._lost_at = -RESUME_S
        self._said: Failure | None = None
        self._replaced = False
        self._failures = 0
        self._woken = asyncio.Event()
        self._renewing = False
        self._changes = Bucket(_CHANGES_PER_S, _CHANGES_BURST, self._loop.time())
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._task = around.supervisor.start(f"server {url}", self._run())

    # --- what the services want ----------------------------------------------------------------

    def enter(self, tags: Sequence[bytes]) -> None:
        """Be under these tags, and no others."""
        said, changes = self._rooms.want(tags)
        self._tell_rooms(changes)
        if self._ready:
            for message in said:
                self._say(message)

    def wake(self) -> None:
        """Try again now, or look whether the connection still lives."""
        self._failures = 0
        self._woken.set()

    async def put(self, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int) -> int:
        """Leave an envelope; for how many seconds it is kept."""
        if not self._ready:
            raise EnvironmentFault("not_connected", f"{self.url} is not connected.")
        return await self._mail.put(self._say, recipient, grant, sealed, keep_s)

    def taken(self, ids: Sequence[bytes]) -> None:
        """These envelopes are stored durably."""
        for start in range(0, len(ids), words.MAX_MAIL_IDS):
            some = tuple(ids[start : start + words.MAX_MAIL_IDS])
            if self._ready:
                self._say(words.Taken(some))
        if self._mail.taken(ids) and self._socket is not None:
            self._begin_again(0.0)  # what was left lying comes on a new connection

    async def aclose(self) -> None:
        """Say goodbye; streams through the server end."""
        await self._relay.aclose()
        self.enter(())  # else the server keeps the places for a minute
        self._task.cancel()
        await asyncio.wait([self._task], timeout=4)
        for timer in self._timers.values():
            timer.cancel()
        self._tell_rooms(self._rooms.lost())

    # --- the connection --------------------------------------------------------------------------

    async def _run(self) -> None:
        """Connect again and again, for ever."""
        await self._around.context()  # loads, off the loop, what a connection needs
        while True:
            self._woken.clear()
            self._change(phase=ServerPhase.CONNECTING)
            began = self._loop.time()
            failure = await self._attempt()
            if self._loop.time() - began >= _STEADY_S:
                self._failures = 0
            self._failures += 1
            twin = self._around.twin(self) if self._replaced else None
            if twin is not None and twin.url.scheme >= self.url.scheme:
                await self._leave_it_to(twin)
                continue
            self._fail(failure)
            await self._pause(failure.retry_s)

    def _fail(self, failure: Failure) -> None:
        self._log.info("%s: %s", self.url, failure.words)
        self._change(
            phase=ServerPhase.WAITING,
            code=failure.code,
            words=failure.words,
            hint=failure.hint,
            rtt_ms=None,
        )

    async def _leave_it_to(self, twin: ServerClient) -> None:
        """Wait as long as the same server holds us by another of its addresses.

        It keeps one connection of a device: the two would take turns without end. That it is the
        same is believed only after this server itself has said that it replaced us. One with a
        certificate gives way to no address without: that one leaves it to us.
        """
        from folkmoot.net.signaling_words import same_server

        self._fail(same_server(self.url, twin.url))
        while self._around.twin(self) is twin:
            await self._was_woken(_TWIN_LOOK_S)
            self._woken.clear()

    def is_at(self, server: bytes) -> bool:
        """Whether this is connected to a server of that id, or may be in a moment."""
        return self._server == server and self.state.phase is not ServerPhase.WAITING

    @property
    def server(self) -> bytes:
        """What the server last said that it is; empty: nothing yet."""
        return self._server

    async def _attempt(self) -> Failure:
        """One connection from its beginning to its end; why it ended."""
        from folkmoot.net.signaling_socket import open_socket
        from folkmoot.net.signaling_words import Failure, explain

        self._said, self._replaced = None, False
        self._origin, self._next = self._next or self.url, None
        context = await self._around.context() if self._origin.scheme == "wss" else None
        socket: ServerSocket | None = None
        try:
            socket = await open_socket(self._origin, context, self._carrier.look)
            await self._log_in(socket)
            await self._live(socket)
        except Exception as fault:  # noqa: BLE001 - after a bug, too, the server is tried again
            failure = self._said or explain(fault, self._origin)
            if failure is None:
                self._around.bug(f"server {self.url}", fault)
                failure = Failure("unreachable", f"The way to {self.url.host} broke.")
            return failure
        finally:
            self._disconnected()
            if socket is not None:
                await socket.aclose()
        raise AssertionError("a connection ends by an error")

    async def _log_in(self, socket: ServerSocket) -> None:
        signer = self._around.signer()
        async with asyncio.timeout(LOGIN_S):
            hello = _expect(words.Hello, await self._control(socket))
            if hello.version != words.SIGNALING_VERSION:
                self._end_with(words.Error("bad_version", ""))
            if self._origin != self.url and hello.server != self._server:
                raise PeerError("bad_message", "sent on to another server")
            self._server = hello.server
            fresh = self._loop.time() - self._lost_at < RESUME_S
            socket.send(
                words.write_control(
                    words.Login(
                        words.SIGNALING_VERSION,
                        DeviceId(signer.public),
                        str(self._origin),
                        self._signature(hello.nonce),
                        self._resume if fresh else b"",
                    )
                )
            )
            ready = _expect(words.Ready, await self._control(socket))
        self._connected(socket, hello.limits, ready)

    async def _control(self, socket: ServerSocket) -> words.Control:
        """A control message before the login is done."""
        data = await socket.receive()
        if data[0] != words.CONTROL:
            raise PeerError("bad_message", "a control message was expected")
        message = words.read_control(data, from_server=True)
        if isinstance(message, words.Error):
            self._end_with(message)
        return message

    def _connected(self, socket: ServerSocket, limits: words.Limits, ready: words.Ready) -> None:
        self._socket, self._ready, self._resume = socket, True, ready.resume
        self._stop_timer("lost")
        self._mail.connected()
        self._plan_renewal(ready.token_s, ready.turn)
        stun = Address(self._origin.host, ready.stun_port)
        self._change(
            phase=ServerPhase.READY,
            code="",
            words="",
            hint="",
            server=self._server,
            stun=str(stun) if ready.stun_port else "",
            turn=self._turn(ready.turn),
            mail_s=limits.mail_s,
            mail_bytes=limits.mail_bytes,
        )
        for message in self._rooms.connected(limits.rooms):
            self._say(message)
        self._carrier.connected(socket, limits)

    def _disconnected(self) -> None:
        for name in ("renew", "rooms", "restart"):
            self._stop_timer(name)
        if self._ready:
            self._lost_at = self._loop.time()
            self._later("lost", RESUME_S, lambda: self._tell_rooms(self._rooms.lost()))
        self._socket, self._ready, self._renewing = None, False, False
        self._mail.disconnected()
        self._carrier.disconnected()

    async def _live(self, socket: ServerSocket) -> None:
        """Hear the server until it is lost."""
        keeper = self._around.supervisor.start(f"look after {self.url}", self._look_after(socket))
        try:
            while True:
                data = await socket.receive()
                if data[0] == words.RELAY:
                    device, _flags, payload = words.read_relay(data)
                    self._relay.received(device, payload)
                elif data[0] == words.CONTROL:
                    self._heard(words.read_control(data, from_server=True))
                else:
                    raise PeerError("bad_message", "neither control nor relay")
        finally:
            keeper.cancel()

    async def _look_after(self, socket: ServerSocket) -> None:
        """Measure the way to the server; give the connection up when it is dead."""
        timeout_s = PONG_S
        try:
            while True:
                rtt_s = await socket.ping(timeout_s)
                first = self.state.rtt_ms is None
                self.state = replace(self.state, rtt_ms=rtt_s * 1000)
                if first:
                    self._around.listener.state_changed(self.url, self.state)
                self._woken.clear()
                timeout_s = WOKEN_PONG_S if await self._was_woken(PING_EVERY_S) else PONG_S
        except EnvironmentFault:
            self._failures = 0
            await socket.aclose(at_once=True)

    async def _pause(self, least_s: float) -> None:
        """Wait before the next attempt: as long as the server asks, and then at most a minute.

        Not when this is woken: on another network another computer may have asked for it.
        """
        now = self._loop.time()
        again_at, self._again_at = self._again_at, None
        if again_at is not None and now - self._hurried_at >= _HURRY_EVERY_S:
            self._hurried_at = now
            await asyncio.sleep(max(0.0, again_at - now))
            return
        await self._was_woken(least_s)
        longest_s = min(MAX_WAIT_S, 2.0 ** min(self._failures, 6))
        await self._was_woken(self._around.randomness.uniform(1.0, longest_s))

    async def _was_woken(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    # --- what the server says --------------------------------------------------------------------

    def _heard(self, message: words.Control) -> None:
        match message:
            case words.Room() | words.Came() | words.Went():
                changes = self._rooms.take(message)
                if not self._changes.take(self._loop.time(), len(changes)):
                    raise PeerError("bad_message", "devices come and go too fast")
                self._tell_rooms(changes)
            case words.Gone(device):
                self._relay.gone(DeviceId(device))
            case words.Mail(id, sealed):
                if self._mail.take(id, sealed):
                    self._around.listener.mail(self.url, id, sealed)
            case words.Kept(id, kept_s, code):
                self._mail.kept(id, kept_s, code)
            case words.Challenge(nonce) if self._renewing:
                self._say(words.Prove(self._signature(nonce)))
            case words.Renewed(_, token_s, turn) if self._renewing:
                self._renewing = False
                self._plan_renewal(token_s, turn)
                self._change(turn=self._turn(turn))
            case words.Restarting(after_ms, url):
                self._restarting(after_ms / 1000, url)
            case words.Error():
                self._refused(message)
            case _:
                raise PeerError("bad_message", "that was not asked for")

    def _refused(self, error: words.Error) -> None:
        if error.code in _ABOUT_ROOMS:
            wait_s = min(max(1.0, error.retry_after_ms / 1000), 600.0)
            if self._renewing and error.code == "too_fast":
                # It may have been this that was refused. If not, the answer comes long before.
                self._later("renew", max(wait_s, _RENEW_AGAIN_S), self._renew)
            self._later("rooms", wait_s, self._ask_again)
        else:
            from folkmoot.net.signaling_words import explain_error

            self._said = explain_error(error)
            self._replaced = error.code == "replaced"

    def _ask_again(self) -> None:
        if self._ready:
            for message in self._rooms.missing():
                self._say(message)

    def _restarting(self, after_s: float, url: str) -> None:
        """Leave when the server asks for it, at most a minute from now."""
        if url:
            try:
                next = parse_server(url)
            except UserError as error:
                raise PeerError("bad_message", "sent on to no server") from error
            # Not from a server with a certificate to one without.
            self._next = next if next.scheme == self.url.scheme else None
        after_s = min(after_s, MAX_WAIT_S)
        self._later("restart", after_s, lambda: self._begin_again(0.0))
        self._again_at = self._loop.time() + after_s

    def _begin_again(self, after_s: float) -> None:
        """End this connection; the next begins after a moment."""
        self._again_at = self._loop.time() + after_s
        if self._socket is not None:
            self._around.supervisor.start(f"leave {self.url}", self._socket.aclose())

    def _plan_renewal(self, token_s: int, turn: words.Turn) -> None:
        """Prove ourselves again before the token or the credentials are over."""
        valid_s = min(token_s, turn.valid_s) if turn.urls else token_s
        share = self._around.randomness.uniform(0.6, 0.8)
        self._later("renew", max(_MIN_TOKEN_S, min(valid_s, 86_400)) * share, self._renew)

    def _renew(self) -> None:
        self._renewing = True
        self._say(words.Renew())

    # --- inside --------------------------------------------------------------------------------

    def _say(self, message: words.Control) -> None:
        if self._socket is not None:
            self._socket.send(words.write_control(message))

    def _signature(self, nonce: bytes) -> bytes:
        signed = words.login_bytes(self._server, str(self._origin), nonce)
        return self._around.signer().sign(words.LABEL_LOGIN, signed)

    def _end_with(self, error: words.Error) -> None:
        from folkmoot.net.signaling_words import explain_error

        self._said = explain_error(error)
        raise EnvironmentFault(self._said.code, self._said.words)

    def _turn(self, turn: words.Turn) -> TurnServer | None:
        urls = tuple(
            url
            for url in turn.urls
            if url.startswith(("turn:", "turns:")) and url.isascii() and url.isprintable()
        )
        if not urls:
            return None
        return TurnServer(urls, turn.username, turn.credential, turn.valid_s, self._loop.time())

    def _tell_rooms(self, changes: Sequence[Change]) -> None:
        listener = self._around.listener
        for tag, device, there in changes:
            (listener.came if there else listener.went)(self.url, tag, device)

    def _change(self, **changes: object) -> None:
        state = replace(self.state, **changes)  # type: ignore[arg-type]
        if state != self.state:
            self.state = state
            self._around.listener.state_changed(self.url, state)

    def _later(self, name: str, after_s: float, act: Callable[[], None]) -> None:
        self._stop_timer(name)
        self._timers[name] = self._loop.call_later(after_s, act)

    def _stop_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _expect(kind: type[K], message: words.Control) -> K:
    if not isinstance(message, kind):
        raise PeerError("bad_message", f"a {kind.__name__} was expected")
    return message
