"""The doctor's report from what is known: whose address it is, why nobody answers, what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from folkmoot.domain.bodies import Level
from folkmoot.domain.identity import Certificate
from folkmoot.domain.ids import ZERO, ConversationId, DeviceId, EntryId, PersonId
from folkmoot.domain.team import MemberState, TeamState
from folkmoot.services.attempts import Attempts
from folkmoot.services.call_values import RelayCheck
from folkmoot.services.clocks import Clocks
from folkmoot.services.doctor_text import doctor_text
from folkmoot.services.link import Link
from folkmoot.services.ports import Interface, Sighting, Survey
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.reporting import MAX_ROWS, Known, make_report
from folkmoot.services.targets import Target
from folkmoot.services.values import (
    DoctorReport,
    LinkState,
    Outcome,
    Peer,
    PeerReport,
    ScanReport,
    Server,
    ServerPhase,
    Way,
)

BEN, CYD = DeviceId(b"b" * 32), DeviceId(b"c" * 32)
ME = PersonId(b"m" * 32)
TEAM = ConversationId(b"t" * 32)
NOW_MS = 1_700_000_000_000
WIFI = Interface("wlan0", "wireless", ("192.168.1.5/24", "fe80::5/64"))
LOOPBACK = Interface("lo", "loopback", ("127.0.0.1/8",))
VPN = Interface("wg0", "vpn", ("10.8.0.2/24",))
ELSEWHERE = "192.0.2.1"


class FakeLink:
    """As much of a link as a report looks at."""

    def __init__(self, remote: str, way: Way, *, dialled: bool = True) -> None:
        self.remote, self.way, self.dialled = remote, way, dialled
        self.host = remote.rpartition(":")[0]
        self.rtt_s: float | None = 0.004


class World:
    """What is known; a test changes what it is about."""

    def __init__(self) -> None:
        self.attempts = Attempts(lambda: 0.0, lambda: NOW_MS)
        self.clocks = Clocks()
        self.registry = TeamRegistry(ME)
        self.targets: list[Target] = []
        self.records: list[Sighting] = []
        self.links: dict[DeviceId, FakeLink] = {}
        self.devices = [BEN]
        self.interfaces: tuple[Interface, ...] = (WIFI, LOOPBACK)
        self.sources: dict[str, str] = {}
        self.more: dict[str, Any] = {}

    def seen(self, address: str, device: DeviceId | None = None) -> Target:
        """A record of our team shows this address."""
        self.records.append(Sighting("record", (address,), frozenset()))
        target = Target(address, Way.LAN, device, "record", TEAM)
        self.targets.append(target)
        return target

    def tried(self, address: str, code: str, device: DeviceId | None = BEN) -> None:
        """An attempt at an address that the dialler knows."""
        self.targets.append(Target(address, Way.DIRECT, device))
        self.attempts.note("remembered", address, code, device=device, took_s=3.0)

    def report(self) -> DoctorReport:
        """The report on all that."""
        certificates = {
            device: Certificate(PersonId(b"p" + device[1:]), device, b"", "Ben's laptop", 0)
            for device in self.devices
        }
        me = MemberState(ME, Level.MEMBER, EntryId(ZERO), "Mara")
        state = TeamState(TEAM, members={ME: me}, certificates=certificates)
        self.registry._teams[TEAM] = state  # the fold of real entries is tested elsewhere
        peers = [
            Peer(
                device,
                PersonId(b"p" + device[1:]),
                "Benjamin",
                LinkState.LINKED if device in self.links else LinkState.UNREACHABLE,
                Way.DIRECT,
                "",
                None,
                None,
            )
            for device in self.devices
        ]
        known = Known(
            at_ms=NOW_MS,
            version="1.0",
            survey=Survey(self.interfaces, self.sources),
            elsewhere=ELSEWHERE,
            listening=("0.0.0.0:7000",),
            addresses=("192.168.1.5:7000",),
            discovery="on",
            records=self.records,
            servers=(),
            server_codes={},
            peers=peers,
            links=cast("dict[DeviceId, Link]", self.links),
            targets=self.targets,
            attempts=self.attempts,
            registry=self.registry,
            clocks=self.clocks,
            scans=(),
        )
        return make_report(replace(known, **self.more))

    def ben(self) -> PeerReport:
        """What is said of Ben's computer."""
        return next(peer for peer in self.report().peers if peer.device == BEN)


