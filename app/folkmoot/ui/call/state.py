"""What the windows of a call show, computed from its values. Pure functions, no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import (
    Call,
    CallEnd,
    CallPhase,
    CallRecord,
    Participant,
    ParticipantState,
)
from folkmoot.services.media_port import CAMERA, SCREEN
from folkmoot.ui.timeline.callwords import LiveCall

Key = tuple[bytes, ...]
"""Person and device of a tile (the device is empty while nobody has answered), and `SCREEN` after
them where it shows what that device shares."""
_SCREEN = SCREEN.encode()

_LASTS = 2
"""Steps of levels (tenths of a second) that somebody must speak on to take the stage."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Call", text)


@dataclass(frozen=True, slots=True)
class TileState:
    """One tile. `line` stands in the middle while there is no picture and something to say.

    `kind`: ``camera`` (a participant) or ``screen`` (what one shares, `size` pixels large, 0 while
    that is not known). `shares`: this participant shares a screen. `paused`: it stands still.
    """

    key: Key
    name: str
    shown_name: str
    line: str
    is_me: bool
    muted: bool
    camera: bool
    hand: bool
    quality: int
    quality_words: str
    rings: bool
    kind: str = CAMERA
    shares: bool = False
    paused: bool = False
    size: tuple[int, int] = (0, 0)

    @property
    def is_screen(self) -> bool:
        """Whether it shows a shared screen, not a participant."""
        return self.kind == SCREEN

    @property
    def accessible(self) -> str:
        """Everything that the tile shows, in words."""
        words = [self.shown_name, self.line]
        words += [_tr("microphone off")] if self.muted else []
        words += [_tr("camera on")] if self.camera and not self.is_screen else []
        words += [_tr("hand raised")] if self.hand else []
        words += [_tr("shares a screen")] if self.shares else []
        words += [_tr("paused")] if self.paused else []
        words += [self.quality_words] if self.quality_words else []
        return ", ".join(word for word in words if word)


def key_of(who: Participant) -> Key:
    """The key of somebody's tile."""
    return (who.person, who.device)


def screen_key(who: Participant) -> Key:
    """The key of the tile of what somebody shares."""
    return (*key_of(who), _SCREEN)


def is_screen_key(key: Key) -> bool:
    """Whether a tile shows what somebody shares."""
    return len(key) > 2


def screen_state(who: Participant) -> TileState:
    """What somebody shares, as a tile."""
    words = _tr("Your screen") if who.is_me else _tr("{name}’s screen")
    lost = who.state is ParticipantState.RECONNECTING and not who.is_me
    return TileState(
        key=screen_key(who),
        name=who.name,
        shown_name=words.format(name=first_name(who.name)),
        line=participant_words(who) if lost else "",
        is_me=who.is_me,
        muted=False,
        camera=True,
        hand=False,
        quality=0,
        quality_words="",
        rings=False,
        kind=SCREEN,
        paused=who.screen_paused,
        size=(who.screen_width, who.screen_height),
    )


def tile_state(who: Participant) -> TileState:
    """How somebody stands in a call."""
    there = who.is_me or who.state is ParticipantState.CONNECTED
    joined = who.is_me or who.state in (
        ParticipantState.CONNECTING,
        ParticipantState.CONNECTED,
        ParticipantState.RECONNECTING,
    )
    return TileState(
        key=key_of(who),
        name=who.name,
        shown_name=_tr("You") if who.is_me else who.name,
        line="" if who.is_me else participant_words(who),
        is_me=who.is_me,
        muted=joined and not who.microphone,
        camera=who.camera and joined,
        hand=who.hand and joined,
        quality=who.quality if there else 0,
        quality_words=quality_words(who) if there else "",
        rings=who.state is ParticipantState.RINGING and not who.is_me,
        shares=who.screen and joined,
    )


def participant_words(who: Participant) -> str:
    """What is the matter with somebody; nothing for who is simply there."""
    words = {
        ParticipantState.RINGING: _tr("Ringing {name}"),
        ParticipantState.CONNECTING: _tr("Connecting to {name}"),
        ParticipantState.RECONNECTING: _tr("Connection lost. Trying another way…"),
        ParticipantState.DECLINED: _tr("{name} declined"),
        ParticipantState.BUSY: _tr("{name} is busy"),
        ParticipantState.UNREACHABLE: _tr("{name} cannot be reached"),
    }.get(who.state, "")
    if who.state is ParticipantState.CONNECTING and who.quality_reason == "no_relay":
        words = _tr("{name} is not reached directly, and there is no relay")
    return words.format(name=first_name(who.name))


