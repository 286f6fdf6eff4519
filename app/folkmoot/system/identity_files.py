"""The private keys of this installation as files: made once, read at each start.

Three seeds of 32 bytes and the certificate, each a file of its own that only its owner reads.
Refuses to make new keys over a profile that had some: a person would silently become another.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.identity import SignedCertificate
from folkmoot.protocol.certificates import read_certificate
from folkmoot.protocol.keys import SEED_BYTES, SIGNATURE_BYTES, Signer, seal_public
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.ports import Clock, Randomness
from folkmoot.system.profile import Profile, make_private_folder, write_private

_PERSON, _DEVICE, _SEAL = "person.key", "device.key", "seal.key"
_CERTIFICATE = "certificate"
_MAX_CERTIFICATE_BYTES = 4096


def open_keyring(
    profile: Profile, clock: Clock, randomness: Randomness, device_name: Callable[[], str]
) -> Keyring:
    """The keys of `profile`, made at the first start. Blocks.

    Raises `EnvironmentFault` ``identity_missing``, ``identity_damaged``, ``read_only``,
    ``disk_full``.
    """
    folder = profile.identity
    if not (folder / _PERSON).exists() and profile.store.exists():
        raise EnvironmentFault(
            "identity_missing",
            f"The keys of this profile are missing in {folder}.",
            "The messages are safe. Put the keys back, or choose another folder with --profile.",
        )
    seeds = [_seed(folder / name, randomness) for name in (_PERSON, _DEVICE, _SEAL)]
    person, device, seal = Signer(seeds[0]), Signer(seeds[1]), seeds[2]
    if (folder / _CERTIFICATE).exists():
        return _read(folder / _CERTIFICATE, person, device, seal)
    keyring = make_keyring(person, device, seal, device_name(), clock.wall_ms())
    save_certificate(profile, keyring)
    return keyring


def save_certificate(profile: Profile, keyring: Keyring) -> None:
    """Keep the certificate of `keyring`. Blocks. Raises what `write_private` raises."""
    make_private_folder(profile.identity)
    content = keyring.signed.signature + keyring.signed.data
    write_private(profile.identity / _CERTIFICATE, content)


def _seed(path: Path, randomness: Randomness) -> bytes:
    if not path.exists():
        write_private(path, randomness.bytes(SEED_BYTES))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    seed = _content(path)
    if len(seed) != SEED_BYTES:
        raise _damaged(path)
    return seed


def _read(path: Path, person: Signer, device: Signer, seal: bytes) -> Keyring:
    content = _content(path)
    signed = SignedCertificate(content[SIGNATURE_BYTES:], content[:SIGNATURE_BYTES])
    try:
        certificate = read_certificate(signed)
    except PeerError as error:
        raise _damaged(path) from error
    if (certificate.person, certificate.device) != (person.public, device.public):
        raise _damaged(path)
    if certificate.seal_key != seal_public(seal):
        raise _damaged(path)
    return Keyring(person, device, seal, signed, certificate)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_CERTIFICATE_BYTES)
    except OSError as error:
        raise EnvironmentFault(
            "identity_damaged",
            f"The key file {path} cannot be read: {error.strerror or error}.",
            "Nothing was changed. Allow reading it, or put a copy back.",
        ) from error


def _damaged(path: Path) -> EnvironmentFault:
    return EnvironmentFault(
        "identity_damaged",
        f"The key file {path} is damaged or belongs to another profile.",
        "Nothing was changed. Put a copy of the folder “identity” back.",
    )
