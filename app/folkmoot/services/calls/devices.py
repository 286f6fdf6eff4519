"""Microphone, speaker and camera of this person: the choice, the check, and what is open now.

Owns the plans for the media process. Refuses to open anything while the person is in no call and
checks nothing: `plan` is the only place where a plan is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from folkmoot.protocol.calls.room import Room
from folkmoot.services.call_values import MediaChoice, MediaDevices
from folkmoot.services.calls.choice import (
    Check,
    Sounds,
    audio_plan,
    check_choice,
    load_choice,
    needs_devices,
    save_choice,
    video_plan,
)
from folkmoot.services.calls.media import MediaSupervisor
from folkmoot.services.calls.relays import Relays
from folkmoot.services.calls.reports import Reports
from folkmoot.services.calls.servers import parse_servers
from folkmoot.services.ports import Store

DEVICES_S = 10.0


class Devices:
    """What is chosen, checked and open."""

    def __init__(
        self,
        store: Store,
        fixed: MediaChoice | None,
        media: MediaSupervisor,
        reports: Reports,
        own_room: Callable[[], Room | None],
        sounds: Callable[[bool], Sounds],
        relays: Relays,
    ) -> None:
        """`fixed` stands for the whole run, whatever settings say. `sounds` as `Ringing.sounds`."""
        self._store = store
        self._fixed = fixed
        self._media = media
        self._reports = reports
        self._own_room = own_room
        self._sounds = sounds
        self._relays = relays
        self._check = Check()
        self.choice = fixed or MediaChoice()

    async def load(self) -> None:
        """Take up what was chosen before."""
        if self._fixed is None:
            self.choice = await load_choice(self._store)
        self._media.use_devices(needs_devices(self.choice))
        self._use_servers()

    async def choose(self, choice: MediaChoice) -> None:
        """Use `choice` at once and keep it; raises `UserError` ``bad_choice``, ``bad_server``.

        Other servers are used from the next connection on.
        """
        check_choice(choice)
        before, self.choice = self.choice, choice
        self._media.use_devices(needs_devices(choice))
        self._use_servers()
        self.plan()
        if self._fixed is None:
            await save_choice(self._store, choice, before)

    def _use_servers(self) -> None:
        self._relays.typed = parse_servers(self.choice.ice_servers)
        self._media.use_servers(self._relays.servers())

    async def listed(self) -> MediaDevices:
        """What can be chosen now; nothing if the computer does not say within `DEVICES_S`."""
        if not needs_devices(self.choice):
            return MediaDevices()
        self._media.need("devices", True)
        try:
            async with asyncio.timeout(DEVICES_S):
                await self._reports.listed.wait()
        except TimeoutError:
            return MediaDevices()
        finally:
            self._media.need("devices", False)
        return self._reports.devices or MediaDevices()

    def check(self, check: Check) -> None:
        """Begin, change or end the check outside a call."""
        self._check = check
        self._reports.checking = check.on
        self._media.need("check", check.on)
        self.plan()

    def plan(self) -> None:
        """Bring what is open in line with what this person is in."""
        room = self._own_room()
        own = room.own if room is not None else None
        in_call = own is not None
        microphone, camera = own is not None and own.microphone, own is not None and own.camera
        audio = audio_plan(
            self.choice,
            in_call=in_call,
            microphone=microphone,
            check=self._check,
            sounds=self._sounds(self.choice.ring),
        )
        video = video_plan(self.choice, in_call=in_call, camera=camera, check=self._check)
        self._media.set_audio(audio)
        self._media.set_video(video)
