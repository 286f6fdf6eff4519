"""Several hosts on one machine: network namespaces around a bridge, made and removed by a test."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator


class Lan:
    """Hosts named by the test on one Ethernet segment, with IPv4 and link-local IPv6."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self._mark = f"fm{os.getpid() % 100_000}"
        self._switch = f"{self._mark}sw"
        self.hosts = hosts

    def namespace(self, host: str) -> str:
        """The name of a host's network namespace."""
        return f"{self._mark}{host}"

    def inside(self, host: str) -> tuple[str, ...]:
        """What to put before a command so that it runs on `host`."""
        return ("ip", "netns", "exec", self.namespace(host))

    def build(self) -> None:
        """Make the namespaces, the bridge and the cables."""
        _run("ip", "netns", "add", self._switch)
        self._on_switch("link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self._on_switch("link", "set", "br0", "up")
        for number, host in enumerate(self.hosts, 1):
            space = self.namespace(host)
            _run("ip", "netns", "add", space)
            _run("ip", "-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", "port")
            _run("ip", "-n", space, "link", "set", "port", "netns", self._switch)
            self._on_switch("link", "set", "port", "name", f"port{number}")
            self._on_switch("link", "set", f"port{number}", "master", "br0", "up")
            _run("ip", "-n", space, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _run("ip", "-n", space, "link", "set", device, "up")
            _run("ip", "-n", space, "route", "add", "default", "dev", "eth0")

    def take_ipv6(self, host: str) -> None:
        """From now on a host has IPv4 only."""
        setting = "/proc/sys/net/ipv6/conf/all/disable_ipv6"
        _run(*self.inside(host), "sh", "-c", f"echo 1 >{setting}")

    def drop(self, host: str, what: str) -> None:
        """From now on a host drops, without a word, what comes from others (an nft match)."""
        for words in (
            "add table inet fm",
            "add chain inet fm in { type filter hook input priority 0; }",
            f'add rule inet fm in iif "eth0" meta l4proto {what} drop',
        ):
            _run(*self.inside(host), "nft", words)

    def plug(self, host: str, on: bool) -> None:
        """Pull a host's cable, or put it back."""
        number = self.hosts.index(host) + 1
        self._on_switch("link", "set", f"port{number}", "up" if on else "down")

    def isolate(self, *hosts: str, on: bool = True) -> None:
        """These hosts reach all others but not each other, as guests of a careful host."""
        for host in hosts:
            number = self.hosts.index(host) + 1
            word = "on" if on else "off"
            self._on_switch(
                *("link", "set", f"port{number}", "type", "bridge_slave", "isolated", word)
            )

    def remove(self) -> None:
        """Take everything away again."""
        for space in (*map(self.namespace, self.hosts), self._switch):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def _on_switch(self, *words: str) -> None:
        _run("ip", "-n", self._switch, *words)


@contextlib.contextmanager
def lan(*hosts: str) -> Iterator[Lan]:
    """Hosts on one segment for the length of a test; needs root."""
    made = Lan(hosts)
    try:
        made.build()
        yield made
    finally:
        made.remove()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
