"""A report of the connection doctor as text that can be sent to somebody who helps.

Pure. It holds no word of a message; names of persons and computers only where they are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from folkmoot.services.values import (
    DoctorReport,
    LinkState,
    PeerReport,
    Server,
    ServerPhase,
    WayReport,
)

_STATES = {
    LinkState.LINKED: "reached",
    LinkState.CONNECTING: "being tried",
    LinkState.UNREACHABLE: "not reached",
}
_WAYS = {
    "mdns": "seen on this network",
    "remembered": "remembered address",
    "typed": "typed address",
    "gossip": "address told by others",
    "nat": "straight through routers",
    "relay": "through a server",
}
_PHASES = {
    ServerPhase.READY: "connected",
    ServerPhase.CONNECTING: "connecting",
    ServerPhase.OFF: "not in use",
    ServerPhase.WAITING: "not reached",
}
_DISCOVERY = {"on": "on", "off": "turned off", "failed": "not possible now"}


def doctor_text(report: DoctorReport, *, names: bool = False) -> str:
    """The whole report, one fact in a line. Without `names` persons are short ids."""
    return "\n".join(_lines(report if names else without_names(report))) + "\n"


def without_names(report: DoctorReport) -> DoctorReport:
    """The same with short ids in place of the names of persons and computers."""
    peers = tuple(
        replace(peer, name=peer.person.hex()[:8], device_name=peer.device.hex()[:8])
        for peer in report.peers
    )
    return replace(report, peers=peers)


def _lines(report: DoctorReport) -> Iterator[str]:
    yield f"Folkmoot {report.version}: connections"
    yield report.summary
    yield ""
    yield "This computer"
    yield f"  listens at: {', '.join(report.listening) or 'nowhere'}"
    for interface in report.interfaces:
        yield f"  network {interface.name} ({interface.kind}): {', '.join(interface.addresses)}"
    seen = f", {_count(report.seen, 'record')} of your teams seen" if report.seen else ""
    yield f"  looking for others on the network: {_DISCOVERY.get(report.discovery, '?')}{seen}"
    yield from (f"  server {_server(server)}" for server in report.servers)
    yield from (f"  ! {advice}" for advice in report.advice)
    for peer in report.peers:
        yield ""
        yield from _peer(peer)
    if report.others:
        yield ""
        yield "Whose these are is not known"
        for way in report.others:
            yield from _way(way)
    for scan in report.scans:
        yield ""
        state = "looked through" if scan.over else f"{scan.tried} of {scan.total} looked through"
        answers = ", ".join(f"{code} {count}" for code, count in scan.answers)
        yield f"Range {scan.range}: {state}"
        yield f"  found: {', '.join(scan.found) or 'nobody of your teams'}"
        yield f"  answers: {answers or 'none yet'}"


def _peer(peer: PeerReport) -> Iterator[str]:
    who = f"{peer.name} on {peer.device_name or peer.device.hex()[:8]}"
    rtt = "" if peer.rtt_ms is None else f", {peer.rtt_ms:.0f} ms"
    yield f"{who}: {_STATES[peer.state]}{rtt}"
    yield f"  {peer.why}"
    if peer.advice:
        yield f"  → {peer.advice}"
    for way in peer.ways:
        yield from _way(way)


def _way(way: WayReport) -> Iterator[str]:
    _, scheme, rest = way.address.partition("://")
    # Behind the slash of a way through a server stands a key, which says nothing to anybody.
    where = rest.partition("/")[0] if scheme else way.address
    place = f" {where}" if where else ""
    took = "" if way.took_ms is None else f", {way.took_ms:.0f} ms"
    code = f" ({', '.join(filter(None, (way.code, way.cause)))}{took})" if way.code else ""
    yield f"  - {_WAYS.get(way.way, way.way)}{place}: {way.outcome.value}. {way.answer}{code}"


def _server(server: Server) -> str:
    said = _PHASES[server.phase]
    if server.phase is ServerPhase.READY:
        rtt = "" if server.rtt_ms is None else f", {server.rtt_ms:.0f} ms"
        said += f", {_count(server.people, 'computer')} of your teams there{rtt}"
    words = f". {server.words} {server.hint}".rstrip() if server.words else ""
    return f"{server.url}: {said}{words}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
