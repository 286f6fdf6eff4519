"""/metrics of a real server: what Prometheus reads, and who may read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from folkmoot_signaling.metrics import is_local
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command

TAG = b"m" * 16
TOKEN = "a token for the metrics"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignalCommand]:
    token = tmp_path_factory.mktemp("metrics") / "token"
    token.write_text(TOKEN + "\n")
    with signal_command(FOLKMOOT_METRICS_TOKEN_FILE=str(token)) as one:
        yield one


async def _read(server: SignalCommand) -> dict[str, float]:
    answer = await server.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.body.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


async def test_they_count_what_happens(server: SignalCommand) -> None:
    before = await _read(server)
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(TAG)
        await bob.enter(TAG)
        await ann.relay(bob.device, b"hello")
        await bob.relayed()
        after = await _read(server)
        assert after["folkmoot_signaling_sessions"] == 2
        assert after["folkmoot_signaling_rooms"] == 1
        assert after["folkmoot_signaling_room_places"] == 2
        grown = {name: after[name] - before[name] for name in after}
        assert grown["folkmoot_signaling_logins_total"] == 2
        assert grown["folkmoot_signaling_frames_total"] == 1
        # Nothing says who is there.
        text = (await server.ask("/metrics")).body.decode()
        assert ann.device.hex() not in text
        assert TAG.hex() not in text
    assert after["process_resident_memory_bytes"] > 1e6
    assert after["folkmoot_signaling_build_info"] == 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_what_a_proxy_hands_on_needs_the_token(server: SignalCommand, header: str) -> None:
    through = {header: "192.0.2.1"}
    answer = server.fetch("/metrics", headers=through)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert server.fetch("/metrics", headers=through, token="wrong").status == 403
    assert server.fetch("/metrics", headers=through, token=TOKEN).status == 200


def test_without_a_configured_token_no_token_opens_them() -> None:
    with signal_command() as server:
        for token in ("", "x"):
            answer = server.fetch("/metrics", headers={"Via": "1.1 x"}, token=token)
            assert answer.status == 403
        headers = {"Via": "1.1 x", "Authorization": "Bearer "}
        assert server.fetch("/metrics", headers=headers).status == 403


def test_local_is_loopback_that_no_proxy_handed_on() -> None:
    here = {"Host": "localhost:8480"}
    for host in ("127.0.0.1:8480", "LOCALHOST", "[::1]:8480"):
        assert is_local("127.0.0.1", {"host": host})
    assert is_local("::1", here)
    assert not is_local("192.0.2.1", here)
    assert not is_local("", here)
    assert not is_local("127.0.0.1", here | {"x-forwarded-for": "192.0.2.1"})
    for host in ("talk.example.org", "localhost.example.org", "192.0.2.1:8480", ""):
        assert not is_local("127.0.0.1", {"Host": host})
    assert not is_local("127.0.0.1", {})


def test_through_a_proxy_that_says_nothing_the_name_shows_it(server: SignalCommand) -> None:
    through = {"Host": "talk.example.org"}
    assert server.fetch("/metrics", headers=through).status == 403
    assert server.fetch("/metrics", headers=through, token=TOKEN).status == 200


def test_where_proxies_are_configured_this_computer_needs_the_token_too(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    options = ("--trusted-proxy", "127.0.0.1")
    with signal_command(*options, FOLKMOOT_METRICS_TOKEN_FILE=str(token)) as server:
        assert server.fetch("/metrics").status == 403
        assert server.fetch("/metrics", token=TOKEN).status == 200