@pytest.fixture
def world() -> World:
    return World()


def ways(peer: PeerReport) -> dict[str, str]:
    """{way: code}"""
    return {way.way: way.code for way in peer.ways}


def test_a_device_never_seen_is_told_with_every_way_that_could_help(world: World) -> None:
    ben = world.ben()
    assert ways(ben) == {
        "mdns": "not_seen",
        "remembered": "never_seen",
        "nat": "no_server",
        "relay": "no_server",
    }
    assert all(way.outcome is Outcome.UNTRIED for way in ben.ways)
    assert "No address of this computer is known" in ben.why
    assert "Open Folkmoot there" in ben.advice


def test_a_record_whose_port_is_silent_means_isolation_in_a_network_where_nobody_is_reached(
    world: World,
) -> None:
    world.seen("192.168.1.20:7000")
    world.attempts.note("mdns", "192.168.1.20:7000", "no_answer", took_s=3.0)
    ben = world.ben()
    assert ben.ways[0].code == "no_answer"
    assert ben.ways[0].cause == "isolation"
    assert "guest networks often forbid it" in ben.advice
    assert "guest networks often forbid it" in world.report().summary


def test_the_same_means_a_firewall_where_somebody_else_is_reached(world: World) -> None:
    world.devices = [BEN, CYD]
    world.links[CYD] = FakeLink("192.168.1.9:7000", Way.LAN)
    world.seen("192.168.1.20:7000", BEN)
    world.attempts.note("mdns", "192.168.1.20:7000", "no_answer", device=BEN, took_s=3.0)
    assert world.ben().ways[0].cause == "firewall"
    assert world.report().summary.startswith("1 of 2 computers")


def test_what_is_seen_now_explains_more_than_old_addresses_that_are_silent(world: World) -> None:
    for number in range(4):
        world.tried(f"10.1.1.{number}:7000", "no_answer")
    world.seen("192.168.1.20:7000", BEN)
    world.attempts.note("mdns", "192.168.1.20:7000", "no_answer", device=BEN)
    ben = world.ben()
    assert [way.cause for way in ben.ways if way.address][1:] == ["subnet"] * 4
    assert "seen on this network" in ben.why


def test_a_record_that_may_be_of_several_is_laid_at_nobodys_door(world: World) -> None:
    world.devices = [BEN, CYD]
    world.seen("192.168.1.20:7000")
    world.attempts.note("mdns", "192.168.1.20:7000", "no_answer")
    report = world.report()
    assert [way.address for way in report.others] == ["192.168.1.20:7000"]
    assert all(ways(peer)["mdns"] == "not_seen" for peer in report.peers)


def test_a_record_at_the_host_of_one_is_of_that_one(world: World) -> None:
    world.devices = [BEN, CYD]
    world.tried("192.168.1.20:6999", "refused", BEN)
    world.seen("192.168.1.20:7000")
    world.attempts.note("mdns", "192.168.1.20:7000", "no_answer")
    ben = world.ben()
    assert ways(ben)["mdns"] == "no_answer"
    assert ben.ways[0].cause == "firewall"  # the host answers otherwise
    assert world.report().others == ()


def test_an_address_in_another_network_is_told_from_one_that_is_near(world: World) -> None:
    world.tried("192.168.7.20:7000", "no_answer")
    assert world.ben().ways[1].cause == "subnet"
    world.interfaces = (WIFI, Interface("eth0", "cable", ("192.168.7.5/24",)))
    assert world.ben().ways[1].cause == "offline"


