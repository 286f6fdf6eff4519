"""What is done about missing Debian packages, with apt, sudo and the user played by scripts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parents[3] / "packaging" / "setup" / "system-packages.sh"


class Machine:
    """A Debian machine made of scripts: what is installed, who the user is, what apt was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "apt.log"
        self.wanted = folder / "wanted.txt"
        self.wanted.write_text("libgl1\nlibglib2.0-0\nxvfb\n")
        self.install("libgl1", "libglib2.0-0", "xvfb")
        self.become_root()
        self._command("sudo", "exit 1\n")
        self._command("apt-get", f'echo "apt-get $*" >>{self.log}\n')

    def _command(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{body}")
        path.chmod(0o755)

    def install(self, *packages: str) -> None:
        """Let dpkg know exactly these packages; a removed one lies beside them."""
        lines = [f"installed {package}" for package in packages] + ["config-files xvfb-old"]
        self._command("dpkg-query", "".join(f"echo '{line}'\n" for line in lines))

    def become_root(self, uid: int = 0) -> None:
        """Be root, or the user of this number."""
        self._command("id", f"echo {uid}\n")

    def give_sudo(self) -> None:
        """Let sudo ask nothing and run what it is told."""
        self._command("sudo", '[ "$1" = -n ] && exit 0\necho sudo >>' + f'{self.log}\nexec "$@"\n')

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run the script on this machine."""
        return subprocess.run(
            [_SCRIPT, self.wanted],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def apt_calls(self) -> list[str]:
        """What apt was told, in order."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with root where nothing is missing."""
    return Machine(tmp_path)


def test_nothing_missing_does_nothing(machine: Machine) -> None:
    done = machine.run()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert machine.apt_calls() == []


def test_a_package_under_its_newer_name_is_not_missing(machine: Machine) -> None:
    machine.install("libgl1", "libglib2.0-0t64", "xvfb")
    assert machine.run().returncode == 0
    assert machine.apt_calls() == []


def test_root_installs_exactly_what_is_missing(machine: Machine) -> None:
    machine.install("libgl1", "xvfb-old")
    assert machine.run().returncode == 0
    assert machine.apt_calls()[-1].endswith("--no-install-recommends libglib2.0-0 xvfb")


def test_sudo_that_asks_nothing_is_used(machine: Machine) -> None:
    machine.install("libgl1")
    machine.become_root(uid=1000)
    machine.give_sudo()
    assert machine.run().returncode == 0
    assert machine.apt_calls()[0] == "sudo"
    assert machine.apt_calls()[-1].endswith("libglib2.0-0 xvfb")


def test_with_neither_it_names_them_and_the_command_and_stops(machine: Machine) -> None:
    machine.install("libgl1")
    machine.become_root(uid=1000)
    done = machine.run()
    assert done.returncode == 1
    assert "missing: libglib2.0-0 xvfb\n" in done.stderr
    assert "sudo apt-get install --no-install-recommends libglib2.0-0 xvfb\n" in done.stderr
    assert machine.apt_calls() == []
