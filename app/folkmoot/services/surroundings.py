"""What the networks of this computer say about an address of somebody else.

Pure: works on a `Survey`. Refuses names: where they lead is not looked up.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface

from folkmoot.services.ports import Interface, Survey

_SHARED = IPv4Network("100.64.0.0/10")
"""Shared address space (RFC 6598): what overlay networks give to their members."""
IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network


def host_of(address: str) -> str:
    """The host of ``host:port``, without brackets; empty for an address behind a server."""
    return "" if "://" in address else address.rpartition(":")[0].strip("[]")


class Networks:
    """The networks this computer is on."""

    def __init__(self, survey: Survey) -> None:
        self._sources = survey.sources
        self._all: list[tuple[IpNetwork, Interface]] = []
        self._own: dict[str, Interface] = {}
        for interface in survey.interfaces:
            for text in interface.addresses:
                placed = ip_interface(text.replace(f"%{interface.name}", ""))
                self._own[str(placed.ip)] = interface
                if interface.kind != "loopback":
                    self._all.append((placed.network, interface))

    @property
    def lonely(self) -> bool:
        """Whether there is no network but this computer alone."""
        return not self._all

    def network_of(self, host: str) -> IpNetwork | None:
        """The network of ours, VPNs excepted, that a host is in."""
        address = _ip(host)
        if address is None:
            return None
        for network, interface in self._all:
            if interface.kind != "vpn" and address in network:
                return network
        return None

    def is_near(self, host: str) -> bool | None:
        """Whether a host is in a network of ours; None for a name."""
        address = _ip(host)
        if address is None:
            return None
        return address.is_loopback or any(address in network for network, _ in self._all)

    def is_own(self, host: str) -> bool:
        """Whether it is an address of this computer itself."""
        address = _ip(host)
        return host in self._own or (address is not None and address.is_loopback)

    def is_local(self, host: str) -> bool:
        """Whether an address means something in a local network only; a name counts as one."""
        address = _ip(host)
        return address is None or not address.is_global

    def kind_towards(self, host: str) -> str:
        """The kind of the interface that leads to a host, empty if none does.

        A VPN counts only for what is not a part of it.
        """
        address = _ip(host)
        if address is None or host not in self._sources:
            return "unknown"
        interface = self._own.get(self._sources[host])
        if interface is None:
            return "unknown" if self._sources[host] else ""
        if interface.kind != "vpn":
            return interface.kind
        own = [network for network, each in self._all if each is interface]
        inside = any(address in network for network in own) or address in _SHARED
        return "unknown" if inside else "vpn"


def _ip(host: str) -> IpAddress | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None
