"""Calls as the window and the API see them: plain frozen values, like those of `services.values`.

A call lives in a conversation; its participants are devices. Times are milliseconds since the Unix
epoch in UTC (``_ms``) or durations in the unit of their name.
"""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.domain.calls import CallEnd as CallEnd
from folkmoot.domain.calls import CallId as CallId
from folkmoot.domain.calls import CallPhase as CallPhase
from folkmoot.domain.calls import ParticipantState as ParticipantState
from folkmoot.domain.ids import ConversationId, DeviceId, PersonId


@dataclass(frozen=True, slots=True)
class Participant:
    """One device in a call, or a person who is rung there (`device` empty until one answers).

    `quality`: 3 good, 2 fair, 1 poor, 0 none or unknown. `quality_reason`: ``""``, ``loss``,
    ``delay``, ``jitter``, ``rate`` (too little bandwidth), ``cpu``, ``silent`` (nothing comes),
    ``no_relay`` (nothing comes, and there is no relay; `node.calls.relay()` says why).
    `width` and `height` are of the picture that comes, 0 without one; `screen_width` and
    `screen_height` of what is shared. `screen`: shares a screen, which may be `screen_paused`.
    `records`: makes a recording of this call.
    """

    person: PersonId
    device: DeviceId
    name: str
    state: ParticipantState
    is_me: bool = False
    microphone: bool = False
    camera: bool = False
    hand: bool = False
    is_host: bool = False
    volume: float = 1.0
    muted_for_me: bool = False
    quality: int = 0
    quality_reason: str = ""
    width: int = 0
    height: int = 0
    screen: bool = False
    screen_paused: bool = False
    screen_width: int = 0
    screen_height: int = 0
    records: bool = False


@dataclass(frozen=True, slots=True)
class ShareSource:
    """A screen or a window that can be shared. `kind`: ``screen`` or ``window``."""

    id: str
    kind: str
    name: str
    application: str = ""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class ShareSources:
    """What can be shared now; as in `media_port.SourcesListed`."""

    rows: tuple[ShareSource, ...] = ()
    platform: bool = False
    regions: bool = False
    sound: bool = False


@dataclass(frozen=True, slots=True)
class ShareChoice:
    """What to share: as in `media_port.SharePlan`."""

    kind: str
    source_id: str = ""
    region: tuple[int, int, int, int] = (0, 0, 0, 0)
    sound: bool = False
    fps: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """What this person shares now. `name` is that of the window or screen; `place` as in
    `media_port.ShareChanged`."""

    choice: ShareChoice
    name: str
    paused: bool = False
    place: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class RecordChoice:
    """How to record. `container`: ``mkv`` or ``mp4``. `tracks`: one for each person, in ``mkv``."""

    container: str = "mkv"
    tracks: bool = False
    height: int = 720


@dataclass(frozen=True, slots=True)
class RecordingNow:
    """The recording that this person makes now."""

    id: str
    path: str
    seconds: float = 0.0
    size_bytes: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """Something that happened in a recording. `kind`: ``joined``, ``left``, ``share``, ``hand``,
    ``chat``, ``pause``."""

    at_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording that this person made. `state`: ``recording``, ``done``, ``broken off`` (the
    program ended in the middle; it plays up to there) or ``missing`` (the file is gone)."""

    id: str
    call: CallId
    conversation: ConversationId
    path: str
    started_at_ms: int
    duration_s: float
    size_bytes: int
    names: tuple[str, ...]
    participants: tuple[PersonId, ...]
    chapters: tuple[Chapter, ...]
    state: str = "done"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `microphone`, `camera`, `hand` are ours; `video`: it was started with cameras.
    `share` and `recording` are ours, None without.

    `may_control`: this person may ask to mute, remove, lock and end for all. `end` says why it is
    over for this person; while others go on without them the phase is RUNNING and it stays set.
    """

    id: CallId
    conversation: ConversationId
    phase: CallPhase
    video: bool
    started_by: PersonId
    started_at_ms: int
    participants: tuple[Participant, ...]
    microphone: bool = False
    camera: bool = False
    hand: bool = False
    locked: bool = False
    may_control: bool = False
    end: CallEnd | None = None
    share: Share | None = None
    recording: RecordingNow | None = None


