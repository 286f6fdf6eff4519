"""A folder of recordings in memory: it is as large, as full and as closed as a test says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from folkmoot.domain.errors import UserError


class FakeRecordingFiles:
    """`services.recordings.RecordingFiles` without a disk. `files`: bytes by path."""

    def __init__(self) -> None:
        self.files: dict[str, int] = {}
        self.free_bytes = 2**40
        self.closed: set[str] = set()
        """Folders in which nothing can be made."""

    def default_folder(self) -> str:
        return "/recordings"

    def stamp(self, wall_ms: int) -> str:
        return datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%d %H.%M.%S")

    async def prepare(self, folder: str) -> int:
        if folder in self.closed:
            raise UserError("bad_folder", f"Nothing can be made in {folder}.")
        return self.free_bytes

    async def free_path(self, folder: str, stem: str, ending: str) -> str:
        number = 1
        while (path := f"{folder}/{stem}{f' {number}' * (number > 1)}.{ending}") in self.files:
            number += 1
        return path

    async def sizes(self, paths: Sequence[str]) -> list[int | None]:
        return [self.files.get(path) for path in paths]

    async def delete(self, path: str) -> None:
        self.files.pop(path, None)
