"""The command line: what it hands to the composition root and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from folkmoot import bootstrap
from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.main import main


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What each part of the composition root was called with."""
    seen: dict[str, dict[str, Any]] = {}

    def record(name: str, result: object) -> None:
        def call(**given: object) -> object:
            seen[name] = given
            return result

        monkeypatch.setattr(bootstrap, name, call)

    record("run_window", 0)
    record("run_node", 0)
    record("make_token", "header.body.mac")
    record("rebuild_store", "Rebuilt 3 conversations.")
    return seen


def test_the_node_gets_every_option(calls: dict[str, dict[str, Any]]) -> None:
    arguments = "node --profile p --listen 127.0.0.1:0 --listen [::1]:0 --peer b:7000"
    assert main([*arguments.split(), "--api-port", "0", "--no-discovery", "--name", "Ada"]) == 0
    assert calls["run_node"] == {
        "profile": Path("p"),
        "name": "Ada",
        "listen": [Address("127.0.0.1", 0), Address("::1", 0)],
        "peers": [Address("b", 7000)],
        "api_port": 0,
        "discovery": False,
    }


@pytest.mark.parametrize("arguments", [["--profile", "p", "node"], ["node", "--profile", "p"]])
def test_the_profile_may_stand_before_or_after_the_command(
    calls: dict[str, dict[str, Any]], arguments: list[str]
) -> None:
    main(arguments)
    assert calls["run_node"]["profile"] == Path("p")


def test_without_a_command_the_window_opens(
    calls: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(["--profile", "p"]) == 0
    assert calls == {"run_window": {"profile": Path("p")}}


def test_without_a_display_it_says_how_to_go_on(
    calls: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert main([]) == 1
    told = capsys.readouterr().err
    assert "no display" in told
    assert "xvfb-run" in told
    assert "folkmoot node" in told
    assert calls == {}


def test_a_token_is_printed_alone_on_its_line(
    calls: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "token --profile p --scope read write --scope admin --expires 60"
    assert main(arguments.split()) == 0
    assert capsys.readouterr().out == "header.body.mac\n"
    assert calls["make_token"]["scopes"] == {"read", "write", "admin"}
    assert calls["make_token"]["expires_s"] == 60


def test_a_fault_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_given: object) -> str:
        raise EnvironmentFault("store_damaged", "The store is damaged.", "Restore a backup.")

    monkeypatch.setattr(bootstrap, "rebuild_store", fail)
    assert main(["rebuild"]) == 1
    assert capsys.readouterr().err == "folkmoot: The store is damaged. Restore a backup.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        "fly",
        "node --listen 7000",
        "node --peer laptop:0",
        "node --api-port 70000",
        "node --api 1",
        "token",
        "token --scope everything",
        "token --scope read --expires 0",
        "token --scope read --expires soon",
    ],
)
def test_wrong_arguments_end_with_two_and_words(
    arguments: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments.split())
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