@dataclass(frozen=True, slots=True)
class MediaDevice:
    """A microphone, a speaker or a camera. `id` is stable while it is plugged in."""

    id: str
    name: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class MediaDevices:
    """What can be chosen now."""

    microphones: tuple[MediaDevice, ...] = ()
    speakers: tuple[MediaDevice, ...] = ()
    cameras: tuple[MediaDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaChoice:
    """What this person chose for calls. An empty device id is the system's default.

    `microphone` and `speaker` also take ``none``; `microphone` and `camera` take ``test`` (a
    generated tone, a generated picture) and ``file:PATH``. `profile` is ``saver``, ``balanced`` or
    ``high``. `height` caps the picture in pixels; 0 leaves it to the profile. `codec` of pictures
    that are sent: ``auto`` or ``h264``. `ice_servers`: STUN and TURN servers as
    `calls.servers` reads them, empty for none. `ring`: who is called hears it.
    """

    microphone: str = ""
    speaker: str = ""
    camera: str = ""
    profile: str = "balanced"
    height: int = 0
    echo_cancellation: bool = True
    noise_suppression: bool = True
    gain_control: bool = True
    push_to_talk: bool = False
    codec: str = "auto"
    ice_servers: str = ""
    ring: bool = True


@dataclass(frozen=True, slots=True)
class RelayCheck:
    """What came of the last attempt of a connection to get a relay (TURN).

    `code`: ``ok``, ``refused`` (the credentials), ``full``, ``certificate``, ``no_answer``; `words`
    and `hint` say it, empty for ``ok``. `url`: the TURN server.
    """

    code: str
    words: str
    hint: str
    url: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class PeerStats:
    """The last second of what goes to and comes from one device.

    Rates are bits per second, loss a fraction in [0, 1], `frozen_ms` and `concealed_ms` sums since
    the connection began. `codec` names those in use, as ``opus, VP8``; `way` is the kind of the
    candidates, as ``host`` or ``relay``.
    """

    device: DeviceId
    rtt_ms: float | None = None
    loss_in: float = 0.0
    loss_out: float = 0.0
    jitter_ms: float = 0.0
    audio_in_bps: int = 0
    audio_out_bps: int = 0
    video_in_bps: int = 0
    video_out_bps: int = 0
    fps_in: float = 0.0
    fps_out: float = 0.0
    width: int = 0
    height: int = 0
    freezes: int = 0
    frozen_ms: int = 0
    concealed_ms: int = 0
    audio_delay_ms: float = 0.0
    codec: str = ""
    way: str = ""
    screen_in_bps: int = 0
    screen_out_bps: int = 0
    screen_fps_in: float = 0.0
    screen_fps_out: float = 0.0
    screen_width: int = 0
    screen_height: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """Who recorded a call, as the log tells it: “`name` recorded this call” and when.

    `seconds` None: no end was written, so that it runs or broke off. `is_me`: it may be one of
    `node.recordings.list()`, by its `call` and about its `began_at_ms`.
    """

    person: PersonId
    name: str
    began_at_ms: int
    seconds: int | None
    is_me: bool


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call as the log tells it: the card in the timeline and a row of the history.

    `participants` took part, this person last, and `names` are theirs. `ended_at_ms` None: no end
    was written (it runs, or whoever was in it last lost power); then nobody is named yet.
    """

    id: CallId
    conversation: ConversationId
    started_by: PersonId
    started_by_name: str
    video: bool
    started_at_ms: int
    ended_at_ms: int | None
    duration_s: int
    participants: tuple[PersonId, ...]
    names: tuple[str, ...]
    took_part: bool
    """Whether this person was in it."""
    is_open: bool = False
    """In a channel: it was there for whoever wanted to come, and nobody missed it."""
    declined: bool = False
    """Whether this person declined it, on any of their computers."""
    declined_by: tuple[tuple[PersonId, str], ...] = ()
    """The others who declined it, and their names."""
    recorded: tuple[Recorded, ...] = ()
    """Who recorded it, in the order they began. Each change of it is told as
    `events.MessageChanged` of the card with `what` ``call``."""

    @property
    def missed(self) -> bool:
        """Whether it rang this person and ended without a word of theirs."""
        answered = self.took_part or self.declined
        return self.ended_at_ms is not None and not answered and not self.is_open
