"""What this person shares of the screen, and what they point at or draw on what others share.

Owns the one plan of a share: it is told to the media process, kept over its restarts, and ends with
the call. Refuses, in words, what cannot be shared; says why a share ended by itself.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.calls import effects as fx
from folkmoot.protocol.calls.acting import MAX_PLACES
from folkmoot.protocol.calls.room import Room
from folkmoot.services import media_port as port
from folkmoot.services.call_values import CallId, Share, ShareChoice, ShareSource, ShareSources
from folkmoot.services.calls.inside import Inside
from folkmoot.services.events import CallNotice, InkDrawn, ShareSourcesChanged

NO_DEVICES = ("none", "test", "file")
KINDS = ("screen", "window", "region", "platform", "test", "file")
WINDOW, API = "window", "api"
LISTED_S = 10.0
MAX_ID = 512
MAX_SIDE = 2**31 - 1
_UNIT = 65535
_OVER = "Your screen is not shared any more."
_HINTS = {
    "closed": "Share something else if you like.",
    "locked": "Share it again when you are back.",
    "refused": "Allow it in the settings of this computer, then share again.",
    "none": "Choose something else to share.",
    "failed": "Share it again.",
}


class Sharing:
    """The share of this person."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._share: Share | None = None
        self._call: CallId | None = None
        self._waits = False
        """The desktop's own picker is open: the others are told when something was chosen."""
        self._watchers: set[str] = set()
        self._sources = ShareSources()
        self._listed = asyncio.Event()

    # --- what can be shared ------------------------------------------------------------------

    async def watch_sources(self, on: bool, who: str = WINDOW) -> ShareSources:
        """What can be shared now; until `who` watches no more, changes are told and thumbnails
        made. Raises ``no_media``; nothing is there if the computer does not say in time."""
        media = self._inside.media
        if not on:
            self._watchers.discard(who)
            self._match_watchers()
            return self._sources
        media.check()
        media.forgive()
        self._watchers.add(who)
        self._match_watchers()
        try:
            async with asyncio.timeout(LISTED_S):
                await self._listed.wait()
        except TimeoutError:
            return ShareSources()
        return self._sources

    async def sources(self) -> ShareSources:
        """What can be shared, once. Raises ``no_media``."""
        try:
            return await self.watch_sources(True, API)
        finally:
            await self.watch_sources(False, API)

    def _match_watchers(self) -> None:
        on, media = bool(self._watchers), self._inside.media
        # A process without devices would be replaced: no call is interrupted only for looking.
        interrupts = media.running and self._inside.machine.own_room() is not None
        media.use_devices(on and not interrupts, "sources")
        media.need("sources", on)
        media.list_sources(on)
        if not on:
            self._listed.clear()

    # --- the share ---------------------------------------------------------------------------

    def expect(self, choice: ShareChoice) -> None:
        """`choice` will be shared in each call: have the media process start ready for it."""
        self._inside.media.use_devices(choice.kind not in NO_DEVICES, "bot")

    async def share(self, call: CallId, choice: ShareChoice) -> None:
        """Share `choice` from now on, in place of what was; raises ``bad_share``, ``no_media``,
        ``not_in_call``."""
        check_share(choice)
        machine = self._inside.machine
        room = machine.acting.joined(call)
        self._inside.media.check()
        shares = room.own is not None and room.own.screen
        self._waits = choice.kind == "platform" and not shares
        self._call = call
        self._set(Share(choice, self._name_of(choice)))
        with self._inside.input():
            machine.acting.set_flag(call, "paused", False)
            if not self._waits:
                machine.acting.set_flag(call, "screen", True)
        self._inside.tell(room)

    async def pause(self, call: CallId, on: bool) -> None:
        """Let the last picture stand, or go on; raises ``not_in_call``, ``not_shared``."""
        machine = self._inside.machine
        room = machine.acting.joined(call)
        if self._share is None:
            raise UserError("not_shared", "You share nothing now.")
        self._set(replace(self._share, paused=on))
        with self._inside.input():
            machine.acting.set_flag(call, "paused", on)
        self._inside.tell(room)

    async def stop(self, call: CallId) -> None:
        """Share nothing any more; raises ``not_in_call``. Nothing shared is fine."""
        self._inside.machine.acting.joined(call)
        self._end()

    def _set(self, share: Share | None) -> None:
        """The share is so now: told to the media process and shown with the call."""
        self._share = self._inside.picture.facts.share = share
        media = self._inside.media
        needs = share is not None and share.choice.kind not in NO_DEVICES
        media.use_devices(needs, "share")
        media.set_share(port.SharePlan() if share is None else plan_of(share))

    def _end(self) -> None:
        call, self._call, self._waits = self._call, None, False
        self._set(None)
        room = self._inside.machine.own_room()
        if room is not None and room.id == call:
            with self._inside.input():
                for flag in ("screen", "paused"):
                    self._inside.machine.acting.set_flag(room.id, flag, False)
            self._inside.tell(room)

    def _name_of(self, choice: ShareChoice) -> str:
        if choice.kind == "test":
            return "Test page"
        if choice.kind == "file":
            return PurePath(choice.source_id).name
        listed = (one.name for one in self._sources.rows if one.id == choice.source_id)
        return next(listed, "")

    def follow(self, own: Room | None, *, by_person: bool) -> None:
        """The machine moved: a share ends with the call, and when this device is in another."""
        if self._share is None:
            return
        here = own.own if own is not None and own.id == self._call else None
        if here is not None and (here.screen or self._waits):
            return
        self._call, self._waits = None, False
        self._set(None)
        if not by_person:
            self._inside.events.publish(CallNotice("share", _OVER, "The call is over."))

    # --- ink ---------------------------------------------------------------------------------

    async def ink(
        self,
        call: CallId,
        presenter: DeviceId,
        action: str,
        stroke: int = 0,
        places: Sequence[tuple[float, float]] = (),
    ) -> None:
        """Point or draw on what `presenter` shares; places are fractions, those outside go to the
        edge. Raises ``not_in_call``, ``not_shared``, ``forbidden``, ``bad_ink``. Too fast: dropped.
        """
        if len(places) * 2 > MAX_PLACES or not all(map(math.isfinite, sum(places, ()))):
            raise UserError("bad_ink", "This cannot be pointed at or drawn.")
        whole = tuple(round(min(1.0, max(0.0, at)) * _UNIT) for place in places for at in place)
        with self._inside.input():
            self._inside.machine.acting.ink(call, presenter, action, stroke, whole)

    def inked(self, ink: fx.Inked) -> None:
        """Somebody pointed or drew."""
        pairs = zip(ink.places[::2], ink.places[1::2], strict=True)
        name = self._inside.picture.name_of(ink.room, ink.person)
        places = tuple((x / _UNIT, y / _UNIT) for x, y in pairs)
        self._inside.events.publish(
            InkDrawn(
                *(CallId(ink.room.id), ink.presenter, ink.person, ink.device, name),
                *(ink.action, ink.stroke, places),
            )
        )

    # --- from the media process --------------------------------------------------------------

    def take(self, report: port.AnyReport) -> None:
        """What can be shared, or how the share is."""
        if isinstance(report, port.SourcesListed):
            rows = tuple(ShareSource(*row) for row in report.rows)
            self._sources = ShareSources(rows, report.platform, report.regions, report.sound)
            self._listed.set()
            if self._watchers:
                self._inside.events.publish(ShareSourcesChanged(self._sources))
        elif isinstance(report, port.ShareChanged) and self._share is not None:
            self._changed(report, self._share)

    def _changed(self, report: port.ShareChanged, share: Share) -> None:
        if report.state == "ended":
            if report.code:  # without one it is the end of what was shared before
                self._ended(report.code, report.words)
            return
        room = self._inside.machine.own_room()
        if room is None:
            return
        if share.place != report.place:
            self._share = self._inside.picture.facts.share = replace(share, place=report.place)
            self._inside.tell(room)
        if self._waits:
            self._waits = False
            with self._inside.input():
                self._inside.machine.acting.set_flag(room.id, "screen", True)

    def _ended(self, code: str, words: str) -> None:
        self._end()
        notice = CallNotice("share", words or _OVER, _HINTS.get(code, _HINTS["failed"]))
        self._inside.events.publish(notice)

    def lost(self) -> None:
        """The media process is gone. The next one shares again, except what only the desktop's
        picker can give: nobody is asked without having asked."""
        self._listed.clear()
        if self._share is not None and self._share.choice.kind == "platform":
            self._ended("failed", "Sharing stopped with the part for sound and pictures.")


def check_share(choice: ShareChoice) -> None:
    """Raises `UserError` ``bad_share``."""
    if choice.kind not in KINDS:
        raise UserError("bad_share", f"“{choice.kind[:40]}” cannot be shared.", ", ".join(KINDS))
    if choice.kind in ("screen", "window", "file") and not choice.source_id:
        raise UserError("bad_share", "It is not said which one to share.")
    if len(choice.source_id) > MAX_ID:
        raise UserError("bad_share", "The name of what to share is too long.")
    left, top, width, height = choice.region
    if not all(0 <= side <= MAX_SIDE for side in (left, top, width, height)):
        raise UserError("bad_share", "This part of the screen does not exist.")
    if choice.kind == "region" and not (width and height):
        raise UserError("bad_share", "A part of the screen has a width and a height.")
    if not 0 <= choice.fps <= 30:
        raise UserError("bad_share", "Up to 30 pictures a second can be shared.")


def plan_of(share: Share) -> port.SharePlan:
    """The plan for the media process."""
    choice = share.choice
    return port.SharePlan(
        source=choice.kind,
        source_id=choice.source_id,
        region=choice.region,
        fps=choice.fps,
        paused=share.paused,
        sound=choice.sound,
    )
