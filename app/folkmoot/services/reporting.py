"""Makes the report of the connection doctor from what is known.

Pure. Refuses to guess whose computer stands behind a record, unless only one can be meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from folkmoot.domain.ids import DeviceId
from folkmoot.services.attempts import (
    GOSSIP,
    MDNS,
    NAT,
    OK,
    RELAY,
    REMEMBERED,
    TYPED,
    WAYS,
    Attempt,
    Attempts,
)
from folkmoot.services.call_values import RelayCheck
from folkmoot.services.clocks import Clocks
from folkmoot.services.diagnosis import Facts, Finding, diagnose
from folkmoot.services.link import Link
from folkmoot.services.ports import Sighting, Survey
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.surroundings import Networks, host_of
from folkmoot.services.targets import Target
from folkmoot.services.values import (
    DoctorReport,
    InterfaceReport,
    LinkState,
    Outcome,
    Peer,
    PeerReport,
    ScanReport,
    Server,
    ServerPhase,
    Way,
    WayReport,
)

MAX_ROWS = 12
"""Ways shown for each device."""
_CAUSES = (
    *("no_network", "isolation", "firewall", "vpn", "key", "version", "clock", "certificate"),
    *("moved", "program", "name", "server", "subnet", "nat", "offline", "unseen"),
)
"""The cause that explains most stands first."""
_WHY_NOT_DIRECT = ("isolation", "firewall", "vpn", "nat", "subnet")
"""What keeps a link off the direct ways; the others are about addresses that are out of use."""
_APART = {
    "nat": "No way straight through both routers was found.",
    "subnet": "That computer is on another network.",
}
_SILENT = "Nobody answers at this address."
_CERTIFICATE = ("clock", "bad_certificate")
_LINKED = {
    Way.LAN: "Linked: it was found on this network.",
    Way.TYPED: "Linked, at an address that was typed.",
    Way.DIRECT: "Linked straight, with no server in between.",
    Way.NAT: "Linked straight through the routers; a server helped to find the way.",
    Way.RELAY: "Linked; a server hands everything on and can read nothing of it.",
}
_NAMES = {
    Way.LAN: MDNS,
    Way.TYPED: TYPED,
    Way.DIRECT: REMEMBERED,
    Way.NAT: NAT,
    Way.RELAY: RELAY,
}


@dataclass(frozen=True, slots=True)
class Known:
    """Everything a report is made from. `records`: those that carry a tag of a team of ours;
    `elsewhere`: the host in `survey` that stands for everything far away."""

    at_ms: int
    version: str
    survey: Survey
    elsewhere: str
    listening: tuple[str, ...]
    addresses: tuple[str, ...]
    discovery: str
    records: Sequence[Sighting]
    servers: tuple[Server, ...]
    server_codes: Mapping[str, str]
    """Why servers are not ready, by url: codes of `services.signaling_port.ServerState`."""
    peers: Sequence[Peer]
    links: Mapping[DeviceId, Link]
    targets: Sequence[Target]
    attempts: Attempts
    registry: TeamRegistry
    clocks: Clocks
    scans: tuple[ScanReport, ...]
    relay: RelayCheck | None = None
    """What came of the last attempt of a call to get a relay."""


@dataclass(frozen=True, slots=True)
class _Row:
    """An address at which a device is sought, and what came of it."""

    way: str
    address: str
    attempt: Attempt | None
    trying: bool
    group: str = ""


def make_report(known: Known) -> DoctorReport:
    """The whole report."""
    reporter = _Reporter(known)
    rows, others = reporter.share_out()
    peers = tuple(reporter.peer(peer, rows.get(peer.device, [])) for peer in known.peers)
    return DoctorReport(
        at_ms=known.at_ms,
        version=known.version,
        summary=_summary(peers, reporter.networks.lonely and bool(known.survey.interfaces)),
        listening=known.addresses or known.listening,
        interfaces=tuple(
            InterfaceReport(each.name, each.addresses, each.kind)
            for each in known.survey.interfaces
        ),
        discovery=known.discovery,
        seen=len(known.records),
        servers=known.servers,
        peers=peers,
        advice=tuple(reporter.own_advice()),
        others=tuple(reporter.way(row) for row in others),
        scans=known.scans,
    )


class _Reporter:
    """Judges rows by the networks of this computer."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.networks = Networks(known.survey)
        self._seen = {host_of(text) for record in known.records for text in record.addresses}
        linked = {link.host.strip("[]") for link in known.links.values()}
        self._answering = known.attempts.hosts_that_answer() | linked
        near = (self.networks.network_of(host) for host in linked)
        self._reached = {network for network in near if network is not None}

    # --- which address belongs to whom ---------------------------------------------------------

    def share_out(self) -> tuple[dict[DeviceId, list[_Row]], list[_Row]]:
        """The rows of each device, and those of nobody known."""
        rows: dict[DeviceId, list[_Row]] = {peer.device: [] for peer in self.known.peers}
        for target in self.known.targets:
            if target.device in rows:
                rows[target.device].append(self._row(target, target.device))
        for device, held in rows.items():
            shown = {row.address for row in held}
            for made in self.known.attempts.of(device):
                stale = made.code == OK and device not in self.known.links
                if made.address not in shown and not stale:
                    held.append(_Row(made.way, made.address, made, trying=False))
        others: list[_Row] = []
        for target in self.known.targets:
            if target.device is None:
                meant = self._meant(target, rows)
                where = others if meant is None else rows[meant]
                if target.address not in {row.address for row in where}:
                    where.append(self._row(target, None))
        return rows, others[: 4 * MAX_ROWS]

    def _row(self, target: Target, device: DeviceId | None) -> _Row:
        attempts = self.known.attempts
        made = attempts.at(target.address, device) or attempts.at(target.address)
        way = target.means
        if way == REMEMBERED and attempts.is_hearsay(target.address):
            way = GOSSIP
        return _Row(way, target.address, made, target.dialling, target.group)

    def _meant(self, target: Target, rows: Mapping[DeviceId, list[_Row]]) -> DeviceId | None:
        """The only device that can be behind an address at which nobody proved who they are."""
        away = [device for device in rows if device not in self.known.links]
        host = host_of(target.address)
        same = [d for d in away if any(host_of(row.address) == host for row in rows[d])]
        if len(same) == 1:
            return same[0]
        state = None if target.team is None else self.known.registry.team(target.team)
        if state is None:
            return None
        team = [device for device in away if device in state.certificates]
        return team[0] if len(team) == 1 else None

    # --- one device ----------------------------------------------------------------------------

    def peer(self, peer: Peer, rows: list[_Row]) -> PeerReport:
        """What is known of one device."""
        link = self.known.links.get(peer.device)
        ways = sorted((self.way(row) for row in rows), key=_newest_first)[:MAX_ROWS]
        if link is not None:
            ways = [_beside_a_link(way) for way in ways]
            linked = _linked_way(link, self.known.at_ms)
            ways = [linked, *(way for way in ways if not _is_same(way, linked))]
        else:
            ways += self._ways_not_tried(ways)
        ways.sort(key=lambda way: WAYS.index(way.way) if way.way in WAYS else len(WAYS))
        why, advice = self._why(peer, link, ways)
        return PeerReport(
            peer.device,
            peer.person,
            peer.name,
            self._device_name(peer.device),
            peer.state,
            None if link is None else link.way,
            why,
            peer.rtt_ms,
            tuple(ways),
            advice,
        )

    def way(self, row: _Row) -> WayReport:
        """One row in words."""
        made = row.attempt
        if made is None:
            outcome = Outcome.TRYING if row.trying else Outcome.UNTRIED
            answer = "It is being tried now." if row.trying else "It was not tried yet."
            return WayReport(row.way, row.address, outcome, "", answer)
        found = diagnose(self._facts(row, made.code))
        outcome = Outcome.REACHED if made.code == OK else Outcome.FAILED
        return WayReport(
            row.way,
            row.address,
            outcome,
            made.code,
            found.answer,
            found.cause,
            found.advice,
            made.took_ms,
            made.at_ms,
        )

    def _facts(self, row: _Row, code: str) -> Facts:
        host = host_of(row.address)
        networks = self.networks
        network = networks.network_of(host)
        return Facts(
            way=row.way,
            code=code,
            seen=host in self._seen,
            near=networks.is_near(host) if self.known.survey.interfaces else None,
            local=networks.is_local(host),
            own=networks.is_own(host),
            answers=host in self._answering,
            over=networks.kind_towards(host),
            others=network is not None and network in self._reached,
            lonely=networks.lonely and bool(self.known.survey.interfaces),
            discovery=self.known.discovery,
            clock_off=bool(self.known.clocks.own_is_off_s()),
            served=bool(self.known.servers),
        )

    def _ways_not_tried(self, ways: Sequence[WayReport]) -> list[WayReport]:
        """Why ways that would help were not tried."""
        tried = {way.way for way in ways}
        missing: list[WayReport] = []
        if not any(way.address for way in ways):
            missing.append(self._untried(REMEMBERED, "never_seen"))
        if MDNS not in tried:
            missing.append(self._untried(MDNS, "not_seen"))
        for way in (NAT, RELAY):
            if way not in tried:
                missing.append(self._without_server(way))
        return missing

    def _untried(self, way: str, code: str) -> WayReport:
        found = diagnose(Facts(way, code, discovery=self.known.discovery))
        return WayReport(way, "", Outcome.UNTRIED, code, *_said(found))

    def _without_server(self, way: str) -> WayReport:
        servers = self.known.servers
        if not servers:
            return self._untried(way, "no_server")
        if any(server.phase is ServerPhase.READY for server in servers):
            away = [server for server in servers if server.phase is ServerPhase.WAITING]
            return self._untried(way, "not_there") if not away else self._at_none(way, away)
        server = servers[0]
        address = server.url if way == RELAY else ""
        code = self.known.server_codes.get(server.url, "")
        if code in _CERTIFICATE:
            found = diagnose(Facts(way, code, clock_off=bool(self.known.clocks.own_is_off_s())))
            return WayReport(way, address, Outcome.UNTRIED, code, *_said(found))
        answer = f"The server is not reached. {server.words}".strip()
        return WayReport(
            way, address, Outcome.UNTRIED, "server_away", answer, "server", server.hint
        )

    def _at_none(self, way: str, away: Sequence[Server]) -> WayReport:
        """Some servers are reached and it is at none of them; it may be at the others."""
        found = diagnose(Facts(way, "not_there"))
        names = ", ".join(server.url.partition("://")[2].rstrip("/") for server in away)
        answer = f"It is at no server that is reached now. Not reached: {names}."
        return WayReport(way, "", Outcome.UNTRIED, "not_there", answer, found.cause, found.advice)

    def _why(self, peer: Peer, link: Link | None, ways: Sequence[WayReport]) -> tuple[str, str]:
        """Why a device is reached as it is or not, and what would help."""
        main = _main(ways, linked=link is not None)
        apart_s = self.known.clocks.apart_s(peer.device)
        clocks = f" Its clock and ours are {_span(apart_s)} apart." if apart_s else ""
        if link is not None:
            return _LINKED[link.way] + _why_not_direct(link.way, main) + clocks, (
                main.advice if main is not None and link.way.rank < Way.DIRECT.rank else ""
            )
        if main is not None:
            return main.answer + clocks, main.advice
        if peer.state is LinkState.CONNECTING:
            return "It is being tried now.", ""
        if any(way.outcome is Outcome.REACHED for way in ways):
            return "It answered a moment ago; the link is being made again.", ""
        return "It was not tried yet.", ""

    def _device_name(self, device: DeviceId) -> str:
        held = (state.certificates.get(device) for state in self.known.registry.teams())
        return next((one.name for one in held if one is not None), "")

    # --- this computer -------------------------------------------------------------------------

    def own_advice(self) -> list[str]:
        """What is wrong with this computer itself."""
        known, found = self.known, []
        if known.survey.interfaces and self.networks.lonely:
            found.append("This computer is on no network. Connect it by cable or wirelessly.")
        if known.discovery == "failed":
            said = diagnose(Facts(MDNS, "not_seen", discovery="failed"))
            found.append(f"{said.answer} {said.advice}")
        if known.discovery == "off":
            found.append("Looking for others on the network is turned off (--no-discovery).")
        away = [peer for peer in known.peers if peer.device not in known.links]
        if away and self.networks.kind_towards(known.elsewhere) == "vpn":
            found.append(
                "A VPN takes everything that leaves this computer. If nobody is reached, leave it "
                "for a moment, or allow the local network in its settings."
            )
        if known.relay is not None and known.relay.words:
            found.append(f"{known.relay.words} {known.relay.hint}")
        off_s = known.clocks.own_is_off_s()
        if not off_s and "clock" in known.server_codes.values():
            said = diagnose(Facts(RELAY, "clock"))
            found.append(f"{said.answer} {said.advice}")
        if off_s:
            side = "behind" if off_s > 0 else "ahead"
            found.append(
                f"The clock of this computer seems {_span(off_s)} {side}. Set date, time and time "
                "zone; best let it set them by itself."
            )
        return found