def quality_words(who: Participant) -> str:
    """How good the connection is, and why it is not better."""
    if who.quality == 0 or (who.quality == 3 and not who.quality_reason):
        return _tr("Good connection") if who.quality else ""
    why = {
        "loss": _tr("some of what is sent gets lost"),
        "delay": _tr("what is said arrives late"),
        "jitter": _tr("what is said arrives unevenly"),
        "rate": _tr("the network is too slow for more"),
        "cpu": _tr("this computer is busy"),
        "silent": _tr("nothing arrives"),
        "no_relay": _tr("nothing arrives, and there is no relay"),
    }.get(who.quality_reason, "")
    grade = {1: _tr("Weak connection"), 2: _tr("Fair connection")}.get(
        who.quality, _tr("Good connection")
    )
    return f"{grade}: {why}" if why else grade


def tile_states(call: Call) -> tuple[TileState, ...]:
    """All tiles: shared screens, others who are there, oneself, those who are still rung."""
    there = [p for p in call.participants if not p.is_me and not _absent(p)]
    absent = [p for p in call.participants if not p.is_me and _absent(p)]
    me = [p for p in call.participants if p.is_me]
    screens = [screen_state(p) for p in (*there, *me) if p.screen]
    return (*screens, *(tile_state(p) for p in (*there, *me, *absent)))


def _absent(who: Participant) -> bool:
    return who.state in (
        ParticipantState.RINGING,
        ParticipantState.DECLINED,
        ParticipantState.BUSY,
        ParticipantState.UNREACHABLE,
    )


def first_name(name: str) -> str:
    """The first word of a name."""
    words = name.split()
    return words[0] if words else name


def call_line(call: Call) -> str:
    """What the call waits for, in one line; nothing once it runs."""
    if call.phase is CallPhase.CALLING:
        rung = [p for p in call.participants if p.state is ParticipantState.RINGING]
        if len(rung) == 1:
            return _tr("Ringing {name}…").format(name=first_name(rung[0].name))
        return _tr("Ringing {n} people…").format(n=len(rung)) if rung else _tr("Calling…")
    if call.phase is CallPhase.JOINED and len(call.participants) == 1:
        return _tr("Nobody else is here")
    return ""


def ended_words(call: Call) -> str:
    """Why a call is over, as a sentence."""
    others = [p for p in call.participants if not p.is_me]
    name = first_name(others[0].name) if len(others) == 1 else ""
    one = {
        CallEnd.DECLINED: _tr("{name} declined the call."),
        CallEnd.NO_ANSWER: _tr("{name} did not answer."),
        CallEnd.BUSY: _tr("{name} is busy."),
        CallEnd.UNREACHABLE: _tr("{name} cannot be reached: none of their computers is online."),
    }
    several = {
        CallEnd.DECLINED: _tr("The call was declined."),
        CallEnd.NO_ANSWER: _tr("Nobody answered."),
        CallEnd.BUSY: _tr("Everybody is busy."),
        CallEnd.UNREACHABLE: _tr("Nobody can be reached: none of their computers is online."),
        CallEnd.MISSED: _tr("The call was missed."),
        CallEnd.ELSEWHERE: _tr("You answered on another computer."),
        CallEnd.REMOVED: _tr("You were removed from the call."),
        CallEnd.LOCKED: _tr("The call is locked: nobody else can come in now."),
        CallEnd.ENDED_FOR_ALL: _tr("The call was ended for everybody."),
        CallEnd.MERGED: _tr("Two calls began at once: it goes on in the other one."),
        CallEnd.NO_MEDIA: _tr("Sound and picture could not be kept running on this computer."),
    }
    if call.end is None:
        return _tr("The call is over.")
    words = one.get(call.end) if name else None
    return (words or several.get(call.end, _tr("The call is over."))).format(name=name)


