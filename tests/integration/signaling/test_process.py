"""The signaling server as a process: ready line, /health, a clean stop, clear words."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from folkmoot import __version__
from lab.signal_command import SignalCommand, signal_command, start_command


@pytest.fixture(scope="module")
def server() -> Iterator[SignalCommand]:
    with signal_command("--listen", "127.0.0.1:0", "--listen", "[::1]:0") as one:
        yield one


@pytest.fixture
def failing() -> Iterator[Callable[..., tuple[int, str]]]:
    """Start the server with arguments that it cannot run with: (status, what it said)."""
    running: list[Popen[str]] = []

    def run(*arguments: str, **environ: str) -> tuple[int, str]:
        process = start_command(*arguments, **environ)
        running.append(process)
        _out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        return process.returncode, err

    yield run
    for process in running:
        process.kill()
        process.communicate(timeout=30)


Failing = Callable[..., tuple[int, str]]


def test_it_answers_health_on_every_address(server: SignalCommand) -> None:
    assert len(server.listen) == 2
    for address in server.listen:
        answer = SignalCommand(server.process, [address], []).fetch("/health")
        assert answer.status == 200
        assert answer.json == {
            "status": "ok",
            "version": __version__,
            "parts": {"stun": "ok", "mailbox": "ok"},
        }


def test_stun_has_the_port_numbers_of_tcp(server: SignalCommand) -> None:
    assert server.stun == server.listen


def test_anything_else_is_not_found(server: SignalCommand) -> None:
    for path in ("/", "/api/communication/identity", "/signal/x"):
        answer = server.fetch(path)
        assert (answer.status, answer.code) == (404, "not_found")


def test_a_wrong_method_is_told_the_right_ones(server: SignalCommand) -> None:
    answer = server.fetch("/health", method="DELETE")
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    with signal_command() as server:
        server.tell(number)
        status, lines = await server.ended()
    assert status == 0
    assert [line["event"] for line in lines] == ["started", "draining", "ended"]


def test_a_port_that_is_taken_is_told_in_words(failing: Failing) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = failing("--listen", f"127.0.0.1:{port}")
    assert status == 1
    assert f"Another program is already listening on 127.0.0.1:{port}." in err


def test_an_address_of_another_computer_is_told_in_words(failing: Failing) -> None:
    status, err = failing("--listen", "192.0.2.1:0")
    assert status == 1
    assert "Cannot listen on 192.0.2.1:0" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "8480"], "The setting “listen” in the command line is wrong"),
        (["--name", "wss://a/b"], "The setting “names” in the command line is wrong"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
        (["--config", "/nowhere/signaling.toml"], "/nowhere/signaling.toml cannot be read"),
        (["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"], "cannot be used"),
    ],
)
def test_what_is_wrong_ends_with_two_and_words(
    failing: Failing, arguments: list[str], words: str
) -> None:
    status, err = failing(*arguments)
    assert status == 2
    assert words in err


def test_an_unknown_setting_in_the_file_is_refused_by_name(
    failing: Failing, tmp_path: Path
) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text("lissten = []\n")
    status, err = failing("--config", str(file))
    assert status == 2
    assert err == (
        f"folkmoot-signaling: There is no setting “lissten” in {file}. Do you mean “listen”?\n"
    )


def test_a_check_says_whether_the_configuration_is_good(failing: Failing, tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text('listen = ["127.0.0.1:0"]\n')
    assert failing("--config", str(file), "--check") == (0, "")
    assert failing("--check", "--tls-cert", str(file), "--tls-key", str(file))[0] == 2