def _said(found: Finding) -> tuple[str, str, str]:
    """In the order in which a `WayReport` has them."""
    return found.answer, found.cause, found.advice


def _main(ways: Sequence[WayReport], *, linked: bool) -> WayReport | None:
    """The way whose failure explains most. Of who is linked nobody needs to hear that they may be
    off, or are not known; of who is not at a server that is reached, that networks are apart."""
    causes: Sequence[str] = _WHY_NOT_DIRECT if linked else _CAUSES
    if any(way.code == "not_there" for way in ways):
        causes = [cause for cause in causes if cause != "subnet"]
    failed = [way for way in ways if way.cause in causes]
    by_cause = sorted(
        failed,
        key=lambda way: (
            way.outcome is not Outcome.FAILED and way.cause != "server",
            causes.index(way.cause),
            -(way.at_ms or 0),
        ),
    )
    return by_cause[0] if by_cause else None


def _beside_a_link(way: WayReport) -> WayReport:
    """A way of somebody who is linked: they are there, so that nobody need be woken or brought into
    another network, and what was not tried is not missed."""
    if way.outcome is Outcome.UNTRIED and not way.code:
        return replace(way, answer="It is not needed now.")
    if way.cause == "offline":
        is_silent = way.code != "refused"
        return replace(way, answer=_SILENT if is_silent else way.answer, advice="")
    return replace(way, advice="") if way.cause == "subnet" else way


