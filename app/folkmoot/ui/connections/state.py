"""What the connection doctor shows, computed from its report. Pure functions, no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services.values import (
    DoctorReport,
    InterfaceReport,
    LinkState,
    Outcome,
    PeerReport,
    ScanReport,
    Way,
    WayReport,
)
from folkmoot.ui.connections.names import relay_name, server_name
from folkmoot.ui.connections.words import Over, Reach, reach_over, server_line, time_words
from folkmoot.ui.timeline.wording import Wording

_ORDER = (Over.NOTHING, Over.SERVER, Over.INTERNET, Over.NETWORK)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Doctor", text)


@dataclass(frozen=True, slots=True)
class WayState:
    """One way that was tried, or not. `facts`: how long it took and when."""

    key: tuple[str, str]
    icon: str
    token: str
    title: str
    address: str
    answer: str
    facts: str
    advice: str

    @property
    def spoken(self) -> str:
        """All of it, as a screen reader says it."""
        parts = (self.title, self.address, self.answer, self.facts, self.advice)
        return ", ".join(part.rstrip(".") for part in parts if part)


@dataclass(frozen=True, slots=True)
class RowState:
    """One device of somebody."""

    device: DeviceId
    person: PersonId
    name: str
    device_name: str
    reach: Reach
    searching: bool
    why: str
    advice: str
    ways: tuple[WayState, ...]

    @property
    def state_words(self) -> str:
        """How it is reached, as it stands in the row."""
        return _tr("Looking…") if self.searching else self.reach.words

    @property
    def spoken(self) -> str:
        """The row as a screen reader says it."""
        state = self.state_words if self.searching else self.reach.with_time
        return ", ".join(part for part in (self.name, self.device_name, state, self.why) if part)

    def fits(self, words: str) -> bool:
        """Whether each word is in one of the names."""
        names = f"{self.name} {self.device_name} {self.state_words}".casefold()
        return all(word in names for word in words.casefold().split())


@dataclass(frozen=True, slots=True)
class DoctorState:
    """The report, ready to be shown."""

    summary: str
    icon: str
    token: str
    when: str
    facts: tuple[tuple[str, str], ...]
    advice: tuple[str, ...]
    has_server: bool
    counts: str
    rows: tuple[RowState, ...]
    others: tuple[WayState, ...]
    """Addresses of which it is not known whose they are."""
    scans: tuple[str, ...]
    looks: bool
    """A range is being looked through."""


def doctor_state(report: DoctorReport, now_ms: int) -> DoctorState:
    """Who is not reached first, then by name."""
    rows = [row_state(peer, now_ms) for peer in report.peers]
    rows.sort(key=lambda r: (_ORDER.index(r.reach.over), r.name.casefold(), r.device))
    icon, token = _tone(report, rows)
    return DoctorState(
        summary=report.summary,
        icon=icon,
        token=token,
        when=_tr("As of {time}").format(time=Wording().time(report.at_ms)),
        facts=_facts(report),
        advice=report.advice,
        has_server=bool(report.servers),
        counts=_counts(rows),
        rows=tuple(rows),
        others=tuple(_way(way, now_ms) for way in report.others),
        scans=tuple(_scan_words(scan) for scan in report.scans),
        looks=any(not scan.over for scan in report.scans),
    )


def row_state(peer: PeerReport, now_ms: int) -> RowState:
    """One device. Who is reached needs no advice over all; each way that failed has its own."""
    advice = "" if peer.state is LinkState.LINKED else peer.advice
    return RowState(
        device=peer.device,
        person=peer.person,
        name=peer.name,
        device_name=peer.device_name,
        reach=reach_over(peer.state, peer.way, _address(peer), peer.rtt_ms),
        searching=peer.state is LinkState.CONNECTING,
        why=peer.why,
        advice=advice,
        ways=tuple(_beside(peer, _way(way, now_ms, said=advice)) for way in peer.ways),
    )


def _beside(peer: PeerReport, way: WayState) -> WayState:
    """What fails beside a link that is up is no alarm."""
    alarms = way.token == "bad_text" and peer.state is LinkState.LINKED
    return replace(way, token="mute") if alarms else way


def _address(peer: PeerReport) -> str:
    """Where the link goes to."""
    through = {Way.RELAY: ("relay",), Way.NAT: ("nat",)}
    kinds = through.get(peer.way, ()) if peer.way is not None else ()
    reached = [way for way in peer.ways if way.outcome is Outcome.REACHED]
    fitting = [way for way in reached if not kinds or way.way in kinds]
    return fitting[0].address if fitting else ""


def _tone(report: DoctorReport, rows: Sequence[RowState]) -> tuple[str, str]:
    missing = sum(row.reach.over is Over.NOTHING for row in rows)
    if report.advice or (missing and missing == len(rows)):
        return "triangle-alert", "away_text"
    return ("info", "accent") if missing else ("circle-check", "ok_text")


def _counts(rows: Sequence[RowState]) -> str:
    direct = sum(row.reach.over in (Over.NETWORK, Over.INTERNET) for row in rows)
    server = sum(row.reach.over is Over.SERVER for row in rows)
    missing = len(rows) - direct - server
    said = (
        (missing, _tr("{n} not reached")),
        (server, _tr("{n} over a server")),
        (direct, _tr("{n} directly")),
    )
    return " · ".join(words.format(n=count) for count, words in said if count)


def _facts(report: DoctorReport) -> tuple[tuple[str, str], ...]:
    """Always the same four, so that nothing moves when one changes."""
    listens = ", ".join(report.listening)
    outside = [one for one in report.interfaces if one.kind != "loopback"]
    networks = "\n".join(_network(one) for one in outside)
    servers = "\n".join(f"{server_name(s.url)}: {server_line(s)}" for s in report.servers)
    return (
        (_tr("Takes connections at"), listens or _tr("Nowhere: others cannot connect to it.")),
        (_tr("Networks"), networks or _tr("None")),
        (_tr("Seen on this network"), _seen(report)),
        (
            _tr("Servers"),
            servers or _tr("None. People on other networks are met only over a server."),
        ),
    )


def _seen(report: DoctorReport) -> str:
    if report.discovery == "off":
        return _tr("Nobody is looked for: mDNS is switched off here.")
    if report.discovery == "failed":
        return _tr("Nobody can be looked for: mDNS does not work here.")
    if report.seen == 1:
        return _tr("1 computer of your teams (mDNS)")
    if report.seen:
        return _tr("{n} computers of your teams (mDNS)").format(n=report.seen)
    return _tr("No computer of your teams (mDNS)")


def _network(one: InterfaceReport) -> str:
    kind = {
        "cable": _tr("cable"),
        "wireless": _tr("wireless"),
        "vpn": _tr("VPN"),
        "virtual": _tr("virtual"),
    }.get(one.kind, "")
    name = f"{one.name} ({kind})" if kind else one.name
    return f"{name}: {', '.join(one.addresses) or _tr('no address')}"


def _way(way: WayReport, now_ms: int, said: str = "") -> WayState:
    """`said`: the advice that stands over the ways already."""
    icon, token = {
        Outcome.REACHED: ("circle-check", "ok_text"),
        Outcome.FAILED: ("circle-alert", "bad_text"),
        Outcome.TRYING: ("refresh-cw", "mute"),
        Outcome.UNTRIED: ("minus", "faint"),
    }[way.outcome]
    is_relay = way.address.startswith("relay://")
    facts = [time_words(way.took_ms)]
    if way.at_ms is not None:
        facts.append(Wording().ago(way.at_ms, now_ms))
    return WayState(
        key=(way.way, way.address),
        icon=icon,
        token=token,
        title=_way_words(way, is_relay=is_relay),
        address="" if is_relay else way.address.rpartition("://")[2].partition("/")[0],
        answer=way.answer,
        facts=" · ".join(fact for fact in facts if fact),
        advice="" if said and way.advice == said else way.advice,
    )


def _scan_words(scan: ScanReport) -> str:
    if scan.over:
        state = _tr("{n} addresses looked through").format(n=scan.total)
    else:
        state = _tr("{n} of {total} looked through").format(n=scan.tried, total=scan.total)
    found = ", ".join(scan.found) or _tr("nobody of your teams")
    return f"{scan.range}: {state}, {_tr('found: {what}').format(what=found)}"


def _way_words(way: WayReport, *, is_relay: bool) -> str:
    if way.way == "relay":
        if is_relay:
            return _tr("Over {server}").format(server=relay_name(way.address))
        return _tr("Over a server")
    return {
        "mdns": _tr("On this network (mDNS)"),
        "remembered": _tr("A remembered address"),
        "typed": _tr("An address that was typed"),
        "gossip": _tr("An address that others told"),
        "nat": _tr("Directly, over the internet"),
    }.get(way.way, way.way)
