"""The server can read nothing: a whole session through it, and then a look into all it holds."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.parse
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.calling import Caller, wait_state
from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, environment, until
from e2e.server_lab import general, invitation, phase, reads, say, ways
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.invites import read_link
from folkmoot_signaling.tokens import Tokens, server_id
from lab.secrecy import Found, Search, forms_of

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

HUB, PORT = "hub", 8480
SECRET = b"a secret of at least thirty-two bytes"
SDP = ("a=fingerprint:sha", "a=ice-ufrag:", "a=ice-pwd:", "a=candidate:", " typ host", "a=group:")


def word(kind: str) -> str:
    """A word that is nowhere else, with a letter that each form of text writes in its own way."""
    return f"{kind}ü{secrets.token_hex(8)}"


class Host:
    """The shipped server on a host of its own, with a log, a mailbox file and metrics."""

    def __init__(self, folder: Path, network: Lan, redis: str = "") -> None:
        self.folder, self.network = folder, network
        self.url = f"ws://10.77.0.1:{PORT}"
        (folder / "jwt-secret").write_bytes(SECRET)
        (folder / "signaling.toml").write_text(
            f'listen = ["127.0.0.1:{PORT}", "10.77.0.1:{PORT}"]\n'
            f'jwt_secret_file = "jwt-secret"\nlog_level = "debug"\n'
            + (f'redis = "{redis}"\n' if redis else 'mailbox_file = "mailbox"\n')
        )
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [
                *network.inside(HUB),
                *(sys.executable, "-m", "folkmoot_signaling"),
                *("--config", str(folder / "signaling.toml")),
            ],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["listen"]

    def answer(self, path: str, device: str = "") -> bytes:
        """What it answers over HTTP, to a device with its token."""
        command = [*self.network.inside(HUB), "curl", "-sS", "-m", "20"]
        if device:
            tokens = Tokens(SECRET, server_id(SECRET))
            token = tokens.make(DeviceId(bytes.fromhex(device)), time.time())
            command += ["-H", f"Authorization: Bearer {token}"]
        command.append(f"http://127.0.0.1:{PORT}{path}")
        return subprocess.run(command, capture_output=True, check=True, timeout=30).stdout

    def answers(self, device: str) -> bytes:
        """All that it answers to a device and to who watches it."""
        api = "/api/communication"
        paths = ("/health", "/metrics", "/openapi.json")
        said = [self.answer(path) for path in paths]
        said += [self.answer(f"{api}{path}", device) for path in ("/webrtc/rooms", "/stats")]
        return b"\n".join(said)

    def end(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(30)
        self.log.close()


@contextmanager
def hosted(folder: Path, redis: str = "") -> Iterator[Host]:
    """The server, and hosts that reach it alone."""
    own = folder / "server"
    own.mkdir()
    with lan(HUB, "ann", "ben", "cyd") as network:
        network.isolate("ann", "ben", "cyd")
        host = Host(own, network, redis)
        try:
            yield host
        finally:
            host.end()


def everywhere(host: Host, search: Search, device: str) -> set[Found]:
    """Memory, files and answers of the server."""
    found = search.memory(host.process.pid)
    host.log.flush()
    files = search.files(host.folder)
    return found | files | search.data(host.answers(device), "the answers")


def redis_content(port: int, folder: Path) -> bytes:
    """Everything that a Redis holds."""
    copy = folder / "copy.rdb"
    command = ["redis-cli", "-p", str(port), "--rdb", str(copy)]
    subprocess.run(command, check=True, timeout=30, capture_output=True)
    return copy.read_bytes()


KEEPERS = [
    "file",
    pytest.param("redis", marks=pytest.mark.needs("redis-server", "redis-cli")),
]
if importlib.util.find_spec("folkmoot_signaling.redis_bus") is None:
    KEEPERS.pop()


@pytest.mark.needs("netns", "curl")
@pytest.mark.parametrize("keeper", KEEPERS)
def test_nothing_that_people_say_is_anywhere_in_the_server(tmp_path: Path, keeper: str) -> None:
    if keeper == "file":
        with hosted(tmp_path) as host:
            _session(tmp_path, host, lambda: b"")
        return
    redis_lab = importlib.import_module("lab.redis_lab")
    with redis_lab.redis_server(tmp_path) as redis, hosted(tmp_path, redis.socket_url) as host:
        _session(tmp_path, host, lambda: redis_content(redis.port, tmp_path))


def _session(folder: Path, host: Host, kept: Any) -> None:
    """Three people join, write, call and leave mail; the server is looked into again and again."""
    words: dict[str, str | bytes] = {
        name: word(name)
        for name in (
            *("ann", "ben", "cyd", "team", "channel", "topic", "message", "thread", "edit"),
            *("mail", "status", "report.pdf"),
        )
    }
    texts = {name: str(text) for name, text in words.items()}
    nodes: list[NodeProcess] = []

    def start(name: str, *options: str) -> NodeProcess:
        made = NodeProcess(
            folder / name,
            texts[name],
            *("--listen", "127.0.0.1:0", "--no-discovery", "--microphone", "test", *options),
            prefix=host.network.inside(name),
        )
        nodes.append(made)
        return made.start()

    try:
        ann = start("ann", "--signaling", host.url)
        ann.post("/teams", name=texts["team"])
        until(lambda: phase(ann) == "ready", "the server is reached")
        ben, cyd = start("ben"), start("cyd")
        for one in (ben, cyd):
            invite = invitation(ann)
            link = read_link(invite)
            words[f"seed for {one.name}"] = link.seed
            words["team id"], words[f"invitation of {one.name}"] = link.team, link.invite
            assert one.post("/teams/join", invite=invite)["state"] == "joined"
            until(lambda one=one: ann.person in one.linked(), "linked")  # type: ignore[misc]
        until(lambda: ben.person in cyd.linked(), "all are linked")
        for one in nodes:
            words[f"person {one.name}"] = bytes.fromhex(one.person)
        assert ways(ann) == {"relay"}
        messages = _talk(ann, ben, texts)
        words |= {f"id of message {n}": bytes.fromhex(id) for n, id in enumerate(messages)}
        words["channel id"] = bytes.fromhex(general(ann))
        _call(host, ann, ben)
        words |= {text: text for text in SDP}
        search = Search(words)
        assert everywhere(host, search, ann.device) == set(), "while they talk"
        _check_that_it_would_be_found(host, search, ann)
        cyd.stop()
        say(ann, texts["mail"])
        until(lambda: _waiting(host) >= 1, "mail waits for cyd", 60)
        assert everywhere(host, search, ann.device) == set(), "while mail waits"
        assert search.data(kept(), "Redis") == set()
        ann.stop()
        ben.stop()
        cyd.start()
        reads(cyd, texts["mail"], timeout_s=30)
        assert everywhere(host, search, cyd.device) == set(), "when mail was fetched"
    finally:
        for one in nodes:
            one.kill()


def _talk(ann: NodeProcess, ben: NodeProcess, texts: dict[str, str]) -> list[str]:
    """Each kind of thing that people write; the ids of the messages."""
    session = general(ann)
    ann.call("PUT", "/presence", {"state": "online", "text": texts["status"]})
    [team] = ann.items("/teams")
    made = ann.post("/chat/sessions", kind="channel", team=team["id"], name="c" + texts["channel"])
    ann.call("PATCH", f"/chat/sessions/{made['id']}", {"topic": texts["topic"]})
    path = f"/chat/sessions/{session}/messages"
    first = ann.post(path, text=f"{texts['message']} {texts['report.pdf']}")
    second = ann.post(path, text=texts["thread"], thread=first["id"])
    ann.call("PATCH", f"/messages/{first['id']}", {"text": texts["edit"]})
    reads(ben, texts["edit"])
    emoji = urllib.parse.quote("👍")
    ben.call("PUT", f"/messages/{first['id']}/reactions/{emoji}")
    say(ben, "and this is " + texts["message"])
    reads(ann, "and this is " + texts["message"])
    return [first["id"], second["id"]]


def _call(host: Host, ann: NodeProcess, ben: NodeProcess) -> None:
    """A call whose descriptions go over the link; their media may find no way here.

    The node of Ann is found to have them, the server not."""
    one, other = Caller(ann), Caller(ben)
    call = one.start(general(ann), video=False)
    wait_state(other, call, "ringing")
    other.join(call, video=False)
    wait_state(other, call, "joined")
    search, described = Search({text: text for text in SDP}), {*SDP[:2]}
    until(lambda: described <= _held(search, ann), "Ann has descriptions")
    assert everywhere(host, search, ann.device) == set(), "during a call"
    one.act(call, "end")


def _held(search: Search, node: NodeProcess) -> set[str]:
    """What of it is in the memory of a node."""
    assert node.process is not None
    return {found.word for found in search.memory(node.process.pid)}


def _waiting(host: Host) -> float:
    lines = host.answer("/metrics").decode().splitlines()
    [line] = [one for one in lines if one.startswith("folkmoot_signaling_mail_waiting ")]
    return float(line.split()[1])


def _check_that_it_would_be_found(host: Host, search: Search, ann: NodeProcess) -> None:
    """What people said is in their own node; what the server may know is in the server."""
    assert {"message", "thread", "edit", "team"} <= _held(search, ann)
    seen = Search({"device": bytes.fromhex(ann.device), "url": host.url})
    forms = {found.form for found in seen.memory(host.process.pid) if found.word == "device"}
    assert "plain" in forms
    answers = seen.data(host.answers(ann.device), "answers")
    assert {(found.word, found.form) for found in answers} >= {("device", "hex")}


def test_each_form_of_a_word_is_found_in_a_process_that_holds_it() -> None:
    """A process gets one word in each form, and only in that one."""
    planted: dict[str, str | bytes] = {}
    data = bytearray(os.urandom(50))
    for form in forms_of("wörd"):
        planted[form] = f"wörd{secrets.token_hex(10)}"
        data += forms_of(planted[form])[form] + os.urandom(50)
    packed = f"wörd{secrets.token_hex(10)}"
    planted["deflated"] = packed
    data += zlib.compress(f"before {packed} after".encode() * 3) + os.urandom(50)
    raw = os.urandom(32)
    planted["raw bytes"] = raw
    data += raw + os.urandom(50)
    absent = {"absent": f"wörd{secrets.token_hex(10)}"}
    program = (
        "import sys; held = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(len(data))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(bytes(data))
        holder.stdin.flush()
        holder.stdout.readline()
        found = Search(planted | absent).memory(holder.pid)
        holder.kill()
    names = {one.word: one.form for one in found}
    assert set(names) == set(planted)
    assert names["deflated"] == "deflated plain"


@pytest.mark.needs("gcore")
def test_a_core_dump_and_the_memory_that_is_read_hold_the_same(tmp_path: Path) -> None:
    """The second is what the other tests look at."""
    secret = f"wörd{secrets.token_hex(10)}"
    program = "held = input(); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(secret.encode() + b"\n")
        holder.stdin.flush()
        holder.stdout.readline()
        core = tmp_path / "core"
        command = ["gcore", "-o", str(core), str(holder.pid)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        search = Search({"secret": secret})
        assert {one.word for one in search.memory(holder.pid)} == {"secret"}
        dumped = core.with_name(f"core.{holder.pid}").read_bytes()
        assert {one.word for one in search.data(dumped, "core")} == {"secret"}
        holder.kill()
