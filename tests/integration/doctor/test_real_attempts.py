"""What the doctor says of real attempts over TCP: who answers, who does not, and who is another."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from builders.nodes import HandClock
from builders.nodes import open_node as open_lone_node
from fakes.transport import MemoryTransport
from folkmoot.domain.errors import UserError
from folkmoot.services import doctor, links
from folkmoot.services.node import Node
from folkmoot.services.peers import MAX_DIALS
from folkmoot.services.values import DoctorReport, LinkState, Outcome, Way, WayReport
from folkmoot.system.clock import SystemClock
from integration.linked.nodes import open_node, until, until_true

Open = Callable[[str], Awaitable[Node]]


@pytest.fixture
async def open_one(tmp_path: Path) -> AsyncIterator[Open]:
    """Start nodes by name; all are closed at the end."""
    nodes: list[Node] = []

    async def open_named(name: str) -> Node:
        nodes.append(await open_node(name, tmp_path))
        return nodes[-1]

    yield open_named
    for node in nodes:
        await node.aclose()


async def pair(open_one: Open) -> tuple[Node, Node]:
    """Two nodes of one team, linked."""
    ann, ben = await open_one("ann"), await open_one("ben")
    team = await ann.teams.create("Crew")
    await ben.joining.join((await ann.teams.invite(team.id)).link)
    await until(lambda: bool(ann.links.members()) and bool(ben.links.members()))
    await until(lambda: any(target.device for target in ann.peers.targets()))
    return ann, ben


def at(report: DoctorReport, address: str) -> WayReport:
    """The only row of an address, wherever in the report it is."""
    rows = [way for peer in report.peers for way in peer.ways if way.address == address]
    rows += [way for way in report.others if way.address == address]
    [row] = rows
    return row


@contextlib.asynccontextmanager
async def program(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """A program that is no Folkmoot; where it listens."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"{host}:{port}"
    finally:
        server.close()


async def test_who_is_linked_is_told_with_way_and_time(open_one: Open) -> None:
    ann, ben = await pair(open_one)
    report = await ann.doctor.check()
    [peer] = report.peers
    assert peer.state is LinkState.LINKED
    assert peer.device == ben.identity.me().device
    assert peer.ways[0].outcome is Outcome.REACHED
    assert peer.ways[0].code == "ok"
    assert report.summary == "The computer of everybody in your teams is reached."
    assert peer.device_name
    assert report.discovery == "off"


async def test_a_program_that_ended_is_a_refused_port(open_one: Open) -> None:
    ann, ben = await pair(open_one)
    address = ben.listening[0]
    await ben.aclose()
    await until(lambda: not ann.links.members())
    report = await ann.doctor.check()
    [peer] = report.peers
    row = at(report, address)
    assert (row.outcome, row.code, row.cause) == (Outcome.FAILED, "refused", "offline")
    assert row.took_ms is not None
    assert row.at_ms is not None
    assert peer.state is not LinkState.LINKED
    assert peer.why == row.answer
    assert "no other Folkmoot runs there" in peer.why
    assert report.summary.startswith("The one other computer")


