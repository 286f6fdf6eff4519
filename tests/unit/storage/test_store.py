"""What the store promises of appends, pages and local matters."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from builders.rooms import Room, make_room
from builders.writers import Writer
from folkmoot.domain.entry import Entry, LogHead
from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.ids import ConversationId, DeviceId, EntryId
from folkmoot.services.ports import StoredAddress
from folkmoot.services.values import Draft
from folkmoot.storage.first_page import read_first_page

from .conftest import OpenStore


def room_with(count: int) -> Room:
    room = make_room("ada", "ben")
    for number in range(count):
        room.say(room.others[0], f"message {number}")
    return room


async def test_an_entry_stored_twice_changes_nothing(open_store: OpenStore) -> None:
    room = room_with(3)
    store = await open_store(room.owner)
    await store.append(room.entries())
    before = await store.page(room.channel)
    again = await store.append(room.entries())
    assert (again.entries, again.created, again.conversations) == ((), (), ())
    assert await store.page(room.channel) == before


async def test_a_gap_is_refused_and_nothing_of_the_call_is_stored(open_store: OpenStore) -> None:
    room = room_with(3)
    store = await open_store(room.owner)
    entries = room.entries()
    with pytest.raises(PeerError) as caught:
        await store.append([*entries[:-2], entries[-1]])
    assert caught.value.code == "gap"
    assert await store.conversations_with_entries() == []
    assert len((await store.append(entries)).created) == 3


async def test_a_fork_is_refused_and_nothing_of_the_call_is_stored(open_store: OpenStore) -> None:
    room = room_with(1)
    twin = room_with(0)
    other = twin.say(twin.others[0], "another first message")
    store = await open_store(room.owner)
    await store.append(room.entries())
    more = room.say(room.others[0], "more")
    with pytest.raises(PeerError) as caught:
        await store.append([more, other])
    assert caught.value.code == "fork"
    assert await store.entry(more.id) is None


async def test_a_client_id_names_the_message_it_was_given_with(open_store: OpenStore) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    await store.append(room.entries())
    said = room.say(room.owner, "once")
    appended = await store.append([*room.entries()[-2:-1], said], client_id="retry-1")
    assert appended.created[0].client_id == "retry-1"
    held = await store.message_by_client_id("retry-1")
    assert held == appended.created[0]
    assert await store.message_by_client_id("retry-2") is None


async def test_a_cancelled_append_is_stored_all_the_same(open_store: OpenStore) -> None:
    room = room_with(1)
    store = await open_store(room.owner)
    waiting = asyncio.ensure_future(store.append(room.entries()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await store.append(room.entries()) is not None
    assert (await store.page(room.channel)).total == 1


async def test_appends_at_once_are_all_stored_though_one_of_them_fails(
    open_store: OpenStore,
) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    said = [room.say(room.owner, f"number {number}") for number in range(40)]
    await store.append(room.entries()[: -len(said)])
    jobs = [store.append([entry]) for entry in said[:20]]
    jobs += [store.append([said[-1]])]
    jobs += [store.append([entry]) for entry in said[20:]]
    done = await asyncio.gather(*jobs, return_exceptions=True)
    failed = [result for result in done if isinstance(result, BaseException)]
    assert [getattr(error, "code", error) for error in failed] == ["gap"]
    assert (await store.page(room.channel)).total == 40


async def test_many_new_messages_are_counted_and_not_listed(open_store: OpenStore) -> None:
    room = room_with(51)
    store = await open_store(room.owner)
    appended = await store.append(room.entries())
    assert (appended.created, appended.arrived) == ((), {room.channel: 51})
    assert len(appended.entries) == len(room.entries())


async def test_pages_cover_a_timeline_from_every_place(open_store: OpenStore) -> None:
    room = room_with(30)
    store = await open_store(room.owner)
    await store.append(room.entries())
    whole = (await store.page(room.channel, limit=100)).messages
    for limit in (1, 7, 64):
        for at, message in enumerate(whole):
            around = await store.page(room.channel, around=message.id, limit=limit)
            assert message in around.messages
            first = around.first_ordinal
            assert around.messages == whole[first : first + min(limit, 30)]
            older = await store.page(room.channel, before=message.id, limit=limit)
            assert older.messages == whole[max(0, at - limit) : at]
            assert older.first_ordinal == max(0, at - limit)
            newer = await store.page(room.channel, after=message.id, limit=limit)
            assert newer.messages == whole[at + 1 : at + 1 + limit]
            assert newer.first_ordinal == at + 1
            jumped = await store.page(room.channel, ordinal=at, limit=limit)
            assert message in jumped.messages
            assert jumped.messages == whole[jumped.first_ordinal :][:limit]


async def test_what_is_not_held_is_not_found(open_store: OpenStore) -> None:
    room = room_with(1)
    store = await open_store(room.owner)
    await store.append(room.entries())
    nobody = bytes(range(32))
    with pytest.raises(UserError, match="no such conversation"):
        await store.page(ConversationId(nobody))
    with pytest.raises(UserError, match="no such message"):
        await store.page(room.channel, after=EntryId(nobody))
    with pytest.raises(UserError, match="no such message"):
        await store.delivery(EntryId(nobody))
    assert await store.message(EntryId(nobody)) is None


async def test_computers_are_counted_that_say_first_hand_what_we_hold_too(
    open_store: OpenStore,
) -> None:
    room = make_room("ada", "ben", "cleo")
    ben, cleo = room.others
    store = await open_store(room.owner)
    first, second = room.say(room.owner, "one"), room.say(room.owner, "two")
    await store.append(room.entries())
    assert await store.note_held(ben.device, [_head(first)]) == {
        room.channel: [(first.id, 2, 3)],
    }
    wrong = replace(_head(second), id=first.id)
    assert await store.note_held(cleo.device, [wrong]) == {}
    beyond = replace(_head(second), sequence=99)
    told = await store.note_held(cleo.device, [beyond])
    assert told == {room.channel: [(first.id, 3, 3), (second.id, 2, 3)]}
    assert await store.held_by(cleo.device) == {second.log: second.header.sequence}
    page = await store.page(room.channel)
    assert [(m.stored_on, m.stored_of) for m in page.messages] == [(3, 3), (2, 3)]
    delivery = await store.delivery(second.id)
    assert set(delivery.stored_on) == {room.owner.device, cleo.device}
    assert delivery.missing == (ben.device,)


def _head(entry: Entry) -> LogHead:
    return LogHead(entry.header.log, entry.header.sequence, entry.id)


async def test_a_segment_ends_with_a_signed_entry(open_store: OpenStore) -> None:
    room = room_with(20)
    store = await open_store(room.owner)
    log = next(log for log in room.others[0].logs if log.conversation == room.channel)
    held = room.others[0].logs[log]
    thinned = [
        entry if number % 8 == 7 or number == len(held) - 1 else replace(entry, signature=None)
        for number, entry in enumerate(held)
    ]
    others = [entry for entry in room.entries() if entry.header.log != log]
    await store.append([*others, *thinned])
    segment = await store.segment(log, 3, 64 * 1024)
    assert [entry.header.sequence for entry in segment] == list(range(3, 22))
    short = await store.segment(log, 3, 1)
    assert [entry.header.sequence for entry in short] == list(range(3, 9))
    assert short[-1].signature == held[7].signature
    assert await store.segment(log, 22, 1000) == []
    heads = await store.heads(room.channel)
    assert [(h.head.sequence, h.person) for h in heads] == [(21, room.others[0].person)]


async def test_a_missing_body_is_wanted_until_it_comes(open_store: OpenStore) -> None:
    room = room_with(0)
    root = room.say(room.others[0], "root")
    said = room.say(room.others[0], "reply", thread=root.id)
    store = await open_store(room.owner)
    entries = [replace(e, body=None) if e.id == said.id else e for e in room.entries()]
    await store.append(entries)
    assert [m.body_missing for m in (await store.page(room.channel)).messages] == [False, True]
    assert await store.wanting() == [room.channel]
    assert await store.wanted(room.channel, 10) == [said.id]
    assert said.body is not None
    assert (await store.fill_bodies([(said.id, b"something else")])).entries == ()
    appended = await store.fill_bodies([(said.id, said.body)])
    ((message, what),) = appended.changed
    assert (message.text, what, message.thread) == ("reply", "body", root.id)
    assert await store.wanted(room.channel, 10) == []
    assert await store.wanting() == []
    assert [m.text for m in (await store.page(room.channel)).messages] == ["root"]
    assert await store.bodies(room.channel, [said.id], 10) == [(said.id, said.body)]
    assert await store.bodies(ConversationId(bytes(32)), [said.id], 10) == []


async def test_drafts_settings_and_addresses_are_kept(open_store: OpenStore) -> None:
    room = room_with(1)
    store = await open_store(room.owner)
    await store.append(room.entries())
    root = EntryId(bytes(31) + b"\1")
    drafts = [Draft(room.channel, None, "not yet"), Draft(room.channel, root, "nor this")]
    for draft in drafts:
        await store.save_draft(draft)
    await store.set_setting("window.theme", "dark")
    await store.set_setting("window.width", "800")
    typed = StoredAddress(None, "10.0.0.1:7000", True, None)
    await store.remember_address(typed)
    await store.aclose()
    store = await open_store(room.owner)
    assert await store.drafts() == drafts
    assert (await store.conversations())[0].draft
    assert await store.settings("window.") == {"window.theme": "dark", "window.width": "800"}
    assert await store.addresses() == [typed]
    await store.save_draft(Draft(room.channel, root, ""))
    await store.save_draft(Draft(room.channel, None, ""))
    assert not (await store.conversations())[0].draft
    await store.set_setting("window.theme", None)
    assert await store.setting("window.theme") is None


async def test_addresses_of_a_device_stay_few_and_typed_ones_stay(open_store: OpenStore) -> None:
    ada = Writer("ada")
    store = await open_store(ada)
    device = DeviceId(bytes(32))
    await store.remember_address(StoredAddress(None, "host:1", True, None))
    await store.remember_address(StoredAddress(device, "host:1", False, 1))
    for number in range(2, 20):
        await store.remember_address(StoredAddress(device, f"host:{number}", False, number))
    kept = await store.addresses()
    assert len(kept) == 8
    assert StoredAddress(device, "host:1", True, 1) in kept
    assert {a.address for a in kept} >= {"host:19", "host:13"}


async def test_words_of_every_script_are_found_in_what_is_indexed(
    open_store: OpenStore, tmp_path: Path
) -> None:
    room = make_room("ada")
    room.say(room.owner, "Straße nach 東京都庁 café")
    store = await open_store(room.owner)
    await store.append(room.entries())
    await store.aclose()
    connection = sqlite3.connect(tmp_path / "store.sqlite3")
    for words in ("straße", "cafe", '"京都"', "str*"):
        found = connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (words,))
        assert found.fetchone() == (1,), words
    connection.close()


async def test_the_first_page_shows_the_conversation_that_was_open(
    open_store: OpenStore, tmp_path: Path
) -> None:
    path = tmp_path / "store.sqlite3"
    assert await asyncio.to_thread(read_first_page, path) is None
    room = room_with(70)
    store = await open_store(room.owner)
    await store.append(room.entries())
    await store.set_setting("window.conversation", room.channel.hex())
    page = await store.page(room.channel)
    conversations = await store.conversations()
    while_open = await asyncio.to_thread(read_first_page, path)
    await store.aclose()
    first = await asyncio.to_thread(read_first_page, path)
    assert first is not None
    assert while_open == first
    assert (first.conversation, first.page) == (room.channel, page)
    assert first.conversations == tuple(conversations)
    assert first.name == "ada's computer"
    assert [(t.id, t.name, t.role.value) for t in first.teams] == [(first.team, "Crew", "owner")]
    assert first.settings == (("window.conversation", room.channel.hex()),)


async def test_an_entry_is_given_out_with_the_bytes_it_came_with(open_store: OpenStore) -> None:
    room = make_room("ada")
    store = await open_store(room.owner)
    said = room.say(room.owner, "kept")
    await store.append(room.entries())
    assert await store.entry(said.id) == said
