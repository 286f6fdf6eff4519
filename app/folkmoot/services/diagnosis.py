"""Why a way to a computer fails, and what a person without an administrator can do about it.

Pure: facts in, words out. The words name nobody, so that a report can be shown to others. Refuses
to say more than the facts allow: a likely cause, never a certain one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

ASK_HOST = "Ask who runs this network whether devices may talk to each other"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one way to one computer.

    `way` and `code` as `services.values.WayReport` has them. `seen`: a record of it is on this
    network now. `near`: its address is in a network of ours (None: it is a name). `local`: its
    address means something in some local network only. `own`: it is of this computer itself.
    `answers`: its host answers otherwise. `over`: the kind of the interface that leads there, empty
    if none does (``vpn`` only where the address is not one of the VPN itself). `others`: somebody
    else is reached in the same network. `lonely`: this computer is on no network. `discovery` as in
    `services.values.DoctorReport`. `clock_off`: our clock is far from those of others.
    `served`: this computer uses a server already.
    """

    way: str
    code: str
    seen: bool = False
    near: bool | None = None
    local: bool = True
    own: bool = False
    answers: bool = False
    over: str = "unknown"
    others: bool = False
    lonely: bool = False
    discovery: str = "on"
    clock_off: bool = False
    served: bool = False


class Finding(NamedTuple):
    """The likely cause (a code, or empty), what answered, and what to do."""

    cause: str
    answer: str
    advice: str = ""


OFF_OR_ASLEEP = "Wake that computer and open Folkmoot there."
_ISOLATION = Finding(
    "isolation",
    "It is seen on this network, but nothing that is sent to it alone is answered.",
    f"{ASK_HOST}; guest networks often forbid it. Another network, a cable, or a signaling server "
    "helps. If that network allows it, let Folkmoot through the firewall of that computer.",
)
_ISOLATION_SERVED = _ISOLATION._replace(
    advice=f"{ASK_HOST}; guest networks often forbid it. Another network or a cable helps. If that "
    "network allows it, let Folkmoot through the firewall of that computer.",
)
_FIREWALL = Finding(
    "firewall",
    "The computer is there, but lets nobody in at this port.",
    "Allow Folkmoot in the firewall of that computer: most ask when Folkmoot first starts; choose "
    "“private” or “home” network there.",
)
_SUBNET = Finding(
    "subnet",
    "No answer. Its address belongs to another network than this computer is on.",
    f"Bring both computers into the same network. {ASK_HOST} across its parts, or use a signaling "
    "server.",
)
_SUBNET_SERVED = _SUBNET._replace(
    advice="Bring both computers into the same network, or see that both use the same server.",
)
_VPN = Finding(
    "vpn",
    "No answer. A VPN on this computer takes what is sent there.",
    "Leave the VPN for a moment and check again, or allow the local network in its settings (often "
    "called “LAN access” or “split tunnelling”).",
)
_OFFLINE = Finding("offline", "No answer. It is off, asleep or elsewhere.", OFF_OR_ASLEEP)
_NO_NETWORK = Finding(
    "no_network",
    "This computer is on no network.",
    "Connect this computer to a network by cable or wirelessly.",
)
_CLOCK = Finding(
    "clock",
    "The server's certificate does not fit the date of this computer.",
    "Set date, time and time zone of this computer; best let it set them by itself.",
)
_OWN = Finding(
    "offline",
    "This address leads to this computer itself, and no other Folkmoot runs there now.",
    "Ask for the address of the other computer in the network, or open Folkmoot there.",
)
_SIMPLE = {
    "ok": Finding("", "It answers."),
    "own_address": Finding(
        "moved",
        "This is an address of this computer now.",
        "Nothing needs to be done; the other computer has got a new address.",
    ),
    "other_device": Finding(
        "moved",
        "Another computer answers at this address.",
        "The addresses in this network changed. Ask for the new address, or wait until it is seen "
        "on this network.",
    ),
    "unknown_key": Finding(
        "key",
        "Folkmoot answers, but does not know the key of your team, or only an old one.",
        "If it is the right computer: somebody else of the team who is linked brings both up to "
        "date. If it was never in the team, send an invitation.",
    ),
    "bad_version": Finding(
        "version",
        "A Folkmoot answers that is too old or too new for this one.",
        "Bring Folkmoot up to date on both computers.",
    ),
    "not_folkmoot": Finding(
        "program",
        "Another program answers at this address.",
        "Check the port: it stands in the other computer's connection report under “listens at”.",
    ),
    "silent": Finding(
        "program",
        "Something takes the connection, but says nothing.",
        "Another program has this port, or Folkmoot hangs there: start it again.",
    ),
    "broke": Finding(
        "program",
        "Something takes the connection and closes it at once.",
        "Another program has this port, or that computer has too many connections. It is tried "
        "again by itself.",
    ),
    "name_unknown": Finding(
        "name",
        "No computer of this name is known here.",
        "Check how the name is written, or use the number address, such as 192.168.1.20:7000.",
    ),
    "no_server": Finding(
        "",
        "There is no server that both use.",
        "A signaling server helps where the network does not: add the same one on both computers.",
    ),
    "server_away": Finding(
        "",
        "The server is not reached from here.",
        "It is tried again by itself; the list of servers says why it is not reached.",
    ),
    "not_there": Finding(
        "offline", "It is not at the server now.", f"{OFF_OR_ASLEEP} It needs the same server."
    ),
    "no_direct_way": Finding(
        "nat",
        "No way straight through both routers was found.",
        "The server hands everything on instead; that works too. UPnP or a forwarded port would "
        "make it direct.",
    ),
    "never_seen": Finding(
        "unseen",
        "No address of this computer is known.",
        "Open Folkmoot there in the same network, or type its address here.",
    ),
    "bad_certificate": Finding(
        "certificate",
        "The server's certificate is not valid.",
        "Tell who hosts the server. If other web pages complain too, check the date of this "
        "computer.",
    ),
    "clock": _CLOCK,
}
_DISCOVERY = {
    "on": Finding("", "No record of it is seen on this network."),
    "off": Finding(
        "",
        "Looking for others on the network is turned off.",
        "Start Folkmoot without --no-discovery.",
    ),
    "failed": Finding(
        "",
        "Others on the network cannot be looked for.",
        "Another program may hold the port for it (UDP 5353), or there is no network.",
    ),
}


