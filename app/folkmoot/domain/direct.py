"""Direct conversations: two or more fixed persons, no team, no grant."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.domain.hashing import tagged_hash
from folkmoot.domain.ids import ConversationId, PersonId

DIRECT_LABEL = "folkmoot/direct/1"
MIN_DIRECT_PERSONS = 2
MAX_DIRECT_PERSONS = 16


def direct_persons(persons: Iterable[PersonId]) -> tuple[PersonId, ...]:
    """The persons sorted and without doubles, as `open` lists them."""
    return tuple(sorted(set(persons)))


def direct_id(persons: Iterable[PersonId]) -> ConversationId:
    """The conversation of exactly these persons, the same whoever asks and in any order."""
    return ConversationId(tagged_hash(DIRECT_LABEL, *direct_persons(persons)))
