"""What a server takes and how it behaves. Everything is on by default; `config` may change it.

Refuses to read anything: these are values.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from folkmoot.domain.address import Address
from folkmoot.protocol.signaling import MAX_ROOM_DEVICES, MAX_TAGS, TOKEN_S

DEFAULT_LISTEN = Address("127.0.0.1", 8480)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second on average, and `burst` at once."""

    per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of connections, handshakes, frames, bytes, rooms and mail.

    `key_*` counts for one device, `address_*` for one network address (of IPv6 a /64), `all_*` for
    the server. An address may be a whole office, so it gets more than one device.
    """

    address_connections: int = 256
    all_connections: int = 16_384
    all_strangers: int = 1024
    """Connections that have not logged in yet."""
    addresses: int = 65_536
    """Addresses that are remembered with what they used up."""

    address_handshakes: Rate = Rate(10, 400)
    """Of TLS, where the server speaks it itself."""
    all_handshakes: Rate = Rate(500, 4000)

    key_logins: Rate = Rate(0.5, 20)
    address_logins: Rate = Rate(5, 200)
    all_logins: Rate = Rate(400, 2000)

    key_frames: Rate = Rate(4000, 4000)
    address_frames: Rate = Rate(16_000, 16_000)
    all_frames: Rate = Rate(100_000, 100_000)
    key_bytes: Rate = Rate(4 * 2**20, 4 * 2**20)
    address_bytes: Rate = Rate(16 * 2**20, 16 * 2**20)
    all_bytes: Rate = Rate(100 * 2**20, 100 * 2**20)

    key_control: Rate = Rate(10, 200)
    """Control messages; each tag of `enter` and `leave` counts as one."""
    address_control: Rate = Rate(200, 8000)
    all_control: Rate = Rate(20_000, 400_000)

    key_rooms: int = MAX_TAGS
    address_rooms: int = 4096
    all_rooms: int = 262_144
    room_devices: int = MAX_ROOM_DEVICES

    address_requests: Rate = Rate(20, 100)
    """Of the REST paths."""

    key_puts: Rate = Rate(2, 100)
    address_puts: Rate = Rate(20, 400)
    all_puts: Rate = Rate(400, 2000)


@dataclass(frozen=True, slots=True)
class Settings:
    """One server. `names` without an entry: the `Host` header says what it is called."""

    listen: tuple[Address, ...] = (DEFAULT_LISTEN,)
    names: tuple[str, ...] = ()
    """Addresses as nodes write them: ``wss://talk.example.org``."""
    origins: tuple[str, ...] = ()
    """Values of the `Origin` header that may connect; no web page needs to."""
    proxies: tuple[str, ...] = ()
    """Networks whose ``X-Forwarded-For`` is believed: ``127.0.0.1``, ``10.0.0.0/8``."""
    server_id: bytes = field(default_factory=lambda: os.urandom(32))
    """The same for all nodes of one server."""
    stun_port: int = 0
    bounds: Bounds = Bounds()
    login_s: float = 5.0
    request_s: float = 10.0
    """For the whole HTTP request, and between two on one connection."""
    token_s: int = TOKEN_S
    resume_s: float = 60.0
    grace_s: float = 60.0
    """After the end of a token, before its connection is closed."""
    stalled_s: float = 5.0
    """Who takes nothing for so long of what waits for it is sent away."""
    ping_s: float = 20.0
    """A connection that is silent for so long is pinged, and closed after three times that."""
