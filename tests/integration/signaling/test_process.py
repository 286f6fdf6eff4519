"""The signaling server as a process: ready line, /health, a clean stop, clear words."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from folkmoot import __version__

_TOP = Path(__file__).parents[3]

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the server with arguments; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        paths = os.pathsep.join(str(_TOP / name) for name in ("app", "signaling"))
        process = subprocess.Popen(
            [sys.executable, "-m", "folkmoot_signaling", *arguments],
            env=os.environ | {"PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=10)


def _read_ready_line(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    listen: list[str] = ready["listen"]
    return listen


def test_it_answers_health_on_every_address(start: Start) -> None:
    addresses = _read_ready_line(start("--listen", "127.0.0.1:0", "--listen", "[::1]:0"))
    assert len(addresses) == 2
    for address in addresses:
        with urllib.request.urlopen(f"http://{address}/health", timeout=10) as answer:
            assert json.load(answer) == {"status": "ok", "version": __version__}


def test_anything_else_is_not_found(start: Start) -> None:
    (address,) = _read_ready_line(start("--listen", "127.0.0.1:0"))
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"http://{address}/api/communication/identity", timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(start: Start, number: signal.Signals) -> None:
    process = start("--listen", "127.0.0.1:0")
    _read_ready_line(process)
    process.send_signal(number)
    assert process.wait(timeout=10) == 0
    assert process.communicate()[1] == ""


def test_a_port_that_is_taken_is_told_in_words(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = start("--listen", f"127.0.0.1:{port}")
        _out, err = process.communicate(timeout=15)
    assert process.returncode == 1
    assert f"Another program is already listening on 127.0.0.1:{port}." in err
    assert "Traceback" not in err


def test_an_address_of_another_computer_is_told_in_words(start: Start) -> None:
    process = start("--listen", "192.0.2.1:0")
    _out, err = process.communicate(timeout=15)
    assert process.returncode == 1
    assert "Cannot listen on 192.0.2.1:0" in err
    assert "Traceback" not in err


def test_wrong_arguments_end_with_two(start: Start) -> None:
    process = start("--listen", "8480")
    _out, err = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "is not an address" in err
