"""A member who keeps to no rule: refused with a reason, and nobody else is disturbed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from builders.writers import Writer
from folkmoot.domain.bodies import Delete, MessageBody, Open
from folkmoot.domain.direct import direct_id, direct_persons
from folkmoot.domain.entry import Entry
from folkmoot.domain.ids import ZERO, EntryId, LogKey, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.replication import Position
from folkmoot.services.authority import MAX_DIRECTS_WITH_ONE, Authority, Verdict
from sim.attackers import RawLink, Traitor, segment, turn
from sim.loop import sim_loop
from sim.stories import gather, reads, texts
from sim.world import START_MS, World

pytestmark = pytest.mark.blocks_loop("a simulation is one thread: its store runs inline")
Attack = Callable[[Traitor, RawLink], Awaitable[None]]
DAY_MS = 86_400_000


def betray(tmp_path: Path, attack: Attack) -> None:
    """Ann and ben are honest, mal attacks ann; afterwards ann and ben must go on as before."""

    async def story() -> None:
        world = World(["ann", "ben", "mal"], tmp_path)
        crew = await gather(world, ["ann", "ben", "mal"])
        traitor = await turn(world, "mal", crew)
        link = await traitor.link("ann")
        before = await texts(world, "ann", crew)
        await attack(traitor, link)
        assert set(before) <= set(await texts(world, "ann", crew))
        await world["ben"].node.messages.post(crew.channel, "all is well")
        await reads(world, "ann", crew, "all is well", within_s=2)
        assert world["ann"].bugs == []
        await link.aclose()
        await world.aclose()

    loop = sim_loop(1)
    loop.run(story())
    assert loop.failures == []


def forged(traitor: Traitor) -> frames.Segment:
    """Signed by nobody."""
    return replace_fields(segment(traitor.next(MessageBody("x"))), signature=bytes(64))


def replace_fields(frame: frames.Segment, **fields: object) -> frames.Segment:
    return msgspec.structs.replace(frame, **fields)


def altered_body(traitor: Traitor) -> frames.Segment:
    frame = segment(traitor.next(MessageBody("harmless")))
    body = frame.bodies[0]
    assert body is not None
    return replace_fields(frame, bodies=(body.replace(b"harmless", b"harmful!"),))


def altered_header(traitor: Traitor) -> frames.Segment:
    frame = segment(traitor.next(MessageBody("x")))
    header = bytearray(frame.headers[0])
    header[-1] ^= 1
    return replace_fields(frame, headers=(bytes(header),))


def in_another_conversation(traitor: Traitor) -> frames.Segment:
    """An entry of the channel that fits the chain of the team's own log."""
    log = traitor.log(traitor.crew.team)
    place = LogKey(traitor.crew.channel, log.device, log.grant)
    entry = traitor.entry(place, MessageBody("x"), traitor.held[log])
    return segment(entry, log=log)


def without_its_body(traitor: Traitor) -> frames.Segment:
    return replace_fields(
        segment(traitor.next(Delete(EntryId(traitor.crew.channel)))), bodies=(None,)
    )


def opened_twice(traitor: Traitor) -> frames.Segment:
    log = traitor.log(traitor.crew.channel)
    return segment(traitor.entry(log, Open(traitor.keyring.signed), traitor.held[log]))


def under_anothers_grant(traitor: Traitor) -> frames.Segment:
    """A log of mine under the founder's grant."""
    log = LogKey(traitor.crew.channel, traitor.keyring.device, EntryId(traitor.crew.team))
    return segment(traitor.entry(log, Open(traitor.keyring.signed), None))


def of_a_direct_conversation_of_others(traitor: Traitor) -> frames.Segment:
    ben = traitor.world["ben"].keyring.person
    return segment(direct_opening(traitor, ben))


def direct_opening(traitor: Traitor, *others: PersonId) -> Entry:
    """What begins a direct conversation of the traitor and others."""
    persons = direct_persons((traitor.keyring.person, *others))
    log = LogKey(direct_id(persons), traitor.keyring.device, EntryId(ZERO))
    return traitor.entry(log, Open(traitor.keyring.signed, persons), None)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (forged, "bad_signature"),
        (altered_body, "bad_hash"),
        (altered_header, "bad_signature"),
        (in_another_conversation, "wrong_log"),
        (without_its_body, "missing_body"),
        (opened_twice, "bad_open"),
        (under_anothers_grant, "wrong_grant"),
        (of_a_direct_conversation_of_others, "not_for_us"),
    ],
)
def test_what_no_honest_node_sends_ends_the_link_with_a_reason_in_the_log(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    make: Callable[[Traitor], frames.Segment],
    code: str,
) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        before = await traitor.world["ann"].store.heads(traitor.crew.channel)
        link.send(make(traitor))
        assert await link.ended() == code
        assert await traitor.world["ann"].store.heads(traitor.crew.channel) == before

    with caplog.at_level(logging.INFO):
        betray(tmp_path, attack)
    assert f"({code})" in caplog.text