def clock_words(seconds: int) -> str:
    """A running time: ``04:12``, ``1:02:03``."""
    minutes, left = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def names_words(call: Call) -> str:
    """Who is in it: ``Mara, Tomas and you``."""
    names = [first_name(p.name) for p in call.participants if not p.is_me and not _absent(p)]
    if not names:
        return call_line(call) or _tr("Only you")
    if len(names) > 3:
        return _tr("{a}, {b}, {n} others and you").format(a=names[0], b=names[1], n=len(names) - 2)
    return _tr("{names} and you").format(names=", ".join(names))


def shares_words(call: Call) -> str:
    """Who shares a screen, in one line; nothing where nobody does."""
    if call.share is not None:
        return _tr("You share, paused") if call.share.paused else _tr("You share a screen")
    names = [first_name(p.name) for p in call.participants if p.screen and not p.is_me]
    if len(names) == 1:
        return _tr("{name} shares a screen").format(name=names[0])
    return _tr("{n} people share a screen").format(n=len(names)) if names else ""


def live_call(call: Call, now_s: float) -> LiveCall:
    """A call that runs, as its card in a timeline says it."""
    minutes = max(0, int(now_s - call.started_at_ms / 1000)) // 60
    mine = call.phase in (CallPhase.JOINED, CallPhase.CALLING)
    names = names_words(call)
    if not mine:
        there = [first_name(p.name) for p in call.participants if not p.is_me and not _absent(p)]
        names = ", ".join(there[:3])
        if len(there) > 3:
            names = _tr("{names} and {n} more").format(names=names, n=len(there) - 3)
    return LiveCall(names, _tr("{n} min").format(n=minutes) if minutes else "", mine)


def ring_title(call: Call) -> str:
    """Who rings."""
    return next((p.name for p in call.participants if p.person == call.started_by), "") or next(
        (p.name for p in call.participants if not p.is_me), _tr("Somebody")
    )


def hands(call: Call) -> tuple[PersonId, ...]:
    """Those who raised a hand, in the order in which the call lists them."""
    return tuple(p.person for p in call.participants if p.hand)


@dataclass(frozen=True, slots=True)
class RecordState:
    """A row of the history."""

    record: CallRecord
    title: str
    line: str
    missed: bool


def record_state(record: CallRecord, place: str) -> RecordState:
    """A call of the log as a row; `place` names its conversation."""
    if record.missed:
        line = _tr("Missed, {name} called").format(name=first_name(record.started_by_name))
    elif record.ended_at_ms is None:
        line = _tr("No end was written")
    elif record.declined and not record.took_part:
        line = _tr("You declined")
    elif set(record.participants) - {record.started_by} and not record.duration_s:
        line = _tr("Never connected")
    elif record.declined_by and not record.duration_s:
        names = ", ".join(first_name(name) for _, name in record.declined_by)
        line = _tr("{names} declined").format(names=names)
    elif not record.duration_s:
        line = _tr("Nobody joined") if record.is_open else _tr("Nobody answered")
    elif not record.took_part:
        line = _tr("{time}, without you").format(time=clock_words(record.duration_s))
    else:
        line = clock_words(record.duration_s)
    if record.recorded:
        line = f"{line} · {_tr('recorded')}"
    return RecordState(record, place, line, record.missed)


class Speaker:
    """Who has the large tile: whoever speaks on takes it, a cough does not.

    Fed with the levels ten times a second; keeps the last speaker while nobody speaks.
    """

    def __init__(self) -> None:
        self.current: bytes | None = None
        self._wants: bytes | None = None
        self._steps = 0
        self._held = 0

    def take(self, rows: Sequence[tuple[bytes, float, bool]], me: bytes) -> bool:
        """Take one step of levels; whether somebody else has the stage now."""
        self._held += 1
        speaking = [row for row in rows if row[2] and row[0] != me]
        if not speaking:
            self._wants, self._steps = None, 0
            return False
        loudest = max(speaking, key=lambda row: row[1])[0]
        if loudest == self.current:
            self._wants, self._steps = None, 0
            return False
        self._steps = self._steps + 1 if loudest == self._wants else 1
        self._wants = loudest
        patience = _LASTS * 5 if self._held < 20 and self.current is not None else _LASTS * 3
        if self.current is None:
            patience = _LASTS
        if self._steps < patience:
            return False
        self.current, self._held = loudest, 0
        self._wants, self._steps = None, 0
        return True
