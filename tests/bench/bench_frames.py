"""Frames over one TLS link on loopback, both ends in this process, beside raw asyncio TLS streams.

The baseline is what a user of asyncio would write: `start_server`, `open_connection`, a length and
`readexactly`, `drain` now and then, on the same certificate settings.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable

from bench.measurement import Measurement
from folkmoot.net.certificate import make_dialler_context, make_listener_identity
from folkmoot.net.tls import TlsTransport
from folkmoot.services.ports import Stream

REPETITIONS = 5
SMALL, SMALL_COUNT = 300, 100_000
BULK, BULK_COUNT = 64 * 1024, 3_000
DRAIN_EVERY = 64

Run = Callable[[int, int], Awaitable[float]]


def measure() -> Iterable[Measurement]:
    """Interleave both ways of sending both sizes."""
    return asyncio.run(_measure())


async def _measure() -> list[Measurement]:
    transport = TlsTransport()
    accepted: asyncio.Queue[Stream] = asyncio.Queue()

    async def accept(stream: Stream) -> None:
        stream.open_up()
        accepted.put_nowait(stream)

    (address,) = await transport.listen(["127.0.0.1:0"], accept)
    dialled = await transport.dial(address, 5)
    dialled.open_up()
    ours = _over_link(dialled, await accepted.get())
    identity = await asyncio.to_thread(make_listener_identity)
    pairs: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        pairs.put_nowait(reader)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=identity.context)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=make_dialler_context())
    raw = _over_streams(await pairs.get(), writer)

    samples: dict[str, list[float]] = {"small": [], "small0": [], "bulk": [], "bulk0": []}
    for _ in range(REPETITIONS):
        samples["small"].append(SMALL_COUNT / await ours(SMALL, SMALL_COUNT))
        samples["small0"].append(SMALL_COUNT / await raw(SMALL, SMALL_COUNT))
        samples["bulk"].append(BULK * BULK_COUNT / 1e6 / await ours(BULK, BULK_COUNT))
        samples["bulk0"].append(BULK * BULK_COUNT / 1e6 / await raw(BULK, BULK_COUNT))
    writer.close()
    for each in writers:
        each.close()
    server.close()
    await transport.aclose()
    return [
        Measurement("frames_300_bytes", samples["small"], "1/s", baseline=samples["small0"]),
        Measurement("frames_bulk_64_kib", samples["bulk"], "MB/s", baseline=samples["bulk0"]),
    ]


def _over_link(sender: Stream, receiver: Stream) -> Run:
    async def run(size: int, count: int) -> float:
        frame = bytes(size)

        async def send() -> None:
            for number in range(count):
                sender.send(frame)
                if number % DRAIN_EVERY == 0:
                    await sender.drain()

        async def receive() -> None:
            for _ in range(count):
                await receiver.receive()

        began = time.perf_counter()
        await asyncio.gather(send(), receive())
        return time.perf_counter() - began

    return run


def _over_streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Run:
    async def run(size: int, count: int) -> float:
        frame = bytes(size)

        async def send() -> None:
            for number in range(count):
                writer.write(len(frame).to_bytes(4, "big") + frame)
                if number % DRAIN_EVERY == 0:
                    await writer.drain()

        async def receive() -> None:
            for _ in range(count):
                await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))

        began = time.perf_counter()
        await asyncio.gather(send(), receive())
        return time.perf_counter() - began

    return run
