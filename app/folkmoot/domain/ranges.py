"""A range of addresses as a person types it: ``192.168.1.0/24:7000``, ``192.168.1.20-40:7000``.

Refuses more than 256 addresses, and IPv6, where looking one by one leads nowhere.
"""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import UserError

MAX_ADDRESSES = 256


def is_range(text: str) -> bool:
    """Whether it names more than one address."""
    host = text.strip().rpartition(":")[0]
    return "/" in host or ("-" in host and set(host) <= set("0123456789.-"))


def parse_range(text: str) -> tuple[Address, ...]:
    """Every address of a range, in order; of a network without its own and its broadcast address.

    One address is a range too. Raises `UserError` ``bad_range``.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon or not _is_number(port) or not 0 < int(port) <= 65535:
        raise _bad(text)
    if not is_range(text):
        try:
            return (parse_address(text),)
        except UserError as error:
            raise _bad(text) from error
    try:
        found = _network(host) if "/" in host else _span(host)
    except (AddressValueError, ValueError) as error:
        raise _bad(text) from error
    if len(found) > MAX_ADDRESSES:
        raise UserError(
            "bad_range",
            f"“{text[:80]}” are more than {MAX_ADDRESSES} addresses.",
            "Choose a smaller range, such as 192.168.1.0/24:7000.",
        )
    return tuple(Address(str(one), int(port)) for one in found)


def _network(host: str) -> list[IPv4Address]:
    network = IPv4Network(host, strict=False)
    if network.prefixlen < 24:
        return [network.network_address] * (MAX_ADDRESSES + 1)  # too many; none is made
    return list(network.hosts())


def _span(host: str) -> list[IPv4Address]:
    first, _, last = host.partition("-")
    begin = IPv4Address(first)
    end = IPv4Address(f"{first.rpartition('.')[0]}.{last}")
    if end < begin:
        raise ValueError(host)
    return [IPv4Address(number) for number in range(int(begin), int(end) + 1)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def _bad(text: str) -> UserError:
    return UserError(
        "bad_range",
        f"“{text[:80]}” is no range of addresses.",
        "Write it as 192.168.1.0/24:7000 or 192.168.1.20-40:7000.",
    )
