"""Brings the pure parts together: who logs in, who enters a room, who is told what.

Everything is done at once, on one loop; only a login and the mailbox wait, in the connection that
asked. Refuses to hold anything that is not of a connection, or of a minute after it.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections.abc import Callable, Iterable

from folkmoot.domain.errors import PeerError
from folkmoot.protocol import signaling as words
from folkmoot.protocol.signaling import Control, Error, read_control
from folkmoot_signaling.bus import Bus
from folkmoot_signaling.connection import Connection
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.directory import Directory, Session
from folkmoot_signaling.frames import PING, control_frame
from folkmoot_signaling.limits import Budget, Limits
from folkmoot_signaling.login import check_login, check_signature, own_places
from folkmoot_signaling.mailbox import Mailbox
from folkmoot_signaling.ports import Tokens, TurnCredentials
from folkmoot_signaling.post import Post
from folkmoot_signaling.relay import Relay
from folkmoot_signaling.rooms import Rooms
from folkmoot_signaling.settings import Settings

_RESUME_BYTES = 16
_MUCH_BYTES = 64 * 1024
_PAUSE_S, _PAUSES = 0.05, 100
_SLOW = Error("too_slow", "This receiver does not read.", 5000)

Tell = Callable[..., None]
"""Logs an event: `EventLog.tell`."""


def _tell_nobody(event: str, **_fields: object) -> None:
    """Stands in where there is no log."""


class Hub:
    """One node of a server."""

    def __init__(
        self,
        settings: Settings,
        counters: Counters,
        bus: Bus,
        tokens: Tokens,
        turn: TurnCredentials,
        mailbox: Mailbox | None,
        *,
        now_s: Callable[[], float] = time.monotonic,
        unix_s: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.settings = settings
        self.counters = counters
        self.bus = bus
        self.limits = Limits(settings.bounds, now_s())
        self.directory: Directory[Connection] = Directory()
        self.rooms: Rooms[Connection] = Rooms(settings.bounds)
        self.relay = Relay(self.directory, self.limits, bus, counters, now_s)
        self.post = Post(mailbox, bus, self.directory, self.limits, counters, now_s, unix_s)
        self.connections: set[Connection] = set()
        self.strangers = 0
        """Connections that have not logged in."""
        self.tell: Tell = _tell_nobody
        self._tokens = tokens
        self._turn = turn
        self._now_s = now_s
        self._unix_s = unix_s
        self._random = random
        self._places = own_places(settings.names)
        self._pinged_s = now_s()
        self._hello_limits = self._announced(mailbox)

    # --- a connection begins and ends ------------------------------------------------------

    def opened(self, connection: Connection) -> None:
        """A WebSocket is open: challenge it."""
        self.connections.add(connection)
        self.strangers += 1
        self.counters.accepted += 1
        self.counters.connections += 1
        connection.nonce = self._random(32)
        connection.send(
            words.Hello(
                words.SIGNALING_VERSION,
                self.settings.server_id,
                connection.nonce,
                self._hello_limits,
            )
        )

    def closed(self, connection: Connection) -> None:
        """A WebSocket is closed; its session waits a while for the next. Once is enough."""
        if connection not in self.connections:
            return
        self.connections.discard(connection)
        self.relay.slow.pop(connection, None)
        self.counters.connections -= 1
        connection.closing = True
        session = connection.session
        if session is None:
            self.strangers -= 1
        else:
            self._detach(connection)

    def end(self, connection: Connection, error: Error | None, code: int = 1008) -> None:
        """Say why, if there is a reason, and end a connection; its session waits a while."""
        if error is not None and not connection.closing:
            device = connection.session.device if connection.session is not None else None
            host = connection.place.name
            self.tell("sent away", address=host, device=device, code=error.code)
        connection.finish(error, code)
        self.relay.slow.pop(connection, None)
        self._detach(connection)

    def _detach(self, connection: Connection) -> None:
        session = connection.session
        if session is not None and session.connection is connection:
            self.directory.lose(session, self._now_s())
            self.counters.sessions -= 1

    def wrong(self, connection: Connection, error: PeerError) -> None:
        """A node broke the rules: say so and end its connection."""
        codes = ("bad_login", "foreign_origin", "bad_version", "too_slow")
        code = error.code if error.code in codes else "bad_message"
        if connection.session is None:
            self.counters.bad_logins += 1
        if code == "foreign_origin":
            self.counters.foreign_origins += 1
        elif code == "bad_message":
            self.counters.bad_messages += 1
        self.end(connection, Error(code, error.message[:200]))

    def broken(self, connection: Connection, code: int) -> None:
        """A node sent what is no WebSocket message, or too long a one; aiohttp ends it."""
        if not connection.closing:
            self.counters.bad_messages += 1
            error = Error("bad_message", "This is no message, or too long a one.")
            self.end(connection, error, code)

    def late(self, connection: Connection) -> None:
        """No login came in time."""
        self.counters.late_logins += 1
        self.end(connection, Error("bad_login", "The login did not come in time.", 1000))

    async def login(self, connection: Connection, login: words.Login) -> Session[Connection] | None:
        """Let a device in. None: refused by a limit, and told so. Raises `PeerError`."""
        settings = self.settings
        nonce, connection.nonce = connection.nonce, b""
        check_login(login, settings.server_id, nonce, self._places, connection.host)
        now_s = self._now_s()
        wait_s = self.limits.finish_login(login.device, now_s)
        if wait_s:
            self.counters.refused_logins += 1
            self._refuse(connection, "too_many_logins", wait_s)
            return None
        epoch = await self.bus.claim(login.device)
        if connection.closing:
            return None
        old = self.directory.find(login.device)
        if old is not None and old.epoch > epoch:
            self._replaced(connection)
            return None
        session, resumed = self._session(connection, login, epoch, old)
        connection.origin = login.origin
        connection.session = session
        session.connection = connection
        # The one that was shown holds until a newer one is: this answer may be lost on its way.
        session.former = login.resume if resumed else b""
        session.resume = self._random(_RESUME_BYTES)
        self.strangers -= 1
        self.counters.sessions += 1
        self.counters.logins += 1
        self.counters.resumed += resumed
        self.bus.announce(session.device, epoch)
        token, turn = self._credentials(connection)
        connection.send(
            words.Ready(token, settings.token_s, session.resume, settings.stun_port, turn, resumed)
        )
        await self.post.deliver(session)
        return session

    def _session(
        self,
        connection: Connection,
        login: words.Login,
        epoch: int,
        old: Session[Connection] | None,
    ) -> tuple[Session[Connection], bool]:
        """(the session of a device that logged in, whether it is the one it had)."""
        if old is not None and old.connection is not None:
            self._replaced(old.connection)
        if old is not None and not old.far and _may_resume(old, login.resume):
            old.epoch = epoch
            self._move(old, connection)
            self.directory.back(old)
            return old, True
        budget = old.budget if old is not None else None
        if old is not None:
            self.forget(old)
        budget = budget or Budget(self.settings.bounds, self._now_s())
        session: Session[Connection] = Session(login.device, epoch, budget, connection.place)
        self.directory.put(session)
        return session, False

    def _move(self, session: Session[Connection], connection: Connection) -> None:
        """Its rooms count for the address from which it comes now."""
        if session.place is not None:
            session.place.rooms -= len(session.tags)
        session.place = connection.place
        connection.place.rooms += len(session.tags)

    def _replaced(self, connection: Connection) -> None:
        self.counters.replaced += 1
        self.end(connection, Error("replaced", "This device has logged in again."))

    def _refuse(self, connection: Connection, code: str, wait_s: float) -> None:
        self.end(connection, Error(code, "Too many; try again later.", _ms(wait_s)), 1013)

    def forget(self, session: Session[Connection]) -> None:
        """A device is gone for good: those who shared a tag with it hear it."""
        for tag in tuple(session.tags):
            self.leave(session, tag)
        self.directory.forget(session)
        if not session.far:
            self.bus.withdraw(session.device, session.epoch)

    def supersede(self, session: Session[Connection]) -> None:
        """The device is at another node now."""
        if session.connection is not None:
            self._replaced(session.connection)
        self.forget(session)

    def _credentials(self, connection: Connection) -> tuple[str, words.Turn]:
        """A new token and TURN credentials; the connection holds as long as the token."""
        session = connection.session
        assert session is not None
        connection.expires_s = self._now_s() + self.settings.token_s + self.settings.grace_s
        now_s = self._unix_s()
        return self._tokens.make(session.device, now_s), self._turn.make(session.device, now_s)

    # --- control messages ---------------------------------------------------------------------

    async def control(
        self, session: Session[Connection], connection: Connection, data: bytes
    ) -> float:
        """Do what a control message asks. Seconds for which the sender is to be let wait.

        Raises `PeerError` for what is not allowed at all.
        """
        message = read_control(bytes(data), from_server=False)
        self.counters.control += 1
        wait_s = self._weigh(session, connection, message)
        if wait_s:
            self.counters.control_fast += 1
            self.send(connection, Error("too_fast", "Too many requests.", _ms(wait_s)))
            return wait_s
        match message:
            case words.Enter(tags):
                for tag in tags:
                    await _room_to_write(connection)
                    self._enter(session, connection, tag)
            case words.Leave(tags):
                for tag in tags:
                    self.leave(session, tag)
            case words.Renew():
                connection.nonce = self._random(32)
                self.send(connection, words.Challenge(connection.nonce))
            case words.Prove(signature):
                self._renew(session, connection, signature)
            case words.Put():
                await self.post.put(session, connection, message)
            case words.Taken(ids):
                await self.post.taken(session, ids)
            case _:
                raise PeerError("bad_message", "logged in already")
        return 0.0

    def _weigh(
        self, session: Session[Connection], connection: Connection, message: Control
    ) -> float:
        """Take from the budget what a message costs. Seconds to wait; 0: go on."""
        weight = 1
        if isinstance(message, (words.Enter, words.Leave)):
            weight = max(1, len(message.tags))
        assert session.budget is not None
        now_s = self._now_s()
        return self.limits.take_control(session.budget, connection.place, now_s, weight)

    def _renew(
        self, session: Session[Connection], connection: Connection, signature: bytes
    ) -> None:
        nonce, connection.nonce = connection.nonce, b""
        if not nonce:
            raise PeerError("bad_login", "there is no challenge")
        server = self.settings.server_id
        check_signature(session.device, server, connection.origin, nonce, signature)
        token, turn = self._credentials(connection)
        self.send(connection, words.Renewed(token, self.settings.token_s, turn))

    def enter_far(self, session: Session[Connection], tag: bytes) -> None:
        """A device of another node is under a tag."""
        if self.rooms.enter(session, tag):
            self._tell(self.rooms.others(session, tag), words.Came(tag, session.device))

    def _enter(self, session: Session[Connection], connection: Connection, tag: bytes) -> None:
        try:
            others = self.enter(session, tag)
        except PeerError as error:
            self.counters.rooms_refused += 1
            self.send(connection, Error(error.code, error.message, 60_000))
            return
        self.send(connection, words.Room(tag, tuple(other.device for other in others)))

    def enter(self, session: Session[Connection], tag: bytes) -> list[Session[Connection]]:
        """Bring a device under a tag; everybody else under it. Raises `PeerError`
        ``too_many_rooms`` or ``room_full``."""
        new = self.rooms.enter(session, tag)
        others = self.rooms.others(session, tag)
        if new:
            self._tell(others, words.Came(tag, session.device))
            self.bus.enter(tag, session.device, session.epoch)
        return others

    def leave(self, session: Session[Connection], tag: bytes) -> None:
        """A device is under a tag no more."""
        others = self.rooms.others(session, tag)
        if self.rooms.leave(session, tag):
            self._tell(others, words.Went(tag, session.device))
            if not session.far:
                self.bus.leave(tag, session.device, session.epoch)
            for other in others:
                if other.far and not other.tags:
                    self.directory.forget(other)

    # --- telling --------------------------------------------------------------------------------

    def send(self, connection: Connection, message: Control) -> None:
        """Write to a connection; one that does not read is ended."""
        self._write(connection, control_frame(message))

    def _tell(self, sessions: Iterable[Session[Connection]], message: Control) -> None:
        frame = control_frame(message)
        for session in sessions:
            if session.connection is not None:
                self._write(session.connection, frame)

    def _write(self, connection: Connection, frame: bytes) -> None:
        if not connection.write(frame):
            self.stalled(connection)

    def stalled(self, connection: Connection) -> None:
        """It takes nothing: send it away."""
        self.counters.too_slow += 1
        self.end(connection, _SLOW)

    # --- time passes ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Once a second: end what is over."""
        now_s = self._now_s()
        for session in self.directory.lost_before(now_s - self.settings.resume_s):
            self.forget(session)
        self._look_at_slow(now_s)
        if now_s - self._pinged_s >= self.settings.ping_s:
            self._pinged_s = now_s
            for connection in self.connections:
                self._look_alive(connection)
        for connection in tuple(self.connections):
            if 0 < connection.expires_s < now_s and not connection.closing:
                self.counters.expired += 1
                self.end(connection, Error("expired", "The token was not renewed.", 1))

    def _look_at_slow(self, now_s: float) -> None:
        for connection, (since_s, waited) in list(self.relay.slow.items()):
            waiting = connection.waiting_bytes
            if waiting < waited:
                self.relay.slow.pop(connection)
            elif now_s - since_s >= self.settings.stalled_s:
                self.stalled(connection)

    def _look_alive(self, connection: Connection) -> None:
        if connection.heard:
            connection.heard = False
            connection.silent = 0
            return
        connection.silent += 1
        if connection.silent >= 3:
            self.counters.silent += 1
            connection.transport.abort()
        else:
            connection.write(PING)

    def _announced(self, mailbox: Mailbox | None) -> words.Limits:
        bounds = self.settings.bounds
        return words.Limits(
            words.MAX_RELAYED_BYTES,
            int(bounds.key_frames.per_s),
            int(bounds.key_bytes.per_s),
            bounds.key_rooms,
            bounds.room_devices,
            mailbox.limits.pair_bytes if mailbox else 0,
            mailbox.limits.keep_s if mailbox else 0,
        )


def _ms(wait_s: float) -> int:
    return int(wait_s * 1000) + 1


def _may_resume(session: Session[Connection], resume: bytes) -> bool:
    held = (session.resume, session.former)
    return bool(resume) and any(hmac.compare_digest(resume, one) for one in held)


async def _room_to_write(connection: Connection) -> None:
    """Let a connection take what waits for it, for a while: answers can be long."""
    for _ in range(_PAUSES):
        if connection.closing or connection.waiting_bytes < _MUCH_BYTES:
            return
        await asyncio.sleep(_PAUSE_S)
