"""A sound system for one test: a PulseAudio daemon of its own with null sinks, and an engine on it.

The daemon is ended by its process id. Needs no sound card and disturbs none.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[3]
WAIT_S = 30.0


class SoundSystem:
    """Sink ``out``, and the microphone ``mic`` that hears what it plays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        socket = folder / "native"
        self.environ = os.environ | {
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{socket}",
            "PYTHONPATH": os.pathsep.join(str(TOP / part) for part in ("app", "tests")),
        }
        self.environ.pop("DISPLAY", None)
        self._log = (folder / "log").open("wb")
        self._daemon = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"),
                *("--use-pid-file=no", "--log-target=stderr"),
                *("-L", f"module-native-protocol-unix socket={socket}"),
            ],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        deadline = time.monotonic() + WAIT_S
        while self._ask("info").returncode:
            assert self._daemon.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        self._modules: list[str] = []
        self.plug()

    def plug(self) -> None:
        """Plug the sink and the microphone in."""
        self._load("module-null-sink", "sink_name=out", "rate=48000")
        self._load("module-remap-source", "master=out.monitor", "source_name=mic")

    def unplug(self) -> None:
        """Unplug both."""
        while self._modules:
            assert self._ask("unload-module", self._modules.pop()).returncode == 0

    def list_recordings(self) -> list[str]:
        """Streams of programs that record now."""
        told = self._ask("list", "short", "source-outputs").stdout.splitlines()
        return [line for line in told if "protocol-native" in line]

    def close(self) -> None:
        """End the daemon."""
        self._daemon.terminate()
        self._daemon.wait(WAIT_S)
        self._log.close()

    def _load(self, *module: str) -> None:
        loaded = self._ask("load-module", *module)
        assert loaded.returncode == 0, loaded.stderr
        self._modules.append(loaded.stdout.strip())

    def _ask(self, *question: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pactl", *question],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
        )


class Player:
    """A script, `sound_player.py`, in a process of its own: what it tells, and what it is told."""

    def __init__(
        self, environ: dict[str, str], script: str = "sound_player.py", *more: str
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script)), *more],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[list[Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(json.loads(line))

    def told(self, kind: str) -> list[list[Any]]:
        """What was told of a kind and not waited for yet; all of it is forgotten."""
        rows = []
        while not self._lines.empty():
            rows.append(self._lines.get())
        return [row for row in rows if row[0] == kind]

    def tell(self, word: str) -> None:
        """One command."""
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def wait(self, until: Callable[[list[Any]], bool]) -> list[Any]:
        """Return the first thing told from now on that is meant."""
        deadline = time.monotonic() + WAIT_S
        told = []
        while time.monotonic() < deadline:
            try:
                row = self._lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                break
            told.append(row)
            if until(row):
                return row
        raise AssertionError(f"it was not told; the last of it: {told[-10:]}")

    def end(self) -> tuple[int, str]:
        """End it in good order: its exit code, and all it wrote to stderr."""
        try:
            self.tell("end")
            code = self._process.wait(WAIT_S)
        finally:
            self._process.kill()
        self._reader.join(WAIT_S)
        assert self._process.stderr is not None
        return code, self._process.stderr.read()
