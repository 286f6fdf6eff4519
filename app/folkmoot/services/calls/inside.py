"""What the parts work with that act by themselves in the call that this device is in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import Room
from folkmoot.services.calls.media import MediaSupervisor
from folkmoot.services.calls.picture import Picture
from folkmoot.services.events import EventBus


@dataclass(frozen=True, slots=True)
class Inside:
    """`input` is one input to the machine, done when it ends; `tell` tells the window of a room."""

    device: DeviceId
    machine: Calls
    picture: Picture
    media: MediaSupervisor
    events: EventBus
    input: Callable[[], AbstractContextManager[None]]
    tell: Callable[[Room], None]
