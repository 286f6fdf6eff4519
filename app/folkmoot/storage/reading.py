"""What people read, fetched with a few statements a page whatever its length.

Free of SQLAlchemy, so that the first paint can use it with the plain driver. Refuses nothing but
an identifier that is not held (`UserError` ``not_found``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import CallRecord
from folkmoot.services.values import (
    Conversation,
    ConversationKind,
    Delivery,
    Message,
    Page,
    Thread,
)
from folkmoot.storage.dressing import Dressing, member_devices, names_of
from folkmoot.storage.rows import Row, Rows, among, one

LATE_AFTER_MS = 60_000
LATE_WITHIN = 50

_MESSAGE = (
    "SELECT m.arrival, m.id, m.conversation, m.log, m.sequence, m.wall_ms, m.counter, m.sent_ms,"
    " m.arrived_ms, m.thread, m.reply, m.also, m.clock_wrong, m.edited, m.deleted, m.missing,"
    " m.text, l.person, l.device, m.call FROM message m JOIN log l ON l.key = m.log"
)
_ORDER = "ORDER BY m.wall_ms, m.counter, m.id"
_REVERSED = "ORDER BY m.wall_ms DESC, m.counter DESC, m.id DESC"
_NO_CARD = "(m.call IS NOT NULL AND m.shown = 0 AND m.deleted = 0)"
"""An end of a call and the like: kept in a row, and no message to anybody."""
_PLACE = "(m.wall_ms, m.counter, m.id)"


@dataclass(frozen=True, slots=True)
class _List:
    """A timeline or a thread: its rows, what stands before them, and how many there are."""

    conversation: int
    where: str
    parameters: tuple[Any, ...]
    root: tuple[Row, ...]
    total: int


class Reading:
    """Reads values for the person `me` on the computer `device`."""

    def __init__(self, rows: Rows, me: PersonId, device: DeviceId) -> None:
        self._rows = rows
        self._me = me
        self._device = device

    # Conversations

    def conversations(self, keys: Iterable[int] | None = None) -> list[Conversation]:
        """Every conversation, or those with these numbers."""
        sql = (
            "SELECT v.conversation, c.id, t.id, v.name, v.topic, v.messages, v.unread, v.mentions,"
            " v.last_ms, EXISTS (SELECT 1 FROM draft d WHERE d.conversation = c.id) FROM view v"
            " JOIN conversation c ON c.key = v.conversation"
            " LEFT JOIN conversation t ON t.key = v.team"
        )
        if keys is None:
            found = self._rows.all(f"{sql} ORDER BY v.conversation")
        else:
            found = list(among(self._rows, f"{sql} WHERE v.conversation IN (??)", keys))
        persons = self._participants([row[0] for row in found if row[2] is None])
        shared = self._shared_teams(persons)
        names = names_of(self._rows, {person for all_ in persons.values() for person in all_}, None)
        return [self._conversation(row, persons, shared, names) for row in found]

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        """One conversation, None if it is not shown."""
        row = one(self._rows, "SELECT key FROM conversation WHERE id = ?", (conversation,))
        found = self.conversations([row[0]]) if row else []
        return found[0] if found else None

    def _conversation(
        self,
        row: Row,
        persons: dict[int, tuple[PersonId, ...]],
        shared: dict[int, ConversationId],
        names: dict[PersonId, str],
    ) -> Conversation:
        key, conversation, team, name, topic, messages, unread, mentions, last_ms, draft = row
        participants = persons.get(key, ())
        if team is None:
            team = shared.get(key)
            name = ", ".join(names[person] for person in participants if person != self._me)
        return Conversation(
            id=ConversationId(conversation),
            kind=ConversationKind.DIRECT if participants else ConversationKind.CHANNEL,
            name=name,
            topic=topic,
            team=team,
            participants=participants,
            unread=unread,
            mentions=mentions,
            messages=messages,
            last_activity_ms=last_ms,
            draft=bool(draft),
        )

    def _participants(self, keys: Sequence[int]) -> dict[int, tuple[PersonId, ...]]:
        sql = (
            "SELECT conversation, person FROM participant WHERE conversation IN (??)"
            " ORDER BY conversation, person"
        )
        found: dict[int, list[PersonId]] = defaultdict(list)
        for key, person in among(self._rows, sql, keys):
            found[key].append(PersonId(person))
        return {key: tuple(persons) for key, persons in found.items()}

    def _shared_teams(self, persons: dict[int, tuple[PersonId, ...]]) -> dict[int, ConversationId]:
        """For each direct conversation the first team to which all of its persons belong."""
        everyone = {person for all_ in persons.values() for person in all_}
        sql = (
            "SELECT c.id, m.person FROM member m JOIN conversation c ON c.key = m.team"
            " WHERE m.person IN (??)"
        )
        teams: dict[ConversationId, set[bytes]] = defaultdict(set)
        for team, person in among(self._rows, sql, everyone):
            teams[ConversationId(team)].add(person)
        shared = {}
        for key, needed in persons.items():
            common = [team for team, members in sorted(teams.items()) if members.issuperset(needed)]
            if common:
                shared[key] = common[0]
        return shared

    def key(self, conversation: ConversationId) -> int:
        """The number of a conversation that is shown."""
        sql = (
            "SELECT v.conversation FROM conversation c JOIN view v ON v.conversation = c.key"
            " WHERE c.id = ?"
        )
        row = one(self._rows, sql, (conversation,))
        if row is None:
            raise UserError("not_found", "There is no such conversation here.")
        return int(row[0])

    # Pages

    def page(
        self,
        conversation: ConversationId,
        thread: EntryId | None = None,
        before: EntryId | None = None,
        after: EntryId | None = None,
        around: EntryId | None = None,
        ordinal: int | None = None,
        limit: int = 64,
    ) -> Page:
        """See `Store.page`."""
        listed = self._list(self.key(conversation), thread)
        if ordinal is not None:
            found, first = self._from_ordinal(listed, ordinal, limit)
        elif around is not None:
            found, first = self._around(listed, around, limit)
        elif after is not None:
            found, first = self._after(listed, after, limit)
        elif before is not None:
            found, first = self._before(listed, before, limit)
        else:
            found = self._backward(listed, None, limit)
            first = listed.total - len(found)
        late = self._late(listed, found)
        messages = self.messages_of(found, late)
        return Page(
            messages=tuple(messages),
            first_ordinal=first,
            total=listed.total,
            has_older=first > 0,
            has_newer=first + len(found) < listed.total,
        )

    def _list(self, key: int, thread: EntryId | None) -> _List:
        if thread is None:
            row = one(self._rows, "SELECT messages FROM view WHERE conversation = ?", (key,))
            total = row[0] if row else 0
            return _List(key, "m.conversation = ? AND m.shown = 1", (key,), (), total)
        root = self._one(key, thread)
        sql = "SELECT replies FROM thread WHERE conversation = ? AND root = ?"
        row = one(self._rows, sql, (key, thread))
        total = (row[0] if row else 0) + (1 if root else 0)
        where = "m.conversation = ? AND m.thread = ?"
        return _List(key, where, (key, thread), (root,) if root else (), total)

    def _one(self, key: int, message: EntryId) -> Row | None:
        sql = f"{_MESSAGE} JOIN entry e ON e.arrival = m.arrival WHERE e.id = ? AND NOT {_NO_CARD}"
        row = one(self._rows, sql, (message,))
        return row if row and row[2] == key else None

    def _place(self, listed: _List, message: EntryId) -> tuple[Any, ...] | None:
        """Where a message stands; None for the first one of a thread, before all others."""
        if listed.root and listed.root[0][1] == message:
            return None
        row = self._one(listed.conversation, message)
        if row is None:
            raise UserError("not_found", "There is no such message in this conversation.")
        return (row[5], row[6], row[1])

    def _forward(
        self, listed: _List, place: tuple[Any, ...] | None, limit: int, including: bool = False
    ) -> list[Row]:
        sign = ">=" if including else ">"
        beyond = f" AND {_PLACE} {sign} (?, ?, ?)" if place else ""
        sql = f"{_MESSAGE} WHERE {listed.where}{beyond} {_ORDER} LIMIT ?"
        return self._rows.all(sql, (*listed.parameters, *(place or ()), limit))

    def _backward(self, listed: _List, place: tuple[Any, ...] | None, limit: int) -> list[Row]:
        beyond = f" AND {_PLACE} < (?, ?, ?)" if place else ""
        sql = f"{_MESSAGE} WHERE {listed.where}{beyond} {_REVERSED} LIMIT ?"
        found = self._rows.all(sql, (*listed.parameters, *(place or ()), limit))[::-1]
        return [*listed.root, *found] if len(found) < limit else found

    def _count_before(self, listed: _List, found: list[Row]) -> int:
        """How many messages of the list stand before the first of `found`."""
        if not found:
            return 0
        first = found[0]
        if listed.root and first[1] == listed.root[0][1]:
            return 0
        sql = f"SELECT count(*) FROM message m WHERE {listed.where} AND {_PLACE} < (?, ?, ?)"
        place = (first[5], first[6], first[1])
        ((count,),) = self._rows.all(sql, (*listed.parameters, *place))
        return int(count) + len(listed.root)

    def _before(self, listed: _List, message: EntryId, limit: int) -> tuple[list[Row], int]:
        place = self._place(listed, message)
        found = [] if place is None else self._backward(listed, place, limit)
        return found, self._count_before(listed, found)

    def _after(self, listed: _List, message: EntryId, limit: int) -> tuple[list[Row], int]:
        found = self._forward(listed, self._place(listed, message), limit)
        return found, self._count_before(listed, found) if found else listed.total

    def _around(self, listed: _List, message: EntryId, limit: int) -> tuple[list[Row], int]:
        place = self._place(listed, message)
        if place is None:
            found = [*listed.root, *self._forward(listed, None, limit - 1)]
            return found, 0
        newer = self._forward(listed, place, limit, including=True)
        older = self._backward(listed, place, limit)
        keep = max(limit // 2, limit - len(newer))
        older = older[-keep:] if keep else []
        found = [*older, *newer[: limit - len(older)]]
        return found, self._count_before(listed, found)

    def _from_ordinal(self, listed: _List, ordinal: int, limit: int) -> tuple[list[Row], int]:
        first = max(0, min(ordinal, listed.total - limit))
        skip = max(0, first - len(listed.root))
        sql = f"{_MESSAGE} WHERE {listed.where} {_ORDER} LIMIT ? OFFSET ?"
        if first == 0:
            found = [*listed.root, *self._forward(listed, None, limit - len(listed.root))]
        else:
            found = self._rows.all(sql, (*listed.parameters, limit, skip))
        return found, first

    def _late(self, listed: _List, found: list[Row]) -> set[int]:
        """Arrivals that came a minute after they were written, behind what stands after them."""
        candidates = [at for at, row in enumerate(found) if row[8] - row[7] > LATE_AFTER_MS]
        if not candidates:
            return set()
        arrived = [row[8] for row in found]
        if candidates[-1] + LATE_WITHIN >= len(found):
            last = found[-1]
            is_root = bool(listed.root) and last[1] == listed.root[0][1]
            place = None if is_root else (last[5], last[6], last[1])
            arrived += [row[8] for row in self._forward(listed, place, LATE_WITHIN)]
        return {
            found[at][0]
            for at in candidates
            if any(
                later <= arrived[at] - LATE_AFTER_MS
                for later in arrived[at + 1 : at + 1 + LATE_WITHIN]
            )
        }

    # Messages

    def messages(self, ids: Iterable[EntryId]) -> dict[EntryId, Message]:
        """Those messages among `ids` that are held."""
        sql = f"{_MESSAGE} JOIN entry e ON e.arrival = m.arrival WHERE e.id IN (??)"
        found = sorted(among(self._rows, f"{sql} AND NOT {_NO_CARD}", ids))
        late: set[int] = set()
        for row in found:
            if row[8] - row[7] > LATE_AFTER_MS:
                late |= self._late(self._list(row[2], row[9]), [row])
        return {message.id: message for message in self.messages_of(found, late)}

    def messages_of(self, found: Sequence[Row], late: set[int]) -> list[Message]:
        """Rows as messages, in the same order."""
        if not found:
            return []
        by_conversation = {row[2] for row in found}
        built: dict[int, Message] = {}
        for key in by_conversation:
            some = [row for row in found if row[2] == key]
            built.update(Dressing(self._rows, self._me, self._device, key, some).messages(late))
        return [built[row[0]] for row in found]

    def calls(self, limit: int) -> list[CallRecord]:
        """See `Store.calls`."""
        sql = f"{_MESSAGE} WHERE m.call IS NOT NULL AND m.shown = 1 AND m.deleted = 0"
        found = self._rows.all(f"{sql} {_REVERSED} LIMIT ?", (limit,))
        return [m.call for m in self.messages_of(found, set()) if m.call is not None]

    def first_unread(self, conversation: ConversationId) -> Message | None:
        """See `Store.first_unread`."""
        key = self.key(conversation)
        sql = (
            "SELECT id FROM message m WHERE m.conversation = ? AND m.news = 1 AND m.arrival >"
            " coalesce((SELECT arrival FROM read_mark WHERE conversation = ? AND thread = ?), 0)"
            f" {_ORDER} LIMIT 1"
        )
        row = one(self._rows, sql, (key, key, ZERO))
        return self.messages([EntryId(row[0])])[EntryId(row[0])] if row else None

    def threads(self, conversation: ConversationId, limit: int) -> list[Thread]:
        """See `Store.threads`."""
        key = self.key(conversation)
        sql = (
            "SELECT root, replies, last_ms FROM thread WHERE conversation = ?"
            " ORDER BY last_ms DESC, root DESC LIMIT ?"
        )
        found = self._rows.all(sql, (key, limit))
        dressing = Dressing(self._rows, self._me, self._device, key, ())
        people = dressing.repliers([row[0] for row in found])
        unread = self._thread_unread(key, [row[0] for row in found])
        return [
            Thread(EntryId(root), conversation, replies, people[root], last_ms, unread[root])
            for root, replies, last_ms in found
        ]

    def _thread_unread(self, key: int, roots: Sequence[bytes]) -> dict[bytes, int]:
        sql = (
            "SELECT m.thread, count(*) FROM message m JOIN log l ON l.key = m.log"
            " LEFT JOIN read_mark r ON r.conversation = m.conversation AND r.thread = m.thread"
            " WHERE m.conversation = ? AND l.person <> ? AND m.arrival > coalesce(r.arrival, 0)"
            " AND m.thread IN (??) GROUP BY m.thread"
        )
        counted: dict[bytes, int] = defaultdict(int)
        for root, count in among(self._rows, sql, roots, (key, self._me)):
            counted[root] = count
        return counted

    def delivery(self, message: EntryId) -> Delivery:
        """See `Store.delivery`."""
        sql = (
            "SELECT e.log, e.sequence, l.conversation FROM entry e JOIN log l ON l.key = e.log"
            " WHERE e.id = ?"
        )
        row = one(self._rows, sql, (message,))
        if row is None:
            raise UserError("not_found", "There is no such message here.")
        log, sequence, key = row
        devices = member_devices(self._rows, key) | {self._device}
        sql = "SELECT device FROM holding WHERE log = ? AND sequence >= ?"
        holders = {row[0] for row in self._rows.all(sql, (log, sequence))} | {self._device}
        return Delivery(
            stored_on=tuple(DeviceId(d) for d in sorted(devices & holders)),
            missing=tuple(DeviceId(d) for d in sorted(devices - holders)),
        )
