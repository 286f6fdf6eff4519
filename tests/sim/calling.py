"""What the stories of calls share: persons of a team, their calls and what they were told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fakes.media import FakeMedia
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.services.call_values import Call, CallEnd, CallId, CallPhase, ParticipantState
from folkmoot.services.calls.service import CallsService
from folkmoot.services.events import CallChanged, CallNotice, CallReaction, Event
from sim.stories import Crew
from sim.stories import gather as gather_crew
from sim.world import Host, World, until


@dataclass
class Caller:
    """One person at one computer."""

    host: Host
    events: list[Event] = field(default_factory=list)

    def listen(self) -> None:
        """Write down events from now on."""
        self.host.node.events.listen(self.events.append)

    @property
    def calls(self) -> CallsService:
        return self.host.node.calls

    @property
    def person(self) -> PersonId:
        return self.host.keyring.person

    @property
    def device(self) -> DeviceId:
        return self.host.keyring.device

    @property
    def media(self) -> FakeMedia:
        return self.host.media.media

    @property
    def call(self) -> Call:
        """The only call that is on."""
        [call] = self.calls.list()
        return call

    def phase(self) -> CallPhase | None:
        """Of the only call; None without one."""
        listed = self.calls.list()
        return listed[0].phase if listed else None

    def end(self) -> CallEnd | None:
        """Why the last call that was told of is over."""
        told = [event.call for event in self.events if isinstance(event, CallChanged)]
        return told[-1].end if told else None

    def connected(self) -> set[DeviceId]:
        """The other devices from which media flows."""
        return {
            one.device
            for one in self.call.participants
            if one.state is ParticipantState.CONNECTED and not one.is_me
        }

    def states(self) -> dict[DeviceId, ParticipantState]:
        """Where the others stand."""
        return {one.device: one.state for one in self.call.participants if not one.is_me}

    def notices(self) -> list[str]:
        """The codes of what was told."""
        return [event.code for event in self.events if isinstance(event, CallNotice)]

    def reactions(self) -> list[str]:
        """The emoji that were shown."""
        return [event.emoji for event in self.events if isinstance(event, CallReaction)]


@dataclass
class Party:
    """A team whose members call each other."""

    world: World
    crew: Crew
    callers: dict[str, Caller]

    def __getitem__(self, name: str) -> Caller:
        return self.callers[name]

    async def direct(self, one: str, *others: str) -> ConversationId:
        """A direct conversation that all of them hold."""
        persons = [self[name].person for name in others]
        made = await self[one].host.node.conversations.open_direct(self.crew.team, persons)
        await self[one].host.node.messages.post(made.id, "Hello")
        registries = [self[name].host.node.registry for name in (one, *others)]
        await until(lambda: all(r.persons_of(made.id) for r in registries), 30)
        return made.id

    async def talk(self, conversation: ConversationId, one: str, *others: str) -> CallId:
        """A call in which all of them hear each other."""
        call = await self[one].calls.start(conversation)
        for name in others:
            await until(lambda name=name: self[name].phase() is not None, 10)  # type: ignore[misc]
            await self[name].calls.join(call.id)
        await self.all_hear(one, *others)
        return call.id

    async def all_hear(self, *names: str, within_s: float = 20) -> None:
        """Wait until each of them hears every other."""
        devices = {self[name].device for name in names}

        def heard() -> bool:
            return all(
                bool(self[name].calls.list())
                and self[name].connected() == devices - {self[name].device}
                for name in names
            )

        await until(heard, within_s)


async def gather(folder: Path, *names: str, seed: int = 1) -> Party:
    """A team of these, all linked to each other."""
    world = World(list(names), folder, seed)
    crew = await gather_crew(world, names)
    party = Party(world, crew, {name: Caller(world[name]) for name in names})
    for caller in party.callers.values():
        caller.listen()
    return party
