"""Looks for a direct way to everybody whose link goes through a server.

The side that dialled that link begins, and again and again while the link lasts; after a change of
its network either side does. What both must know of each other goes over the proven link, so the
server learns of no address. The stream that is found is proved like any other, for this very
device, and its link takes the place of the one through the server. Refuses more than four attempts
at once, more than one for each device, and offers that come faster than anybody needs them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from folkmoot.domain.errors import EnvironmentFault, FolkmootError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import frames
from folkmoot.protocol.codec import MAX_INTEGER
from folkmoot.protocol.frames import IceAnswer, IceOffer
from folkmoot.services.attempts import NAT, OK, Attempts
from folkmoot.services.link import Link
from folkmoot.services.links import F, Knock
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Randomness, Stream
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.signaling_port import Ice, IceAttempt, IceDescription
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way

MAX_AT_ONCE = 4
MAX_REMEMBERED = 512
BACKOFF_S, MAX_BACKOFF_S = 5.0, 600.0
SETTLED_S = 60.0
"""A direct link that lived so long was worth the attempt; one that did not counts as a failure."""
GATHER_S, ANSWER_S, CONNECT_S = 5.0, 8.0, 10.0
BUSY_S = 2.0
"""How long an offer waits for a free place before it is answered with “not now”."""
OFFERS_PER_S, OFFERS_BURST = 0.2, 4.0

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Linked(Protocol):
    """The links, as far as they matter here."""

    def watch(self, up: Callable[[Link], None], down: Callable[[Link], None]) -> None:
        """As `Links.watch`."""
        ...

    def handle(self, kind: type[F], handler: Callable[[Link, F], Awaitable[None]]) -> None:
        """As `Links.handle`."""
        ...

    async def prove(
        self, stream: Stream, knock: Knock | None, *, expected: DeviceId | None, way: Way
    ) -> Link:
        """As `Links.prove`."""
        ...

    async def accept(self, stream: Stream) -> None:
        """As `Links.accept`."""
        ...


@dataclass(frozen=True, slots=True)
class DirectTry:
    """What came of the last attempt with a device; `code` is ``ok``, or why there is no way."""

    code: str
    words: str
    took_s: float
    at_s: float
    """Time of the node's loop."""


class _Peer:
    """What is remembered of a device from one link to the next."""

    def __init__(self, now: float) -> None:
        self.backoff_s = BACKOFF_S
        self.next_at = now
        self.tried_at = now - BACKOFF_S
        self.last: DirectTry | None = None
        self.offers = Bucket(OFFERS_PER_S, OFFERS_BURST, now)

    def failed(self, now: float, jitter: float) -> None:
        """Wait twice as long as before."""
        self.next_at = now + self.backoff_s * jitter
        self.backoff_s = min(MAX_BACKOFF_S, 2 * self.backoff_s)

    def again(self, now: float) -> None:
        """There is a reason to try now."""
        self.backoff_s = BACKOFF_S
        self.next_at = max(now, self.tried_at + BACKOFF_S)


