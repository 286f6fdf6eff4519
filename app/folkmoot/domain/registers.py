"""Registers: a value that many may write at once, without a clock.

Each write names every head it saw. Heads are the writes that no counted write replaces; the value
is the one with the greatest id among them. Only writes of one register are given at a time: which
of them count (rights, deletion) is decided before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from folkmoot.domain.ids import EntryId


class Write(NamedTuple):
    """One counted write to a register."""

    id: EntryId
    replaces: tuple[EntryId, ...]


def heads(writes: Iterable[Write]) -> tuple[EntryId, ...]:
    """The writes that no other replaces, sorted; a new write names them all. () if none."""
    held = tuple(writes)
    replaced = {old for write in held for old in write.replaces if old != write.id}
    return tuple(sorted({write.id for write in held} - replaced))


def winner(writes: Iterable[Write]) -> EntryId | None:
    """The write whose value the register has."""
    top = heads(writes)
    return top[-1] if top else None
