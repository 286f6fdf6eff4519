"""The packages that were built: what lintian says, what they ask for, the server out of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from linux import deb as recipe
from linux import depends
from linux.elf import find_elf

from folkmoot import __version__
from packages.artefacts import find_package

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def server_deb() -> Path:
    """The package of the server; fails where it was not built."""
    return find_package("folkmoot-signaling")


@pytest.fixture(scope="module")
def unpacked(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _unpack(deb, tmp_path_factory.mktemp("folkmoot"))


@pytest.fixture(scope="module")
def server(server_deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _unpack(server_deb, tmp_path_factory.mktemp("server"))


def _unpack(package: Path, place: Path) -> Path:
    subprocess.run(["dpkg-deb", "--raw-extract", package, place / "root"], check=True)
    return place / "root"


def _lint(package: Path) -> str:
    """What lintian says that no override explains."""
    done = subprocess.run(
        ["lintian", "--profile", "debian", "--allow-root", str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.needs("lintian")
def test_lintian_finds_nothing_that_is_not_explained(deb: Path) -> None:
    assert _lint(deb) == ""


@pytest.mark.needs("lintian")
def test_lintian_finds_nothing_in_the_package_of_the_server(server_deb: Path) -> None:
    assert _lint(server_deb) == ""


@pytest.mark.needs("objdump")
def test_it_depends_on_what_its_files_ask_for_and_nothing_else(unpacked: Path) -> None:
    control = (unpacked / "DEBIAN/control").read_text()
    (asked,) = re.findall(r"^Depends: (.*)$", control, re.MULTILINE)
    linkage = depends.read_linkage(unpacked / recipe.LIBRARY)
    assert asked.split(", ") == depends.depends(linkage)
    # Debian 12 has glibc 2.36.
    assert tuple(map(int, linkage.least("GLIBC").split("."))) <= (2, 36)


def test_it_says_nothing_of_the_machine_that_built_it(unpacked: Path) -> None:
    done = subprocess.run(
        ["objdump", "-p", *find_elf(unpacked / recipe.LIBRARY)],
        capture_output=True,
        text=True,
        check=True,
    )
    paths = set(re.findall(r"R(?:UN)?PATH\s+(\S+)", done.stdout))
    assert all(part.startswith("$ORIGIN") for path in paths for part in path.split(":"))


@pytest.fixture
def running(server: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [server / "usr/bin/folkmoot-signaling", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    yield process
    process.kill()
    process.communicate()


def test_the_server_runs_from_its_package(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    ready = json.loads(running.stdout.readline())
    with urllib.request.urlopen(f"http://{ready['listen'][0]}/health", timeout=30) as answer:
        health = json.load(answer)
    assert (health["status"], health["version"]) == ("ok", __version__)
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0


def test_the_server_takes_the_settings_that_come_with_it(server: Path) -> None:
    program = server / "usr/bin/folkmoot-signaling"
    settings = server / "etc/folkmoot-signaling/signaling.toml"
    done = subprocess.run(
        [program, "--config", settings, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = settings.read_text().replace("#drain_s = 4", "drain_s = 400")
    wrong = server / "wrong.toml"
    wrong.write_text(text)
    done = subprocess.run(
        [program, "--config", wrong, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "drain_s = 4" in done.stderr
