"""The profile folder: where everything of one person on this computer lies.

Owns its layout and how private files are written. Refuses a folder that cannot be written, and to
leave a private file half written or readable by others.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from folkmoot.domain.errors import EnvironmentFault

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Profile:
    """Names of the files in a profile folder."""

    folder: Path

    @property
    def identity(self) -> Path:
        """Folder of the private keys and the certificate."""
        return self.folder / "identity"

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.folder / "store.sqlite3"

    @property
    def log(self) -> Path:
        """The newest log file."""
        return self.folder / "log" / "node.log"

    @property
    def lock(self) -> Path:
        """The file that the running instance holds locked."""
        return self.folder / "lock"

    @property
    def api(self) -> Path:
        """Folder of the local API's secrets."""
        return self.folder / "api"


def default_folder() -> Path:
    """Where the profile is when the person names no folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("folkmoot", appauthor=False))


def open_profile(folder: Path | None) -> Profile:
    """The profile in `folder` (None: the usual place), made if it is not there, closed to others.

    A folder that existed and holds other things keeps its permissions; what is made inside is
    private either way. Raises `EnvironmentFault` ``read_only`` or ``bad_profile``.
    """
    profile = Profile((folder if folder is not None else default_folder()).expanduser().absolute())
    try:
        fresh = not profile.folder.exists() or not any(profile.folder.iterdir())
        profile.folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        if fresh:
            _close_to_others(profile.folder)
        for inner in (profile.identity, profile.log.parent):
            make_private_folder(inner)
    except OSError as error:
        raise _unusable(profile.folder, error) from error
    return profile


def existing_profile(folder: Path | None) -> Profile:
    """The profile in `folder`, which must have been used before.

    Raises `EnvironmentFault` ``no_profile``.
    """
    profile = Profile((folder if folder is not None else default_folder()).expanduser().absolute())
    if not profile.identity.is_dir():
        raise EnvironmentFault(
            "no_profile",
            f"There is no profile in {profile.folder}.",
            "Start Folkmoot with this folder once, or name the right one with --profile.",
        )
    return profile


def make_private_folder(folder: Path) -> None:
    """Make `folder` if it is not there and close it to others. Raises OSError."""
    folder.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    _close_to_others(folder)


def _close_to_others(folder: Path) -> None:
    """Take rights away only: a folder that its owner made read-only stays so."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        folder.chmod(mode & ~0o077)


def write_private(path: Path, content: bytes) -> None:
    """Write a private file so that it is there whole or not at all, also after a power cut.

    Raises `EnvironmentFault` ``read_only`` or ``disk_full``.
    """
    part = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise _unusable(path.parent, error) from error


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(folder: Path, error: OSError) -> EnvironmentFault:
    import errno

    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return EnvironmentFault(
            "read_only",
            f"The profile folder {folder} cannot be written.",
            "Nothing was changed. Allow writing there, or choose another folder with --profile.",
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFault(
            "disk_full",
            f"The disk with the profile folder {folder} is full.",
            "Nothing that was saved is lost. Free some space.",
        )
    return EnvironmentFault(
        "bad_profile",
        f"The profile folder {folder} cannot be used: {error.strerror or error}.",
        "Choose another folder with --profile.",
    )
