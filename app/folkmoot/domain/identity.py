"""What a certificate says. Its bytes and its signature are read in `protocol.certificates`."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId, PersonId


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A certificate as it travels: its exact bytes and the person's signature over them."""

    data: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Certificate:
    """A person says: this device is mine. Only made from a signature that was checked.

    `seal_key` is the device's X25519 public key for sealed mail; `name` is the name of the
    computer, not of the person; `created_ms` is display only.
    """

    person: PersonId
    device: DeviceId
    seal_key: bytes
    name: str
    created_ms: int
