"""The shipped template makes a real coturn that takes our credentials and leads nowhere private."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aioice import stun, turn

from folkmoot.domain.ids import DeviceId
from folkmoot_signaling.turn import TurnCredentials
from integration.signaling.test_tls import make_certificate

pytestmark = [pytest.mark.long, pytest.mark.needs("turnserver")]
_TEMPLATE = Path(__file__).parents[3] / "packaging" / "signaling" / "turnserver.conf"
_SECRET = "a secret of this test"
_DEVICE = DeviceId(b"d" * 32)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Where a coturn with the template listens: only places in it are other ones."""
    folder = tmp_path_factory.mktemp("coturn")
    make_certificate(folder, "turn.example.org")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = _TEMPLATE.read_text()
    for name, value in {
        "static-auth-secret": _SECRET,
        "listening-port": str(port),
        "tls-listening-port": str(port + 1),
        "cert": str(folder / "cert.pem"),
        "pkey": str(folder / "key.pem"),
        "pidfile": str(folder / "pid"),
    }.items():
        text, count = re.subn(f"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1
    text = text.replace("\nsyslog\n", f"\nlog-file={folder / 'log'}\n")
    (folder / "turnserver.conf").write_text(text)
    process = subprocess.Popen(
        [
            *("turnserver", "-c", folder / "turnserver.conf"),
            *("--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        _wait_for_port(process, port)
        yield "127.0.0.1", port
    finally:
        process.kill()
        out, _ = process.communicate(timeout=30)
    said = out + (folder / "log").read_text()
    # It tells by such words what it does not know in its configuration.
    assert not re.search(r"bad configuration|unknown|unrecognized|illegal", said, re.IGNORECASE)


def _wait_for_port(process: subprocess.Popen[str], port: int) -> None:
    end_s = time.monotonic() + 30
    while True:
        assert process.poll() is None, process.communicate()[0]
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end_s
            time.sleep(0.05)


@asynccontextmanager
async def _client(
    place: tuple[str, int], username: str, password: str
) -> AsyncIterator[turn.TurnClientUdpProtocol]:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_datagram_endpoint(
        lambda: turn.TurnClientUdpProtocol(place, username, password, 600, 500), remote_addr=place
    )
    try:
        yield client
    finally:
        if client.relayed_address is not None:
            await client.delete()
        transport.close()


async def test_credentials_of_the_server_open_a_relay(place: tuple[str, int]) -> None:
    made = TurnCredentials(_SECRET.encode(), ("turn:x",)).make(_DEVICE, time.time())
    async with _client(place, made.username, made.credential) as client:
        host, port = await client.connect()
        assert host == "127.0.0.1"
        assert port >= 49152


async def test_wrong_and_expired_credentials_open_none(place: tuple[str, int]) -> None:
    wrong = TurnCredentials(b"another secret", ("turn:x",)).make(_DEVICE, time.time())
    over = TurnCredentials(_SECRET.encode(), ("turn:x",), 1).make(_DEVICE, time.time() - 60)
    for made in (wrong, over):
        async with _client(place, made.username, made.credential) as client:
            with pytest.raises(stun.TransactionFailed, match="401"):
                await client.connect()


async def test_a_relay_leads_to_nothing_private_or_local(place: tuple[str, int]) -> None:
    made = TurnCredentials(_SECRET.encode(), ("turn:x",)).make(_DEVICE, time.time())
    async with _client(place, made.username, made.credential) as client:
        await client.connect()
        await client.channel_bind(0x4000, ("9.9.9.9", 40_000))
        denied = [
            *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
            *("100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1"),
        ]
        for number, host in enumerate(denied, 0x4001):
            with pytest.raises(stun.TransactionFailed, match="403"):
                await client.channel_bind(number, (host, 40_000))


async def test_a_device_gets_so_many_relays_and_no_more(place: tuple[str, int]) -> None:
    (quota,) = re.findall(r"^user-quota=(\d+)$", _TEMPLATE.read_text(), re.MULTILINE)
    made = TurnCredentials(_SECRET.encode(), ("turn:x",)).make(DeviceId(b"q" * 32), time.time())

    async def open_one(left: int) -> None:
        async with _client(place, made.username, made.credential) as client:
            if left == 0:
                with pytest.raises(stun.TransactionFailed, match="486"):
                    await client.connect()
                return
            await client.connect()
            await open_one(left - 1)

    await open_one(int(quota))
