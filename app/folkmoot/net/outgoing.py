"""How this computer reaches servers out there: the certificates it trusts, and its proxy."""

from __future__ import annotations

import asyncio
import ssl
import sys

from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from folkmoot.domain.address import is_here


def trusting_context() -> ssl.SSLContext:
    """TLS with the certificates that this computer trusts. Reads them: not for a loop."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if sys.platform != "win32" and not (paths.cafile or paths.capath):
        import certifi  # some builds of Python for macOS find no certificates of the system

        context.load_verify_locations(certifi.where())
    return context


async def proxy_to(address: str, timeout_s: float) -> str | None:
    """The proxy of the system for a ``wss://`` or ``ws://`` address; none leads to this computer.

    Some systems look names up to tell, and wait for that. Raises TimeoutError, and ValueError for a
    proxy whose address cannot be read.
    """
    uri = parse_uri(address)
    if is_here(uri.host):
        return None
    async with asyncio.timeout(timeout_s):
        return await asyncio.to_thread(get_proxy, uri)
