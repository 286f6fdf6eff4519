"""What the machine of calls wants done; whoever drives it does it, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from folkmoot.domain.ids import ConversationId, DeviceId, PersonId
from folkmoot.protocol.frames import Frame

if TYPE_CHECKING:
    from folkmoot.protocol.calls.room import Room


@dataclass(frozen=True, slots=True)
class Effect:
    """Base of what is to be done."""


@dataclass(frozen=True, slots=True)
class Announce(Effect):
    """Send to every linked device whose person may see the conversation."""

    conversation: ConversationId
    frame: Frame


@dataclass(frozen=True, slots=True)
class Send(Effect):
    """Send to one device, if it is linked."""

    device: DeviceId
    frame: Frame


@dataclass(frozen=True, slots=True)
class Connect(Effect):
    """Make a media connection to a device; `offers`: we describe first."""

    device: DeviceId
    connection: int
    offers: bool


@dataclass(frozen=True, slots=True)
class Describe(Effect):
    """Hand a description of the other side to the media; `kind` is ``offer`` or ``answer``."""

    device: DeviceId
    connection: int
    kind: str
    sdp: str


@dataclass(frozen=True, slots=True)
class Disconnect(Effect):
    """End every media connection to a device."""

    device: DeviceId


@dataclass(frozen=True, slots=True)
class Changed(Effect):
    """A room reads differently; `room.over`: this is the last of it."""

    room: Room


@dataclass(frozen=True, slots=True)
class Started(Effect):
    """We started this call: write it down."""

    room: Room


@dataclass(frozen=True, slots=True)
class Declined(Effect):
    """This person said no to a call that rang: write it down."""

    room: Room


@dataclass(frozen=True, slots=True)
class Finished(Effect):
    """We were the last to leave: write down who took part and how long it was, in seconds."""

    room: Room
    persons: tuple[PersonId, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Told(Effect):
    """Something the person should know. `code`: ``muted`` (by `person`), ``full``."""

    room: Room
    code: str
    person: PersonId


@dataclass(frozen=True, slots=True)
class Reacted(Effect):
    """Somebody in our call showed an emoji."""

    room: Room
    person: PersonId
    emoji: str


@dataclass(frozen=True, slots=True)
class Inked(Effect):
    """Somebody in our call, or this device, points at or draws on what `presenter` shares.

    The rest is as in `frames.CallInk`.
    """

    room: Room
    presenter: DeviceId
    device: DeviceId
    person: PersonId
    action: str
    stroke: int
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Redial(Effect):
    """Nothing comes from a device: look whether its link is dead too."""

    device: DeviceId
