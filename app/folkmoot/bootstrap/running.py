"""Builds a node with everything around it: keys, store, transport, discovery, API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from folkmoot import __version__
from folkmoot.system.asking import Asked
from folkmoot.system.profile import Profile
from folkmoot.system.program import ProgramFile

if TYPE_CHECKING:
    from folkmoot.api.server import ApiServer
    from folkmoot.services.node import Node
    from folkmoot.services.ports import Clock

T = TypeVar("T")
LOOK_S = 5.0
"""How often it is looked whether the program was updated."""
CLOSE_S = 2.5
"""How long the node may take to close; then the process ends without it."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How a node is to run. `api_port` None: no API.

    `media`: microphone, speaker and camera of a node without a window; None: a window shows the
    calls, and the person chooses. `answer`: join every call that rings. `share`, `record`: what is
    shared and recorded in every call, as `bootstrap.run_node` takes it. `signaling`: servers of
    this run.
    """

    name: str | None = None
    listen: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    api_port: int | None = None
    discovery: bool = True
    media: tuple[str, str, str] | None = None
    answer: bool = False
    share: str = "none"
    record: str = "none"
    signaling: tuple[str, ...] = ()


class RunningNode:
    """A node with everything around it: store, transport, discovery, API."""

    def __init__(self, node: Node, clock: Clock, program: ProgramFile) -> None:
        self.node = node
        self._program = program
        self.api_url: str | None = None
        self._clock = clock
        self._api: ApiServer | None = None
        self._asked: Asked | None = None
        self._bots: list[Callable[[], None]] = []

    async def start(self, profile: Profile, options: Options) -> None:
        """Start the node and what serves it. Raises `EnvironmentFault`."""
        await self.node.start(options.listen, options.peers, options.signaling)
        if options.name is not None and not self.node.identity.named:
            await self.node.identity.rename(options.name)
        self._start_bots(options)
        self.node.supervisor.start("updated program", self._watch_program())
        if options.api_port is not None:
            await self._serve(profile, options.api_port)
        self._asked = Asked(profile, self._answer)
        await self._asked.listen()

    async def _watch_program(self) -> None:
        """Tell it once another version is in the place of the one that runs."""
        # Nobody tells of it, so it is looked at.
        while not await asyncio.to_thread(self._program.is_replaced):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)
        self.node.notice(
            "updated",
            "Folkmoot was updated.",
            "Restart it to use the new version. Until then messages come and go as before; a new "
            "call may need the restart.",
        )

    def _start_bots(self, options: Options) -> None:
        from folkmoot.services.call_values import RecordChoice, ShareChoice

        bot = self.node.calls.bot()
        if options.answer:
            self._bots.append(self.node.calls.answer_all())
        if options.share != "none":
            kind, _, id = options.share.partition(":")
            self._bots.append(bot.share_in_all(ShareChoice(kind, id)))
        if options.record != "none":
            self._bots.append(bot.record_all(RecordChoice(options.record)))

    async def _serve(self, profile: Profile, port: int) -> None:
        from folkmoot.api.server import ApiServer
        from folkmoot.api.tokens import TokenBook

        self._api = ApiServer(self.node, TokenBook(profile.api), self._clock, __version__)
        self.api_url = await self._api.start(port)

    async def _answer(self, question: str) -> bytes:
        """What this program answers to a command; nothing to what it does not know."""
        import msgspec

        if question == "doctor":
            return msgspec.json.encode(await self.node.doctor.report())
        if question == "doctor check":
            return msgspec.json.encode(await self.node.doctor.check())
        return b""

    async def aclose(self) -> None:
        """Stop everything, what serves others first. Takes `CLOSE_S` at most."""
        try:
            async with asyncio.timeout(CLOSE_S):
                if self._asked is not None:
                    await self._asked.aclose()
                if self._api is not None:
                    await self._api.aclose()
                await self.node.aclose()
        except TimeoutError:
            _log.error("the node did not close in time")


async def build(profile: Profile, options: Options) -> RunningNode:
    """Keys, store, transport, discovery and the node on top, started. Raises `FolkmootError`."""
    from folkmoot.media.launcher import ProcessLauncher
    from folkmoot.net.discovery import MdnsDiscovery
    from folkmoot.net.feeds import HttpFeeds
    from folkmoot.net.ice import IceWays
    from folkmoot.net.interfaces import SystemSurveyor
    from folkmoot.net.relay import Relays
    from folkmoot.net.sealing import HpkeSealer
    from folkmoot.net.signaling import SignalingClients
    from folkmoot.net.tls import TlsTransport
    from folkmoot.net.ways import WaysTransport
    from folkmoot.protocol.words import person_words, read_words
    from folkmoot.resources import resource_path
    from folkmoot.services.call_values import MediaChoice
    from folkmoot.services.node import Installation, Node
    from folkmoot.storage.store import SqliteStore
    from folkmoot.system.clock import SystemClock, SystemRandomness
    from folkmoot.system.computer import computer_name, person_name
    from folkmoot.system.identity_files import open_keyring, save_certificate
    from folkmoot.system.recordings import RecordingFolder

    clock, randomness = SystemClock(), SystemRandomness()
    program = ProgramFile()
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
    relays = Relays()
    ways = WaysTransport(TlsTransport(), relays)
    node: Node = Node(
        installation,
        store,
        clock,
        randomness,
        ways,
        discovery,
        signaling=SignalingClients(lambda: node.identity.keyring.device_key, randomness, relays),
        ice=IceWays(ways.over),
        media=ProcessLauncher(options.media is None, is_replaced=program.is_replaced),
        media_choice=None if options.media is None else MediaChoice(*options.media),
        recording_files=RecordingFolder(profile),
        surveyor=SystemSurveyor(),
        sealer=HpkeSealer(),
        feeds=HttpFeeds() if options.media is None else None,  # who has no window is told nothing
    )
    running = RunningNode(node, clock, program)
    try:
        await running.start(profile, options)
    except BaseException:
        await running.aclose()
        raise
    return running


def run_loop(work: Awaitable[T]) -> T:
    """Run `work` on a fresh loop. Unlike `asyncio.run` it does not wait for hanging threads."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(loop_failed)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def loop_failed(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("%s", context.get("message", "?"), exc_info=context.get("exception"))
