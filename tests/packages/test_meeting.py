"""Two installed copies on two clean systems, each in a network of its own, find each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.network import Lan, lan
from e2e.nodes import ask_and_admit, until
from e2e.people import (
    NEEDS,
    gone,
    message,
    say_name,
    start_team,
    write,
    write_to,
)
from packages.debian import Chroot
from packages.installed import InstalledNode, installed_desk

pytestmark = [pytest.mark.needs("netns", "curl", "debootstrap", *NEEDS), pytest.mark.timeout(1500)]


@pytest.fixture
def pair(make_system: Callable[..., Chroot], installed: tuple[Path, ...]) -> list[Chroot]:
    """Two systems with the program."""
    return [make_system(*installed), make_system(*installed)]


@pytest.fixture
def network() -> Iterator[Lan]:
    """A host for each."""
    with lan("elin", "tomas") as made:
        yield made


def test_two_nodes_find_each_other_and_exchange_messages(pair: list[Chroot], network: Lan) -> None:
    elin, tomas = (
        InstalledNode(system, host.capitalize(), prefix=network.inside(host))
        for system, host in zip(pair, network.hosts, strict=True)
    )
    try:
        elin.start()
        tomas.start()
        elin.post("/teams", name="Harbour Studio")
        ask_and_admit(elin, tomas)
        general = elin.session("general")["id"]
        elin.post(f"/chat/sessions/{general}/messages", text="from Elin")
        tomas.post(f"/chat/sessions/{general}/messages", text="from Tomas")
        for node in (elin, tomas):
            until(
                lambda node=node: set(node.texts(general)) == {"from Elin", "from Tomas"},  # type: ignore[misc]
                f"both messages at {node.name}",
            )
        elin.stop()
        tomas.stop()
        assert (elin.errors(), tomas.errors()) == ("", "")
    finally:
        elin.kill()
        tomas.kill()


def test_two_windows_find_each_other_write_and_call(
    pair: list[Chroot], network: Lan, tmp_path: Path
) -> None:
    """Also: the process of the call is the frozen program again, and opens no window."""
    with installed_desk(tmp_path, *pair) as desk:
        elin, tomas = (
            desk.show(system, place, prefix=network.inside(host))
            for place, (system, host) in enumerate(zip(pair, network.hosts, strict=True))
        )
        start_team(elin, "Elin", "Harbour Studio")
        say_name(tomas, "Tomas")
        tomas.find("Ask to join Harbour Studio", "push button", 60)
        tomas.click("Ask to join Harbour Studio", "push button")
        elin.click("Admit", "push button")
        write_to(elin, "Tomas")
        write_to(tomas, "Elin")
        write(elin, "The mast is up.", "Message Tomas")
        message(tomas, "The mast is up.")
        write(tomas, "I come and see!", "Message Elin")
        message(elin, "I come and see!")
        desk.picture("written")
        elin.click("Call", "push button")
        tomas.click("Answer", "push button")
        for window, other in ((elin, "Tomas"), (tomas, "Elin")):
            window.find(f"{other}, Good connection", "filler", 40)
        desk.picture("call")
        children = [pid for system in pair for pid in media_processes(system)]
        assert len(children) == 2
        owners = [desk.desk.owner(id) for id in desk.desk.windows()]
        assert sorted(owners) == sorted(2 * [elin.process.pid, tomas.process.pid])
        elin.click("Leave the call", "push button")
        for window in (elin, tomas):
            gone(window, "Controls of the call")
        assert desk.close() == [0, 0]
        for system in pair:
            until(lambda system=system: not system.processes(), "nothing runs there any more")  # type: ignore[misc]


def media_processes(system: Chroot) -> list[int]:
    """The processes of calls on a system."""
    return [pid for pid, words in system.processes().items() if words[1:2] == ["media"]]
