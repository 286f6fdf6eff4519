"""kill -9 on either of two linked nodes, again and again, while both write."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
import time
import urllib.error
from functools import partial
from pathlib import Path

import pytest

from e2e.nodes import ApiError, NodeProcess, nodes, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]
KILLS = 16
GONE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class Person(threading.Thread):
    """Posts one message after the other; what was answered with a message counts as said."""

    def __init__(self, node: NodeProcess, session: str) -> None:
        super().__init__(name=node.name, daemon=True)
        self.node = node
        self.session = session
        self.said: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped`; a post that failed is tried again under the same client id."""
        number = 0
        while not self.stopped.is_set():
            text = f"{self.node.name} {number}"
            with contextlib.suppress(*GONE, ApiError):
                self.node.post(f"/chat/sessions/{self.session}/messages", text=text, client_id=text)
                self.said.append(text)
                number += 1
                continue
            time.sleep(0.05)


def test_nothing_said_is_lost_or_doubled_whoever_is_killed(tmp_path: Path) -> None:
    chance = random.Random(7)
    with nodes(tmp_path, "ann", "ben") as (ann, ben):
        team = ann.post("/teams", name="Crew")
        ben.post("/teams/join", invite=ann.post(f"/teams/{team['id']}/invites")["link"])
        session = until(lambda: ben.session("general"), "ben sees the channel")["id"]
        people = [Person(ann, session), Person(ben, session)]
        for person in people:
            person.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 1.0))
            victim = chance.choice((ann, ben))
            victim.kill()
            victim.start()
        for person in people:
            person.stopped.set()
            person.join(20)
        said = {text for person in people for text in person.said}
        assert len(said) > 50
        for node in (ann, ben):
            until(partial(_has_all, node, session, said), f"{node.name} has all", 90)
        both = ann.texts(session)
        assert len(both) == len(set(both)), "a message stands there twice"
        until(lambda: ben.texts(session) == ann.texts(session), "both read the same")


def test_a_node_killed_at_its_first_start_starts_again_as_one_person(tmp_path: Path) -> None:
    chance = random.Random(8)
    for number in range(8):
        node = NodeProcess(
            tmp_path / str(number), "ann", "--listen", "127.0.0.1:0", "--no-discovery"
        )
        starting = threading.Thread(target=_start_or_die, args=(node,), daemon=True)
        starting.start()
        until(partial(_is_started, node), "it is started")
        time.sleep(chance.uniform(0.15, 1.2))
        node.kill()
        starting.join(20)
        first = node.profile / "identity" / "person.key"
        kept = first.read_bytes() if first.exists() else None
        node.start()
        assert kept is None or first.read_bytes() == kept
        assert len(first.read_bytes()) == 32
        node.post("/teams", name="Crew")
        node.kill()


def _has_all(node: NodeProcess, session: str, said: set[str]) -> bool:
    return said <= set(node.texts(session))


def _is_started(node: NodeProcess) -> bool:
    return node.process is not None


def _start_or_die(node: NodeProcess) -> None:
    with contextlib.suppress(AssertionError, ValueError, OSError, *GONE):
        node.start()
