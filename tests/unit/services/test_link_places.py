"""Where a link leads, by the address of its stream: over TCP, through NAT, through a server."""

from __future__ import annotations

import pytest

from fakes.transport import MemoryNetwork, MemoryStream
from folkmoot.domain.identity import SignedCertificate
from folkmoot.services.link import Link, Standing, way_of
from folkmoot.services.links import _log
from folkmoot.services.quiet_log import QuietLog
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way
from sim.world import keys_of

DEVICE = "ab" * 32


def _link(remote: str, local: str) -> Link:
    keyring = keys_of("ben")
    stream = MemoryStream(MemoryNetwork(), local, remote, b"")
    return Link(
        stream,
        Supervisor(lambda _name, _error: None),
        certificate=keyring.certificate,
        signed=SignedCertificate(keyring.signed.data, keyring.signed.signature),
        transcript=b"",
        standing=Standing.MEMBER,
        dialled=True,
        way=way_of(remote, Way.LAN),
        now=0.0,
        strangers_log=QuietLog(_log, lambda: 0.0),
    )


@pytest.mark.parametrize(
    ("remote", "local", "way", "host", "local_host"),
    [
        ("10.0.0.2:7000", "10.0.0.1:7000", Way.LAN, "10.0.0.2", "10.0.0.1"),
        ("[fe80::2%eth0]:7", "[fe80::1%eth0]:8", Way.LAN, "[fe80::2%eth0]", "[fe80::1%eth0]"),
        (f"nat://10.9.0.2:40000/{DEVICE}", "10.0.0.1:5", Way.NAT, "10.9.0.2", "10.0.0.1"),
        (
            f"nat://[2001:db8::2]:4/{DEVICE}",
            f"nat://[2001:db8::1]:5/{DEVICE}",
            *(Way.NAT, "[2001:db8::2]", "[2001:db8::1]"),
        ),
        (
            f"relay://talk.example.org:443/{DEVICE}",
            f"relay://talk.example.org:443/{DEVICE}",
            *(Way.RELAY, "relay://talk.example.org:443", ""),
        ),
    ],
)
async def test_a_link_says_where_it_leads(
    remote: str, local: str, way: Way, host: str, local_host: str
) -> None:
    link = _link(remote, local)
    assert (link.way, link.host, link.local_host) == (way, host, local_host)
