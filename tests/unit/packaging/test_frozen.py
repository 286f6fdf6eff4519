"""The start of the frozen program, its stamp, and the empty libraries."""

from __future__ import annotations

import ctypes
import json
import platform
import subprocess
from pathlib import Path

import entry
import hollow
import pytest
import stamp

_TOP = Path(__file__).parents[3]
_ANEW = {"PYINSTALLER_RESET_ENVIRONMENT": "1"}
"""What tells the boot loader of a child to look for the libraries by itself."""


def test_what_the_boot_loader_sets_reaches_no_other_program() -> None:
    environment = {
        "LD_LIBRARY_PATH": "/bundle/_internal",
        "QT_PLUGIN_PATH": "/bundle/plugins",
        "QML2_IMPORT_PATH": "/bundle/qml",
        "HOME": "/home/ada",
    }
    entry.put_right(environment)
    assert environment == {"HOME": "/home/ada", **_ANEW}


def test_what_the_person_set_comes_back() -> None:
    environment = {"LD_LIBRARY_PATH": "/bundle/_internal:/own", "LD_LIBRARY_PATH_ORIG": "/own"}
    entry.put_right(environment)
    assert environment == {"LD_LIBRARY_PATH": "/own", **_ANEW}


def test_the_stamp_follows_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795653000")
    monkeypatch.setenv("FOLKMOOT_COMMIT", "0123456789ab")
    assert json.loads(stamp.stamp(_TOP)) == {
        "commit": "0123456789ab",
        "date": "2026-11-26",
        "kind": "bundle",
    }


@pytest.mark.needs("as", "ld", "nm")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the machine words here are x86-64's")
def test_a_large_encoder_becomes_an_empty_library_that_says_no(tmp_path: Path) -> None:
    _library(tmp_path / "libx265-1.so.9", ".globl api_get, unused\napi_get: ret\nunused: ret\n")
    _library(tmp_path / "libSvtAv1Enc-1.so.4", ".globl open_it\nopen_it: ret\n")
    user = tmp_path / "libavcodec-1.so.62"
    _library(user, ".globl f\nf: call api_get@PLT\n call open_it@PLT\n ret\n")
    done = hollow.hollow_out(tmp_path)
    assert [path.name for path in done] == ["libx265-1.so.9", "libSvtAv1Enc-1.so.4"]
    table, encoder = (ctypes.CDLL(str(path)) for path in done)
    assert table.api_get() == 0
    assert encoder.open_it() == -1
    assert not hasattr(table, "unused")


def test_an_encoder_that_is_not_there_must_be_looked_at(tmp_path: Path) -> None:
    if platform.machine() in ("x86_64", "aarch64"):
        with pytest.raises(RuntimeError, match="not one"):
            hollow.hollow_out(tmp_path)


def _library(path: Path, assembly: str) -> None:
    source = path.with_suffix(".s")
    source.write_text(f".text\n{assembly}")
    subprocess.run(["as", "-o", path.with_suffix(".o"), source], check=True)
    subprocess.run(
        ["ld", "-shared", "-soname", path.name, "-o", path, path.with_suffix(".o")], check=True
    )
    path.with_suffix(".o").unlink()
    source.unlink()
