"""One running instance per profile, held by a lock of the operating system.

The lock ends with the process, however it ends, so nothing is left to clean up. Refuses a second
instance with ``profile_in_use`` and says what holds the profile.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.system.profile import Profile

WINDOW = "window"
NODE = "node"
_LOCKED_BYTE = 1 << 30
"""Far behind the content, which therefore stays readable where locks are mandatory."""
_MAX_CONTENT = 256


class ProfileInUse(EnvironmentFault):
    """Another process runs on the profile; `kind` is what it is: `WINDOW`, `NODE` or empty."""

    def __init__(self, folder: Path, kind: str, pid: int) -> None:
        what = {WINDOW: "an open window of Folkmoot", NODE: "Folkmoot without a window"}
        user = what.get(kind, "another Folkmoot")
        process = f" (process {pid})" if pid else ""
        super().__init__(
            "profile_in_use",
            f"The profile {folder} is in use by {user}{process}.",
            "Close it first, or start with another folder: --profile DIR.",
        )
        self.kind = kind


class Instance:
    """This process's claim on a profile, until `release`."""

    def __init__(self, profile: Profile, kind: str) -> None:
        """Claim `profile` as `kind`; raises `ProfileInUse` or `EnvironmentFault` ``read_only``."""
        try:
            self._descriptor = os.open(profile.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise EnvironmentFault(
                "read_only",
                f"The profile folder {profile.folder} cannot be written.",
                "Nothing was changed. Allow writing there, or choose another with --profile.",
            ) from error
        if not _lock(self._descriptor):
            holder, pid = _holder(self._descriptor)
            os.close(self._descriptor)
            raise ProfileInUse(profile.folder, holder, pid)
        # A disk that is full does not matter here: the lock holds, only the words are missing.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            content = f"{kind} {os.getpid()}\n".encode()
            os.write(self._descriptor, content)

    def release(self) -> None:
        """Let another process have the profile."""
        os.close(self._descriptor)


def _holder(descriptor: int) -> tuple[str, int]:
    try:
        kind, pid = os.read(descriptor, _MAX_CONTENT).decode().split()
        return kind, int(pid)
    except (OSError, ValueError):
        return "", 0


def _lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
