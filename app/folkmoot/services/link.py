"""One link: a stream whose both ends have proved who they are.

Owns the frames of the link, their pace, its heartbeat and the word with which it is closed. Refuses
frames that come too fast and, from strangers, all but the few that `WIRE.md` marks for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.frames import Frame
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Stream
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way

DEAD_AFTER_S = 8.0
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
        self.reason = ""
        self.heard_at = now
        self._reading = False
        self._ping = 0
        self._pinged_at: float | None = None
        self._pace = self._new_pace(now)

    @property
    def remote(self) -> str:
        """``host:port`` of the other side."""
        return self._stream.remote

    @property
    def host(self) -> str:
        """`remote` without its port."""
        return self.remote.rpartition(":")[0]

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
        """Queue frames; on a closed link they are dropped."""
        if self.closed:
            return
        for frame in out:
            self._stream.send(frames.encode(frame))

    async def drain(self) -> None:
        """Wait until the other side has taken most of what was queued."""
        await self._stream.drain()

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
            self._ended(frame.code)
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

    def _ended(self, code: str) -> None:
        self.closed = True
        self.reason = self.reason or code

    def _take_pong(self, n: int, now: float) -> None:
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


_COSTS: dict[type[Frame], float] = {
    frames.Addresses: 80.0,
    frames.Teams: 80.0,
    frames.TeamsWanted: 40.0,
    frames.Digest: 40.0,
    frames.Bodies: 40.0,
    frames.Presence: 40.0,
    frames.Typing: 20.0,
}


def _cost(frame: Frame, size_bytes: int) -> float:
    """About how much work a member's frame makes; the smallest costs 1."""
    rows = 0
    if isinstance(frame, frames.Digests | frames.Vectors | frames.Ack):
        rows = len(frame.rows)
    return _COSTS.get(type(frame), 1.0) + rows / 12 + size_bytes / 8192
