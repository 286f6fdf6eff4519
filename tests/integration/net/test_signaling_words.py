"""Why a server is not reached, in words: each cause made for real on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from folkmoot.domain.servers import parse_server
from folkmoot.net import signaling_socket
from folkmoot.protocol import signaling as words
from folkmoot.services.signaling_port import ServerState
from folkmoot.services.values import ServerPhase
from lab.authority import FUTURE, LONG, PAST, Authority
from lab.signal_nodes import SignalNode
from lab.wicked_server import Visit, WickedServer


async def stay(visit: Visit) -> None:
    """A good server."""
    await visit.let_in()
    await visit.stay()


@pytest.fixture
async def node(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SignalNode]:
    """One node without proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "socks_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    node = SignalNode(1)
    yield node
    await node.aclose()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this computer trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


async def failure(node: SignalNode, text: str) -> ServerState:
    """How an attempt at a server ends."""
    url = parse_server(text)
    node.clients.add(url)
    return await node.until_phase(url, ServerPhase.WAITING)


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """Something that answers every connection with the same bytes; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_with_a_trusted_certificate_is_reached(
    node: SignalNode, authority: Authority
) -> None:
    async with WickedServer(stay, tls=authority.server()) as server:
        await node.connect(server.url)
        assert server.url.startswith("wss://")


@pytest.mark.parametrize("times", [PAST, FUTURE], ids=["past", "future"])
async def test_a_certificate_of_another_time_points_to_the_clock(
    node: SignalNode, authority: Authority, times: tuple[object, object]
) -> None:
    async with WickedServer(stay, tls=authority.server(times=times)) as server:  # type: ignore[arg-type]
        state = await failure(node, server.url)
        assert state.code == "clock"
        assert "date and time" in state.hint
        assert not server.visits


async def test_a_certificate_of_another_name_is_refused(
    node: SignalNode, authority: Authority
) -> None:
    async with WickedServer(stay, tls=authority.server("127.0.0.2", LONG)) as server:
        assert (await failure(node, server.url)).code == "bad_certificate"


async def test_a_certificate_that_nobody_trusts_is_refused(
    node: SignalNode, tmp_path: Path
) -> None:
    async with WickedServer(stay, tls=Authority(tmp_path).server()) as server:
        assert (await failure(node, server.url)).code == "bad_certificate"


async def test_a_server_without_tls_behind_wss_is_said(node: SignalNode) -> None:
    async with WickedServer(stay) as server:
        state = await failure(node, server.url.replace("ws://", "wss://"))
        assert state.code == "not_a_server"
        assert "ws://" in state.hint


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/signal\r\nContent-Length: 0\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x00" * 1000,
        b"",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 100_000,
    ],
    ids=["page", "404", "redirect", "ssh", "zeros", "nothing", "half", "long"],
)
async def test_something_else_that_answers_is_no_server(node: SignalNode, answer: bytes) -> None:
    async with answering(answer) as port:
        assert (await failure(node, f"ws://127.0.0.1:{port}")).code == "not_a_server"


@pytest.mark.parametrize("status", ["429 Too Many", "503 Busy", "403 Forbidden"])
async def test_a_server_that_takes_no_more_is_left_alone_for_as_long_as_it_asks(
    node: SignalNode, status: str
) -> None:
    answer = f"HTTP/1.1 {status}\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".encode()
    async with answering(answer) as port:
        url = parse_server(f"ws://127.0.0.1:{port}")
        assert (await failure(node, str(url))).code == "refused"
        node.clients.wake()
        await asyncio.sleep(0.2)
        assert node.clients.state(url).phase is ServerPhase.WAITING


async def test_a_port_where_nobody_listens_is_unreachable(node: SignalNode) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        state = await failure(node, f"ws://127.0.0.1:{port}")
    assert state.code == "unreachable"
    assert "No program listens there" in state.words


async def test_a_name_that_does_not_exist_is_unreachable(node: SignalNode) -> None:
    state = await failure(node, "ws://nowhere.invalid")
    assert state.code == "unreachable"
    assert "No computer of that name" in state.words


async def test_a_proxy_whose_port_is_none_is_said_and_tried_again(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:99999")
    url = parse_server("ws://meet.example.org")
    assert (await failure(node, str(url))).code == "proxy"
    await node.until(lambda: node.count("state", url, ServerPhase.WAITING) == 2)


async def test_a_fault_without_words_is_told_as_a_bug_and_the_server_tried_again(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, told_now: told.append(told_now))

    async def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(signaling_socket, "open_socket", broken)
    url = parse_server("ws://127.0.0.1:1")
    node.clients.add(url)
    await node.until(lambda: node.count("state", url, ServerPhase.WAITING) == 2)
    assert isinstance(told[0]["exception"], RuntimeError)


async def test_the_system_is_asked_for_its_proxy_beside_the_loop(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def bypass(_host: str) -> bool:
        threads.append(threading.current_thread())
        return False

    monkeypatch.setattr(urllib.request, "proxy_bypass", bypass)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert (await failure(node, "ws://meet.example.org")).code == "unreachable"
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden"])
async def test_a_proxy_that_refuses_is_said(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()
    async with answering(answer) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        state = await failure(node, "wss://meet.example.org")
        assert state.code == "proxy"


async def test_no_proxy_is_asked_for_a_server_on_this_computer(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    async with WickedServer(stay) as server:
        await node.connect(server.url)


async def test_a_proxy_that_is_not_one_is_said(
    node: SignalNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "gopher://127.0.0.1:1")
    assert (await failure(node, "wss://meet.example.org")).code == "proxy"


async def test_of_two_addresses_of_one_server_the_one_with_a_certificate_stays(
    node: SignalNode, authority: Authority
) -> None:
    plain_came = asyncio.Event()

    async def replaced(visit: Visit) -> None:
        await visit.let_in()
        await plain_came.wait()
        await visit.say(words.Error("replaced", "Again."))
        await visit.socket.close()

    async def plain(visit: Visit) -> None:
        await visit.let_in()
        plain_came.set()
        await safe.until_visits(2, 20)
        await visit.say(words.Error("replaced", "Again."))
        await visit.socket.close()

    async with (
        WickedServer(replaced, stay, tls=authority.server()) as safe,
        WickedServer(plain) as server,
    ):
        first = await node.connect(safe.url)
        second = parse_server(server.url)
        node.clients.add(second)
        await node.until(lambda: node.clients.state(first).phase is ServerPhase.WAITING)
        node.clients.wake()
        state = await node.until_phase(second, ServerPhase.WAITING)
        assert state.code == "same_server"
        await node.until_phase(first, ServerPhase.READY)
