"""The node beside a window: calls, events, faults and the end, over the edge of two threads."""

from __future__ import annotations

import asyncio
import queue
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.bootstrap import node_thread, running
from folkmoot.bootstrap.node_thread import NodeThread
from folkmoot.bootstrap.running import Options
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, UserError
from folkmoot.services.events import Event, Gap, NoticeChanged, TeamChanged
from folkmoot.services.node import Node
from folkmoot.system.profile import Profile, open_profile

ALONE = Options(listen=("127.0.0.1:0",), discovery=False)
PATIENCE_S = 20


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return open_profile(tmp_path / "p")


@pytest.fixture
def thread(profile: Profile) -> Iterator[NodeThread]:
    made = NodeThread(profile, ALONE)
    yield made
    made.close()


class Heard:
    """Events in the order in which the node told them."""

    def __init__(self, thread: NodeThread) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        thread.listen(self.events.put)

    def wait_for(self, kind: type[Event]) -> Event:
        """The next event of a kind; those before it are passed over."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if isinstance(event, kind):
                return event


def test_a_call_made_before_the_node_is_up_waits_for_it(thread: NodeThread) -> None:
    async def who(node: Node) -> tuple[str, str]:
        return node.identity.me().name, threading.current_thread().name

    name, runner = thread.call(who).result(PATIENCE_S)
    assert name
    assert runner == "folkmoot-node"


def test_events_and_refusals_cross_over(thread: NodeThread) -> None:
    heard = Heard(thread)
    team = thread.call(lambda node: node.teams.create("Crew")).result(PATIENCE_S)
    assert heard.wait_for(TeamChanged) == TeamChanged(team)
    with pytest.raises(UserError, match="empty"):
        thread.call(lambda node: node.teams.create(" ")).result(PATIENCE_S)


def test_after_the_end_a_call_is_refused_in_words(profile: Profile) -> None:
    thread = NodeThread(profile, ALONE)
    thread.call(lambda node: node.settings.get("x")).result(PATIENCE_S)
    thread.close(PATIENCE_S)
    with pytest.raises(EnvironmentFault) as raised:
        thread.call(lambda node: node.settings.get("x")).result(PATIENCE_S)
    assert raised.value.code == "closed"
    thread.close()


def test_a_store_that_cannot_be_opened_is_a_notice_and_mends_without_a_restart(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = NodeThread(profile, ALONE)
    team = first.call(lambda node: node.teams.create("Crew")).result(PATIENCE_S)
    first.close(PATIENCE_S)
    kept = profile.folder / "kept"
    shutil.copy(profile.store, kept)
    profile.store.write_bytes(b"this was a database once " * 1000)
    monkeypatch.setattr(node_thread, "RETRY_S", 0.05)
    thread = NodeThread(profile, ALONE)
    try:
        heard = Heard(thread)
        notice = heard.wait_for(NoticeChanged)
        assert isinstance(notice, NoticeChanged)
        assert notice.code == "store_damaged"
        with pytest.raises(FolkmootError) as raised:
            thread.call(lambda node: node.settings.get("x")).result(PATIENCE_S)
        assert raised.value.code == "store_damaged"
        kept.replace(profile.store)  # whole at once: an empty file is taken for a new store
        assert heard.wait_for(NoticeChanged) == NoticeChanged("store_damaged", "")
        heard.wait_for(Gap)

        async def teams(node: Node) -> list[object]:
            return list(node.teams.list())

        assert thread.call(teams).result(PATIENCE_S) == [team]
    finally:
        thread.close()


def test_a_task_that_dies_of_a_bug_is_a_notice(thread: NodeThread) -> None:
    heard = Heard(thread)

    async def break_it(node: Node) -> None:
        async def die() -> None:
            raise ZeroDivisionError

        node.supervisor.start("sums", die())

    thread.call(break_it).result(PATIENCE_S)
    notice = heard.wait_for(NoticeChanged)
    assert isinstance(notice, NoticeChanged)
    assert notice.code == "internal_error"
    assert "sums" in notice.message
    assert thread.call(lambda node: node.settings.get("x")).result(PATIENCE_S) is None


def test_a_node_that_hangs_at_its_end_is_left_behind(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CLOSE_S", 0.2)
    thread = NodeThread(profile, ALONE)

    async def hang(node: Node) -> None:
        async def for_ever() -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(node, "aclose", for_ever)

    thread.call(hang).result(PATIENCE_S)
    thread.close(PATIENCE_S)
    assert not thread._thread.is_alive()
