"""The packages that `make test-packages` built, and what is made of them to try an upgrade."""

from __future__ import annotations

import re
from pathlib import Path

from packages.debian import run

_DIST = Path(__file__).parents[2] / "dist"


def find_package(name: str) -> Path:
    """The newest file of the package `name`."""
    found = sorted(_DIST.glob(f"{name}_*.deb"), key=lambda file: file.stat().st_mtime)
    assert found, f"there is no {name}_*.deb in {_DIST}; `make test-packages` builds it"
    return found[-1]


def make_newer(deb: Path, folder: Path, version: str) -> Path:
    """The same with a higher version and another program file, which starts the one of before.

    A program that runs meanwhile finds a file that it does not know where its own was.
    """
    root = folder / "root"
    run("dpkg-deb", "-R", deb, root)
    control = root / "DEBIAN" / "control"
    text, count = re.subn(r"(?m)^Version: .*$", f"Version: {version}", control.read_text())
    assert count == 1
    control.write_text(text)
    program = root / "usr" / "lib" / "folkmoot" / "folkmoot"
    program.rename(program.with_name("folkmoot-newer"))
    program.write_text('#!/bin/sh\nexec /usr/lib/folkmoot/folkmoot-newer "$@"\n')
    program.chmod(0o755)
    made = folder / f"{deb.name.partition('_')[0]}_{version}_amd64.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", root, made)
    run("rm", "-rf", root)
    return made
