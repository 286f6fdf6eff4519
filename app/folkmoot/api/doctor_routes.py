"""The routes of the connection doctor: the report, and looking through a range of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from folkmoot.api import shapes
from folkmoot.api.answers import answer, body_of
from folkmoot.api.routes import Route
from folkmoot.api.shapes import Body, Shape
from folkmoot.domain.errors import UserError
from folkmoot.services import values

if TYPE_CHECKING:
    from folkmoot.services.node import Node


class WayReportShape(Shape, frozen=True):
    """What was tried to reach a device one way, what answered, and what to do."""

    way: str
    address: str
    outcome: str
    code: str
    answer: str
    cause: str
    advice: str
    took_ms: float | None
    at: str | None


class PeerReportShape(Shape, frozen=True):
    """How a device of somebody in our teams is reached, or why it is not."""

    device: str
    person: str
    name: str
    device_name: str
    state: str
    way: str | None
    why: str
    advice: str
    rtt_ms: float | None
    ways: list[WayReportShape]


class InterfaceShape(Shape, frozen=True):
    """A network that this computer is on."""

    name: str
    kind: str
    addresses: list[str]


class DoctorServerShape(Shape, frozen=True):
    """A signaling server and how the connection to it stands."""

    url: str
    phase: str
    words: str
    hint: str
    rtt_ms: float | None


class ScanShape(Shape, frozen=True):
    """A range of addresses that is looked through; `answers`: how often each code came."""

    range: str
    total: int
    tried: int
    found: list[str]
    answers: dict[str, int]
    over: bool


class DoctorShape(Shape, frozen=True):
    """The report of the connection doctor."""

    at: str
    version: str
    summary: str
    listening: list[str]
    interfaces: list[InterfaceShape]
    discovery: str
    seen: int
    servers: list[DoctorServerShape]
    peers: list[PeerReportShape]
    advice: list[str]
    others: list[WayReportShape]
    scans: list[ScanShape]


class ScanBody(Body, frozen=True):
    """A range of addresses, such as ``192.168.1.0/24:7000`` or ``192.168.1.20-40:7000``."""

    range: str


def doctor_shape(report: values.DoctorReport) -> DoctorShape:
    """Shape of a report."""
    return DoctorShape(
        at=shapes.stamp(report.at_ms),
        version=report.version,
        summary=report.summary,
        listening=list(report.listening),
        interfaces=[
            InterfaceShape(each.name, each.kind, list(each.addresses)) for each in report.interfaces
        ],
        discovery=report.discovery,
        seen=report.seen,
        servers=[
            DoctorServerShape(one.url, one.phase.value, one.words, one.hint, one.rtt_ms)
            for one in report.servers
        ],
        peers=[_peer(peer) for peer in report.peers],
        advice=list(report.advice),
        others=[_way(way) for way in report.others],
        scans=[_scan(scan) for scan in report.scans],
    )


def _peer(peer: values.PeerReport) -> PeerReportShape:
    return PeerReportShape(
        device=peer.device.hex(),
        person=peer.person.hex(),
        name=peer.name,
        device_name=peer.device_name,
        state=peer.state.value,
        way=None if peer.way is None else peer.way.value,
        why=peer.why,
        advice=peer.advice,
        rtt_ms=peer.rtt_ms,
        ways=[_way(way) for way in peer.ways],
    )


def _way(way: values.WayReport) -> WayReportShape:
    return WayReportShape(
        way=way.way,
        address=way.address,
        outcome=way.outcome.value,
        code=way.code,
        answer=way.answer,
        cause=way.cause,
        advice=way.advice,
        took_ms=None if way.took_ms is None else round(way.took_ms, 1),
        at=shapes.stamp_or_none(way.at_ms),
    )


def _scan(scan: values.ScanReport) -> ScanShape:
    return ScanShape(
        scan.range, scan.total, scan.tried, list(scan.found), dict(scan.answers), scan.over
    )


async def doctor(node: Node, request: web.Request) -> web.Response:
    check = request.query.get("check")
    if check is None:
        return answer(doctor_shape(await node.doctor.report()))
    if check != "1":
        raise UserError("bad_check", "“check” is 1, or left out.")
    return answer(doctor_shape(await node.doctor.check()))


async def scan(node: Node, request: web.Request) -> web.Response:
    body = await body_of(request, ScanBody)
    return answer(_scan(node.doctor.scan(body.range)), 201)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/doctor",
        "read",
        "How everybody is reached, or why not (check=1: try every way first)",
        doctor,
        200,
        DoctorShape,
        query=("check",),
        more_scopes=(("check", "write"),),
    ),
    Route(
        "POST",
        "/doctor/scan",
        "write",
        "Look through a range of addresses",
        scan,
        201,
        ScanShape,
        ScanBody,
    ),
)
"""Paths are under `routes.PREFIX`."""
