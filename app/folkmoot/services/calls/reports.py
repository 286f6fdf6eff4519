"""What the media process reports, made into what the machine, the window and the API are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.calls.room import Room
from folkmoot.services import media_port as port
from folkmoot.services.call_values import MediaDevice, MediaDevices
from folkmoot.services.calls.picture import MediaFacts, stats_of
from folkmoot.services.events import (
    CallLevels,
    CallNotice,
    CallStatsTaken,
    DevicesChanged,
    EventBus,
    MicrophoneTested,
)

_HINTS = {
    ("camera", "none"): "The others see your initials.",
    ("microphone", "none"): "The others cannot hear you: plug one in.",
    ("speaker", "none"): "Plug one in to hear the others.",
}


class Reports:
    """Takes every report; those about connections go to the machine."""

    def __init__(
        self,
        device: DeviceId,
        facts: MediaFacts,
        events: EventBus,
        own_room: Callable[[], Room | None],
        changed: Callable[[Room], None],
    ) -> None:
        """`changed`: tell the window of a room anew."""
        self._device = device
        self._facts = facts
        self._events = events
        self._own_room = own_room
        self._changed = changed
        self.devices: MediaDevices | None = None
        self.listed = asyncio.Event()
        self.checking = False

    def take(self, report: port.AnyReport) -> None:
        """One report that is not about a connection."""
        match report:
            case port.Levels():
                self._levels(report)
            case port.PictureChanged():
                self._picture(report)
            case port.DevicesListed():
                self._devices(report)
            case port.DeviceFault():
                hint = _HINTS.get((report.kind, report.code), "")
                self._events.publish(CallNotice(report.kind, report.words, hint))
            case port.StatsTaken():
                self._stats(report)
            case _:
                pass

    def _who(self, peer: bytes) -> DeviceId:
        return self._device if peer == port.SELF else DeviceId(peer)

    def _levels(self, report: port.Levels) -> None:
        room = self._own_room()
        if room is not None:
            rows = tuple((self._who(peer), level, on) for peer, level, on in report.rows)
            for device, _, speaks in rows:
                if device == self._device or device in room.others:
                    self._facts.of(device).speaks = speaks
            self._events.publish(CallLevels(room.id, rows))
        elif self.checking:
            for peer, level, _ in report.rows:
                if peer == port.SELF:
                    self._events.publish(MicrophoneTested(level))

    def _picture(self, report: port.PictureChanged) -> None:
        room, device = self._own_room(), self._who(report.peer)
        if room is None or (device != self._device and device not in room.others):
            return
        heard = self._facts.of(device)
        size = (report.width, report.height)
        if report.kind == port.SCREEN:
            changed = (heard.screen_width, heard.screen_height) != size
            heard.screen_width, heard.screen_height = size
        else:
            changed = (heard.width, heard.height) != size
            heard.width, heard.height = size
        if changed:
            self._changed(room)

    def _devices(self, report: port.DevicesListed) -> None:
        self.devices = MediaDevices(
            *(
                tuple(MediaDevice(*row) for row in rows)
                for rows in (report.microphones, report.speakers, report.cameras)
            )
        )
        self.listed.set()
        self._events.publish(DevicesChanged(self.devices))

    def _stats(self, report: port.StatsTaken) -> None:
        room = self._own_room()
        if room is None:
            return
        rows = [row for row in report.rows if DeviceId(row.peer) in room.others]
        changed = False
        for row in rows:
            heard = self._facts.of(DeviceId(row.peer))
            if (heard.quality, heard.reason) != (row.quality, row.quality_reason):
                heard.quality, heard.reason = row.quality, row.quality_reason
                changed = True
        self._facts.stats = tuple(stats_of(row) for row in rows)
        self._events.publish(CallStatsTaken(room.id, self._facts.stats))
        if changed:
            self._changed(room)
