"""The end of a real server: nodes are told, what is under way arrives, nobody new comes in."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from folkmoot.protocol.signaling import Restarting
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command
from lab.signal_server import signal_server

TAG = b"d" * 16


def _config(folder: Path, text: str) -> str:
    file = folder / "signaling.toml"
    file.write_text(text)
    return str(file)


async def test_two_nodes_are_told_and_closed_and_the_status_is_good() -> None:
    with signal_command() as server:
        async with (
            await SignalClient.logged_in(server.url) as ann,
            await SignalClient.logged_in(server.url) as bob,
        ):
            await ann.enter(TAG)
            await bob.enter(TAG)
            server.tell(signal.SIGTERM)
            told = [await one.wait(Restarting) for one in (ann, bob)]
            assert all(one.url == "" for one in told)
            # Not before the server is gone, and not at one moment.
            assert all(1000 <= one.after_ms <= 5000 for one in told)
            ended = await asyncio.gather(ann.ended(), bob.ended())
            assert [one.code for one in ended] == [1012, 1012]
        status, lines = await server.ended()
        assert status == 0
        assert lines[-1]["event"] == "ended"
        assert lines[-1]["cut_off"] == 0
        # docs/HOSTING.md: ten seconds at most.
        assert lines[-1]["seconds"] < 10


async def test_what_is_relayed_while_it_drains_arrives() -> None:
    with signal_server(leave_s=60.0) as server:
        async with (
            await SignalClient.logged_in(server.url) as ann,
            await SignalClient.logged_in(server.url) as bob,
        ):
            await ann.enter(TAG)
            await bob.enter(TAG)
            server.process.send_signal(signal.SIGTERM)
            for one in (ann, bob):
                await one.wait(Restarting)
            await ann.relay(bob.device, b"the last word")
            assert (await bob.relayed())[2] == b"the last word"


async def test_while_it_drains_health_says_so_and_nobody_logs_in() -> None:
    with signal_server(leave_s=60.0) as slow:
        server = SignalCommand(slow.process, [f"{slow.host}:{slow.port}"], [])
        async with await SignalClient.logged_in(server.url) as ann:
            server.tell(signal.SIGTERM)
            await ann.wait(Restarting)
            health = await server.ask("/health")
            assert health.status == 503
            assert health.json["status"] == "draining"
            login = await server.ask("/signal")
            assert (login.status, login.code) == (503, "draining")
            assert login.headers["Retry-After"] == "3"


async def test_nodes_are_moved_to_another_server_if_one_is_configured(tmp_path: Path) -> None:
    config = _config(tmp_path, 'drain_to = "wss://talk2.example.org"\n')
    with signal_command("--config", config) as server:
        async with await SignalClient.logged_in(server.url) as ann:
            server.tell(signal.SIGTERM)
            told = await ann.wait(Restarting)
            assert told == Restarting(0, "wss://talk2.example.org")
        assert (await server.ended())[0] == 0


@pytest.mark.long
async def test_many_are_told_one_after_the_other(tmp_path: Path) -> None:
    config = _config(tmp_path, "drain_s = 3\n")
    with signal_command("--config", config) as server:
        clients = [await SignalClient.logged_in(server.url) for _ in range(60)]
        try:
            server.tell(signal.SIGTERM)
            told_s: list[float] = []
            back_s: list[float] = []

            async def wait(client: SignalClient) -> None:
                told = await client.wait(Restarting)
                told_s.append(time.monotonic())
                back_s.append(time.monotonic() + told.after_ms / 1000)

            await asyncio.gather(*(wait(client) for client in clients))
            assert max(told_s) - min(told_s) > 0.4
            assert max(back_s) - min(back_s) > 0.4
        finally:
            for client in clients:
                await client.close()
        assert (await server.ended())[0] == 0


async def test_a_second_signal_ends_it_at_once() -> None:
    with signal_server(leave_s=60.0) as server:
        clients = [await SignalClient.logged_in(server.url) for _ in range(20)]
        try:
            server.process.send_signal(signal.SIGTERM)
            waiting = [asyncio.ensure_future(one.wait(Restarting)) for one in clients]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            # Well within the minute that it would wait else.
            assert await asyncio.to_thread(server.stop) == 0
            await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            for client in clients:
                await client.close()


@pytest.mark.long
async def test_a_node_that_does_not_read_does_not_hold_it_up() -> None:
    with signal_command() as server:
        async with await SignalClient.logged_in(server.url) as stuck:
            stuck.transport.pause_reading()
            server.tell(signal.SIGTERM)
            status, lines = await server.ended()
            assert status == 0
            assert lines[-1]["event"] == "ended"
            assert lines[-1]["seconds"] < 10
