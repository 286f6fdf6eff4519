"""Which Debian packages a bundle needs: what its ELF files are linked with and do not carry.

Asks `objdump` of the files and `dpkg` of this machine, so the libraries must be installed here; one
that is not is named. The result holds from Debian 12 on and for Ubuntu 24.04: packages that were
renamed for the 64-bit time type are named both ways.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from linux.elf import find_elf

_RENAMED = frozenset(
    {
        *("libasound2", "libatk-bridge2.0-0", "libatk1.0-0", "libcups2", "libcurl4"),
        *("libglib2.0-0", "libgtk-3-0", "libpng16-16", "libreadline8", "libssl3"),
    }
)
"""Packages of Debian 12 that are NAMEt64 in Debian 13 and Ubuntu 24.04."""
_STDCPP = {29: "11", 30: "12", 31: "13.1", 32: "13.2", 33: "14"}
"""Last number of GLIBCXX_3.4.N → the GCC that brought it; older ones are everywhere."""
_FILES_AT_ONCE = 100


@dataclass(slots=True)
class Linkage:
    """What the ELF files of a bundle say. `needed`: soname → first file that asks for it."""

    needed: dict[str, str] = field(default_factory=dict)
    carried: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    """Symbol versions that are asked for, such as ``GLIBC_2.34``."""

    def missing(self) -> dict[str, str]:
        """Of `needed` what the bundle does not carry itself."""
        return {name: at for name, at in self.needed.items() if name not in self.carried}

    def least(self, family: str) -> str:
        """The highest version asked of ``GLIBC`` or the like; empty if none is."""
        found = [
            tuple(map(int, each[len(family) + 1 :].split(".")))
            for each in self.versions
            if re.fullmatch(rf"{family}_[0-9.]+", each)
        ]
        return ".".join(map(str, max(found))) if found else ""


def read_linkage(folder: Path) -> Linkage:
    """What the ELF files below `folder` need and carry."""
    linkage = Linkage()
    files = find_elf(folder)
    for start in range(0, len(files), _FILES_AT_ONCE):
        part = files[start : start + _FILES_AT_ONCE]
        done = subprocess.run(
            ["objdump", "-p", *map(str, part)], check=True, capture_output=True, text=True
        )
        take(done.stdout, linkage)
    # A library is found by the name of its file; the soname inside may be a shorter one.
    linkage.carried.update(file.name for file in folder.rglob("*.so*"))
    return linkage


def take(dump: str, linkage: Linkage) -> None:
    """Add what `objdump -p` printed."""
    at = ""
    for line in dump.splitlines():
        if match := re.match(r"(\S.*):\s+file format ", line):
            at = match[1]
        elif match := re.match(r"\s+NEEDED\s+(\S+)", line):
            linkage.needed.setdefault(match[1], at)
        elif match := re.match(r"\s+0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (\S+)", line):
            linkage.versions.add(match[1])


def depends(linkage: Linkage) -> list[str]:
    """The entries of `Depends`, sorted. Raises SystemExit for a library that no package has."""
    packages: set[str] = set()
    unknown = []
    for soname, at in sorted(linkage.missing().items()):
        package = _package_of(soname)
        if package is None:
            unknown.append(f"  {soname}, wanted by {at}")
        else:
            packages.add(package)
    if unknown:
        raise SystemExit(
            "No installed Debian package has these libraries, and the bundle does not carry them:\n"
            + "\n".join(unknown)
            + "\nInstall their packages, or leave those files out of the bundle."
        )
    return sorted(entry(package, linkage) for package in packages)


def entry(package: str, linkage: Linkage) -> str:
    """One entry of `Depends`: with the other name of the package, or with a least version."""
    if package in _RENAMED:
        return f"{package}t64 | {package}"
    if package.endswith("t64"):
        return f"{package} | {package.removesuffix('t64')}"
    if package in ("libc6", "libc6.1") and linkage.least("GLIBC"):
        return f"{package} (>= {linkage.least('GLIBC')})"
    if package == "libstdc++6" and linkage.least("GLIBCXX"):
        gcc = _STDCPP.get(int(linkage.least("GLIBCXX").rpartition(".")[2]))
        return f"{package} (>= {gcc})" if gcc else package
    return package


def _package_of(soname: str) -> str | None:
    """The package of this machine that has the library, without its architecture."""
    if soname.startswith(("ld-linux", "ld64")):
        return "libc6"
    done = subprocess.run(
        ["dpkg-query", "--search", f"*/{soname}"], check=False, capture_output=True, text=True
    )
    return choose(done.stdout.splitlines(), soname, _architecture())


def choose(lines: Iterable[str], soname: str, architecture: str) -> str | None:
    """Of what `dpkg-query --search` found: the package that has it where the linker looks."""
    for line in lines:
        packages, _, path = line.partition(": ")
        if not re.fullmatch(
            rf"(/usr)?/lib/[a-z0-9_]+-linux-gnu[a-z0-9]*/{re.escape(soname)}", path
        ):
            continue
        for package in packages.split(", "):
            name, _, kind = package.partition(":")
            if kind in ("", architecture):
                return name
    return None


def _architecture() -> str:
    return subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout.strip()
