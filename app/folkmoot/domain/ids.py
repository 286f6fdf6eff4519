"""Names for the identifiers that the node passes around.

Every identifier is 32 raw bytes inside the node and 64 lower-case hexadecimal digits outside it
(API, logs, command line). Which 32 bytes it is, `WIRE.md` says.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

PersonId = NewType("PersonId", bytes)
"""Ed25519 public key of a person."""
DeviceId = NewType("DeviceId", bytes)
"""Ed25519 public key of one installation."""
EntryId = NewType("EntryId", bytes)
"""SHA-256 of an entry's header bytes."""
ConversationId = NewType("ConversationId", bytes)
"""Entry id of the genesis or channel entry, or the hash that names a direct conversation."""

ZERO = bytes(32)
"""Stands for "none" wherever an identifier is expected on the wire."""


class LogKey(NamedTuple):
    """One device's log in one conversation under one grant."""

    conversation: ConversationId
    device: DeviceId
    grant: EntryId
