"""How somebody is reached, and how a server stands, in words. Pure functions, no widgets."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.address import parse_address
from folkmoot.domain.errors import UserError
from folkmoot.domain.servers import NAT_PREFIX
from folkmoot.services.values import LinkState, Peer, Server, ServerPhase, Way
from folkmoot.ui.connections.names import relay_name
from folkmoot.ui.timeline.wording import Wording

_NEAR = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
"""Addresses that only a local network has (RFC 1918, 3927, 4193, 4291)."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Connections", text)


class Over(enum.Enum):
    """Over what somebody is reached: an icon and a token, since colour alone says nothing."""

    NETWORK = ("network", "ok_text")
    INTERNET = ("globe", "ok_text")
    SERVER = ("server", "away_text")
    NOTHING = ("unplug", "bad_text")

    @property
    def icon(self) -> str:
        """The small picture beside the words."""
        return str(self.value[0])

    @property
    def token(self) -> str:
        """The colour of both."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Reach:
    """How a person or a device is reached; `server` where `over` is SERVER."""

    over: Over
    server: str = ""
    rtt_ms: float | None = None
    last_seen_ms: int | None = None

    @property
    def words(self) -> str:
        """The whole of it, as a sentence begins."""
        if self.over is Over.SERVER:
            return _tr("Over {server}").format(server=self.server)
        return {
            Over.NETWORK: _tr("On this network"),
            Over.INTERNET: _tr("Direct, over the internet"),
            Over.NOTHING: _tr("Not reached"),
        }[self.over]

    @property
    def inside(self) -> str:
        """The same inside a sentence or behind a dot."""
        if self.over is Over.SERVER:
            return _tr("over {server}").format(server=self.server)
        return {
            Over.NETWORK: _tr("on this network"),
            Over.INTERNET: _tr("direct, over the internet"),
            Over.NOTHING: _tr("not reached"),
        }[self.over]

    @property
    def with_time(self) -> str:
        """The words, and how long a round trip takes."""
        time = time_words(self.rtt_ms)
        return f"{self.words}, {time}" if time else self.words


def reach_over(
    state: LinkState, way: Way | None, address: str, rtt_ms: float | None = None
) -> Reach:
    """How one device is reached."""
    if state is not LinkState.LINKED or way is None:
        return Reach(Over.NOTHING)
    if way is Way.RELAY:
        return Reach(Over.SERVER, relay_name(address), rtt_ms)
    near = way is Way.LAN or _is_near(address)
    return Reach(Over.NETWORK if near else Over.INTERNET, "", rtt_ms)


def reach_of(peers: Iterable[Peer]) -> Reach | None:
    """How a person is reached, by the best of the devices; None for somebody without one."""
    devices = list(peers)
    linked = [peer for peer in devices if peer.state is LinkState.LINKED]
    if linked:
        best = min(linked, key=lambda p: (-p.way.rank, p.rtt_ms is None, p.rtt_ms or 0.0))
        return reach_over(best.state, best.way, best.address, best.rtt_ms)
    if not devices:
        return None
    seen = [peer.last_seen_ms for peer in devices if peer.last_seen_ms is not None]
    return Reach(Over.NOTHING, last_seen_ms=max(seen, default=None))


def server_line(server: Server) -> str:
    """How the connection to a server stands."""
    if server.phase is ServerPhase.READY:
        line = _tr("Connected")
        if server.people == 1:
            line = _tr("Connected, 1 computer of your teams is there")
        elif server.people > 1:
            line = _tr("Connected, {n} computers of your teams are there").format(n=server.people)
        time = time_words(server.rtt_ms)
        return f"{line} · {time}" if time else line
    if server.phase is ServerPhase.CONNECTING:
        return _tr("Connecting…")
    if server.phase is ServerPhase.OFF:
        return _tr("Not in use")
    if server.words:
        return _tr("Not reached. {words}").format(words=server.words)
    return _tr("Not reached. It is tried again by itself.")


def server_facts(server: Server) -> str:
    """What a server does beside introducing, and how it came here."""
    facts = []
    if server.phase is ServerPhase.READY:
        if server.mail_s:
            kept = duration_words(server.mail_s)
            facts.append(_tr("keeps sealed messages for up to {time}").format(time=kept))
        else:
            facts.append(_tr("keeps no messages"))
        facts.append(_tr("relays calls") if server.turn else _tr("does not relay calls"))
    if not server.typed:
        facts.append(_tr("came with an invitation or the command line"))
    line = " · ".join(facts)
    return line[:1].upper() + line[1:]


def server_mark(server: Server) -> tuple[str, str]:
    """Icon and token for how a server stands."""
    return {
        ServerPhase.READY: ("circle-check", "ok_text"),
        ServerPhase.CONNECTING: ("refresh-cw", "mute"),
        ServerPhase.OFF: ("circle-pause", "mute"),
        ServerPhase.WAITING: ("circle-alert", "bad_text"),
    }[server.phase]


def time_words(time_ms: float | None) -> str:
    """A round trip; empty where none was measured."""
    if time_ms is None:
        return ""
    if time_ms < 1:
        return _tr("under 1 ms")
    if time_ms < 1000:
        return _tr("{n} ms").format(n=round(time_ms))
    return _tr("{n} s").format(n=f"{time_ms / 1000:.1f}")


def seen_words(at_ms: int | None, now_ms: int) -> str:
    """When somebody who is not reached was there last; empty where that is not known."""
    if at_ms is None:
        return ""
    return _tr("seen {when}").format(when=Wording().ago(at_ms, now_ms))


def duration_words(time_s: int) -> str:
    """How long something is kept."""
    for unit_s, one, many in (
        (3600, _tr("1 hour"), _tr("{n} hours")),
        (60, _tr("1 minute"), _tr("{n} minutes")),
    ):
        if time_s >= unit_s:
            count = time_s // unit_s
            return one if count == 1 else many.format(n=count)
    return _tr("{n} seconds").format(n=time_s)


def _is_near(address: str) -> bool:
    """Whether an address is one of a local network: nobody on the internet has it."""
    try:
        host = parse_address(address.removeprefix(NAT_PREFIX).partition("/")[0]).host
        found = ipaddress.ip_address(host.partition("%")[0])
    except (UserError, ValueError):
        return False
    return any(found in network for network in _NEAR if network.version == found.version)
