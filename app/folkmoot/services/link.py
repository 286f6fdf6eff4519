"""One link: a stream whose both ends have proved who they are.

Owns the frames of the link, their pace, its heartbeat and the word with which it is closed. A link
whose place a newer one takes is *retired*: it says so behind what it had to say, sends no more, and
is read until the other side has said the same, so that nothing on its way is lost. Refuses frames
that come too fast and, from strangers, all but the few that `WIRE.md` marks for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.servers import NAT_PREFIX, RELAY_PREFIX
from folkmoot.protocol import frames
from folkmoot.protocol.frames import Frame
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Stream
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way

DEAD_AFTER_S = 8.0
DRAIN_S = 2.0
"""A link whose place another takes may be read on for so long."""
REPLACED = "replaced"
"""The code of the word with which a link ends whose place another takes."""
WORK_PER_S, WORK_BURST = 2000.0, 10_000.0
"""What the frames of a member may cost: 1 each, more for those that make more work (`_cost`)."""
STRANGER_FRAMES_PER_S, STRANGER_FRAMES_BURST = 5.0, 60.0

_log = logging.getLogger(__name__)
Take = Callable[["Link", Frame], Awaitable[None]]


class Standing(Enum):
    """How far the other side is trusted."""

    MEMBER = "member"
    STRANGER = "stranger"


class Link:
    """A proved stream. `person` and `device` are the other side's."""

    def __init__(
        self,
        stream: Stream,
        supervisor: Supervisor,
        *,
        certificate: Certificate,
        signed: SignedCertificate,
        transcript: bytes,
        standing: Standing,
        dialled: bool,
        way: Way,
        now: float,
        strangers_log: QuietLog,
    ) -> None:
        """`strangers_log`: for lines that strangers cause, so that they cannot fill the log."""
        self._stream = stream
        self._strangers_log = strangers_log
        self._supervisor = supervisor
        self.person: PersonId = certificate.person
        self.device: DeviceId = certificate.device
        self.certificate = certificate
        self.signed = signed
        self.transcript = transcript
        self.standing = standing
        self.dialled = dialled
        self.way = way
        self.since = now
        self.team: ConversationId | None = None
        """The team whose secret, or whose invitation, both sides proved to know."""
        self.invite: EntryId | None = None
        self.kept = False
        """A stranger's link that somebody still needs: it is not closed for idling."""
        self.hello: frames.Hello | None = None
        self.rtt_s: float | None = None
        self.closed = False
        self.retired = False
        """A newer link took its place: nothing more is sent, what comes is still read."""
        self._other_left = False
        self._draining = False
        self.reason = ""
        self.heard_at = now
        self._reading = False
        self._ping = self._ponged = 0
        self._pong_came = asyncio.Event()
        self._pinged_at: float | None = None
        self._pace = self._new_pace(now)

    @property
    def remote(self) -> str:
        """``host:port`` of the other side, or its address as `domain.servers` writes them."""
        return self._stream.remote

    @property
    def host(self) -> str:
        """Where the other side is, without its port; of one behind a server: that server."""
        if self.remote.startswith(RELAY_PREFIX):
            return self.remote.rpartition("/")[0]
        return _host(self.remote)

    @property
    def local_host(self) -> str:
        """Our own address on this link, without its port; empty if a server hands it on."""
        return "" if self.way is Way.RELAY else _host(self._stream.local)

    @property
    def is_member(self) -> bool:
        """Whether frames of members may pass."""
        return self.standing is Standing.MEMBER

    def traffic(self) -> tuple[int, int]:
        """(bytes in, bytes out)."""
        return self._stream.traffic()

    def open_up(self) -> None:
        """The proofs are done: lift the limits as far as the standing allows."""
        self._stream.open_up(stranger=not self.is_member)

    def promote(self, now: float) -> None:
        """The stranger was let in: frames of members may pass from now on."""
        self.standing = Standing.MEMBER
        self._pace = self._new_pace(now)
        self._stream.open_up()

    def send(self, *out: Frame) -> None:
        """Queue frames; on a closed or retired link they are dropped."""
        if self.closed or self.retired:
            return
        for frame in out:
            self._stream.send(frames.encode(frame))

    async def drain(self) -> None:
        """Wait until the other side has taken most of what was queued."""
        await self._stream.drain()

    def ask(self) -> int:
        """Ask whether the other side has taken everything that was sent before; a number for
        `answers`. It takes frames in their order, so that it answers a ping after all before it."""
        self._ping += 1
        self.send(frames.Ping(self._ping))
        return self._ping

    async def answers(self, number: int, within_s: float) -> bool:
        """Wait for the answer to `ask`; False if none comes in time, or the link ends or retires:
        then it is to be asked on the link that took its place."""
        try:
            async with asyncio.timeout(within_s):
                while self._ponged < number and not (self.closed or self.retired):
                    self._pong_came.clear()
                    await self._pong_came.wait()
        except TimeoutError:
            return False
        return self._ponged >= number

    async def run(self, take: Take) -> None:
        """Hand every frame to `take` until the link ends; then the reason is in `reason`."""
        try:
            while not self.closed:
                await self._one(take)
        except PeerError as error:
            self.close(error.code, error.message)
            self._say("link to %s refused: %s (%s)", error.message, error.code)
        except EnvironmentFault as error:
            self._ended(error.code)
        except FolkmootError as error:
            self.close("refused", error.message)
            self._say("link to %s ended: %s (%s)", error.message, error.code)
        finally:
            self.closed = True
            await self._stream.aclose()

    async def _one(self, take: Take) -> None:
        loop = asyncio.get_running_loop()
        self._reading = True
        data = await self._stream.receive()
        self._reading = False
        now = self.heard_at = loop.time()
        frame = await self._paced(data, now)
        if isinstance(frame, frames.Ping):
            self.send(frames.Pong(frame.n))
        elif isinstance(frame, frames.Pong):
            self._take_pong(frame.n, now)
        elif isinstance(frame, frames.Bye):
            self._say("link to %s: bye, %s (%s)", frame.words, frame.code)
            self._take_bye(frame.code)
        else:
            if isinstance(frame, frames.Hello):
                self.hello = frame
            await take(self, frame)

    async def _paced(self, data: bytes, now: float) -> Frame:
        """The frame in `data`. A member who is too fast waits; a stranger is sent away."""
        if self.is_member:
            frame = frames.decode(data, stranger=False)
            delay_s = self._pace.owe(now, _cost(frame, len(data)))
            if delay_s:
                await asyncio.sleep(delay_s)
            return frame
        if not self._pace.take(now):
            raise PeerError("flood", "Frames come faster than is allowed.")
        return frames.decode(data, stranger=True)

    def beat(self, now: float) -> None:
        """Called every two seconds: ask for life, and end what has none."""
        if self.closed:
            return
        if self._reading and now - self.heard_at > DEAD_AFTER_S:
            self.close("dead", "Nothing was heard for too long.")
            return
        self._ping += 1
        if self._pinged_at is None:
            self._pinged_at = now
        self.send(frames.Ping(self._ping))

    def close(self, code: str, words: str) -> None:
        """Say why and end the link; `run` cleans up."""
        if self.closed:
            return
        self.send(frames.Bye(code, words[:200]))
        self._ended(code)
        self._supervisor.start("close-link", self._stream.aclose())

    def retire(self) -> None:
        """A newer link took the place of this one: say so and read on until the other side does."""
        if self.closed or self.retired:
            return
        self.send(frames.Bye(REPLACED, "A newer link takes its place."))
        self.retired = True
        self._pong_came.set()
        self._drain_within_bounds()

    def _take_bye(self, code: str) -> None:
        """Nothing follows it. `REPLACED`: the newer link may be on its way here still."""
        if code != REPLACED or not self.is_member:
            self._ended(code)
            return
        self._other_left = True
        self._drain_within_bounds()

    def _drain_within_bounds(self) -> None:
        if self.retired and self._other_left:
            self._ended(REPLACED)
            self._supervisor.start("close-link", self._stream.aclose())
        elif not self._draining:
            self._draining = True
            self._supervisor.start("drain-link", self._give_up_draining())

    async def _give_up_draining(self) -> None:
        await asyncio.sleep(DRAIN_S)
        if not self.closed:
            self._ended(REPLACED)
            await self._stream.aclose()

    def _ended(self, code: str) -> None:
        self.closed = True
        self._pong_came.set()
        self.reason = self.reason or code

    def _take_pong(self, n: int, now: float) -> None:
        self._ponged = max(self._ponged, min(n, self._ping))
        self._pong_came.set()
        if n == self._ping and self._pinged_at is not None:
            self.rtt_s = now - self._pinged_at
        if n <= self._ping:
            self._pinged_at = None

    def _new_pace(self, now: float) -> Bucket:
        if self.is_member:
            return Bucket(WORK_PER_S, WORK_BURST, now)
        return Bucket(STRANGER_FRAMES_PER_S, STRANGER_FRAMES_BURST, now)

    def _say(self, words: str, *values: str) -> None:
        log = _log if self.is_member else self._strangers_log
        log.info(words, f"{self.device.hex()[:8]} at {self.remote}", *values)


