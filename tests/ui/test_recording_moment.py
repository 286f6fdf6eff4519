"""Which message a jump from a recording comes to."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from folkmoot.domain.ids import EntryId
from folkmoot.services.values import Message, Page
from folkmoot.ui.facade import Node
from folkmoot.ui.main.moment import message_at
from ui.samples import BASE_MS, CHANNEL, at_time, entry, message


class _Messages:
    """`node.messages.page` over a list, with the bounds of the real one."""

    def __init__(self, rows: list[Message]) -> None:
        self.rows = rows
        self.asked = 0

    async def page(self, _place: object, *, ordinal: int | None = None, limit: int = 64) -> Page:
        self.asked += 1
        total = len(self.rows)
        first = max(0, min(total if ordinal is None else ordinal, total - limit))
        found = tuple(self.rows[first : first + limit])
        return Page(found, first, total, first > 0, first + len(found) < total)


def found(rows: list[Message], at_ms: int, said: str = "") -> EntryId | None:
    """Where a jump comes to."""
    node = cast("Node", SimpleNamespace(messages=_Messages(rows)))
    return asyncio.run(message_at(node, CHANNEL, at_ms, said))


def minutes(count: int, **changes: Any) -> list[Message]:
    """One a minute."""
    return [at_time(message(n, **changes), BASE_MS + n * 60_000) for n in range(count)]


@pytest.mark.parametrize("number", [0, 1, 7, 499, 998, 999])
def test_it_comes_to_the_first_message_of_that_time(number: int) -> None:
    rows = minutes(1000)
    assert found(rows, BASE_MS + number * 60_000) == entry(number)
    assert found(rows, BASE_MS + number * 60_000 - 59_000) == entry(number)


def test_after_the_last_one_it_is_the_last_one_and_nothing_has_none() -> None:
    assert found(minutes(5), BASE_MS + 10**9) == entry(4)
    assert found([], BASE_MS) is None


def test_a_year_of_talk_takes_few_questions() -> None:
    messages = _Messages(minutes(20_000))
    node = cast("Node", SimpleNamespace(messages=messages))
    asyncio.run(message_at(node, CHANNEL, BASE_MS + 60_000 * 12_345))
    assert messages.asked < 20


def test_the_words_of_a_chapter_are_found_later_where_a_pause_was_left_out() -> None:
    rows = minutes(100)
    rows[40] = at_time(message(40, "look at ply 7", author=2), BASE_MS + 40 * 60_000)
    assert found(rows, BASE_MS + 25 * 60_000, "Mara Oduya: look at ply 7") == entry(40)
    assert found(rows, BASE_MS + 45 * 60_000, "Mara Oduya: look at ply 7") == entry(40)


def test_the_beginning_of_a_long_message_is_enough_and_its_lines_do_not_matter() -> None:
    rows = minutes(50)
    rows[30] = at_time(message(30, "one\ntwo three four", author=2), BASE_MS + 30 * 60_000)
    assert found(rows, BASE_MS + 20 * 60_000, "Mara Oduya: one two thr…") == entry(30)


def test_words_that_are_nowhere_leave_the_time_to_decide() -> None:
    assert found(minutes(50), BASE_MS + 20 * 60_000, "Mara Oduya: gone") == entry(20)
