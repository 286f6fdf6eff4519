"""Checks of calls: two whole nodes talk on loopback, each with its media process; shown pictures.

Judged by what the window and the API would be told. Refuses to reach anything but this computer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from folkmoot.bootstrap.running import RunningNode, build, run_loop
from folkmoot.bootstrap.selftest.keeping import lonely
from folkmoot.domain.errors import FolkmootError, Lacking
from folkmoot.domain.ids import ConversationId, DeviceId
from folkmoot.media.launcher import ProcessLauncher
from folkmoot.services.call_values import CallId, PeerStats
from folkmoot.services.events import CallNotice, Event
from folkmoot.services.frame_slots import Picture, newest
from folkmoot.services.media_port import (
    SELF,
    VERSION,
    Begin,
    SetVideo,
    ShowTiles,
    TilePlan,
    VideoPlan,
)
from folkmoot.services.node import Node
from folkmoot.system.profile import open_profile

LINK_S, CALL_S, _PICTURE_S = 12.0, 25.0, 12.0
"""A call has so long, twice: a slow computer needs half of it once."""
_LOOK_S = 0.05
SOUND_BPS = 10_000
"""Above this a microphone is open and somebody is heard in it."""
LEAST_FPS = 1.0
"""Pictures move; how well is the matter of a benchmark, not of a slow computer's self-test."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two nodes."""

    name: str
    running: RunningNode

    @property
    def node(self) -> Node:
        """Its services."""
        return self.running.node

    @property
    def device(self) -> DeviceId:
        """Which computer it is."""
        return self.node.identity.me().device


def check_call(folder: Path) -> str:
    """Two nodes link, and call each other with picture and sound in both directions."""
    return run_loop(_call(folder))


async def _call(folder: Path) -> str:
    sides: list[_Side] = []
    try:
        for name in ("Ada", "Bob"):
            options = lonely(name, camera="test", microphone="test")
            sides.append(_Side(name, await build(open_profile(folder / name), options)))
        for side in sides:
            calls = side.node.calls
            await calls.set_choice(replace(calls.choice(), profile="saver"))
        ada, bob = sides
        conversation = await _make_team(ada, bob, _now() + LINK_S)
        try:
            rows, again = await _ring(ada, bob, conversation), ""
        except Lacking:  # so busy a computer that what libraries wait for came too late
            # A new call is merged with one of which a node believes that it still runs.
            await _until(lambda: _is_quiet(sides), "the first call is over", _now() + LINK_S)
            rows, again = await _ring(ada, bob, conversation), ", at the second attempt"
    finally:
        await asyncio.gather(*(side.running.aclose() for side in sides))
    told = "; ".join(
        f"{side.name} gets {row.audio_in_bps // 1000} kbit/s of sound and {row.width}x{row.height} "
        f"at {row.fps_in:.0f}/s ({row.codec})"
        for side, row in zip(sides, rows, strict=True)
    )
    return f"two nodes called each other on this computer{again}: {told}"


async def _ring(ada: _Side, bob: _Side, conversation: ConversationId) -> list[PeerStats]:
    """One call, from the first ring until both hear and see each other, then its end."""
    until = _now() + CALL_S
    call = (await ada.node.calls.start(conversation, video=True)).id
    try:
        await _until(lambda: _knows(bob, call), f"{bob.name} hears of the call", until)
        await bob.node.calls.join(call, video=True)
        return [await _talk(one, call, other, until) for one, other in ((ada, bob), (bob, ada))]
    finally:
        for side in (bob, ada):
            with suppress(FolkmootError):  # who never came in cannot leave
                await side.node.calls.leave(call)