def test_a_team_that_nobody_here_joins_is_not_taken(tmp_path: Path) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        before = await traitor.world["ann"].store.conversations_with_entries()
        link.send(segment(Writer("zed").found("Trap")))
        await asyncio.sleep(2)
        assert await traitor.world["ann"].store.conversations_with_entries() == before

    betray(tmp_path, attack)


def test_one_person_fills_the_list_with_a_bounded_number_of_conversations(tmp_path: Path) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        ann = traitor.world["ann"]
        for number in range(MAX_DIRECTS_WITH_ONE + 100):
            invented = PersonId(Signer(sha256(b"%d" % number).digest()).public)
            link.send(segment(direct_opening(traitor, ann.keyring.person, invented)))
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        assert len(ann.node.registry.directs()) <= MAX_DIRECTS_WITH_ONE + 10

    betray(tmp_path, attack)


def test_a_replayed_entry_is_acknowledged_and_stored_once(tmp_path: Path) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        entry = traitor.next(MessageBody("once"))
        for _ in range(50):
            link.send(segment(entry))
        await asyncio.sleep(2)
        assert (await texts(traitor.world, "ann", traitor.crew)).count("once") == 1
        assert not link.closed

    betray(tmp_path, attack)


def test_an_entry_after_a_gap_waits_for_what_is_missing(tmp_path: Path) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        first = traitor.next(MessageBody("first"))
        second = traitor.next(MessageBody("second"))
        link.send(segment(second))
        await link.first(frames.Vectors)
        assert "second" not in await texts(traitor.world, "ann", traitor.crew)
        link.send(segment(first), segment(second))
        await reads(traitor.world, "ann", traitor.crew, "first", "second", within_s=3)

    betray(tmp_path, attack)


def test_of_a_fork_the_first_branch_stays(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        log = traitor.log(traitor.crew.channel)
        before = traitor.held[log]
        left = traitor.entry(log, MessageBody("left"), before)
        right = traitor.entry(log, MessageBody("right"), before)
        further = traitor.entry(log, MessageBody("further"), right)
        link.send(segment(left))
        await reads(traitor.world, "ann", traitor.crew, "left", within_s=2)
        link.send(segment(right), segment(further), segment(right, further))
        await asyncio.sleep(2)
        told = await texts(traitor.world, "ann", traitor.crew)
        assert not {"right", "further"} & set(told)

    with caplog.at_level(logging.INFO):
        betray(tmp_path, attack)
    assert "(fork)" in caplog.text


@pytest.mark.parametrize("wall_ms", [0, START_MS + 10 * 365 * DAY_MS, 2**63 - 1])
def test_a_clock_of_another_decade_moves_nobody_else(tmp_path: Path, wall_ms: int) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        link.send(segment(traitor.next(MessageBody("from elsewhen"), wall_ms=wall_ms)))
        await reads(traitor.world, "ann", traitor.crew, "from elsewhen", within_s=2)
        posted = await traitor.world["ann"].node.messages.post(traitor.crew.channel, "now")
        assert abs(posted.order.wall_ms - START_MS) < DAY_MS

    betray(tmp_path, attack)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"\xc0",
        b"\x91\x7f",
        b"\x91" * 20 + b"\x00",
        b"\xdd\xff\xff\xff\xff" + b"\xc0" * 1000,
        b"\xdc\xff\xff" + b"\xc0" * 65_535,
        b"\x92\x02\xc6\xff\xff\xff\xff",
        b"\x92\x02\xcf" + b"\xff" * 8,
        b"\xff" * (2**20),
    ],
)
def test_bytes_that_are_no_frame_end_the_link(tmp_path: Path, data: bytes) -> None:
    async def attack(traitor: Traitor, link: RawLink) -> None:
        link.stream.send(data)
        assert await link.ended() in (
            "bad_frame",
            "not_canonical",
            "too_large",
            "unknown_frame",
        )

    betray(tmp_path, attack)


def test_a_bug_in_judging_one_member_costs_only_that_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Authority.judge

    def stumble(self: Authority, given: frames.Segment, held: Position | None) -> Verdict:
        if given.device == stumbled_over[0]:
            raise ZeroDivisionError
        return judge(self, given, held)

    stumbled_over = [b""]

    async def attack(traitor: Traitor, link: RawLink) -> None:
        frame = segment(traitor.next(MessageBody("x")))
        stumbled_over[0] = frame.device
        link.send(frame)
        assert await link.ended() == "internal_error"

    monkeypatch.setattr(Authority, "judge", stumble)
    betray(tmp_path, attack)
    assert "a bug in taking entries" in caplog.text
