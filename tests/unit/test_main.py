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
    record("run_media", 3)
    record("run_doctor", 1)
    record("run_selftest", 1)
    return seen


def test_the_node_gets_every_option(calls: dict[str, dict[str, Any]]) -> None:
    arguments = (
        "node --profile p --listen 127.0.0.1:0 --listen [::1]:0 --peer b:7000 --api-port 0 "
        "--no-discovery --name Ada --answer --microphone test --camera file:a.mkv --speaker none"
        " --share window:0x3 --record mp4 --signaling wss://Talk.example.org/"
        " --signaling ws://10.0.0.5:8480"
    )
    assert main(arguments.split()) == 0
    assert calls["run_node"] == {
        "profile": Path("p"),
        "name": "Ada",
        "listen": [Address("127.0.0.1", 0), Address("::1", 0)],
        "peers": [Address("b", 7000)],
        "signaling": ["wss://talk.example.org", "ws://10.0.0.5:8480"],
        "api_port": 0,
        "discovery": False,
        "microphone": "test",
        "camera": "file:a.mkv",
        "speaker": "none",
        "answer": True,
        "share": "window:0x3",
        "record": "mp4",
    }


@pytest.mark.parametrize("url", ["", "wss://", "ftp://a", "wss://a/b", "wss://u@a"])
def test_what_is_no_address_of_a_server_is_refused(
    calls: dict[str, dict[str, Any]], url: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["node", "--signaling", url])
    assert ended.value.code == 2
    assert "run_node" not in calls


@pytest.mark.parametrize("source", ["", "file:", "device", "tests"])
def test_a_node_takes_sound_from_a_test_or_a_file_only(
    calls: dict[str, dict[str, Any]], source: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["node", "--microphone", source])
    assert left.value.code == 2
    assert calls == {}


@pytest.mark.parametrize("source", ["all", "file:", "screen", "window:", "platform:x", "region:1"])
def test_what_cannot_be_shared_without_a_window_is_refused(
    calls: dict[str, dict[str, Any]], source: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["node", "--share", source])
    assert left.value.code == 2
    assert calls == {}


@pytest.mark.parametrize("arguments", [["--profile", "p", "node"], ["node", "--profile", "p"]])
def test_the_profile_may_stand_before_or_after_the_command(
    calls: dict[str, dict[str, Any]], arguments: list[str]
) -> None:
    main(arguments)
    assert calls["run_node"]["profile"] == Path("p")


def test_the_media_process_is_started_without_a_window_and_not_told_of(
    calls: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["media", "--memory", "fd:7"]) == 3
    assert calls == {"run_media": {"memory": "fd:7"}}
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "media" not in capsys.readouterr().out


def test_the_doctor_gets_its_options_and_gives_its_status(
    calls: dict[str, dict[str, Any]],
) -> None:
    assert main(["doctor", "--profile", "p", "--json", "--wait", "--names"]) == 1
    assert main(["doctor"]) == 1
    given = {"profile": None, "as_json": False, "wait": False, "names": False}
    assert calls["run_doctor"] == given


def test_without_a_command_the_window_opens(
    calls: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(["--profile", "p"]) == 0
    assert calls == {"run_window": {"profile": Path("p"), "link": ""}}


@pytest.mark.parametrize(
    "arguments",
    [["--profile", "p", "folkmoot://join/Ab"], ["FOLKMOOT://join/Ab", "--profile", "p"]],
)
def test_a_link_opens_the_window_with_it(
    calls: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(arguments) == 0
    assert calls == {"run_window": {"profile": Path("p"), "link": "folkmoot://join/Ab"}}


def test_a_link_in_the_place_of_a_value_is_that_value(
    calls: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert main(["--profile", "folkmoot://x"]) == 0
    assert calls == {"run_window": {"profile": Path("folkmoot://x"), "link": ""}}


@pytest.mark.parametrize(
    "arguments",
    [
        ["folkmoot://join/secret --profile /tmp/x"],
        ["folkmoot://join/secret\n"],
        ["folkmoot:secret"],
        ["folkmoot://secret", "folkmoot://secret2"],
        ["folkmoot://join/secret", "node"],
        ["folkmoot://join/secret", "--selftest=1", "--listen"],
        ["node", "folkmoot://join/secret"],
        ["fly", "folkmoot://join/secret"],
        ["folkmoot://" + "secret" * 1000],
        ["https://example.org/join"],
    ],
)
def test_a_wrong_link_ends_with_two_and_words_without_it(
    calls: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert calls == {}
    told = capsys.readouterr().err
    assert "error:" in told
    assert "secret" not in told


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


def test_the_self_test_says_by_its_status_what_came_of_it(calls: dict[str, dict[str, Any]]) -> None:
    assert main(["--selftest"]) == 1
    assert calls == {"run_selftest": {}}


def test_a_check_that_is_not_there_is_refused_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selfcheck", "nonsense"]) == 1
    assert "no check called “nonsense”" in capsys.readouterr().err
