"""The addresses of this computer. Refuses to guess which of them others can reach.

Reading them is a call into the operating system: make it in a thread.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr


def local_hosts(ipv6: bool) -> list[str]:
    """Own addresses of one family that mean the same to another computer, the best first.

    Private and public ones, then self-assigned IPv4 ones, then loopback. Left out are link-local
    IPv6 addresses: they need the name of an interface of whoever uses them.
    """
    found: list[IPv4Address | IPv6Address] = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            address = ip_address(entry.ip if isinstance(entry.ip, str) else entry.ip[0])
            useless = address.is_unspecified or address.is_multicast
            if isinstance(address, IPv6Address):
                useless = useless or address.is_link_local or address.ipv4_mapped is not None
            if isinstance(address, IPv6Address) is ipv6 and not useless:
                found.append(address)
    found.sort(key=lambda address: (address.is_loopback, address.is_link_local))
    return [str(address) for address in dict.fromkeys(found)]
