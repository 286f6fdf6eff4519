"""Nodes of Folkmoot that are at two nodes of one server, which meet in a real Redis."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.network import lan
from e2e.nodes import NodeProcess, environment, until
from e2e.server_lab import HUB, PORT, ServerLab, reads, say, ways
from lab.redis_lab import RedisServer, redis_server
from lab.signal_server import SignalServer, start_server

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("netns", "redis-server", "curl"),
    pytest.mark.timeout(240),
]


@dataclass
class Town:
    """Two persons, each at another node of the server."""

    redis: RedisServer
    servers: list[SignalServer]
    inside: tuple[str, ...]
    ann: NodeProcess
    ben: NodeProcess

    def fetch(self, server: SignalServer, path: str) -> str:
        """A page of a node of the server."""
        words = [*self.inside, "curl", "-s", f"http://127.0.0.1:{server.port}{path}"]
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=True).stdout

    def sessions(self, server: SignalServer) -> int:
        """How many are logged in there."""
        lines = self.fetch(server, "/metrics").splitlines()
        (line,) = [line for line in lines if line.startswith("folkmoot_signaling_sessions ")]
        return int(float(line.split()[1]))

    def until_redis(self, state: str) -> None:
        """Wait until all nodes say so of Redis."""
        for server in self.servers:
            until(
                lambda server=server: (  # type: ignore[misc]
                    json.loads(self.fetch(server, "/health"))["parts"]["redis"] == state
                ),
                f"Redis is {state}",
            )


@contextlib.contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Two who joined through the server alone, and reach each other by no other way."""
    with contextlib.ExitStack() as opened:
        redis = opened.enter_context(redis_server(folder))
        network = opened.enter_context(lan(HUB, "ann", "ben"))
        network.isolate("ann", "ben")
        inside, name = network.inside(HUB), os.urandom(32).hex()
        servers = []
        for port in (PORT + 1, PORT + 2):
            server = start_server(port, "127.0.0.1", inside, redis=redis.socket_url, server_id=name)
            opened.callback(server.process.kill)
            servers.append(server)
        balancer = subprocess.Popen(
            [
                *(*inside, sys.executable, "-m", "lab.balancer", "10.77.0.1", str(PORT)),
                *(str(server.port) for server in servers),
            ],
            env=environment(),
            stdout=subprocess.PIPE,
        )
        opened.callback(balancer.kill)
        assert balancer.stdout is not None
        assert balancer.stdout.readline() == b"ready\n"
        lab = ServerLab(folder, network, servers[0], relay_only=True)
        try:
            ann = lab.founder("ann")
            yield Town(redis, servers, tuple(inside), ann, lab.joiner("ben", ann))
        finally:
            for node in lab.nodes:
                node.kill()


def test_two_at_two_nodes_chat_and_go_on_when_one_of_them_is_killed(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        ann, ben = one.ann, one.ben
        assert [one.sessions(server) for server in one.servers] == [1, 1]
        say(ann, "hello from ann")
        say(ben, "hello from ben")
        reads(ben, "hello from ann")
        reads(ann, "hello from ben")
        assert ways(ann) == ways(ben) == {"relay"}
        one.servers[0].kill()
        say(ann, "is anybody there?")
        say(ben, "here I am")
        reads(ben, "is anybody there?")
        reads(ann, "here I am")
        until(lambda: one.sessions(one.servers[1]) == 2, "both are at the node that is left")


def test_redis_that_goes_and_comes_back_empty_loses_no_word(tmp_path: Path) -> None:
    with town(tmp_path) as one:
        ann, ben = one.ann, one.ben
        one.redis.kill()
        one.until_redis("away")
        say(ann, "without Redis")
        time.sleep(2)
        one.redis.start()
        one.until_redis("ok")
        say(ben, "with Redis")
        reads(ben, "without Redis", timeout_s=30)
        reads(ann, "with Redis", timeout_s=30)
        assert ways(ann) == ways(ben) == {"relay"}
