"""When a direct way is looked for, by whom, how often, and what is done with offers of others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest

from builders.nodes import SeededRandomness
from fakes.ice import GARBAGE, IceField
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.protocol.codec import MAX_INTEGER
from folkmoot.protocol.frames import Frame, IceAnswer, IceOffer
from folkmoot.services import direct
from folkmoot.services.attempts import Attempts
from folkmoot.services.direct import DirectWays
from folkmoot.services.link import Link
from folkmoot.services.links import Knock
from folkmoot.services.ports import Stream
from folkmoot.services.registry import TeamRegistry
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.values import Way
from sim.loop import sim_loop

STUN = ("stun.example.org:8480",)


class FakeLink:
    """One end of a link; what is sent comes to the other end in the next turn."""

    def __init__(self, side: Side, other: Side, way: Way, dialled: bool) -> None:
        self.side, self.to = side, other
        self.device, self.person = other.device, PersonId(bytes(other.device))
        self.way, self.dialled = way, dialled
        self.is_member, self.team = True, None
        self.since = asyncio.get_running_loop().time()
        self.other: FakeLink | None = None
        self.sent: list[Frame] = []
        self.lost = False

    def send(self, *out: Frame) -> None:
        self.sent += out
        if not self.lost and self.other is not None:
            for frame in out:
                asyncio.get_running_loop().call_soon(self.to.take, self.other, frame)

    def offers(self) -> list[IceOffer]:
        return [frame for frame in self.sent if isinstance(frame, IceOffer)]

    def answers(self) -> list[IceAnswer]:
        return [frame for frame in self.sent if isinstance(frame, IceAnswer)]


class Side:
    """One computer: its links and its search for direct ways."""

    def __init__(self, name: str, field: IceField) -> None:
        self.device = DeviceId(name.encode().ljust(32, b"."))
        self.bugs: list[BaseException] = []
        self.supervisor = Supervisor(lambda _name, error: self.bugs.append(error))
        self.ice = field.ice(name)
        self.attempts = Attempts(lambda: asyncio.get_running_loop().time(), lambda: 7)
        self.up: Callable[[Link], None] = lambda _link: None
        self.down: Callable[[Link], None] = lambda _link: None
        self.handlers: dict[type[Frame], Callable[[Link, Any], Awaitable[None]]] = {}
        self.proved: list[tuple[DeviceId | None, Way]] = []
        self.accepted: list[Stream] = []
        self.refuses: PeerError | None = None
        self.direct = DirectWays(
            lambda: self.device,
            self,
            self.ice,
            lambda: STUN,
            TeamRegistry(PersonId(bytes(self.device))),
            SeededRandomness(name),
            self.supervisor,
            self.attempts,
        )

    def watch(self, up: Callable[[Link], None], down: Callable[[Link], None]) -> None:
        self.up, self.down = up, down

    def handle(self, kind: type[Any], handler: Callable[[Link, Any], Awaitable[None]]) -> None:
        self.handlers[kind] = handler

    async def prove(
        self, stream: Stream, knock: Knock | None, *, expected: DeviceId | None, way: Way
    ) -> Link:
        if self.refuses is not None:
            raise self.refuses
        self.proved.append((expected, way))
        return cast(Link, None)

    async def accept(self, stream: Stream) -> None:
        self.accepted.append(stream)

    def take(self, link: FakeLink, frame: Frame) -> None:
        self.supervisor.start("take", self._take(link, frame))

    async def _take(self, link: FakeLink, frame: Frame) -> None:
        await self.handlers[type(frame)](cast(Link, link), frame)

    def rises(self, link: FakeLink) -> None:
        self.up(cast(Link, link))

    def falls(self, link: FakeLink) -> None:
        self.down(cast(Link, link))


def _linked(
    one: Side, other: Side, way: Way = Way.RELAY, *, up: bool = True
) -> tuple[FakeLink, FakeLink]:
    """A link that `one` dialled, up at both ends."""
    mine, theirs = FakeLink(one, other, way, True), FakeLink(other, one, way, False)
    mine.other, theirs.other = theirs, mine
    if up:
        other.rises(theirs)
        one.rises(mine)
    return mine, theirs


World = Callable[[IceField, Side, Side], Coroutine[Any, Any, None]]


def _run(world: World) -> None:
    """Run a story of Ann and Ben on virtual time; nothing of it may stay or fail."""

    async def life() -> None:
        field = IceField()
        ann, ben = Side("ann", field), Side("ben", field)
        await world(field, ann, ben)
        for side in (ann, ben):
            await side.supervisor.aclose()
            await asyncio.sleep(0.01)
            assert not side.bugs
            assert not side.supervisor.names
        assert not field.running()

    loop = sim_loop(1)
    loop.run(life())
    assert not loop.failures


def test_who_dialled_the_link_through_the_server_begins_and_the_other_answers() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben)
        await asyncio.sleep(1)
        assert len(mine.offers()) == 1
        assert not theirs.offers()
        assert ann.proved == [(ben.device, Way.NAT)]
        assert len(ben.accepted) == 1
        assert ann.ice.asked == ben.ice.asked == [STUN]
        last = ann.direct.last(ben.device)
        assert last is not None
        assert last.code == "ok"
        assert last.took_s < 0.5
        (noted,) = ann.attempts.of(ben.device)
        assert (noted.way, noted.code) == ("nat", "ok")

    _run(world)


@pytest.mark.parametrize("way", [Way.LAN, Way.TYPED, Way.DIRECT, Way.NAT])
def test_nothing_is_looked_for_beside_a_better_link(way: Way) -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        _linked(ann, ben, way)
        await asyncio.sleep(3600)
        assert not field.attempts

    _run(world)


def test_it_stops_when_a_better_link_comes_up() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        mine, _ = _linked(ann, ben)
        await asyncio.sleep(1)
        _linked(ann, ben, Way.LAN)
        await asyncio.sleep(3600)
        assert len(mine.offers()) == 1

    _run(world)


def test_it_stops_when_the_link_is_down() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        mine, theirs = _linked(ann, ben)
        await asyncio.sleep(1)
        ann.falls(mine)
        ben.falls(theirs)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not field.running()
        await asyncio.sleep(3600)
        assert len(mine.offers()) == 1

    _run(world)


def test_attempts_that_fail_are_repeated_more_and_more_rarely() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        mine, _ = _linked(ann, ben)
        await asyncio.sleep(60)
        first = len(mine.offers())
        await asyncio.sleep(24 * 3600)
        assert 3 <= first <= 5
        assert 24 * 5 <= len(mine.offers()) <= 24 * 9
        last = ann.direct.last(ben.device)
        assert last is not None
        assert last.code == "no_direct_way"

    _run(world)


def test_another_link_through_the_server_does_not_make_it_more_often() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        count = 0
        for _ in range(50):
            mine, theirs = _linked(ann, ben)
            await asyncio.sleep(1)
            ann.falls(mine)
            ben.falls(theirs)
            count += len(mine.offers())
        assert count <= 5

    _run(world)


def test_a_changed_network_is_a_reason_for_either_side() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        mine, theirs = _linked(ann, ben)
        await asyncio.sleep(1000)
        before = len(mine.offers())
        field.open = True
        ben.direct.network_changed()
        await asyncio.sleep(1)
        assert len(theirs.offers()) == 1
        assert len(mine.offers()) == before
        assert ben.proved == [(ann.device, Way.NAT)]

    _run(world)


def test_a_network_that_changes_all_the_time_is_no_reason_to_try_all_the_time() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        ben.ice.fault = EnvironmentFault("no_direct_way", "No address.")
        mine, _ = _linked(ann, ben)
        for _ in range(600):
            ann.direct.network_changed()
            await asyncio.sleep(0.1)
        assert len(mine.offers()) <= 13

    _run(world)


def test_a_direct_link_that_lived_is_looked_for_again_at_once() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        _linked(ann, ben)
        await asyncio.sleep(2000)
        straight, _ = _linked(ann, ben, Way.NAT)
        await asyncio.sleep(direct.SETTLED_S)
        ann.falls(straight)
        field.open = True
        mine, _ = _linked(ann, ben)
        await asyncio.sleep(1)
        assert len(mine.offers()) == 1

    _run(world)


def test_a_direct_link_that_dies_at_once_is_looked_for_more_and_more_rarely() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        for _ in range(100):
            mine, theirs = _linked(ann, ben)
            await asyncio.sleep(1)
            if ann.proved:
                straight, other = _linked(ann, ben, Way.NAT)
                await asyncio.sleep(1)
                ann.falls(straight)
                ben.falls(other)
            ann.falls(mine)
            ben.falls(theirs)
        assert len(ann.proved) <= 6

    _run(world)


def test_at_most_four_attempts_run_at_once() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        others = [Side(f"other {number}", field) for number in range(20)]
        for other in others:
            _linked(ann, other)
        most = 0
        for _ in range(2000):
            most = max(most, sum(each.place.startswith("ann:") for each in field.running()))
            await asyncio.sleep(0.1)
        assert most == direct.MAX_AT_ONCE
        assert all(ann.direct.last(other.device) is not None for other in others)
        for other in others:
            await other.supervisor.aclose()

    _run(world)


def test_who_has_no_place_for_an_offer_says_not_now() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        others = [Side(f"other {number}", field) for number in range(direct.MAX_AT_ONCE)]
        for other in others:
            _linked(ben, other)[1].lost = True
        await asyncio.sleep(0.1)
        _, theirs = _linked(ann, ben)
        await asyncio.sleep(direct.BUSY_S + 0.1)
        (answer,) = theirs.answers()
        assert answer.candidates == ()
        assert not any(each.place.startswith("ann:") for each in field.running())
        for other in others:
            await other.supervisor.aclose()

    _run(world)


def test_an_offer_over_a_link_that_needs_none_is_answered_with_not_now() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben, Way.LAN)
        mine.send(IceOffer(1, "u", "p", ("at u",)))
        await asyncio.sleep(1)
        assert theirs.sent == [IceAnswer(1, "", "", ())]
        assert not field.attempts

    _run(world)


def test_an_offer_that_is_no_newer_is_dropped_and_a_newer_one_takes_its_place() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben, up=False)
        ben.rises(theirs)
        mine.send(IceOffer(5, "first", "p", ("at first",)))
        await asyncio.sleep(1)
        for n in (5, 4):
            mine.send(IceOffer(n, "old", "p", ("at old",)))
        await asyncio.sleep(1)
        assert [answer.n for answer in theirs.answers()] == [5]
        mine.send(IceOffer(6, "second", "p", ("at second",)))
        await asyncio.sleep(1)
        assert [answer.n for answer in theirs.answers()] == [5, 6]
        (running,) = field.running()
        assert running.knows == "second"

    _run(world)


def test_offers_that_come_too_fast_are_answered_with_not_now() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben, up=False)
        ben.rises(theirs)
        for n in range(1, 200):
            mine.send(IceOffer(n, "u", "p", ("at u",)))
            await asyncio.sleep(0.01)
        assert len(field.attempts) <= direct.OFFERS_BURST + 1
        assert len(theirs.answers()) == 199
        assert len(field.running()) <= 1

    _run(world)


def test_the_greatest_number_leaves_room_for_no_other_and_is_dropped() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.open = False
        mine, theirs = _linked(ann, ben, up=False)
        ben.rises(theirs)
        mine.send(IceOffer(MAX_INTEGER, "u", "p", ("at u",)))
        await asyncio.sleep(1)
        assert not theirs.answers()

    _run(world)


@pytest.mark.parametrize("gather_s", [0.0, 0.5])
@pytest.mark.parametrize("late_s", [0.0, 0.05, 0.3])
def test_when_both_begin_at_once_one_way_is_found(late_s: float, gather_s: float) -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.gather_s = gather_s
        field.open = False
        _linked(ann, ben)
        await asyncio.sleep(3000)
        field.open = True
        ann.direct.network_changed()
        await asyncio.sleep(late_s)
        ben.direct.network_changed()
        await asyncio.sleep(3)
        found = len(ann.proved) + len(ben.proved)
        assert found == 1 or (late_s and found == 2)  # one after the other: no link ended it here
        assert len(ann.accepted) + len(ben.accepted) == found
        assert not field.running()

    _run(world)


def test_of_two_offers_with_one_number_that_of_the_lower_device_counts() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        for one, other, wins in ((ann, ben, True), (ben, ann, False)):
            mine, theirs = FakeLink(one, other, Way.RELAY, True), None
            one.rises(mine)
            await asyncio.sleep(0.1)
            (offer,) = mine.offers()
            one.take(mine, IceOffer(offer.n, "theirs", "p", ("at theirs",)))
            await asyncio.sleep(0.1)
            assert bool(mine.answers()) is not wins
            assert theirs is None
            one.falls(mine)

    _run(world)


def test_a_candidate_that_is_none_ends_the_attempt_and_not_the_link() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben, up=False)
        ben.rises(theirs)
        mine.send(IceOffer(1, "u", "p", (GARBAGE,)))
        await asyncio.sleep(1)
        last = ben.direct.last(ann.device)
        assert last is not None
        assert last.code == "bad_candidate"
        mine.send(IceOffer(2, "u", "p", ("at u",)))
        await asyncio.sleep(1)
        assert len(field.running()) == 1

    _run(world)


def test_a_stream_that_another_answers_is_no_way() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        ann.refuses = PeerError("wrong_device", "another device answers at this address")
        _linked(ann, ben)
        await asyncio.sleep(1)
        last = ann.direct.last(ben.device)
        assert last is not None
        assert last.code == "wrong_device"
        assert ann.attempts.of(ben.device)[0].code == "no_direct_way"
        ann.refuses = None
        await asyncio.sleep(20)
        assert ann.proved

    _run(world)


def test_a_computer_without_an_address_answers_not_now() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        ben.ice.fault = EnvironmentFault("no_direct_way", "No address.")
        _, theirs = _linked(ann, ben)
        await asyncio.sleep(1)
        assert [answer.candidates for answer in theirs.answers()] == [()]

    _run(world)


def test_a_network_that_does_not_answer_costs_a_bounded_time() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        field.gather_s = 1000
        mine, _ = _linked(ann, ben)
        await asyncio.sleep(direct.GATHER_S + 0.1)
        assert not mine.offers()
        last = ann.direct.last(ben.device)
        assert last is not None
        assert last.code == "no_direct_way"

    _run(world)


def test_an_answer_to_another_offer_is_dropped() -> None:
    async def world(field: IceField, ann: Side, ben: Side) -> None:
        mine, theirs = _linked(ann, ben, up=False)
        ann.rises(mine)
        theirs.send(IceAnswer(9, "u", "p", ("at u",)))
        theirs.send(IceAnswer(0, "u", "p", ("at u",)))
        await asyncio.sleep(1)
        assert all(attempt.knows is None for attempt in field.attempts)

    _run(world)