@dataclass(eq=False)
class _Talk:
    """What two sides say about direct ways over one link through a server."""

    link: Link
    peer: _Peer
    n: int = 0
    """The greatest number said or heard on this link."""
    heard: int = 0
    own: int | None = None
    """The number of our offer while we wait for what comes of it."""
    moved: bool = False
    """Our network changed: we begin, whoever dialled."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[IceAnswer] | None = None
    trying: asyncio.Task[None] | None = None
    answering: asyncio.Task[None] | None = None
    keeping: asyncio.Task[None] | None = None


class DirectWays:
    """All attempts of the node."""

    def __init__(
        self,
        me: Callable[[], DeviceId],
        links: Linked,
        ice: Ice,
        stun: Callable[[], Sequence[str]],
        registry: TeamRegistry,
        randomness: Randomness,
        supervisor: Supervisor,
        attempts: Attempts,
    ) -> None:
        """`stun` gives the servers that say how we look from outside, ``host:port``."""
        self._me = me
        self._links = links
        self._ice = ice
        self._stun = stun
        self._registry = registry
        self._randomness = randomness
        self._supervisor = supervisor
        self._attempts = attempts
        self._peers: dict[DeviceId, _Peer] = {}
        self._talks: dict[DeviceId, _Talk] = {}
        self._places = asyncio.Semaphore(MAX_AT_ONCE)
        links.watch(self._link_up, self._link_down)
        links.handle(frames.IceOffer, self._take_offer)
        links.handle(frames.IceAnswer, self._take_answer)

    def last(self, device: DeviceId) -> DirectTry | None:
        """What came of the last attempt with a device."""
        peer = self._peers.get(device)
        return None if peer is None else peer.last

    def network_changed(self) -> None:
        """Our own addresses are others now: what did not work may work."""
        for talk in self._talks.values():
            talk.peer.again(_now())
            talk.moved = True
            talk.wake.set()

    # --- which links there are ---------------------------------------------------------------

    def _link_up(self, link: Link) -> None:
        if not link.is_member:
            return
        self._forget(link.device)
        if link.way is Way.RELAY:
            talk = self._talks[link.device] = _Talk(link, self._peer(link.device))
            name = f"direct ways to {link.device.hex()[:8]}"
            talk.keeping = self._supervisor.start(name, self._keep_trying(talk))

    def _link_down(self, link: Link) -> None:
        talk = self._talks.get(link.device)
        if talk is not None and talk.link is link:
            self._forget(link.device)
        if link.is_member and link.way is not Way.RELAY:
            self._direct_link_down(link.device, link.since)

    def _direct_link_down(self, device: DeviceId, since: float) -> None:
        peer = self._peer(device)
        if _now() - since >= SETTLED_S:
            peer.again(_now())
        else:
            peer.failed(_now(), self._jitter())
        talk = self._talks.get(device)
        if talk is not None:
            talk.wake.set()

    def _forget(self, device: DeviceId) -> None:
        """Nothing more is said over the link to a device: end what was begun over it."""
        talk = self._talks.pop(device, None)
        if talk is None:
            return
        for task in (talk.trying, talk.answering, talk.keeping):
            if task is not None:
                task.cancel()

    def _peer(self, device: DeviceId) -> _Peer:
        peer = self._peers.get(device)
        if peer is None:
            if len(self._peers) >= MAX_REMEMBERED:
                del self._peers[next(d for d in self._peers if d not in self._talks)]
            peer = self._peers[device] = _Peer(_now())
        return peer

    # --- beginning ---------------------------------------------------------------------------

    async def _keep_trying(self, talk: _Talk) -> None:
        while True:
            await self._until_due(talk)
            async with self._places:
                if talk.answering is not None:
                    continue
                talk.moved = False
                name = f"direct way to {talk.link.device.hex()[:8]}"
                talk.trying = self._supervisor.start(name, self._try(talk))
                await asyncio.wait([talk.trying])
                talk.trying = talk.own = talk.answer = None

    async def _until_due(self, talk: _Talk) -> None:
        while True:
            talk.wake.clear()
            begins = talk.link.dialled or talk.moved
            left_s = talk.peer.next_at - _now() if begins else None
            if talk.answering is not None:
                left_s = None  # what the other side began comes first
            elif left_s is not None and left_s <= 0:
                return
            try:
                async with asyncio.timeout(left_s):
                    await talk.wake.wait()
            except TimeoutError:
                pass

    async def _try(self, talk: _Talk) -> None:
        began_at = talk.peer.tried_at = _now()
        talk.peer.failed(began_at, self._jitter())
        try:
            await self._begin(talk)
        except FolkmootError as error:
            talk.peer.next_at += _now() - began_at
            self._note(talk, error.code, error.message, began_at)
        else:
            self._note(talk, OK, "", began_at)

    async def _begin(self, talk: _Talk) -> None:
        talk.n += 1
        n = talk.own = talk.n
        link = talk.link
        attempt = await self._gather(began=True)
        try:
            talk.answer = asyncio.get_running_loop().create_future()
            ours = attempt.description
            link.send(IceOffer(n, ours.ufrag, ours.password, ours.candidates))
            answer = await _within(ANSWER_S, talk.answer, "The other computer did not answer.")
            if not answer.candidates:
                raise EnvironmentFault(
                    "no_direct_way", "The other computer cannot look for it now."
                )
            theirs = IceDescription(answer.ufrag, answer.password, answer.candidates)
            stream = await attempt.connect(theirs, link.device, CONNECT_S)
        finally:
            await attempt.aclose()
        knock = self._knock(link)
        await self._links.prove(stream, knock, expected=link.device, way=Way.NAT)

    async def _gather(self, *, began: bool) -> IceAttempt:
        words = "The network of this computer took too long."
        return await _within(GATHER_S, self._ice.gather(self._stun(), began=began), words)

    def _knock(self, link: Link) -> Knock | None:
        """The key by which the other side knows us: as on the link that there is."""
        team = None if link.team is None else self._registry.team(link.team)
        states = [s for s in self._registry.teams() if link.person in s.members]
        for state in (*([] if team is None else [team]), *states):
            if state.secrets:
                return Knock(state.secrets[-1], state.id)
        directs = self._registry.directs().items()
        return next((Knock(id) for id, persons in directs if link.person in persons), None)

    # --- answering ---------------------------------------------------------------------------

    async def _take_offer(self, link: Link, offer: IceOffer) -> None:
        talk = self._talks.get(link.device)
        if talk is None or talk.link is not link:
            link.send(IceAnswer(offer.n, "", "", ()))
            return
        if offer.n <= talk.heard or offer.n == MAX_INTEGER:
            return
        talk.heard = offer.n
        if not self._yields(talk, offer.n):
            return
        talk.n = max(talk.n, offer.n)
        if talk.answering is not None:
            talk.answering.cancel()
        if not talk.peer.offers.take(_now()):
            link.send(IceAnswer(offer.n, "", "", ()))
            return
        if talk.trying is not None:
            talk.trying.cancel()
        name = f"answer {link.device.hex()[:8]}"
        talk.answering = self._supervisor.start(name, self._answer(talk, offer))

    def _yields(self, talk: _Talk, n: int) -> bool:
        """Whether an offer of theirs goes before ours: the greater number, else the lower id."""
        if talk.own is None or n != talk.own:
            return talk.own is None or n > talk.own
        return talk.link.device < self._me()

    async def _answer(self, talk: _Talk, offer: IceOffer) -> None:
        began_at = _now()
        held = False
        try:
            held = await self._take_place()
            stream = await self._connect(talk, offer, held)
        except FolkmootError as error:
            self._note(talk, error.code, error.message, began_at)
        else:
            if stream is not None:
                self._note(talk, OK, "", began_at)
                name = f"link from {talk.link.device.hex()[:8]}"
                self._supervisor.start(name, self._links.accept(stream))
        finally:
            if held:
                self._places.release()
            if talk.answering is asyncio.current_task():
                talk.answering = None
                talk.wake.set()

    async def _take_place(self) -> bool:
        try:
            async with asyncio.timeout(BUSY_S):
                return await self._places.acquire()
        except TimeoutError:
            return False

    async def _connect(self, talk: _Talk, offer: IceOffer, held: bool) -> Stream | None:
        """The stream of an offer of theirs; None if we have no place for it."""
        try:
            attempt = await self._gather(began=False) if held else None
        except EnvironmentFault:
            talk.link.send(IceAnswer(offer.n, "", "", ()))
            raise
        if attempt is None:
            talk.link.send(IceAnswer(offer.n, "", "", ()))
            return None
        try:
            ours = attempt.description
            talk.link.send(IceAnswer(offer.n, ours.ufrag, ours.password, ours.candidates))
            theirs = IceDescription(offer.ufrag, offer.password, offer.candidates)
            return await attempt.connect(theirs, talk.link.device, CONNECT_S)
        finally:
            await attempt.aclose()

    async def _take_answer(self, link: Link, answer: IceAnswer) -> None:
        talk = self._talks.get(link.device)
        if talk is None or talk.link is not link or answer.n != talk.own:
            return
        if talk.answer is not None and not talk.answer.done():
            talk.answer.set_result(answer)

    # --- what came of it ---------------------------------------------------------------------

    def _note(self, talk: _Talk, code: str, words: str, began_at: float) -> None:
        now = _now()
        took_s = now - began_at
        talk.peer.last = DirectTry(code, words, took_s, now)
        told = code if code == OK else "no_direct_way"
        self._attempts.note(NAT, "", told, device=talk.link.device, took_s=took_s)
        peer = talk.link.device.hex()[:8]
        if code == OK:
            _log.info("a direct way to %s was found in %.2f s", peer, took_s)
        else:
            _log.info("no direct way to %s: %s (%s)", peer, words, code)

    def _jitter(self) -> float:
        return self._randomness.uniform(0.75, 1.25)


async def _within(seconds: float, what: Awaitable[T], words: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await what
    except TimeoutError as error:
        raise EnvironmentFault("no_direct_way", words) from error


def _now() -> float:
    return asyncio.get_running_loop().time()
