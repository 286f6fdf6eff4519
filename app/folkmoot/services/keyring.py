"""The keys of this installation, as the services use them. Files are `system.identity_files`'s."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.identity import Certificate, SignedCertificate
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.protocol.certificates import make_certificate, read_certificate
from folkmoot.protocol.keys import Signer, seal_public
from folkmoot.services.ports import Clock


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Person key, device key, seal key and the certificate that binds them.

    Three keys, none used for another's purpose. Nothing here is ever logged.
    """

    person_key: Signer
    device_key: Signer
    seal_seed: bytes
    signed: SignedCertificate
    certificate: Certificate

    @property
    def person(self) -> PersonId:
        """The person's public key."""
        return self.certificate.person

    @property
    def device(self) -> DeviceId:
        """The device's public key."""
        return self.certificate.device

    def named(self, device_name: str, clock: Clock) -> Keyring:
        """The same keys with a certificate that names the computer differently."""
        return make_keyring(
            self.person_key, self.device_key, self.seal_seed, device_name, clock.wall_ms()
        )


def make_keyring(
    person_key: Signer, device_key: Signer, seal_seed: bytes, device_name: str, created_ms: int
) -> Keyring:
    """A keyring with a fresh certificate; `device_name` is a cleaned name."""
    device = DeviceId(device_key.public)
    signed = make_certificate(person_key, device, seal_public(seal_seed), device_name, created_ms)
    return Keyring(person_key, device_key, seal_seed, signed, read_certificate(signed))
