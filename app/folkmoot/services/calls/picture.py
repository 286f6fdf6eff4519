"""What the machine knows of a call, with names and what media told, as the window sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.protocol import frames
from folkmoot.protocol.calls.machine import Calls
from folkmoot.protocol.calls.room import BUSY, DECLINED, Room, Stand
from folkmoot.services.call_values import (
    Call,
    CallId,
    CallPhase,
    Participant,
    ParticipantState,
    PeerStats,
    RecordingNow,
    Share,
)
from folkmoot.services.media_port import StatsRow
from folkmoot.services.registry import TeamRegistry

_ANSWERS = {DECLINED: ParticipantState.DECLINED, BUSY: ParticipantState.BUSY}


@dataclass(slots=True)
class Heard:
    """What media told of one device, and how loud this person wants it."""

    volume: float = 1.0
    muted: bool = False
    quality: int = 0
    reason: str = ""
    width: int = 0
    height: int = 0
    screen_width: int = 0
    screen_height: int = 0
    speaks: bool = False
    no_relay: bool = False
    """A connection came to nothing, and there was no relay that could have helped."""


@dataclass(slots=True)
class MediaFacts:
    """What media told of the call that we are in."""

    peers: dict[DeviceId, Heard] = field(default_factory=dict)
    stats: tuple[PeerStats, ...] = ()
    share: Share | None = None
    recording: RecordingNow | None = None

    def of(self, device: DeviceId) -> Heard:
        """What is known of one device."""
        return self.peers.setdefault(device, Heard())

    def silence(self) -> None:
        """Nothing is heard or seen for the moment."""
        self.stats = ()
        for heard in self.peers.values():
            heard.speaks = False
            heard.width = heard.height = heard.screen_width = heard.screen_height = 0

    def clear(self) -> None:
        """The call is over."""
        self.peers.clear()
        self.stats = ()


class Picture:
    """Makes `Call` values."""

    def __init__(
        self, me: PersonId, device: DeviceId, machine: Calls, registry: TeamRegistry
    ) -> None:
        self._me = me
        self._device = device
        self._machine = machine
        self._registry = registry
        self.facts = MediaFacts()

    def name_of(self, room: Room, person: PersonId) -> str:
        """The name of a person, as in the team of the call."""
        return self._registry.name_of(person, self._registry.team_of(room.conversation))

    def of(self, room: Room) -> Call:
        """A call as it is now."""
        own = room.own if room.joined else None
        rows = [self._other(room, stand) for stand in room.present()]
        rows.sort(key=lambda one: (one.name.casefold(), one.device))
        rung = [self._rung(room, person) for person in self._rung_persons(room)]
        mine = (self._mine(room),) if own is not None else ()
        return Call(
            id=CallId(room.id),
            conversation=room.conversation,
            phase=room.phase(),
            video=room.video,
            started_by=room.started_by,
            started_at_ms=room.started_ms,
            participants=(*mine, *rows, *rung),
            microphone=own is not None and own.microphone,
            camera=own is not None and own.camera,
            hand=own is not None and own.hand,
            locked=self._machine.is_locked(room),
            may_control=own is not None and self._machine.controls(room, self._me),
            end=None if room.phase() is CallPhase.RINGING else room.end,
            share=None if own is None else self.facts.share,
            recording=None if own is None else self.facts.recording,
        )

    def _mine(self, room: Room) -> Participant:
        assert room.own is not None
        heard = self.facts.of(self._device)
        return Participant(
            person=self._me,
            device=self._device,
            name=self.name_of(room, self._me),
            state=ParticipantState.CONNECTED,
            is_me=True,
            microphone=room.own.microphone,
            camera=room.own.camera,
            hand=room.own.hand,
            is_host=room.started_by == self._me,
            width=heard.width,
            height=heard.height,
            screen=room.own.screen,
            screen_paused=room.own.screen and room.own.paused,
            screen_width=heard.screen_width,
            screen_height=heard.screen_height,
            records=room.own.recording,
        )

    def _other(self, room: Room, stand: Stand) -> Participant:
        leg = room.legs.get(stand.device)
        # Seen from outside there is no connection: whoever is in it counts as connected.
        state = ParticipantState.CONNECTED if not room.joined else ParticipantState.CONNECTING
        state = leg.state if leg is not None else state
        heard = self.facts.of(stand.device) if room.joined else Heard()
        silent = state is ParticipantState.RECONNECTING
        return Participant(
            person=stand.person,
            device=stand.device,
            name=self.name_of(room, stand.person),
            state=state,
            microphone=bool(stand.flags & frames.CALL_MICROPHONE),
            camera=bool(stand.flags & frames.CALL_CAMERA),
            hand=bool(stand.flags & frames.CALL_HAND),
            is_host=stand.person == room.started_by,
            volume=heard.volume,
            muted_for_me=heard.muted,
            quality=0 if silent else heard.quality,
            quality_reason=_reason(state, heard),
            width=heard.width,
            height=heard.height,
            screen=stand.shows(frames.CALL_SCREEN),
            screen_paused=stand.shows(frames.CALL_SCREEN) and stand.shows(frames.CALL_PAUSED),
            screen_width=heard.screen_width,
            screen_height=heard.screen_height,
            records=stand.shows(frames.CALL_RECORDS),
        )

    def _rung_persons(self, room: Room) -> list[PersonId]:
        if room.own is None or not room.joined:
            return []
        there = {stand.person for stand in room.present()}
        return [person for person in room.own.rings if person not in there]

    def _rung(self, room: Room, person: PersonId) -> Participant:
        linked = self._machine.is_linked(person)
        waits = ParticipantState.RINGING if linked else ParticipantState.UNREACHABLE
        state = _ANSWERS.get(room.answer_of(person), waits)
        return Participant(person, DeviceId(b""), self.name_of(room, person), state)


def _reason(state: ParticipantState, heard: Heard) -> str:
    if state is ParticipantState.CONNECTED:
        return heard.reason
    if heard.no_relay:
        return "no_relay"
    return "silent" if state is ParticipantState.RECONNECTING else heard.reason


def stats_of(row: StatsRow) -> PeerStats:
    """A row of the media process."""
    return PeerStats(
        device=DeviceId(row.peer),
        rtt_ms=None if row.rtt_ms < 0 else row.rtt_ms,
        loss_in=row.loss_in,
        loss_out=row.loss_out,
        jitter_ms=row.jitter_ms,
        audio_in_bps=row.audio_in_bps,
        audio_out_bps=row.audio_out_bps,
        video_in_bps=row.video_in_bps,
        video_out_bps=row.video_out_bps,
        fps_in=row.fps_in,
        fps_out=row.fps_out,
        width=row.width,
        height=row.height,
        freezes=row.freezes,
        frozen_ms=row.frozen_ms,
        concealed_ms=row.concealed_ms,
        audio_delay_ms=row.audio_delay_ms,
        codec=row.codec,
        way=row.way,
        screen_in_bps=row.screen_in_bps,
        screen_out_bps=row.screen_out_bps,
        screen_fps_in=row.screen_fps_in,
        screen_fps_out=row.screen_fps_out,
        screen_width=row.screen_width,
        screen_height=row.screen_height,
    )
