"""Reads which STUN and TURN servers a person named, for calls across networks.

Owns the way they are written: ``URL`` or ``URL USERNAME CREDENTIAL``, with ``;`` or a new line
between two (RFC 7064 and 7065 say how a URL looks). Refuses what a connection would not use: it
asks one STUN and one TURN server and no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from folkmoot.domain.errors import UserError
from folkmoot.services.media_port import IceServer

_URL = re.compile(
    r"(?P<scheme>stun|turn|turns):(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:\?transport=(?P<transport>udp|tcp))?"
)
_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}
_LIKE = "It looks like “stun:stun.example.org” or “turn:turn.example.org:3478 username password”."


@dataclass(frozen=True, slots=True)
class IceUrl:
    """What the address of a STUN or TURN server says. `transport`: ``udp`` or ``tcp``."""

    scheme: str
    host: str
    port: int
    transport: str

    @property
    def is_turn(self) -> bool:
        """Whether it relays."""
        return self.scheme != "stun"

    @property
    def effort(self) -> int:
        """What it costs, and through how much it gets: UDP, TCP, TLS."""
        return 2 if self.scheme == "turns" else int(self.transport == "tcp")


def read_url(text: str) -> IceUrl | None:
    """The parts of an address; None if it is none that a connection can use."""
    match = _URL.fullmatch(text)
    if match is None:
        return None
    scheme, port = match["scheme"], int(match["port"] or _PORTS[match["scheme"]])
    transport = match["transport"] or ("tcp" if scheme == "turns" else "udp")
    unfit = (scheme == "stun" and match["transport"]) or (scheme, transport) == ("turns", "udp")
    if unfit or not 0 < port < 65_536:
        return None
    return IceUrl(scheme, match["host"].strip("[]"), port, transport)


def parse_servers(text: str) -> tuple[IceServer, ...]:
    """The servers, none for an empty text; raises `UserError` ``bad_server``."""
    entries = [entry.split() for entry in re.split(r"[;\n]", text) if entry.strip()]
    servers = tuple(_parse(words) for words in entries)
    for kind, name in (("stun", "STUN"), ("turn", "TURN")):
        if sum(server.url.startswith(kind) for server in servers) > 1:
            raise UserError(
                "bad_server",
                f"Calls use one {name} server, the first.",
                f"Leave out the other {name} servers.",
            )
    return servers


def _parse(words: list[str]) -> IceServer:
    match = _URL.fullmatch(words[0])
    if match is None or (match["port"] and not 0 < int(match["port"]) < 65_536):
        raise UserError("bad_server", f"“{words[0][:60]}” is no address of a server.", _LIKE)
    if match["scheme"] == "stun":
        if len(words) > 1 or match["transport"]:
            raise UserError("bad_server", "A STUN server is only an address.", _LIKE)
    elif len(words) != 3:
        raise UserError("bad_server", "A TURN server needs a username and a password.", _LIKE)
    if match["scheme"] == "turns" and match["transport"] == "udp":
        raise UserError("bad_server", "A server of “turns:” is reached by TCP only.", _LIKE)
    return IceServer(*words)
