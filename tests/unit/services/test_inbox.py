"""What waits to be stored: in order, and bounded in entries and in bytes."""

from __future__ import annotations

import asyncio

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId
from folkmoot.protocol.frames import Segment
from folkmoot.services.inbox import BATCH_BYTES, BATCH_ENTRIES, MAX_BYTES, MAX_ENTRIES, Inbox


def segment(number: int, entries: int = 1, body: bytes = b"") -> Segment:
    """A segment of `entries` entries with the same body each."""
    return Segment(
        ConversationId(bytes(32)),
        DeviceId(bytes(32)),
        EntryId(bytes(32)),
        number,
        (b"h",) * entries,
        bytes(64),
        (body,) * entries,
    )


async def fill(inbox: Inbox, one: Segment) -> int:
    """Add until there is no room; how many went in."""
    for count in range(1, 100_000):
        try:
            async with asyncio.timeout(0.01):
                await inbox.add(one)
        except TimeoutError:
            return count
    raise AssertionError("it has no bound")


async def test_large_bodies_fill_it_by_their_bytes() -> None:
    one = segment(1, 32, bytes(32 * 1024))
    assert await fill(Inbox(), one) * 2**20 <= MAX_BYTES + 2**20


async def test_small_entries_fill_it_by_their_number() -> None:
    assert await fill(Inbox(), segment(1, 256)) * 256 <= MAX_ENTRIES + 256


async def test_it_gives_batches_in_order_and_then_has_room_again() -> None:
    inbox = Inbox()
    await fill(inbox, segment(1, 256))
    waiting = asyncio.ensure_future(inbox.add(segment(2)))
    await asyncio.sleep(0)
    taken: list[Segment] = []
    while batch := inbox.take():
        assert sum(len(one.headers) for one in batch) < BATCH_ENTRIES + 256
        assert sum(len(one.bodies[0] or b"") for one in batch) < BATCH_BYTES
        taken += batch
    await asyncio.wait_for(waiting, 20)
    assert [one.first for one in taken[:2]] == [1, 1]
    assert not inbox


async def test_what_is_put_back_comes_first_again() -> None:
    inbox = Inbox()
    for number in (1, 2, 3):
        await inbox.add(segment(number))
    batch = inbox.take()
    await inbox.add(segment(4))
    inbox.put_back(batch)
    assert [one.first for one in inbox.take()] == [1, 2, 3, 4]


async def test_an_emptied_one_lets_the_waiting_go() -> None:
    inbox = Inbox()
    await fill(inbox, segment(1, 256))
    waiting = asyncio.ensure_future(inbox.add(segment(2)))
    await asyncio.sleep(0)
    inbox.clear()
    await asyncio.wait_for(waiting, 20)