def diagnose(facts: Facts) -> Finding:
    """The likely cause of how a way stands, what answered in words, and what to do."""
    if facts.code == "not_seen":
        return _DISCOVERY.get(facts.discovery, _DISCOVERY["on"])
    if facts.code == "bad_certificate" and facts.clock_off:
        return _CLOCK
    found = _SIMPLE.get(facts.code)
    if found is not None:
        return found
    if facts.own:
        return _OWN
    if facts.lonely:
        return _NO_NETWORK
    if facts.code == "refused":
        return _refused(facts)
    return _nothing_comes(facts)


def _refused(facts: Facts) -> Finding:
    """The computer is there and says no."""
    if facts.seen:
        return _FIREWALL
    return Finding(
        "offline",
        "The computer is there, but Folkmoot does not run there, or has another port now.",
        "Open Folkmoot there. If it is open, ask for its address, or allow it in the firewall.",
    )


def _nothing_comes(facts: Facts) -> Finding:
    """Nobody answered, or there is no way."""
    if facts.over == "vpn" and facts.local:
        return _VPN
    if facts.answers:
        return _FIREWALL
    if facts.seen and facts.near is not False:
        if facts.others:
            return _FIREWALL
        return _ISOLATION_SERVED if facts.served else _ISOLATION
    if facts.near is False and (facts.local or facts.code == "no_route"):
        return _SUBNET_SERVED if facts.served else _SUBNET
    return _OFFLINE
