"""The profile folder: private, whole or not at all, and clear words when it cannot be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.system.profile import open_profile, write_private


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_profile_is_closed_to_others(tmp_path: Path) -> None:
    profile = open_profile(tmp_path / "deep" / "profile")
    assert mode_of(profile.folder) == 0o700
    assert mode_of(profile.identity) == 0o700
    assert mode_of(profile.log.parent) == 0o700


def test_an_empty_folder_that_was_there_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir(mode=0o755)
    assert mode_of(open_profile(folder).folder) == 0o700


def test_a_folder_with_other_things_keeps_its_permissions(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir(mode=0o755)
    (folder / "letter.txt").write_text("kept")
    profile = open_profile(folder)
    assert mode_of(folder) == 0o755
    assert mode_of(profile.identity) == 0o700


def test_a_file_in_the_way_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault) as raised:
        open_profile(tmp_path / "file")
    assert raised.value.code == "bad_profile"


def test_a_private_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "secret", b"x")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "secret") == 0o600


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    write_private(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EnvironmentFault) as raised:
        write_private(path, b"new")
    assert raised.value.code == "disk_full"
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["secret"]
