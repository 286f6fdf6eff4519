"""Keeps what this node holds and what its peers hold the same, over every member link.

Drives one `LinkSync` machine per link: reads for it, hands it frames, and sends what it says. Where
a link takes the place of another it compares from the start; what still comes over the old one is
taken, and what waits to be stored stays in line. What comes in is judged by `services.authority`,
committed in batches by one intake for all links, told to the node, and acknowledged only then.
Bodies that came with no entry are for `services.bodies`. Refuses to read on from a link whose
entries wait to be stored, and delays, never skips, a device that writes faster than its quota.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import ConversationId, DeviceId, LogKey
from folkmoot.protocol import frames
from folkmoot.protocol.replication import LinkSync, Position
from folkmoot.services.authority import Authority, Outcome, Verdict
from folkmoot.services.deliveries import Deliveries
from folkmoot.services.holdings import HeldLogs, PeerView
from folkmoot.services.inbox import Inbox
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Appended, Randomness, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.supervisor import Supervisor

ENTRIES_PER_S, ENTRIES_BURST = 3000.0, 100_000.0
MAX_HELD_BACK = 1024
MAX_PUSHED = 4
"""A commit of more entries is read from the store again, in segments of a good size."""
FAULT_REST_S = 1.0
"""After a fault of the store it is tried again this much later."""

_log = logging.getLogger(__name__)


class _Session:
    """What belongs to one member link."""

    def __init__(self, link: Link, view: PeerView, jitter: float, now: float) -> None:
        self.link = link
        self.view = view
        self.sync = LinkSync(view, jitter)
        self.wake = asyncio.Event()
        self.reads = False
        """A segment is being read from the store for the peer."""
        self.inbox = Inbox()
        self.quota = Bucket(ENTRIES_PER_S, ENTRIES_BURST, now)
        self.rest_until = 0.0
        self.held_back: dict[ConversationId, None] = {}
        self.shared: frozenset[ConversationId] = frozenset()

    def take_over(self, before: _Session) -> None:
        """This link takes the place of another to the same device: go on where that one was."""
        self.inbox, self.quota = before.inbox, before.quota
        self.rest_until, self.held_back = before.rest_until, before.held_back
        before.wake.set()


class Replication:
    """All sessions of the node and the one intake."""

    def __init__(
        self,
        links: Links,
        held: HeldLogs,
        authority: Authority,
        store: Store,
        randomness: Randomness,
        registry: TeamRegistry,
        publisher: Publisher,
        deliveries: Deliveries,
        supervisor: Supervisor,
    ) -> None:
        self._links = links
        self._held = held
        self._authority = authority
        self._store = store
        self._randomness = randomness
        self._registry = registry
        self._publisher = publisher
        self._deliveries = deliveries
        self._supervisor = supervisor
        self._sessions: dict[DeviceId, _Session] = {}
        self._arrived = asyncio.Event()
        self._quiet_log = QuietLog(_log, _now)
        links.watch(self._link_up, self._link_down)
        links.handle(frames.Digest, self._take_digest)
        links.handle(frames.Digests, self._take_digests)
        links.handle(frames.Vectors, self._take_vectors)
        links.handle(frames.Ack, self._take_ack)
        links.handle(frames.Segment, self._take_segment)
        publisher.listen(self._committed, first=True)

    def start(self) -> None:
        """Begin to store what comes in."""
        self._supervisor.start("intake", self._intake())

    # --- links -------------------------------------------------------------------------------

    def _link_up(self, link: Link) -> None:
        if not link.is_member:
            return
        now = _now()
        view = PeerView(self._held, self._registry, link)
        session = _Session(link, view, self._randomness.uniform(0.9, 1.1), now)
        session.shared = self._shared(link)
        before = self._sessions.get(link.device)
        if before is not None:
            session.take_over(before)
        self._sessions[link.device] = session
        link.send(*session.sync.begin(now))
        self._supervisor.start(f"sync {link.device.hex()[:8]}", self._drive(session))

    def _link_down(self, link: Link) -> None:
        session = self._sessions.get(link.device)
        if session is not None and session.link is link:
            del self._sessions[link.device]
            session.inbox.clear()
            session.wake.set()

    def _session(self, link: Link) -> _Session | None:
        session = self._sessions.get(link.device)
        return session if session is not None and session.link is link else None

    def _current(self, session: _Session) -> _Session:
        """The session of the link that may have taken the place of this one meanwhile."""
        return self._sessions.get(session.link.device, session)

    async def _drive(self, session: _Session) -> None:
        """Send what the machine owes the peer, as fast as the link takes it."""
        known = False
        while not session.link.closed and self._session(session.link) is session:
            try:
                if not known:
                    await self._deliveries.know(session.link.device)
                    known = True
                await self._send_owed(session)
            except EnvironmentFault as error:
                if error.code == "link_closed":
                    return
                _log.error("%s is not sent what it lacks now: %s", session.link.remote, error)
                await asyncio.sleep(FAULT_REST_S)

    async def _send_owed(self, session: _Session) -> None:
        """One step: a segment that is due, or wait until something is."""
        link, sync = session.link, session.sync
        session.wake.clear()
        link.send(*sync.tick(_now()))
        read = sync.next_read()
        if read is None:
            await _wait(session.wake, sync.due() - _now())
            return
        session.reads = True
        try:
            entries = await self._store.segment(read.log, read.first, frames.MAX_BULK_BYTES)
        finally:
            session.reads = False
        link.send(*sync.loaded(read, entries, _now()))
        await link.drain()

    # --- frames of the machine ---------------------------------------------------------------

    async def _take_digest(self, link: Link, frame: frames.Digest) -> None:
        if (session := self._session(link)) is not None:
            self._follow(session, *session.sync.digest(frame, _now()))

    async def _take_digests(self, link: Link, frame: frames.Digests) -> None:
        if (session := self._session(link)) is not None:
            self._follow(session, *session.sync.digests(frame, _now()))

    async def _take_vectors(self, link: Link, frame: frames.Vectors) -> None:
        if (session := self._session(link)) is not None:
            self._follow(session, *session.sync.vectors(frame, _now()))

    async def _take_ack(self, link: Link, frame: frames.Ack) -> None:
        session = self._sessions.get(link.device)  # as for segments
        if session is not None:
            self._follow(session, [], session.sync.ack(frame, _now()))

    def _follow(self, session: _Session, out: list[frames.Frame], heads: list[LogHead]) -> None:
        session.link.send(*out)
        self._deliveries.note(session.link.device, heads)
        session.wake.set()

    # --- commits -----------------------------------------------------------------------------

    def _committed(self, appended: Appended, source: DeviceId | None) -> None:
        """Something is durable here: push it, plan to forward it, acknowledge it."""
        self._held.update(appended.entries)
        now = _now()
        for session in tuple(self._sessions.values()):
            if source is None:
                origin = "own"
            else:
                origin = "peer" if session.link.device == source else "other"
            session.link.send(*session.sync.committed(appended.entries, now, origin=origin))
            self._push(session, appended.entries, now)
            if appended.teams:
                self._teams_changed(session, now)
            session.wake.set()

    def _push(self, session: _Session, fresh: Sequence[Entry], now: float) -> None:
        """Send what was just committed from memory, if that is all that the peer lacks."""
        read = None if session.reads else session.sync.next_read()
        if read is None or len(fresh) > MAX_PUSHED:
            return
        owed = [
            entry
            for entry in fresh
            if entry.log == read.log and entry.header.sequence >= read.first
        ]
        if owed and owed[0].header.sequence == read.first and owed[-1].signature is not None:
            session.link.send(*session.sync.loaded(read, owed, now))

    def _teams_changed(self, session: _Session, now: float) -> None:
        """Compare anew if other teams are shared now; ask again for what had to wait."""
        shared = self._shared(session.link)
        if shared != session.shared:
            session.shared = shared
            session.link.send(*session.sync.begin(now))
        waiting, session.held_back = session.held_back, {}
        for conversation in waiting:
            session.link.send(*session.sync.lacking(conversation, now))

    def _shared(self, link: Link) -> frozenset[ConversationId]:
        return frozenset(
            state.id for state in self._registry.teams() if link.person in state.members
        )

    # --- what comes in -----------------------------------------------------------------------

    async def _take_segment(self, link: Link, frame: frames.Segment) -> None:
        session = self._sessions.get(link.device)  # of a newer link, if this one drains
        if session is None:
            return
        self._arrived.set()
        await session.inbox.add(frame)

    async def _intake(self) -> None:
        """Store what links brought, in turns, one batch of one link at a time."""
        while True:
            self._arrived.clear()
            sessions = [session for session in self._sessions.values() if session.inbox]
            now = _now()
            awake = [session for session in sessions if session.rest_until <= now]
            if not awake:
                rest = min((session.rest_until - now for session in sessions), default=None)
                await _wait(self._arrived, rest)
                continue
            for session in awake:
                try:
                    await self._store_batch(session)
                except PeerError as error:
                    session.inbox.clear()
                    session.link.close(error.code, error.message)
                    _log.warning(
                        "entries of %s at %s refused: %s (%s)",
                        session.link.device.hex()[:8],
                        session.link.remote,
                        error.message,
                        error.code,
                    )
                except EnvironmentFault as error:
                    _log.error("entries could not be stored: %s", error)
                    session.rest_until = _now() + FAULT_REST_S
                except Exception:  # noqa: BLE001 - our bug, but the other links are not to blame
                    session.inbox.clear()
                    session.link.close("internal_error", "These entries could not be read here.")
                    _log.exception("a bug in taking entries of %s", session.link.remote)

    async def _store_batch(self, session: _Session) -> None:
        """Judge and store a batch of one link. Raises `PeerError` for malice."""
        segments = session.inbox.take()
        count = sum(len(segment.headers) for segment in segments)
        session.rest_until = _now() + session.quota.owe(_now(), count)
        try:
            await self._store_segments(session, segments)
        except EnvironmentFault:
            # Nothing of it was acknowledged; it is tried again before anything newer.
            if self._session(session.link) is session:
                session.inbox.put_back(segments)
            raise

    async def _store_segments(self, session: _Session, segments: Sequence[frames.Segment]) -> None:
        await self._judge_and_store(
            segments,
            lambda batch: self._store_entries(session, batch),
            lambda segment, verdict: self._not_taken(session, segment, verdict),
        )

    async def take_mail(
        self, segments: Sequence[frames.Segment], author: DeviceId
    ) -> list[Verdict]:
        """Judge and store what came in a sealed envelope, as if `author` had sent it over a link.

        Answers with the verdicts on what was not taken. Raises `PeerError` for what no honest node
        writes, and what the store raises.
        """
        refused: list[Verdict] = []

        async def store(batch: list[Entry]) -> None:
            self._publisher.tell(await self._store.append(batch), author)

        await self._judge_and_store(segments, store, lambda _, verdict: refused.append(verdict))
        return refused

    async def _judge_and_store(
        self,
        segments: Sequence[frames.Segment],
        store: Callable[[list[Entry]], Awaitable[None]],
        not_taken: Callable[[frames.Segment, Verdict], None],
    ) -> None:
        batch: list[Entry] = []
        heads: dict[LogKey, Position] = {}
        for segment in segments:
            await asyncio.sleep(0)  # each costs a signature; others of the loop have their turn
            log = LogKey(segment.conversation, segment.device, segment.grant)
            held = heads.get(log) or self._held.position(log)
            verdict = self._authority.judge(segment, held)
            if verdict.outcome is Outcome.NOT_YET and batch:
                await store(batch)
                batch, heads = [], {}
                verdict = self._authority.judge(segment, self._held.position(log))
            if verdict.outcome is not None:
                not_taken(segment, verdict)
                continue
            batch.extend(verdict.entries)
            last = verdict.entries[-1]
            heads[log] = Position(last.header.sequence, last.id)
        if batch:
            await store(batch)

    async def _store_entries(self, session: _Session, batch: list[Entry]) -> None:
        device = session.link.device
        appended = await self._store.append(batch)
        self._publisher.tell(appended, device)
        lasts = {entry.log: entry for entry in batch}
        self._deliveries.note(
            device, [LogHead(log, entry.header.sequence, entry.id) for log, entry in lasts.items()]
        )
        if len(appended.entries) < len(batch):
            session, now = self._current(session), _now()
            for log, entry in lasts.items():
                session.link.send(*session.sync.held_already(log, entry.header.sequence, now))

    def _not_taken(
        self,
        session: _Session,
        segment: frames.Segment,
        verdict: Verdict,
    ) -> None:
        log = LogKey(segment.conversation, segment.device, segment.grant)
        outcome, now = verdict.outcome, _now()
        session = self._current(session)
        sync, link = session.sync, session.link
        if outcome is Outcome.HELD:
            last = segment.first + len(segment.headers) - 1
            link.send(*sync.held_already(log, last, now))
        elif outcome is Outcome.GAP:
            link.send(*sync.lacking(log.conversation, now))
        elif outcome is Outcome.NOT_YET:
            if len(session.held_back) < MAX_HELD_BACK:
                session.held_back[log.conversation] = None
            team = self._registry.team_of(log.conversation)
            for shared in [team.id] if team is not None else sorted(session.shared):
                link.send(*sync.lacking(shared, now))
        if verdict.reason and outcome is not None:
            self._quiet_log.info(
                "a segment of %s from %s is not taken: %s (%s)",
                log.device.hex()[:8],
                link.device.hex()[:8],
                verdict.reason,
                outcome.value,
            )
        session.wake.set()


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait(event: asyncio.Event, timeout_s: float | None) -> None:
    """Until the event is set, `timeout_s` at most, and a little more.

    Without the little more a sum of floats may fall short of the time for which it waits, for ever.
    """
    try:
        async with asyncio.timeout(None if timeout_s is None else max(0.0, timeout_s) + 0.001):
            await event.wait()
    except TimeoutError:
        pass
