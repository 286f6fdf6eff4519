"""A team with a channel and members, written by `Writer`s and ready to be stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from builders.writers import Writer, admit, invite, seed
from folkmoot.domain.bodies import CallBody, Channel, Level, MessageBody, Open
from folkmoot.domain.direct import direct_id, direct_persons
from folkmoot.domain.entry import Entry
from folkmoot.domain.ids import ZERO, ConversationId, EntryId, PersonId


@dataclass
class Room:
    """A team founded by `owner`, joined by `others`, with one channel."""

    owner: Writer
    others: tuple[Writer, ...]
    team: ConversationId
    channel: ConversationId
    grants: dict[str, EntryId] = field(default_factory=dict)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (self.owner, *self.others)

    def say(self, writer: Writer, text: str, **fields: object) -> Entry:
        """A message of `writer` in the channel."""
        body = MessageBody(text, **fields)  # type: ignore[arg-type]
        return writer.write(self.channel, self.grants[writer.name], body)

    def tell(
        self,
        writer: Writer,
        call: str,
        state: int,
        persons: Iterable[PersonId] = (),
        seconds: int = 0,
        *,
        video: bool = False,
    ) -> Entry:
        """What `writer` says in the channel of the call with this name."""
        body = CallBody(seed("call", call), state, video, tuple(sorted(persons)), seconds)
        return writer.write(self.channel, self.grants[writer.name], body)

    def entries(self) -> list[Entry]:
        """Everything that was written, the team's entries first."""
        return ordered(self.team, self.writers)


def ordered(team: ConversationId, writers: Iterable[Writer]) -> list[Entry]:
    """What the writers wrote: the team's genesis, its other entries, then everything else."""
    logs = [log for writer in writers for log in writer.logs.items()]
    logs.sort(key=lambda item: (item[1][0].id != bytes(team), item[0].conversation != team))
    return [entry for _, held in logs for entry in held]


def make_room(owner: str, *others: str, posts: Level = Level.GUEST) -> Room:
    """A room of persons with these names; the others came by one invitation."""
    founder, joined = Writer(owner), tuple(Writer(name) for name in others)
    genesis = founder.found()
    team = ConversationId(genesis.id)
    made = founder.write(team, genesis.id, invite("all"))
    grants = {owner: EntryId(genesis.id)}
    for writer in joined:
        entry = founder.write(team, genesis.id, admit(team, made, "all", writer))
        grants[writer.name] = entry.id
        writer.write(team, entry.id, Open(writer.certificate))
    channel = founder.write(team, genesis.id, Channel("general", posts))
    return Room(founder, joined, team, ConversationId(channel.id), grants)


def say_directly(writer: Writer, others: Iterable[Writer], text: str) -> Entry:
    """A message in the direct conversation of these persons, opened where it is new."""
    persons = direct_persons([writer.person, *(other.person for other in others)])
    conversation = direct_id(persons)
    if not any(log.conversation == conversation for log in writer.logs):
        writer.write(conversation, ZERO, Open(writer.certificate, persons))
    return writer.write(conversation, ZERO, MessageBody(text))
