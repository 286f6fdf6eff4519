"""A desk for real windows: display, window manager, accessibility bus, mouse and keyboard.

Windows are driven the way a person drives them: a control is found by the name and role that a
screen reader would say (AT-SPI2 over D-Bus), and then clicked or typed into with xdotool.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from numpy.typing import NDArray

from e2e.nodes import environment, until

_ROOT_PATH = "/org/a11y/atspi/accessible/root"
_ACCESSIBLE = "org.a11y.atspi.Accessible"
_COMPONENT = "org.a11y.atspi.Component"
_TEXT = "org.a11y.atspi.Text"
_SENSITIVE, _SHOWING = 24, 25
"""AT-SPI2 state numbers: it takes a click; it is visible on the screen."""
_CALL_S, _WALK_S = 30.0, 60.0
"""What hangs, on a machine that may stand still for seconds: one answer; all controls there are."""
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <include>/usr/share/dbus-1/session.conf</include>
  <policy context="default"><allow user="root"/></policy>
</busconfig>
"""
"""The session bus of Debian, which who runs the tests may join on another's desk too."""


@dataclass(frozen=True)
class Control:
    """One thing a screen reader sees. The rectangle is in pixels of the screen."""

    name: str
    role: str
    x: int
    y: int
    width: int
    height: int
    bus: str
    path: str
    enabled: bool

    @property
    def middle(self) -> tuple[int, int]:
        """Where to click."""
        return self.x + self.width // 2, self.y + self.height // 2


