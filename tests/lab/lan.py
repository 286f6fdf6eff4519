"""Hosts in network namespaces of their own behind a switch that spoils packets as a test asks.

Needs root (`needs("netns")`). Namespaces go away when the test ends, fails or is killed: the switch
process removes them at the end of its input, `close` removes them once more, and the next
`lossy_lan` those of test processes that are gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lab.weather import Counts, Weather

_PREFIX = "fml"
_made = itertools.count()


class LossyLan:
    """The hosts and the weather between them."""

    def __init__(self, hosts: Sequence[str], seed: int) -> None:
        self.hosts = tuple(hosts)
        self._spaces = {host: f"{_PREFIX}{os.getpid()}n{next(_made)}{host}" for host in hosts}
        self._addresses = {host: f"10.77.0.{n}" for n, host in enumerate(hosts, 1)}
        self._weather = {(a, b): Weather() for a in hosts for b in hosts if a != b}
        _remove_orphans()
        plan = {"spaces": self._spaces, "addresses": self._addresses, "seed": seed}
        program = Path(__file__).with_name("switch.py")
        self._switch = subprocess.Popen(
            [sys.executable, str(program), json.dumps(plan)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert self._answer() == "ready"
        except BaseException:
            self.close()
            raise

    def namespace(self, host: str) -> str:
        """The name of a host's network namespace."""
        return self._spaces[host]

    def inside(self, host: str) -> tuple[str, ...]:
        """What to put before a command so that it runs on `host`."""
        return ("ip", "netns", "exec", self._spaces[host])

    def address(self, host: str) -> str:
        """The host's IPv4 address now."""
        return self._addresses[host]

    def move(self, host: str, address: str) -> None:
        """The host leaves its address for another at once, as from cable to Wi-Fi."""
        for act in (
            ("addr", "del", f"{self._addresses[host]}/24", "dev", "eth0"),
            ("addr", "add", f"{address}/24", "brd", "+", "dev", "eth0"),
            ("route", "replace", "default", "dev", "eth0"),
        ):
            _do("ip", "-n", self._spaces[host], *act)
        self._addresses[host] = address

    def add_card(self, host: str, card: str, address: str) -> None:
        """A second network card of a host, as Wi-Fi beside a cable; both on this segment.

        Each card answers for its own address only, as where the cards are on two segments.
        """
        self._ask({"set": [], "cards": [[host, card, address]]})
        space = self._spaces[host]
        for rule in ("arp_ignore=1", "arp_announce=2"):
            _do(*self.inside(host), "sysctl", "-qw", f"net.ipv4.conf.all.{rule}")
        route = ("route", "add", "default", "metric", "600", "dev", card)
        _do("ip", "-n", space, *route)

    def unplug(self, host: str, card: str) -> None:
        """Pull a card's cable; its address goes at once, as the system has it."""
        space = self._spaces[host]
        _do("ip", "-n", space, "addr", "flush", "dev", card)
        _do("ip", "-n", space, "link", "set", card, "down")

    def set(self, weather: Weather, source: str = "", target: str = "") -> None:
        """Weather of one direction; of all from or to a host where the other name is empty."""
        changed = self._between(source, target)
        for pair in changed:
            self._weather[pair] = weather
        self._order(changed)

    def cut(self, on: bool, source: str = "", target: str = "") -> None:
        """Cut a direction, or all of them, or mend it; the rest of the weather stays."""
        changed = self._between(source, target)
        for pair in changed:
            self._weather[pair] = dataclasses.replace(self._weather[pair], cut=on)
        self._order(changed)

    def counts(self, source: str, target: str) -> Counts:
        """What became of the packets of a direction so far."""
        rows = self._order([])
        return next(Counts(**row) for a, b, row in rows if (a, b) == (source, target))

    def close(self) -> None:
        """End the switch and remove the namespaces."""
        assert self._switch.stdin is not None
        assert self._switch.stdout is not None
        self._switch.stdin.close()
        try:
            self._switch.wait(30)
        except subprocess.TimeoutExpired:
            self._switch.kill()
            self._switch.wait(30)
        self._switch.stdout.close()
        _remove(self._spaces.values())

    def _between(self, source: str, target: str) -> list[tuple[str, str]]:
        return [
            pair for pair in self._weather if source in ("", pair[0]) and target in ("", pair[1])
        ]

    def _order(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, dict[str, int]]]:
        rows = [[*pair, dataclasses.asdict(self._weather[pair])] for pair in pairs]
        return self._ask({"set": rows})

    def _ask(self, order: dict[str, object]) -> list[tuple[str, str, dict[str, int]]]:
        assert self._switch.stdin is not None
        self._switch.stdin.write(json.dumps(order).encode() + b"\n")
        self._switch.stdin.flush()
        answer = self._answer()
        assert isinstance(answer, list)
        return answer

    def _answer(self) -> object:
        assert self._switch.stdout is not None
        line = self._switch.stdout.readline()
        assert line, f"the switch ended with {self._switch.wait(30)}"
        return json.loads(line)


@contextlib.contextmanager
def lossy_lan(*hosts: str, seed: int = 1) -> Iterator[LossyLan]:
    """Hosts on one segment, 10.77.0.1 and up, for the length of a test; the weather is fine."""
    made = LossyLan(hosts, seed)
    try:
        yield made
    finally:
        made.close()


def namespaces() -> list[str]:
    """Namespaces of ours that are there, of all test processes."""
    folder = Path("/run/netns")
    return sorted(each.name for each in folder.glob(f"{_PREFIX}*")) if folder.is_dir() else []


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _remove(spaces: Iterable[str]) -> None:
    for space in spaces:
        subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)


def _remove_orphans() -> None:
    for space in namespaces():
        owner = re.match(rf"{_PREFIX}(\d+)n", space)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            _remove([space])