def way_of(remote: str, way: Way) -> Way:
    """How a stream came about, by the address of its other end; `way`: if it is plain TCP."""
    if remote.startswith(RELAY_PREFIX):
        return Way.RELAY
    return Way.NAT if remote.startswith(NAT_PREFIX) else way


def _host(address: str) -> str:
    return address.removeprefix(NAT_PREFIX).partition("/")[0].rpartition(":")[0]


_COSTS: dict[type[Frame], float] = {
    frames.Addresses: 80.0,
    frames.IceOffer: 100.0,
    frames.IceAnswer: 100.0,
    frames.MailGrants: 80.0,
    frames.Teams: 80.0,
    frames.TeamsWanted: 40.0,
    frames.Digest: 40.0,
    frames.Bodies: 40.0,
    frames.Presence: 40.0,
    frames.Typing: 20.0,
    frames.CallState: 20.0,
    frames.CallOffer: 100.0,
    frames.CallAnswer: 100.0,
    frames.CallAgain: 20.0,
    frames.CallAct: 40.0,
    frames.CallReact: 40.0,
    frames.CallInk: 20.0,
}


def _cost(frame: Frame, size_bytes: int) -> float:
    """About how much work a member's frame makes; the smallest costs 1."""
    rows = 0
    if isinstance(frame, frames.Digests | frames.Vectors | frames.Ack):
        rows = len(frame.rows)
    return _COSTS.get(type(frame), 1.0) + rows / 12 + size_bytes / 8192
