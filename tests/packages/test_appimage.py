"""The AppDir and its file system; the runtime in front of it is not to be had here."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from linux import appimage, desktop

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "dist/folkmoot"
pytestmark = [pytest.mark.needs("mksquashfs", "unsquashfs"), pytest.mark.timeout(300)]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A program that says with what it was started."""
    folder = tmp_path / "bundle"
    (folder / "_internal").mkdir(parents=True)
    program = folder / "folkmoot"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
    program.chmod(0o755)
    (folder / "_internal/base.zip").write_bytes(b"zip")
    (folder / "_internal/copyright").write_text("Whose work it is.\n")
    return folder


def make(bundle: Path, out: Path) -> tuple[Path, Path]:
    """The AppDir and its file system."""
    root, file = out / "a place/Folkmoot.AppDir", out / "made.squashfs"
    appimage.stage(root, bundle, desktop.source_date())
    appimage.squash(root, file)
    return root, file


def test_two_builds_are_the_same_byte_for_byte(bundle: Path, tmp_path: Path) -> None:
    _, first = make(bundle, tmp_path / "first")
    os.utime(bundle / "folkmoot", (1, 1))
    before = os.umask(0o077)
    try:
        _, second = make(bundle, tmp_path / "second")
    finally:
        os.umask(before)
    assert first.read_bytes() == second.read_bytes()


def test_what_is_unpacked_is_the_folder_and_runs(bundle: Path, tmp_path: Path) -> None:
    root, file = make(bundle, tmp_path / "made")
    unpacked = tmp_path / "un packed"
    command = ["unsquashfs", "-no-progress", "-quiet", "-dest", str(unpacked), str(file)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    assert listing(unpacked) == listing(root)
    link = tmp_path / "link"
    link.symlink_to(unpacked / "AppRun")
    said = subprocess.run(
        [link, "--profile", "a b"], cwd="/", check=True, capture_output=True, text=True
    )
    program = unpacked / "usr/lib/folkmoot/folkmoot"
    assert said.stdout.splitlines() == [str(program), "--profile", "a b"]
    icon = (unpacked / "org.folkmoot.Folkmoot.png").read_bytes()
    assert icon.startswith(b"\x89PNG")
    assert "Exec=folkmoot" in (unpacked / "org.folkmoot.Folkmoot.desktop").read_text()
    assert (unpacked / ".DirIcon").read_bytes() == icon


def listing(root: Path) -> dict[str, tuple[int, int, str]]:
    """Mode, time and content of everything below `root`."""
    found = {}
    for path in root.rglob("*"):
        state = path.lstat()
        if path.is_symlink():
            content = os.readlink(path)
        else:
            content = path.read_bytes().hex() if path.is_file() else ""
        found[str(path.relative_to(root))] = (state.st_mode, int(state.st_mtime), content)
    return found


def test_the_runtime_stands_before_the_file_system(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "runtime"
    runtime.write_bytes(b"\x7fELF")
    monkeypatch.setenv("APPIMAGE_RUNTIME", str(runtime))
    with pytest.raises(SystemExit, match="is not the runtime that is wanted"):
        appimage.make(bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()

    monkeypatch.setenv("APPIMAGE_RUNTIME_SHA256", hashlib.sha256(b"\x7fELF").hexdigest())
    monkeypatch.setattr(desktop, "TOP", ROOT)
    made = appimage.make(bundle, tmp_path / "out")
    assert made.name == f"Folkmoot-{desktop.version()}-{os.uname().machine}.AppImage"
    assert made.read_bytes()[:8] == b"\x7fELFhsqs"
    assert os.access(made, os.X_OK)


def test_the_program_runs_from_an_appdir(tmp_path: Path) -> None:
    assert BUNDLE.is_dir(), "make bundle first"
    root = tmp_path / "a b/Folkmoot.AppDir"
    appimage.stage(root, BUNDLE, desktop.source_date())
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    environment |= {"QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(tmp_path)}
    environment |= {"APPDIR": str(root), "APPIMAGE": str(tmp_path / "Folkmoot.AppImage")}
    done = subprocess.run(
        [root / "AppRun", "--selftest"],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    told = json.loads(done.stdout)
    assert [check for check in told["checks"] if not check["ok"]] == []
    assert done.returncode == 0
    assert told["frozen"]
