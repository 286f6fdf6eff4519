"""The installed program on a clean system: as a node, and as a window on a desk outside.

The desk (display, window manager, buses) stays outside, so that nothing of it brings a library that
the package forgot to ask for; inside are only the sockets that lead to it.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from e2e.desktop import Desktop, WindowProcess
from e2e.nodes import NodeProcess
from e2e.people import HEIGHT, WIDTH, Desk, watched
from packages.debian import UID, USER, Chroot

PROFILE = Path("/home", USER, ".local", "share", "folkmoot")
"""Where the profile is when nobody names a folder."""
PROGRAM = "/usr/bin/folkmoot"


class InstalledNode(NodeProcess):
    """`folkmoot node` of the package, by the plain user with the usual profile."""

    def __init__(
        self, system: Chroot, name: str, *options: str, prefix: Sequence[str] = ()
    ) -> None:
        super().__init__(PROFILE, name, *options, prefix=prefix)
        self._system = system

    def command(self, *words: str) -> list[str]:
        """The same inside."""
        return self._system.command(PROGRAM, *words)


class InstalledWindow(WindowProcess):
    """The window of the package, by the plain user with the usual profile."""

    def __init__(self, desktop: Desktop, system: Chroot, prefix: Sequence[str] = ()) -> None:
        self._system = system
        super().__init__(desktop, PROFILE, (), {}, prefix)

    def command(self, program: str, *words: str) -> list[str]:
        """The same inside; the menu of the desktop starts it without words."""
        seen = desk_variables(self._desktop)
        return self._system.command(PROGRAM, environ=seen)


class InstalledDesk(Desk):
    """A desk with two places for windows of installed programs."""

    def show(self, system: Chroot, place: int = 0, prefix: Sequence[str] = ()) -> InstalledWindow:
        """Open the window of a system at the left (0) or right (1) place."""
        window = InstalledWindow(self.desk, system, prefix)
        self.windows.append(window)
        window.place(place * (WIDTH + 10), 0, WIDTH, HEIGHT)
        return window


def desk_variables(desktop: Desktop) -> dict[str, str]:
    """What a login on this desk sets, for who comes from inside."""
    wanted = ("DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
    accessible = ("QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "QT_LOGGING_RULES")
    return {name: desktop.environment[name] for name in (*wanted, *accessible)}


@contextlib.contextmanager
def screen(*systems: Chroot, size: str = f"{2 * WIDTH + 20}x{HEIGHT + 40}") -> Iterator[Desktop]:
    """A desk of the plain user outside, whose sockets are there inside."""
    desktop = Desktop(size, user=UID)
    try:
        desktop.start()
        for system in systems:
            system.bind(Path("/tmp/.X11-unix"))
            system.bind(Path(desktop.environment["XDG_RUNTIME_DIR"]).parent)
        yield desktop
    finally:
        desktop.stop()


@contextlib.contextmanager
def installed_desk(folder: Path, *systems: Chroot) -> Iterator[InstalledDesk]:
    """The same with two places. Every window must close in good order and say nothing."""
    with screen(*systems) as desktop:
        yield from watched(InstalledDesk(desktop, folder))


def ask(
    system: Chroot, *words: str, environ: Mapping[str, str] | None = None, timeout_s: float = 120.0
) -> subprocess.CompletedProcess[str]:
    """Run the installed program to its end as the plain user."""
    return subprocess.run(
        system.command(PROGRAM, *words, environ=environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd="/",
        check=False,
    )
