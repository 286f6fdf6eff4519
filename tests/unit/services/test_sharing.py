"""What one node shares: the plan for the media process, the flag, and why a share ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from builders.nodes import LoneNode, open_node
from fakes.media import PLACE, FakeLauncher, FakeMedia
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.services import media_port as port
from folkmoot.services.call_values import Call, CallId, MediaChoice, Share, ShareChoice
from folkmoot.services.events import CallNotice, InkDrawn, ShareSourcesChanged

WINDOW = ShareChoice("window", "window-7", sound=True, fps=12)
TEST = ShareChoice("test")
PICKED = ShareChoice("platform")


async def until(claim: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Presenter:
    """Ada in a call, alone."""

    def __init__(self, lone: LoneNode, launcher: FakeLauncher, id: CallId) -> None:
        self.lone, self.launcher, self.id = lone, launcher, id
        self.calls = lone.node.calls

    @property
    def media(self) -> FakeMedia:
        return self.launcher.media

    @property
    def call(self) -> Call:
        return self.calls.get(self.id)

    @property
    def me(self) -> DeviceId:
        return self.lone.node.identity.me().device

    def shows(self) -> tuple[bool, bool]:
        """What the others are told: whether a screen is shared, and whether it is paused."""
        [me] = self.call.participants
        return me.screen, me.screen_paused

    def notices(self) -> list[CallNotice]:
        """What was told of the share."""
        told = (event for event in self.lone.events if isinstance(event, CallNotice))
        return [one for one in told if one.code == "share"]


@pytest.fixture
async def ada(tmp_path: Path) -> AsyncIterator[Presenter]:
    launcher = FakeLauncher()
    lone = await open_node(tmp_path, media=launcher)
    await lone.node.teams.create("Harbour Studio")
    [channel] = await lone.node.conversations.list()
    call = await lone.node.calls.start(channel.id)
    await until(lambda: launcher.running)
    yield Presenter(lone, launcher, call.id)
    await lone.node.aclose()


async def test_a_share_is_planned_said_and_shown_with_its_place(ada: Presenter) -> None:
    await ada.calls.watch_sources(True)
    await ada.calls.share(ada.id, WINDOW)
    assert ada.media.share == port.SharePlan("window", "window-7", fps=12, sound=True)
    assert ada.shows() == (True, False)
    await until(lambda: ada.call.share == Share(WINDOW, "Notes", False, PLACE))


async def test_something_else_is_shared_without_stopping(ada: Presenter) -> None:
    await ada.calls.share(ada.id, WINDOW)
    await ada.calls.pause_share(ada.id, True)
    assert ada.shows() == (True, True)
    assert ada.media.share.paused
    await ada.calls.share(ada.id, TEST)
    assert ada.media.share == port.SharePlan("test")
    assert ada.shows() == (True, False)
    assert ada.notices() == []
    share = ada.call.share
    assert share is not None
    assert share.name == "Test page"


async def test_a_share_that_the_person_ends_ends_in_silence(ada: Presenter) -> None:
    await ada.calls.share(ada.id, TEST)
    await ada.calls.stop_share(ada.id)
    assert ada.media.share == port.SharePlan()
    assert (ada.call.share, ada.shows()) == (None, (False, False))
    await asyncio.sleep(0.05)
    assert ada.notices() == []


@pytest.mark.parametrize("code", ["closed", "locked", "refused", "none", "failed"])
async def test_a_share_that_ends_by_itself_says_why(ada: Presenter, code: str) -> None:
    await ada.calls.share(ada.id, WINDOW)
    ada.media.end_share(code, "The window “Notes” was closed.")
    assert ada.shows() == (False, False)
    assert ada.call.share is None
    assert ada.media.share == port.SharePlan(), "it does not come back by itself"
    [notice] = ada.notices()
    assert (notice.message, bool(notice.hint)) == ("The window “Notes” was closed.", True)


async def test_the_end_of_what_was_shared_before_ends_nothing(ada: Presenter) -> None:
    await ada.calls.share(ada.id, WINDOW)
    await ada.calls.share(ada.id, TEST)
    ada.media.end_share("")
    assert ada.shows() == (True, False)


async def test_the_picker_of_the_desktop_is_waited_for(ada: Presenter) -> None:
    await ada.calls.share(ada.id, PICKED)
    assert ada.media.share.source == "platform"
    assert ada.shows() == (False, False), "nothing was chosen yet"
    ada.media.show_share()
    assert ada.shows() == (True, False)
    await ada.calls.share(ada.id, PICKED)
    assert ada.shows() == (True, False), "what was shared before goes on meanwhile"


async def test_a_picker_that_is_cancelled_shares_nothing(ada: Presenter) -> None:
    await ada.calls.share(ada.id, PICKED)
    ada.media.end_share("refused", "Nothing was chosen.")
    assert (ada.call.share, ada.shows()) == (None, (False, False))
    assert [one.message for one in ada.notices()] == ["Nothing was chosen."]


async def test_a_new_media_process_shares_again_what_was_shared(ada: Presenter) -> None:
    await ada.calls.watch_sources(True)
    await ada.calls.share(ada.id, WINDOW)
    await ada.calls.pause_share(ada.id, True)
    first = ada.media
    first.crash()
    await until(lambda: ada.media is not first and ada.media.share.source == "window")
    assert ada.media.share.paused
    assert ada.media.lists
    assert ada.shows() == (True, True)
    assert ada.notices() == []


async def test_a_new_media_process_opens_no_picker_by_itself(ada: Presenter) -> None:
    await ada.calls.share(ada.id, PICKED)
    ada.media.show_share()
    first = ada.media
    first.crash()
    await until(lambda: ada.media is not first and ada.launcher.running)
    assert ada.media.share == port.SharePlan()
    assert ada.shows() == (False, False)
    assert len(ada.notices()) == 1


async def test_leaving_ends_the_share_in_silence(ada: Presenter) -> None:
    await ada.calls.share(ada.id, TEST)
    await ada.calls.leave(ada.id)
    assert ada.media.share == port.SharePlan()
    assert ada.notices() == []


async def test_a_call_that_cannot_go_on_ends_the_share_and_says_so(ada: Presenter) -> None:
    await ada.calls.share(ada.id, TEST)
    ada.launcher.refuses = True
    ada.media.crash()
    await until(lambda: not ada.calls.list())
    assert len(ada.notices()) == 1


async def test_changes_of_what_can_be_shared_are_told_while_somebody_looks(ada: Presenter) -> None:
    found = await ada.calls.watch_sources(True)
    assert [one.name for one in found.rows] == ["Screen 1", "Notes"]
    assert ada.media.lists
    ada.media.report(port.SourcesListed((("screen-1", "screen", "Screen 1", "", 800, 600),)))
    told = ada.lone.told(ShareSourcesChanged)[-1]
    assert isinstance(told, ShareSourcesChanged)
    assert [one.width for one in told.sources.rows] == [800]
    await ada.calls.watch_sources(False)
    assert not ada.media.lists
    before = len(ada.lone.told(ShareSourcesChanged))
    ada.media.report(port.SourcesListed(()))
    assert len(ada.lone.told(ShareSourcesChanged)) == before


async def test_one_who_looks_once_does_not_end_the_looking_of_another(ada: Presenter) -> None:
    await ada.calls.watch_sources(True)
    await ada.calls.sources()
    assert ada.media.lists


async def test_a_screen_needs_the_devices_of_the_computer_and_a_test_page_does_not(
    ada: Presenter,
) -> None:
    await ada.calls.set_choice(MediaChoice("test", "none", "test"))
    await ada.calls.leave(ada.id)
    ada.media.crash()
    call = await ada.calls.start(await _place(ada))
    await until(lambda: ada.launcher.running)
    assert not ada.media.begin.devices
    await ada.calls.share(call.id, TEST)
    await asyncio.sleep(0.05)
    assert not ada.media.begin.devices
    await ada.calls.share(call.id, WINDOW)
    await until(lambda: ada.launcher.running and ada.media.begin.devices)
    assert ada.media.share.source_id == "window-7"


async def test_looking_at_what_can_be_shared_interrupts_no_call(ada: Presenter) -> None:
    await ada.calls.set_choice(MediaChoice("test", "none", "test"))
    await ada.calls.leave(ada.id)
    ada.media.crash()
    await ada.calls.start(await _place(ada))
    await until(lambda: ada.launcher.running)
    before = len(ada.launcher.started)
    await ada.calls.watch_sources(True)
    await asyncio.sleep(0.1)
    assert len(ada.launcher.started) == before


async def test_outside_a_call_screens_are_looked_at_with_devices(ada: Presenter) -> None:
    await ada.calls.set_choice(MediaChoice("test", "none", "test"))
    await ada.calls.leave(ada.id)
    ada.media.crash()
    await ada.calls.watch_sources(True)
    assert ada.media.begin.devices


async def _place(ada: Presenter) -> ConversationId:
    [channel] = await ada.lone.node.conversations.list()
    return channel.id


async def test_own_ink_is_told_as_fractions_inside_the_picture(ada: Presenter) -> None:
    await ada.calls.share(ada.id, TEST)
    places = [(0.5, 0.25), (-3.0, 7.0)]
    await ada.calls.ink(ada.id, ada.me, "stroke", 4, places)
    [drawn] = ada.lone.told(InkDrawn)
    assert isinstance(drawn, InkDrawn)
    assert (drawn.name, drawn.device, drawn.presenter) == ("Ada", ada.me, ada.me)
    assert (drawn.action, drawn.stroke) == ("stroke", 4)
    assert drawn.places[0] == pytest.approx((0.5, 0.25), abs=1e-4)
    assert drawn.places[1] == (0.0, 1.0)
    await ada.calls.ink(ada.id, ada.me, "clear")
    assert [getattr(one, "action", "") for one in ada.lone.told(InkDrawn)] == ["stroke", "clear"]


@pytest.mark.parametrize(
    "places", [[(float("nan"), 0.0)], [(0.0, float("inf"))], [(0.1, 0.1)] * 65]
)
async def test_ink_that_is_nowhere_or_too_long_is_refused(
    ada: Presenter, places: list[tuple[float, float]]
) -> None:
    await ada.calls.share(ada.id, TEST)
    with pytest.raises(UserError) as refused:
        await ada.calls.ink(ada.id, ada.me, "stroke", 1, places)
    assert refused.value.code == "bad_ink"


async def test_the_size_of_what_is_shared_is_shown(ada: Presenter) -> None:
    await ada.calls.share(ada.id, TEST)
    ada.media.report(port.PictureChanged(port.SELF, 1920, 1080, port.SCREEN))
    ada.media.report(port.PictureChanged(port.SELF, 640, 360))
    [me] = ada.call.participants
    assert (me.screen_width, me.screen_height, me.width, me.height) == (1920, 1080, 640, 360)