async def test_another_program_on_the_port_is_told_from_folkmoot(open_one: Open) -> None:
    ann, _ben = await pair(open_one)

    async def web(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with program(web) as address:
        with pytest.raises(UserError):
            await ann.peers.dial(address)
        row = at(await ann.doctor.report(), address)
    assert (row.way, row.code, row.cause) == ("typed", "not_folkmoot", "program")


async def test_a_program_that_says_nothing_is_told_from_a_host_that_is_away(
    open_one: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _ben = await pair(open_one)
    monkeypatch.setattr(links, "DIAL_S", 2.0)

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with program(mute) as address:
        with pytest.raises(UserError):
            await ann.peers.dial(address)
        row = at(await ann.doctor.report(), address)
    assert (row.code, row.cause) == ("silent", "program")


async def test_a_folkmoot_of_other_people_does_not_know_our_key(open_one: Open) -> None:
    ann, _ben = await pair(open_one)
    stranger = await open_one("cyd")
    await stranger.teams.create("Others")
    address = stranger.listening[0]
    with pytest.raises(UserError):
        await ann.peers.dial(address)
    row = at(await ann.doctor.report(), address)
    assert (row.code, row.cause) == ("unknown_key", "key")


async def test_a_folkmoot_that_takes_no_strangers_does_not_know_our_key_either(
    open_one: Open,
) -> None:
    ann, _ben = await pair(open_one)
    address = (await open_one("cyd")).listening[0]
    with pytest.raises(UserError):
        await ann.peers.dial(address)
    row = at(await ann.doctor.report(), address)
    assert (row.code, row.cause) == ("unknown_key", "key")


async def test_another_device_of_the_team_at_an_address_is_named_so(
    open_one: Open, tmp_path: Path
) -> None:
    ann, ben = await pair(open_one)
    cyd = await open_one("cyd")
    [team] = ann.teams.list()
    await cyd.joining.join((await ann.teams.invite(team.id)).link)
    await until(lambda: len(ann.links.members()) == 2)
    device = ben.identity.me().device
    await ben.aclose()
    await until(lambda: ann.links.get(device) is None)
    old = cyd.listening[0]
    for target in ann.peers.targets():
        if target.address == old:
            target.device = device  # Ben was there before: the addresses of the network moved on
    report = await ann.doctor.check()
    [peer] = [one for one in report.peers if one.device == device]
    [row] = [way for way in peer.ways if way.address == old]
    assert (row.code, row.cause) == ("other_device", "moved")


async def test_a_name_that_nobody_knows_is_said_so(open_one: Open) -> None:
    ann, _ben = await pair(open_one)
    with pytest.raises(UserError):
        await ann.peers.dial("nobody.invalid:7000")
    row = at(await ann.doctor.report(), "nobody.invalid:7000")
    assert (row.code, row.cause) == ("name_unknown", "name")


async def test_a_range_finds_a_member_whose_address_nobody_knew(open_one: Open) -> None:
    ann, ben = await pair(open_one)
    device, address = ben.identity.me().device, ben.listening[0]
    [link] = ann.links.members()
    for target in ann.peers.targets():
        target.next_at, target.dialling = float("inf"), True  # the dialler leaves it alone
    begun = ann.doctor.scan(f"127.0.0.1-8:{address.rpartition(':')[2]}")
    assert (begun.total, begun.over) == (8, False)
    with pytest.raises(UserError, match="being looked through"):
        ann.doctor.scan("127.0.0.1:7000")
    link.close("dead", "The test cuts it.")

    async def over() -> bool:
        return (await ann.doctor.report()).scans[0].over

    await until_true(over)
    [scan] = (await ann.doctor.report()).scans
    assert scan.tried == 8
    assert scan.found == (address,)
    assert dict(scan.answers) == {"ok": 1, "refused": 7}
    await until(lambda: ann.links.get(device) is not None)


async def test_clocks_that_differ_are_noticed_by_what_others_write(
    open_one: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LIVE_AFTER_S", 0.0)
    ann, ben = await pair(open_one)
    ben.own_log._clock = HandClock(SystemClock().wall_ms() - 3_600_000)
    [channel] = await ben.conversations.list()
    await ben.messages.post(channel.id, "an hour ago, says my clock")

    async def noticed() -> bool:
        return "60 minutes apart" in (await ann.doctor.report()).peers[0].why

    await until_true(noticed)
    assert "60 minutes ahead" in (await ann.doctor.report()).advice[-1]


async def test_a_check_ends_in_time_though_nothing_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CHECK_S", 0.3)
    lone = await open_lone_node(tmp_path)
    await lone.node.teams.create("Crew")
    network = cast(MemoryTransport, lone.node.links._transport).network
    hosts = [f"10.0.1.{number}" for number in range(200)]
    for host in hosts:
        network.part("10.0.0.1", host)
        lone.node.peers._targets.add(f"{host}:7000", Way.TYPED, typed=True)
    began = asyncio.get_running_loop().time()
    report = await lone.node.doctor.check()
    assert asyncio.get_running_loop().time() - began < 6  # without an end it takes more than nine
    assert len(report.others) <= 48
    await until(lambda: sum(one.dialling for one in lone.node.peers.targets()) <= MAX_DIALS)
    await lone.node.aclose()
