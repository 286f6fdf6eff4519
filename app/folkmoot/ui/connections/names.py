"""Servers as people call them. Pure functions, no widgets."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.address import Address
from folkmoot.domain.errors import UserError
from folkmoot.domain.servers import parse_relay_address, parse_server

_USUAL_PORTS = (80, 443)


def server_name(url: str) -> str:
    """A server without the scheme, and without a usual port."""
    try:
        return _short(parse_server(url).place)
    except UserError:
        return url


def relay_name(address: str) -> str:
    """The server in the address of a device behind it."""
    try:
        return _short(parse_relay_address(address)[0])
    except UserError:
        return QCoreApplication.translate("Connections", "a server")


def _short(place: Address) -> str:
    return place.host if place.port in _USUAL_PORTS else str(place)
