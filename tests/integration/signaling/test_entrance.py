"""Connections are counted from the moment they are accepted: who says nothing holds few places."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.signaling.test_tls import make_certificate
from lab.signal_client import SignalClient
from lab.signal_server import SignalServer, signal_server

AT_ONCE_S = 20.0
PATIENT: dict[str, Any] = {"login_s": 120.0}
"""A handshake may take much longer than what happens at once."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    make_certificate(folder, "entrance")
    return folder


@pytest.fixture(params=["asyncio", "uvloop"])
def tls(request: pytest.FixtureRequest, folder: Path) -> dict[str, Any]:
    """Settings of a server with TLS of its own."""
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return {"tls": [str(folder / "cert.pem"), str(folder / "key.pem")], "loop": request.param}


def _context(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


async def _ask(server: SignalServer, folder: Path, host: str = "127.0.0.1") -> str:
    """Ask for `/metrics` over TLS from an address of this computer; empty: cut off."""
    try:
        async with asyncio.timeout(20):
            reader, writer = await asyncio.open_connection(
                server.host,
                server.port,
                ssl=_context(folder),
                server_hostname="localhost",
                local_addr=(host, 0),
            )
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.read(-1)
            writer.close()
            return answer.decode()
    except (ssl.SSLError, OSError):
        return ""


async def _comes_in(server: SignalServer, folder: Path) -> str:
    """Ask until it is answered: who goes is noticed a moment later."""
    async with asyncio.timeout(30):
        while not (answer := await _ask(server, folder)):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)
        return answer


def _counted(answer: str, name: str) -> int:
    (line,) = [one for one in answer.splitlines() if one.startswith(f"folkmoot_signaling_{name} ")]
    return int(float(line.rpartition(" ")[2]))


@contextlib.contextmanager
def _silent(server: SignalServer, count: int, host: str = "127.0.0.1") -> Iterator[Any]:
    """Connections that say nothing."""
    opened = []
    try:
        for _ in range(count):
            one = socket.create_connection((server.host, server.port), source_address=(host, 0))
            one.setblocking(False)
            opened.append(one)
        yield opened
    finally:
        for one in opened:
            one.close()


async def _is_cut(one: socket.socket, within_s: float = AT_ONCE_S) -> bool:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within_s):
            return await loop.sock_recv(one, 1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_silent_connections_past_the_limit_of_an_address_are_closed_at_once(
    tls: dict[str, Any], folder: Path
) -> None:
    with signal_server(**tls, **PATIENT, bounds={"address_connections": 5}) as server:
        with _silent(server, 8) as crowd:
            assert all(await asyncio.gather(*(_is_cut(one) for one in crowd[5:])))
            assert not any(await asyncio.gather(*(_is_cut(one, 0.1) for one in crowd[:5])))
            assert await _ask(server, folder) == ""
            assert "200 OK" in await _ask(server, folder, "127.0.0.2")
        # Those who went have given back their places.
        answer = await _comes_in(server, folder)
        assert _counted(answer, "failed_handshakes_total") == 5
        assert _counted(answer, "refused_connections_total") >= 4


async def test_silent_connections_of_all_are_few(tls: dict[str, Any], folder: Path) -> None:
    with (
        signal_server(**tls, **PATIENT, bounds={"all_strangers": 3}) as server,
        _silent(server, 2, "127.0.0.3") as first,
        _silent(server, 3, "127.0.0.4") as second,
    ):
        assert all(await asyncio.gather(*(_is_cut(one) for one in second[1:])))
        assert not any(await asyncio.gather(*(_is_cut(one, 0.1) for one in [*first, second[0]])))
        assert await _ask(server, folder) == ""


async def test_six_hundred_silent_connections_of_one_address_hold_256(
    tls: dict[str, Any], folder: Path
) -> None:
    with (
        signal_server(**tls, **PATIENT) as server,
        _silent(server, 600, "127.0.0.3") as crowd,
    ):
        asked = [asyncio.ensure_future(_is_cut(one, 60)) for one in crowd]
        async with asyncio.timeout(30):
            while sum(one.done() for one in asked) < 600 - 256:
                await asyncio.wait(asked, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        held = [one for one in asked if not one.done()]
        await asyncio.wait(held, timeout=1.0)
        assert sum(not one.done() for one in held) == 256
        for one in held:
            one.cancel()
        await asyncio.wait(held)
        assert "200 OK" in await _ask(server, folder)


@pytest.mark.parametrize("who", ["address", "all"])
async def test_handshakes_over_the_limit_are_refused_before_they_begin(
    tls: dict[str, Any], folder: Path, who: str
) -> None:
    with signal_server(**tls, **PATIENT, bounds={f"{who}_handshakes": [0.001, 3]}) as server:
        for _ in range(3):
            answer = await _ask(server, folder)
            assert "200 OK" in answer
        with _silent(server, 1) as crowd:
            assert await _is_cut(crowd[0])
        # The limit of an address is of that one only.
        assert bool(await _ask(server, folder, "127.0.0.2")) is (who == "address")


async def test_what_is_no_tls_gives_its_place_back(tls: dict[str, Any], folder: Path) -> None:
    with signal_server(**tls, bounds={"address_connections": 1, "all_strangers": 1}) as server:
        for _ in range(5):
            with _silent(server, 1) as (one,):
                one.send(b"GET / HTTP/1.1\r\n\r\n")
                while not await _is_cut(one):
                    pass
        answer = await _comes_in(server, folder)
        assert _counted(answer, "handshakes") == 0


async def test_a_handshake_that_is_not_done_in_time_is_cut(
    tls: dict[str, Any], folder: Path
) -> None:
    bounds = {"address_connections": 1}
    with (
        signal_server(**tls, login_s=0.3, bounds=bounds) as server,
        _silent(server, 1) as (one,),
    ):
        assert await _is_cut(one)
        await _comes_in(server, folder)


def test_it_ends_while_somebody_is_silent(tls: dict[str, Any]) -> None:
    with signal_server(**tls) as server, _silent(server, 3):
        assert server.stop() == 0


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_without_file_descriptors_it_waits_until_there_are_some(loop: str) -> None:
    few = ["sh", "-c", 'ulimit -n 48; exec "$@"', "sh"]
    with signal_server(prefix=few, loop=loop) as server:
        with _silent(server, 80):
            await asyncio.sleep(0.3)
            before_s = server.cpu_s
            await asyncio.sleep(1.0)
            assert server.cpu_s - before_s < 0.3
        async with await SignalClient.logged_in(server.url):
            pass


async def test_it_listens_on_an_address_of_ipv6() -> None:
    with signal_server(host="::1") as server:
        async with await SignalClient.logged_in(f"ws://[::1]:{server.port}"):
            pass


def test_it_listens_on_what_a_name_stands_for() -> None:
    with (
        signal_server(host="localhost") as server,
        socket.create_connection((server.host.strip("[]"), server.port), timeout=5),
    ):
        pass
