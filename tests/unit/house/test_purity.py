"""What import-linter cannot see: the clock, chance and files reached through a permitted module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_APP = Path(__file__).parents[3] / "app" / "folkmoot"
_INNER = ("domain", "protocol", "services")

_SERVER = Path(__file__).parents[3] / "signaling" / "folkmoot_signaling"
_PURE_IN_SERVER = (
    *("bus", "channel", "counters", "directory", "epochs", "exchange", "far", "frames", "here"),
    *("limits", "login", "mailbox", "nodes", "ports", "post", "redis_scripts", "relay", "rooms"),
)
_SERVER_KEEPERS = {
    Path("entrance.py"): "the handshakes of connections, each bounded in time, ended with it",
    Path("server.py"): "the one beat of a server, which outlives every error",
    Path("redis_bus.py"): "the one loop that meets other nodes, and begins again after every error",
}

_IMPURE_ENDINGS = {
    "os.urandom": "chance",
    "os.getrandom": "chance",
    "uuid.uuid1": "chance",
    "uuid.uuid4": "chance",
    "utils.random": "chance (nacl.utils.random)",
    "SigningKey.generate": "chance",
    "PrivateKey.generate": "chance",
    "datetime.now": "the clock",
    "datetime.utcnow": "the clock",
    "datetime.today": "the clock",
    "date.today": "the clock",
    "time.time": "the clock",
    "time.monotonic": "the clock",
    "time.time_ns": "the clock",
    "time.sleep": "the clock",
}
_IMPURE_BUILTINS = {"open", "input", "print", "exec", "eval", "breakpoint"}
_IMPURE_IMPORTS = {"urandom", "uuid4", "uuid1", "randombytes", "token_bytes", "token_hex"}
_TASK_STARTERS = ("asyncio.create_task", "asyncio.ensure_future", "loop.create_task")
_KEEPERS = {
    Path("services/supervisor.py"): "the supervisor itself",
    Path("api/server.py"): "two waits of one request, which ends them",
}
_MAIN_LOOP = (Path("ui/app.py"), "application.exec")


def _find_impure(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            for ending, what in _IMPURE_ENDINGS.items():
                if f".{name}".endswith(f".{ending}"):
                    yield f"{node.lineno}: {name} is {what}"
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in _IMPURE_IMPORTS:
                    yield f"{node.lineno}: imports {alias.name}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _IMPURE_BUILTINS
        ):
            yield f"{node.lineno}: calls {node.func.id}"


def _find_started_tasks(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = ast.unparse(node.func)
            if name.endswith(_TASK_STARTERS) or name.endswith("get_running_loop().create_task"):
                yield f"{node.lineno}: {name}"


def _find_nested_loops(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("exec", "exec_", "setHtml", "processEvents")
        ):
            yield f"{node.lineno}: {ast.unparse(node.func)}"


def _modules(*rings: str) -> list[Path]:
    return sorted(path for ring in rings for path in (_APP / ring).rglob("*.py"))


@pytest.mark.parametrize("ring", _INNER)
def test_an_inner_ring_takes_clock_chance_and_files_as_arguments(ring: str) -> None:
    modules = _modules(ring)
    assert modules
    found = [
        f"{path.relative_to(_APP)}:{what}"
        for path in modules
        for what in _find_impure(path.read_text())
    ]
    assert found == []


def test_tasks_start_only_through_the_supervisor() -> None:
    rings = ("services", "net", "api", "storage", "system")
    found = [
        f"{path.relative_to(_APP)}:{what}"
        for path in _modules(*rings)
        if path.relative_to(_APP) not in _KEEPERS
        for what in _find_started_tasks(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("name", _PURE_IN_SERVER)
def test_a_pure_part_of_the_server_takes_clock_and_chance_as_arguments(name: str) -> None:
    path = _SERVER / f"{name}.py"
    assert list(_find_impure(path.read_text())) == []


def test_tasks_of_the_server_start_in_one_place() -> None:
    found = [
        f"{path.name}:{what}"
        for path in sorted(_SERVER.rglob("*.py"))
        if path.relative_to(_SERVER) not in _SERVER_KEEPERS
        for what in _find_started_tasks(path.read_text())
    ]
    assert found == []


def test_the_window_runs_no_nested_loop_and_no_html() -> None:
    """`exec` breaks coroutines, `processEvents` re-enters, `setHtml` loads what it names."""
    found = [
        f"{path.relative_to(_APP)}:{what}"
        for path in _modules("ui")
        for what in _find_nested_loops(path.read_text())
        if (path.relative_to(_APP), what.partition(" ")[2]) != _MAIN_LOOP
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "import os\nos.urandom(8)",
        "import nacl.utils\nnacl.utils.random(8)",
        "from nacl.signing import SigningKey\nSigningKey.generate()",
        "from os import urandom",
        "open('x')",
    ],
)
def test_the_check_sees_what_is_planted(source: str) -> None:
    assert list(_find_impure(source))


def test_the_checks_of_tasks_and_loops_see_what_is_planted() -> None:
    assert list(_find_started_tasks("import asyncio\nasyncio.create_task(x())"))
    assert list(_find_started_tasks("self._loop.create_task(x())"))
    assert list(_find_nested_loops("dialog.exec()"))
