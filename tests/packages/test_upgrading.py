"""A newer package over an older one, also while the program runs; and an older one over a newer."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from e2e.calling import Caller
from e2e.nodes import until
from e2e.people import NEEDS
from packages.artefacts import make_newer
from packages.debian import Chroot
from packages.installed import PROFILE, InstalledNode, ask, installed_desk

pytestmark = [pytest.mark.needs("netns", "debootstrap", *NEEDS), pytest.mark.timeout(1500)]
NEWER = "99.0"


@pytest.fixture(scope="module")
def newer(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The next version's package: another program file, so that the running one's is gone."""
    return make_newer(deb, tmp_path_factory.mktemp("newer"), NEWER)


@pytest.fixture
def node(system: Chroot) -> Iterator[InstalledNode]:
    """A node whose profile has a team and a message."""
    made = InstalledNode(system, "Elin", "--listen", "127.0.0.1:0", "--no-discovery")
    try:
        made.start()
        made.post("/teams", name="Harbour Studio")
        write(made, "before")
        yield made
    finally:
        made.kill()


def write(node: InstalledNode, text: str) -> None:
    """Write into #general."""
    node.post(f"/chat/sessions/{general(node)}/messages", text=text)


def general(node: InstalledNode) -> str:
    """The conversation of everybody."""
    return str(until(lambda: node.session("general"), "#general")["id"])


def version(system: Chroot) -> str:
    """What dpkg says is installed."""
    return system.admin("dpkg-query", "-W", "-f", "${Version}", "folkmoot")


def test_an_upgrade_while_it_runs_disturbs_nobody_and_keeps_the_messages(
    system: Chroot, node: InstalledNode, newer: Path
) -> None:
    system.install(newer)
    assert version(system) == NEWER
    write(node, "meanwhile")
    assert node.texts(general(node)) == ["before", "meanwhile"]
    # What is imported only when it is needed, from a program file that is no more.
    assert node.get("/doctor?check=1")
    # A call is a process of the newer program, which speaks with this one.
    caller = Caller(node)
    call = caller.start(general(node), video=False)
    until(caller.media_pid, "the process of the call")
    until(lambda: caller.state(call) in ("calling", "joined"), "the call")
    caller.act(call, "leave")
    node.stop()
    assert node.errors() == ""
    node.start()
    assert node.texts(general(node))[:2] == ["before", "meanwhile"]
    node.stop()
    assert node.errors() == ""


def test_an_upgrade_migrates_a_profile_of_an_older_version(
    system: Chroot, node: InstalledNode, newer: Path
) -> None:
    """The older profile is one of this version with its last schema step undone."""
    node.stop()
    store = system.inside(PROFILE) / "store.sqlite3"
    with closing(sqlite3.connect(store)) as driver:
        (now,) = driver.execute("PRAGMA user_version").fetchone()
        driver.executescript(
            f"DROP TABLE recorded; DROP TABLE recording; PRAGMA user_version = {now - 1};"
        )
    system.install(newer)
    node.start()
    assert node.texts(general(node)) == ["before"]
    node.stop()
    assert node.errors() == ""
    with closing(sqlite3.connect(store)) as driver:
        assert driver.execute("PRAGMA user_version").fetchone() == (now,)
        assert driver.execute("SELECT count(*) FROM recorded").fetchone() == (0,)


def test_an_older_package_refuses_the_profile_of_a_newer_one_kindly(
    system: Chroot, node: InstalledNode, newer: Path, deb: Path, tmp_path: Path
) -> None:
    node.stop()
    profile = system.inside(PROFILE)
    with closing(sqlite3.connect(profile / "store.sqlite3")) as driver:
        driver.execute("PRAGMA user_version = 1000")
    system.install(newer)
    system.install(deb, "--allow-downgrades")
    assert version(system) != NEWER
    before = contents(profile)
    refused = ask(system, "node", "--no-discovery")
    assert refused.returncode == 3  # a node that never became ready
    assert "newer Folkmoot" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert contents(profile) == before
    with installed_desk(tmp_path, system) as desk:
        window = desk.show(system)
        window.find("newer Folkmoot")
        desk.picture("newer")
        assert window.close() == 1
        desk.windows.remove(window)
        assert "newer Folkmoot" in window.errors()
        assert "Traceback" not in window.errors()
    assert contents(profile) == before


def contents(profile: Path) -> dict[str, str]:
    """Every file of a profile with its content, but the log, the lock, and what SQLite lays beside
    a store that is only read: its map of the write-ahead log, which is empty."""
    found = {}
    for path in profile.rglob("*"):
        other = path.name == "lock" or path.name.endswith("-shm") or path.parent.name == "log"
        if path.is_file() and not other and path.stat().st_size > 0:
            found[str(path.relative_to(profile))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
