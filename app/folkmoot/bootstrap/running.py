"""Builds a node with everything around it: keys, store, transport, discovery, API."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from folkmoot import __version__
from folkmoot.system.profile import Profile

if TYPE_CHECKING:
    from folkmoot.api.server import ApiServer
    from folkmoot.services.node import Node
    from folkmoot.services.ports import Clock

CLOSE_S = 2.5
"""How long the node may take to close; then the process ends without it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a node is to run. `api_port` None: no API."""

    name: str | None = None
    listen: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    api_port: int | None = None
    discovery: bool = True


class RunningNode:
    """A node with everything around it: store, transport, discovery, API."""

    def __init__(self, node: Node, clock: Clock) -> None:
        self.node = node
        self.api_url: str | None = None
        self._clock = clock
        self._api: ApiServer | None = None

    async def start(self, profile: Profile, options: Options) -> None:
        """Start the node and what serves it. Raises `EnvironmentFault`."""
        await self.node.start(options.listen, options.peers)
        if options.name is not None and not self.node.identity.named:
            await self.node.identity.rename(options.name)
        if options.api_port is not None:
            await self._serve(profile, options.api_port)

    async def _serve(self, profile: Profile, port: int) -> None:
        from folkmoot.api.server import ApiServer
        from folkmoot.api.tokens import TokenBook

        self._api = ApiServer(self.node, TokenBook(profile.api), self._clock, __version__)
        self.api_url = await self._api.start(port)

    async def aclose(self) -> None:
        """Stop everything, what serves others first. Takes `CLOSE_S` at most."""
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._api is not None:
                    await self._api.aclose()
                await self.node.aclose()
        except TimeoutError:
            _log.error("the node did not close in time")


async def build(profile: Profile, options: Options) -> RunningNode:
    """Keys, store, transport, discovery and the node on top, started. Raises `FolkmootError`."""
    from folkmoot.net.discovery import MdnsDiscovery
    from folkmoot.net.tls import TlsTransport
    from folkmoot.protocol.words import person_words, read_words
    from folkmoot.resources import resource_path
    from folkmoot.services.node import Installation, Node
    from folkmoot.storage.store import SqliteStore
    from folkmoot.system.clock import SystemClock, SystemRandomness
    from folkmoot.system.computer import computer_name, person_name
    from folkmoot.system.identity_files import open_keyring, save_certificate

    clock, randomness = SystemClock(), SystemRandomness()
    keyring = await asyncio.to_thread(open_keyring, profile, clock, randomness, computer_name)
    word_file = resource_path("words/english.txt")
    words = read_words(await asyncio.to_thread(word_file.read_text, "utf-8"))

    installation = Installation(
        keyring=keyring,
        words=person_words(keyring.person, words),
        word_list=words,
        version=__version__,
        proposed_name=await asyncio.to_thread(person_name),
        save=lambda changed: asyncio.to_thread(save_certificate, profile, changed),
    )
    store = await SqliteStore.open(profile.store, keyring.person, keyring.device, clock=clock)
    discovery = MdnsDiscovery(randomness) if options.discovery else None
    node = Node(installation, store, clock, randomness, TlsTransport(), discovery)
    running = RunningNode(node, clock)
    try:
        await running.start(profile, options)
    except BaseException:
        await running.aclose()
        raise
    return running


def loop_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("%s", context.get("message", "?"), exc_info=context.get("exception"))
