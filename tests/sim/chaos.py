"""A run of nodes among faults: people write, links break, computers crash, and then all is well.

After the faults stop all nodes must hold the same and show the same within `CALM_S`. What was told
to be stored on a device must be there. The same seed gives the same run.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

from fakes.signaling import MemoryServer, ServerFaults
from fakes.transport import Faults
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, EntryId
from folkmoot.protocol.digest import conversation_digest
from folkmoot.services.values import Message
from sim.loop import SimLoop, sim_loop
from sim.stories import Crew, gather
from sim.world import Host, World

STORM_S = 60.0
CALM_S = 300.0
NAMES = ("ann", "ben", "cyd")
EMOJI = ("👍", "🎉", "❤")


class Diverged(AssertionError):
    """The nodes do not agree, or something was promised that does not hold."""


@dataclass(frozen=True)
class Run:
    """What a run did."""

    trace: str
    steps: int
    entries: int
    faults: int
    calm_s: float


class Chaos:
    """One run."""

    def __init__(
        self, world: World, crew: Crew, seed: int, server: MemoryServer | None = None
    ) -> None:
        self.world = world
        self.server = server
        self.crew = crew
        self.chance = random.Random(seed)
        self.posted: list[EntryId] = []
        self.faults = 0
        network = world.network
        network.faults = Faults(
            loss=self.chance.choice([0.0, 0.05, 0.25]),
            double=self.chance.choice([0.0, 0.1]),
            delay_s=(0.0, self.chance.choice([0.02, 0.3])),
            reorder=self.chance.random() < 0.5,
        )
        if server is not None:
            server.faults = ServerFaults(
                (0.0, self.chance.choice([0.02, 0.3])), self.chance.choice([0.0, 0.01])
            )

    def running(self) -> list[Host]:
        return [host for host in self.world.hosts.values() if host.runs]

    async def storm(self) -> None:
        """People and faults, `STORM_S` long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + STORM_S
        while loop.time() < end:
            await asyncio.sleep(self.chance.expovariate(1.0))
            if self.chance.random() < 0.7:
                await self.act()
            else:
                self.faults += 1
                if self.server is not None and self.chance.random() < 0.5:
                    self.fault_of_server(self.server)
                else:
                    await self.fault()

    async def act(self) -> None:
        """Somebody does something."""
        node = self.chance.choice(self.running()).node
        what = self.chance.choice(["post", "post", "burst", "reply", "edit", "delete", "react"])
        try:
            if what == "post" or not self.posted:
                message = await node.messages.post(self.crew.channel, f"text {len(self.posted)}")
                self.posted.append(message.id)
            elif what == "burst":
                for number in range(self.chance.randrange(2, 12)):
                    message = await node.messages.post(self.crew.channel, f"burst {number}")
                    self.posted.append(message.id)
            elif what == "reply":
                root = self.chance.choice(self.posted)
                message = await node.messages.post(self.crew.channel, "reply", thread=root)
                self.posted.append(message.id)
            elif what == "edit":
                await node.messages.edit(self.chance.choice(self.posted), f"edited {self.faults}")
            elif what == "delete":
                await node.messages.delete(self.chance.choice(self.posted))
            else:
                on = self.chance.random() < 0.7
                target = self.chance.choice(self.posted)
                await node.messages.react(target, self.chance.choice(EMOJI), on)
        except UserError:
            pass  # not held there yet, or another's message

    async def fault(self) -> None:
        """Something goes wrong, or right again."""
        network = self.world.network
        one, other = self.chance.sample(sorted(self.world.hosts), 2)
        kind = self.chance.choice(["part", "one-way", "heal", "heal", "break", "crash", "stop"])
        if kind in ("part", "one-way"):
            network.part(self.world[one].ip, self.world[other].ip, one_way=kind == "one-way")
        elif kind == "heal":
            network.heal()
        elif kind == "break":
            network.break_streams(self.world[one].ip, self.world[other].ip)
        elif self.world[one].runs and len(self.running()) > 1:
            await (self.world[one].crash() if kind == "crash" else self.world[one].stop())
            await asyncio.sleep(self.chance.random() * 5)
            await self.world[one].boot()

    def fault_of_server(self, server: MemoryServer) -> None:
        """The server goes away or comes back, or it is all there is, or the network is enough."""
        kind = self.chance.choice(["kill", "start", "start", "apart", "together"])
        if kind == "kill":
            server.kill()
        elif kind == "start" and not server.up:
            server.start()
        elif kind == "apart":
            self.world.apart()
        elif kind == "together":
            self.world.network.heal()

    async def calm(self) -> float:
        """No more faults; the seconds until all hold the same."""
        if self.server is not None:
            self.server.faults = ServerFaults()
            if not self.server.up:
                self.server.start()
        self.world.network.heal()
        if self.server is not None and self.chance.random() < 0.5:
            self.world.apart()  # the server alone must do
        self.world.network.faults = Faults()
        for host in self.world.hosts.values():
            if not host.runs:
                await host.boot()
        loop = asyncio.get_running_loop()
        began = loop.time()
        while len({await digest(host) for host in self.world.hosts.values()}) > 1:
            if loop.time() - began > CALM_S:
                raise Diverged(f"not equal {CALM_S} s after the last fault")
            await asyncio.sleep(1)
        return loop.time() - began

    async def check(self) -> None:
        """All show the same, nothing that was posted is lost, no word about storage was false."""
        hosts = list(self.world.hosts.values())
        shown = [await showing(host, self.crew.channel, self.posted) for host in hosts]
        if any(None in messages for messages in shown):
            raise Diverged("messages that were stored are lost")
        if any(other != shown[0] for other in shown[1:]):
            raise Diverged("the nodes hold the same and show different things")
        bugs = [bug for host in self.world.hosts.values() for bug in host.bugs]
        if bugs:
            raise Diverged("; ".join(bugs))

    async def check_promises(self) -> None:
        """What a device is known to hold, it holds; asked at any moment, also among faults."""
        for host in self.running():
            for other in self.running():
                await _check_promises(host, other)


