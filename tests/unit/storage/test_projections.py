"""The same entries give the same projections: in any order, twice, and computed again."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.rooms import Room, make_room, say_directly
from builders.writers import Writer, admit, seed
from folkmoot.domain.bodies import (
    CALL_ENDED,
    CALL_STARTED,
    Delete,
    Edit,
    Level,
    React,
    Set,
)
from folkmoot.domain.entry import Entry, Kind
from folkmoot.services.call_values import CallRecord
from folkmoot.storage.lanes import InlineLanes
from folkmoot.storage.store import SqliteStore

from .conftest import HandClock, OpenStore
from .dump import dump, dump_base, portable


def admitted_by(room: Room, member: Writer, name: str) -> Writer:
    """Another member, whose grant stands in the log of `member`."""
    made = next(e for e in room.owner.entries() if e.header.kind == Kind.INVITE)
    joiner = Writer(name)
    body = admit(room.team, made, "all", joiner)
    room.grants[name] = member.write(room.team, room.grants[member.name], body).id
    room.others = (*room.others, joiner)
    return joiner


def busy_room() -> Room:
    """A room in which people answer, edit, react and delete across each other."""
    room = make_room("ada", "ben", "cleo", posts=Level.MEMBER)
    ada, (ben, cleo) = room.owner, room.others
    channel, grants = room.channel, room.grants
    dan = admitted_by(room, ben, "dan")
    room.say(dan, "whose grant may come after this")
    dan.write(room.team, grants["dan"], Set("profile/name", "Dan"))
    root = room.say(ada, "Where do we meet? 東京駅で", mentions=(ben.person,))
    answer = room.say(ben, "At the harbour", thread=root.id, also_in_channel=True)
    secret = room.say(ben, "never mind", thread=root.id)
    first = ben.write(channel, grants["ben"], Edit(answer.id, "At the old harbour"))
    ben.write(channel, grants["ben"], Edit(answer.id, "At the new harbour", replaces=(first.id,)))
    cleo.write(channel, grants["cleo"], Edit(answer.id, "Nowhere"))
    ben.write(channel, grants["ben"], Edit(secret.id, "never mind me"))
    for person in (ada, ben, cleo):
        on = person.write(channel, grants[person.name], React(root.id, "🎉", True))
    cleo.write(channel, grants["cleo"], React(root.id, "🎉", False, (on.id,)))
    ben.write(channel, grants["ben"], Delete(secret.id))
    cleo.write(channel, grants["cleo"], Delete(root.id))
    gone = room.say(cleo, "to be deleted by an admin")
    ada.write(channel, grants["ada"], Delete(gone.id))
    start = room.say(cleo, "first of a thread")
    room.say(ada, "which stays", thread=start.id)
    cleo.write(channel, grants["cleo"], Delete(start.id))
    ada.write(channel, grants["ada"], Set("topic", "Meeting"))
    ben.write(channel, grants["ben"], Set("topic", "Meeting soon"))
    ben.write(channel, grants["ben"], Set("name", "not-allowed"))
    ada.write(room.team, grants["ada"], Set("profile/name", "Ada"))
    call_across(room)
    say_directly(ben, [ada], "between us")
    say_directly(ada, [ben], "yes?")
    return room


def call_across(room: Room) -> None:
    """Calls whose ends stand in other logs, twice, conflicting, deleted, and one never ended."""
    ada, (ben, cleo) = room.owner, room.others[:2]
    both = (ada.person, ben.person)
    room.tell(ben, "one", CALL_STARTED)
    room.tell(cleo, "one", CALL_ENDED, (ben.person, cleo.person), 9_000)
    room.tell(ada, "one", CALL_ENDED, (*both, cleo.person), 60)
    room.tell(ben, "one", CALL_ENDED, (Writer("stranger").person, *both), 90_000)
    room.tell(ada, "twice", CALL_STARTED)
    room.tell(cleo, "twice", CALL_STARTED)
    phone = Writer("cleo", 1)
    room.others = (*room.others, phone)
    room.tell(phone, "twice", CALL_STARTED)
    gone = room.tell(ben, "twice", CALL_STARTED)
    ben.write(room.channel, room.grants["ben"], Delete(gone.id))
    room.tell(ben, "twice", 7)
    missed = room.tell(cleo, "missed", CALL_STARTED)
    room.say(ben, "you called?", thread=missed.id)
    cleo.write(room.channel, room.grants["cleo"], Edit(missed.id, "not a call"))
    ada.write(room.channel, room.grants["ada"], React(missed.id, "👍", True))
    deleted = room.tell(cleo, "deleted", CALL_STARTED)
    room.say(ben, "what was that?", thread=deleted.id)
    room.tell(cleo, "deleted", CALL_ENDED, both, 5)
    cleo.write(room.channel, room.grants["cleo"], Delete(deleted.id))
    room.tell(ben, "unknown", CALL_ENDED, both, 5)


ROOM = busy_room()
LOGS = [log for writer in ROOM.writers for log in writer.logs.values()]


async def store_of(path: Path, batches: Sequence[Sequence[Entry]]) -> list[CallRecord]:
    """A store at `path` that took these batches; what it tells of calls."""
    me = ROOM.owner
    lanes = InlineLanes()
    store = await SqliteStore.open(path, me.person, me.device, clock=HandClock(), lanes=lanes)
    for batch in batches:
        await store.append(batch)
    calls = await store.calls(100)
    await store.aclose()
    return calls


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Entry]]:
    """The logs in any interleaving, in batches, some entries twice."""
    left = [list(log) for log in LOGS]
    batches: list[list[Entry]] = []
    while any(left):
        log = draw(st.sampled_from([log for log in left if log]))
        count = draw(st.integers(1, len(log)))
        taken = [log.pop(0) for _ in range(count)]
        again = draw(st.lists(st.sampled_from(taken), max_size=2))
        joined: bool = draw(st.booleans())
        if batches and joined:
            batches[-1].extend([*taken, *again])
        else:
            batches.append([*taken, *again])
    return batches


@pytest.mark.blocks_loop("runs every job at once, and compares files")
@settings(max_examples=25, deadline=None)
@given(deliveries())
async def test_any_order_and_any_doubling_of_entries_reads_the_same(
    batches: list[list[Entry]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        straight, crooked = Path(folder, "straight"), Path(folder, "crooked")
        calls = await store_of(straight, [ROOM.entries()])
        assert await store_of(crooked, batches) == calls
        assert portable(crooked) == portable(straight)
        assert [call.duration_s for call in calls if call.id == seed("call", "one")] == [60]


@pytest.mark.blocks_loop("runs every job at once, and compares files")
@settings(max_examples=15, deadline=None)
@given(deliveries())
async def test_computing_the_projections_again_gives_the_same_bytes(
    batches: list[list[Entry]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "store")
        await store_of(path, batches)
        before, base = dump(path), dump_base(path)
        me = ROOM.owner
        store = await SqliteStore.open(path, me.person, me.device, clock=HandClock())
        assert await store.rebuild() == sum(len(log) for log in LOGS)
        await store.aclose()
        assert dump(path) == before
        assert dump_base(path) == base
        assert before["message"]
        assert before["words"]


async def test_read_marks_survive_a_rebuild(open_store: OpenStore, tmp_path: Path) -> None:
    store = await open_store(ROOM.owner)
    await store.append(ROOM.entries())
    first = await store.first_unread(ROOM.channel)
    assert first is not None
    await store.mark_read(ROOM.channel, first.arrival)
    before = await store.conversations()
    await store.rebuild()
    assert await store.conversations() == before


async def test_another_persons_store_is_projected_anew(open_store: OpenStore) -> None:
    store = await open_store(ROOM.owner)
    await store.append(ROOM.entries())
    await store.aclose()
    store = await open_store(ROOM.others[0])
    page = await store.page(ROOM.channel)
    assert [m.mine for m in page.messages] == [
        m.author == ROOM.others[0].person for m in page.messages
    ]
