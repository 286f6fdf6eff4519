"""One side of a way through NAT, as a process of its own: ICE, QUIC over it, frames both ways.

``nat_peer.py began|answers STUN``: writes its description as a line, reads that of the other side,
then writes what came of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.net.ice import IceWays
from folkmoot.net.relay import Relays
from folkmoot.net.tls import TlsTransport
from folkmoot.net.ways import WaysTransport
from folkmoot.services.ports import Stream
from folkmoot.services.signaling_port import IceDescription

PINGS, BULK, FRAME = 20, 64, b"x" * 64 * 1024


async def _live(began: bool, stun: str) -> dict[str, Any]:
    transport = WaysTransport(TlsTransport(), Relays())
    ways = IceWays(transport.over)
    try:
        at = time.monotonic()
        way = await ways.gather([stun], began=began)
        gathered_s = time.monotonic() - at
        ours = way.description
        print(json.dumps([ours.ufrag, ours.password, ours.candidates]), flush=True)  # noqa: T201
        ufrag, password, lines = json.loads(await asyncio.to_thread(sys.stdin.readline))
        at = time.monotonic()
        other = IceDescription(ufrag, password, tuple(lines))
        try:
            stream = await way.connect(other, DeviceId(b"d" * 32), 6.0)
        except EnvironmentFault as fault:
            return {"code": fault.code, "took_s": time.monotonic() - at}
        took_s = time.monotonic() - at
        stream.open_up()
        figures = await (_ask(stream) if began else _answer(stream))
        end = {"remote": stream.remote, "local": stream.local, "binding": stream.binding.hex()}
        return {"code": "ok", "gathered_s": gathered_s, "took_s": took_s, **end, **figures}
    finally:
        await transport.aclose()
        await ways.aclose()


async def _ask(stream: Stream) -> dict[str, Any]:
    trips = []
    for _ in range(PINGS):
        at = time.monotonic()
        stream.send(b"ping")
        await stream.receive()
        trips.append(time.monotonic() - at)
    at = time.monotonic()
    for _ in range(BULK):
        stream.send(FRAME)
        await stream.drain()
    await stream.receive()
    rate = BULK * len(FRAME) / (time.monotonic() - at)
    stream.send(b"bye")
    with contextlib.suppress(EnvironmentFault, TimeoutError):
        async with asyncio.timeout(20):
            await stream.receive()  # the other side hangs up when it has heard it
    return {"ping_ms": sorted(trips)[PINGS // 2] * 1000, "mb_s": rate / 1e6}


async def _answer(stream: Stream) -> dict[str, Any]:
    for _ in range(PINGS):
        stream.send(await stream.receive())
    for _ in range(BULK):
        assert len(await stream.receive()) == len(FRAME)
    stream.send(b"all")
    return {"last": (await stream.receive()).decode()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_live(sys.argv[1] == "began", sys.argv[2]))), flush=True)  # noqa: T201
