"""Checks of what leads to other computers: proofs over TLS and QUIC, mDNS, the local API.

Everything stays on loopback. Refuses to be seen by anybody else.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

from folkmoot.bootstrap.running import Options, build, run_loop
from folkmoot.bootstrap.selftest.keeping import lonely
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, Lacking
from folkmoot.net.discovery import MdnsDiscovery
from folkmoot.net.relay import Relays
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.protocol.handshake import Dialler, LinkIdentity, Listener, Proved
from folkmoot.protocol.keys import Signer
from folkmoot.services.keyring import Keyring, make_keyring
from folkmoot.services.ports import Sighting, Stream
from folkmoot.system.clock import SystemClock, SystemRandomness
from folkmoot.system.profile import open_profile

LOOPBACK = "127.0.0.1"
_STEP_S = 6.0
_MDNS_S = 12.0
_FRAME = bytes(range(256)) * 200
"""Longer than one record of TLS and than many datagrams."""


def check_tls_proofs(_: Path) -> str:
    """Two ends prove their keys to each other over TCP and TLS, and pass frames both ways."""
    return run_loop(_tls())


async def _tls() -> str:
    one, other = TlsTransport(), TlsTransport()
    came: asyncio.Queue[Stream] = asyncio.Queue()
    over = asyncio.Event()

    async def accept(stream: Stream) -> None:
        came.put_nowait(stream)
        await over.wait()

    try:
        (address,) = await one.listen([f"{LOOPBACK}:0"], accept)
        dialled = await other.dial(address, _STEP_S)
        async with asyncio.timeout(_STEP_S):
            accepted = await came.get()
        await _prove(dialled, accepted)
        await _refuse_another_channel(dialled.binding)
    finally:
        over.set()
        await one.aclose()
        await other.aclose()
    return "a link over TCP and TLS 1.3: both ends proved their keys, frames went both ways"


async def _prove(dialled: Stream, accepted: Stream) -> None:
    """Run the handshake of a real link over the two ends of one stream, then pass a frame."""
    ada, bob = _keyring(), _keyring()
    proved_bob, proved_ada = await asyncio.wait_for(
        asyncio.gather(
            _shake(dialled, _dialler(ada, dialled.binding)),
            _shake(accepted, _listener(bob, accepted.binding)),
        ),
        _STEP_S,
    )
    proved = (proved_ada.certificate.device, proved_bob.certificate.device)
    if proved != (ada.device, bob.device) or proved_ada.link != proved_bob.link:
        raise Lacking("The two ends of a link proved something else than who they are.")
    for stream in (dialled, accepted):
        stream.open_up()
        stream.send(_FRAME)
    frames = await asyncio.wait_for(asyncio.gather(dialled.receive(), accepted.receive()), _STEP_S)
    if any(frame != _FRAME for frame in frames):
        raise Lacking("A frame came out of a link differently.")


async def _shake(stream: Stream, machine: Dialler | Listener) -> Proved:
    if isinstance(machine, Dialler):
        stream.send(machine.start())
    while True:
        step = machine.receive(await stream.receive())
        if step.reply is not None:
            stream.send(step.reply)
        if step.proved is not None:
            return step.proved


async def _refuse_another_channel(binding: bytes) -> None:
    """A proof that was made for another channel must not pass."""
    dialler = _dialler(_keyring(), bytes(byte ^ 1 for byte in binding))
    listener = _listener(_keyring(), binding)
    try:
        answer = listener.receive(dialler.start()).reply or b""
        listener.receive(dialler.receive(answer).reply or b"")
    except FolkmootError:
        return
    raise Lacking("A proof for another channel was believed.")


def _dialler(keyring: Keyring, binding: bytes) -> Dialler:
    return Dialler(
        LinkIdentity(keyring.signed, keyring.device_key),
        binding,
        key=None,
        expected=None,
        strangers=True,
        nonce=os.urandom(32),
        random_knock=os.urandom(32),
    )


def _listener(keyring: Keyring, binding: bytes) -> Listener:
    return Listener(
        LinkIdentity(keyring.signed, keyring.device_key),
        binding,
        keys=[],
        strangers=True,
        nonce=os.urandom(32),
        random_knock=os.urandom(32),
    )


def _keyring() -> Keyring:
    person, device, seal = (os.urandom(32) for _ in range(3))
    return make_keyring(Signer(person), Signer(device), seal, "Self-test", SystemClock().wall_ms())


class _Path:
    """One end of a path for datagrams in memory; what is sent arrives in the next turn."""

    max_datagram_bytes = 1200
    busy = False

    def __init__(self) -> None:
        self.other = self
        self._received: Callable[[bytes], None] = lambda _: None

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        """Whom to call."""
        self._received = received

    def send(self, datagram: bytes) -> None:
        """Hand it to the other end."""
        asyncio.get_running_loop().call_soon(self.other._take, datagram)

    def close(self) -> None:
        """Hear no more."""
        self._received = lambda _: None

    def _take(self, datagram: bytes) -> None:
        self._received(datagram)


def check_quic(_: Path) -> str:
    """The same proofs over QUIC, which goes through servers and through routers."""
    return run_loop(_quic())


async def _quic() -> str:
    one, other = (WaysTransport(TlsTransport(), Relays()) for _ in range(2))
    here, there = _Path(), _Path()
    here.other, there.other = there, here
    try:
        dialled, accepted = await asyncio.gather(
            one.over(here, f"{LOOPBACK}:1", False, _STEP_S),
            other.over(there, f"{LOOPBACK}:2", True, _STEP_S),
        )
        await _prove(dialled, accepted)
    finally:
        await one.aclose()
        await other.aclose()
    return "a link over QUIC: both ends proved their keys, frames went both ways"


def check_server(_: Path) -> str:
    """What signaling servers are spoken with works."""
    from folkmoot.net.selftest import check_web_socket

    return run_loop(check_web_socket())


def check_mdns(_: Path) -> str:
    """A service that is announced on loopback is found there, and its end is heard."""
    return run_loop(_mdns())


async def _mdns() -> str:
    randomness = SystemRandomness()
    tag = randomness.bytes(8)
    seen: asyncio.Queue[Sighting] = asyncio.Queue()
    speaker, hearer = (MdnsDiscovery(randomness, [LOOPBACK]) for _ in range(2))
    try:
        await hearer.start(9, lambda _: [], seen.put_nowait)
        await speaker.start(7, lambda _: [tag], lambda _: None)
        async with asyncio.timeout(_MDNS_S):
            found = await _until(seen, lambda sighting: tag in sighting.tags)
            if f"{LOOPBACK}:7" not in found.addresses:
                raise Lacking(f"mDNS tells {found.addresses} instead of {LOOPBACK}:7.")
            await speaker.aclose()
            await _until(seen, lambda one: one.gone and one.instance == found.instance)
    except TimeoutError:
        raise Lacking(
            f"What mDNS announces is not heard on {LOOPBACK} within {_MDNS_S:g} s: multicast does "
            "not work there."
        ) from None
    finally:
        await speaker.aclose()
        await hearer.aclose()
    return f"an announcement on {LOOPBACK} was found, and so was its end"


async def _until(seen: asyncio.Queue[Sighting], fits: Callable[[Sighting], bool]) -> Sighting:
    while True:
        sighting = await seen.get()
        if fits(sighting):
            return sighting


def check_api(folder: Path) -> str:
    """The local API answers who has a token, and nobody else."""
    return run_loop(_api(folder / "profile"))


async def _api(folder: Path) -> str:
    from dataclasses import replace

    from folkmoot.api.tokens import TokenBook

    profile = open_profile(folder)
    options: Options = replace(lonely("Ada"), api_port=0)
    running = await build(profile, options)
    try:
        if running.api_url is None:
            raise EnvironmentFault("lacking", "The local API does not run.")
        port = int(running.api_url.rpartition(":")[2])
        token = TokenBook(profile.api).make(["read"], 60)
        async with asyncio.timeout(_STEP_S):
            refused, _ = await _get(port, "")
            status, body = await _get(port, token)
    finally:
        await running.aclose()
    if (refused, status) != (401, 200):
        raise Lacking(f"The local API answers {refused} without and {status} with a token.")
    name = json.loads(body).get("name")
    if name != "Ada":
        raise Lacking(f"The local API says that “{name}” is here instead of Ada.")
    return "the local API answered, and refused a request without a token"


async def _get(port: int, token: str) -> tuple[int, bytes]:
    """Status and body of the identity."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        writer.write(
            f"GET /api/communication/identity HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\n{bearer}"
            "Connection: close\r\n\r\n".encode()
        )
        answer = await reader.read(256 * 1024)
        while chunk := await reader.read(256 * 1024):
            answer += chunk
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body
