"""The frozen program `dist/folkmoot` on this computer (`make bundle`)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import smoke

from e2e.calling import Caller, make_team
from e2e.nodes import NodeProcess, until

_TOP = Path(__file__).parents[2]
_BUNDLE = _TOP / "dist" / "folkmoot"
_PROGRAM = _BUNDLE / "folkmoot"
_PYTHON = _TOP / ".venv-bundle" / "bin" / "python"
_LOAD = """
import ctypes, os, sys
for line in sys.stdin:
    if os.fork() == 0:  # alone: a library may take another's symbols for its own
        try:
            # Qt's FFmpeg asks for some of OpenSSL that it does without.
            ctypes.CDLL(line.strip(), os.RTLD_LAZY | os.RTLD_LOCAL)
        except OSError as error:
            os.write(1, f"{error}\\n".encode())
        os._exit(0)
    os.wait()
"""

pytestmark = [pytest.mark.package, pytest.mark.blocks_loop("a person waits")]


@pytest.fixture(autouse=True)
def _built() -> None:
    assert _PROGRAM.exists(), "there is no dist/folkmoot: make bundle"


@pytest.fixture
def desk() -> Iterator[dict[str, str]]:
    """The environment of a person with an empty display."""
    with smoke.surroundings() as environment:
        yield environment


class FrozenNode(NodeProcess):
    """`folkmoot node` of the bundle."""

    bundle = _BUNDLE

    def command(self, *words: str) -> list[str]:
        """The frozen program."""
        return [str(self.bundle / "folkmoot"), *words]


def _windows(environment: dict[str, str]) -> list[str]:
    """The windows that show on the display, by number."""
    command = ["xdotool", "search", "--onlyvisible", "--name", "."]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return sorted(done.stdout.split())


def _family(root: int) -> list[tuple[str, list[str]]]:
    """Program and arguments of every process below `root`."""
    found, waiting = [], [root]
    while waiting:
        for task in Path("/proc").glob(f"{waiting.pop()}/task/*/children"):
            for pid in map(int, task.read_text().split()):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                found.append((os.readlink(f"/proc/{pid}/exe"), [w.decode() for w in words[1:]]))
                waiting.append(pid)
    return found


def test_it_starts_lacks_nothing_and_says_nothing() -> None:
    assert smoke.smoke([str(_PROGRAM)]) == []


def test_every_library_in_it_can_be_loaded() -> None:
    """`strip` and other tools that change libraries may leave some that only seem whole."""
    internal = _BUNDLE / "_internal"
    paths = [p for p in sorted(internal.rglob("*.so*")) if not p.is_symlink()]
    assert len(paths) > 150
    done = subprocess.run(
        [_PYTHON, "-c", _LOAD],
        input="\n".join(map(str, paths)),
        env={**os.environ, "LD_LIBRARY_PATH": str(internal)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_its_size_is_explained_and_within_the_limit() -> None:
    done = subprocess.run(
        [_PYTHON, _TOP / "packaging/bundle/sizes.py", _BUNDLE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^asks for GLIBC 2\.\d+, by ", done.stdout, re.MULTILINE)


def test_it_says_what_it_is_and_whose_work_is_in_it() -> None:
    internal = _BUNDLE / "_internal"
    stamp = json.loads((internal / "folkmoot/_build.json").read_text())
    assert re.fullmatch(r"[0-9a-f]{12}", stamp["commit"])
    assert stamp["kind"] == "bundle"
    parts = json.loads((internal / "sbom.cdx.json").read_text())["components"]
    assert {"PySide6_Essentials", "av", "x264", "OpenSSL"} <= {part["name"] for part in parts}
    assert "Files: " in (internal / "copyright").read_text()
    assert (internal / "licences" / "GPL-3.0.txt").exists()


def test_nothing_of_the_build_is_in_it() -> None:
    inside = {path.name for path in (_BUNDLE / "_internal").iterdir()}
    assert not inside & {"PyInstaller", "setuptools", "pytest", "tests", "libstdc++.so.6"}
    assert not list(_BUNDLE.rglob("*WebEngine*"))


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "import time; time.sleep(60)"],
        ["-m", "folkmoot"],
        ["--multiprocessing-fork", "tracker_fd=3", "pipe_handle=4"],
        ["-B", "-S", "-I", "-c", "from multiprocessing.resource_tracker import main;main(5)"],
    ],
)
def test_what_a_python_would_be_asked_opens_no_window(
    words: list[str], desk: dict[str, str]
) -> None:
    """A library that starts `sys.executable` for itself gets an error, never a second window."""
    done = subprocess.run(
        [_PROGRAM, *words], env=desk, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert b"usage: folkmoot" in done.stderr


@pytest.mark.needs("xdotool")
def test_a_second_start_brings_no_second_window(tmp_path: Path, desk: dict[str, str]) -> None:
    command = [str(_PROGRAM), "--profile", str(tmp_path)]
    first = subprocess.Popen(command, env=desk)
    try:
        until(lambda: (tmp_path / "log" / "node.log").exists(), "the window works", 60)
        before = _windows(desk)
        assert before
        second = subprocess.run(command, env=desk, timeout=60, capture_output=True, check=False)
        assert (second.returncode, second.stderr) == (0, b"")
        assert _windows(desk) == before
        assert first.poll() is None
        first.terminate()
        assert first.wait(20) == 0
    finally:
        first.kill()
        first.wait()


@pytest.mark.needs("xdotool")
def test_a_call_has_one_process_of_the_same_program_and_no_window(
    tmp_path: Path, desk: dict[str, str]
) -> None:
    options = ("--listen", "127.0.0.1:0", "--no-discovery", "--microphone", "test")
    made = [FrozenNode(tmp_path / n, n, *options, "--camera", "test") for n in ("Ada", "Grace")]
    try:
        for node in made:
            node.variables = desk
            node.start()
        session = make_team(made)
        ada, grace = map(Caller, made)
        call = ada.start(session)
        until(lambda: grace.room(call), "the call is seen", 30)
        grace.join(call)
        until(lambda: grace.hears(call, ada) and grace.watches(call, ada), "Grace hears", 60)
        for node in made:
            assert node.process is not None
            (media,) = _family(node.process.pid)
            assert media == (str(_PROGRAM), ["media"])
        assert _windows(desk) == []
        for node in made:
            node.stop()
            assert node.errors() == ""
    finally:
        for node in made:
            node.kill()


def test_a_program_that_is_replaced_while_it_runs_goes_on(tmp_path: Path) -> None:
    """What an upgrade does: modules that are read later still come from the file of before."""
    bundle = tmp_path / "folkmoot"
    shutil.copytree(_BUNDLE, bundle, symlinks=True, copy_function=os.link)
    node = FrozenNode(tmp_path / "profile", "Ada", "--listen", "127.0.0.1:0", "--no-discovery")
    node.bundle = bundle
    try:
        node.start()
        (bundle / "folkmoot").unlink()
        shutil.copy("/bin/true", bundle / "folkmoot")
        # Whoever has no server has not read yet what a connection to one needs.
        node.post("/servers", url="ws://127.0.0.1:9")
        until(lambda: node.items("/servers")[0]["words"], "it tries and says what came of it", 60)
        node.stop()
        assert node.errors() == ""
    finally:
        node.kill()
