"""A server that forges, repeats, swaps and loses the sealed envelopes of its mailbox.

What stops it: an envelope is sealed to one device, and what is in it are entries that their writers
signed. One that is lost comes over a link, since only the device itself acknowledges.
"""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace

from folkmoot.domain.ids import DeviceId
from folkmoot.net.sealing import HpkeSealer
from folkmoot.protocol import signaling as words
from folkmoot.protocol.frames import Segment
from folkmoot.protocol.mail import mail_info, segment_of, write_mail
from folkmoot.services import mail as mail_service
from integration.attacked.town import Resident, Town
from integration.linked.nodes import until
from lab.lying_server import LyingServer


@pytest.fixture(autouse=True)
def short_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment is short in this town."""
    for name in ("GATHER_S", "LOST_S", "THERE_S"):
        monkeypatch.setattr(mail_service, name, 0.1)


def may_leave(one: Resident, other: Resident) -> bool:
    """Whether somebody has the other's leave."""
    mail = one.node._network.mail
    return mail is not None and other.device in mail._grants.devices()


async def away(town: Town, server: LyingServer, name: str = "ben") -> DeviceId:
    """Somebody goes away when mail may be left for them."""
    gone = town.residents[name]
    for one in town.residents.values():
        if one is not gone:
            await until(lambda one=one: may_leave(one, gone))  # type: ignore[misc]
    await town.close(name)
    await until(lambda: gone.device not in server.here)
    return gone.device


def has_taken(server: LyingServer, who: DeviceId, ids: list[bytes]) -> bool:
    """Whether somebody has taken these envelopes, beside whatever came from others meanwhile."""
    return {(who, id) for id in ids} <= set(server.taken)


async def test_forged_envelopes_change_nothing_and_are_taken(
    town: Town, server: LyingServer
) -> None:
    """Garbage; sealed garbage; and sealed segments of nobody's: anyone can seal to a known key."""
    await town.crew(server.url)
    ann = town.residents["ann"]
    seal_key = ann.node.identity.keyring.certificate.seal_key
    info = mail_info(ann.device)
    sealer = HpkeSealer()
    forged = [
        os.urandom(2000),
        os.urandom(1),
        b"",
        sealer.seal(seal_key, info, b"\x92\x01\x90"),
        sealer.seal(seal_key, info, os.urandom(500)),
        sealer.seal(seal_key, b"another info", b"\x92\x01\x90"),
        os.urandom(49_152),
    ]
    ids = [bytes([number]) * 16 for number in range(len(forged))]
    for id, sealed in zip(ids, forged, strict=True):
        server.tell(ann.device, words.Mail(id, sealed))
    await until(lambda: has_taken(server, ann.device, ids))
    await town.say("ben", "the real one")
    await town.agree()


async def segments_of(one: Resident) -> list[Segment]:
    """Everything that somebody wrote, as it goes into an envelope."""
    mail = one.node._network.mail
    assert mail is not None
    made = []
    teams = [team.id for team in one.node.teams.list()]
    for conversation in [*teams, *(place.id for place in await one.node.conversations.list())]:
        for log in mail._packing._held.of(conversation):
            entries = await one.node._store.segment(log, 1, 40_000)
            made.append(segment_of(log, entries))
    return made


async def test_well_sealed_envelopes_prove_nothing_without_a_members_signature(
    town: Town, server: LyingServer
) -> None:
    """A stranger's own team and text, and a text of ben's that was changed: the entries say who
    wrote them, by signatures that nobody else can make."""
    await town.crew(server.url)
    await town.say("ben", "a true word")
    await town.agree()
    ann, ben = town.residents.values()
    mallory = await town.open("mallory", server.url)
    await mallory.node.teams.create("Trap")
    [channel] = await mallory.node.conversations.list()
    await mallory.node.messages.post(channel.id, "from a stranger")
    true = [one for one in await segments_of(ben) if one.device == ben.device]
    changed = [
        replace(one, bodies=tuple(body and body.replace(b"true", b"fals") for body in one.bodies))
        for one in true
    ]
    strange = [one for one in await segments_of(mallory) if one.device == mallory.device]
    claimed = [replace(one, device=ben.device) for one in strange]
    assert strange
    assert true != changed
    key, info = ann.node.identity.keyring.certificate.seal_key, mail_info(ann.device)
    ids = [bytes([number]) * 16 for number in range(4)]
    for id, segments in zip(ids, (strange, claimed, changed, true), strict=True):
        sealed = HpkeSealer().seal(key, info, write_mail(segments))
        server.tell(ann.device, words.Mail(id, sealed))
    await until(lambda: has_taken(server, ann.device, ids))
    await town.close("mallory")
    await town.agree()
    assert [team.name for team in ann.node.teams.list()] == ["Crew"]


async def test_envelopes_that_come_again_or_to_another_bring_nothing(
    town: Town, server: LyingServer
) -> None:
    town.members = 3
    await town.crew(server.url, names="ann ben cyd")
    ben = await away(town, server)
    await town.say("ann", "while you were away")
    await until(lambda: any(put.recipient == ben for _, put in server.puts))
    sealed = [put.sealed for _, put in server.puts if put.recipient == ben]
    assert not any(b"while you were away" in one for one in sealed)
    cyd = town.residents["cyd"]
    swapped = [b"swapped" + bytes([number]) * 9 for number in range(len(sealed))]
    for id, one in zip(swapped, sealed, strict=True):
        server.tell(cyd.device, words.Mail(id, one))
    await until(lambda: has_taken(server, cyd.device, swapped))
    await town.open("ben", server.url)
    await until(lambda: any(who == ben for who, _ in server.taken))
    again = [b"again" + bytes([number]) * 11 for number in range(20)]
    for id in again:
        server.tell(ben, words.Mail(id, sealed[0]))
    await until(lambda: has_taken(server, ben, again))
    await town.agree()


async def test_what_it_says_it_keeps_and_loses_comes_by_a_link(
    town: Town, server: LyingServer
) -> None:
    await town.crew(server.url)
    server.loses_mail = True
    ben = await away(town, server)
    await town.say("ann", "it lies about this")
    await until(lambda: any(put.recipient == ben for _, put in server.puts))
    [message] = (await town.residents["ann"].node.messages.page(town.channel)).messages
    delivery = await town.residents["ann"].node.messages.delivery(message.id)
    assert len(delivery.stored_on) == 1, "that it is kept acknowledges nothing"
    await town.open("ben", server.url)
    await town.agree()


async def test_a_flood_of_mail_is_bounded_and_links_go_on(town: Town, server: LyingServer) -> None:
    await town.crew(server.url)
    ann = town.residents["ann"]
    for number in range(400):
        sealed = os.urandom(49_000 if number % 4 == 0 else 300)
        server.tell(ann.device, words.Mail(number.to_bytes(16, "big"), sealed))
    await town.say("ben", "through the flood")
    await town.agree()
    mail = ann.node._network.mail
    assert mail is not None
    assert mail._intake._bytes <= 8 * 1024 * 1024
    await until(lambda: not mail._intake._queue)
    await town.agree()
