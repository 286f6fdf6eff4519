"""Who may begin a TLS handshake: counts strangers by address and paces them.

Pure: time and addresses are arguments. Refuses to look at what a connection says; a proved peer no
longer counts here.
"""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv4Address, IPv6Address, ip_address

from folkmoot.net.limits import LinkLimits
from folkmoot.services.pace import Bucket

MAX_REMEMBERED = 1024
"""Addresses whose rate is remembered; the one not seen for longest goes first."""


def address_key(host: str) -> str:
    """What counts as one remote computer.

    An IPv4 address, also when written as IPv4-mapped IPv6; the /64 of an IPv6 address, since that
    is what one subscriber is given. Link-local addresses all share one /64 and count singly.
    """
    address: IPv4Address | IPv6Address = ip_address(host)
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address.is_link_local or address.is_loopback:
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


class Slot:
    """The place of one connection that has not proved itself; `release` may be called twice."""

    __slots__ = ("_admission", "key")

    def __init__(self, admission: Admission, key: str) -> None:
        self._admission: Admission | None = admission
        self.key = key

    def release(self) -> None:
        """Give the place back: the connection is proved or gone."""
        if self._admission is not None:
            self._admission.leave(self.key)
            self._admission = None


class Admission:
    """Places and rates for connections that have not proved who they are."""

    def __init__(self, limits: LinkLimits, now: float) -> None:
        self._limits = limits
        self._unproved: dict[str, int] = {}
        self._in_all = 0
        self._overall = Bucket(limits.handshakes_per_s, limits.handshakes_burst, now)
        self._by_address: OrderedDict[str, Bucket] = OrderedDict()

    @property
    def unproved(self) -> int:
        """Connections that hold a place now."""
        return self._in_all

    def enter(self, host: str, now: float) -> Slot | str:
        """A place for a connection from an address, or the reason why there is none."""
        return self.enter_as(address_key(host), now)

    def enter_as(self, key: str, now: float) -> Slot | str:
        """The same for what `key` stands for, such as a device behind a server."""
        limits = self._limits
        if self._in_all >= limits.unproved_in_all:
            return "too many connections are waiting for their proofs"
        if self._unproved.get(key, 0) >= limits.unproved_per_address:
            return "too many connections of this address are waiting for their proofs"
        if not self._bucket(key, now).take(now):
            return "this address connects too often"
        if not self._overall.take(now):
            return "too many computers connect at once"
        self._unproved[key] = self._unproved.get(key, 0) + 1
        self._in_all += 1
        return Slot(self, key)

    def leave(self, key: str) -> None:
        """One connection less; called by its slot."""
        self._in_all -= 1
        self._unproved[key] -= 1
        if not self._unproved[key]:
            del self._unproved[key]

    def _bucket(self, key: str, now: float) -> Bucket:
        bucket = self._by_address.get(key)
        if bucket is None:
            limits = self._limits
            bucket = Bucket(
                limits.handshakes_per_address_per_s, limits.handshakes_per_address_burst, now
            )
            self._by_address[key] = bucket
            if len(self._by_address) > MAX_REMEMBERED:
                self._by_address.popitem(last=False)
        else:
            self._by_address.move_to_end(key)
        return bucket
