"""What is inside a sealed envelope, as bytes (`SIGNALING.md`, "Mailbox").

An envelope carries segments of one device's logs as links do, in the order in which they are to be
stored. Refuses what a link would refuse: what is too large, not canonical or of another shape.
Whether the entries are genuine, and their writer had the right, is judged as for those of a link.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec

from folkmoot.domain.entry import Entry
from folkmoot.domain.errors import PeerError
from folkmoot.domain.ids import DeviceId, LogKey
from folkmoot.protocol.codec import Reader, pack
from folkmoot.protocol.frames import Segment
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES

MAIL_VERSION: Final = 1
SEAL_OVERHEAD_BYTES: Final = 48
"""The encapsulated key and the tag."""
MAX_MAIL_BYTES: Final = MAX_ENVELOPE_BYTES - SEAL_OVERHEAD_BYTES
MAX_MAIL_SEGMENTS: Final = 64


class _Mail(msgspec.Struct, array_like=True, frozen=True):
    version: int
    segments: Annotated[
        tuple[Segment, ...], msgspec.Meta(min_length=1, max_length=MAX_MAIL_SEGMENTS)
    ]


_READER: Reader[_Mail] = Reader(_Mail, "bad_mail")


def mail_info(recipient: DeviceId) -> bytes:
    """What binds a seal to its purpose and its recipient (the `info` of HPKE)."""
    return b"folkmoot/mail/1\0" + recipient


def write_mail(segments: Sequence[Segment]) -> bytes:
    """The text to be sealed; the caller keeps it within `MAX_MAIL_BYTES`."""
    return pack(_Mail(MAIL_VERSION, tuple(segments)))


def read_mail(text: bytes) -> tuple[Segment, ...]:
    """The segments in the text of an envelope.

    Raises `PeerError` ``too_large``, ``not_canonical`` or ``bad_mail``.
    """
    mail = _READER.read(text, MAX_MAIL_BYTES)
    if mail.version != MAIL_VERSION:
        raise PeerError("bad_mail", f"an envelope of version {mail.version}")
    for segment in mail.segments:
        if len(segment.headers) != len(segment.bodies):
            raise PeerError("bad_mail", "a segment has as many bodies as headers")
    if len({segment.device for segment in mail.segments}) != 1:
        raise PeerError("bad_mail", "an envelope carries the logs of one device")
    return mail.segments


def segment_of(log: LogKey, entries: Sequence[Entry]) -> Segment:
    """Consecutive entries of a log; the last one has its signature."""
    signature = entries[-1].signature
    assert signature is not None
    return Segment(
        log.conversation,
        log.device,
        log.grant,
        entries[0].header.sequence,
        tuple(entry.header_bytes for entry in entries),
        signature,
        tuple(entry.body for entry in entries),
    )