def test_a_vpn_that_takes_what_is_sent_there_is_blamed(world: World) -> None:
    world.interfaces = (WIFI, VPN, LOOPBACK)
    world.tried("192.168.7.20:7000", "no_answer")
    world.sources = {"192.168.7.20": "10.8.0.2", ELSEWHERE: "10.8.0.2"}
    assert world.ben().ways[1].cause == "vpn"
    assert any("A VPN takes everything" in advice for advice in world.report().advice)


def test_a_computer_in_the_vpn_itself_is_not_cut_off_by_it(world: World) -> None:
    world.interfaces = (WIFI, VPN, LOOPBACK)
    world.tried("10.8.0.9:7000", "no_answer")
    world.sources = {"10.8.0.9": "10.8.0.2", ELSEWHERE: "192.168.1.5"}
    assert world.ben().ways[1].cause == "offline"
    assert world.report().advice == ()


def test_a_relay_of_calls_that_refused_is_told_and_one_that_works_is_not() -> None:
    world = World()
    world.more = {"relay": RelayCheck("refused", "It refuses.", "Ask its host.", "turn:x", 1)}
    assert "It refuses. Ask its host." in world.report().advice
    world.more = {"relay": RelayCheck("ok", "", "", "turn:x", 1)}
    assert world.report().advice == ()


def test_without_a_network_that_is_said_first(world: World) -> None:
    world.interfaces = (LOOPBACK,)
    world.tried("192.168.1.20:7000", "no_route")
    report = world.report()
    assert report.summary == "This computer is on no network."
    assert report.peers[0].ways[1].cause == "no_network"
    assert report.advice[0].startswith("This computer is on no network")


def test_a_link_through_a_server_says_why_no_better_way_is_there(world: World) -> None:
    world.links[BEN] = FakeLink("relay://talk.example.org:443/" + BEN.hex(), Way.RELAY)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert ben.way is Way.RELAY
    assert ways(ben) == {"remembered": "no_answer", "relay": "ok"}
    assert "A server hands" in ben.why or "a server hands" in ben.why
    assert "another network" in ben.why


def test_who_is_linked_through_a_server_is_not_told_to_be_off(world: World) -> None:
    world.links[BEN] = FakeLink("relay://talk.example.org:443/" + BEN.hex(), Way.RELAY)
    world.tried("192.168.1.20:7000", "no_answer")
    ben = world.ben()
    assert ben.why == "Linked; a server hands everything on and can read nothing of it."
    assert ben.advice == ""
    assert ben.ways[0].answer == "Nobody answers at this address."
    assert ben.ways[0].advice == ""


def test_who_is_met_over_a_server_is_said_to_be_elsewhere_and_not_to_be_silent(
    world: World,
) -> None:
    world.more["servers"] = (Server("wss://x.org", ServerPhase.READY),)
    world.links[BEN] = FakeLink("relay://talk.example.org:443/" + BEN.hex(), Way.RELAY)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert ben.why.endswith("nothing of it. That computer is on another network.")
    assert (ben.advice, ben.ways[0].cause, ben.ways[0].advice) == ("", "subnet", "")
    world.attempts.note("nat", "", "no_direct_way", device=BEN, took_s=9)
    ben = world.ben()
    assert ben.why.endswith("nothing of it. No way straight through both routers was found.")
    assert "The server hands everything on instead" in ben.advice


def test_what_keeps_a_link_off_a_common_network_is_said_beside_the_server(world: World) -> None:
    world.links[BEN] = FakeLink("relay://talk.example.org:443/" + BEN.hex(), Way.RELAY)
    world.seen("192.168.1.20:7000", BEN)
    world.attempts.note("mdns", "192.168.1.20:7000", "refused", device=BEN)
    assert world.ben().why.endswith(
        "No link on this network: The computer is there, but lets nobody in at this port."
    )


@pytest.mark.parametrize("code", ["other_device", "not_folkmoot", "name_unknown"])
def test_addresses_out_of_use_explain_nothing_of_who_is_met_over_a_server(
    world: World, code: str
) -> None:
    world.links[BEN] = FakeLink("relay://talk.example.org:443/" + BEN.hex(), Way.RELAY)
    world.tried("192.168.1.20:7000", code)
    assert world.ben().why == "Linked; a server hands everything on and can read nothing of it."


