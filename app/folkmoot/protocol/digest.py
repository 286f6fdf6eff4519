"""Digests: what two nodes compare to learn that nothing is new (`WIRE.md`, "Digests")."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot.domain.entry import LogHead
from folkmoot.domain.hashing import tagged_hash
from folkmoot.domain.ids import ConversationId

DIGEST_LABEL = "folkmoot/digest/1"
DIGESTS_LABEL = "folkmoot/digests/1"


def conversation_digest(heads: Iterable[LogHead]) -> bytes:
    """One hash over the heads of a conversation's logs, in any order: 32 bytes."""
    rows = sorted(
        head.log.device + head.log.grant + head.sequence.to_bytes(8, "big") + head.id
        for head in heads
    )
    return tagged_hash(DIGEST_LABEL, *rows)


def overall_digest(digests: Iterable[tuple[ConversationId, bytes]]) -> bytes:
    """One hash over the digests of all conversations shown to a peer, in any order: 32 bytes."""
    return tagged_hash(DIGESTS_LABEL, *(c + digest for c, digest in sorted(digests)))
