"""Certificates: a person's signature over "this device is mine" (`WIRE.md`, "Certificate")."""

from __future__ import annotations

from typing import Annotated

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.domain.names import is_name
from folkmoot.protocol.codec import Bytes32, Device32, Natural, Person32, Reader, Signature64, pack
from folkmoot.protocol.keys import LABEL_DEVICE, Signer, verify

MAX_CERTIFICATE_BYTES = 512
CERTIFICATE_VERSION = 1

CertificateBytes = Annotated[bytes, msgspec.Meta(max_length=MAX_CERTIFICATE_BYTES)]
CertificatePair = tuple[CertificateBytes, Signature64]
"""A certificate inside bodies and handshake frames: its bytes and the signature."""


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    version: int
    person: Person32
    device: Device32
    seal_key: Bytes32
    name: str
    created_ms: Natural


_READER: Reader[_Wire] = Reader(_Wire, "bad_certificate")


def make_certificate(
    person: Signer, device: DeviceId, seal_key: bytes, name: str, created_ms: int
) -> SignedCertificate:
    """A certificate of `person` for `device`; `name` (a cleaned one) is the computer's."""
    data = pack(
        _Wire(CERTIFICATE_VERSION, PersonId(person.public), device, seal_key, name, created_ms)
    )
    return SignedCertificate(data, person.sign(LABEL_DEVICE, data))


def read_certificate(signed: SignedCertificate) -> Certificate:
    """Check and read a certificate.

    Raises `PeerError` ``too_large``, ``not_canonical``, ``bad_certificate`` (shape, version, name)
    or ``bad_signature``.
    """
    wire = _READER.read(signed.data, MAX_CERTIFICATE_BYTES)
    if wire.version != CERTIFICATE_VERSION or not is_name(wire.name):
        raise PeerError("bad_certificate", "the certificate's version or name is not allowed")
    if not verify(wire.person, LABEL_DEVICE, signed.data, signed.signature):
        raise PeerError("bad_signature", "the certificate is not signed by its person")
    return Certificate(wire.person, wire.device, wire.seal_key, wire.name, wire.created_ms)
