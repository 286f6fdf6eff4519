"""Homes behind routers that translate addresses, and a public segment with a server between them.

Each home is a network namespace behind another one, its router; the public segment is a bridge.
Made and removed by a test; needs root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from enum import StrEnum

SERVER = "8.7.6.1"
"""In no range that relays refuse: the namespaces reach nobody outside."""


class Router(StrEnum):
    """What a router does with packets of its home.

    `PLAIN` keeps ports where it can: a hole that one packet made is there for the answer of
    another host. `SYMMETRIC` takes another port for each destination. `NO_UDP` lets UDP through in
    neither direction.
    """

    PLAIN = "plain"
    SYMMETRIC = "symmetric"
    NO_UDP = "no_udp"


class Homes:
    """The hosts named by the test, each behind its router, and the host ``server``."""

    def __init__(self, routers: Mapping[str, Router]) -> None:
        self._mark = f"nat{os.getpid() % 100_000}"
        self.routers = dict(routers)
        self._spaces: list[str] = []

    def namespace(self, host: str) -> str:
        """The name of a host's network namespace; of its router: ``HOST-r``."""
        return f"{self._mark}{host}"

    def inside(self, host: str) -> tuple[str, ...]:
        """What to put before a command so that it runs on `host`."""
        return ("ip", "netns", "exec", self.namespace(host))

    def build(self) -> None:
        """Make everything."""
        switch = self._space("sw")
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        self._plug_in(self._space("server"), "pub", f"{SERVER}/24")
        for number, (home, router) in enumerate(self.routers.items(), 1):
            self._home(number, home, router)

    def _home(self, number: int, home: str, router: Router) -> None:
        host, gate = self._space(home), self._space(f"{home}-r")
        self._plug_in(gate, "pub", f"8.7.6.{10 + number}/24")
        run("ip", "-n", gate, "link", "add", "home", "type", "veth", "peer", "name", "eth0")
        run("ip", "-n", gate, "link", "set", "eth0", "netns", host)
        self._address(gate, "home", f"192.168.{number}.1/24")
        self._address(host, "eth0", f"192.168.{number}.2/24")
        run("ip", "-n", host, "route", "add", "default", "via", f"192.168.{number}.1")
        run("ip", "netns", "exec", gate, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.set_router(home, router)

    def set_router(self, home: str, router: Router) -> None:
        """Make a router work otherwise from now on; what it translated before is forgotten."""
        random = " fully-random" if router is Router.SYMMETRIC else ""
        udp = "meta l4proto udp drop" if router is Router.NO_UDP else ""
        rules = f"""
            flush ruleset
            table ip nat {{
                chain out {{
                    type nat hook postrouting priority 100;
                    oifname "pub" masquerade{random}
                }}
            }}
            table ip filter {{
                chain forward {{
                    type filter hook forward priority 0;
                    {udp}
                    ct state established,related accept
                    iifname "pub" drop
                }}
                chain input {{
                    type filter hook input priority 0;
                    iifname "pub" ct state established,related accept
                    iifname "pub" meta l4proto {{ tcp, udp }} drop
                }}
            }}
        """
        run(*self.inside(f"{home}-r"), "nft", "-f", "-", text=rules)
        self.routers[home] = router

    def move(self, home: str, last: int) -> None:
        """A host gets another address of its network, ending in `last`."""
        host, number = self.namespace(home), list(self.routers).index(home) + 1
        run("ip", "-n", host, "addr", "flush", "dev", "eth0")
        self._address(host, "eth0", f"192.168.{number}.{last}/24")
        run("ip", "-n", host, "route", "add", "default", "via", f"192.168.{number}.1")

    def remove(self) -> None:
        """Take everything away again."""
        for space in reversed(self._spaces):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def _space(self, name: str) -> str:
        space = self.namespace(name)
        run("ip", "netns", "add", space)
        self._spaces.append(space)
        run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        run("ip", "-n", space, "link", "set", "lo", "up")
        return space

    def _plug_in(self, space: str, device: str, address: str) -> None:
        """A cable from a namespace to the public segment."""
        switch, port = self.namespace("sw"), f"p{len(self._spaces)}"
        run("ip", "-n", space, "link", "add", device, "type", "veth", "peer", "name", port)
        run("ip", "-n", space, "link", "set", port, "netns", switch)
        run("ip", "-n", switch, "link", "set", port, "master", "br0", "up")
        self._address(space, device, address)

    @staticmethod
    def _address(space: str, device: str, address: str) -> None:
        run("ip", "-n", space, "addr", "add", address, "dev", device)
        run("ip", "-n", space, "link", "set", device, "up")


@contextlib.contextmanager
def homes(**routers: Router) -> Iterator[Homes]:
    """Homes with these routers for the length of a test."""
    made = Homes(routers)
    try:
        made.build()
        yield made
    finally:
        made.remove()


def run(*command: str, text: str | None = None) -> str:
    """Run a command to its end; what it printed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, input=text, timeout=20
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