def test_a_link_through_routers_needs_no_word_of_another_network(world: World) -> None:
    world.links[BEN] = FakeLink("nat://203.0.113.9:4000/" + BEN.hex(), Way.NAT)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert ben.why == "Linked straight through the routers; a server helped to find the way."


def test_a_link_on_the_network_needs_no_advice(world: World) -> None:
    world.links[BEN] = FakeLink("192.168.1.20:7000", Way.LAN)
    world.seen("192.168.1.20:7000", BEN)
    world.attempts.note("mdns", "192.168.1.20:7000", "ok", device=BEN)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert (ben.why, ben.advice) == ("Linked: it was found on this network.", "")
    assert [way.address for way in ben.ways] == ["192.168.1.20:7000", "192.168.7.20:7000"]
    assert world.report().summary == "The computer of everybody in your teams is reached."


def test_a_way_through_routers_is_told_once(world: World) -> None:
    world.links[BEN] = FakeLink("nat://203.0.113.9:4000/" + BEN.hex(), Way.NAT)
    world.attempts.note("nat", "", "ok", device=BEN, took_s=0.4)
    ben = world.ben()
    assert [(way.way, way.code) for way in ben.ways] == [("nat", "ok")]
    assert ben.why == "Linked straight through the routers; a server helped to find the way."


def test_whoever_called_us_is_told_so(world: World) -> None:
    world.links[BEN] = FakeLink("192.168.1.20:51234", Way.DIRECT, dialled=False)
    assert world.ben().ways[0].answer == "It called this computer."


def test_hearsay_is_told_from_what_this_computer_remembers(world: World) -> None:
    world.attempts.heard("192.168.1.30:7000")
    world.tried("192.168.1.30:7000", "no_answer")
    world.tried("192.168.1.31:7000", "no_answer")
    rows = {way.address: way.way for way in world.ben().ways}
    assert rows["192.168.1.30:7000"] == "gossip"
    assert rows["192.168.1.31:7000"] == "remembered"


def test_where_another_device_answered_stays_in_the_report(world: World) -> None:
    world.attempts.note("remembered", "192.168.1.20:7000", "other_device", device=BEN)
    world.targets.append(Target("192.168.1.20:7000", Way.DIRECT, CYD))
    assert world.ben().ways[1].cause == "moved"


def test_what_answered_once_where_nobody_is_thought_to_be_now_says_nothing(world: World) -> None:
    world.attempts.note("relay", "relay://talk.example.org:443/b", "ok", device=BEN)
    assert ways(world.ben())["relay"] == "no_server"


def test_a_device_has_so_many_rows_only(world: World) -> None:
    for number in range(200):
        world.tried(f"192.168.1.{number}:7000", "no_answer")
    assert sum(bool(way.address) for way in world.ben().ways) == MAX_ROWS


def test_a_server_that_is_not_reached_says_why(world: World) -> None:
    server = Server("wss://x.org", ServerPhase.WAITING, "It does not answer.", "Check the cable.")
    world.more["servers"] = (server,)
    relay = world.ben().ways[-1]
    assert (relay.way, relay.code, relay.address) == ("relay", "server_away", "wss://x.org")
    assert "It does not answer." in relay.answer
    assert relay.advice == "Check the cable."
    world.more["servers"] = (replace(server, phase=ServerPhase.READY),)
    assert ways(world.ben())["relay"] == "not_there"


def test_a_server_that_is_away_explains_more_than_an_address_in_another_network(
    world: World,
) -> None:
    server = Server("wss://x.org", ServerPhase.WAITING, "It does not answer.", "Ask its host.")
    world.more["servers"] = (server,)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert ben.why == "The server is not reached. It does not answer."
    assert ben.advice == "Ask its host."
    assert world.report().summary == (
        "The one other computer of your teams is not reached. Ask its host."
    )


