"""Feeds over real HTTP and HTTPS: every way in which a server can be wrong, and what is sent."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from builders.feeds import FEED, SIGNER
from folkmoot.domain.errors import EnvironmentFault
from folkmoot.net import feeds
from folkmoot.net.feeds import HttpFeeds
from folkmoot.protocol.feed import MAX_FEED_BYTES, read_feed, write_feed
from lab.authority import PAST, Authority

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[..., Awaitable[str]]
DATA = write_feed(FEED, SIGNER)


@pytest.fixture(autouse=True)
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this computer trusts, and no proxy."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return authority


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server that answers everything with a handler; its address."""
    runners: list[web.AppRunner] = []

    async def start(handler: Handler, tls: ssl.SSLContext | None = None) -> str:
        application = web.Application()
        application.router.add_route("*", "/{tail:.*}", handler)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}/feed.json"

    yield start
    for runner in runners:
        await runner.cleanup()


async def _fault(url: str, etag: str = "") -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as caught:
        await HttpFeeds().fetch(url, etag)
    return caught.value


async def test_a_feed_is_fetched_over_tls_and_asked_for_changes_only(
    serve: Serve, trusted: Authority
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=DATA, headers={"ETag": '"1"'})

    url = await serve(answer, trusted.server())
    source = HttpFeeds()
    first = await source.fetch(url, "")
    assert first.data is not None
    assert read_feed(first.data, SIGNER.public) == FEED
    assert first.etag == '"1"'
    again = await source.fetch(url, first.etag)
    assert (again.data, again.etag) == (None, '"1"')


async def test_nothing_is_sent_that_tells_computers_apart(serve: Serve) -> None:
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        response = web.Response(body=DATA)
        response.set_cookie("id", "seen")
        return response

    url = await serve(answer)
    source = HttpFeeds()
    await source.fetch(url, "")
    await source.fetch(url, "")
    for request in asked:
        sent = {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}
        assert set(request.headers) == sent
        assert request.headers["User-Agent"] == "Folkmoot"
        assert request.method == "GET"
        assert request.content_length is None


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 407, 418, 429, 500, 503])
async def test_another_status_is_no_feed(serve: Serve, status: int) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status)

    fault = await _fault(await serve(answer))
    assert (fault.code, str(status) in fault.message) == ("bad_feed", True)
    assert fault.hint


@pytest.mark.parametrize("told", [True, False])
async def test_a_huge_answer_is_not_read_to_its_end(serve: Serve, told: bool) -> None:
    sent = 0
    ended = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        if told:
            response.content_length = 10**9
        await response.prepare(request)
        try:
            while sent < 10**9:
                await response.write(b" " * 65_536)
                sent += 65_536
        except (ConnectionError, OSError):
            pass
        ended.set()
        return response

    fault = await _fault(await serve(answer))
    assert "more than 64 KiB" in fault.message
    await asyncio.wait_for(ended.wait(), 20)
    assert sent < 50 * 1024 * 1024  # what the buffers of the system take


async def test_the_largest_feed_is_read(serve: Serve) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * MAX_FEED_BYTES)

    fetched = await HttpFeeds().fetch(await serve(answer), "")
    assert fetched.data == b"x" * MAX_FEED_BYTES


async def test_packed_bytes_are_not_unpacked(serve: Serve) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    assert "packed" in (await _fault(await serve(answer))).message


async def test_a_server_that_drips_is_given_up(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "FETCH_S", 0.6)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.02)
        except (ConnectionError, OSError):
            pass
        return response

    fault = await _fault(await serve(answer))
    assert (fault.code, "does not answer" in fault.message) == ("unreachable", True)


async def test_a_server_that_says_nothing_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "FETCH_S", 0.5)
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(30), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        assert "does not answer" in (await _fault(f"http://127.0.0.1:{port}/")).message


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 99_999]
)
async def test_what_is_no_http_is_said(said: bytes) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert (await _fault(f"http://127.0.0.1:{port}/")).code == "unreachable"


async def test_nobody_there_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        fault = await _fault(f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (fault.code, fault.message) == ("unreachable", "127.0.0.1 is not reached.")


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve: Serve, trusted: Authority, tmp_path: Path
) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=DATA)

    other = tmp_path / "other"
    await asyncio.to_thread(other.mkdir)
    stranger = await asyncio.to_thread(lambda: Authority(other).server())
    expired = await asyncio.to_thread(lambda: trusted.server(times=PAST))
    elsewhere = await asyncio.to_thread(lambda: trusted.server("127.0.0.9"))
    for context in (stranger, expired, elsewhere):
        fault = await _fault(await serve(answer, context))
        assert fault.code == "bad_certificate"
        assert "date and time" in fault.hint


def _leading(*places: str) -> Handler:
    """Leads from /feed.json to each place in turn; then there is the feed."""
    ways = dict(zip(("/feed.json", *places), places, strict=False))

    async def answer(request: web.Request) -> web.StreamResponse:
        place = ways.get(str(request.rel_url))
        if place is None:
            return web.Response(body=DATA)
        return web.Response(status=302, headers={"Location": place})

    return answer


async def test_three_redirects_are_followed_and_no_more(serve: Serve, trusted: Authority) -> None:
    url = await serve(_leading("/1", "/2", "/3"), trusted.server())
    assert (await HttpFeeds().fetch(url, "")).data == DATA
    fault = await _fault(await serve(_leading("/1", "/2", "/3", "/4"), trusted.server()))
    assert "leads on and on" in fault.message


async def test_no_cookie_goes_along_where_a_redirect_leads(serve: Serve) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Cookie", ""))
        if request.path != "/feed.json":
            return web.Response(body=DATA)
        response = web.Response(status=302, headers={"Location": "/2"})
        response.set_cookie("id", "seen", path="/")
        return response

    url = (await serve(answer)).replace("127.0.0.1", "localhost")
    assert (await HttpFeeds().fetch(url, "")).data == DATA
    assert seen == ["", ""]


@pytest.mark.parametrize(
    "place",
    ["", "http://127.0.0.1:{port}/f", "http://example.org/f", "ftp://127.0.0.1/f", "file:///etc/passwd",
     "//ada:pw@127.0.0.1:{port}/f", "data:,x", "https://exa mple.org/"],
)  # fmt: skip
async def test_no_redirect_leads_to_where_it_is_not_safe(
    serve: Serve, trusted: Authority, place: str
) -> None:
    asked: list[str] = []

    async def plain(request: web.Request) -> web.StreamResponse:
        asked.append(str(request.url))
        return web.Response(body=DATA)

    port = (await serve(plain)).split(":")[2].partition("/")[0]

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": place.format(port=port)})

    fault = await _fault(await serve(answer, trusted.server()))
    assert "not safe" in fault.message
    assert asked == []


async def test_a_name_for_the_answer_that_is_odd_is_not_kept(serve: Serve) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=DATA, headers={"ETag": "a" * 201})

    assert (await HttpFeeds().fetch(await serve(answer), "")).etag == ""


async def test_a_proxy_of_the_system_is_used_and_one_of_another_kind_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        assert (await _fault("https://example.org/f")).code == "unreachable"
    assert asked == [b"CONNECT example.org:443 HTTP/1.1\r\n"]
    monkeypatch.setenv("https_proxy", "socks5h://127.0.0.1:1")
    assert (await _fault("https://example.org/f")).code == "proxy"
