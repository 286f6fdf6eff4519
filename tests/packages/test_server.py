"""The package of the signaling server: it runs as shipped, nodes meet over it, nothing is left."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from e2e.clones import read_ready_line
from e2e.network import lan
from e2e.nodes import until
from packages.artefacts import find_package
from packages.debian import USER, Chroot, run
from packages.installed import InstalledNode

pytestmark = [pytest.mark.needs("netns", "curl", "debootstrap"), pytest.mark.timeout(1500)]
UNIT = "/usr/lib/systemd/system/folkmoot-signaling.service"
SETTINGS = "/etc/folkmoot-signaling/signaling.toml"
SERVER = "10.77.0.1:8480"


@pytest.fixture
def bare(make_system: Callable[..., Chroot], base: Path) -> Chroot:
    """A system without anything of ours."""
    return make_system(base)


@contextlib.contextmanager
def running(system: Chroot, before: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The server as the unit starts it, by a user who may nothing; it must end in good order."""
    unit = system.inside(UNIT).read_text()
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", unit)
    process = subprocess.Popen(
        system.command(*shlex.split(line), before=before),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        assert read_ready_line(process)["ready"]
        yield process
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_it_runs_as_shipped_and_its_removal_leaves_nothing(bare: Chroot) -> None:
    before = bare.files()
    bare.install(find_package("folkmoot-signaling"))
    unit = bare.inside(UNIT).read_text()
    assert "DynamicUser=yes" in unit
    assert bare.inside(SETTINGS).exists()
    with lan("server") as network, running(bare, network.inside("server")):
        told = run(*network.inside("server"), "curl", "-sSf", "http://127.0.0.1:8480/health")
        assert json.loads(told)["status"] == "ok", told
    assert bare.processes() == {}
    bare.admin("apt-get", "-y", "purge", "--auto-remove", "folkmoot-signaling")
    assert bare.changes_since(before) == set()


def test_two_installed_nodes_that_know_only_the_server_meet(
    bare: Chroot, make_system: Callable[..., Chroot], installed: tuple[Path, ...]
) -> None:
    bare.install(find_package("folkmoot-signaling"))
    settings = bare.inside(SETTINGS)
    own = f'listen = ["{SERVER}"]\nnames = ["ws://{SERVER}"]\n'
    settings.write_text(own + settings.read_text())
    with lan("server", "elin", "tomas") as network, running(bare, network.inside("server")):
        options = ("--no-discovery", "--signaling", f"ws://{SERVER}")
        elin, tomas = (
            InstalledNode(
                make_system(*installed), host.capitalize(), *options, prefix=network.inside(host)
            )
            for host in ("elin", "tomas")
        )
        try:
            elin.start()
            tomas.start()
            team = elin.post("/teams", name="Crew")
            tomas.post("/teams/join", invite=elin.post(f"/teams/{team['id']}/invites")["link"])
            general = until(lambda: tomas.session("general"), "#general at Tomas", 60)["id"]
            elin.post(f"/chat/sessions/{general}/messages", text="over the server")
            until(lambda: tomas.texts(general) == ["over the server"], "the message at Tomas")
        finally:
            elin.kill()
            tomas.kill()


def test_an_upgrade_keeps_what_the_admin_set(bare: Chroot, tmp_path: Path) -> None:
    """A changed file of settings stays, and so does the secret that names the server."""
    deb = find_package("folkmoot-signaling")
    bare.install(deb)
    bare.inside(SETTINGS).write_text('log_level = "error"\n')
    secret = bare.inside("/etc/folkmoot-signaling/jwt-secret")
    before = secret.read_text()
    bare.install(deb, "--reinstall")
    assert bare.inside(SETTINGS).read_text() == 'log_level = "error"\n'
    assert secret.read_text() == before
    assert secret.stat().st_mode & 0o077 == 0
    refused = subprocess.run(
        bare.command("cat", "/etc/folkmoot-signaling/jwt-secret", user=USER),
        capture_output=True,
        check=False,
    )
    assert refused.returncode != 0
