"""Runs programs for Windows under Wine, in a prefix of its own, on a display of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SYSTEM = Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows")
"""Where Debian keeps the programs of Wine itself."""
_PATIENCE_S = 90.0


class Wine:
    """A fresh Windows with nothing in it, in `prefix`."""

    def __init__(self, prefix: Path, display: str) -> None:
        # No entries in the menus of the person who runs the tests; no questions about .NET.
        off = "winemenubuilder.exe,mscoree,mshtml="
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(prefix.parent),
            "USER": "ada",
            "WINEPREFIX": str(prefix),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": f"{off};netsh.exe=n",
            "DISPLAY": display,
        }
        self.drive = prefix / "drive_c"
        self.run("wineboot", "--init")
        self.settle()

    @property
    def home(self) -> Path:
        """The folder of the account."""
        return next(path for path in (self.drive / "users").iterdir() if path.name != "Public")

    @property
    def local(self) -> Path:
        """`%LOCALAPPDATA%`."""
        return self.home / "AppData/Local"

    def run(self, *command: str | Path) -> int:
        """Run to its end; the exit status."""
        process = self.start(*command)
        process.communicate(timeout=_PATIENCE_S)
        return process.returncode

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start and leave running; stdin stays open, stdout can be read."""
        return subprocess.Popen(
            ["wine", *map(str, command)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def settle(self) -> None:
        """Wait until nothing runs any more and the registry is written."""
        subprocess.run(["wineserver", "-w"], env=self.environment, timeout=_PATIENCE_S, check=False)

    def end(self) -> None:
        """End whatever runs still."""
        subprocess.run(["wineserver", "-k"], env=self.environment, timeout=30, check=False)
        self.settle()

    def value(self, key: str, name: str = "") -> str | int | None:
        """What the registry of the account says, or None. Waits until nothing runs any more."""
        self.settle()
        # Wine keeps it as text: [Key\\\\Key] time, "name"="text" or =dword:hex; @ has no name.
        section = "[" + key.replace("\\", "\\\\") + "]"
        start = (f'"{name}"' if name else "@") + "="
        inside = False
        for line in (self.drive.parent / "user.reg").read_text().splitlines():
            if line.startswith("["):
                inside = line.startswith(section)
            elif inside and line.startswith(start):
                value = line[len(start) :]
                if value.startswith("dword:"):
                    return int(value[6:], 16)
                return value[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
        return None


@contextmanager
def display() -> Iterator[str]:
    """A virtual display; its name."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)
