"""Clean clones, the plain user in them, and programs started far from them."""

from __future__ import annotations

import ast
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
NOBODY = 65534
"""User and group number of `nobody` on Debian."""

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find_system_python() -> str:
    """Return the Python of the distribution, or of this run where there is none with pip."""
    python = "/usr/bin/python3"
    if Path(python).exists():
        tried = subprocess.run(
            [python, "-m", "pip", "--version"], capture_output=True, timeout=60, check=False
        )
        if tried.returncode == 0:
            return python
    return str(Path(sys.base_prefix, "bin", "python3"))


def make_clean_environment(home: Path, cache: Path) -> dict[str, str]:
    """Return a fresh login's environment: of the caller's only how pip finds packages."""
    environ = {
        "HOME": str(home),
        "PATH": _SYSTEM_PATH,
        "LANG": "C.UTF-8",
        "PYTHON": find_system_python(),
        "PIP_CACHE_DIR": str(cache),
        "XDG_RUNTIME_DIR": str(home),
    }
    listed = subprocess.run(
        [find_system_python(), "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        scope, _, name = key.partition(".")
        if scope in ("global", "install", ":env:"):
            words = str(ast.literal_eval(value)).split()
            environ["PIP_" + name.upper().replace("-", "_")] = " ".join(words)
    return environ


def make_clone(folder: Path) -> Path:
    """Clone what is committed into `folder`."""
    clone = folder / "clone"
    subprocess.run(
        ["git", "-c", f"safe.directory={TOP}", "clone", "-q", "--no-hardlinks", TOP, clone],
        check=True,
        timeout=60,
    )
    return clone


def give_away(folder: Path) -> None:
    """Make `folder` and all in it belong to the plain user."""
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True, timeout=60)


def as_plain_user(command: Sequence[str]) -> list[str]:
    """Return `command` run by a user who may nothing, from root."""
    drop = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--no-new-privs"]
    return [*drop, *command]


def read_ready_line(process: subprocess.Popen[str], timeout_s: float = 30.0) -> dict[str, Any]:
    """Return the JSON line that a server prints when it is ready."""
    assert process.stdout is not None
    found, _, _ = select.select([process.stdout], [], [], timeout_s)
    line = process.stdout.readline() if found else ""
    if not line:
        process.kill()
        raise AssertionError(f"no ready line; it said: {process.communicate()[1][-2000:]}")
    ready: dict[str, Any] = json.loads(line)
    return ready


@contextmanager
def started(
    command: Sequence[str], cwd: Path, environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Start a program and end it with the block, whatever happens."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


@contextmanager
def virtual_display() -> Iterator[str]:
    """Run an X server without a screen and give its name (``:99``)."""
    reader, writer = os.pipe()
    xvfb = shutil.which("Xvfb")
    assert xvfb is not None
    # Without the last option it begins anew whenever its last client goes (a look for windows), and
    # turns away who comes at that moment.
    server = subprocess.Popen(
        [
            *(xvfb, "-displayfd", str(writer), "-screen", "0", "1280x800x24"),
            *("-nolisten", "tcp", "-noreset"),
        ],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        found, _, _ = select.select([reader], [], [], 20.0)
        assert found, "Xvfb did not start"
        yield f":{os.read(reader, 16).decode().strip()}"
    finally:
        os.close(reader)
        server.terminate()
        server.wait(timeout=20)


def wait_for_window(display: str, title: str, timeout_s: float = 30.0, count: int = 1) -> None:
    """Return when `count` shown windows have this title."""
    command = ["xdotool", "search", "--onlyvisible", "--name", title]
    deadline = time.monotonic() + timeout_s
    while True:
        found = subprocess.run(
            command,
            env=os.environ | {"DISPLAY": display},
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        if len(found.stdout.split()) >= count:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {count} window(s) “{title}”")
        time.sleep(0.1)
