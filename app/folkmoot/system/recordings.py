"""The files of recordings: where they are kept, how much room there is, what they are called.

Refuses a folder in which no file can be made. Never touches a file that it was not asked to delete.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from folkmoot.domain.errors import UserError
from folkmoot.system.profile import Profile, default_folder

FOLDER = "Folkmoot recordings"
MAX_SAME = 1000


class RecordingFolder:
    """The adapter of `services.recordings.RecordingFiles`."""

    def __init__(self, profile: Profile) -> None:
        """Recordings of the usual profile are kept with the videos of the person, those of a
        profile that was named in its folder."""
        self._usual = profile.folder == default_folder().expanduser().absolute()
        self._inside = profile.folder / "recordings"

    def default_folder(self) -> str:
        """Where recordings are kept unless the person chose another folder."""
        if self._usual:
            import platformdirs

            videos = Path(platformdirs.user_videos_dir())
            if videos.is_dir() and os.access(videos, os.W_OK):
                return str(videos / FOLDER)
        return str(self._inside)

    def stamp(self, wall_ms: int) -> str:
        """A time of this computer's zone as a part of a file name."""
        return (
            datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone().strftime("%Y-%m-%d %H.%M.%S")
        )

    async def prepare(self, folder: str) -> int:
        """See `RecordingFiles.prepare`."""
        return await asyncio.to_thread(_prepare, Path(folder))

    async def free_path(self, folder: str, stem: str, ending: str) -> str:
        """See `RecordingFiles.free_path`."""
        return await asyncio.to_thread(_free_path, Path(folder), stem, ending)

    async def sizes(self, paths: Sequence[str]) -> list[int | None]:
        """See `RecordingFiles.sizes`."""
        return await asyncio.to_thread(lambda: [_size(Path(path)) for path in paths])

    async def delete(self, path: str) -> None:
        """See `RecordingFiles.delete`."""
        await asyncio.to_thread(_delete, Path(path))


def _prepare(folder: Path) -> int:
    if not folder.is_absolute():
        raise UserError("bad_folder", f"“{folder}” is no whole path.", "Choose a folder.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".folkmoot-{os.urandom(4).hex()}"
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        probe.unlink()
        return shutil.disk_usage(folder).free
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            "bad_folder",
            f"Recordings cannot be kept in {folder}: {reason}.",
            "Choose another folder for recordings.",
        ) from error


def _free_path(folder: Path, stem: str, ending: str) -> str:
    for number in range(1, MAX_SAME):
        path = folder / (f"{stem}.{ending}" if number == 1 else f"{stem} {number}.{ending}")
        if path.parent != folder:
            break
        if not os.path.lexists(path):
            return str(path)
    raise UserError("bad_folder", f"No new file can be made in {folder}.", "Choose another folder.")


def _size(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        if path.is_file():
            return path.stat().st_size
    return None


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            "bad_folder", f"The recording cannot be deleted: {reason}.", f"It is at {path}."
        ) from error
