"""Real nodes in processes of their own, told what to do through their local API."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
START_S = 30.0
ROOT = Path(__file__).resolve().parents[2]


def until(
    claim: Callable[[], T],
    what: str,
    timeout_s: float = 20.0,
    more: Callable[[], str] = lambda: "",
) -> T:
    """What `claim` answers as soon as that is true; fails with `what` when it never is."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = claim()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {timeout_s:.0f} s: {what}; last answer {answer!r} {more()}"
            )
        time.sleep(0.05)


def environment() -> dict[str, str]:
    """The environment of a child: the clone's packages, no display of ours."""
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("app", "signaling", "tests"))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}


class ApiError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, error: dict[str, str]) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.code = error.get("code", "")
        self.error = error


class NodeProcess:
    """One `folkmoot node`: started, asked, stopped or killed, and started again."""

    program: Sequence[str] = ("-m", "folkmoot")
    """What Python runs."""

    def __init__(self, profile: Path, name: str, *options: str, prefix: Sequence[str] = ()) -> None:
        self.profile = profile
        self.name = name
        self.options = options
        self.prefix = tuple(prefix)
        self.variables: dict[str, str] = {}
        self.ready: dict[str, Any] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""

    def command(self, *words: str) -> list[str]:
        """The command line of the program with these arguments."""
        program = self.program if words[0] == "node" else NodeProcess.program
        return [sys.executable, *program, *words]

    def start(self) -> NodeProcess:
        """Start it and wait for its ready line."""
        words = ("node", "--name", self.name, "--api-port", "0", *self.options)
        self.process = subprocess.Popen(
            [*self.prefix, *self.command(*words, "--profile", str(self.profile))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment(), **self.variables},
            start_new_session=True,
        )
        line = self._first_line()
        self.ready = json.loads(line)
        assert self.ready["ready"], self.ready
        if "--listen" in self.options:  # where others remember it, when it comes back
            self.options = ("--listen", self.ready["listen"][0], *self.options[2:])
        if not self.token:
            self.token = self.make_token("read", "write", "calls", "admin")
        return self

    def _first_line(self) -> bytes:
        assert self.process is not None
        assert self.process.stdout is not None
        found, _, _ = select.select([self.process.stdout], [], [], START_S)
        line = self.process.stdout.readline() if found else b""
        if not line:
            self.kill()
            assert self.process.stderr is not None
            raise AssertionError(f"no ready line: {self.process.stderr.read().decode()[-2000:]}")
        return line

    def make_token(self, *scopes: str) -> str:
        """A token from the command line."""
        options = [word for scope in scopes for word in ("--scope", scope)]
        done = subprocess.run(
            self.command("token", "--profile", str(self.profile), *options),
            capture_output=True,
            text=True,
            env=environment(),
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def person(self) -> str:
        """This node's person."""
        return str(self.ready["person"])

    @property
    def device(self) -> str:
        """This node's device."""
        return str(self.ready["device"])

    @property
    def address(self) -> str:
        """An address on this computer that the node listens on."""
        port = str(self.ready["listen"][0]).rpartition(":")[2]
        return f"127.0.0.1:{port}"

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """One request of the API under its prefix; raises `ApiError`."""
        content = None if body is None else json.dumps(body).encode()
        if self.prefix:
            return self._call_through(method, path, content)
        request = urllib.request.Request(
            f"{self.ready['api']}/api/communication{path}", content, method=method
        )
        request.add_header("Authorization", f"Bearer {self.token}")
        if content is not None:
            request.add_header("Content-Type", "application/json")
        for key, value in headers.items():
            request.add_header(key, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answered:
                return json.loads(answered.read() or b"null")
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, json.loads(error.read())["error"]) from error

    def _call_through(self, method: str, path: str, content: bytes | None) -> Any:
        """The same with curl inside the node's own network namespace."""
        command = [*self.prefix, "curl", "-sS", "-m", "30", "-X", method, "-w", "\n%{http_code}"]
        command += ["-H", f"Authorization: Bearer {self.token}"]
        if content is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        command.append(f"{self.ready['api']}/api/communication{path}")
        done = subprocess.run(
            command, input=content or b"", capture_output=True, timeout=40, check=True
        )
        text, _, status = done.stdout.decode().rpartition("\n")
        answered = json.loads(text or "null")
        if int(status) >= 400:
            raise ApiError(int(status), answered["error"])
        return answered

    def get(self, path: str) -> Any:
        """GET."""
        return self.call("GET", path)

    def post(self, path: str, **body: object) -> Any:
        """POST of a JSON body."""
        return self.call("POST", path, body)

    def items(self, path: str) -> list[Any]:
        """The items of a list."""
        return list(self.get(path)["items"])

    def session(self, name: str) -> Any:
        """The conversation of that name, or None."""
        return next((one for one in self.items("/chat/sessions") if one["name"] == name), None)

    def texts(self, session: str, thread: str | None = None) -> list[str]:
        """Texts of a conversation, oldest first, page by page."""
        place = f"/chat/sessions/{session}/messages?limit=200"
        place += f"&thread={thread}" if thread else ""
        page = self.get(place)
        found = list(page["items"])
        while page["next"] is not None:
            page = self.get(f"{place}&before={page['next']}")
            found += page["items"]
        return [one["text"] for one in found][::-1]

    def texts_or_none(self, session: str) -> list[str] | None:
        """Texts of a conversation, None while it is not known here."""
        try:
            return self.texts(session)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def linked(self) -> set[str]:
        """Persons that this node is linked to."""
        return {one["person"] for one in self.items("/peers") if one["state"] == "linked"}

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def kill(self) -> None:
        """kill -9, the child of a namespace wrapper included."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)

    def errors(self) -> str:
        """What the ended process wrote to standard error."""
        assert self.process is not None
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


@contextlib.contextmanager
def nodes(
    folder: Path,
    *names: str,
    options: Sequence[str] = ("--no-discovery",),
    program: Sequence[str] = NodeProcess.program,
) -> Iterator[list[NodeProcess]]:
    """Several nodes on the loopback address, stopped at the end whatever happens."""
    made = [NodeProcess(folder / name, name, "--listen", "127.0.0.1:0", *options) for name in names]
    for node in made:
        node.program = program
    try:
        yield [node.start() for node in made]
    finally:
        for node in made:
            node.kill()


def ask_and_admit(owner: NodeProcess, other: NodeProcess) -> None:
    """`other` sees the owner's team on the network, asks, and is admitted after comparing words."""
    seen = until(lambda: other.items("/teams/nearby"), f"the team seen by {other.name}", 40)
    other.post(f"/teams/{seen[0]['id']}/ask", note="It is me")
    request = until(
        lambda: [
            one
            for one in owner.items("/teams/requests")
            if one["person"] == other.person and one["words"]
        ],
        f"the request of {other.name}",
    )[0]
    shown = until(
        lambda: next((one["words"] for one in other.items("/teams/nearby") if one["words"]), None),
        f"words to compare at {other.name}",
    )
    assert shown == request["words"]
    assert len(shown) == 4
    owner.post(f"/teams/{seen[0]['id']}/requests/{other.person}", action="admit")
    until(lambda: other.session("general"), f"#general at {other.name}", 30)
