"""What stands around a message: names, reactions, threads, who holds it.

Fetched for all messages of a page together. Free of SQLAlchemy, for the first paint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.values import Message, OrderKey, PersonName, Reaction
from folkmoot.storage.call_cards import CallRecords, Card
from folkmoot.storage.rows import Row, Rows, among, one

_NAMES_SHOWN = 10
_REPLIERS_SHOWN = 5


class Dressing:
    """What is shown around the messages of one conversation."""

    def __init__(
        self, rows: Rows, me: PersonId, device: DeviceId, key: int, found: Sequence[Row]
    ) -> None:
        self._rows = rows
        self._me = me
        self._device = device
        self._key = key
        self._found = found

    def messages(self, late: set[int]) -> dict[int, Message]:
        """The messages by arrival."""
        rows, key, found = self._rows, self._key, self._found
        ids = [row[1] for row in found]
        place = one(
            rows,
            "SELECT c.id, v.team FROM conversation c LEFT JOIN view v ON v.conversation = c.key"
            " WHERE c.key = ?",
            (key,),
        )
        assert place is not None
        conversation, team = place
        sql = "SELECT root, replies, last_ms FROM thread WHERE conversation = ? AND root IN (??)"
        threads = {row[0]: row for row in among(rows, sql, ids, (key,))}
        repliers = self.repliers(list(threads)) if threads else {}
        chosen = self._reactions(ids)
        cards = {row[0]: _card(row, conversation) for row in found if row[19]}
        calls = CallRecords(rows, self._me, key, tuple(cards.values()))
        people = {row[17] for row in found} | {row[2] for row in chosen} | calls.people()
        names = names_of(rows, people, team)
        reactions = self._group(chosen, names)
        stored_on, stored_of = self._stored()
        mine = [row[1] for row in found if row[18] == self._device]
        sql = "SELECT entry, client_id FROM client WHERE entry IN (??)"
        clients: dict[bytes, str] = {row[0]: row[1] for row in among(rows, sql, mine)}
        built = {}
        for row in found:
            _, replies, last_ms = threads.get(row[1], (None, 0, 0))
            built[row[0]] = Message(
                id=EntryId(row[1]),
                conversation=ConversationId(conversation),
                author=PersonId(row[17]),
                author_name=names[row[17]],
                device=DeviceId(row[18]),
                text=row[16],
                thread=row[9],
                reply_to=row[10],
                also_in_channel=bool(row[11]),
                sent_at_ms=row[7],
                arrived_at_ms=row[8],
                arrival=row[0],
                order=OrderKey(row[5], row[6], EntryId(row[1])),
                mine=row[17] == self._me,
                edited=bool(row[13]),
                deleted=bool(row[14]),
                body_missing=bool(row[15]),
                late=row[0] in late,
                clock_wrong=bool(row[12]),
                reactions=() if row[14] else reactions.get(row[1], ()),
                reply_count=replies,
                last_reply_ms=last_ms,
                repliers=repliers.get(row[1], ()),
                stored_on=stored_on[row[0]],
                stored_of=stored_of,
                client_id=clients.get(row[1], ""),
                call=calls.record(cards[row[0]], names) if row[0] in cards else None,
            )
        return built

    def repliers(self, roots: Sequence[bytes]) -> dict[bytes, tuple[PersonName, ...]]:
        """A few who answered in each thread, the latest first."""
        sql = (
            "SELECT m.thread, l.person, max(m.wall_ms) FROM message m JOIN log l ON l.key = m.log"
            " WHERE m.conversation = ? AND m.thread IN (??) GROUP BY m.thread, l.person"
            " ORDER BY 3 DESC, 2"
        )
        found: dict[bytes, list[PersonId]] = defaultdict(list)
        for root, person, _ in among(self._rows, sql, roots, (self._key,)):
            if len(found[root]) < _REPLIERS_SHOWN:
                found[root].append(person)
        team = one(self._rows, "SELECT team FROM view WHERE conversation = ?", (self._key,))
        everyone = {person for people in found.values() for person in people}
        names = names_of(self._rows, everyone, team[0] if team else None)
        return {
            root: tuple(PersonName(person, names[person]) for person in found[root])
            for root in roots
        }

    def _reactions(self, ids: Sequence[bytes]) -> list[Row]:
        sql = (
            "SELECT target, emoji, person, wall_ms, id FROM reaction"
            " WHERE current = 1 AND conversation = ? AND target IN (??)"
        )
        return sorted(among(self._rows, sql, ids, (self._key,)), key=lambda row: (row[3], row[4]))

    def _group(
        self, chosen: Sequence[Row], names: dict[PersonId, str]
    ) -> dict[bytes, tuple[Reaction, ...]]:
        grouped: dict[bytes, dict[str, list[PersonId]]] = defaultdict(dict)
        for target, emoji, person, _, _ in chosen:
            grouped[target].setdefault(emoji, []).append(person)
        return {
            target: tuple(
                Reaction(
                    emoji=emoji,
                    count=len(people),
                    mine=self._me in people,
                    people=tuple(people),
                    names=tuple(names[person] for person in people[:_NAMES_SHOWN]),
                )
                for emoji, people in emojis.items()
            )
            for target, emojis in grouped.items()
        }

    def _stored(self) -> tuple[dict[int, int], int]:
        """On how many computers each message is known to lie, and of how many."""
        if not self._found:
            return {}, 0
        devices = member_devices(self._rows, self._key) | {self._device}
        sql = "SELECT log, device, sequence FROM holding WHERE log IN (??)"
        held: dict[int, list[int]] = defaultdict(list)
        for log, device, sequence in among(self._rows, sql, {row[3] for row in self._found}):
            if device in devices and device != self._device:
                held[log].append(sequence)
        on = {
            row[0]: 1 + sum(sequence >= row[4] for sequence in held[row[3]]) for row in self._found
        }
        return on, len(devices)


def _card(row: Row, conversation: bytes) -> Card:
    place = ConversationId(conversation)
    return Card(row[19], EntryId(row[1]), place, PersonId(row[17]), row[7])


def member_devices(rows: Rows, key: int) -> set[bytes]:
    """The known devices of a conversation's members."""
    sql = (
        "SELECT d.device FROM view v JOIN device d ON d.team = v.team WHERE v.conversation = ?1"
        " UNION SELECT d.device FROM participant p JOIN device d ON d.person = p.person"
        " WHERE p.conversation = ?1"
        " UNION SELECT l.device FROM participant p JOIN log l ON l.conversation = p.conversation"
        " AND l.person = p.person WHERE p.conversation = ?1"
    )
    return {row[0] for row in rows.all(sql, (key,))}


def names_of(rows: Rows, persons: Iterable[PersonId], team: int | None) -> dict[PersonId, str]:
    """A name for each person: the one in `team`, else in any team, else of the key."""
    wanted = list(persons)
    names = {person: person.hex()[:8] for person in wanted}
    sql = "SELECT person, name, team FROM member WHERE person IN (??) ORDER BY team DESC"
    here: dict[PersonId, str] = {}
    for person, name, of_team in among(rows, sql, wanted):
        names[person] = name
        if of_team == team:
            here[person] = name
    return {**names, **here}
