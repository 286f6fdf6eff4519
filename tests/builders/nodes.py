"""Whole nodes without a network, on a store in a folder, with a clock and chance of the test's."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from builders.writers import START_MS, seed
from fakes.recordings import FakeRecordingFiles
from fakes.signaling import FakeSignaling, MemoryServer
from fakes.transport import MemoryNetwork
from folkmoot.domain.servers import ServerUrl
from folkmoot.protocol.keys import Signer
from folkmoot.services.events import Event
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.media_port import MediaLauncher
from folkmoot.services.node import Installation, Node
from folkmoot.storage.store import SqliteStore


class HandClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def wall_ms(self) -> int:
        """What the test set."""
        return self.now_ms


class SeededRandomness:
    """Chance that is the same in each run."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)

    def bytes(self, count: int) -> bytes:
        """`count` bytes."""
        return self._random.randbytes(count)

    def uniform(self, low: float, high: float) -> float:
        """A number in [low, high]."""
        return self._random.uniform(low, high)


def keyring_of(name: str) -> Keyring:
    """Keys that depend on the name only; the same person as `builders.writers.Writer(name)`."""
    return make_keyring(
        Signer(seed("person", name)),
        Signer(seed("device", name, 0)),
        seed("seal", name, 0),
        f"{name}'s computer",
        START_MS,
    )


class LoneNode:
    """A node without a network and what it told."""

    def __init__(self, node: Node, store: SqliteStore, clock: HandClock) -> None:
        self.node = node
        self.store = store
        self.clock = clock
        self.events: list[Event] = []
        self.saved: list[Keyring] = []
        self.files = FakeRecordingFiles()
        self.signaling: FakeSignaling | None = None
        node.events.listen(self.events.append)

    def told(self, kind: type[Event]) -> list[Event]:
        """The events of one kind, in order."""
        return [event for event in self.events if type(event) is kind]


async def open_node(
    folder: Path,
    name: str = "Ada",
    clock: HandClock | None = None,
    media: MediaLauncher | None = None,
    files: FakeRecordingFiles | None = None,
    servers: dict[ServerUrl, MemoryServer] | None = None,
    signaling_urls: Sequence[str] = (),
) -> LoneNode:
    """Start a node on the store in `folder`; with `servers` it can connect to them."""
    clock = clock or HandClock()
    keyring = keyring_of(name)
    store = await SqliteStore.open(
        folder / "store.sqlite3", keyring.person, keyring.device, clock=clock
    )
    saved: list[Keyring] = []

    async def save(changed: Keyring) -> None:
        saved.append(changed)

    words = ("able", "baker", "cat", "dog")
    installation = Installation(keyring, words, words * 512, "0.0", name, save)
    transport = MemoryNetwork().transport("10.0.0.1")
    files = files or FakeRecordingFiles()
    signaling = None if servers is None else FakeSignaling(keyring.device, servers)
    node = Node(
        *(installation, store, clock, SeededRandomness(name), transport),
        media=media,
        recording_files=files,
        signaling=signaling,
    )
    lone = LoneNode(node, store, clock)
    lone.files = files
    lone.saved = saved
    lone.signaling = signaling
    await node.start(servers=signaling_urls)
    return lone
