"""The interfaces, addresses and routes of this computer. Refuses to guess which of them others can
reach, and to send anything to find out.

Reading them is a call into the operating system: make it in a thread.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import ifaddr

from folkmoot.services.ports import Interface, Survey

HostAddress = IPv4Address | IPv6Address
_SYS = Path("/sys/class/net")
_VPN_NAMES = ("wg", "tun", "utun", "ppp", "ipsec", "tailscale", "zt", "nordlynx", "proton", "vpn")
_VIRTUAL_NAMES = ("docker", "veth", "virbr", "vmnet", "vboxnet", "bridge", "br-", "awdl", "llw")
_CABLE_NAMES = ("eth", "enp", "eno", "ens", "enx")
_VPN_WORDS = (
    "wireguard",
    "openvpn",
    "tap-windows",
    "tailscale",
    "zerotier",
    "wintun",
    "vpn",
    "wan miniport",
)
_VIRTUAL_WORDS = ("hyper-v", "virtualbox", "vmware", "virtual", "bluetooth")
_WIRELESS_WORDS = ("wi-fi", "wifi", "wireless", "wlan", "802.11")
_ARPHRD_NONE, _ARPHRD_PPP, _ARPHRD_LOOPBACK = "65534", "512", "772"
_IFF_TAP = 0x2
_DOWN = ("down", "lowerlayerdown", "notpresent", "dormant")
"""RFC 2863; “unknown” is what interfaces without a cable say."""
_ANY_PORT = 9


class SystemSurveyor:
    """`services.ports.Surveyor` of the operating system."""

    async def survey(self, hosts: Sequence[str]) -> Survey:
        """Interfaces and routes as they are now."""
        return await asyncio.to_thread(_survey, tuple(hosts))


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


def interfaces() -> tuple[Interface, ...]:
    """Every interface that is up and has an address, loopback last."""
    found: list[Interface] = []
    for adapter in _adapters_up():
        placed = [(entry, _address(entry)) for entry in adapter.ips]
        addresses = tuple(
            f"{address}/{entry.network_prefix}" for entry, address in placed if _is_used(address)
        )
        if addresses:
            kind = _kind(adapter.name, adapter.nice_name)
            loopback = all(address.is_loopback for _, address in placed)
            name = adapter.nice_name if sys.platform == "win32" else adapter.name
            found.append(Interface(name, "loopback" if loopback else kind, addresses))
    return tuple(sorted(found, key=lambda one: (one.kind == "loopback", one.name)))


def _survey(hosts: Sequence[str]) -> Survey:
    return Survey(interfaces(), {host: _source(host) for host in hosts})


def _source(host: str) -> str:
    """The own address from which packets to an IP address leave. A UDP socket that is connected
    asks for the route and sends nothing."""
    try:
        family = (
            socket.AF_INET6 if ip_address(host.partition("%")[0]).version == 6 else socket.AF_INET
        )
        with socket.socket(family, socket.SOCK_DGRAM) as asker:
            asker.connect(
                socket.getaddrinfo(host, _ANY_PORT, family, flags=socket.AI_NUMERICHOST)[0][4]
            )
            return str(asker.getsockname()[0]).partition("%")[0]
    except (OSError, ValueError):
        return ""


def _kind(name: str, nice_name: str) -> str:
    if sys.platform == "linux":
        kind = _kind_by_system(_SYS / name)
        if kind is not None:
            return kind
    if sys.platform == "win32":
        return kind_by_words(nice_name)
    return kind_by_name(name)


def _kind_by_system(folder: Path) -> str | None:
    """What Linux says of an interface; None if it says nothing."""
    type = _read(folder / "type")
    event = _read(folder / "uevent")
    if not type:
        return None
    if type == _ARPHRD_LOOPBACK:
        return "loopback"
    if (folder / "phy80211").exists() or (folder / "wireless").exists() or "DEVTYPE=wlan" in event:
        return "wireless"
    if type in (_ARPHRD_NONE, _ARPHRD_PPP) or "DEVTYPE=wireguard" in event:
        return "vpn"
    flags = _read(folder / "tun_flags")
    if flags and not int(flags, 16) & _IFF_TAP:
        return "vpn"
    if (folder / "device").exists():
        return "cable"
    return "vpn" if kind_by_name(folder.name) == "vpn" else "virtual"


def kind_by_name(name: str) -> str:
    """The kind that a name of an interface is usually given to, on systems like Unix."""
    low = name.lower()
    if low.startswith("lo") and low[2:].isdigit() | (low == "lo"):
        return "loopback"
    if low.startswith(_VPN_NAMES):
        return "vpn"
    if low.startswith(_VIRTUAL_NAMES):
        return "virtual"
    if low.startswith(("wl", "ath")):
        return "wireless"
    return "cable" if low.startswith(_CABLE_NAMES) else "unknown"


def kind_by_words(description: str) -> str:
    """The kind that the description of an adapter in Windows tells of."""
    low = description.lower()
    for kind, words in (
        ("loopback", ("loopback",)),
        ("vpn", _VPN_WORDS),
        ("virtual", _VIRTUAL_WORDS),
        ("wireless", _WIRELESS_WORDS),
        ("cable", ("ethernet", "gigabit", "gbe", "lan")),
    ):
        if any(word in low for word in words):
            return kind
    return "unknown"


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _all() -> list[HostAddress]:
    found = [
        address
        for adapter in _adapters_up()
        for address in map(_address, adapter.ips)
        if _is_used(address)
    ]
    found.sort(key=lambda address: (address.is_loopback, address.is_link_local, address.version))
    return list(dict.fromkeys(found))


def _adapters_up() -> list[ifaddr.Adapter]:
    """Those that are up. Linux keeps the addresses of others too, as of one without its cable."""
    return [adapter for adapter in ifaddr.get_adapters() if _is_up(_SYS / adapter.name)]


def _is_up(folder: Path) -> bool:
    """Whether Linux does not say that an interface is down; elsewhere it has no address then."""
    return sys.platform != "linux" or _read(folder / "operstate") not in _DOWN


def _address(entry: ifaddr.IP) -> HostAddress:
    return ip_address(entry.ip if isinstance(entry.ip, str) else entry.ip[0])


def _is_used(address: HostAddress) -> bool:
    mapped = isinstance(address, IPv6Address) and address.ipv4_mapped is not None
    return not (address.is_unspecified or address.is_multicast or mapped)
