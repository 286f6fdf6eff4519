"""What one program on this computer can take of the API's server, and what its log says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from builders.nodes import open_node
from folkmoot.api import answers, server
from folkmoot.api.server import MAX_CONNECTIONS, ApiServer
from folkmoot.api.tokens import TokenBook


class Served:
    """An API in this process."""

    def __init__(self, url: str, token: str) -> None:
        self.host = urlsplit(url).netloc
        self.port = int(self.host.rpartition(":")[2])
        self.token = token

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(self, head: str, body: bytes = b"") -> bytes:
        """What comes back until the server hangs up."""
        reader, writer = await self.connect()
        writer.write(head.replace("\n", "\r\n").format(host=self.host).encode() + body)
        got = b""
        try:
            async with asyncio.timeout(20):
                while chunk := await reader.read(65_536):
                    got += chunk
        except (TimeoutError, ConnectionError):
            pass
        writer.close()
        return got


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A node's API, with short patience."""
    monkeypatch.setattr(server, "FIRST_REQUEST_S", 3.0)
    monkeypatch.setattr(server, "_KEPT_S", 0.5)
    monkeypatch.setattr(answers, "BODY_S", 0.5)
    lone = await open_node(tmp_path)
    book = TokenBook(tmp_path / "api")
    token = await asyncio.to_thread(book.make, ["read", "write"], 600)
    api = ApiServer(lone.node, book, lone.clock, "0")
    url = await api.start(0)
    yield Served(url, token)
    await api.aclose()
    await lone.node.aclose()


@pytest.mark.parametrize("said", ["", "GET /health HTTP/1.1\nHost: {host}\n"])
async def test_a_connection_that_asks_nothing_is_cut(served: Served, said: str) -> None:
    reader, writer = await served.connect()
    writer.write(said.replace("\n", "\r\n").format(host=served.host).encode())
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(served: Served) -> None:
    head = (
        "POST /api/communication/teams HTTP/1.1\nHost: {host}\nContent-Type: application/json\n"
        f"Authorization: Bearer {served.token}\nContent-Length: 100\n\n"
    )
    reader, writer = await served.connect()
    writer.write(head.replace("\n", "\r\n").format(host=served.host).encode() + b'{"name": ')
    async with asyncio.timeout(20):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_only_so_many_connections_are_held(served: Served) -> None:
    crowd = [await served.connect() for _ in range(MAX_CONNECTIONS + 40)]
    async with asyncio.timeout(20):
        ended = await asyncio.gather(*(reader.read() for reader, _ in crowd[MAX_CONNECTIONS:]))
    assert ended == [b""] * 40
    for _, writer in crowd:
        writer.close()
    # Who goes is noticed a moment later.
    answer = b""
    async with asyncio.timeout(20):
        while not answer:
            answer = await served.say("GET /health HTTP/1.1\nHost: {host}\nConnection: close\n\n")
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "head",
    [
        "GET /health HTTP/1.1\nHost: {host}\nAuthorization: Bearer TOKEN\0\n\n",
        "GET /health HTTP/1.1\nHost: {host}\nAuthorization : Bearer TOKEN\n\n",
        "GET /health HTTP/1.1\nHost: {host}\nX: " + "TOKEN" * 40_000 + "\n\n",
        "GET /health?token=TOKEN HTTP/1.1\nHost: {host}\n\n",
    ],
)
async def test_no_token_gets_into_the_log(
    served: Served, caplog: pytest.LogCaptureFixture, head: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await served.say(head.replace("TOKEN", served.token))
    # Who is still sending when the connection ends may lose the answer on the way.
    assert b" 400 " in answer or (len(head) > 100_000 and answer == b"")
    assert served.token not in caplog.text


@pytest.mark.parametrize(
    "line",
    ["GET /../../etc/passwd", "GET //health", "GET http://evil.example/health", "GET /%2e%2e/x"],
)
async def test_no_path_leads_out_of_the_api(served: Served, line: str) -> None:
    answer = await served.say(line + " HTTP/1.1\nHost: {host}\nConnection: close\n\n")
    assert answer.split(b" ")[1] in (b"404", b"403")
