"""What SQLite's errors mean to a person.

Refuses to guess: an error that says nothing about the disk or the file is a bug of ours and is not
translated.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from folkmoot import __version__
from folkmoot.domain.errors import EnvironmentFault

_DISK_FULL = (
    "The disk is full, so nothing more can be saved.",
    "What was saved is safe. Free some space; then it goes on by itself.",
)
_READ_ONLY = (
    "The profile folder cannot be written to.",
    "What was saved is safe. Allow writing to the folder, or start with another --profile.",
)
_DAMAGED = (
    "The file with the messages is damaged.",
    "Keep the folder as it is and restore a backup, or start with a new profile: the other members"
    " of your teams still have what was sent.",
)
_FAILED = (
    "The disk does not answer as it should.",
    "What was saved is safe. Check the disk; every new attempt tries again.",
)
_BUSY = (
    "Another program holds the file with the messages.",
    "Close the other program; then it goes on by itself.",
)

_BY_CODE = {
    sqlite3.SQLITE_FULL: ("disk_full", _DISK_FULL),
    sqlite3.SQLITE_READONLY: ("read_only", _READ_ONLY),
    sqlite3.SQLITE_CANTOPEN: ("read_only", _READ_ONLY),
    sqlite3.SQLITE_PERM: ("read_only", _READ_ONLY),
    sqlite3.SQLITE_CORRUPT: ("store_damaged", _DAMAGED),
    sqlite3.SQLITE_NOTADB: ("store_damaged", _DAMAGED),
    sqlite3.SQLITE_IOERR: ("disk_failed", _FAILED),
    sqlite3.SQLITE_BUSY: ("store_busy", _BUSY),
    sqlite3.SQLITE_LOCKED: ("store_busy", _BUSY),
}


def fault_of(error: BaseException) -> EnvironmentFault | None:
    """The fault behind `error`, or None if it tells nothing about the environment.

    Takes SQLite's own errors and those that wrap one as `orig`.
    """
    inner = getattr(error, "orig", error)
    code = getattr(inner, "sqlite_errorcode", None)
    if not isinstance(inner, sqlite3.Error) or code is None:
        return None
    known = _BY_CODE.get(code & 0xFF)
    if known is None:
        return None
    name, (message, hint) = known
    return EnvironmentFault(name, message, hint)


def damaged() -> EnvironmentFault:
    """The store was looked through and is not whole."""
    return EnvironmentFault("store_damaged", *_DAMAGED)


def newer(path: Path, wrote: str) -> EnvironmentFault:
    """The store was brought up to date by a later version of the program; `wrote`: which one, if
    that is known."""
    which = f"Folkmoot {wrote} or a later one" if wrote else "the newer Folkmoot"
    by = f"a newer Folkmoot ({wrote})" if wrote else "a newer Folkmoot"
    return EnvironmentFault(
        "store_newer",
        f"This profile was used by {by}, and this one ({__version__}) cannot read it any more.",
        f"Nothing was changed. Install {which}, or start with another --profile than"
        f" {path.parent}.",
    )
