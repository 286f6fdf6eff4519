"""Made-up servers, peers and reports of the connection doctor."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.domain.servers import parse_server, relay_address
from folkmoot.services.values import (
    DoctorReport,
    InterfaceReport,
    LinkState,
    Outcome,
    Peer,
    PeerReport,
    Server,
    ServerPhase,
    Way,
    WayReport,
)
from ui.samples import NAMES, person

NOW_MS = int(time.time() * 1000)
WAKE = "Wake that computer and open Folkmoot there."
TALK = "wss://talk.example.org"
READY = Server(TALK, ServerPhase.READY, rtt_ms=23.6, people=3, mail_s=86_400, turn=True)
AWAY = Server(
    "ws://10.0.0.5:8480",
    ServerPhase.WAITING,
    words="Nothing answers at 10.0.0.5:8480.",
    hint="Check that the server runs and that no firewall is in between.",
    typed=False,
)


def device(number: int) -> DeviceId:
    """The key of a computer."""
    return DeviceId(bytes([9, 0, number // 256, number % 256]) + bytes(28))


def relayed(number: int) -> str:
    """Where a computer is behind the server."""
    return relay_address(parse_server(TALK), device(number))


def peer(number: int, way: Way | None, **changes: Any) -> Peer:
    """The computer of one of `NAMES`, reached one way or not at all."""
    address = {
        Way.LAN: f"10.0.0.{number}:7000",
        Way.NAT: f"nat://93.184.215.{number}:40001/{device(number).hex()}",
        Way.RELAY: relayed(number),
    }
    made = Peer(
        device=device(number),
        person=person(number),
        name=NAMES[number % len(NAMES)],
        state=LinkState.LINKED if way is not None else LinkState.UNREACHABLE,
        way=way or Way.DIRECT,
        address=address[way] if way is not None else "",
        rtt_ms=None if way is None else {Way.LAN: 1.4, Way.NAT: 31.0, Way.RELAY: 84.0}[way],
        last_seen_ms=NOW_MS,
    )
    return replace(made, **changes)


def tried(way: str, outcome: Outcome, code: str, answer: str, **more: Any) -> WayReport:
    """One way that was tried half a minute ago."""
    made = WayReport(way, "", outcome, code, answer, at_ms=NOW_MS - 30_000)
    return replace(made, **more)


def found(
    number: int,
    way: Way | None,
    why: str,
    *ways: WayReport,
    who: PersonId | None = None,
    name: str = "",
    computer: str = "",
    advice: str = "",
) -> PeerReport:
    """What the doctor says of a computer."""
    shown = name or NAMES[number % len(NAMES)]
    return PeerReport(
        device=device(number),
        person=who or person(number),
        name=shown,
        device_name=computer or f"{shown.split()[0].lower()}-laptop",
        state=LinkState.LINKED if way is not None else LinkState.UNREACHABLE,
        way=way,
        why=why,
        rtt_ms=None if way is None else {Way.LAN: 1.4, Way.NAT: 31.0, Way.RELAY: 84.0}[way],
        ways=ways,
        advice=advice,
    )


def near(number: int, **more: Any) -> PeerReport:
    """Somebody on this network."""
    return found(
        number,
        Way.LAN,
        "Seen on this network and connected at once.",
        tried("mdns", Outcome.REACHED, "ok", "Seen.", address=f"10.0.0.{number}:7000", took_ms=4.0),
        **more,
    )


def over_server(number: int, **more: Any) -> PeerReport:
    """Somebody behind a server."""
    return found(
        number,
        Way.RELAY,
        "Linked; a server hands everything on and can read nothing of it.",
        tried("mdns", Outcome.FAILED, "not_seen", "Not seen on this network."),
        tried(
            *("remembered", Outcome.FAILED, "no_answer"),
            "The computer is there, but lets nobody in at this port.",
            address="203.0.113.9:7000",
            cause="firewall",
            advice="Allow Folkmoot in the firewall of that computer.",
            took_ms=5000.0,
        ),
        tried(
            *("nat", Outcome.FAILED, "no_direct_way"),
            "No way straight through both routers was found.",
            cause="nat",
            advice="The server hands everything on instead; that works too.",
            took_ms=9800.0,
        ),
        tried("relay", Outcome.REACHED, "ok", "Connected.", address=relayed(number), took_ms=210.0),
        **more,
    )


def missing(number: int, **more: Any) -> PeerReport:
    """Somebody who is not reached."""
    return found(
        number,
        None,
        "No answer. It is off, asleep or elsewhere.",
        tried("mdns", Outcome.UNTRIED, "not_seen", "No record of it is seen on this network."),
        tried(
            *("typed", Outcome.FAILED, "no_answer", "No answer. It is off, asleep or elsewhere."),
            address="192.168.1.40:7000",
            cause="offline",
            advice=WAKE,
            took_ms=5000.0,
        ),
        tried(
            *("relay", Outcome.UNTRIED, "not_there", "It is not at the server now."),
            advice=f"{WAKE} It needs the same server.",
        ),
        advice=WAKE,
        **more,
    )


def report(*peers: PeerReport, **changes: Any) -> DoctorReport:
    """A report on a computer with a network and a server."""
    made = DoctorReport(
        at_ms=NOW_MS,
        version="0.1",
        summary=f"2 of 3 computers of your teams are reached. {WAKE}",
        listening=("10.0.0.7:7000", "[fe80::12]:7000"),
        interfaces=(
            InterfaceReport("eth0", ("10.0.0.7", "fe80::12"), "cable"),
            InterfaceReport("tun0", ("10.8.0.2",), "vpn"),
        ),
        discovery="on",
        seen=4,
        servers=(READY,),
        peers=peers,
        advice=(),
    )
    return replace(made, **changes)


def usual() -> DoctorReport:
    """One of each."""
    return report(near(1), over_server(2), missing(3))


def crowd(count: int = 200) -> Sequence[PeerReport]:
    """A large team."""
    kinds = (near, near, near, over_server, missing)
    return [
        kinds[n % len(kinds)](n, name=f"Person {n:03d}", computer=f"computer-{n:03d}")
        for n in range(1, count + 1)
    ]
