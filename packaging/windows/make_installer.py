"""Compiles the installer for Windows from a bundle.

    make_installer.py [--bundle DIR] [--out FILE] [--target NAME]

Needs `makensis` (on Debian the package `nsis`, on Windows NSIS 3). Where the bundle is not one for
Windows the installer is compiled all the same, which checks the script; what comes out says so in
its name and is for nobody. Every warning is an error.

WINDOWS_SIGN, where it is set, is a command without spaces that signs the file it is given: first
the programs of the bundle, then the uninstaller, last the installer.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging/windows/folkmoot.nsi"
_USUAL = Path(r"C:\Program Files (x86)\NSIS\makensis.exe")


def main() -> int:
    """Compile; the exit status is 0, 1 with what is wrong on stderr, or that of `makensis`."""
    parser = argparse.ArgumentParser(description="Compile the installer for Windows.")
    parser.add_argument("--bundle", type=Path, default=ROOT / "dist/folkmoot")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--target", help="what the installer itself runs on, such as amd64-unicode")
    parser.add_argument("--version", default=None)
    options = parser.parse_args()
    compiler = shutil.which("makensis") or (str(_USUAL) if _USUAL.exists() else None)
    if compiler is None:
        sys.stderr.write("makensis is missing. On Debian: sudo apt-get install nsis\n")
        return 1
    if not options.bundle.is_dir():
        sys.stderr.write(f"There is no bundle at {options.bundle}. Make it first: make bundle\n")
        return 1
    version = options.version or read_version()
    real = (options.bundle / "folkmoot.exe").exists()
    kind = "setup" if real else "not-for-windows"
    out: Path = options.out or ROOT / f"dist/folkmoot-{version}-{kind}.exe"
    sign = os.environ.get("WINDOWS_SIGN")
    if sign:
        for program in sorted(options.bundle.glob("*.exe")):
            subprocess.run([sign, str(program)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        files = work / "files.nsh"
        files.write_text(taking_away(options.bundle), encoding="utf-8-sig")
        # The icons are drawn, not kept: packaging/icons.
        icons = [sys.executable, str(ROOT / "packaging/icons/make_icons.py"), str(work)]
        subprocess.run(icons, check=True)
        values = {
            "VERSION": version,
            "NUMBERS": numbers(version),
            "BUNDLE": options.bundle.resolve(),
            "FILES": files,
            "ICON": work / "folkmoot.ico",
            "LICENSE": ROOT / "LICENSE",
            "OUT": out.resolve(),
            "KB": size_kb(options.bundle),
        }
        if options.target:
            values["TARGET"] = options.target
        if sign:
            values["SIGN"] = sign
        defines = [f"-D{name}={value}" for name, value in values.items()]
        command = [compiler, "-V2", "-WX", "-INPUTCHARSET", "UTF8", *defines, str(SCRIPT)]
        status = subprocess.run(command, check=False).returncode
    if status == 0 and sign:
        status = subprocess.run([sign, str(out)], check=False).returncode
    if status == 0:
        print(f"{out} ({out.stat().st_size / 1e6:.1f} MB)")
        if not real:
            print(
                "The bundle in it is not one for Windows: this only shows that the script compiles."
            )
    return status


def read_version() -> str:
    """The version of the clone."""
    text = (ROOT / "app/folkmoot/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise SystemExit("app/folkmoot/__init__.py says no version.")
    return found[1]


def numbers(version: str) -> str:
    """`version` as the four numbers that Windows wants: 0.1.0rc2 is 0.1.0.0."""
    found = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    if found is None:
        raise SystemExit(f"“{version}” does not begin with two numbers.")
    return ".".join(part or "0" for part in (*found.groups(), "0"))


def size_kb(bundle: Path) -> int:
    """What the bundle takes on the disk, in KiB."""
    return sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) // 1024


def taking_away(bundle: Path) -> str:
    """NSIS lines that delete what is in `bundle` and nothing else, inner folders first.

    A folder that somebody chose for the program may hold other things: they are left alone.
    """
    lines = []
    for path in sorted(bundle.rglob("*"), key=lambda path: (-len(path.parts), str(path))):
        inside = str(path.relative_to(bundle)).replace("/", "\\").replace("$", "$$")
        folder = path.is_dir() and not path.is_symlink()
        lines.append(f'{"RMDir" if folder else "Delete"} "$INSTDIR\\{inside}"')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
