"""Whether a login is good. Pure: what was dialled, what the server is called, and the signature."""

from __future__ import annotations

from collections.abc import Collection

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl, parse_server
from folkmoot.protocol.keys import verify
from folkmoot.protocol.signaling import LABEL_LOGIN, SIGNALING_VERSION, Login, login_bytes

_PORTS = {"wss": 443, "ws": 80}


def own_places(names: Collection[str]) -> frozenset[Address]:
    """Host and port of each configured name. Raises `UserError` ``bad_server``."""
    return frozenset(parse_server(name).place for name in names)


def check_login(
    login: Login, server: bytes, nonce: bytes, places: frozenset[Address], host: str
) -> None:
    """Raise `PeerError` ``bad_version``, ``foreign_origin`` or ``bad_login`` unless it is good.

    `places`: of `own_places`; without any `host`, the header of the request, says what we are.
    """
    if login.version != SIGNALING_VERSION:
        raise PeerError("bad_version", f"this server speaks version {SIGNALING_VERSION}")
    _check_origin(login.origin, places, host)
    check_signature(login.device, server, login.origin, nonce, login.signature)


def check_signature(
    device: DeviceId, server: bytes, origin: str, nonce: bytes, signature: bytes
) -> None:
    """Raise `PeerError` ``bad_login`` unless `device` signed exactly this challenge."""
    if not verify(device, LABEL_LOGIN, login_bytes(server, origin, nonce), signature):
        raise PeerError("bad_login", "the challenge is not signed by this device")


def _check_origin(origin: str, places: frozenset[Address], host: str) -> None:
    try:
        dialled = parse_server(origin)
    except UserError:
        dialled = None
    if dialled is None or str(dialled) != origin or not _is_ours(dialled, places, host):
        raise PeerError("foreign_origin", "this server has another address")


def _is_ours(dialled: ServerUrl, places: frozenset[Address], host: str) -> bool:
    if places:
        return dialled.place in places
    for text in (host, f"{host}:{_PORTS[dialled.scheme]}"):
        try:
            place = parse_address(text)
        except UserError:
            continue
        return Address(place.host.lower(), place.port) == dialled.place
    return False