class Desktop:
    """A virtual screen and everything that a desktop program expects around it."""

    def __init__(
        self, size: str = "1600x1000", *, managed: bool = True, user: int | None = None
    ) -> None:
        """`user`: whose desk it is, by number, if not of who runs this (who must be root then)."""
        self._size, self._managed, self._user = size, managed, user
        self._folder = tempfile.TemporaryDirectory(prefix="folkmoot-desk-")
        self._started: list[subprocess.Popen[bytes]] = []
        self.environment: dict[str, str] = {}

    def start(self) -> Desktop:
        """Put the desk up."""
        folder = Path(self._folder.name)
        reading, writing = os.pipe()
        self._spawn(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{self._size}x24", "-noreset"],
            pass_fds=(writing,),
        )
        os.close(writing)
        with os.fdopen(reading) as told:
            display = told.readline().strip()
        assert display, "Xvfb did not start"
        (folder / "run").mkdir(mode=0o700)
        (folder / "bus.conf").write_text(_BUS)
        if self._user is not None:
            for own in (folder, folder / "run"):
                os.chown(own, self._user, self._user)
        bus = f"unix:path={folder / 'bus'}"
        self.environment = {
            **environment(),
            "DISPLAY": f":{display}",
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            # A control may go while it is being looked at: not worth a word.
            "QT_LOGGING_RULES": "qt.accessibility.atspi=false",
            "DBUS_SESSION_BUS_ADDRESS": bus,
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
        }
        settings = f"--config-file={folder / 'bus.conf'}"
        self._spawn(["dbus-daemon", settings, "--nofork", f"--address={bus}"])
        until((folder / "bus").exists, "the session bus")
        # It starts when it is first asked; a window that comes before it is up stays unheard of.
        until(self._is_registry_up, "the registry of accessible programs")
        if self._managed:
            self._spawn(["openbox"])
            until(self._has_manager, "the window manager")
        return self

    def accessibility_bus(self) -> DBusConnection:
        """A connection to the bus of accessible programs."""
        session = open_dbus_connection(
            self.environment["DBUS_SESSION_BUS_ADDRESS"], auth_timeout=_CALL_S
        )
        asked = DBusAddress("/org/a11y/bus", "org.a11y.Bus", "org.a11y.Bus")
        address = session.send_and_get_reply(new_method_call(asked, "GetAddress")).body[0]
        session.close()
        return open_dbus_connection(address.split(",guid")[0], auth_timeout=_CALL_S)

    def _is_registry_up(self) -> bool:
        try:
            bus = self.accessibility_bus()
        except ConnectionRefusedError:  # its file is there a moment before it listens
            return False
        registry = DBusAddress(_ROOT_PATH, "org.a11y.atspi.Registry", _ACCESSIBLE)
        try:
            asked = new_method_call(registry, "GetChildren")
            reply = bus.send_and_get_reply(asked, timeout=_CALL_S)
        finally:
            bus.close()
        return bool(reply.header.message_type.name == "method_return")

    def stop(self) -> None:
        """Take it down."""
        for process in reversed(self._started):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
        self._folder.cleanup()

    def window(
        self, profile: Path, *options: str, prefix: Sequence[str] = (), **extra: str
    ) -> WindowProcess:
        """Start Folkmoot's window on a profile; `extra` goes to its environment.

        PROGRAM names another module to run, one that runs Folkmoot and watches it. `prefix`: what
        stands before the command, as where it runs.
        """
        return WindowProcess(self, profile, options, extra, prefix)

    def xdotool(self, *words: str | float) -> str:
        """Run xdotool on this desk."""
        done = subprocess.run(
            ["xdotool", *map(str, words)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, f"xdotool {words}: {done.stderr}"
        return done.stdout.strip()

    def windows(self) -> list[str]:
        """Every window with a name that is on the screen."""
        return self.xdotool("search", "--onlyvisible", "--name", ".").split()

    def owner(self, window: str) -> int:
        """The process that a window says it is of."""
        return int(self.xdotool("getwindowpid", window))

    def keyboard_at(self) -> int:
        """The process that gets what is typed; 0 while nobody does."""
        done = subprocess.run(
            ["xdotool", "getwindowfocus", "getwindowpid"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return int(done.stdout) if done.stdout.strip().isdigit() else 0

    def picture(self, file: Path) -> None:
        """The whole screen as a picture."""
        subprocess.run(
            ["import", "-window", "root", str(file)], env=self.environment, timeout=30, check=True
        )

    def pixels(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """A part of the screen, (height, width, 3)."""
        part = f"{width}x{height}+{x}+{y}"
        taken = subprocess.run(
            ["import", "-window", "root", "-crop", part, "-depth", "8", "rgb:-"],
            env=self.environment,
            capture_output=True,
            timeout=30,
            check=True,
        )
        return np.frombuffer(taken.stdout, np.uint8).reshape(height, width, 3)

    def _has_manager(self) -> bool:
        if self._started[-1].poll() is not None:
            self._spawn(["openbox"])
        asked = subprocess.run(
            ["wmctrl", "-m"], env=self.environment, capture_output=True, timeout=30, check=False
        )
        return asked.returncode == 0

    def _spawn(self, command: list[str], pass_fds: tuple[int, ...] = ()) -> None:
        self._started.append(
            subprocess.Popen(
                command,
                env=self.environment or environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=pass_fds,
                user=self._user,
                group=self._user,
            )
        )


class WindowProcess:
    """Folkmoot's window in a process of its own, used by mouse and keyboard."""

    def __init__(
        self,
        desktop: Desktop,
        profile: Path,
        options: tuple[str, ...],
        extra: dict[str, str],
        prefix: Sequence[str] = (),
    ) -> None:
        self._desktop = desktop
        program = extra.pop("PROGRAM", "folkmoot")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            [*prefix, *self.command(program, "--profile", str(profile), *options)],
            env={**desktop.environment, **extra},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self._bus = desktop.accessibility_bus()
        self.frame = str(until(self._frame, f"a window of {profile.name}", 30))

    def command(self, program: str, *words: str) -> list[str]:
        """The command line of a module with these arguments."""
        return [sys.executable, "-m", program, *words]

    def errors(self) -> str:
        """What it wrote to its terminal."""
        self._log.seek(0)
        return self._log.read().decode()

    def place(self, x: int, y: int, width: int, height: int) -> None:
        """Move and size the window."""
        self._desktop.xdotool("windowsize", "--sync", self.frame, width, height)
        self._desktop.xdotool("windowmove", "--sync", self.frame, x, y)

    def place_window(self, title: str, x: int, y: int, width: int, height: int) -> None:
        """Move and size another window of this process, as the one of a call."""
        words = ("search", "--all", "--onlyvisible", "--pid", self.process.pid, "--name", title)
        found = until(lambda: self._ids(words), f"a window “{title}”")
        self._desktop.xdotool("windowsize", "--sync", found, width, height)
        self._desktop.xdotool("windowmove", "--sync", found, x, y)

    def _ids(self, words: tuple[str | int, ...]) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, words)],
            env=self._desktop.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.stdout.split("\n")[0]

    def focus(self) -> None:
        """Bring it to the front; the keyboard is there when this returns."""
        assert self.process.poll() is None, f"it ended: {self.process.poll()}\n{self.errors()}"
        if self._desktop.keyboard_at() != self.process.pid:
            self._desktop.xdotool("windowactivate", "--sync", self.frame)
            until(lambda: self._desktop.keyboard_at() == self.process.pid, "the keyboard's focus")

    def find(self, name: str, role: str = "", timeout_s: float = 20.0) -> Control:
        """The control on the screen whose name contains `name` (and that has the role)."""
        found = until(
            lambda: self.all(name, role),
            f"a control “{name}” ({role or 'any role'}) on the screen",
            timeout_s,
            lambda: f"there are: {self.names()}",
        )
        return found[0]

    def all(self, name: str = "", role: str = "") -> list[Control]:
        """Every control on the screen whose name contains `name`."""
        return [one for one in self._walk() if name in one.name and (not role or one.role == role)]

    def names(self) -> list[str]:
        """What a screen reader could say, for failing in words."""
        return [f"{one.role}: {one.name}" for one in self._walk() if one.name][:80]

    def text_of(self, control: Control) -> str:
        """What stands in a field."""
        return str(self._call(control.bus, control.path, _TEXT, "GetText", "ii", 0, -1))

    def until_enabled(self, name: str, role: str = "") -> None:
        """Wait until a control takes a click."""
        until(lambda: self.find(name, role).enabled, f"“{name}” takes a click")

    def click(self, name: str, role: str = "") -> None:
        """Click the middle of a control, once it stands still."""
        self.click_at(*self._standing(name, role).middle)

    def _standing(self, name: str, role: str) -> Control:
        seen = [self.find(name, role)]

        def stands() -> bool:
            seen.append(self.find(name, role))
            return seen[-1] == seen[-2]

        until(stands, f"“{name}” stands still")
        return seen[-1]

    def hover(self, name: str, role: str = "") -> Control:
        """Move the mouse over a control, once it stands still."""
        control = self._standing(name, role)
        x, y = control.middle
        self.focus()
        self._desktop.xdotool("mousemove", x - 3, y, "sleep", 0.03, "mousemove", x, y)
        return control

    def click_at(self, x: int, y: int) -> None:
        """Click a place of the screen."""
        self.focus()
        self._desktop.xdotool("mousemove", x, y, "sleep", 0.03, "click", 1)

    def type(self, text: str) -> None:
        """Type on the keyboard."""
        self.focus()
        self._desktop.xdotool("type", "--delay", 15, text)

    def key(self, *names: str) -> None:
        """Press keys, such as ``ctrl+Return``."""
        self.focus()
        self._desktop.xdotool("key", "--delay", 30, *names)

    def close(self) -> int:
        """Ask the window to close, as a click on its cross does; the exit status."""
        if self.process.poll() is None:
            subprocess.run(
                ["wmctrl", "-i", "-c", self.frame],
                env=self._desktop.environment,
                timeout=30,
                check=False,
            )
        try:
            return self.process.wait(30)
        finally:
            self.kill()

    def kill(self) -> None:
        """kill -9."""
        self._bus.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)

    def _frame(self) -> str:
        assert self.process.poll() is None, self.errors()
        return self._ids(
            ("search", "--all", "--onlyvisible", "--pid", self.process.pid, "--name", ".")
        )

    def _call(self, bus: str, path: str, interface: str, method: str, *body: Any) -> Any:
        """One call; None when the object went away meanwhile."""
        signature = body[0] if body else None
        message = new_method_call(
            DBusAddress(path, bus, interface), method, signature, tuple(body[1:])
        )
        reply = self._bus.send_and_get_reply(message, timeout=_CALL_S)
        return None if reply.header.message_type.name == "error" else reply.body[0]

    def _property(self, bus: str, path: str, name: str) -> Any:
        properties = "org.freedesktop.DBus.Properties"
        found = self._call(bus, path, properties, "Get", "ss", _ACCESSIBLE, name)
        return None if found is None else found[1]

    def _application(self) -> tuple[str, str] | None:
        registry = "org.a11y.atspi.Registry"
        for bus, path in self._call(registry, _ROOT_PATH, _ACCESSIBLE, "GetChildren") or []:
            daemon = "org.freedesktop.DBus"
            place = "/org/freedesktop/DBus"
            pid = self._call(daemon, place, daemon, "GetConnectionUnixProcessID", "s", bus)
            if pid == self.process.pid:
                return bus, path
        return None

    def _walk(self) -> Iterator[Control]:
        application = self._application()
        if application is None:
            return
        waiting = [application]
        deadline = time.monotonic() + _WALK_S
        while waiting:
            # To end early without a word would be to say that what was not looked at is not there.
            assert time.monotonic() < deadline, "the controls have no end"
            bus, path = waiting.pop()
            states = self._call(bus, path, _ACCESSIBLE, "GetState")
            if states is None:
                continue
            if (bus, path) != application and not states[0] & (1 << _SHOWING):
                continue
            extents = self._call(bus, path, _COMPONENT, "GetExtents", "u", 0)
            if extents is not None and extents[2] > 0:
                name = self._property(bus, path, "Name") or ""
                role = self._call(bus, path, _ACCESSIBLE, "GetRoleName") or ""
                x, y, width, height = extents
                enabled = bool(states[0] & (1 << _SENSITIVE))
                yield Control(name, role, x, y, width, height, bus, path, enabled)
            children = self._call(bus, path, _ACCESSIBLE, "GetChildren") or []
            waiting += [(bus, child) for bus, child in reversed(children)]


@contextlib.contextmanager
def desktop(size: str = "1600x1000") -> Iterator[Desktop]:
    """A desk for the length of a test."""
    made = Desktop(size)
    try:
        yield made.start()
    finally:
        made.stop()
