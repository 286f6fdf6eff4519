"""Makes a `.deb` of a folder with `dpkg-deb`; the same folder gives the same bytes.

Owns what every package has: `control`, `md5sums`, modes and times of files, the compressed change
log. Refuses a package that is larger than it may be.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from linux.elf import find_elf, forget_foreign_paths

LEVEL = 9
"""Of xz. The program has some libraries twice, far from each other; only this level looks so far
back. Unpacking takes 65 MB of memory."""


@dataclass(frozen=True, slots=True)
class Control:
    """The fields of `control`; lists are written with commas. `description`: a short line, then
    paragraphs, each wrapped by who writes it."""

    package: str
    version: str
    section: str
    maintainer: str
    description: str
    depends: tuple[str, ...]
    recommends: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    def text(self, architecture: str, installed_kib: int) -> str:
        """The file `control`."""
        short, *paragraphs = self.description.strip().split("\n\n")
        long = "\n .\n".join(_indented(paragraph) for paragraph in paragraphs)
        rows = {
            "Package": self.package,
            "Version": self.version,
            "Architecture": architecture,
            "Maintainer": self.maintainer,
            "Installed-Size": str(installed_kib),
            "Depends": ", ".join(self.depends),
            "Recommends": ", ".join(self.recommends),
            "Suggests": ", ".join(self.suggests),
            "Section": self.section,
            "Priority": "optional",
            **self.others,
            "Description": f"{short.strip()}\n{long}",
        }
        return "".join(f"{name}: {value}\n" for name, value in rows.items() if value)


def _indented(paragraph: str) -> str:
    return "\n".join(f" {line.strip()}" for line in paragraph.strip().splitlines())


def architecture() -> str:
    """Debian's name of this machine: amd64, arm64, …"""
    return subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()


def copy_bundle(bundle: Path, target: Path) -> None:
    """Copy a bundle; links stay links, folders of the machine that built it are forgotten."""
    if not bundle.is_dir():
        raise SystemExit(f"There is no bundle in {bundle}. Build it first.")
    shutil.copytree(bundle, target, symlinks=True)
    for file in find_elf(target):
        forget_foreign_paths(file)


def copyright_of(bundle: Path) -> bytes:
    """The licences of all that a bundle carries, which its build wrote into it."""
    file = bundle / "_internal/copyright"
    if not file.exists():
        raise SystemExit(f"The bundle in {bundle} does not say whose work it is. Build it anew.")
    return file.read_bytes()


def put(root: Path, name: str, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write one file of the package; `name` begins without a slash."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(mode)


def installed_kib(root: Path) -> int:
    """As dpkg-gencontrol counts: each file in whole KiB, one for anything else."""
    size = 0
    for path in _contents(root):
        found = path.lstat()
        size += -(-found.st_size // 1024) if stat.S_ISREG(found.st_mode) else 1
    return size


def _contents(root: Path) -> list[Path]:
    return sorted(
        path for path in root.rglob("*") if "DEBIAN" not in path.relative_to(root).parts[:1]
    )


def _md5sums(root: Path) -> str:
    lines = []
    for path in _contents(root):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as opened:
                found = hashlib.file_digest(opened, "md5").hexdigest()
            lines.append(f"{found}  {path.relative_to(root)}\n")
    return "".join(lines)


def _settle(root: Path, built: datetime) -> None:
    """Modes without the umask of who builds, and one time for everything."""
    seconds = int(built.timestamp())
    for path in sorted(root.rglob("*"), reverse=True):
        if not path.is_symlink():
            path.chmod(_mode(path))
        os.utime(path, (seconds, seconds), follow_symlinks=False)
    root.chmod(0o755)
    os.utime(root, (seconds, seconds))


def _mode(path: Path) -> int:
    """Programs and folders 755; libraries are data to the system, whatever a wheel said of them."""
    if path.is_dir():
        return 0o755
    runs = path.stat().st_mode & 0o111 and not (path.name.endswith(".so") or ".so." in path.name)
    return 0o755 if runs else 0o644


def build(
    root: Path,
    control: Control,
    out: Path,
    built: datetime,
    *,
    scripts: Mapping[str, str] | None = None,
    conffiles: tuple[str, ...] = (),
    most_bytes: int | None = None,
    level: int = LEVEL,
) -> Path:
    """Make the package of `root` in the folder `out`; its name is given back.

    `scripts`: maintainer scripts by name. `level`: how hard it is compressed, 0 to 9; tests that
    only install it are in a hurry. Raises SystemExit if it becomes larger than `most_bytes`.
    """
    kind = architecture()
    put(root, "DEBIAN/control", control.text(kind, installed_kib(root)))
    put(root, "DEBIAN/md5sums", _md5sums(root))
    for name, text in (scripts or {}).items():
        put(root, f"DEBIAN/{name}", text, mode=0o755)
    if conffiles:
        put(root, "DEBIAN/conffiles", "".join(f"/{name}\n" for name in conffiles))
    _settle(root, built)
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{control.package}_{control.version}_{kind}.deb"
    fresh = file.with_suffix(".deb.new")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{level}", "--build", str(root), str(fresh)],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(int(built.timestamp()))},
        stdout=subprocess.DEVNULL,
    )
    size = fresh.stat().st_size
    if most_bytes is not None and size > most_bytes:
        fresh.unlink()
        raise SystemExit(
            f"{file.name} would have {size / 1e6:.1f} MB; {most_bytes / 1e6:.0f} MB is the most."
        )
    fresh.replace(file)
    print(f"{file}: {size / 1e6:.1f} MB, {installed_kib(root) / 1024:.0f} MiB installed")
    return file
