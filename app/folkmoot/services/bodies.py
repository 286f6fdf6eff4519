"""Bodies that came with no entry: asks every peer that may have them, and gives what is held here.

A body is wanted while its entry is held without it and no delete explains that. Who asks in vain
asks ever more seldom, for nobody may have it any more: an edit, say, of a message that was deleted.
Refuses to ask about, or to give away, what the peer may not see, and to believe a body: the store
takes only what matches the hash in the entry's header.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from itertools import chain, islice
from typing import TypeVar

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol import frames
from folkmoot.services.holdings import HeldLogs, PeerView
from folkmoot.services.link import Link
from folkmoot.services.links import Links
from folkmoot.services.pace import Bucket
from folkmoot.services.ports import Appended, Store
from folkmoot.services.publish import Publisher
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.supervisor import Supervisor

SOON_S = 1.0
"""After news: a body is often just on its way."""
AGAIN_S = 4.0
MAX_AGAIN_S = 600.0
"""The same bodies are asked for again after these times; the wait doubles from one to the next."""
FRAMES_AT_ONCE = 8
LOOKED_AT = 4096
"""Of a conversation that lacks more bodies than this, the later ones have to wait."""
ANSWERS_PER_S, ANSWERS_BURST = 4.0, 32.0
MAX_ANSWER_BYTES = frames.MAX_FRAME_BYTES // 2

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class _Asker:
    """What belongs to one member link."""

    def __init__(self, link: Link, view: PeerView, now: float) -> None:
        self.link = link
        self.view = view
        self.news = asyncio.Event()
        self.turn = 0
        self.answers = Bucket(ANSWERS_PER_S, ANSWERS_BURST, now)


class BodyExchange:
    """Asks and answers over every member link."""

    def __init__(
        self,
        links: Links,
        held: HeldLogs,
        store: Store,
        registry: TeamRegistry,
        publisher: Publisher,
        supervisor: Supervisor,
    ) -> None:
        self._held = held
        self._store = store
        self._registry = registry
        self._publisher = publisher
        self._supervisor = supervisor
        self._askers: dict[DeviceId, _Asker] = {}
        links.watch(self._link_up, self._link_down)
        links.handle(frames.Want, self._take_want)
        links.handle(frames.Bodies, self._take_bodies)
        publisher.listen(self._committed)

    # --- asking ------------------------------------------------------------------------------

    def _link_up(self, link: Link) -> None:
        if not link.is_member:
            return
        view = PeerView(self._held, self._registry, link)
        before = self._askers.get(link.device)
        asker = self._askers[link.device] = _Asker(link, view, _now())
        if before is not None:
            asker.answers, asker.turn = before.answers, before.turn
            before.news.set()
        self._supervisor.start(f"bodies {link.device.hex()[:8]}", self._ask_on(asker))

    def _link_down(self, link: Link) -> None:
        asker = self._asker(link)
        if asker is not None:
            del self._askers[link.device]
            asker.news.set()

    def _asker(self, link: Link) -> _Asker | None:
        asker = self._askers.get(link.device)
        return asker if asker is not None and asker.link is link else None

    def _committed(self, appended: Appended, _source: DeviceId | None) -> None:
        if any(entry.body is None for entry in appended.entries):
            for asker in self._askers.values():
                asker.news.set()

    async def _ask_on(self, asker: _Asker) -> None:
        """Ask until nothing is wanted; then wait until something is again."""
        wait_s = AGAIN_S
        while self._asker(asker.link) is asker:
            asker.news.clear()
            try:
                asked = await self._ask(asker)
            except EnvironmentFault as error:
                _log.error("it cannot be read which bodies are missing: %s", error)
                asked = True
            if await _wait(asker.news, wait_s if asked else None):
                wait_s = AGAIN_S
                await asyncio.sleep(SOON_S)
            else:
                wait_s = min(MAX_AGAIN_S, 2 * wait_s)

    async def _ask(self, asker: _Asker) -> bool:
        """Ask for some of what is wanted, each time for others; whether there was anything."""
        lacking = [c for c in await self._store.wanting() if asker.view.offers(c)]
        turn, asker.turn = asker.turn, asker.turn + 1
        for conversation in _some(lacking, turn, FRAMES_AT_ONCE):
            ids = await self._store.wanted(conversation, LOOKED_AT)
            if ids and asker.view.offers(conversation):
                some = _some(ids, turn, frames.MAX_WANTED)
                asker.link.send(frames.Want(conversation, tuple(some)))
        return bool(lacking)

    async def _take_bodies(self, link: Link, frame: frames.Bodies) -> None:
        asker = self._askers.get(link.device)  # of a newer link, if this one drains
        if asker is None or not asker.view.offers(frame.conversation):
            return
        filled = await self._store.fill_bodies(frame.rows)
        self._publisher.tell(filled, link.device)
        left = len(frame.rows) - len(filled.entries)
        if left:
            _log.info(
                "%d bodies from %s are not taken: not wanted, or not what their entries name",
                left,
                link.device.hex()[:8],
            )
        if filled.entries:
            asker.news.set()  # there may be more where these came from

    # --- answering ---------------------------------------------------------------------------

    async def _take_want(self, link: Link, frame: frames.Want) -> None:
        asker = self._askers.get(link.device)
        if asker is None or not asker.answers.take(_now()):
            return
        if not asker.view.offers(frame.conversation):
            return
        rows = await self._store.bodies(frame.conversation, frame.ids, MAX_ANSWER_BYTES)
        if rows:
            asker.link.send(frames.Bodies(frame.conversation, tuple(rows)))


def _some(values: Sequence[_T], turn: int, count: int) -> list[_T]:
    """At most `count` of `values`: over the turns all of them, one window after another."""
    if len(values) <= count:
        return list(values)
    first = turn * count % len(values)
    return list(islice(chain(values[first:], values), count))


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _wait(event: asyncio.Event, timeout_s: float | None) -> bool:
    """Until the event is set, `timeout_s` at most; whether it is set."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
