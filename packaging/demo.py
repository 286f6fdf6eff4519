"""`make demo`: two people on this computer, joined in one team, each with a window.

Everything goes through what is open to everybody: the commands `folkmoot node` and `folkmoot token`
and the local API. The two profiles live in a folder that is removed when both windows are closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from folkmoot.system.display import find_display_fault

TEAM = "Demo"
WELCOME = "Hello Grace! Write something: it goes straight from window to window."
PATIENCE_S = 30.0
_FOLKMOOT = (sys.executable, "-m", "folkmoot")


class DemoNode:
    """One running `folkmoot node` and a token for its API."""

    def __init__(self, profile: Path, name: str, *options: str) -> None:
        command = [*_FOLKMOOT, "node", "--profile", str(profile), "--name", name]
        self._process = subprocess.Popen(
            [*command, "--api-port", "0", *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"The node of {name} did not start.")
        self.ready: dict[str, Any] = json.loads(line)
        token = [*_FOLKMOOT, "token", "--profile", str(profile), "--expires", "600"]
        done = subprocess.run(
            [*token, "--scope", "read", "write", "admin"],
            capture_output=True,
            text=True,
            check=True,
        )
        self._token = done.stdout.strip()

    def ask(self, method: str, path: str, **body: object) -> Any:
        """Make one request of the API and return the answer."""
        request = urllib.request.Request(
            f"{self.ready['api']}/api/communication{path}",
            json.dumps(body).encode() if body else None,
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """End the node in good order."""
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_S)


@contextlib.contextmanager
def running_node(profile: Path, name: str, *options: str) -> Iterator[DemoNode]:
    """Run a node for the length of the block."""
    node = DemoNode(profile, name, *options)
    try:
        yield node
    finally:
        node.stop()


def make_profiles(first: Path, second: Path) -> None:
    """Let Ada start a team and Grace join it by an invitation."""
    with running_node(first, "Ada") as ada:
        team = ada.ask("POST", "/teams", name=TEAM)["id"]
        invite = ada.ask("POST", f"/teams/{team}/invites", uses=1)["link"]
        port = ada.ready["listen"][0].rpartition(":")[2]
        with running_node(second, "Grace", "--peer", f"127.0.0.1:{port}") as grace:
            grace.ask("POST", "/teams/join", invite=invite)
            session = _wait_for_channel(grace, team)
            ada.ask("POST", f"/chat/sessions/{session}/messages", text=WELCOME)
            _wait_until(
                lambda: bool(grace.ask("GET", f"/chat/sessions/{session}/messages")["items"]),
                "the first message arrives",
            )


def _wait_for_channel(node: DemoNode, team: str) -> str:
    def find() -> list[str]:
        sessions = node.ask("GET", "/chat/sessions")["items"]
        return [each["id"] for each in sessions if each["team"] == team]

    _wait_until(lambda: bool(find()), "the channel arrives")
    return find()[0]


def _wait_until(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not claim():
        if time.monotonic() > deadline:
            raise SystemExit(f"The demo gave up: not within {PATIENCE_S:.0f} s that {what}.")
        time.sleep(0.1)


def main() -> int:
    """Make two profiles and open a window on each; end when both are closed."""
    fault = find_display_fault()
    if fault is not None:
        sys.stderr.write(f"{fault}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="folkmoot-demo-") as folder:
        profiles = [Path(folder, name) for name in ("ada", "grace")]
        print("Making two people and a team …", flush=True)
        make_profiles(*profiles)
        print("Opening two windows; close both to end the demo.", flush=True)
        windows = [
            subprocess.Popen([*_FOLKMOOT, "--profile", str(profile)], env=os.environ)
            for profile in profiles
        ]
        try:
            return max(window.wait() for window in windows)
        except KeyboardInterrupt:
            return 130
        finally:
            for window in windows:
                window.terminate()
            for window in windows:
                window.wait(timeout=PATIENCE_S)


if __name__ == "__main__":
    sys.exit(main())
