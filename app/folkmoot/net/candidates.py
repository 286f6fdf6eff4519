"""Reads and writes the candidates of ICE (RFC 8445): the places at which one side may be reached.

Refuses everything that is not plainly an address and a port of another computer: names (also those
of mDNS), loopback, multicast, unspecified and reserved addresses, IPv4 written as IPv6, other
transports. A peer could else have us send to ourselves, or look up names for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from aioice import Candidate

from folkmoot.domain.errors import PeerError
from folkmoot.services.signaling_port import IceDescription

MAX_CANDIDATES = 32
MAX_LINE = 200
_LINE = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}) 1 (?:udp|UDP) (?P<priority>[0-9]{1,10}) "
    r"(?P<host>[0-9A-Fa-f:.]{2,45}) (?P<port>[0-9]{1,5}) typ (?P<kind>host|srflx)"
    r"(?: [!-~]{1,64} [!-~]{1,64}){0,6}"
)
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,64}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,64}")
_MAX_PRIORITY = 2**31 - 1


def read_description(description: IceDescription) -> list[Candidate]:
    """The candidates of a peer, the best first, each address once.

    Raises `PeerError` ``bad_candidate`` if anything in the description is not as it must be.
    """
    if not _UFRAG.fullmatch(description.ufrag) or not _PASSWORD.fullmatch(description.password):
        raise _bad("The name or the password of the way is none.")
    if len(description.candidates) > MAX_CANDIDATES:
        raise _bad(f"More than {MAX_CANDIDATES} candidates.")
    found = {(each.host, each.port): each for each in map(_read, description.candidates)}
    return sorted(found.values(), key=lambda each: -each.priority)


def write_candidates(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    """Our candidates as a peer reads them; those that it would refuse are left out.

    Without the related address: it is of no use to the other side.
    """
    fit = [each for each in candidates if _is_fit(each.host) and each.port]
    fit.sort(key=lambda each: -each.priority)
    return tuple(
        f"{each.foundation} 1 udp {each.priority} {each.host} {each.port} typ {each.type}"
        for each in fit[:MAX_CANDIDATES]
    )


def _read(line: str) -> Candidate:
    match = _LINE.fullmatch(line) if len(line) <= MAX_LINE else None
    if match is None:
        raise _bad("A candidate is not written as one.")
    priority, port = int(match["priority"]), int(match["port"])
    if not 0 < port < 65_536 or not 0 < priority <= _MAX_PRIORITY or not _is_fit(match["host"]):
        raise _bad("A candidate is at no place where another computer can be.")
    return Candidate(
        foundation=match["foundation"],
        component=1,
        transport="udp",
        priority=priority,
        host=str(ip_address(match["host"])),
        port=port,
        type=match["kind"],
    )


def _is_fit(host: str) -> bool:
    """Whether another computer can be there. A link-local IPv6 address needs a name of ours."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if address.is_loopback or address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address):
        return not (address.is_link_local or address.is_reserved)  # IPv4 in IPv6 is reserved
    return not address.is_reserved and address >= IPv4Address("1.0.0.0")


def _bad(words: str) -> PeerError:
    return PeerError("bad_candidate", words)
