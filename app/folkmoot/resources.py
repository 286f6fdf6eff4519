"""Where fonts, icons, word lists and emoji data lie: the only way to a file that is not Python.

Refuses names that lead out of the folder. It only names files; who needs one reads it.
"""

from __future__ import annotations

import sys
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
    root = _root()
    path = root.joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"no resource {name!r} in {root}")
    return path


def licence_paths() -> list[Path]:
    """The files with the licences of what came with the program, its own first.

    A bundle has `copyright`, which names its libraries as well, and longer texts in `licences`. A
    wheel has `LICENSE` among the resources, a clone beside them.
    """
    root, bundled = _root(), _PACKAGE.parent / "copyright"
    if getattr(sys, "frozen", False) and bundled.exists():
        return [bundled, *sorted(bundled.with_name("licences").glob("*.txt"))]
    own = [path for path in (root / "LICENSE", root.parent / "LICENSE") if path.exists()]
    return [*own[:1], *sorted(root.glob("*/LICENSE*"))]


def _root() -> Path:
    return _PACKED if _PACKED.is_dir() else _CLONE