def test_the_server_that_helped_to_a_direct_link_is_not_said_to_be_untried(world: World) -> None:
    world.links[BEN] = FakeLink("nat://203.0.113.9:4000/" + BEN.hex(), Way.NAT)
    world.targets.append(Target("relay://x.org:443/" + BEN.hex(), Way.RELAY, BEN))
    assert world.ben().ways[-1].answer == "It is not needed now."


def test_who_is_not_at_the_server_is_off_rather_than_in_another_network(world: World) -> None:
    world.more["servers"] = (Server("wss://x.org", ServerPhase.READY),)
    world.tried("192.168.7.20:7000", "no_answer")
    ben = world.ben()
    assert ben.why == "It is not at the server now."
    assert ben.advice.startswith("Wake that computer")


def test_who_is_at_no_server_may_be_at_one_that_is_away(world: World) -> None:
    world.more["servers"] = (
        Server("wss://x.org", ServerPhase.READY),
        Server("wss://y.org:444", ServerPhase.WAITING, "It does not answer."),
    )
    relay = world.ben().ways[-1]
    assert relay.code == "not_there"
    assert relay.answer == "It is at no server that is reached now. Not reached: y.org:444."


def test_a_clock_that_the_servers_certificate_does_not_fit_is_told(world: World) -> None:
    world.more["servers"] = (Server("wss://x.org", ServerPhase.WAITING),)
    world.more["server_codes"] = {"wss://x.org": "clock"}
    relay = world.ben().ways[-1]
    assert (relay.way, relay.code, relay.cause) == ("relay", "clock", "clock")
    assert "Set date, time and time zone" in world.report().advice[0]
    world.more["server_codes"] = {"wss://x.org": "bad_certificate"}
    assert world.ben().ways[-1].cause == "certificate"
    assert world.report().advice == ()


def test_our_clock_is_blamed_when_everybody_elses_differs(world: World) -> None:
    for device in (BEN, CYD):
        world.clocks.heard(device, NOW_MS - 3_600_000, NOW_MS, live=True)
    assert any("60 minutes ahead" in advice for advice in world.report().advice)
    assert "60 minutes apart" in world.ben().why


def test_one_clock_that_agrees_clears_ours(world: World) -> None:
    world.clocks.heard(BEN, NOW_MS + 3_600_000, NOW_MS, live=True)
    world.clocks.heard(CYD, NOW_MS + 1000, NOW_MS, live=True)
    assert world.report().advice == ()
    assert "apart" in world.ben().why


def test_what_somebody_wrote_while_away_says_nothing_of_clocks(world: World) -> None:
    world.clocks.heard(BEN, NOW_MS - 86_400_000, NOW_MS, live=False)
    assert world.report().advice == ()


def test_the_text_names_nobody_unless_that_is_wanted(world: World) -> None:
    world.tried("192.168.1.20:7000", "refused")
    world.more["scans"] = (
        ScanReport("10.0.0.0/24:7", 254, 9, ("10.0.0.4:7",), (("ok", 1), ("refused", 8)), False),
    )
    report = world.report()
    text = doctor_text(report)
    assert "Benjamin" not in text
    assert "laptop" not in text
    assert BEN.hex()[:8] in text
    assert "192.168.1.20:7000: failed" in text
    assert "(refused, offline, 3000 ms)" in text
    assert "network wlan0 (wireless): 192.168.1.5/24, fe80::5/64" in text
    assert "9 of 254 looked through" in text
    assert "refused 8" in text
    named = doctor_text(report, names=True)
    assert "Benjamin on Ben's laptop: not reached" in named


def test_the_text_says_of_a_way_over_a_server_where_it_leads_and_no_key(world: World) -> None:
    world.more["servers"] = (
        Server("wss://x.org", ServerPhase.READY, people=1),
        Server("wss://y.org", ServerPhase.WAITING, "It does not answer."),
    )
    world.links[BEN] = FakeLink("relay://x.org:443/" + BEN.hex(), Way.RELAY)
    text = doctor_text(world.report())
    assert "through a server x.org:443: reached." in text
    assert BEN.hex() not in text
    assert "server wss://x.org: connected, 1 computer of your teams there" in text
    assert "server wss://y.org: not reached. It does not answer." in text
