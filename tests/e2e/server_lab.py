"""A real signaling server and nodes, each on a host of its own, for stories of both.

The hosts share a switch, but nodes reach the server alone, as guests of a careful host, until the
test brings them together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from e2e.network import Lan, lan
from e2e.nodes import NodeProcess, until
from folkmoot.protocol.invites import read_link, write_link
from lab.signal_server import SignalServer, start_server

HUB = "hub"
PORT = 8480


@dataclass
class ServerLab:
    """The server at host `HUB`, and nodes by the name of their host."""

    folder: Path
    network: Lan
    server: SignalServer
    nodes: list[NodeProcess] = field(default_factory=list)
    relay_only: bool = False
    """Links go through the server alone, also between hosts that reach each other."""

    @property
    def url(self) -> str:
        """What nodes are told."""
        return f"ws://10.77.0.1:{PORT}"

    def address(self, name: str) -> str:
        """The address of a host's card."""
        return f"10.77.0.{self.network.hosts.index(name) + 1}"

    def together(self) -> None:
        """From now on nodes reach each other as well."""
        self.network.isolate(*self.network.hosts[1:], on=False)

    def node(self, name: str, *options: str) -> NodeProcess:
        """A node on its host, started; nobody knows of it."""
        host = "127.0.0.1" if self.relay_only else self.address(name)
        options = ("--listen", f"{host}:0", "--no-discovery", *options)
        made = NodeProcess(self.folder / name, name, *options, prefix=self.network.inside(name))
        if self.relay_only:
            made.program = ("-m", "e2e.relay_only")
        self.nodes.append(made)
        return made.start()

    def founder(self, name: str, *options: str) -> NodeProcess:
        """A node with a team at the server."""
        node = self.node(name, "--signaling", self.url, *options)
        node.post("/teams", name="Crew")
        until(lambda: phase(node) == "ready", "the server is reached")
        return node

    def joiner(self, name: str, member: NodeProcess, *options: str) -> NodeProcess:
        """A node that joined by an invitation of `member` which names the server alone."""
        node = self.node(name, *options)
        assert node.post("/teams/join", invite=invitation(member))["state"] == "joined"
        until(lambda: member.person in node.linked(), f"{name} linked to {member.name}")
        return node

    def second_server(self, **settings: str) -> SignalServer:
        """One more on the next port; the caller ends it."""
        return _start(self.network, PORT + 1, **settings)

    def kill_server(self) -> None:
        """kill -9."""
        self.server.kill()

    def restart_server(self) -> None:
        """Start it again where it was."""
        self.server = _start(self.network, PORT)


@contextlib.contextmanager
def server_lab(folder: Path, *names: str, **settings: str) -> Iterator[ServerLab]:
    """The server and hosts for nodes, taken away at the end; needs root. `settings`: of the server
    (see `lab.signal_server`)."""
    with lan(HUB, *names) as network:
        network.isolate(*names)
        made = ServerLab(folder, network, _start(network, PORT, **settings))
        try:
            yield made
        finally:
            for node in made.nodes:
                node.kill()
            made.server.kill()


def _start(network: Lan, port: int, **settings: str) -> SignalServer:
    return start_server(port, "10.77.0.1", network.inside(HUB), **settings)


def invitation(node: NodeProcess) -> str:
    """An invitation of the only team that names the server and no computer."""
    [team] = node.items("/teams")
    link = read_link(str(node.post(f"/teams/{team['id']}/invites")["link"]))
    assert link.servers
    return write_link(replace(link, addresses=link.servers))


def phase(node: NodeProcess) -> str:
    """How the only server stands."""
    [server] = node.items("/servers")
    return str(server["phase"])


def ways(node: NodeProcess) -> set[str]:
    """How others are linked."""
    return {one["way"] for one in node.items("/peers") if one["state"] == "linked"}


def general(node: NodeProcess) -> str:
    """The id of #general."""
    return str(until(lambda: node.session("general"), f"{node.name} has the channel")["id"])


def say(node: NodeProcess, text: str) -> None:
    """Post into #general."""
    node.post(f"/chat/sessions/{general(node)}/messages", text=text)


def reads(node: NodeProcess, *wanted: str, timeout_s: float = 20) -> None:
    """Wait until all of `wanted` is there, each once."""
    channel = general(node)

    def there() -> bool:
        texts = node.texts(channel)
        return all(texts.count(text) == 1 for text in wanted)

    until(there, f"{node.name} reads {wanted[-1]}", timeout_s)