def _why_not_direct(way: Way, main: WayReport | None) -> str:
    """What stands in the way of a better link; through routers it needs no word that they are."""
    if main is None or way.rank == Way.DIRECT.rank:
        return ""
    if main.cause in _APART:
        return "" if way is Way.NAT else f" {_APART[main.cause]}"
    return f" No link on this network: {main.answer}"


def _linked_way(link: Link, at_ms: int) -> WayReport:
    answer = "It answers." if link.dialled else "It called this computer."
    rtt_ms = None if link.rtt_s is None else link.rtt_s * 1000
    way = _NAMES[link.way]
    return WayReport(way, link.remote, Outcome.REACHED, OK, answer, "", "", rtt_ms, at_ms)


def _is_same(way: WayReport, linked: WayReport) -> bool:
    """Whether the link says the same, and more; ways through NAT are tried at no address."""
    return way.address == linked.address or (way.way == linked.way and not way.address)


def _newest_first(way: WayReport) -> tuple[bool, int]:
    return way.at_ms is None, -(way.at_ms or 0)


def _summary(peers: Sequence[PeerReport], lonely: bool) -> str:
    linked = sum(peer.state is LinkState.LINKED for peer in peers)
    if lonely and not linked:
        return "This computer is on no network."
    if not peers:
        return "You share no team with anybody yet."
    if linked == len(peers):
        return "The computer of everybody in your teams is reached."
    count = f"{linked} of {len(peers)} computers of your teams are reached."
    if len(peers) == 1:
        count = "The one other computer of your teams is not reached."
    advised = [peer.advice for peer in peers if peer.state is not LinkState.LINKED and peer.advice]
    if not advised:
        return count
    return f"{count} {max(advised, key=advised.count)}"


def _span(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"
