"""Made-up messages for the tests, the gallery and the benchmark of the timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, PersonId
from folkmoot.services.call_values import CallId, CallRecord
from folkmoot.services.values import Message, OrderKey, Page, PersonName, Reaction

BASE_MS = 1_700_000_000_000
"""14 November 2023, 22:13 UTC."""
CHANNEL = ConversationId(b"c" * 32)
NAMES = ("Elin Aas", "Tomas Lind", "Mara Oduya", "Yuki Kato")


def person(number: int) -> PersonId:
    """A person's key; its avatar colour follows from the number."""
    return PersonId(bytes([0, 0, 0, number]) + bytes(28))


def entry(number: int) -> EntryId:
    """The id of the message `number`."""
    return EntryId(number.to_bytes(32, "big"))


def message(number: int, text: str = "", author: int | None = None, **changes: Any) -> Message:
    """Message `number`, two minutes after the one before it, by one of four people."""
    who = (number // 3) % 4 if author is None else author
    at = BASE_MS + number * 120_000
    made = Message(
        id=entry(number),
        conversation=CHANNEL,
        author=person(who),
        author_name=NAMES[who],
        device=DeviceId(bytes(32)),
        text=text or f"Message number {number}.",
        thread=None,
        reply_to=None,
        also_in_channel=False,
        sent_at_ms=at,
        arrived_at_ms=at,
        arrival=number,
        order=OrderKey(at, 0, entry(number)),
        mine=who == 0,
        edited=False,
        deleted=False,
        body_missing=False,
        late=False,
        clock_wrong=False,
        reactions=(),
        reply_count=0,
        last_reply_ms=0,
        repliers=(),
        stored_on=9,
        stored_of=9,
    )
    return replace(made, **changes)


def call_message(
    number: int,
    author: int,
    *others: int,
    seconds: int | None = None,
    video: bool = True,
    is_open: bool = False,
    declined: bool = False,
    declined_by: tuple[int, ...] = (),
) -> Message:
    """The card of a call that `author` started; 0 is oneself. `seconds` None: it has no end."""
    took_part = 0 in (author, *others)
    people = () if seconds is None else tuple(n for n in (author, *others) if n)
    people += (0,) if took_part and seconds is not None else ()
    made = message(number, author=author)
    ended_at = None if seconds is None else made.sent_at_ms + seconds * 1000
    record = CallRecord(
        id=CallId(bytes([number % 256]) * 32),
        conversation=CHANNEL,
        started_by=made.author,
        started_by_name=made.author_name,
        video=video,
        started_at_ms=made.sent_at_ms,
        ended_at_ms=ended_at,
        duration_s=seconds or 0,
        participants=tuple(person(n) for n in people),
        names=tuple(NAMES[n] for n in people),
        took_part=took_part,
        is_open=is_open,
        declined=declined,
        declined_by=tuple((person(n), NAMES[n]) for n in declined_by),
    )
    return replace(made, text="", call=record)


def at_time(made: Message, at_ms: int) -> Message:
    """The same message at another time."""
    call = made.call
    if call is not None:
        ended_at = None if call.ended_at_ms is None else at_ms + call.duration_s * 1000
        call = replace(call, started_at_ms=at_ms, ended_at_ms=ended_at)
    order = OrderKey(at_ms, 0, made.id)
    return replace(made, sent_at_ms=at_ms, arrived_at_ms=at_ms, order=order, call=call)


def page(
    first: int, last: int, *, total: int = 1000, messages: tuple[Message, ...] | None = None
) -> Page:
    """Messages `first` to `last` (exclusive) of a list of `total`."""
    rows = messages or tuple(message(n) for n in range(first, last))
    return Page(rows, first, total, first > 0, last < total)


def whole(*messages: Message) -> Page:
    """A list that is nothing but these."""
    return Page(tuple(messages), 0, len(messages), has_older=False, has_newer=False)


def reaction(emoji: str, count: int, *, mine: bool = False) -> Reaction:
    """A reaction of the first `count` people."""
    who = range(min(count, 4))
    return Reaction(emoji, count, mine, tuple(person(n) for n in who), tuple(NAMES[n] for n in who))


def repliers(*numbers: int) -> tuple[PersonName, ...]:
    """People who answered in a thread."""
    return tuple(PersonName(person(n), NAMES[n]) for n in numbers)
