"""Persons with one device who write signed entries into logs; every key comes from a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from folkmoot.domain.bodies import Admit, Body, Genesis, Invite, Level, Open
from folkmoot.domain.entry import Entry
from folkmoot.domain.fold import Fact, TeamState, fold
from folkmoot.domain.identity import SignedCertificate
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, LogKey, PersonId
from folkmoot.domain.timestamps import Stamp
from folkmoot.protocol.certificates import make_certificate
from folkmoot.protocol.entries import NEW_TEAM, make_entry
from folkmoot.protocol.facts import read_facts
from folkmoot.protocol.invites import make_proof
from folkmoot.protocol.keys import Signer, seal_public

START_MS = 1_790_000_000_000


def seed(*names: object) -> bytes:
    """32 bytes that depend on the names only."""
    return sha256(repr(names).encode()).digest()


@dataclass
class Writer:
    """A person with one device and the logs it wrote."""

    name: str
    device_number: int = 0
    logs: dict[LogKey, list[Entry]] = field(default_factory=dict)

    @property
    def person_key(self) -> Signer:
        return Signer(seed("person", self.name))

    @property
    def device_key(self) -> Signer:
        return Signer(seed("device", self.name, self.device_number))

    @property
    def person(self) -> PersonId:
        return PersonId(self.person_key.public)

    @property
    def device(self) -> DeviceId:
        return DeviceId(self.device_key.public)

    @property
    def certificate(self) -> SignedCertificate:
        return make_certificate(
            self.person_key,
            self.device,
            seal_public(seed("seal", self.name, self.device_number)),
            f"{self.name}'s computer",
            START_MS,
        )

    def found(self, name: str = "Crew") -> Entry:
        """A new team."""
        entry = make_entry(
            self.device_key,
            conversation=NEW_TEAM,
            grant=EntryId(ZERO),
            sequence=1,
            previous=EntryId(ZERO),
            stamp=Stamp(START_MS, 0),
            body=Genesis(name, self.certificate),
            salt=seed("salt", name)[:16],
        )
        self.logs[entry.log] = [entry]
        return entry

    def write(self, conversation: bytes, grant: bytes, body: Body) -> Entry:
        """The next entry of a log; it is opened first where it is new."""
        log = LogKey(ConversationId(conversation), self.device, EntryId(grant))
        if not self.logs.get(log) and not isinstance(body, Open):
            self.write(conversation, grant, Open(self.certificate))
        held = self.logs.setdefault(log, [])
        number = len(held) + 1
        entry = make_entry(
            self.device_key,
            conversation=log.conversation,
            grant=log.grant,
            sequence=number,
            previous=held[-1].id if held else EntryId(ZERO),
            stamp=Stamp(START_MS + number, 0),
            body=body,
            salt=seed("salt", self.name, conversation, grant, number)[:16],
        )
        held.append(entry)
        return entry

    def entries(self) -> list[Entry]:
        """Everything written, log by log."""
        return [entry for log in self.logs.values() for entry in log]


def invite(name: str, role: Level = Level.MEMBER, may_invite: bool = False) -> Invite:
    """An invitation whose seed is `seed("invite", name)`."""
    return Invite(Signer(seed("invite", name)).public, role, may_invite)


def admit(team: bytes, made: Entry, name: str, joiner: Writer) -> Admit:
    """The admission of `joiner` by the invitation `name`, with a good proof."""
    proof = make_proof(seed("invite", name), ConversationId(team), made.id, joiner.certificate)
    return Admit(made.id, joiner.certificate, proof)


def facts_of(team: bytes, writers: Iterable[Writer]) -> list[Fact]:
    """The facts of everything that the writers wrote into the team."""
    entries = [e for w in writers for e in w.entries() if e.log.conversation == team]
    return list(read_facts(ConversationId(team), entries).values())


def state_of(team: bytes, *writers: Writer) -> TeamState:
    """The state of the team by everything that the writers wrote."""
    return fold(ConversationId(team), facts_of(team, writers))
