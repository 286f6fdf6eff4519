"""Words for the ear: of a person's key, and of two links' ends that compare (`WIRE.md`, "Words").

The list is the BIP-39 English one; it comes in as text, since this layer reads no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from folkmoot.domain.hashing import tagged_hash
from folkmoot.domain.ids import PersonId

WORD_COUNT = 2048
WORD_BITS = 11
SPOKEN_WORDS = 4
PERSON_LABEL = "folkmoot/person-words/1"
SAS_LABEL = "folkmoot/sas/1"


def read_words(text: str) -> tuple[str, ...]:
    """The word list, one word per line. Raises ValueError unless there are 2,048 different ones."""
    words = tuple(text.split())
    if len(words) != WORD_COUNT or len(set(words)) != WORD_COUNT:
        raise ValueError(f"a word list has {WORD_COUNT} different words")
    return words


def person_words(person: PersonId, words: Sequence[str]) -> tuple[str, ...]:
    """Four words of a person's key."""
    return _spoken(tagged_hash(PERSON_LABEL, person), words)


def sas_commitment(n1: bytes) -> bytes:
    """What the dialler sends of its 32 random bytes before it has seen the listener's."""
    return sha256(n1).digest()


def sas_words(
    link: bytes, dialler: PersonId, listener: PersonId, n1: bytes, n2: bytes, words: Sequence[str]
) -> tuple[str, ...]:
    """Four words both ends of a link show: equal only if nobody sits between them.

    `link` is the handshake's H; `n1` is the dialler's 32 bytes, `n2` the listener's.
    """
    return _spoken(tagged_hash(SAS_LABEL, link, dialler, listener, n1, n2), words)


def _spoken(digest: bytes, words: Sequence[str]) -> tuple[str, ...]:
    """The first 44 bits of a hash, eleven to a word."""
    number = int.from_bytes(digest, "big") >> (len(digest) * 8 - SPOKEN_WORDS * WORD_BITS)
    shifts = range((SPOKEN_WORDS - 1) * WORD_BITS, -1, -WORD_BITS)
    return tuple(words[(number >> shift) & (WORD_COUNT - 1)] for shift in shifts)
