"""Somebody who proves a device and then keeps to no rule: frames of one's own making on a link."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from folkmoot.domain.bodies import Body
from folkmoot.domain.entry import Entry
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, LogKey
from folkmoot.domain.timestamps import Stamp
from folkmoot.protocol import frames
from folkmoot.protocol.entries import make_entry
from folkmoot.protocol.frames import Frame, Segment
from folkmoot.protocol.handshake import Dialler, LinkIdentity
from folkmoot.services.keyring import Keyring
from folkmoot.services.ports import Stream, Transport
from sim.stories import Crew
from sim.world import START_MS, World

F = TypeVar("F", bound=Frame)


class RawLink:
    """A proved stream; what comes is kept in `got`, pings are answered."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.got: list[Frame] = []
        self.closed = False
        self.words = ""
        self._reading = asyncio.get_running_loop().create_task(self._read())

    def send(self, *out: Frame) -> None:
        """Queue frames."""
        for frame in out:
            self.stream.send(frames.encode(frame))

    def of(self, kind: type[F]) -> list[F]:
        """The frames of one type that came."""
        return [frame for frame in self.got if isinstance(frame, kind)]

    async def first(self, kind: type[F], within_s: float = 30.0) -> F:
        """The first frame of a type."""
        async with asyncio.timeout(within_s):
            while not (found := self.of(kind)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found[0]

    async def ended(self, within_s: float = 30.0) -> str:
        """Wait until the other side hangs up; the code of its goodbye."""
        async with asyncio.timeout(within_s):
            while not self.closed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return self.words

    async def aclose(self) -> None:
        """Hang up."""
        await self.stream.aclose()

    async def _read(self) -> None:
        try:
            while True:
                frame = frames.decode(await self.stream.receive(), stranger=False)
                if isinstance(frame, frames.Ping):
                    self.send(frames.Pong(frame.n))
                if isinstance(frame, frames.Bye):
                    self.words = frame.code
                if len(self.got) < 10_000:
                    self.got.append(frame)
        except EnvironmentFault:
            self.closed = True


async def dial(
    transport: Transport, address: str, keyring: Keyring, key: bytes | None, *, salt: bytes = b""
) -> RawLink:
    """A link to `address` that proves `keyring` and `key` (None: a stranger's)."""
    stream = await transport.dial(address, 20)
    machine = Dialler(
        LinkIdentity(keyring.signed, keyring.device_key),
        stream.binding,
        key=key,
        expected=None,
        strangers=True,
        nonce=(salt + keyring.device)[:32].ljust(32, b"n"),
        random_knock=(salt + keyring.person)[:32].ljust(32, b"k"),
    )
    stream.send(machine.start())
    while True:
        step = machine.receive(await stream.receive())
        if step.reply is not None:
            stream.send(step.reply)
        if step.proved is not None:
            stream.open_up()
            return RawLink(stream)


@dataclass
class Traitor:
    """A member of a crew whose node is stopped and whose keys are used by hand."""

    world: World
    name: str
    crew: Crew
    keyring: Keyring
    secret: bytes
    grant: EntryId
    held: dict[LogKey, Entry]

    async def link(self, victim: str) -> RawLink:
        """A member's link to the victim."""
        host = self.world[self.name]
        transport = self.world.network.transport(host.ip)
        return await dial(transport, self.world[victim].address, self.keyring, self.secret)

    def log(self, conversation: ConversationId) -> LogKey:
        """The traitor's own log there."""
        return LogKey(conversation, self.keyring.device, self.grant)

    def entry(
        self, log: LogKey, body: Body, after: Entry | None, *, wall_ms: int = START_MS
    ) -> Entry:
        """A well signed entry of this device, whatever the log says."""
        return make_entry(
            self.keyring.device_key,
            conversation=log.conversation,
            grant=log.grant,
            sequence=after.header.sequence + 1 if after else 1,
            previous=after.id if after else EntryId(ZERO),
            stamp=Stamp(wall_ms, 0),
            body=body,
            salt=b"s" * 16,
        )

    def next(self, body: Body, *, wall_ms: int = START_MS) -> Entry:
        """The honest next entry of the log in the first channel; it counts as sent."""
        log = self.log(self.crew.channel)
        entry = self.entry(log, body, self.held[log], wall_ms=wall_ms)
        self.held[log] = entry
        return entry


def segment(*entries: Entry, log: LogKey | None = None) -> Segment:
    """Entries as one frame, under the name of `log` if that is given."""
    log = log or entries[0].log
    return Segment(
        conversation=log.conversation,
        device=log.device,
        grant=log.grant,
        first=entries[0].header.sequence,
        headers=tuple(entry.header_bytes for entry in entries),
        signature=entries[-1].signature or bytes(64),
        bodies=tuple(entry.body for entry in entries),
    )


async def turn(world: World, name: str, crew: Crew) -> Traitor:
    """Stop an honest member's node, once it wrote in the channel, and take over its keys."""
    host = world[name]
    await host.node.messages.post(crew.channel, f"I am {name}")
    await asyncio.sleep(3)
    state = host.node.registry.team(crew.team)
    assert state is not None
    keyring = host.keyring
    held: dict[LogKey, Entry] = {}
    for conversation in await host.store.conversations_with_entries():
        for head in await host.store.heads(conversation):
            entry = await host.store.entry(head.head.id)
            assert entry is not None
            held[head.head.log] = entry
    grant = state.members[keyring.person].oldest_grant
    traitor = Traitor(world, name, crew, keyring, state.secrets[-1], grant, held)
    await host.stop()
    return traitor