async def _make_team(ada: _Side, bob: _Side, until: float) -> ConversationId:
    """One team of both, linked; its first channel."""
    team = await ada.node.teams.create("Self-test")
    invite = await ada.node.teams.invite(team.id)
    await bob.node.joining.join(invite.link)
    for one, other in ((ada, bob), (bob, ada)):
        await _until(
            lambda one=one, other=other: one.node.links.get(other.device) is not None,  # type: ignore[misc]
            f"{one.name} is linked with {other.name}",
            until,
        )
    while (found := await _channel(bob, team.id)) is None:
        if _now() > until:
            raise Lacking("Nothing of the team came to the one who joined it.")
        await asyncio.sleep(_LOOK_S)
    return found


async def _channel(side: _Side, team: ConversationId) -> ConversationId | None:
    listed = await side.node.conversations.list()
    return next((one.id for one in listed if one.team == team), None)


def _is_quiet(sides: Sequence[_Side]) -> bool:
    return not any(side.node.calls.list() for side in sides)


def _knows(side: _Side, call: CallId) -> bool:
    return any(one.id == call for one in side.node.calls.list())


async def _talk(one: _Side, call: CallId, other: _Side, until: float) -> PeerStats:
    """Wait until the other is heard and seen; the last second of it."""
    last: list[PeerStats] = []
    notices: list[str] = []
    one.node.events.listen(lambda event: _note(event, notices))

    def flows() -> bool:
        try:
            rows = one.node.calls.stats(call)
        except FolkmootError:
            return False
        last[:] = [row for row in rows if row.device == other.device] or last
        return bool(last) and _is_good(last[0])

    try:
        await _until(flows, f"{one.name} hears and sees {other.name}", until)
    except Lacking as lacking:
        raise Lacking(f"{lacking} {' '.join(notices[-1:])} {_measured(last)}") from None
    return last[0]


def _note(event: Event, notices: list[str]) -> None:
    if isinstance(event, CallNotice) and event.message:
        notices.append(event.message)


def _measured(last: Sequence[PeerStats]) -> str:
    if not last:
        return "Nothing came."
    row = last[0]
    return (
        f"Last: {row.audio_in_bps} bit/s of sound, {row.width}x{row.height} at {row.fps_in:.1f}/s, "
        f"over {row.way or 'no way'}."
    )


def _is_good(row: PeerStats) -> bool:
    return row.audio_in_bps > SOUND_BPS and row.fps_in >= LEAST_FPS and row.width > 0


async def _until(holds: Callable[[], bool], what: str, until: float) -> None:
    """Wait until something holds, till `until` on the loop's clock at most."""
    while not holds():
        if _now() > until:
            raise Lacking(f"It did not come about in time that {what}.")
        await asyncio.sleep(_LOOK_S)


def _now() -> float:
    return asyncio.get_running_loop().time()


def check_pictures(_: Path) -> str:
    """A media process writes pictures into the memory that it shares with the window."""
    return run_loop(_pictures())


async def _pictures() -> str:
    ends: list[str] = []
    media = await ProcessLauncher(window=True).launch(
        Begin(VERSION, devices=False), lambda _: None, ends.append
    )
    try:
        memory = media.memory
        if memory is None:
            raise Lacking("There is no memory that a window could take pictures from.")
        media.send(ShowTiles((TilePlan(2, SELF, 320, 180, 7),)))
        media.send(SetVideo(VideoPlan(source="test", open=True, profile="saver")))

        def shown() -> Picture | None:
            picture = newest(memory, 2)
            return picture if picture is not None and picture.tag == 7 else None

        await _until(
            lambda: shown() is not None or bool(ends), "a picture is shown", _now() + _PICTURE_S
        )
        picture = shown()
        if picture is None:
            raise Lacking(f"The media process ended by itself. {' '.join(ends)}")
        colours = len(set(bytes(picture.pixels)[::101]))
        if (picture.width, picture.height) != (320, 180) or colours < 20:
            raise Lacking(f"A picture of {picture.width}x{picture.height} shows nothing.")
        del picture
    finally:
        await media.aclose()
    return "a media process was started and its pictures came through shared memory"
