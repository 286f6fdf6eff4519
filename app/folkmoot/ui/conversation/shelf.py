"""Timelines of the places last open, kept true by events, so that going back shows text at once.

Holds at most `LIMIT` of them, the one used longest ago goes first. Asks the node for nothing but
the pages that a timeline wants.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal

from folkmoot.domain.errors import FolkmootError
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.services import events as told
from folkmoot.services.values import Message, Page, Sealed, soonest
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.facade import Node
from folkmoot.ui.model import Place
from folkmoot.ui.timeline.model import TimelineModel

LIMIT = 12
_PAGE = 64
_HELD_LIMIT = 1000
"""Events kept while a page is on its way; after more, the timeline catches up instead."""


@dataclass(eq=False)
class _Reading:
    """A page that is on its way, and what was told meanwhile."""

    place: Place
    events: list[told.Event] = field(default_factory=list)

    def note(self, event: told.Event) -> None:
        """Keep an event that the page may not know of."""
        self.events.append(event)
        if len(self.events) > _HELD_LIMIT:
            self.events = [told.MessagesArrived(self.place[0], _HELD_LIMIT)]

    def unknown_to(self, page: Page, model: TimelineModel) -> int:
        """How many messages are held already that the page did not count."""
        counted = {message.id for message in page.messages}
        new = {e.message.id for e in self.events if isinstance(e, told.MessageCreated)} - counted
        return sum(model.index_of(id_) is not None for id_ in new)


class Shelf(QObject):
    """Makes, fills and keeps a `TimelineModel` for each place."""

    failed = Signal(object)
    """A `FolkmootError` while a page was read."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._bridge = bridge
        self._kept: OrderedDict[Place, TimelineModel] = OrderedDict()
        self._stale: set[Place] = set()
        self._readings: list[_Reading] = []
        self._catching_up: set[Place] = set()
        self._arrived_since: set[Place] = set()

    def keep(self, place: Place, model: TimelineModel) -> TimelineModel:
        """Put a timeline on the shelf (the one of the first frame too)."""
        self._kept[place] = model
        model.older_wanted.connect(lambda: self._want(place, self._older))
        model.newer_wanted.connect(lambda: self._want(place, self._newer))
        model.jump_wanted.connect(lambda ordinal: self._jump(place, ordinal))
        while len(self._kept) > LIMIT:
            gone, _ = self._kept.popitem(last=False)
            self._stale.discard(gone)
        return model

    def find(self, place: Place) -> TimelineModel | None:
        """A timeline that is there, true and at its end; None when it must be read."""
        model = self._kept.get(place)
        if model is None or place in self._stale or model.has_newer or not model.total:
            return None
        self._kept.move_to_end(place)
        return model

    def peek(self, place: Place) -> TimelineModel | None:
        """A timeline that is there, wherever it stands."""
        return self._kept.get(place)

    async def read(self, place: Place, *, unread: bool) -> TimelineModel:
        """The timeline of a place, read now: at the first unread message, else at the end."""
        conversation, thread = place

        async def ask(node: Node) -> tuple[Page, EntryId | None]:
            first = await node.messages.first_unread(conversation) if unread else None
            around = first.id if first is not None else None
            page = await node.messages.page(conversation, thread=thread, around=around, limit=_PAGE)
            return page, around

        with self._reading(place):
            page, first = await self._bridge.ask(ask)
            model = self._kept.get(place)
            if model is None:
                model = self.keep(place, TimelineModel(self))
            self._kept.move_to_end(place)
            self._stale.discard(place)
            model.show_page(page, first)
        return model

    async def show(self, place: Place, message: EntryId) -> None:
        """Read the page around a message that is not held."""
        await self._read_page(place, lambda n: self._page(n, place, around=message))

    def forget_truth(self) -> None:
        """Events were lost: every timeline is read anew when it is shown."""
        self._stale = set(self._kept)

    @contextmanager
    def _reading(self, place: Place) -> Iterator[_Reading]:
        """Around a page from its question until it is shown.

        What is told meanwhile can be newer than the page, which would undo it: it is taken again.
        """
        reading = _Reading(place)
        self._readings.append(reading)
        try:
            yield reading
        finally:
            self._readings.remove(reading)
        for event in reading.events:
            self._take(event, {p: m for p, m in self._kept.items() if p == place})

    def take(self, event: told.Event) -> None:
        """Follow one event in every timeline that is kept."""
        for reading in self._readings:
            reading.note(event)
        self._take(event, self._kept)

    def _take(self, event: told.Event, among: Mapping[Place, TimelineModel]) -> None:
        match event:
            case told.MessageCreated(message=message, root=root):
                _created(message, among)
                if root is not None:
                    _changed(root, among)
            case told.MessageChanged(message=message, what="deleted") if not message.reply_count:
                _gone(message, among)
            case told.MessageChanged(message=message):
                _changed(message, among)
            case told.DeliveryChanged(conversation, messages, delivery):
                sealed = soonest(delivery.sealed) if delivery is not None else None
                for id_, on, of in messages:
                    _delivered(conversation, id_, on, of, sealed, among)
            case told.MessagesArrived(conversation=conversation):
                for place in among:
                    if place[0] == conversation:
                        self._arrived(place)

    def _arrived(self, place: Place) -> None:
        """Many came at once: take them in where the timeline is, beginning with what is held."""
        self._stale.add(place)
        self._arrived_since.add(place)
        if place not in self._catching_up:
            self._catching_up.add(place)
            self._bridge.run(self._catch_up(place), "ui: take in what arrived")

    async def _catch_up(self, place: Place) -> None:
        try:
            while place in self._arrived_since and (model := self._kept.get(place)) is not None:
                self._arrived_since.discard(place)
                await self._take_in(place, model)
        except FolkmootError as error:
            self.failed.emit(error)
        else:
            self._stale.discard(place)
        finally:
            self._catching_up.discard(place)
            self._arrived_since.discard(place)

    async def _take_in(self, place: Place, model: TimelineModel) -> None:
        first = model[0].id if len(model) else None
        limit = min(256, len(model) + _PAGE)

        async def ask(node: Node) -> Page:
            if first is None:
                return await self._page(node, place)
            return await self._page(node, place, after=first, limit=limit)

        with self._reading(place) as reading:
            page = await self._bridge.ask(ask)
            if page.has_newer or first is None:
                newest = await self._bridge.ask(lambda node: self._page(node, place))
                model.show_page(newest, model.first_unread)
            else:
                for message in page.messages:
                    model.insert(message)
                model.total = page.total + reading.unknown_to(page, model)
                model.moved_on.emit(0)

    async def _page(
        self,
        node: Node,
        place: Place,
        *,
        before: EntryId | None = None,
        after: EntryId | None = None,
        around: EntryId | None = None,
        ordinal: int | None = None,
        limit: int = _PAGE,
    ) -> Page:
        return await node.messages.page(
            place[0],
            thread=place[1],
            before=before,
            after=after,
            around=around,
            ordinal=ordinal,
            limit=limit,
        )

    def _want(self, place: Place, read: Callable[[Place, TimelineModel], object]) -> None:
        model = self._kept.get(place)
        if model is not None and len(model):
            read(place, model)

    def _older(self, place: Place, model: TimelineModel) -> None:
        first = model[0].id

        async def read() -> None:
            with self._reading(place) as reading:
                page = await self._ask(lambda n: self._page(n, place, before=first))
                if page is not None and len(model) and model[0].id == first:
                    model.add_older(page)
                    model.total += reading.unknown_to(page, model)

        self._bridge.run(read(), "ui: read older messages")

    def _newer(self, place: Place, model: TimelineModel) -> None:
        last = model[len(model) - 1].id

        async def read() -> None:
            with self._reading(place):
                page = await self._ask(lambda n: self._page(n, place, after=last))
                if page is not None and len(model) and model[len(model) - 1].id == last:
                    model.add_newer(page)

        self._bridge.run(read(), "ui: read newer messages")

    def _jump(self, place: Place, ordinal: int) -> None:
        at = None if ordinal < 0 else ordinal
        self._bridge.run(
            self._read_page(place, lambda n: self._page(n, place, ordinal=at)), "ui: jump"
        )

    async def _read_page(self, place: Place, ask: Callable[[Node], Awaitable[Page]]) -> None:
        with self._reading(place):
            page = await self._ask(ask)
            model = self._kept.get(place)
            if page is not None and model is not None:
                model.show_page(page, model.first_unread)

    async def _ask(self, ask: Callable[[Node], Awaitable[Page]]) -> Page | None:
        try:
            return await self._bridge.ask(ask)
        except FolkmootError as error:
            self.failed.emit(error)
            return None


def _created(message: Message, among: Mapping[Place, TimelineModel]) -> None:
    for (conversation, thread), model in among.items():
        if conversation != message.conversation:
            continue
        in_channel = message.thread is None or message.also_in_channel
        if (thread is None and in_channel) or (thread and message.thread == thread):
            model.insert(message)


def _changed(message: Message, among: Mapping[Place, TimelineModel]) -> None:
    for (conversation, _), model in among.items():
        if conversation == message.conversation:
            model.replace(message)


def _gone(message: Message, among: Mapping[Place, TimelineModel]) -> None:
    """A deleted message leaves its list, unless a thread hangs on it."""
    for (conversation, thread), model in among.items():
        if conversation == message.conversation and thread != message.id:
            model.remove(message.id)
    _changed(message, among)


def _delivered(
    conversation: ConversationId,
    id_: EntryId,
    on: int,
    of: int,
    sealed: Sealed | None,
    among: Mapping[Place, TimelineModel],
) -> None:
    for (place, _), model in among.items():
        index = model.index_of(id_) if place == conversation else None
        if index is not None:
            held = model[index]
            waits = sealed or held.sealed
            model.replace(replace(held, stored_on=on, stored_of=of, sealed=waits))
