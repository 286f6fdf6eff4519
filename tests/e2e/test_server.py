"""Nodes in processes of their own that meet through a real signaling server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.calling import Caller, talk, wait_state
from e2e.nodes import NodeProcess, until
from e2e.server_lab import PORT, ServerLab, general, phase, reads, say, server_lab, ways

pytestmark = [pytest.mark.long, pytest.mark.needs("netns", "curl"), pytest.mark.timeout(240)]


def test_two_join_and_chat_through_a_server_alone(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        say(ann, "hello from ann")
        say(ben, "hello from ben")
        reads(ben, "hello from ann")
        reads(ann, "hello from ben")
        assert ways(ann) == ways(ben) == {"relay"}
        [server] = ben.items("/servers")
        assert (server["url"], server["typed"], server["people"]) == (lab.url, False, 1)


def test_a_server_that_is_killed_and_restarted_loses_nothing(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        texts = [f"{name} {number}" for number in range(12) for name in ("ann", "ben")]
        for number in range(12):
            if number == 4:
                lab.kill_server()
            if number == 8:
                lab.restart_server()
            say(ann, f"ann {number}")
            say(ben, f"ben {number}")
            time.sleep(0.2)
        reads(ann, *texts, timeout_s=60)
        reads(ben, *texts, timeout_s=60)
        assert ways(ann) == {"relay"}


def test_a_server_that_ends_hands_its_nodes_to_another_and_they_chat_on(tmp_path: Path) -> None:
    same = {"server_id": "ab" * 32}
    drained = {"drain_to": f"ws://10.77.0.1:{PORT + 1}", **same}
    with server_lab(tmp_path, "ann", "ben", **drained) as lab:
        second = lab.second_server(**same)
        try:
            ann = lab.founder("ann")
            ben = lab.joiner("ben", ann)
            offline = _while_they_write(ann, ben, lambda: _end_well(lab))
            assert not offline
            say(ann, "the first server is gone")
            reads(ben, "the first server is gone")
            assert phase(ann) == phase(ben) == "ready"
            assert ways(ann) == ways(ben) == {"relay"}
            # It is the second that they are at.
            second.kill()
            until(lambda: phase(ann) != "ready" != phase(ben), "the second server is missed")
        finally:
            second.kill()


def _end_well(lab: ServerLab) -> None:
    began = time.monotonic()
    assert lab.server.stop() == 0
    assert time.monotonic() - began < 10


def _while_they_write(ann: NodeProcess, ben: NodeProcess, act: Callable[[], None]) -> int:
    """Both write while something happens and five seconds on; nothing is lost or there twice. How
    often one was seen as offline."""
    said: dict[str, list[str]] = {"ann": [], "ben": []}
    stop = threading.Event()
    writers = [
        threading.Thread(target=_write_on, args=(node, said[node.name], stop, 0.1))
        for node in (ann, ben)
    ]
    for writer in writers:
        writer.start()
    offline = 0
    try:
        act()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            offline += ann.person not in ben.linked()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    reads(ben, *said["ann"])
    reads(ann, *said["ben"])
    return offline


def test_a_node_that_restarts_meets_the_others_again(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        ben.kill()
        say(ann, "while you were away")
        ben.start()
        reads(ben, "while you were away", timeout_s=20)
        assert ways(ben) == {"relay"}


def test_who_leaves_says_so_through_the_server(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        ben.stop()
        # Unsaid it would be known after eight seconds.
        until(lambda: ben.person not in ann.linked(), "ann knows that ben left", 5)


def test_who_was_away_gets_the_history_from_any_member(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben", "cyd") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        cyd = lab.joiner("cyd", ann)
        until(lambda: ben.person in cyd.linked(), "cyd and ben meet as well")
        cyd.stop()
        say(ann, "only ben heard this")
        reads(ben, "only ben heard this")
        ann.stop()
        cyd.start()
        reads(cyd, "only ben heard this", timeout_s=20)


def test_a_network_that_both_are_on_takes_over_while_they_write(tmp_path: Path) -> None:
    with server_lab(tmp_path, "ann", "ben") as lab:
        ann = lab.founder("ann")
        ben = lab.joiner("ben", ann)
        assert ways(ann) == {"relay"}
        stop = threading.Event()
        said: dict[str, list[str]] = {"ann": [], "ben": []}
        writers = [
            threading.Thread(target=_write_on, args=(node, said[node.name], stop))
            for node in (ann, ben)
        ]
        for writer in writers:
            writer.start()
        offline = 0
        try:
            lab.together()
            end = time.monotonic() + 75
            while not ways(ann) == ways(ben) == {"direct"}:
                offline += ann.person not in ben.linked()
                assert time.monotonic() < end, "the network takes over"
            time.sleep(2)
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        assert not offline
        reads(ann, *said["ben"])
        reads(ben, *said["ann"])
        lab.kill_server()
        say(ann, "without a server")
        reads(ben, "without a server")


def _write_on(
    node: NodeProcess, said: list[str], stop: threading.Event, pause_s: float = 0.0
) -> None:
    while not stop.wait(pause_s):
        text = f"{node.name} {len(said)}"
        say(node, text)
        said.append(text)


@pytest.mark.parametrize("relayed", [False, True])
def test_a_server_that_goes_away_ends_no_call(tmp_path: Path, relayed: bool) -> None:
    sources = ("--microphone", "test", "--camera", "test")
    with server_lab(tmp_path, "ann", "ben") as lab:
        lab.together()
        lab.relay_only = relayed
        ann = lab.founder("ann", *sources)
        ben = lab.joiner("ben", ann, *sources)
        assert ways(ann) <= ({"relay"} if relayed else {"relay", "nat", "direct"})
        one, other = Caller(ann), Caller(ben)
        call = one.start(general(ann))
        wait_state(other, call, "ringing")
        other.join(call)
        talk(call, one, other)
        if not relayed:
            until(lambda: not {"relay"} & (ways(ann) | ways(ben)), "a way without the server", 75)
        lab.kill_server()
        for _ in range(60):
            assert one.state(call) == other.state(call) == "joined"
            assert relayed or ann.person in ben.linked()
            time.sleep(0.25)
        talk(call, one, other)
        lab.restart_server()
        until(lambda: phase(ann) == phase(ben) == "ready", "the server is met again", 70)
        until(lambda: ann.person in ben.linked(), "and through it the other", 20)
        talk(call, one, other)
        say(ben, "still in the call")
        reads(ann, "still in the call")
