"""The keys on disk: made once, the same at each start, never replaced in silence."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.protocol.certificates import read_certificate
from folkmoot.services.keyring import Keyring
from folkmoot.system.clock import SystemClock, SystemRandomness
from folkmoot.system.identity_files import open_keyring, save_certificate
from folkmoot.system.profile import Profile, open_profile


def opened(profile: Profile) -> Keyring:
    return open_keyring(profile, SystemClock(), SystemRandomness(), lambda: "desk")


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return open_profile(tmp_path / "profile")


def test_the_first_start_makes_three_different_keys_and_a_certificate(profile: Profile) -> None:
    keyring = opened(profile)
    seeds = {
        (profile.identity / f"{name}.key").read_bytes() for name in ("person", "device", "seal")
    }
    assert len(seeds) == 3
    assert all(len(seed) == 32 for seed in seeds)
    certificate = read_certificate(keyring.signed)
    assert (certificate.person, certificate.device) == (keyring.person, keyring.device)
    assert certificate.name == "desk"
    assert len({certificate.person, certificate.device, certificate.seal_key}) == 3


def test_every_key_file_is_private(profile: Profile) -> None:
    opened(profile)
    files = sorted(profile.identity.iterdir())
    assert [file.name for file in files] == ["certificate", "device.key", "person.key", "seal.key"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_next_start_reads_the_same_identity(profile: Profile) -> None:
    first, second = opened(profile), opened(profile)
    assert (first.person, first.device, first.signed) == (
        second.person,
        second.device,
        second.signed,
    )


def test_a_start_that_was_killed_before_the_certificate_is_gone_on_with(profile: Profile) -> None:
    first = opened(profile)
    (profile.identity / "certificate").unlink()
    again = opened(profile)
    assert (again.person, again.device) == (first.person, first.device)


def test_keys_missing_beside_a_store_are_not_made_anew(profile: Profile) -> None:
    profile.store.write_bytes(b"messages")
    with pytest.raises(EnvironmentFault) as raised:
        opened(profile)
    assert raised.value.code == "identity_missing"
    assert list(profile.identity.iterdir()) == []


@pytest.mark.parametrize("name", ["person.key", "device.key", "seal.key", "certificate"])
def test_a_damaged_key_file_is_refused_and_left_alone(profile: Profile, name: str) -> None:
    opened(profile)
    content = bytearray((profile.identity / name).read_bytes())
    content[-1] ^= 1
    (profile.identity / name).write_bytes(bytes(content))
    with pytest.raises(EnvironmentFault) as raised:
        opened(profile)
    assert raised.value.code == "identity_damaged"
    assert (profile.identity / name).read_bytes() == bytes(content)


def test_a_computer_renamed_before_the_first_team_has_a_new_certificate(profile: Profile) -> None:
    renamed = opened(profile).named("lap", SystemClock())
    save_certificate(profile, renamed)
    assert opened(profile).certificate.name == "lap"


def test_a_keyring_shows_no_secret_when_it_is_printed(profile: Profile) -> None:
    shown = repr(opened(profile))
    for name in ("person", "device", "seal"):
        assert (profile.identity / f"{name}.key").read_bytes().hex() not in shown
        assert repr((profile.identity / f"{name}.key").read_bytes()) not in shown
