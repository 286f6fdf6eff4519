"""The address of a signaling server as a person writes it, and the addresses of devices behind it.

``wss://talk.example.org`` and ``ws://10.0.0.5:8480`` are servers; a bare host means ``wss``. A
device behind one is ``relay://talk.example.org:443/DEVICE`` (64 hex digits); a way through NAT that
was made to it is ``nat://HOST:PORT/DEVICE``. Refuses user names, paths and queries in an address.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId

RELAY_PREFIX = "relay://"
NAT_PREFIX = "nat://"
MAX_SERVERS = 8
_PORTS = {"wss": 443, "ws": 80}


@dataclass(frozen=True, slots=True)
class ServerUrl:
    """One server. `str` is its canonical form and its origin: lower case, no default port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def place(self) -> Address:
        """Host and port."""
        return Address(self.host, self.port)


def parse_server(text: str) -> ServerUrl:
    """Read a server's address as pasted. Raises `UserError` ``bad_server``."""
    text = text.strip().rstrip("/")
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = "wss", text
    scheme = {"https": "wss", "http": "ws"}.get(scheme.lower(), scheme.lower())
    if scheme not in _PORTS or any(c in rest for c in "/?#@") or not rest.isascii():
        raise _bad(text)
    tail = rest.rpartition("]")[2]
    with_port = rest if ":" in tail else f"{rest}:{_PORTS[scheme]}"
    try:
        address = parse_address(with_port)
    except UserError as error:
        raise _bad(text) from error
    if address.port == 0:
        raise _bad(text)
    return ServerUrl(scheme, address.host.lower(), address.port)


def relay_address(server: ServerUrl, device: DeviceId) -> str:
    """Where a device is reached through a server."""
    return f"{RELAY_PREFIX}{server.place}/{device.hex()}"


def parse_relay_address(text: str) -> tuple[Address, DeviceId]:
    """(server, device) of a relay address. Raises `UserError` ``bad_address``."""
    place, slash, name = text.removeprefix(RELAY_PREFIX).partition("/")
    try:
        device = bytes.fromhex(name)
    except ValueError:
        device = b""
    if not text.startswith(RELAY_PREFIX) or not slash or len(device) != 32 or len(name) != 64:
        raise UserError("bad_address", f"“{text[:80]}” is not an address behind a server.")
    return parse_address(place), DeviceId(device)


def _bad(text: str) -> UserError:
    return UserError(
        "bad_server",
        f"“{text[:80]}” is not the address of a server.",
        "Write it as its host wrote it to you, such as wss://talk.example.org.",
    )
