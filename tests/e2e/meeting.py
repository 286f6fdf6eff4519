"""A real signaling server on the public host of the homes, and nodes that know nothing but it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from e2e.nat import SERVER, Homes
from e2e.nodes import NodeProcess, environment, until

URL = f"ws://{SERVER}:8480"


@contextlib.contextmanager
def signaling(
    homes: Homes, folder: Path, *lines: str, name: str = URL
) -> Iterator[subprocess.Popen[str]]:
    """Run it until the end of the block. `lines`: more for its file; `name`: what nodes call it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "signaling.toml"
    own = (f'listen = ["{SERVER}:8480"]', f'names = ["{name}"]', 'log_level = "error"')
    file.write_text("\n".join((*own, *lines)) + "\n")
    process = subprocess.Popen(
        [
            *homes.inside("server"),
            sys.executable,
            "-m",
            "folkmoot_signaling",
            "--config",
            str(file),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


@contextlib.contextmanager
def members(homes: Homes, folder: Path, *options: str) -> Iterator[tuple[list[NodeProcess], str]]:
    """A node in each home, all of one team that met at the server; the id of #general."""
    made = [
        NodeProcess(folder / name, name, "--signaling", URL, *options, prefix=homes.inside(name))
        for name in homes.routers
    ]
    try:
        for node in made:
            node.start()
        first, *others = made
        team = first.post("/teams", name="Crew")
        link = first.post(f"/teams/{team['id']}/invites")["link"]
        for other in others:
            other.post("/teams/join", invite=link)
        for node in made:
            until(lambda node=node: node.session("general"), f"{node.name} is in the team", 40)  # type: ignore[misc]
        yield made, str(first.session("general")["id"])
    finally:
        for node in made:
            node.kill()


def way(node: NodeProcess, other: NodeProcess) -> str:
    """How one is linked to the other; empty while it is not."""
    return _linked(node, other, "way")


def address(node: NodeProcess, other: NodeProcess) -> str:
    """Where one is linked to the other; empty while it is not."""
    return _linked(node, other, "address")


def _linked(node: NodeProcess, other: NodeProcess, what: str) -> str:
    for peer in node.items("/peers"):
        if peer["person"] == other.person and peer["state"] == "linked":
            return str(peer[what])
    return ""


def wait_for_way(wanted: str, *nodes: NodeProcess, within_s: float = 30.0) -> float:
    """Until both of two nodes are linked that way; the seconds since they were linked at all."""
    one, other = nodes
    linked_at = 0.0

    def is_so() -> bool:
        nonlocal linked_at
        ways = {way(one, other), way(other, one)}
        if not linked_at and "" not in ways:
            linked_at = time.monotonic()
        return ways == {wanted}

    until(is_so, f"{one.name} and {other.name} are linked by {wanted}", within_s)
    return time.monotonic() - linked_at


def arrives(session: str, text: str, sender: NodeProcess, *readers: NodeProcess) -> float:
    """Send a message and wait until all have it; the seconds until then."""
    sent_at = time.monotonic()
    sender.post(f"/chat/sessions/{session}/messages", text=text)
    for reader in readers:
        until(
            lambda reader=reader: text in (reader.texts_or_none(session) or ()),  # type: ignore[misc]
            f"{reader.name} reads “{text}”",
        )
    return time.monotonic() - sent_at
