"""The folder of recordings on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.system.profile import Profile
from folkmoot.system.recordings import FOLDER, RecordingFolder


@pytest.fixture
def files(tmp_path: Path) -> RecordingFolder:
    return RecordingFolder(Profile(tmp_path / "profile"))


async def test_a_folder_is_made_closed_to_others_and_its_free_bytes_are_told(
    files: RecordingFolder, tmp_path: Path
) -> None:
    folder = tmp_path / "a" / "b"
    assert await files.prepare(str(folder)) > 0
    assert folder.stat().st_mode & 0o077 == 0
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("way", ["relative", "file", "no rights", "nul"])
async def test_a_folder_that_cannot_be_used_is_refused_in_words(
    files: RecordingFolder, tmp_path: Path, way: str
) -> None:
    folder = {"relative": "recordings", "nul": f"{tmp_path}/a\0b"}.get(way, str(tmp_path / "x"))
    if way == "file":
        (tmp_path / "x").write_text("in the way")
    elif way == "no rights":
        folder = "/proc/recordings"
    with pytest.raises(UserError) as refused:
        await files.prepare(folder)
    assert refused.value.code == "bad_folder"
    assert refused.value.hint


async def test_a_file_that_is_there_is_never_taken(files: RecordingFolder, tmp_path: Path) -> None:
    (tmp_path / "call.mkv").write_bytes(b"before")
    os.symlink("nowhere", tmp_path / "call 2.mkv")
    assert await files.free_path(str(tmp_path), "call", "mkv") == str(tmp_path / "call 3.mkv")
    assert await files.free_path(str(tmp_path), "call", "mp4") == str(tmp_path / "call.mp4")


async def test_a_stem_that_leads_out_of_the_folder_is_refused(
    files: RecordingFolder, tmp_path: Path
) -> None:
    with pytest.raises(UserError) as refused:
        await files.free_path(str(tmp_path), "../call", "mkv")
    assert refused.value.code == "bad_folder"


async def test_sizes_are_of_files_and_a_deleted_one_is_gone(
    files: RecordingFolder, tmp_path: Path
) -> None:
    path = tmp_path / "call.mkv"
    path.write_bytes(b"12345")
    paths = [str(path), str(tmp_path / "none.mkv"), str(tmp_path)]
    assert await files.sizes(paths) == [5, None, None]
    await files.delete(str(path))
    await files.delete(str(path))
    assert not path.exists()
    with pytest.raises(UserError):
        await files.delete(str(tmp_path))


def test_recordings_of_a_named_profile_are_kept_in_it(
    files: RecordingFolder, tmp_path: Path
) -> None:
    assert files.default_folder() == str(tmp_path / "profile" / "recordings")


def test_recordings_of_the_usual_profile_are_kept_with_the_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = tmp_path / "usual"
    monkeypatch.setattr("folkmoot.system.recordings.default_folder", lambda: usual)
    monkeypatch.setattr("platformdirs.user_videos_dir", lambda: str(tmp_path / "Videos"))
    files = RecordingFolder(Profile(usual))
    assert files.default_folder() == str(usual / "recordings"), "there are no videos"
    (tmp_path / "Videos").mkdir()
    assert files.default_folder() == str(tmp_path / "Videos" / FOLDER)


def test_a_stamp_is_the_time_of_this_place(
    files: RecordingFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert files.stamp(1_790_000_000_000) == "2026-09-21 19.43.20"
    finally:
        monkeypatch.undo()
        time.tzset()
