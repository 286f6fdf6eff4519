"""A lossy Ethernet switch in user space, as a process of its own: `python switch.py JSON`.

It makes a network namespace with a TAP device for each host and passes frames between them as
`weather` says. JSON objects, one a line, come on standard input and are answered on standard
output. At the end of the input, so also when its parent is killed, it removes the namespaces.
Refuses to share a thread with anything: a busy test must not delay packets.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import fcntl
import heapq
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.weather import Direction, Weather

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_MOST_AT_ONCE = 32
_FRAME_BYTES = 65536


def run(*command: str) -> None:
    """Run a command of iproute2; raises with its words."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


class Switch:
    """The ports, the queue of frames under way, and the weather of each direction."""

    def __init__(self, spaces: dict[str, str], addresses: dict[str, str], seed: int) -> None:
        self._spaces = spaces
        self._hosts = {_make_host(spaces[host], addresses[host]): host for host in spaces}
        self._directions = {
            (a, b): Direction(f"{seed} {a} {b}") for a in spaces for b in spaces if a != b
        }
        self._learned: dict[bytes, int] = {}
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._number = 0

    def serve(self) -> None:
        """Pass frames and obey until the input ends."""
        control = sys.stdin.fileno()
        words = b""
        while True:
            self._deliver()
            readable, _, _ = select.select([control, *self._hosts], [], [], self._wait())
            for port in readable:
                if port != control:
                    self._read(port)
                    continue
                more = os.read(control, 65536)
                if not more:
                    return
                *lines, words = (words + more).split(b"\n")
                for line in lines:
                    _say(self._obey(json.loads(line)))

    def _wait(self) -> float | None:
        return max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None

    def _deliver(self) -> None:
        while self._under_way and self._under_way[0][0] <= time.monotonic():
            _, _, port, frame = heapq.heappop(self._under_way)
            with contextlib.suppress(OSError):  # the device is down
                os.write(port, frame)

    def _read(self, port: int) -> None:
        source = self._hosts[port]
        for _ in range(_MOST_AT_ONCE):
            try:
                frame = os.read(port, _FRAME_BYTES)
            except OSError:
                return
            self._learned[frame[6:12]] = port
            target = None if frame[0] & 1 else self._learned.get(frame[:6])
            now = time.monotonic()
            for other in self._hosts if target is None else (target,):
                if self._hosts[other] != source:
                    self._send(self._directions[source, self._hosts[other]], other, frame, now)

    def _send(self, direction: Direction, port: int, frame: bytes, now: float) -> None:
        for due in direction.fate(frame, now):
            self._number += 1
            heapq.heappush(self._under_way, (due, self._number, port, frame))

    def _obey(self, order: dict[str, Any]) -> object:
        for host, card, address in order.get("cards", ()):
            self._hosts[_add_card(self._spaces[host], card, address)] = host
        for source, target, weather in order["set"]:
            self._directions[source, target].change(Weather(**weather))
        return [[*pair, dataclasses.asdict(d.counts)] for pair, d in self._directions.items()]


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _make_host(space: str, address: str) -> int:
    """A namespace with a TAP device eth0; returns our end of the cable."""
    run("ip", "netns", "add", space)
    port = _add_card(space, "eth0", address)
    run("ip", "-n", space, "link", "set", "lo", "up")
    run("ip", "-n", space, "route", "add", "default", "dev", "eth0")
    return port


def _add_card(space: str, card: str, address: str) -> int:
    """A TAP device in a namespace; returns our end of the cable."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    inside = os.open(f"/run/netns/{space}", os.O_RDONLY)
    try:
        if libc.setns(inside, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        name = card.encode()
        fcntl.ioctl(port, _TUNSETIFF, struct.pack("16sH22x", name, _IFF_TAP | _IFF_NO_PI))
        run("ip", "addr", "add", f"{address}/24", "brd", "+", "dev", card)
        run("ip", "link", "set", card, "up")
    finally:
        libc.setns(home, _CLONE_NEWNET)
        os.close(inside)
        os.close(home)
    return port


def main(plan: dict[str, Any]) -> None:
    """Build, say ``ready``, serve, remove."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of the input is the only end
    with contextlib.suppress(OSError):
        os.nice(-10)
    spaces: dict[str, str] = plan["spaces"]
    try:
        switch = Switch(spaces, plan["addresses"], plan["seed"])
        _say("ready")
        switch.serve()
    finally:
        for space in spaces.values():
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
