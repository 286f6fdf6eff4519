"""What the writer keeps in memory of the store: conversations, logs and the state of each team.

Everything here can be read again from the tables; after a rollback it is. Refuses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from folkmoot.domain.entry import Entry, Kind
from folkmoot.domain.fold import Fact, fold
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.team import TeamState
from folkmoot.protocol.entries import decode_header
from folkmoot.protocol.facts import read_facts
from folkmoot.storage.rows import Row, Rows, one


@dataclass(slots=True)
class Log:
    """A row of `log`; `sequence` and `head` move with each entry."""

    key: int
    conversation: int
    device: DeviceId
    grant: EntryId
    person: PersonId
    sequence: int
    head: EntryId


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as it lies in the store, with the log it belongs to."""

    arrival: int
    log: Log
    entry: Entry
    arrived_ms: int


@dataclass(slots=True)
class Team:
    """The facts of a team's log and what they fold to."""

    facts: dict[EntryId, Fact] = field(default_factory=dict)
    state: TeamState | None = None


class Book:
    """Cached rows of the writer, filled as they are asked for."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop everything: a rollback may have undone what was read."""
        self._keys: dict[ConversationId, int] = {}
        self._ids: dict[int, ConversationId] = {}
        self._logs: dict[int, dict[tuple[DeviceId, EntryId], Log]] = {}
        self._persons: dict[int, tuple[PersonId, ...]] = {}
        self._teams: dict[ConversationId, Team] | None = None
        self._arrival: int | None = None

    # Conversations and logs

    def key(self, rows: Rows, conversation: ConversationId) -> int | None:
        """The small number of a conversation, None if nothing of it is held."""
        known = self._keys.get(conversation)
        if known is None:
            row = one(rows, "SELECT key FROM conversation WHERE id = ?", (conversation,))
            if row is None:
                return None
            known = self._note(row[0], conversation)
        return known

    def new_key(self, rows: Rows, conversation: ConversationId) -> int:
        """The small number of a conversation, made if there is none."""
        known = self.key(rows, conversation)
        if known is None:
            row = one(
                rows, "INSERT INTO conversation (id) VALUES (?) RETURNING key", (conversation,)
            )
            assert row is not None
            known = self._note(row[0], conversation)
        return known

    def id(self, rows: Rows, key: int) -> ConversationId:
        """The conversation with this number."""
        known = self._ids.get(key)
        if known is None:
            row = one(rows, "SELECT id FROM conversation WHERE key = ?", (key,))
            assert row is not None
            known = ConversationId(row[0])
            self._note(key, known)
        return known

    def _note(self, key: int, conversation: ConversationId) -> int:
        self._keys[conversation] = key
        self._ids[key] = conversation
        return key

    def logs(self, rows: Rows, key: int) -> dict[tuple[DeviceId, EntryId], Log]:
        """Every log of a conversation; the caller adds new ones to it."""
        known = self._logs.get(key)
        if known is None:
            sql = (
                "SELECT key, conversation, device, grant_id, person, sequence, head FROM log"
                " WHERE conversation = ?"
            )
            found = (Log(*row) for row in rows.all(sql, (key,)))
            known = self._logs[key] = {(log.device, log.grant): log for log in found}
        return known

    def next_arrival(self, rows: Rows) -> int:
        """A number greater than that of every entry ever stored."""
        if self._arrival is None:
            row = one(rows, "SELECT seq FROM sqlite_sequence WHERE name = 'entry'")
            self._arrival = row[0] if row else 0
        self._arrival += 1
        return self._arrival

    # What decides rights

    def direct_persons(self, rows: Rows, key: int) -> tuple[PersonId, ...]:
        """The persons of a direct conversation; () for anything else."""
        known = self._persons.get(key)
        if known is None:
            sql = "SELECT person FROM participant WHERE conversation = ? ORDER BY person"
            known = tuple(PersonId(row[0]) for row in rows.all(sql, (key,)))
            if known:
                self._persons[key] = known
        return known

    def teams(self, rows: Rows) -> dict[ConversationId, Team]:
        """Every team whose genesis is held."""
        if self._teams is None:
            sql = (
                "SELECT c.id FROM entry e JOIN log l ON l.key = e.log"
                " JOIN conversation c ON c.key = l.conversation WHERE e.id = c.id AND e.kind = ?"
            )
            self._teams = {}
            for (team,) in rows.all(sql, (int(Kind.GENESIS),)):
                self.load_team(rows, ConversationId(team))
        return self._teams

    def load_team(self, rows: Rows, team: ConversationId) -> Team:
        """Read all entries of a team and fold them; for one that was not known before."""
        key = self.key(rows, team)
        assert key is not None
        assert self._teams is not None
        known = self._teams[team] = Team()
        self.grow(team, [stored.entry for stored in stored_entries(rows, self, key)])
        return known

    def grow(self, team: ConversationId, entries: Iterable[Entry]) -> None:
        """Take verified entries of a known team's log into its facts and fold them."""
        assert self._teams is not None
        known = self._teams[team]
        known.facts = read_facts(team, entries, known.facts)
        known.state = fold(team, known.facts.values())

    def team_of(self, rows: Rows, channel: ConversationId) -> TeamState | None:
        """The team that made a channel, if that is known here."""
        for team in self.teams(rows).values():
            if team.state is not None and channel in team.state.channels:
                return team.state
        return None


_STORED = "SELECT e.arrival, e.log, e.id, e.header, e.body, e.arrived_ms FROM entry e"


def stored_entries(rows: Rows, book: Book, key: int) -> Iterator[Stored]:
    """Entries of a conversation in the order of their arrival, without their signatures."""
    sql = (
        f"{_STORED} WHERE e.log IN (SELECT key FROM log WHERE conversation = ?) ORDER BY e.arrival"
    )
    return _as_stored(rows.all(sql, (key,)), book.logs(rows, key))


def stored_entry(rows: Rows, book: Book, key: int, entry: EntryId) -> Stored:
    """One entry of a conversation that is held."""
    found = rows.all(f"{_STORED} WHERE e.id = ?", (entry,))
    return next(_as_stored(found, book.logs(rows, key)))


def _as_stored(
    found: Iterable[Row], logs: Mapping[tuple[DeviceId, EntryId], Log]
) -> Iterator[Stored]:
    by_key = {log.key: log for log in logs.values()}
    for arrival, log, known, header, body, arrived_ms in found:
        entry = Entry(EntryId(known), decode_header(header), header, None, body)
        yield Stored(arrival, by_key[log], entry, arrived_ms)
