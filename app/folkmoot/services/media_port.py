"""The pipe between the node and the media process: its messages, and the port that the node uses.

Both ends speak `VERSION` and refuse another. A message is one msgpack array, its type first, at
most `MAX_MESSAGE_BYTES`, after four bytes of length (big-endian). Commands go to the media process,
reports come from it; neither end believes the other: `decode_command` and `decode_report` check
bounds before anything is built and raise `PeerError` ``bad_message``.

Peers are devices; `SELF` stands for this one. A peer can have two connections for a moment, when a
new one takes over: `connection` counts them from 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

from folkmoot.domain.errors import PeerError
from folkmoot.services.media_plans import CAMERA as CAMERA
from folkmoot.services.media_plans import MAX_SDP_CHARACTERS as MAX_SDP_CHARACTERS
from folkmoot.services.media_plans import SCREEN as SCREEN
from folkmoot.services.media_plans import SOURCE as SOURCE
from folkmoot.services.media_plans import WHOLE as WHOLE
from folkmoot.services.media_plans import AudioPlan as AudioPlan
from folkmoot.services.media_plans import Code as Code
from folkmoot.services.media_plans import Fraction16 as Fraction16
from folkmoot.services.media_plans import IceServer as IceServer
from folkmoot.services.media_plans import Meta as Meta
from folkmoot.services.media_plans import Name as Name
from folkmoot.services.media_plans import Number as Number
from folkmoot.services.media_plans import PeerKey as PeerKey
from folkmoot.services.media_plans import RecordPlace as RecordPlace
from folkmoot.services.media_plans import RecordPlan as RecordPlan
from folkmoot.services.media_plans import Sdp as Sdp
from folkmoot.services.media_plans import SharePlan as SharePlan
from folkmoot.services.media_plans import TilePlan as TilePlan
from folkmoot.services.media_plans import VideoPlan as VideoPlan
from folkmoot.services.media_plans import Words as Words

VERSION = 3
MAX_MESSAGE_BYTES = 256 * 1024
MAX_PEERS = 25
MAX_ICE_SERVERS = 32
SELF = b""

# --- commands X


class Command(msgspec.Struct, array_like=True, frozen=True):
    """Base of what the node says to the media process."""


IceServers = Annotated[tuple[IceServer, ...], Meta(max_length=MAX_ICE_SERVERS)]


class Begin(Command, frozen=True, tag=1):
    """The first message. `devices`: use the devices of this computer; without, Qt is not loaded."""

    version: Number
    devices: bool
    ice_servers: IceServers = ()


class SetAudio(Command, frozen=True, tag=2):
    """Replace the plan for sound."""

    plan: AudioPlan


class SetVideo(Command, frozen=True, tag=3):
    """Replace the plan for pictures."""

    plan: VideoPlan


class Connect(Command, frozen=True, tag=4):
    """Make a connection to `peer`. `offers`: answer with a `Described` offer; else wait for one.

    An older connection of that peer goes on until this one carries media, or fails.
    """

    peer: PeerKey
    connection: Number
    offers: bool


class Describe(Command, frozen=True, tag=5):
    """What the peer sent: `kind` is ``offer`` or ``answer``."""

    peer: PeerKey
    connection: Number
    kind: Code
    sdp: Sdp


class Disconnect(Command, frozen=True, tag=6):
    """End every connection of a peer."""

    peer: PeerKey


class SetPeer(Command, frozen=True, tag=7):
    """How loud a peer is here, 0 to 2."""

    peer: PeerKey
    volume: Annotated[float, Meta(ge=0.0, le=2.0)]


class ShowTiles(Command, frozen=True, tag=8):
    """Which pictures the window shows; replaces the plan before. Others are not decoded."""

    tiles: Annotated[tuple[TilePlan, ...], Meta(max_length=64)]


class End(Command, frozen=True, tag=9):
    """End in good order."""


class SetShare(Command, frozen=True, tag=10):
    """Replace the plan for what is shared."""

    plan: SharePlan


class ListSources(Command, frozen=True, tag=11):
    """Tell what can be shared, and make its thumbnails, until it is switched off."""

    on: bool


class Record(Command, frozen=True, tag=12):
    """Begin a recording; one that runs is ended first."""

    plan: RecordPlan


class SetRecording(Command, frozen=True, tag=13):
    """Other places, or a pause, for the recording that runs. A paused one gets nothing and its
    clock stands still."""

    places: Annotated[tuple[RecordPlace, ...], Meta(max_length=64)]
    paused: bool = False


class StopRecording(Command, frozen=True, tag=14):
    """Finish the file."""


class SetServers(Command, frozen=True, tag=15):
    """Which STUN and TURN servers the connections ask that are made from now on."""

    servers: IceServers


# --- reports -X


class Report(msgspec.Struct, array_like=True, frozen=True):
    """Base of what the media process says to the node."""


class Begun(Report, frozen=True, tag=1):
    """The answer to `Begin`. `echo_canceller` is ``livekit``, ``speex`` or empty."""

    version: Number
    echo_canceller: Code


class Described(Report, frozen=True, tag=2):
    """A description to hand to the peer."""

    peer: PeerKey
    connection: Number
    kind: Code
    sdp: Sdp


class PathChanged(Report, frozen=True, tag=3):
    """`state`: ``connected`` (media may flow), ``flowing`` (media came), ``silent`` (none for one
    second), ``failed`` (it never came to be), ``closed``."""

    peer: PeerKey
    connection: Number
    state: Code


LevelRow = tuple[PeerKey, Annotated[float, Meta(ge=0.0, le=1.0)], bool]


class Levels(Report, frozen=True, tag=4):
    """(peer or SELF, loudness, speaks), ten times a second while somebody is heard."""

    rows: Annotated[tuple[LevelRow, ...], Meta(max_length=MAX_PEERS + 1)]


class PictureChanged(Report, frozen=True, tag=5):
    """The size of the pictures that come from a peer, or ours; 0 when they stop. `kind`:
    ``camera`` or ``screen``."""

    peer: PeerKey
    width: Number
    height: Number
    kind: Code = CAMERA


DeviceRow = tuple[Name, Name, bool]
DeviceRows = Annotated[tuple[DeviceRow, ...], Meta(max_length=64)]


class DevicesListed(Report, frozen=True, tag=6):
    """(id, name, is the default) of microphones, speakers, cameras; told again at each change."""

    microphones: DeviceRows
    speakers: DeviceRows
    cameras: DeviceRows


class DeviceFault(Report, frozen=True, tag=7):
    """`kind`: ``microphone``, ``speaker``, ``camera``. `code`: ``none``, ``gone``, ``busy``,
    ``refused``, ``file``; empty when it works again."""

    kind: Code
    code: Code
    words: Words


class StatsRow(msgspec.Struct, array_like=True, frozen=True):
    """As `services.call_values.PeerStats`; `rtt_ms` -1: not known."""

    peer: PeerKey
    rtt_ms: float
    loss_in: float
    loss_out: float
    jitter_ms: float
    audio_in_bps: int
    audio_out_bps: int
    video_in_bps: int
    video_out_bps: int
    fps_in: float
    fps_out: float
    width: Number
    height: Number
    freezes: int
    frozen_ms: int
    concealed_ms: int
    audio_delay_ms: float
    codec: Name
    way: Code
    quality: Annotated[int, Meta(ge=0, le=3)]
    quality_reason: Code
    screen_in_bps: int = 0
    screen_out_bps: int = 0
    screen_fps_in: float = 0.0
    screen_fps_out: float = 0.0
    screen_width: Number = 0
    screen_height: Number = 0


class StatsTaken(Report, frozen=True, tag=8):
    """Once a second while somebody is connected."""

    rows: Annotated[tuple[StatsRow, ...], Meta(max_length=MAX_PEERS)]


class PeerBroken(Report, frozen=True, tag=9):
    """A peer sends what nobody may send; its connections are closed already."""

    peer: PeerKey
    code: Code
    words: Words


SourceRow = tuple[Name, Code, Name, Name, Number, Number]


class SourcesListed(Report, frozen=True, tag=10):
    """(id, ``screen`` or ``window``, title, application, width, height) of what can be shared; told
    again at each change. `platform`: the desktop's own picker is to be used instead. `regions`: a
    part of a screen can be shared. `sound`: what the computer plays can be shared."""

    rows: Annotated[tuple[SourceRow, ...], Meta(max_length=128)]
    platform: bool = False
    regions: bool = False
    sound: bool = False


class ShareChanged(Report, frozen=True, tag=11):
    """`state`: ``sharing``, ``paused`` or ``ended``. `code` of an end: empty (it was asked for),
    ``closed`` (the window is gone), ``locked`` (the screen was locked), ``refused``, ``none`` (it
    is not there), ``failed``. `words` say it. `place`: where it is on the screen now (left, top,
    width, height in its pixels), for a frame around it; all 0 where that is not known."""

    state: Code
    code: Code = ""
    words: Words = ""
    place: tuple[int, int, int, int] = (0, 0, 0, 0)


class RecordingChanged(Report, frozen=True, tag=12):
    """Once a second while one is made, and at each change. `state`: ``recording``, ``paused`` or
    ``ended``. `code` of an end: empty (it was asked for), ``full`` (the disk), ``failed``."""

    path: Annotated[str, Meta(max_length=4096)]
    state: Code
    seconds: float
    size_bytes: Annotated[int, Meta(ge=0, le=2**53)]
    code: Code = ""
    words: Words = ""


class TurnTried(Report, frozen=True, tag=13):
    """A connection asked for a relay. `code`: ``ok``, ``refused`` (the credentials), ``full``,
    ``certificate``, ``no_answer``; `url`: which server gave it, or the first that did not."""

    code: Code
    url: Name


_COMMANDS = (
    *(Begin, SetAudio, SetVideo, Connect, Describe, Disconnect, SetPeer, ShowTiles, End),
    *(SetShare, ListSources, Record, SetRecording, StopRecording),
    SetServers,
)
_REPORTS = (
    *(Begun, Described, PathChanged, Levels, PictureChanged),
    *(DevicesListed, DeviceFault, StatsTaken, PeerBroken),
    *(SourcesListed, ShareChanged, RecordingChanged, TurnTried),
)
AnyCommand = (
    Begin
    | SetAudio
    | SetVideo
    | Connect
    | Describe
    | Disconnect
    | SetPeer
    | ShowTiles
    | End
    | SetShare
    | ListSources
    | Record
    | SetRecording
    | StopRecording
    | SetServers
)
AnyReport = (
    Begun
    | Described
    | PathChanged
    | Levels
    | PictureChanged
    | DevicesListed
    | DeviceFault
    | StatsTaken
    | PeerBroken
    | SourcesListed
    | ShareChanged
    | RecordingChanged
    | TurnTried
)
_encoder = msgspec.msgpack.Encoder()
_command_reader = msgspec.msgpack.Decoder(AnyCommand)
_report_reader = msgspec.msgpack.Decoder(AnyReport)


def encode(message: Command | Report) -> bytes:
    """The bytes of a message, without its length."""
    return _encoder.encode(message)


def decode_command(data: bytes) -> AnyCommand:
    """Read a command; raises `PeerError` ``bad_message``."""
    _check_size(data)
    try:
        command: AnyCommand = _command_reader.decode(data)
        return command
    except msgspec.MsgspecError as error:
        raise PeerError("bad_message", f"The node sent a wrong message: {error}.") from error


def decode_report(data: bytes) -> AnyReport:
    """Read a report; raises `PeerError` ``bad_message``."""
    _check_size(data)
    try:
        report: AnyReport = _report_reader.decode(data)
        return report
    except msgspec.MsgspecError as error:
        raise PeerError("bad_message", f"The media process sent a wrong one: {error}.") from error


def _check_size(data: bytes) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        raise PeerError("bad_message", f"A message of {len(data)} bytes is too large.")


# --- the port X


class Media(Protocol):
    """One running media process, from its `Begun` until it ends."""

    @property
    def memory(self) -> memoryview | None:
        """The shared memory of `frame_slots`; None without a window."""
        ...

    def send(self, command: Command) -> None:
        """Queue a command; never blocks. After the end it is dropped."""
        ...

    async def aclose(self) -> None:
        """Say `End`, wait a moment, then end it whatever happens."""
        ...


class MediaLauncher(Protocol):
    """Starts media processes. The adapter is `folkmoot.media.launcher`."""

    async def launch(
        self, begin: Begin, take: Callable[[AnyReport], None], ended: Callable[[str], None]
    ) -> Media:
        """A media process that has begun. `take` gets its reports, `ended` the reason of its end,
        both on the caller's loop. Raises `EnvironmentFault` ``no_media`` or ``updated``."""
        ...
