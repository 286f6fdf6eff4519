"""Who recorded a call, on its card; and the list of own recordings."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from builders.rooms import Room, make_room
from builders.writers import Writer, seed
from folkmoot.domain.bodies import (
    CALL_STARTED,
    RECORDING_BEGAN,
    RECORDING_ENDED,
    Delete,
    Edit,
    Level,
    RecordingBody,
)
from folkmoot.domain.entry import Entry
from folkmoot.domain.ids import ConversationId, EntryId, PersonId
from folkmoot.services.call_values import CallId, Chapter, Recording
from folkmoot.storage.first_page import read_first_page
from folkmoot.storage.store import SqliteStore

from .conftest import OpenStore
from .dump import portable


@pytest.fixture
def room() -> Room:
    return make_room("ada", "ben", "cleo")


def record(room: Room, writer: Writer, state: int, seconds: int = 0, call: str = "one") -> Entry:
    """What `writer` says of a recording of the call with this name."""
    body = RecordingBody(seed("call", call), state, seconds)
    return writer.write(room.channel, room.grants[writer.name], body)


async def told(store: SqliteStore, room: Room) -> list[tuple[str, int | None, bool]]:
    """Who recorded the only call of the room, how long, and whether that is this person."""
    [message] = (await store.page(room.channel)).messages
    assert message.call is not None
    return [(one.name[:4].strip("'"), one.seconds, one.is_me) for one in message.call.recorded]


async def _store(open_store: OpenStore, room: Room) -> SqliteStore:
    store = await open_store(room.owner)
    await store.append(room.entries())
    return store


async def test_a_recording_changes_the_card_and_is_no_message(
    open_store: OpenStore, room: Room
) -> None:
    store, ben = await _store(open_store, room), room.others[0]
    started = room.tell(ben, "one", CALL_STARTED)
    await store.append(ben.entries())
    began = record(room, ben, RECORDING_BEGAN)
    changes = await store.append([began])
    assert changes.created == ()
    assert [(m.id, what) for m, what in changes.changed] == [(started.id, "call")]
    [message] = (await store.page(room.channel)).messages
    assert message.call is not None
    [one] = message.call.recorded
    assert (one.person, one.began_at_ms, one.seconds) == (ben.person, began.header.wall_ms, None)
    changes = await store.append([record(room, ben, RECORDING_ENDED, 723)])
    assert [what for _, what in changes.changed] == ["call"]
    assert await told(store, room) == [("ben", 723, False)]
    shown = await store.conversation(room.channel)
    assert shown is not None
    assert shown.unread == 1, "the call, and nothing else"


async def test_an_end_belongs_to_the_latest_beginning_of_its_device(
    open_store: OpenStore, room: Room
) -> None:
    store, (ben, cleo) = await _store(open_store, room), room.others
    second = Writer("ben", 1)
    room.tell(ben, "one", CALL_STARTED)
    room.say(cleo, "so that my entries are later")
    record(room, ben, RECORDING_BEGAN)
    record(room, ben, RECORDING_BEGAN)
    record(room, second, RECORDING_BEGAN)
    record(room, cleo, RECORDING_BEGAN)
    record(room, second, RECORDING_ENDED, 5)
    record(room, ben, RECORDING_ENDED, 60)
    record(room, cleo, RECORDING_ENDED, 7)
    record(room, cleo, RECORDING_ENDED, 8)
    await store.append([*second.entries(), *room.entries()])
    cards = [m.call for m in (await store.page(room.channel)).messages if m.call is not None]
    [card] = cards
    ends: dict[PersonId, list[int | None]] = {ben.person: [], cleo.person: []}
    for one in card.recorded:
        ends[one.person].append(one.seconds)
    assert [seconds for seconds in ends[ben.person] if seconds != 5] == [None, 60]
    assert 5 in ends[ben.person]
    assert ends[cleo.person] == [7], "an end too many is nothing"


async def test_the_order_of_arrival_changes_nothing(
    open_store: OpenStore, room: Room, tmp_path: Path
) -> None:
    ben, cleo = room.others
    room.tell(ben, "one", CALL_STARTED)
    for writer in (ben, cleo, room.owner):
        record(room, writer, RECORDING_BEGAN)
        record(room, writer, RECORDING_ENDED, len(writer.name))
        record(room, writer, RECORDING_BEGAN)
    logs = [log for writer in room.writers for log in writer.logs.values()]
    seen = []
    for number in range(4):
        order = [list(log) for log in logs]
        chance = random.Random(number)
        store = await open_store(room.owner, name=f"{number}.sqlite3")
        while waiting := [log for log in order if log]:
            await store.append([chance.choice(waiting).pop(0)])
        seen.append((await told(store, room), portable(tmp_path / f"{number}.sqlite3")))
    assert all(one == seen[0] for one in seen)
    assert len(seen[0][0]) == 6


async def test_nobody_takes_away_who_recorded(open_store: OpenStore, room: Room) -> None:
    store, ben = await _store(open_store, room), room.others[0]
    room.tell(ben, "one", CALL_STARTED)
    began = record(room, ben, RECORDING_BEGAN)
    for writer in (ben, room.owner):
        writer.write(room.channel, room.grants[writer.name], Delete(began.id))
        writer.write(room.channel, room.grants[writer.name], Edit(began.id, "nothing"))
    await store.append(room.entries())
    assert await told(store, room) == [("ben", None, False)]
    held = await store.entry(EntryId(began.id))
    assert held is not None
    assert held.body is not None


async def test_a_body_that_comes_later_tells_it(open_store: OpenStore, room: Room) -> None:
    store, ben = await _store(open_store, room), room.others[0]
    started = room.tell(ben, "one", CALL_STARTED)
    began = record(room, ben, RECORDING_BEGAN)
    bare = Entry(began.id, began.header, began.header_bytes, began.signature, None)
    await store.append([*(e for e in ben.entries() if e.id != began.id), bare])
    assert await told(store, room) == []
    assert await store.wanted(room.channel, 9) == [began.id]
    assert began.body is not None
    filled = await store.fill_bodies([(EntryId(began.id), began.body)])
    assert [(m.id, what) for m, what in filled.changed] == [(started.id, "call")]
    assert await told(store, room) == [("ben", None, False)]


async def test_what_has_no_effect_is_kept_and_tells_nothing(open_store: OpenStore) -> None:
    room = make_room("ada", "ben", posts=Level.ADMIN)
    store, ben = await _store(open_store, room), room.others[0]
    room.tell(room.owner, "one", CALL_STARTED)
    record(room, ben, RECORDING_BEGAN)
    later = record(room, room.owner, 3)
    record(room, room.owner, RECORDING_BEGAN, call="another call")
    await store.append(room.entries())
    assert await told(store, room) == [], "one may not post, one is of a later version"
    assert await store.entry(EntryId(later.id)) == later


@pytest.mark.blocks_loop("reads with the plain driver")
async def test_the_first_page_says_who_recorded(
    open_store: OpenStore, room: Room, tmp_path: Path
) -> None:
    store = await _store(open_store, room)
    room.tell(room.owner, "one", CALL_STARTED)
    record(room, room.owner, RECORDING_BEGAN)
    await store.append(room.entries())
    first = read_first_page(tmp_path / "store.sqlite3")
    assert first is not None
    assert first.page is not None
    assert list(first.page.messages) == list((await store.page(room.channel)).messages)
    assert await told(store, room) == [("ada", None, True)]


def _made(id: str, started_ms: int, state: str = "recording") -> Recording:
    return Recording(
        id=id,
        call=CallId(seed("call", id)),
        conversation=ConversationId(seed("room")),
        path=f"/Videos/Désign “{id}” 会議.mkv",
        started_at_ms=started_ms,
        duration_s=12.25,
        size_bytes=2**40,
        names=("Ada", "Bén\n"),
        participants=(PersonId(seed("ada")), PersonId(seed("ben"))),
        chapters=(Chapter(0.5, "chat", "Ada: “hi” \\ 'there'"), Chapter(2.0, "pause", "Paused")),
        state=state,
    )


async def test_own_recordings_are_kept_as_they_are_and_forgotten(
    open_store: OpenStore, room: Room
) -> None:
    store = await _store(open_store, room)
    old, new = _made("a", 1), _made("b", 2)
    await store.save_recording(old)
    await store.save_recording(new)
    assert await store.recordings() == [new, old]
    done = _made("a", 1, "done")
    await store.save_recording(done)
    assert await store.recordings() == [new, done]
    await store.rebuild()
    assert await store.recordings() == [new, done]
    await store.forget_recording("b")
    await store.forget_recording("never there")
    assert await store.recordings() == [done]


async def test_own_recordings_are_there_after_a_restart(open_store: OpenStore, room: Room) -> None:
    store = await _store(open_store, room)
    await store.save_recording(_made("a", 1))
    await store.aclose()
    again = await open_store(room.owner)
    assert await again.recordings() == [_made("a", 1)]