async def _check_promises(host: Host, other: Host) -> None:
    claimed = await host.store.held_by(other.keyring.device)
    for log, sequence in claimed.items():
        heads = {held.head.log: held.head for held in await other.store.heads(log.conversation)}
        if log not in heads or heads[log].sequence < sequence:
            raise Diverged(f"{host.name} was told that {other.name} holds what it does not hold")


async def digest(host: Host) -> bytes:
    """One hash over everything a node holds."""
    digests = []
    for conversation in sorted(await host.store.conversations_with_entries()):
        heads = [held.head for held in await host.store.heads(conversation)]
        digests.append(conversation + conversation_digest(heads))
    return b"".join(digests)


async def showing(
    host: Host, channel: ConversationId, posted: list[EntryId]
) -> list[tuple[object, ...] | None]:
    """What a person at this computer reads, without what differs from computer to computer."""
    page = await host.store.page(channel, limit=200)
    shown: list[tuple[object, ...] | None] = [(page.total, [m.id for m in page.messages])]
    for id in posted:
        message = await host.store.message(id)
        shown.append(None if message is None else await _plain(host, message))
    return shown


async def _plain(host: Host, message: Message) -> tuple[object, ...]:
    replies: list[object] = []
    if message.reply_count:
        thread = await host.store.page(message.conversation, thread=message.id, limit=200)
        replies = [(reply.id, reply.text, reply.deleted) for reply in thread.messages]
    reactions = tuple((r.emoji, r.count, r.people) for r in message.reactions)
    return (
        message.id,
        message.author,
        message.text,
        message.edited,
        message.deleted,
        message.body_missing,
        reactions,
        message.order,
        message.reply_count,
        tuple(replies),
    )


async def _live(
    loop: SimLoop, seed: int, folder: Path, with_server: bool
) -> tuple[int, int, float]:
    chance = random.Random(seed * 7919)
    names = NAMES[: chance.choice([2, 3, 3])]
    delay_s = chance.choice([0.0, 0.05])
    world = World(names, folder, seed, store_delay_s=delay_s)
    try:
        server = world.server(seed=seed) if with_server else None
        crew = await gather(world, names)
        if server is not None:
            for host in world.hosts.values():
                await host.node.servers.add(str(server.url))
        chaos = Chaos(world, crew, seed, server)
        storm = loop.create_task(chaos.storm())
        while not storm.done():
            await asyncio.sleep(0.2)
            await chaos.check_promises()
        await storm
        calm_s = await chaos.calm()
        await chaos.check()
        return len(chaos.posted), chaos.faults, calm_s
    finally:
        await world.aclose()


def run(seed: int, folder: Path, step_budget: int = 300_000, *, with_server: bool = False) -> Run:
    """One run, `with_server` with a signaling server too.

    Raises `Diverged`, `StepBudgetSpent` or what the nodes raised.
    """
    loop = sim_loop(seed, step_budget)
    entries, faults, calm_s = loop.run(_live(loop, seed, folder, with_server))
    for failure in loop.failures:
        raise failure.get("exception") or AssertionError(failure["message"])
    return Run(loop.trace, loop.steps, entries, faults, calm_s)
