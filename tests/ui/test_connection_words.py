"""How somebody is reached and how a server stands, in words."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication

from folkmoot.domain.ids import ConversationId
from folkmoot.services.values import (
    LinkState,
    Member,
    Outcome,
    Presence,
    PresenceState,
    Role,
    ServerPhase,
    Team,
    Way,
)
from folkmoot.ui.connections.names import server_name
from folkmoot.ui.connections.state import doctor_state
from folkmoot.ui.connections.words import (
    Over,
    duration_words,
    reach_of,
    reach_over,
    server_facts,
    server_line,
    time_words,
)
from folkmoot.ui.main.state import team_line, way_line
from folkmoot.ui.model import WindowModel
from ui.connection_samples import (
    AWAY,
    NOW_MS,
    READY,
    device,
    found,
    missing,
    near,
    over_server,
    peer,
    relayed,
    report,
    tried,
)
from ui.samples import NAMES, person

pytestmark = pytest.mark.usefixtures("qapp")
TEAM = ConversationId(b"t" * 32)


@pytest.mark.parametrize(
    ("way", "address", "words"),
    [
        (Way.LAN, "10.0.0.4:7000", "On this network"),
        (Way.LAN, "[2001:db8::7]:7000", "On this network"),
        (Way.TYPED, "192.168.1.20:7000", "On this network"),
        (Way.DIRECT, "[fe80::1%eth0]:7000", "On this network"),
        (Way.TYPED, "93.184.215.14:7000", "Direct, over the internet"),
        (Way.TYPED, "desk.example.org:7000", "Direct, over the internet"),
        (Way.NAT, f"nat://93.184.215.14:40001/{'ab' * 32}", "Direct, over the internet"),
        (Way.NAT, f"nat://10.0.0.9:40001/{'ab' * 32}", "On this network"),
        (Way.RELAY, relayed(1), "Over talk.example.org"),
        (Way.RELAY, f"relay://10.0.0.5:8480/{'ab' * 32}", "Over 10.0.0.5:8480"),
        (Way.RELAY, "relay://nonsense", "Over a server"),
    ],
)
def test_each_way_has_its_words(way: Way, address: str, words: str) -> None:
    assert reach_over(LinkState.LINKED, way, address).words == words


@pytest.mark.parametrize("state", [LinkState.CONNECTING, LinkState.UNREACHABLE])
def test_who_has_no_link_is_not_reached_whatever_was_tried(state: LinkState) -> None:
    assert reach_over(state, Way.LAN, "10.0.0.4:7000").words == "Not reached"


def test_a_person_is_reached_by_the_best_of_the_computers() -> None:
    relay, lan, away = peer(1, Way.RELAY), peer(2, Way.LAN), peer(3, None)
    best = reach_of([away, relay, lan])
    assert best is not None
    assert (best.over, best.rtt_ms) == (Over.NETWORK, 1.4)
    slower = replace(lan, rtt_ms=9.0)
    quickest = reach_of([slower, replace(lan, rtt_ms=None), lan])
    assert quickest is not None
    assert quickest.rtt_ms == 1.4
    assert reach_of([]) is None


def test_who_is_not_reached_was_seen_when_any_of_the_computers_was() -> None:
    seen = [replace(peer(n, None), last_seen_ms=at) for n, at in enumerate((5, None, 9))]
    reach = reach_of(seen)
    assert reach is not None
    assert (reach.over, reach.last_seen_ms) == (Over.NOTHING, 9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Connected, 3 computers of your teams are there · 24 ms"),
        ({"people": 1, "rtt_ms": None}, "Connected, 1 computer of your teams is there"),
        ({"people": 0, "rtt_ms": 0.4}, "Connected · under 1 ms"),
        ({"phase": ServerPhase.CONNECTING}, "Connecting…"),
        ({"phase": ServerPhase.OFF}, "Not in use"),
        ({"phase": ServerPhase.WAITING}, "Not reached. It is tried again by itself."),
    ],
)
def test_a_server_says_how_it_stands(changes: dict[str, object], words: str) -> None:
    assert server_line(replace(READY, **changes)) == words  # type: ignore[arg-type]


def test_a_server_that_is_away_says_why() -> None:
    assert server_line(AWAY) == "Not reached. Nothing answers at 10.0.0.5:8480."


def test_a_server_says_what_it_does_only_while_it_is_there() -> None:
    assert server_facts(READY) == "Keeps sealed messages for up to 24 hours · relays calls"
    bare = replace(READY, mail_s=0, turn=False)
    assert server_facts(bare) == "Keeps no messages · does not relay calls"
    assert server_facts(AWAY) == "Came with an invitation or the command line"


def test_names_of_servers_leave_out_what_is_usual() -> None:
    assert server_name("wss://talk.example.org") == "talk.example.org"
    assert server_name("ws://10.0.0.5:8480") == "10.0.0.5:8480"


def test_times_and_durations() -> None:
    assert [time_words(t) for t in (None, 0.2, 41.6, 1234)] == ["", "under 1 ms", "42 ms", "1.2 s"]
    said = [duration_words(s) for s in (59, 60, 600, 3600, 86_400)]
    assert said == ["59 seconds", "1 minute", "10 minutes", "1 hour", "24 hours"]


def model_of(*ways: Way | None) -> WindowModel:
    """A team of oneself and one person for each way."""
    model = WindowModel()
    model.me = person(0)
    members = [Member(person(0), NAMES[0], Role.OWNER, (), is_me=True)]
    for number, way in enumerate(ways, 1):
        members.append(Member(person(number), f"P{number}", Role.MEMBER, (), is_me=False))
        if way is not None:
            online = Presence(person(number), PresenceState.ONLINE, "", None, 1)
            model.take_presence([online])
    model.take_members(TEAM, members)
    now_ms = int(time.time() * 1000)
    model.take_peers(
        peer(n, way, person=person(n), last_seen_ms=now_ms) for n, way in enumerate(ways, 1)
    )
    return model


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        ((Way.LAN, Way.LAN), "3 of 3 online · local network"),
        ((Way.LAN, Way.RELAY), "3 of 3 online"),
        ((Way.NAT, None), "2 of 3 online · internet"),
        ((None, None), "Nobody else is reached"),
    ],
)
def test_the_side_bar_says_over_what_the_team_is_reached(
    ways: tuple[Way | None, ...], words: str
) -> None:
    team = Team(TEAM, "Harbour Studio", Role.OWNER, 1 + len(ways), visible=True)
    assert team_line(model_of(*ways), team) == words


def test_below_a_name_the_way_is_said_only_where_it_is_not_the_usual_one() -> None:
    model = model_of(Way.LAN, Way.NAT, Way.RELAY, None)
    lines = [way_line(model, person(n), "Online") for n in range(1, 5)]
    assert lines == [
        ("Online", ""),
        ("Online", ""),
        ("Online · over talk.example.org", "server"),
        ("Not reached · seen just now", "unplug"),
    ]


def test_the_doctor_shows_first_who_is_not_reached_then_by_name(qapp: QApplication) -> None:
    peers = (near(1), over_server(2), missing(3), near(0))
    state = doctor_state(report(*peers), NOW_MS)
    assert [row.name for row in state.rows] == ["Yuki Kato", "Mara Oduya", "Elin Aas", "Tomas Lind"]
    assert state.counts == "1 not reached · 1 over a server · 2 directly"
    assert state.rows[1].spoken == (
        "Mara Oduya, mara-laptop, Over talk.example.org, 84 ms, "
        "Linked; a server hands everything on and can read nothing of it."
    )


def test_the_server_of_a_relayed_row_is_that_of_the_relay() -> None:
    typed = tried("typed", Outcome.REACHED, "ok", "Connected.", address="10.0.0.9:7000")
    relay = tried("relay", Outcome.REACHED, "ok", "Connected.", address=relayed(1))
    (row,) = doctor_state(report(found(1, Way.RELAY, "", typed, relay)), NOW_MS).rows
    assert row.state_words == "Over talk.example.org"


def test_a_server_that_is_away_is_named_among_the_ways() -> None:
    away = tried("relay", Outcome.UNTRIED, "server_away", "Not reached.", address="wss://x.org")
    row = doctor_state(report(found(1, None, "", away)), NOW_MS).rows[0]
    assert (row.ways[0].title, row.ways[0].address) == ("Over a server", "x.org")


def test_what_fails_beside_a_link_is_no_alarm() -> None:
    failed = tried("typed", Outcome.FAILED, "no_answer", "No answer.", address="10.0.0.9:7000")
    relay = tried("relay", Outcome.REACHED, "ok", "Connected.", address=relayed(1))
    linked = doctor_state(report(found(1, Way.RELAY, "", failed, relay)), NOW_MS).rows[0]
    assert [way.token for way in linked.ways] == ["mute", "ok_text"]
    away = doctor_state(report(missing(1)), NOW_MS).rows[0]
    assert "bad_text" in [way.token for way in away.ways]


def test_a_row_that_is_being_tried_says_so() -> None:
    tries = replace(missing(1), state=LinkState.CONNECTING)
    (row,) = doctor_state(report(tries), NOW_MS).rows
    assert row.state_words == "Looking…"
    assert row.device == device(1)


@pytest.mark.parametrize(
    ("discovery", "seen", "words"),
    [
        ("on", 0, "No computer of your teams (mDNS)"),
        ("on", 1, "1 computer of your teams (mDNS)"),
        ("on", 4, "4 computers of your teams (mDNS)"),
        ("off", 0, "Nobody is looked for: mDNS is switched off here."),
        ("failed", 0, "Nobody can be looked for: mDNS does not work here."),
    ],
)
def test_what_is_seen_on_this_network_is_said(discovery: str, seen: int, words: str) -> None:
    facts = dict(doctor_state(report(discovery=discovery, seen=seen), NOW_MS).facts)
    assert facts["Seen on this network"] == words


def test_what_this_computer_has_not_is_said_too() -> None:
    facts = dict(doctor_state(report(listening=(), interfaces=(), servers=()), NOW_MS).facts)
    assert facts["Takes connections at"] == "Nowhere: others cannot connect to it."
    assert facts["Networks"] == "None"
    assert facts["Servers"].startswith("None.")


@pytest.mark.parametrize("way", ["mdns", "remembered", "typed", "gossip", "nat", "relay"])
def test_every_way_is_told_in_words(way: str) -> None:
    tried_so = tried(way, Outcome.FAILED, "no_answer", "No answer.")
    (line,) = doctor_state(report(found(1, None, "", tried_so)), NOW_MS).rows[0].ways
    assert line.title not in ("", way)
