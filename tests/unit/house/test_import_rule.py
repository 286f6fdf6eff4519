"""The import rule is checked, and the check can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_TOP = Path(__file__).parents[3]

Lint = Callable[[], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code and its contracts, to be spoiled."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("app", "signaling"):
        shutil.copytree(_TOP / name, tmp_path / name, ignore=ignore)
    shutil.copy(_TOP / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as run; run()"
    paths = os.pathsep.join(str(folder / name) for name in ("app", "signaling"))
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_PLANTED = {
    "an inner ring imports an outer one": ("app/folkmoot/domain/ids.py", "folkmoot.services"),
    "ring-mates meet": ("app/folkmoot/api/__init__.py", "folkmoot.storage"),
    "the domain reads the clock": ("app/folkmoot/domain/ids.py", "time"),
    "the protocol opens a socket": ("app/folkmoot/protocol/__init__.py", "socket"),
    "services use Qt": ("app/folkmoot/services/__init__.py", "PySide6.QtCore"),
    "services know SQL": ("app/folkmoot/services/__init__.py", "sqlalchemy"),
    "the window knows SQL": ("app/folkmoot/ui/__init__.py", "sqlite3"),
    "the store opens a socket": ("app/folkmoot/storage/__init__.py", "socket"),
    "the window looks for peers": ("app/folkmoot/ui/__init__.py", "zeroconf"),
    "the network uses Qt": ("app/folkmoot/net/__init__.py", "PySide6.QtNetwork"),
    "signaling uses services": (
        "signaling/folkmoot_signaling/__init__.py",
        "folkmoot.services",
    ),
    "a module has no place in the rings": ("app/folkmoot/extra.py", "folkmoot.domain"),
}


@pytest.mark.parametrize("planted", _PLANTED)
def test_a_planted_import_turns_the_check_red(copy: Path, planted: str) -> None:
    file, module = _PLANTED[planted]
    with (copy / file).open("a") as code:
        code.write(f"\nimport {module}\n")
    done = _lint(copy)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout or "not listed as layers" in done.stdout


def test_a_forbidden_module_is_found_through_an_inner_one(copy: Path) -> None:
    (copy / "app/folkmoot/domain/deep.py").write_text("import random\n")
    with (copy / "app/folkmoot/protocol/__init__.py").open("a") as code:
        code.write("\nimport folkmoot.domain.deep\n")
    done = _lint(copy)
    assert "folkmoot.protocol is not allowed to import random" in done.stdout


_LIGHT = {
    "the package": ["folkmoot", "folkmoot.main", "folkmoot.resources"],
    "the inner rings": ["folkmoot.domain", "folkmoot.protocol", "folkmoot.services"],
    "what the node without a window uses": [
        "folkmoot.bootstrap",
        "folkmoot.storage",
        "folkmoot.net",
        "folkmoot.api",
    ],
    "the signaling server": ["folkmoot_signaling.main", "folkmoot_signaling.server"],
}


_HEAVY = "folkmoot.bootstrap.selftest."
"""Imported when the self-test runs, each in a process of its own."""


@pytest.mark.parametrize("what", _LIGHT)
def test_importing_it_pulls_in_no_qt(what: str) -> None:
    """Every module below the named packages is imported, in a fresh process."""
    source = f"""
import importlib, pkgutil, sys
for name in {_LIGHT[what]!r}:
    module = importlib.import_module(name)
    if name.count(".") == 1 and hasattr(module, "__path__"):
        for found in pkgutil.walk_packages(module.__path__, name + "."):
            if not found.name.startswith({_HEAVY!r}):
                importlib.import_module(found.name)
qt = {{"PySide6", "shiboken6", "qasync"}} & {{name.split(".")[0] for name in sys.modules}}
sys.exit(" ".join(sorted(qt)) or 0)
"""
    paths = os.pathsep.join(str(_TOP / name) for name in ("app", "signaling"))
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_first_paint_waits_for_no_heavy_library() -> None:
    """What `folkmoot` imports before the composition root runs is the standard library."""
    source = """
import sys
import folkmoot.main, folkmoot.bootstrap, folkmoot.system.display
heavy = {"sqlalchemy", "aiohttp", "zeroconf", "cryptography", "nacl", "msgspec", "jwt", "PySide6"}
sys.exit(" ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", source],
        env=os.environ | {"PYTHONPATH": str(_TOP / "app")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
