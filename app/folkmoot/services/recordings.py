"""The recordings of this person: the list, their files, the folder they are kept in.

`node.recordings`. Owns what is kept of each one. Refuses a folder that cannot be written and a disk
that is nearly full; makes no recording (`services.calls.recording` does).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from folkmoot.domain.errors import UserError
from folkmoot.services.call_values import Recording
from folkmoot.services.events import EventBus, RecordingsChanged
from folkmoot.services.ports import Store

FOLDER_SETTING = "recordings.folder"
MIN_FREE_BYTES = 512 * 1024 * 1024
"""With less than this on the disk no recording begins: it is about half an hour of 720p."""
MAX_FOLDER = 1024
RUNS, DONE, BROKEN_OFF, MISSING = "recording", "done", "broken off", "missing"


class RecordingFiles(Protocol):
    """The files of recordings. The adapter is `folkmoot.system.recordings`."""

    def default_folder(self) -> str:
        """Where recordings are kept unless the person chose another folder."""
        ...

    def stamp(self, wall_ms: int) -> str:
        """A time of this computer's zone as a part of a file name: ``2026-11-26 14.30.05``."""
        ...

    async def prepare(self, folder: str) -> int:
        """Make `folder` if need be, and see that files can be made in it; the bytes that are free.

        Raises `UserError` ``bad_folder``.
        """
        ...

    async def free_path(self, folder: str, stem: str, ending: str) -> str:
        """A path in `folder` at which nothing is: ``stem.mkv``, or ``stem 2.mkv`` and so on."""
        ...

    async def sizes(self, paths: Sequence[str]) -> list[int | None]:
        """The bytes of each file; None where there is no file."""
        ...

    async def delete(self, path: str) -> None:
        """Delete a file, if it is there. Raises `UserError` ``bad_folder``."""
        ...


class RecordingsService:
    """What is kept of recordings."""

    def __init__(self, store: Store, files: RecordingFiles | None, events: EventBus) -> None:
        """Without `files` nothing can be recorded here."""
        self._store = store
        self._files = files
        self._events = events

    @property
    def files(self) -> RecordingFiles:
        """Raises `UserError` ``bad_folder`` where there is no place for files."""
        if self._files is None:
            raise UserError(
                "bad_folder", "Nothing can be recorded here: there is no folder for it."
            )
        return self._files

    async def load(self) -> Sequence[Recording]:
        """At the start: what was being made when the program ended broke off. These it returns."""
        broken = []
        for held in await self._store.recordings():
            if held.state == RUNS:
                [size] = await self.files.sizes([held.path])
                found = replace(held, state=BROKEN_OFF, size_bytes=size or held.size_bytes)
                await self._store.save_recording(found)
                broken.append(found)
        return broken

    async def list(self) -> list[Recording]:
        """Every recording, the newest first; one whose file is gone is ``missing``."""
        held = await self._store.recordings()
        if not held or self._files is None:
            return held
        sizes = await self._files.sizes([one.path for one in held])
        return [_as_found(one, size) for one, size in zip(held, sizes, strict=True)]

    async def get(self, id: str) -> Recording:
        """One of them; raises `UserError` ``not_found``."""
        for held in await self._store.recordings():
            if held.id == id:
                return held
        raise UserError("not_found", "There is no such recording.")

    async def delete(self, id: str) -> None:
        """Delete a recording and its file; raises ``not_found``, ``recording``, ``bad_folder``."""
        held = await self.get(id)
        if held.state == RUNS:
            raise UserError("recording", "This is being recorded.", "Stop the recording first.")
        await self.files.delete(held.path)
        await self._store.forget_recording(id)
        self._events.publish(RecordingsChanged(held, gone=True))

    async def folder(self) -> str:
        """Where new ones are kept."""
        return await self._store.setting(FOLDER_SETTING) or self.files.default_folder()

    async def set_folder(self, path: str) -> None:
        """Keep new ones in `path`, an absolute one; raises `UserError` ``bad_folder``."""
        if not path or len(path) > MAX_FOLDER or "\0" in path:
            raise UserError("bad_folder", "This is no folder.", "Choose another one.")
        await self.files.prepare(path)
        await self._store.set_setting(FOLDER_SETTING, path)

    async def new_path(self, stem: str, ending: str) -> str:
        """A path for a new file; raises `UserError` ``bad_folder``, ``no_space``."""
        folder = await self.folder()
        free = await self.files.prepare(folder)
        if free < MIN_FREE_BYTES:
            raise UserError(
                "no_space",
                f"The disk is nearly full: {free // 2**20} MiB are left in {folder}.",
                f"Free some space, at least {MIN_FREE_BYTES // 2**20} MiB, or choose another"
                " folder for recordings.",
            )
        return await self.files.free_path(folder, stem, ending)

    async def forget(self, recording: Recording) -> None:
        """It did not begin after all."""
        await self._store.forget_recording(recording.id)
        self._events.publish(RecordingsChanged(recording, gone=True))

    async def keep(self, recording: Recording) -> None:
        """Keep how a recording is now, and tell it."""
        await self._store.save_recording(recording)
        self._events.publish(RecordingsChanged(recording))


def _as_found(held: Recording, size: int | None) -> Recording:
    if held.state == RUNS:
        return held
    if size is None:
        return replace(held, state=MISSING, size_bytes=0)
    return replace(held, size_bytes=size)
