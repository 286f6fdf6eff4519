"""Asks a feed of new versions over HTTPS (`services.update_values.Feeds`).

Every size and time has a bound. Follows three redirects, never from https to http; sends no cookie,
no credentials and nothing that tells one computer from another.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.updates import is_web_address
from folkmoot.protocol.feed import MAX_FEED_BYTES
from folkmoot.services.update_values import Fetched

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

FETCH_S = 30.0
MAX_REDIRECTS = 3
MAX_ETAG_CHARACTERS = 200
_MOVED = (301, 302, 303, 307, 308)
_HEADERS = {
    "User-Agent": "Folkmoot",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


class HttpFeeds:
    """The port over aiohttp; a connection for each question."""

    def __init__(self) -> None:
        self._context: ssl.SSLContext | None = None

    async def fetch(self, url: str, etag: str) -> Fetched:
        """See the port."""
        context, faults = await asyncio.to_thread(self._load)
        try:
            async with asyncio.timeout(FETCH_S):
                return await self._follow(url, etag, context)
        except faults as fault:
            raise _explain(fault, urlsplit(url).hostname or "") from fault

    def _load(self) -> tuple[ssl.SSLContext, tuple[type[BaseException], ...]]:
        """What a question needs, off the loop; the exceptions that are of the network.

        ValueError: the address of a proxy that cannot be read.
        """
        from aiohttp import ClientError

        from folkmoot.net.outgoing import trusting_context

        if self._context is None:
            self._context = trusting_context()
        return self._context, (ClientError, OSError, TimeoutError, ValueError)

    async def _follow(self, url: str, etag: str, context: ssl.SSLContext) -> Fetched:
        from aiohttp import ClientSession, DummyCookieJar, TCPConnector

        async with ClientSession(
            connector=TCPConnector(ssl=context, force_close=True),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        ) as session:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._ask(session, url, etag)
                if isinstance(answer, Fetched):
                    return answer
                url = _next(url, answer)
        raise _not_a_feed("leads on and on")

    async def _ask(self, session: ClientSession, url: str, etag: str) -> Fetched | str:
        """The answer, or where it is to be looked for."""
        headers = _HEADERS | ({"If-None-Match": etag} if etag else {})
        proxy = await _proxy(url)
        async with session.get(url, headers=headers, proxy=proxy, allow_redirects=False) as answer:
            if answer.status in _MOVED:
                return answer.headers.get("Location", "")
            if answer.status == 304 and etag:
                return Fetched(None, etag)
            if answer.status != 200:
                raise _not_a_feed(f"answers with the status {answer.status}")
            return Fetched(await _read(answer), _etag(answer.headers.get("ETag", "")))


async def _read(answer: ClientResponse) -> bytes:
    """The body, never more of it than a feed may have."""
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _not_a_feed("answers with something packed")
    data = bytearray()
    async for part in answer.content.iter_any():
        data += part
        if len(data) > MAX_FEED_BYTES:
            raise _not_a_feed(f"sends more than {MAX_FEED_BYTES // 1024} KiB")
    return bytes(data)


async def _proxy(url: str) -> str | None:
    """The proxy of the system, as for the servers. Raises `EnvironmentFault` for one of a kind
    that HTTP cannot use."""
    from folkmoot.net.outgoing import proxy_to

    proxy = await proxy_to("ws" + url.removeprefix("http"), FETCH_S)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        raise EnvironmentFault(
            "proxy",
            "The proxy of this network is of a kind over which no feed can be asked.",
            "Set one for HTTPS in the settings of this computer.",
        )
    return proxy


def _next(url: str, location: str) -> str:
    """Where a redirect leads. Raises `EnvironmentFault` if that is no place for a feed."""
    moved = urljoin(url, location[:2000]).partition("#")[0]
    plain = urlsplit(url).scheme == "http"
    if not location or not is_web_address(moved, plain_here=plain):
        raise _not_a_feed("leads to a place that is not safe")
    return moved


def _etag(text: str) -> str:
    good = len(text) <= MAX_ETAG_CHARACTERS and text.isascii() and text.isprintable()
    return text if good else ""


def _not_a_feed(what: str) -> EnvironmentFault:
    return EnvironmentFault(
        "bad_feed",
        f"The address of new versions {what}.",
        "Check the address, or ask whoever gave it to you.",
    )


def _explain(fault: BaseException, host: str) -> EnvironmentFault:
    """Words for what happened on the way."""
    if isinstance(fault, TimeoutError):
        return EnvironmentFault("unreachable", f"{host} does not answer.", _LATER)
    if isinstance(getattr(fault, "certificate_error", None), Exception) or isinstance(
        fault, ssl.SSLCertVerificationError
    ):
        return EnvironmentFault(
            "bad_certificate",
            f"The certificate of {host} is not one that this computer trusts.",
            "Check date and time of this computer. If they are right, somebody may listen in.",
        )
    return EnvironmentFault("unreachable", f"{host} is not reached.", _LATER)


_LATER = "It is tried again by itself. If it stays so, check address and network."
