"""The event bus."""

from __future__ import annotations

from folkmoot.services.events import EventBus, Gap, NoticeChanged


async def test_a_queue_hands_out_events_in_order() -> None:
    bus = EventBus()
    queue = bus.queue()
    first, second = NoticeChanged("a", ""), NoticeChanged("b", "")
    bus.publish(first)
    bus.publish(second)
    assert [await queue.get(), await queue.get()] == [first, second]


async def test_a_reader_that_is_too_slow_is_told_of_the_gap_once() -> None:
    bus = EventBus()
    queue = bus.queue(limit=2)
    for code in "abc":
        bus.publish(NoticeChanged(code, ""))
    assert await queue.get() == Gap()
    bus.publish(NoticeChanged("d", ""))
    assert await queue.get() == NoticeChanged("d", "")


async def test_a_closed_queue_takes_nothing_more() -> None:
    bus = EventBus()
    queue = bus.queue()
    queue.close()
    bus.publish(NoticeChanged("a", ""))
    assert not queue._events
