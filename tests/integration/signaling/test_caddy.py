"""The shipped Caddyfile in front of a real server, as docs/HOSTING.md says."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from folkmoot.protocol.signaling import SIGNALING_PATH, Came, Hello
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command

pytestmark = [pytest.mark.long, pytest.mark.needs("caddy")]
_SHIPPED = Path(__file__).parents[3] / "packaging" / "signaling" / "Caddyfile"
_TAG = b"c" * 16
_STATS = "/api/communication/stats"
_GLOBAL = """{
	admin off
	auto_https disable_redirects
	skip_install_trust
	local_certs
}
"""


class Site(NamedTuple):
    """A server behind Caddy: `host` is how nodes reach it, `context` trusts its certificate."""

    server: SignalCommand
    host: str
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("caddy")
    with socket.create_server(("127.0.0.1", 0)) as free:
        host = f"localhost:{free.getsockname()[1]}"
    settings = folder / "signaling.toml"
    settings.write_text(
        f'names = ["wss://{host}"]\ntrusted_proxies = ["127.0.0.1"]\n'
        "[limits]\naddress_requests = { per_s = 0.001, burst = 3 }\n"
    )
    with signal_command("--config", str(settings)) as server:
        text = _SHIPPED.read_text().replace("\ntalk.example.org {", f"\n{host} {{")
        text = text.replace("127.0.0.1:8480", server.listen[0])
        (folder / "Caddyfile").write_text(_GLOBAL + text)
        environ = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": os.defpath}
        process = subprocess.Popen(
            ["caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "said").open("wb"),
        )
        try:
            root = folder / "caddy/pki/authorities/local/root.crt"
            yield Site(server, host, _wait_for_tls(process, host, root))
        finally:
            process.kill()
            process.wait(30)


def _wait_for_tls(process: subprocess.Popen[bytes], host: str, root: Path) -> ssl.SSLContext:
    """Until Caddy has made a certificate and answers with it."""
    end_s = time.monotonic() + 30
    while True:
        assert process.poll() is None
        with contextlib.suppress(OSError):
            context = ssl.create_default_context(cafile=str(root))
            place = ("127.0.0.1", int(host.rpartition(":")[2]))
            with (
                socket.create_connection(place, 1) as raw,
                context.wrap_socket(raw, server_hostname="localhost"),
            ):
                return context
        assert time.monotonic() < end_s
        time.sleep(0.05)


def _session(site: Site, own_address: str = "127.0.0.1") -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        ssl=site.context, local_addr=(own_address, 0), family=socket.AF_INET
    )
    return aiohttp.ClientSession(connector=connector)


@contextlib.asynccontextmanager
async def _node(site: Site) -> AsyncIterator[SignalClient]:
    client = SignalClient(f"wss://{site.host}")
    async with _session(site) as session:
        client._session = session
        client._socket = await session.ws_connect(f"https://{site.host}{SIGNALING_PATH}")
        client.hello = await client.wait(Hello)
        await client.login()
        yield client
        await client.close()


async def test_nodes_meet_through_it(site: Site) -> None:
    async with _node(site) as ann, _node(site) as bob:
        await ann.enter(_TAG)
        await bob.enter(_TAG)
        assert (await ann.wait(Came)).device == bob.device
        await ann.relay(bob.device, b"x" * 16_384)
        assert (await bob.relayed())[2] == b"x" * 16_384


async def test_limits_count_for_the_node_and_not_for_the_proxy(site: Site) -> None:
    async def ask(own_address: str, **headers: str) -> str:
        async with (
            _session(site, own_address) as session,
            session.get(f"https://{site.host}{_STATS}", headers=headers) as answer,
        ):
            return str((await answer.json())["error"]["code"])

    assert [await ask("127.0.0.21") for _ in range(4)] == ["no_token"] * 3 + ["too_fast"]
    assert await ask("127.0.0.22") == "no_token"
    # What a node writes itself into the header helps it nothing.
    assert await ask("127.0.0.21", **{"X-Forwarded-For": "192.0.2.1"}) == "too_fast"


async def test_health_is_there_and_metrics_are_not(site: Site) -> None:
    async with _session(site) as session:
        async with session.get(f"https://{site.host}/health") as answer:
            assert answer.status == 200
        async with session.get(f"https://{site.host}/metrics") as answer:
            assert answer.status == 404
    # Without a token nobody has them where `trusted_proxies` is set: who comes may be a proxy.
    assert (await site.server.ask("/metrics")).status == 403
