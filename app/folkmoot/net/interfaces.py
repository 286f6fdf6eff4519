"""The addresses of this computer. Refuses to guess which of them others can reach.

Reading them is a call into the operating system: make it in a thread.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

HostAddress = IPv4Address | IPv6Address


def local_hosts(ipv6: bool) -> list[str]:
    """Own addresses of one family that mean the same to another computer, the best first.

    Private and public ones, then self-assigned IPv4 ones, then loopback. Left out are link-local
    IPv6 addresses: they need the name of an interface of whoever uses them.
    """
    found = [
        address
        for address in _all()
        if isinstance(address, IPv6Address) is ipv6 and not (ipv6 and address.is_link_local)
    ]
    return [str(address) for address in found]


def announced_hosts() -> tuple[str, ...]:
    """Own addresses to tell the local network, link-local ones too; loopback only if alone."""
    found = _all()
    away = [address for address in found if not address.is_loopback]
    return tuple(str(address) for address in away or found)


def _all() -> list[HostAddress]:
    found: list[HostAddress] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            address = ip_address(entry.ip if isinstance(entry.ip, str) else entry.ip[0])
            mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
            if not (address.is_unspecified or address.is_multicast or mapped):
                found.append(address)
    found.sort(key=lambda address: (address.is_loopback, address.is_link_local, address.version))
    return list(dict.fromkeys(found))
