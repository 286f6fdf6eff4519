"""How much a device, an address and everybody together may do. Pure: the time is an argument.

The path of a relayed frame touches none of this: a device holds a small `Budget` of frames and
bytes that it uses up, and only then asks for more, from its key, its address and all at once.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from itertools import islice

from folkmoot_signaling.settings import Bounds, Rate

LEASE_FRAMES = 64
LEASE_BYTES = 64 * 1024
MIN_WAIT_S = 0.02
_MAX_KEYS = 65_536


class Bucket:
    """A token bucket: `burst` at first, then so many a second."""

    __slots__ = ("_at_s", "_left", "_rate")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at_s = now_s

    def look(self, now_s: float, amount: float = 1) -> float:
        """Seconds until `amount` is there; 0: now. Takes nothing."""
        if now_s > self._at_s:
            grown = self._left + (now_s - self._at_s) * self._rate.per_s
            self._left = min(self._rate.burst, grown)
            self._at_s = now_s
        lacking = amount - self._left
        if lacking <= 0:
            return 0.0
        return max(MIN_WAIT_S, lacking / self._rate.per_s) if self._rate.per_s else 3600.0

    def take(self, amount: float = 1) -> None:
        """Take what `look` has found to be there."""
        self._left -= amount


def take_all(now_s: float, amount: float, *buckets: Bucket) -> float:
    """Take `amount` from each or from none. Seconds to wait; 0: taken."""
    for bucket in buckets:
        wait = bucket.look(now_s, amount)
        if wait:
            return wait
    for bucket in buckets:
        bucket.take(amount)
    return 0.0


def _take_much(
    now_s: float, much: int, least: int, buckets: tuple[Bucket, ...]
) -> tuple[int, float]:
    """(taken, 0) or (0, seconds to wait)."""
    if not take_all(now_s, much, *buckets):
        return much, 0.0
    return least, take_all(now_s, least, *buckets)


def address_group(host: str) -> str:
    """What counts as one address: of IPv6 the /64, of IPv4 in IPv6 the IPv4."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)


class Place:
    """What one address has and used up."""

    __slots__ = (
        "bytes",
        "connections",
        "control",
        "frames",
        "handshakes",
        "logins",
        "name",
        "puts",
        "requests",
        "rooms",
    )

    def __init__(self, name: str, bounds: Bounds, now_s: float) -> None:
        self.name = name
        self.connections = 0
        self.rooms = 0
        self.handshakes = Bucket(bounds.address_handshakes, now_s)
        self.logins = Bucket(bounds.address_logins, now_s)
        self.frames = Bucket(bounds.address_frames, now_s)
        self.bytes = Bucket(bounds.address_bytes, now_s)
        self.control = Bucket(bounds.address_control, now_s)
        self.puts = Bucket(bounds.address_puts, now_s)
        self.requests = Bucket(bounds.address_requests, now_s)


class Budget:
    """What one device may still do; kept over its connections."""

    __slots__ = ("bytes", "bytes_left", "control", "frames", "frames_left", "puts")

    def __init__(self, bounds: Bounds, now_s: float) -> None:
        self.frames_left = 0
        self.bytes_left = 0
        self.frames = Bucket(bounds.key_frames, now_s)
        self.bytes = Bucket(bounds.key_bytes, now_s)
        self.control = Bucket(bounds.key_control, now_s)
        self.puts = Bucket(bounds.key_puts, now_s)


class Limits:
    """All buckets of a server."""

    def __init__(self, bounds: Bounds, now_s: float) -> None:
        self.bounds = bounds
        self._places: OrderedDict[str, Place] = OrderedDict()
        self._key_logins: OrderedDict[bytes, Bucket] = OrderedDict()
        self._handshakes = Bucket(bounds.all_handshakes, now_s)
        self._logins = Bucket(bounds.all_logins, now_s)
        self._frames = Bucket(bounds.all_frames, now_s)
        self._bytes = Bucket(bounds.all_bytes, now_s)
        self._control = Bucket(bounds.all_control, now_s)
        self._puts = Bucket(bounds.all_puts, now_s)

    def place(self, name: str, now_s: float) -> Place | None:
        """The book of an address; None when there are too many addresses at once."""
        place = self._places.get(name)
        if place is None:
            if len(self._places) >= self.bounds.addresses and not self._forget_one():
                return None
            place = self._places[name] = Place(name, self.bounds, now_s)
        else:
            self._places.move_to_end(name)
        return place

    def _forget_one(self) -> bool:
        """Forget an address that has no connection, of the longest unused."""
        for name in list(islice(self._places, 16)):
            if not self._places[name].connections and not self._places[name].rooms:
                del self._places[name]
                return True
            self._places.move_to_end(name)
        return False

    def start_handshake(self, place: Place | None, now_s: float) -> float:
        """A TLS handshake from an address; None: from a proxy. Seconds to wait; 0: go on."""
        own = () if place is None else (place.handshakes,)
        return take_all(now_s, 1, *own, self._handshakes)

    def start_login(self, place: Place, now_s: float) -> float:
        """An attempt to log in from an address. Seconds to wait; 0: go on."""
        return take_all(now_s, 1, place.logins, self._logins)

    def finish_login(self, device: bytes, now_s: float) -> float:
        """A device has proved its key. Seconds to wait; 0: go on."""
        bucket = self._key_logins.pop(device, None) or Bucket(self.bounds.key_logins, now_s)
        self._key_logins[device] = bucket
        if len(self._key_logins) > _MAX_KEYS:
            self._key_logins.popitem(last=False)
        return take_all(now_s, 1, bucket)

    def lease(self, budget: Budget, place: Place, now_s: float, size: int) -> float:
        """Give a budget that is used up room for a frame of `size` and, if it can be, a few more.

        Seconds to wait; 0: given.
        """
        if budget.frames_left < 1:
            buckets = (budget.frames, place.frames, self._frames)
            given, wait = _take_much(now_s, LEASE_FRAMES, 1, buckets)
            if wait:
                return wait
            budget.frames_left += given
        if budget.bytes_left < size:
            buckets = (budget.bytes, place.bytes, self._bytes)
            lacking = size - budget.bytes_left
            given, wait = _take_much(now_s, max(LEASE_BYTES, lacking), lacking, buckets)
            if wait:
                return wait
            budget.bytes_left += given
        return 0.0

    def take_control(self, budget: Budget, place: Place, now_s: float, weight: int) -> float:
        """A control message. Seconds to wait; 0: go on."""
        return take_all(now_s, weight, budget.control, place.control, self._control)

    def take_put(self, budget: Budget, place: Place, now_s: float) -> float:
        """An envelope for the mailbox. Seconds to wait; 0: go on."""
        return take_all(now_s, 1, budget.puts, place.puts, self._puts)
