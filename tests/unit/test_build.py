"""The stamp of a build: what it says, and that a spoiled one says nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot import __version__, build
from folkmoot.build import Build
from folkmoot.main import main

_STAMP = {"commit": "3f2a9c1b77aa", "date": "2026-11-26", "kind": "bundle"}


@pytest.fixture
def stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the stamp is looked for; nothing is there yet."""
    path = tmp_path / "_build.json"
    monkeypatch.setattr(build, "STAMP", path)
    for name in ("APPIMAGE", "APPDIR", "FLATPAK_ID"):
        monkeypatch.delenv(name, raising=False)
    build.build.cache_clear()
    yield path
    build.build.cache_clear()


def _install(monkeypatch: pytest.MonkeyPatch, executable: str, platform: str = "linux") -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sys, "platform", platform)


def test_without_a_stamp_it_runs_from_source(stamp: Path) -> None:
    assert build.build() == Build(__version__, "", "", frozen=False)
    assert build.build().words == f"{__version__}, from source"
    assert build.installed_as() == ""


def test_a_stamp_says_commit_and_day(
    stamp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    stamp.write_text(json.dumps(_STAMP))
    assert build.build() == Build(__version__, "3f2a9c1b77aa", "2026-11-26", frozen=True)
    assert main(["--version"]) == 0
    said = capsys.readouterr().out
    assert said == f"folkmoot {__version__}, build 3f2a9c1b, 2026-11-26\n"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        json.dumps([_STAMP]).encode(),
        json.dumps(_STAMP | {"commit": "3F2A9C1B77AA"}).encode(),
        json.dumps(_STAMP | {"commit": "3f2a9c1b77aa\n"}).encode(),
        json.dumps(_STAMP | {"date": None}).encode(),
        json.dumps(_STAMP | {"date": "26.11.2026"}).encode(),
        json.dumps({"commit": "3f2a9c1b77aa"}).encode(),
    ],
)
def test_a_spoiled_stamp_says_nothing(stamp: Path, text: bytes) -> None:
    stamp.write_bytes(text)
    assert build.build().words == f"{__version__}, from source"


def test_a_bundle_without_a_stamp_does_not_claim_to_be_source(
    stamp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert build.build().words == f"{__version__}, unknown build"


@pytest.mark.parametrize(
    ("executable", "platform", "kind"),
    [
        ("/usr/lib/folkmoot/folkmoot", "linux", ".deb"),
        ("/opt/folkmoot/folkmoot", "linux", ".deb"),
        ("/home/ada/folkmoot/folkmoot", "linux", ""),
        ("/usr/libexec/folkmoot", "linux", ""),
        ("C:/Folkmoot/folkmoot.exe", "win32", "Windows"),
        ("/Applications/Folkmoot.app/Contents/MacOS/folkmoot", "darwin", "macOS"),
    ],
)
def test_what_installed_it_is_told_by_where_it_lies(
    stamp: Path, monkeypatch: pytest.MonkeyPatch, executable: str, platform: str, kind: str
) -> None:
    _install(monkeypatch, executable, platform)
    assert build.installed_as() == kind


@pytest.mark.parametrize(
    ("executable", "kind"),
    [("/tmp/.mount_Folk/usr/bin/folkmoot", "AppImage"), ("/usr/lib/folkmoot/folkmoot", ".deb")],
)
def test_started_from_within_an_appimage_it_is_one_only_if_it_lies_there(
    stamp: Path, monkeypatch: pytest.MonkeyPatch, executable: str, kind: str
) -> None:
    monkeypatch.setenv("APPIMAGE", "/home/ada/Any.AppImage")
    monkeypatch.setenv("APPDIR", "/tmp/.mount_Folk")
    _install(monkeypatch, executable)
    assert build.installed_as() == kind


@pytest.mark.parametrize(("id", "kind"), [(build.APP_ID, "Flatpak"), ("org.example.Shell", "")])
def test_a_flatpak_is_ours_only_by_our_name(
    stamp: Path, monkeypatch: pytest.MonkeyPatch, id: str, kind: str
) -> None:
    monkeypatch.setenv("FLATPAK_ID", id)
    assert build.installed_as() == kind


def test_it_is_cheap_to_import() -> None:
    """Only what `folkmoot.main` needs anyway: no JSON, no library."""
    source = "import sys, folkmoot.build; sys.exit(int('json' in sys.modules))"
    app = Path(build.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", source], env={"PYTHONPATH": str(app)}, timeout=30)
    assert done.returncode == 0
