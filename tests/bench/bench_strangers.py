"""A minute of strangers on the port of a node with a window: memory, processor, pauses of the UI.

Two processes. One is like the app: a `QTimer` of 10 ms on the Qt thread, and on another thread a
node's loop with the listener and the proofs of `protocol.handshake`. The other connects as fast as
it can: garbage, half a TLS hello, silence, TLS with huge frames, TLS with proofs by no key.
In one run each repetition measures an idle spell, then a spell of strangers.
`STRANGERS_S` is the length of all spells of strangers together, 60 s unless set.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import secrets
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.measurement import Measurement

REPETITIONS = 5
IDLE_S = 3.0
AT_ONCE = 96


def measure() -> Iterable[Measurement]:
    """Run the app-like process here and the strangers in a child."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    spells = _run_app(float(os.environ.get("STRANGERS_S", "60")) / REPETITIONS)
    idle, busy = spells[0::2], spells[1::2]
    tries = sum(each["connects"] for each in busy)
    seconds = sum(each["seconds"] for each in busy)
    yield Measurement(
        "strangers_memory",
        [max(each["rss_mb"] for each in busy) - idle[0]["rss_mb"]] * REPETITIONS,
        "MB",
        at_most=50,
        note=f"growth of the peak over idle; {tries} connects in {seconds:.0f} s",
    )
    yield Measurement(
        "strangers_ui_gap",
        [each["gap_ms"] for each in busy],
        "ms",
        at_most=50,
        baseline=[each["gap_ms"] for each in idle],
        note=f"longest {max(each['gap_ms'] for each in busy):.1f} ms between two 10 ms ticks",
    )
    yield Measurement(
        "strangers_cpu",
        [100 * each["cpu_s"] / each["seconds"] for each in busy],
        "%core",
        baseline=[100 * each["cpu_s"] / each["seconds"] for each in idle],
    )
    yield Measurement(
        "strangers_loop_late",
        [each["late_ms"] for each in busy],
        "ms",
        baseline=[each["late_ms"] for each in idle],
        note="longest lateness of a 10 ms timer on the node's loop",
    )


def _run_app(spell_s: float) -> list[dict[str, float]]:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QLabel

    application = QApplication([])
    label = QLabel("0")
    label.show()
    ticks: list[float] = []

    def tick() -> None:
        ticks.append(time.perf_counter())
        label.setText(str(len(ticks)))

    timer = QTimer()
    timer.setInterval(10)
    timer.timeout.connect(tick)
    timer.start()
    spells: list[dict[str, float]] = []

    def run_node() -> None:
        try:
            asyncio.run(_node(spell_s, ticks, spells))
        finally:
            ticks.append(-1.0)

    thread = threading.Thread(target=run_node, daemon=True)
    thread.start()
    over = QTimer()
    over.setInterval(100)
    over.timeout.connect(lambda: None if thread.is_alive() else application.quit())
    over.start()
    application.exec()
    return spells


async def _node(spell_s: float, ticks: list[float], spells: list[dict[str, float]]) -> None:
    from folkmoot.net.tls import TlsTransport

    transport = TlsTransport()
    (address,) = await transport.listen(["127.0.0.1:0"], _make_accept())
    await asyncio.sleep(1)
    for _ in range(REPETITIONS):
        spells.append(await _spell(IDLE_S, ticks, None))
        spells.append(await _spell(spell_s, ticks, address.rpartition(":")[2]))
    await transport.aclose()


def _make_accept() -> Any:
    """What a node does with a stranger: the shipped listener's proofs, five team secrets held."""
    from folkmoot.domain.ids import DeviceId
    from folkmoot.protocol.certificates import make_certificate
    from folkmoot.protocol.handshake import LinkIdentity, Listener
    from folkmoot.protocol.keys import Signer, seal_public
    from folkmoot.services.ports import Stream

    person, device = Signer(secrets.token_bytes(32)), Signer(secrets.token_bytes(32))
    certificate = make_certificate(
        person, DeviceId(device.public), seal_public(secrets.token_bytes(32)), "bench", 0
    )
    me = LinkIdentity(certificate, device)
    keys = [secrets.token_bytes(32) for _ in range(5)]

    async def accept(stream: Stream) -> None:
        listener = Listener(
            me,
            stream.binding,
            keys=keys,
            strangers=True,
            nonce=secrets.token_bytes(32),
            random_knock=secrets.token_bytes(32),
        )
        while True:
            step = listener.receive(await stream.receive())
            if step.reply is not None:
                stream.send(step.reply)
            if step.proved is not None:
                stream.open_up(stranger=True)
                return

    return accept


async def _spell(seconds: float, ticks: list[float], port: str | None) -> dict[str, float]:
    """One stretch of time with or without strangers, as the app-like process lives it."""
    loop = asyncio.get_running_loop()
    strangers = None
    if port is not None:
        strangers = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.bench_strangers", port, str(seconds)),
            stdout=subprocess.PIPE,
        )
    first_tick, cpu, began = len(ticks), time.process_time(), loop.time()
    late = rss = 0.0
    while loop.time() - began < seconds:
        before = loop.time()
        await asyncio.sleep(0.01)
        late = max(late, loop.time() - before - 0.01)
        rss = max(rss, _rss_mb())
    mine = ticks[first_tick:]
    spell = {
        "seconds": loop.time() - began,
        "cpu_s": time.process_time() - cpu,
        "rss_mb": rss,
        "gap_ms": 1000 * max(b - a for a, b in pairwise(mine)),
        "late_ms": 1000 * late,
        "connects": 0.0,
    }
    if strangers is not None:
        out, _ = await strangers.communicate()
        spell["connects"] = json.loads(out)["connects"]
    return spell


def _rss_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
        return pages * resource.getpagesize() / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


# --- the strangers' process ------------------------------------------------------------------


async def _pester(port: int, seconds: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    end = time.monotonic() + seconds
    connects = 0

    async def one(kind: int) -> None:
        nonlocal connects
        while time.monotonic() < end:
            connects += 1
            try:
                async with asyncio.timeout(6):
                    await _try(port, kind, context)
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
                await asyncio.sleep(0)
            kind += 1

    await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
    sys.stdout.write(json.dumps({"connects": connects}) + "\n")


async def _try(port: int, kind: int, context: ssl.SSLContext) -> None:
    tls = context if kind % 6 >= 3 else None
    # Many addresses: on Linux all of 127.0.0.0/8 is this computer.
    source = (f"127.0.0.{1 + kind % 200}", 0) if sys.platform == "linux" else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, local_addr=source)
    try:
        if kind % 6 == 0:
            writer.write(os.urandom(4096))
        elif kind % 6 == 1:
            writer.write(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + bytes(1000))
            await asyncio.sleep(0.5)
        elif kind % 6 == 2 and kind % 36 == 2:
            await reader.read(1)
        elif kind % 6 == 3:
            writer.write((2**32 - 1).to_bytes(4, "big") + bytes(65536))
        elif kind % 6 == 4:
            writer.write((4096).to_bytes(4, "big") + bytes(4096))
        elif kind % 6 == 5:
            # A well-formed first frame with a knock by no key: msgpack [[1], nonce, knock].
            frame = b"\x93\x91\x01\xc4\x20" + os.urandom(32) + b"\xc4\x20" + os.urandom(32)
            writer.write(len(frame).to_bytes(4, "big") + frame)
            await reader.readexactly(4)
        await writer.drain()
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(_pester(int(sys.argv[1]), float(sys.argv[2])))
