"""People with shipped nodes for the tests of the window: real stores, links in memory, one loop.

The nodes live on a loop in a thread of its own, as the node beside a window does. They are joined
by `fakes.transport` and `fakes.discovery`; everything above these two ports is what is shipped.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from builders.feeds import FakeFeeds
from fakes.discovery import MemoryAir
from fakes.media import FakeLauncher
from fakes.transport import MemoryNetwork
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.words import person_words, read_words
from folkmoot.resources import resource_path
from folkmoot.services.events import Event
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.node import Installation, Node
from folkmoot.services.values import Conversation, Message
from folkmoot.storage.lanes import ThreadLanes
from folkmoot.storage.rows import Rows
from folkmoot.storage.store import SqliteStore
from folkmoot.system.clock import SystemClock, SystemRandomness

T = TypeVar("T")
WAIT_S = 30.0


class SetClock(SystemClock):
    """The computer's clock, and by how much a test has put it forward."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


class Person:
    """Somebody with a computer: what `bootstrap.NodeThread` is to a window, on the town's loop."""

    def __init__(self, town: Town, name: str, number: int, folder: Path) -> None:
        self.town = town
        self.name = name
        self.folder = folder
        self.path = folder / "store.sqlite3"
        self.clock = SetClock()
        self.media = FakeLauncher()
        self.feeds = FakeFeeds()
        self._ip = f"10.0.0.{number}"
        seeds = [secrets.token_bytes(32) for _ in range(3)]
        self.keyring: Keyring = make_keyring(
            Signer(seeds[0]), Signer(seeds[1]), seeds[2], f"{name}'s computer", 1
        )
        self._node: Node | None = None
        folder.mkdir()

    @property
    def node(self) -> Node:
        """The node that runs now."""
        assert self._node is not None, f"{self.name} is away"
        return self._node

    @property
    def runs(self) -> bool:
        """Whether the node is up."""
        return self._node is not None

    @property
    def id(self) -> PersonId:
        return self.keyring.person

    # --- what a window needs of a node

    def call(self, fn: Callable[[Node], Awaitable[T]]) -> concurrent.futures.Future[T]:
        """Run `fn` on the town's loop."""

        async def run() -> T:
            return await fn(self.node)

        return asyncio.run_coroutine_threadsafe(run(), self.town.loop)

    def listen(self, fn: Callable[[Event], None]) -> None:
        """Call `fn` for every event, on the town's thread."""
        self.town.loop.call_soon_threadsafe(self.node.events.listen, fn)

    def close(self, timeout_s: float = 5.0) -> None:
        """The computer is shut down; again is harmless."""
        node, self._node = self._node, None
        if node is not None:
            self.town.run(node.aclose())

    # --- coming and going

    def start(self, *, alone: bool = False) -> None:
        """Start the node, in reach of the others or where nobody is."""
        self.town.run(self.come(alone=alone))

    async def come(self, *, alone: bool = False) -> None:
        """What `start` does, on the town's loop."""
        network = MemoryNetwork() if alone else self.town.network
        discovery = None if alone else self.town.air.discovery(self._ip)
        self._lanes = ThreadLanes()
        store = await SqliteStore.open(
            self.path, self.keyring.person, self.keyring.device, clock=self.clock, lanes=self._lanes
        )
        words = self.town.words
        installation = Installation(
            self.keyring,
            person_words(self.keyring.person, words),
            words,
            "0.1",
            self.name,
            self._save,
        )
        chance = SystemRandomness()
        transport = network.transport(self._ip)
        self._node = Node(
            *(installation, store, self.clock, chance, transport, discovery),
            media=self.media,
            feeds=self.feeds,
        )
        await self._node.start([f"{self._ip}:7000"])

    async def _save(self, keyring: Keyring) -> None:
        self.keyring = keyring

    def fill_disk(self) -> None:
        """From now on the store's file cannot grow: SQLite says that the disk is full."""

        def limit(rows: Rows) -> None:
            ((count,),) = rows.all("PRAGMA page_count")
            rows.all(f"PRAGMA max_page_count = {count}")

        self.town.run(self._lanes.write(limit))

    def free_disk(self) -> None:
        """It can grow again."""
        self.town.run(self._lanes.write(lambda rows: rows.all("PRAGMA max_page_count = 1000000")))

    # --- what a person does elsewhere than in the window of the test

    def do(self, fn: Callable[[Node], Awaitable[T]]) -> T:
        """Run `fn` on the node and wait for its answer."""
        return self.call(fn).result(WAIT_S)

    def look(self, fn: Callable[[Node], T]) -> T:
        """Like `do`, for what answers at once."""

        async def ask(node: Node) -> T:
            return fn(node)

        return self.do(ask)

    def until(self, claim: Callable[[], object]) -> None:
        """Wait for what other computers do, while the window of the test stands still."""
        end = time.monotonic() + WAIT_S
        while not claim():
            assert time.monotonic() < end, f"not within {WAIT_S} s"

    def found(self, name: str, *, visible: bool = True) -> ConversationId:
        """Start a team."""
        return self.do(lambda node: node.teams.create(name, visible)).id

    def invite(self, team: ConversationId, **terms: Any) -> str:
        """Make an invitation; the link."""
        return self.do(lambda node: node.teams.invite(team, **terms)).link

    def join(self, link: str) -> None:
        """Follow an invitation."""
        assert self.do(lambda node: node.joining.join(link)).state == "joined"

    def conversations(self) -> list[Conversation]:
        return list(self.do(lambda node: node.conversations.list()))

    def conversation(self, name: str) -> Conversation:
        """A conversation by its name; it must be there."""
        return next(c for c in self.conversations() if c.name == name)

    def write(self, conversation: str, text: str, thread: EntryId | None = None) -> Message:
        """Write in a conversation that is here already."""
        place = self.conversation(conversation).id
        return self.do(lambda node: node.messages.post(place, text, thread))

    def reads(self, conversation: str) -> list[str]:
        """The texts of a conversation, if it is here."""
        found = [c.id for c in self.conversations() if c.name == conversation]
        if not found:
            return []
        page = self.do(lambda node: node.messages.page(found[0]))
        return [message.text for message in page.messages]


class Town:
    """The thread, its loop, and the network on which people find each other."""

    def __init__(self, folder: Path) -> None:
        self.network = MemoryNetwork()
        self.air = MemoryAir()
        self.words = read_words(resource_path("words/english.txt").read_text("utf-8"))
        self.loop = asyncio.new_event_loop()
        self.people: list[Person] = []
        self._folder = folder
        self._thread = threading.Thread(target=self.loop.run_forever, name="town", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the town's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    def person(self, name: str, *, alone: bool = False) -> Person:
        """Somebody more, whose node runs."""
        number = len(self.people) + 1
        made = Person(self, name, number, self._folder / f"person-{number}")
        self.people.append(made)
        made.start(alone=alone)
        return made

    def close(self) -> None:
        """Everybody goes; no task is left."""
        for person in self.people:
            person.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WAIT_S)
        self.loop.close()
