"""Calls in the store: the card at the place of the start, its end, and who may change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.rooms import Room, make_room
from builders.writers import Writer, seed
from folkmoot.domain.bodies import CALL_ENDED, CALL_STARTED, Delete, Edit, Level, React
from folkmoot.domain.entry import Entry
from folkmoot.domain.ids import EntryId, PersonId
from folkmoot.services.call_values import CallId, CallRecord
from folkmoot.services.values import Message
from folkmoot.storage.first_page import read_first_page
from folkmoot.storage.store import SqliteStore

from .conftest import OpenStore


@pytest.fixture
def room() -> Room:
    return make_room("ada", "ben", "cleo")


async def _store(open_store: OpenStore, room: Room, me: Writer | None = None) -> SqliteStore:
    """A store of `me` (the owner) that holds the room before anything is called."""
    store = await open_store(me or room.owner)
    await store.append(room.entries())
    return store


async def _messages(store: SqliteStore, room: Room) -> list[Message]:
    return list((await store.page(room.channel)).messages)


async def _card(store: SqliteStore, room: Room) -> CallRecord:
    [message] = await _messages(store, room)
    assert message.call is not None
    return message.call


async def _unread(store: SqliteStore, room: Room) -> int:
    shown = await store.conversation(room.channel)
    assert shown is not None
    return shown.unread


def _bodiless(entry: Entry) -> Entry:
    return Entry(entry.id, entry.header, entry.header_bytes, entry.signature, None)


async def test_a_started_call_is_a_message_without_words(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ben = room.others[0]
    started = room.tell(ben, "one", CALL_STARTED, video=True)
    changes = await store.append(ben.entries())
    assert [m.id for m in changes.created] == [started.id]
    [message] = await _messages(store, room)
    assert (message.id, message.text, message.author) == (started.id, "", ben.person)
    call = message.call
    assert call is not None
    assert (call.id, call.video, call.started_by) == (seed("call", "one"), True, ben.person)
    assert (call.ended_at_ms, call.participants, call.took_part) == (None, (), False)
    assert call.is_open, "nobody is rung in a channel"


async def test_an_end_changes_the_card_and_is_no_message(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ada, (ben, cleo) = room.owner, room.others
    started = room.tell(ben, "one", CALL_STARTED)
    await store.append(ben.entries())
    end = room.tell(cleo, "one", CALL_ENDED, (ada.person, ben.person, cleo.person), 754)
    changes = await store.append(cleo.entries())
    assert changes.created == ()
    assert [(m.id, what) for m, what in changes.changed] == [(started.id, "call")]
    call = await _card(store, room)
    assert call.duration_s == 754
    assert call.ended_at_ms == call.started_at_ms + 754_000
    assert call.participants == (ben.person, cleo.person, ada.person)
    assert [name[:4] for name in call.names] == ["ben'", "cleo", "ada'"]
    assert call.took_part
    assert await store.message(EntryId(end.id)) is None


async def test_an_end_that_came_first_shows_nothing_until_its_start(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben, cleo = room.others
    room.tell(cleo, "one", CALL_ENDED, (ben.person, cleo.person), 9)
    first = await store.append(cleo.entries())
    assert (first.created, first.changed) == ((), ())
    assert await _messages(store, room) == []
    started = room.tell(ben, "one", CALL_STARTED)
    then = await store.append(ben.entries())
    assert [m.id for m in then.created] == [started.id]
    assert (await _card(store, room)).duration_s == 9


async def test_of_two_ends_more_persons_count_then_the_longer_one(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ada, (ben, cleo) = room.owner, room.others
    room.tell(ben, "one", CALL_STARTED)
    room.tell(ben, "one", CALL_ENDED, (ada.person, ben.person), 5_000)
    room.tell(cleo, "one", CALL_ENDED, (ada.person, ben.person, cleo.person), 60)
    room.tell(cleo, "one", CALL_ENDED, (ada.person, ben.person, cleo.person), 61)
    room.tell(ada, "one", CALL_ENDED, (ada.person, ben.person, cleo.person), 59)
    await store.append(room.entries())
    call = await _card(store, room)
    assert (call.duration_s, len(call.participants)) == (61, 3)


async def test_of_two_equal_ends_the_greater_id_counts(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ben, cleo = room.others
    room.tell(ben, "one", CALL_STARTED)
    room.tell(cleo, "other", 3)  # so that both ends are written at one time
    ends = {
        room.tell(ben, "one", CALL_ENDED, (ben.person,), 5).id: ben.person,
        room.tell(cleo, "one", CALL_ENDED, (cleo.person,), 5).id: cleo.person,
    }
    await store.append(room.entries())
    assert (await _card(store, room)).participants == (ends[max(ends)],)


async def test_strangers_are_neither_named_nor_counted(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ben, cleo = room.others
    strangers: list[PersonId] = [Writer(name).person for name in ("x", "y", "z")]
    room.tell(ben, "one", CALL_STARTED)
    room.tell(ben, "one", CALL_ENDED, (ben.person, *strangers), 500)
    room.tell(cleo, "one", CALL_ENDED, (ben.person, cleo.person), 5)
    await store.append(room.entries())
    call = await _card(store, room)
    assert (call.duration_s, set(call.participants)) == (5, {ben.person, cleo.person})


async def test_a_call_one_missed_is_unread_and_one_was_in_is_read(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ada, (ben, cleo) = room.owner, room.others
    room.tell(ben, "missed", CALL_STARTED)
    room.tell(ben, "missed", CALL_ENDED, (ben.person, cleo.person), 5)
    await store.append(ben.entries())
    assert await _unread(store, room) == 1
    room.tell(ben, "taken", CALL_STARTED)
    await store.append(ben.entries())
    assert await _unread(store, room) == 2
    room.tell(cleo, "taken", CALL_ENDED, (ada.person, ben.person), 5)
    await store.append(cleo.entries())
    assert await _unread(store, room) == 1
    room.tell(ada, "mine", CALL_STARTED)
    await store.append(ada.entries())
    assert await _unread(store, room) == 1


async def test_a_second_start_of_a_call_by_its_person_is_no_second_card(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben, other_device = room.others[0], Writer("ben", 1)
    first = room.tell(ben, "one", CALL_STARTED)
    room.tell(other_device, "other", CALL_STARTED)
    second = room.tell(other_device, "one", CALL_STARTED)
    await store.append([*other_device.entries(), *ben.entries()])
    shown = [m.id for m in await _messages(store, room)]
    assert first.id in shown
    assert second.id not in shown
    ben.write(room.channel, room.grants["ben"], Delete(first.id))
    changes = await store.append(ben.entries())
    assert [m.id for m in changes.created] == [second.id]
    assert [what for _, what in changes.changed] == ["deleted"]


async def test_nobody_takes_the_card_of_anothers_call_away(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben, cleo = room.others
    room.tell(cleo, "one", CALL_STARTED)
    room.say(ben, "so that my entry is the later one")
    first = room.tell(ben, "one", CALL_STARTED)
    await store.append(room.entries())
    shown = [m for m in await _messages(store, room) if m.id == first.id]
    assert [m.call.id for m in shown if m.call is not None] == [seed("call", "one")]


@pytest.mark.blocks_loop("reads with the plain driver")
async def test_the_first_page_has_the_card(
    open_store: OpenStore, room: Room, tmp_path: Path
) -> None:
    store = await _store(open_store, room)
    room.tell(room.owner, "one", CALL_STARTED)
    room.tell(room.owner, "one", CALL_ENDED, (room.owner.person, room.others[0].person), 7)
    await store.append(room.entries())
    first = read_first_page(tmp_path / "store.sqlite3")
    assert first is not None
    assert first.page is not None
    assert list(first.page.messages) == await _messages(store, room)
    assert [m.call.duration_s for m in first.page.messages if m.call is not None] == [7]


async def test_a_state_of_a_later_version_is_kept_without_effect(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben = room.others[0]
    kept = room.tell(ben, "one", 3)
    await store.append(ben.entries())
    assert await _messages(store, room) == []
    assert await store.entry(kept.id) == kept


async def test_who_may_not_post_starts_no_call_and_ends_none(open_store: OpenStore) -> None:
    room = make_room("ada", "ben", posts=Level.ADMIN)
    store = await _store(open_store, room)
    ben = room.others[0]
    room.tell(ben, "his", CALL_STARTED)
    room.tell(room.owner, "mine", CALL_STARTED)
    room.tell(ben, "mine", CALL_ENDED, (ben.person,), 5)
    await store.append(room.entries())
    call = await _card(store, room)
    assert (call.id, call.ended_at_ms) == (seed("call", "mine"), None)


async def test_nobody_edits_a_call(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ben = room.others[0]
    started = room.tell(ben, "one", CALL_STARTED)
    ben.write(room.channel, room.grants["ben"], Edit(started.id, "words"))
    await store.append(ben.entries())
    [message] = await _messages(store, room)
    assert (message.text, message.edited) == ("", False)
    assert await store.revisions(EntryId(started.id)) == []


async def test_a_call_takes_replies_and_reactions_and_is_deleted_like_a_message(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben, cleo = room.others
    started = room.tell(ben, "one", CALL_STARTED)
    room.say(cleo, "sorry, lunch", thread=started.id)
    cleo.write(room.channel, room.grants["cleo"], React(started.id, "👍", True))
    await store.append(room.entries())
    [message] = await _messages(store, room)
    assert (message.reply_count, message.reactions[0].emoji) == (1, "👍")
    room.owner.write(room.channel, room.grants["ada"], Delete(started.id))
    await store.append(room.owner.entries())
    [message] = await _messages(store, room)
    assert (message.deleted, message.call, message.reply_count) == (True, None, 1)
    held = await store.entry(EntryId(started.id))
    assert held is not None
    assert held.body is None
    assert await store.calls(9) == []


async def test_a_body_that_comes_later_makes_the_card(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    ben = room.others[0]
    started = room.tell(ben, "one", CALL_STARTED)
    end = room.tell(ben, "one", CALL_ENDED, (ben.person,), 5)
    others = [e for e in ben.entries() if e.id not in (started.id, end.id)]
    await store.append([*others, _bodiless(started), _bodiless(end)])
    assert await _messages(store, room) == []
    assert started.body is not None
    assert end.body is not None
    filled = await store.fill_bodies([(EntryId(started.id), started.body)])
    assert [m.id for m in filled.created] == [started.id]
    filled = await store.fill_bodies([(EntryId(end.id), end.body)])
    assert [(m.id, what) for m, what in filled.changed] == [(started.id, "call")]
    assert (await _card(store, room)).duration_s == 5


async def test_the_history_is_newest_first_over_all_conversations(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    ben = room.others[0]
    for name in ("a", "b", "c"):
        room.tell(ben, name, CALL_STARTED)
    await store.append(ben.entries())
    assert [call.id for call in await store.calls(2)] == [seed("call", "c"), seed("call", "b")]


async def test_a_device_finds_what_it_wrote_of_a_call(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    one = CallId(seed("call", "one"))
    room.tell(room.owner, "one", CALL_STARTED)
    room.tell(room.others[0], "one", CALL_ENDED, (room.owner.person,), 5)
    await store.append(room.entries())
    assert await store.call_states(room.channel, one) == {CALL_STARTED}
    assert await store.call_states(room.team, one) == set()
