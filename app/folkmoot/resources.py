"""Where fonts, icons, word lists and emoji data lie: the only way to a file that is not Python.

Refuses names that lead out of the folder. It only names files; who needs one reads it.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_PACKAGE = Path(__file__).resolve().parent
_PACKED = _PACKAGE / "_resources"
_CLONE = _PACKAGE.parents[1] / "resources"


def resource_path(name: str) -> Path:
    """Return the path of the resource `name`, such as ``icons/send.svg`` or ``fonts``.

    An installed wheel and a frozen bundle carry the files beside the package, a clone has them in
    its top folder `resources`. Raises ValueError for a name that is absolute or climbs, and
    FileNotFoundError for one that does not exist: both are bugs of the caller.
    """
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(f"not the name of a resource: {name!r}")
    root = _PACKED if _PACKED.is_dir() else _CLONE
    path = root.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"no resource {name!r} in {root}")
    return path
