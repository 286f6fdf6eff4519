"""The server by itself: what it needs of the tree and of the registry, and nothing beyond."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.clones import find_system_python, make_clean_environment
from folkmoot import __version__
from folkmoot.protocol.signaling import Came
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand

_TOP = Path(__file__).parents[3]
_PACKAGING = _TOP / "packaging" / "signaling"
_FOREIGN = frozenset(
    {
        *("PySide6", "shiboken6", "qasync", "sqlalchemy", "sqlite3", "aiortc", "av", "numpy"),
        *("aioice", "aioquic", "websockets", "zeroconf", "livekit", "platformdirs"),
    }
)
_RUN = (
    "import atexit, runpy, sys;"
    "atexit.register(lambda: print(' '.join(sorted(sys.modules))));"
    "runpy.run_module('folkmoot_signaling', run_name='__main__', alter_sys=True)"
)


def test_importing_everything_of_it_brings_nothing_foreign() -> None:
    names = sorted(path.stem for path in (_TOP / "signaling/folkmoot_signaling").glob("*.py"))
    names = [f"folkmoot_signaling.{name}" for name in names if not name.startswith("__")]
    code = f"import sys, {', '.join(names)}; print(' '.join(sys.modules))"
    paths = os.pathsep.join(str(_TOP / name) for name in ("app", "signaling"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & _FOREIGN
    ours = {name for name in done.stdout.split() if name.startswith("folkmoot.")}
    assert {name.split(".")[1] for name in ours} == {"domain", "protocol"}


def _copied(place: Path) -> Path:
    """What the container file copies out of the tree, at the places where it puts it."""
    lines = (_PACKAGING / "Containerfile").read_text().splitlines()
    copies = [line.split()[1:] for line in lines if line.startswith("COPY app/")]
    copies += [line.split()[1:] for line in lines if line.startswith("COPY signaling")]
    assert len(copies) == 4
    for source, destination in copies:
        target = place / destination.removeprefix("/srv/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if (_TOP / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(_TOP / source, target, ignore=ignored)
        else:
            shutil.copy(_TOP / source, target)
    return place


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[SignalCommand]:
    """The server in an environment with what its lock names, and no more of the tree than that."""
    environ = make_clean_environment(tmp_path, tmp_path / "cache")
    folder = tmp_path / "environment"
    done = subprocess.run(
        [_TOP / "packaging/setup/environment.sh", folder, _TOP / "requirements/signaling.txt"],
        env=environ | {"PYTHON": find_system_python()},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    process = subprocess.Popen(
        [folder / "bin" / "python", "-c", _RUN, "--listen", "127.0.0.1:0"],
        cwd=_copied(tmp_path / "srv"),
        env=environ | {"PYTHONPATH": "app:signaling", "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield SignalCommand(process, ready["listen"], ready["stun"])
    finally:
        process.kill()
        process.communicate(timeout=30)


@pytest.mark.long
@pytest.mark.needs("registry")
@pytest.mark.timeout(300)
async def test_it_runs_in_an_empty_environment_from_the_parts_that_the_container_has(
    alone: SignalCommand,
) -> None:
    health = (await alone.ask("/health")).json
    assert (health["status"], health["version"]) == ("ok", __version__)
    async with (
        await SignalClient.logged_in(alone.url) as ann,
        await SignalClient.logged_in(alone.url) as bob,
    ):
        await ann.enter(b"t" * 16)
        await bob.enter(b"t" * 16)
        assert (await ann.wait(Came)).device == bob.device
        assert (await alone.ask("/metrics")).status == 200
    alone.tell(signal.SIGTERM)
    out, err = await asyncio.to_thread(alone.process.communicate, None, 20)
    assert alone.process.returncode == 0, err
    loaded = {name.partition(".")[0] for name in out.split()}
    assert {"aiohttp", "uvloop", "jwt"} <= loaded
    assert not loaded & (_FOREIGN | {"cryptography"})


def test_the_unit_is_hardened_and_good(tmp_path: Path) -> None:
    unit = (_PACKAGING / "folkmoot-signaling.service").read_text()
    for line in (
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateDevices=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "LimitCORE=0",
    ):
        assert line in unit.splitlines()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > 10


@pytest.mark.needs("systemd-analyze")
def test_systemd_takes_the_unit_and_finds_it_little_exposed(tmp_path: Path) -> None:
    text = (_PACKAGING / "folkmoot-signaling.service").read_text()
    # The program of it is not installed here; everything else is as it is shipped.
    unit = tmp_path / "folkmoot-signaling.service"
    unit.write_text(text.replace("/opt/folkmoot/.venv-signaling/bin/python", "/usr/bin/env"))
    done = subprocess.run(
        ["systemd-analyze", "verify", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
