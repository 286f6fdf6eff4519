"""Registers: concurrent writes to one value."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.domain.ids import EntryId
from folkmoot.domain.registers import Write, heads, winner


def entry(number: int) -> EntryId:
    return EntryId(sha256(number.to_bytes(4, "big")).digest())


def test_a_write_that_names_every_head_wins() -> None:
    first, second = Write(entry(1), ()), Write(entry(2), ())
    last = Write(entry(3), heads([first, second]))
    assert heads([first, second, last]) == (last.id,)
    assert winner([last, first, second]) == last.id


def test_of_concurrent_writes_the_greatest_id_wins_and_both_are_heads() -> None:
    writes = [Write(entry(n), ()) for n in range(5)]
    assert winner(writes) == max(write.id for write in writes)
    assert len(heads(writes)) == 5


def test_a_write_that_names_itself_stays_a_head() -> None:
    assert heads([Write(entry(1), (entry(1),))]) == (entry(1),)


def test_a_register_without_writes_has_no_value() -> None:
    assert winner([]) is None


@given(st.data())
def test_the_order_and_number_of_writes_changes_nothing(data: st.DataObject) -> None:
    seen = data.draw(st.lists(st.sets(st.integers(0, 9), max_size=3), min_size=1, max_size=10))
    writes = [
        Write(entry(n), tuple(entry(old) for old in olds if old < n)) for n, olds in enumerate(seen)
    ]
    mixed = data.draw(st.permutations(writes + writes[:3]))
    assert heads(mixed) == heads(writes)
    assert heads(writes)
