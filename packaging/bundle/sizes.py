"""`sizes.py [BUNDLE]`: what fills the bundle, by component, and which system it asks for.

Fails (status 1) when the bundle is larger than it may be, or when more than a megabyte of it
belongs to no component: then something came along that nobody looked at. A megabyte is 1,000,000
bytes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LIMIT_MB = 320.0
UBUNTU_22_04 = (2, 35)
"""The C library of Ubuntu 22.04; the bundle starts there if it asks for no more."""
MB = 1_000_000
UNEXPLAINED = "unexplained"
_SMALL_MODULES_MB = 0.3

_COMPONENTS = tuple(
    (component, re.compile(pattern, re.VERBOSE))
    for component, pattern in (
        ("Qt: ICU", r"PySide6/Qt/lib/libicu"),
        (
            "Qt: Multimedia and its FFmpeg",
            r"PySide6/(Qt/)?(lib/)?(lib)?(Qt6?(Multimedia|FFmpeg)|av|sw)"
            r"|PySide6/.*plugins/multimedia",
        ),
        ("Qt: Quick and QML, for Multimedia", r"PySide6/(Qt/lib/lib)?Qt6?(Quick|Qml)"),
        ("Qt: Core, Gui, Widgets and others", r"PySide6/(Qt/lib/lib|lib)?Qt6\w+(\.so|\.dll|$)"),
        ("Qt: bindings", r"(PySide6/(Qt\w+\.|lib?pyside)|shiboken6/)"),
        ("Qt: plug-ins", r"PySide6/(Qt/)?plugins/"),
        ("Qt: words of other languages", r"PySide6/(Qt/)?translations/"),
        ("Qt: software OpenGL (Windows)", r"PySide6/opengl32sw"),
        ("calls: PyAV", r"av/"),
        ("calls: PyAV's FFmpeg and codecs", r"av\.libs/"),
        ("calls: SRTP", r"pylibsrtp"),
        ("calls: echo cancellation (livekit)", r"livekit/"),
        ("calls: echo cancellation (speex)", r"pyaec/"),
        ("calls: protobuf, for livekit", r"google/"),
        ("numpy", r"numpy/"),
        ("numpy: OpenBLAS", r"numpy\.libs/"),
        ("network: TLS and HPKE (cryptography)", r"cryptography/"),
        (
            "network: HTTP and WebSocket",
            r"(aiohttp|yarl|multidict|propcache|frozenlist|websockets)/",
        ),
        (
            "network: QUIC, mDNS, certificates",
            r"(aioquic|pylsqpack|zeroconf|certifi|google_crc32c)",
        ),
        ("signatures (libsodium)", r"(nacl/|_cffi_backend)"),
        ("storage: SQLAlchemy, msgspec", r"(sqlalchemy|msgspec)/"),
        ("Python: library", r"(lib)?python3|base_library\.zip$|lib(ffi|mpdec)"),
        ("Python: OpenSSL, SQLite", r"lib(ssl|crypto|sqlite3)"),
        ("system: helpers of xcb", r"lib(xcb|xkbcommon)-?"),
        ("ours: fonts and emoji", r"folkmoot/_resources/(fonts/|emoji)"),
        ("ours: icons, word lists, schema", r"folkmoot/"),
        ("licences and list of parts", r"(copyright$|sbom\.cdx\.json$|licences/)"),
    )
)


@dataclass(frozen=True)
class Asked:
    """The highest version of a family of symbols, and the files that ask for it."""

    family: str
    version: tuple[int, ...]
    files: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.files[:3]) + (" …" if len(self.files) > 3 else "")
        return f"{self.family} {'.'.join(map(str, self.version))}, by {shown}"


def component_of(name: str) -> str:
    """The component of the file `name`, a path within the bundle with forward slashes."""
    inner = name.removeprefix("_internal/")
    for component, pattern in _COMPONENTS:
        if pattern.match(inner):
            return component
    return UNEXPLAINED


def measure(bundle: Path) -> dict[str, int]:
    """Bytes by component. Links count nothing; the program itself is split by its modules."""
    sizes: dict[str, int] = {}
    for path in sorted(bundle.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        name, size = path.relative_to(bundle).as_posix(), path.stat().st_size
        if re.fullmatch(r"folkmoot(-console)?(\.exe)?", name):
            parts = by_module(_modules(path))
            parts["program: start"] = size - sum(parts.values())
        else:
            parts = {component_of(name): size}
        for component, bytes_ in parts.items():
            sizes[component] = sizes.get(component, 0) + bytes_
    return sizes


def by_module(modules: Mapping[str, int]) -> dict[str, int]:
    """Compressed bytes of modules by package; small packages and the standard library together."""
    packages: dict[str, int] = {}
    for name, size in modules.items():
        top = name.partition(".")[0]
        top = "standard library" if top in sys.stdlib_module_names else top
        packages[top] = packages.get(top, 0) + size
    found: dict[str, int] = {}
    for top, size in packages.items():
        known = top == "standard library" or size >= _SMALL_MODULES_MB * MB
        row = f"program: modules of {'ours' if top == 'folkmoot' else top}"
        row = row if known else "program: modules of small libraries"
        found[row] = found.get(row, 0) + size
    return found


def _modules(program: Path) -> dict[str, int]:
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(program))
    modules = archive.open_embedded_archive(next(n for n in archive.toc if n.startswith("PYZ")))
    return {name: length for name, (_, _, length) in modules.toc.items()}


def table(sizes: Mapping[str, int]) -> str:
    """The table as people read it, the largest first."""
    rows = [
        f"{size / MB:8.1f}  {component}"
        for component, size in sorted(sizes.items(), key=lambda each: -each[1])
    ]
    return "\n".join(["      MB  component", *rows, f"{sum(sizes.values()) / MB:8.1f}  total"])


def faults(sizes: Mapping[str, int]) -> list[str]:
    """Why the build fails, if it does."""
    total, strange = sum(sizes.values()) / MB, sizes.get(UNEXPLAINED, 0) / MB
    found = []
    if total > LIMIT_MB:
        found.append(f"the bundle has {total:.1f} MB, more than {LIMIT_MB:.0f}")
    if strange > 0:
        found.append(f"{strange:.2f} MB belong to no component of packaging/bundle/sizes.py")
    return found


def highest(asked: Iterable[tuple[str, str]], family: str) -> Asked | None:
    """Of pairs of a file and a symbol version such as ``GLIBC_2.35`` the highest of `family`."""
    best: tuple[int, ...] = ()
    files: list[str] = []
    for name, symbol in asked:
        found = re.fullmatch(rf"{family}_(\d+(?:\.\d+)*)", symbol)
        version = tuple(map(int, found[1].split("."))) if found else ()
        if version > best:
            best, files = version, []
        if version and version == best:
            files.append(name)
    return Asked(family, best, tuple(files)) if best else None


def asked_versions(bundle: Path) -> list[tuple[str, str]]:
    """Every versioned symbol family that a library of `bundle` asks another for."""
    found = []
    for path in sorted(bundle.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.open("rb").read(4) != b"\x7fELF":
            continue
        said = subprocess.run(
            ["objdump", "-p", path], check=True, capture_output=True, text=True
        ).stdout
        needs = said.partition("Version References:")[2]
        found += [
            (path.name, symbol) for symbol in sorted(set(re.findall(r"\bG\w+_[\d.]+", needs)))
        ]
    return found


def main(arguments: list[str]) -> int:
    """Print the table and what is asked of the system."""
    bundle = Path(arguments[0] if arguments else "dist/folkmoot")
    sizes = measure(bundle)
    print(table(sizes))
    if sys.platform.startswith("linux"):
        asked = asked_versions(bundle)
        for family in ("GLIBC", "GLIBCXX"):
            print(f"asks for {highest(asked, family)}")
        libc = highest(asked, "GLIBC")
        if libc is not None:
            starts = "starts" if libc.version <= UBUNTU_22_04 else "does not start"
            print(f"so it {starts} on Ubuntu 22.04")
        own = sorted(
            p.name for p in bundle.rglob("lib*") if re.match(r"lib(stdc\+\+|gcc_s)", p.name)
        )
        print(f"libstdc++ and libgcc: {', '.join(own) or 'those of the system'}")
    wrong = faults(sizes)
    for fault in wrong:
        print(f"sizes: {fault}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
