"""Keeps the tests honest about what they need: ``needs("root", "Xvfb")``.

A test whose need is missing is reported by name as *not run*, with the reason. Where CI is set to
``true`` (`.ci/run` does) it fails instead: there nothing stays out. A name that is not in `_PROBES`
is a program that must be on the path.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

_not_run: list[str] = []
_NOT_RUN = "not run: "


def _lacks_root() -> str | None:
    return None if os.geteuid() == 0 else "this user is not root"


def _lacks_namespaces() -> str | None:
    if _lacks_root():
        return _lacks_root()
    if shutil.which("ip") is None or shutil.which("unshare") is None:
        return "ip or unshare is not installed"
    tried = subprocess.run(
        ["unshare", "--net", "ip", "link", "set", "lo", "up"],
        capture_output=True,
        timeout=20,
        check=False,
    )
    return None if tried.returncode == 0 else "network namespaces are not allowed here"


def _lacks_registry() -> str | None:
    tried = subprocess.run(
        [sys.executable, "-m", "pip", "--version"], capture_output=True, timeout=60, check=False
    )
    pip = [sys.executable] if tried.returncode == 0 else [shutil.which("python3") or "python3"]
    tried = subprocess.run(
        [*pip, "-m", "pip", "download", "-q", "--no-deps", "-d", os.devnull, "iniconfig"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return None if b"No matching distribution" not in tried.stderr else "no package registry"


def _lacks_tap() -> str | None:
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"no TAP devices: {error.strerror}"
    return None


_PROBES: dict[str, Callable[[], str | None]] = {
    "root": _lacks_root,
    "netns": _lacks_namespaces,
    "tap": _lacks_tap,
    "registry": _lacks_registry,
}


@functools.cache
def find_lack(need: str) -> str | None:
    """Return why `need` is not met here, or None where it is."""
    probe = _PROBES.get(need)
    if probe is not None:
        return probe()
    return None if shutil.which(need) else f"{need} is not installed"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stop a test whose need is missing."""
    for marker in item.iter_markers("needs"):
        for need in marker.args:
            lack = find_lack(need)
            if lack is None:
                continue
            if os.environ.get("CI") == "true":
                pytest.fail(f"needs {need}: {lack}", pytrace=False)
            pytest.skip(f"{_NOT_RUN}{lack}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was not run, also in another process of the tests."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _, found, lack = report.longrepr[2].partition(_NOT_RUN)
        if found:
            _not_run.append(f"{report.nodeid}: {lack}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that were not run."""
    if _not_run:
        terminalreporter.section("not run")
        for line in _not_run:
            terminalreporter.write_line(line)
