"""The two commands in a clean clone, and wheels built from it that run far away from it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.clones import (
    as_plain_user,
    find_system_python,
    give_away,
    make_clean_environment,
    make_clone,
    read_ready_line,
    started,
    virtual_display,
    wait_for_window,
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs("registry", "git", "make"),
    pytest.mark.timeout(600),
]

_SOME_TESTS = "tests/unit/domain tests/unit/test_main.py"


@dataclass
class Site:
    """A folder outside the tree with a clean clone, and the environment of a fresh login."""

    folder: Path
    clone: Path
    environ: dict[str, str]

    def run(self, *command: str, timeout_s: float = 400) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone."""
        return subprocess.run(
            command,
            cwd=self.clone,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that every user may enter, with the one download cache of this module."""
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-clone-"))
    folder.chmod(0o755)
    (folder / "cache").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def site(place: Path) -> Site:
    """A clone that this user set up with `make test`."""
    folder = place / "own"
    folder.mkdir()
    site = Site(folder, make_clone(folder), make_clean_environment(folder, place / "cache"))
    done = site.run("make", "test", f"ARGS={_SOME_TESTS}")
    assert done.returncode == 0, done.stderr[-1000:] + done.stdout[-4000:]
    assert " passed" in done.stdout
    return site


@pytest.fixture(scope="module")
def wheel(site: Site) -> Path:
    """The wheel, built from the clone by way of a source distribution."""
    done = site.run(".venv/bin/python", "-m", "build", "--outdir", "dist")
    assert done.returncode == 0, done.stderr[-1000:] + done.stdout[-4000:]
    (wheel,) = (site.clone / "dist").glob("*.whl")
    return wheel


def _install(site: Site, wheel: Path, extra: str) -> Path:
    """Install the wheel with an extra into an empty environment; return its folder of programs."""
    folder = site.folder / f"far-{extra}"
    python = find_system_python()
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    arguments = ["-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-q"]
    done = site.run(python, *arguments, f"folkmoot[{extra}] @ {wheel.as_uri()}")
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "bin"


def _say(site: Site, command: Sequence[str | Path]) -> str:
    done = subprocess.run(
        command, cwd="/", env=site.environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_commands_work_in_a_clean_clone(site: Site) -> None:
    done = site.run("make", "-s", "run", "ARGS=--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("folkmoot ")


def test_make_run_without_a_display_says_how_to_go_on(site: Site) -> None:
    done = site.run("make", "run")
    assert done.returncode != 0
    assert "There is no display here." in done.stderr
    assert "xvfb-run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.needs("Xvfb", "xdotool")
def test_make_run_opens_a_window(site: Site) -> None:
    with virtual_display() as display:
        environ = site.environ | {"DISPLAY": display}
        command = [".venv/bin/python", "-m", "folkmoot", "--profile", str(site.folder / "p")]
        environ["PYTHONPATH"] = "app:signaling"
        with started(command, site.clone, environ):
            wait_for_window(display, "Folkmoot")


@pytest.mark.needs("root")
def test_the_commands_work_for_a_plain_user(site: Site, place: Path) -> None:
    """The system packages are there already; without them this user is told their names."""
    folder = place / "plain"
    folder.mkdir()
    cache = place / "plain-cache"
    shutil.copytree(place / "cache", cache)
    plain = Site(folder, make_clone(folder), make_clean_environment(folder, cache))
    give_away(folder)
    give_away(cache)
    done = plain.run(*as_plain_user(["make", "test", f"ARGS={_SOME_TESTS}"]))
    assert done.returncode == 0, done.stderr[-1000:] + done.stdout[-4000:]
    assert " passed" in done.stdout
    done = plain.run(*as_plain_user(["make", "run"]))
    assert done.returncode != 0
    assert "There is no display here." in done.stderr
    lists = plain.clone / "packaging" / "setup" / "debian-run.txt"
    lists.write_text(lists.read_text() + "folkmoot-no-such-package\n")
    done = plain.run(*as_plain_user(["make", "run"]))
    assert done.returncode != 0
    assert "missing: folkmoot-no-such-package" in done.stderr
    assert "apt-get install" in done.stderr


def test_the_wheel_carries_all_that_is_not_python(wheel: Path, site: Site) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for source, packed in (
        ("resources", "folkmoot/_resources"),
        ("app/folkmoot", "folkmoot"),
        ("signaling/folkmoot_signaling", "folkmoot_signaling"),
    ):
        listed = site.run("git", "ls-files", source).stdout.splitlines()
        assert listed
        wanted = {packed + name.removeprefix(source) for name in listed if ".md" not in name}
        assert wanted - names == set()


@pytest.mark.needs("Xvfb", "xdotool")
def test_the_installed_wheel_starts_window_and_node(site: Site, wheel: Path) -> None:
    programs = _install(site, wheel, "desktop")
    code = "from folkmoot.resources import resource_path; print(resource_path('icons'))"
    assert _say(site, [programs / "python", "-c", code]).startswith(str(programs.parent))
    with virtual_display() as display:
        environ = site.environ | {"DISPLAY": display}
        command = [str(programs / "folkmoot"), "--profile", str(site.folder / "window")]
        with started(command, Path("/"), environ) as process:
            wait_for_window(display, "Folkmoot")
            process.terminate()
            _out, err = process.communicate(timeout=20)
    assert "Traceback" not in err
    _see_the_node_run(site, programs)


def test_the_node_installs_and_runs_without_qt(site: Site, wheel: Path) -> None:
    programs = _install(site, wheel, "node")
    code = "import importlib.util as u; print(u.find_spec('PySide6'))"
    assert _say(site, [programs / "python", "-c", code]) == "None"
    _see_the_node_run(site, programs)


def test_the_signaling_server_installs_and_runs_without_qt(site: Site, wheel: Path) -> None:
    programs = _install(site, wheel, "signaling")
    code = "import importlib.util as u; print(u.find_spec('PySide6'), u.find_spec('sqlalchemy'))"
    assert _say(site, [programs / "python", "-c", code]) == "None None"
    command = [str(programs / "folkmoot-signaling"), "--listen", "127.0.0.1:0"]
    with started(command, Path("/"), site.environ) as process:
        address = read_ready_line(process)["listen"][0]
        _see_health(f"http://{address}")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def _see_the_node_run(site: Site, programs: Path) -> None:
    profile = Path(tempfile.mkdtemp(dir=site.folder))
    options = ["--name", "Ada", "--listen", "127.0.0.1:0", "--api-port", "0", "--no-discovery"]
    command = [str(programs / "folkmoot"), "node", "--profile", str(profile / "p"), *options]
    with started(command, Path("/"), site.environ) as process:
        ready = read_ready_line(process)
        assert ready["ready"] is True
        _see_health(ready["api"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def _see_health(url: str) -> None:
    with urllib.request.urlopen(f"{url}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
