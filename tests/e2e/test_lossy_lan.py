"""The lossy switch with real packets between namespaces: what is asked is what is measured."""

from __future__ import annotations

import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.nodes import until
from lab.lan import LossyLan, lossy_lan, namespaces
from lab.weather import Weather

pytestmark = [pytest.mark.long, pytest.mark.needs("netns", "tap"), pytest.mark.timeout(120)]

_ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: room for a stall
s.bind(("0.0.0.0", 9000))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
"""
_ASK = """
import json, select, socket, struct, sys, time
peer, count = (sys.argv[1], 9000), int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE: room for a stall
back = []
due, sent, quiet = time.monotonic(), 0, False
while not quiet:
    now = time.monotonic()
    if sent < count and now >= due:
        s.sendto(struct.pack("!Id", sent, now) + bytes(150), peer)
        sent, due = sent + 1, due + 0.003
    wait = due - time.monotonic() if sent < count else 3.0
    if not select.select([s], [], [], max(0, wait))[0]:
        quiet = sent == count
    else:
        number, at = struct.unpack_from("!Id", s.recv(2000))
        back.append((number, (time.monotonic() - at) * 1000))
print(json.dumps(back))
"""


class Probe:
    """Asks and answers over UDP between the hosts `a` and `b`."""

    def __init__(self, lan: LossyLan) -> None:
        self._lan = lan
        self.echo = subprocess.Popen(
            [*lan.inside("b"), sys.executable, "-c", _ECHO], stdout=subprocess.PIPE
        )
        assert self.echo.stdout is not None
        assert self.echo.stdout.readline() == b"ready\n"

    def ask(self, count: int) -> list[tuple[int, float]]:
        """(number, round trip in ms) of each packet that came back, in the order of coming."""
        program = [sys.executable, "-c", _ASK, self._lan.address("b"), str(count)]
        done = subprocess.run(
            [*self._lan.inside("a"), *program], check=True, capture_output=True, timeout=60
        )
        return [(number, ms) for number, ms in json.loads(done.stdout)]

    def close(self) -> None:
        """End the answering process."""
        self.echo.kill()
        self.echo.wait(30)
        assert self.echo.stdout is not None
        self.echo.stdout.close()


def test_fine_weather_delay_loss_and_cut_are_measured_as_asked() -> None:
    with lossy_lan("a", "b", seed=5) as lan:
        probe = Probe(lan)
        try:
            fine = probe.ask(300)
            assert len(fine) == 300
            assert statistics.median(ms for _, ms in fine) < 30

            lan.set(Weather(delay_ms=50))
            assert 100 <= statistics.median(ms for _, ms in probe.ask(300)) < 130

            lan.set(Weather(loss=0.2), "a", "b")
            lan.set(Weather(), "b", "a")
            before = lan.counts("a", "b")
            back = len(probe.ask(1500))
            after = lan.counts("a", "b")
            assert back == pytest.approx(1200, abs=60)
            assert after.lost - before.lost == 1500 - back

            lan.set(Weather())
            lan.cut(True, "b", "a")
            assert probe.ask(20) == []
            assert lan.counts("b", "a").cut >= 20
            lan.cut(False)
            assert len(probe.ask(20)) == 20
        finally:
            probe.close()


def test_packets_are_lost_in_runs_and_overtake_each_other_when_asked() -> None:
    with lossy_lan("a", "b", seed=5) as lan:
        probe = Probe(lan)
        try:
            lan.set(Weather(loss=0.05, burst=10), "a", "b")
            numbers = [number for number, _ in probe.ask(1500)]
            holes = [b - a - 1 for a, b in itertools.pairwise(numbers) if b - a > 1]
            assert holes
            assert all(hole % 10 == 0 for hole in holes)

            lan.set(Weather(reorder=0.1), "a", "b")
            numbers = [number for number, _ in probe.ask(300)]
            assert len(numbers) == 300
            assert numbers != sorted(numbers)
        finally:
            probe.close()


def test_a_host_moves_to_another_address() -> None:
    with lossy_lan("a", "b") as lan:
        probe = Probe(lan)
        try:
            assert len(probe.ask(10)) == 10
            lan.move("b", "10.77.0.40")
            assert lan.address("b") == "10.77.0.40"
            assert len(probe.ask(10)) == 10
        finally:
            probe.close()


def test_the_namespaces_go_when_the_test_is_killed(tmp_path: Path) -> None:
    program = (
        "import time; from lab.lan import lossy_lan\n"
        "with lossy_lan('a', 'b') as lan:\n"
        "    print(lan.namespace('a'), flush=True)\n"
        "    time.sleep(100)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    victim = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment, cwd=tmp_path
    )
    assert victim.stdout is not None
    name = victim.stdout.readline().decode().strip()
    assert name in namespaces()
    victim.send_signal(signal.SIGKILL)
    victim.wait(30)
    victim.stdout.close()
    until(lambda: name not in namespaces(), "the namespaces of the killed test are gone")
