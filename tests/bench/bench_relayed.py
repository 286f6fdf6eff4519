"""Frames through a signaling server beside frames over TCP and TLS, all on loopback.

The server is the shipped one in its own process, with limits out of the way; both nodes are in this
process. So the figures say what relaying and QUIC cost, not what a network does.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterable

from bench.measurement import Measurement
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream
from lab.signal_nodes import SignalNode
from lab.signal_server import SignalServer, signal_server

REPETITIONS = 5
SMALL, TURNS = 300, 100
BULK, BULK_COUNT = 64 * 1024, 64
_TAG = b"t" * 16
_WIDE = [1e9, 1e9]
_BOUNDS = {
    f"{who}_{what}": _WIDE for who in ("key", "address", "all") for what in ("frames", "bytes")
}


def measure() -> Iterable[Measurement]:
    """Interleave both ways."""
    with signal_server(bounds=_BOUNDS) as server:
        return asyncio.run(_measure(server))


async def _measure(server: SignalServer) -> list[Measurement]:
    one, other = SignalNode(1), SignalNode(2)
    await other.listen()
    url = await one.connect(server.url, _TAG)
    await other.connect(server.url, _TAG)
    relayed = await one.call(other, url)
    tcp, accepted = TlsTransport(), asyncio.Queue[Stream]()

    async def accept(stream: Stream) -> None:
        stream.open_up()
        accepted.put_nowait(stream)

    (address,) = await tcp.listen(["127.0.0.1:0"], accept)
    dialled = await tcp.dial(address, 5)
    dialled.open_up()
    direct = (dialled, await accepted.get())
    samples: dict[str, list[float]] = {name: [] for name in ("ms", "ms0", "rate", "cpu", "dial")}
    for _ in range(REPETITIONS):
        samples["ms"].append(await _turn_ms(*relayed))
        samples["ms0"].append(await _turn_ms(*direct))
        rate, per_cpu = await _bulk(*relayed)
        samples["rate"].append(rate)
        samples["cpu"].append(per_cpu)
        began = time.perf_counter()
        pair = await one.call(other, url)
        samples["dial"].append((time.perf_counter() - began) * 1000)
        for stream in pair:
            await stream.aclose()
    await tcp.aclose()
    await one.aclose()
    await other.aclose()
    return [
        Measurement("relayed_frame_300_bytes", samples["ms"], "ms", baseline=samples["ms0"]),
        Measurement("relayed_bulk", samples["rate"], "MB/s", at_least=2.0),
        Measurement("relayed_bulk_per_cpu_s", samples["cpu"], "MB", note="both nodes, no server"),
        Measurement("relayed_dial", samples["dial"], "ms"),
    ]


async def _turn_ms(sender: Stream, receiver: Stream) -> float:
    """The median time of one small frame."""
    times: list[float] = []
    for _ in range(TURNS):
        began = time.perf_counter()
        sender.send(bytes(SMALL))
        await receiver.receive()
        times.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.002)
    return statistics.median(times)


async def _bulk(sender: Stream, receiver: Stream) -> tuple[float, float]:
    """(MB/s, MB per second of both nodes on the processor)."""

    async def send() -> None:
        for _ in range(BULK_COUNT):
            sender.send(bytes(BULK))
            await sender.drain()

    async def receive() -> None:
        for _ in range(BULK_COUNT):
            await receiver.receive()

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(send(), receive())
    size = BULK * BULK_COUNT / 1e6
    return size / (time.perf_counter() - began), size / (time.process_time() - used)
