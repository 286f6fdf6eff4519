"""What a node without a window does in calls by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from fakes.calls import FakeCalls, call_id, somebody
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, PersonId
from folkmoot.services.call_values import Call, CallPhase, RecordChoice, ShareChoice
from folkmoot.services.calls import bots
from folkmoot.services.calls.bots import Bot
from folkmoot.services.events import CallChanged, EventBus
from folkmoot.services.supervisor import Supervisor

ADA, BEN = PersonId(b"a" * 32), PersonId(b"b" * 32)
PLACE = ConversationId(bytes(32))
TEST, MKV = ShareChoice("test"), RecordChoice()


class Calls(FakeCalls):
    """The fake, which also takes what a bot announces."""

    expected: ShareChoice | None = None

    def expect_share(self, choice: ShareChoice) -> None:
        self.expected = choice


class Desk:
    """A bot and the calls it acts in."""

    def __init__(self) -> None:
        self.bugs: list[str] = []
        self.events = EventBus()
        self.supervisor = Supervisor(lambda task, error: self.bugs.append(f"{task}: {error}"))
        self.calls = Calls(self.events.publish, ADA, "Ada")
        self.bot = Bot(self.calls, self.events, self.supervisor)

    def acts(self) -> list[object]:
        """The names of what was asked, in order."""
        return [one[0] for one in self.calls.asked]

    async def idle(self) -> None:
        """Wait until the bot does nothing."""
        async with asyncio.timeout(20):
            while self.supervisor.names:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    def call(self, phase: CallPhase = CallPhase.JOINED) -> Call:
        """A call that Ben started."""
        return Call(call_id(1), PLACE, phase, False, BEN, 0, (somebody(BEN, "Ben"),))


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(bots, "AGAIN_S", 0.001)
    made = Desk()
    yield made
    await made.supervisor.aclose()
    assert made.bugs == []


async def test_what_rings_is_joined_and_what_does_not_is_left_alone(desk: Desk) -> None:
    desk.bot.answer_all(video=True)
    desk.calls.tell(desk.call(CallPhase.RUNNING))
    await desk.idle()
    assert desk.acts() == []
    desk.calls.tell(desk.call(CallPhase.RINGING))
    await desk.idle()
    assert desk.calls.asked == [("join", call_id(1), True, True)]


async def test_sharing_and_recording_begin_once_in_each_call(desk: Desk) -> None:
    desk.bot.share_in_all(TEST)
    desk.bot.record_all(MKV)
    assert desk.calls.expected == TEST
    desk.calls.tell(desk.call(CallPhase.RINGING))
    await desk.idle()
    assert desk.acts() == []
    for _ in range(3):
        desk.calls.tell(desk.call())
        await desk.idle()
    assert desk.acts() == ["share", "record"]
    desk.calls.tell(desk.call(CallPhase.RUNNING))
    desk.calls.tell(desk.call())
    await desk.idle()
    assert desk.acts() == ["share", "record"] * 2, "it came back"


async def test_who_cannot_be_told_yet_is_asked_again(desk: Desk) -> None:
    desk.bot.record_all(MKV)
    desk.calls.fail = UserError("not_told", "Ben cannot be told.")
    desk.calls.tell(desk.call())
    await _until(lambda: len(desk.acts()) >= 3)
    desk.calls.fail = None
    await desk.idle()
    assert desk.calls.calls[call_id(1)].recording is not None
    assert {str(act) for act in desk.acts()} == {"record"}


async def test_a_refusal_that_stays_is_not_tried_again(desk: Desk) -> None:
    desk.bot.record_all(MKV)
    desk.calls.fail = UserError("no_space", "The disk is full.")
    desk.calls.tell(desk.call())
    await desk.idle()
    desk.calls.tell(replace(desk.call(), locked=True))
    await desk.idle()
    assert desk.acts() == ["record"]


async def test_trying_again_ends_with_the_call_and_all_ends_when_it_is_told_to(desk: Desk) -> None:
    stop = desk.bot.record_all(MKV)
    desk.calls.fail = UserError("not_told", "Ben cannot be told.")
    desk.calls.tell(desk.call())
    await _until(lambda: len(desk.acts()) >= 2)
    desk.calls.tell(desk.call(CallPhase.RUNNING))
    await desk.idle()
    before = len(desk.acts())
    stop()
    desk.events.publish(CallChanged(desk.call()))
    await desk.idle()
    assert len(desk.acts()) == before


async def _until(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.001)
