"""`make appimage`: dist/Folkmoot-VERSION-ARCHITECTURE.AppImage from the bundle in dist/folkmoot.

    python -m linux.appimage [--bundle DIR] [--out DIR]

An AppImage is a small program, the runtime, with a file system behind it that holds a folder, the
AppDir. The runtime is given: APPIMAGE_RUNTIME is its file. Its SHA-256 must be the one below, or
APPIMAGE_RUNTIME_SHA256 where another one is meant. Without a runtime only the file system is made,
which `unsquashfs` unpacks and whose `AppRun` runs.

The AppDir holds the bundle and what `linux.desktop` brings. What the bundle takes from the system
is taken from it here too, as AppImages have it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from linux import desktop
from linux.package import copy_bundle, copyright_of, put

RUNTIME = "https://github.com/AppImage/type2-runtime/releases/download/20251108/runtime-x86_64"
"""Where the runtime is had; `packages.yml` gets it from here."""
RUNTIME_SHA256 = "2fca8b443c92510f1483a883f60061ad09b46b978b2631c807cd873a47ec260d"
LIBRARY = "usr/lib/folkmoot"
_BLOCK = "1M"
_LEVEL = "15"


def stage(root: Path, bundle: Path, built: datetime) -> None:
    """Write the AppDir `root`, every file of it with the time `built`."""
    copy_bundle(bundle, root / LIBRARY)
    desktop.install(root / "usr", built)
    put(root, "AppRun", (desktop.HERE / "AppRun").read_bytes(), mode=0o755)
    put(root, "usr/share/doc/folkmoot/copyright", copyright_of(bundle))
    # The runtime and the desktops look for these three at the top.
    entry = f"{desktop.APP_ID}.desktop"
    (root / entry).symlink_to(f"usr/share/applications/{entry}")
    icon = f"usr/share/icons/hicolor/256x256/apps/{desktop.APP_ID}.png"
    (root / f"{desktop.APP_ID}.png").symlink_to(icon)
    (root / ".DirIcon").symlink_to(icon)
    seconds = int(built.timestamp())
    for path in [*root.rglob("*"), root]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o111 else 0o644)
        os.utime(path, (seconds, seconds), follow_symlinks=False)


def squash(root: Path, out: Path) -> None:
    """Write the file system of `root`: the same folder gives the same bytes."""
    out.unlink(missing_ok=True)
    # The times in it are those of the files; the one of the whole is SOURCE_DATE_EPOCH or theirs.
    whole = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = ["mksquashfs", str(root), str(out), "-root-owned", "-noappend", "-no-xattrs"]
    command += ["-no-progress", "-quiet", "-comp", "zstd", "-Xcompression-level", _LEVEL]
    command += ["-b", _BLOCK, "-mkfs-time", str(int(root.stat().st_mtime))]
    subprocess.run(command, check=True, env=whole, stdout=subprocess.DEVNULL)


def runtime() -> bytes | None:
    """The runtime that the environment names, or None. Raises SystemExit if it is another one."""
    named = os.environ.get("APPIMAGE_RUNTIME")
    if not named:
        return None
    content = Path(named).read_bytes()
    wanted = os.environ.get("APPIMAGE_RUNTIME_SHA256") or RUNTIME_SHA256
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise SystemExit(f"{named} is not the runtime that is wanted: {found}, not {wanted}.")
    return content


def make(bundle: Path, out: Path) -> Path:
    """Build in the folder `out`; the name of the file is given back."""
    first = runtime()
    root = desktop.TOP / "build/appimage/Folkmoot.AppDir"
    shutil.rmtree(root, ignore_errors=True)
    stage(root, bundle, desktop.source_date())
    out.mkdir(parents=True, exist_ok=True)
    behind = root.with_suffix(".squashfs")
    squash(root, behind)
    name = f"Folkmoot-{desktop.version()}-{platform.machine()}"
    if first is None:
        made = out / f"{name}.squashfs"
        shutil.copyfile(behind, made)
        return made
    made = out / f"{name}.AppImage"
    with made.open("wb") as opened, behind.open("rb") as rest:
        opened.write(first)
        shutil.copyfileobj(rest, opened)
    made.chmod(0o755)
    return made


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Make the AppImage of Folkmoot.")
    parser.add_argument("--bundle", type=Path, default=desktop.TOP / "dist/folkmoot")
    parser.add_argument("--out", type=Path, default=desktop.TOP / "dist")
    options = parser.parse_args()
    made = make(options.bundle, options.out)
    print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
    if made.suffix == ".squashfs":
        print("No runtime was given, so this is no AppImage yet: docs/PACKAGING.md says how.")


if __name__ == "__main__":
    main()
