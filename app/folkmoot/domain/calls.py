"""Words for calls: who stands where, and why a call is over. Values only, no rules.

A call is named by 32 random bytes, lives in a conversation, and its participants are devices.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

CallId = NewType("CallId", bytes)
"""32 random bytes, chosen by who starts the call."""


class CallPhase(StrEnum):
    """Where this person stands with a call."""

    RINGING = "ringing"
    """Others ring this person."""
    CALLING = "calling"
    """This person is in it, alone, and rings others."""
    JOINED = "joined"
    """This person is in it."""
    RUNNING = "running"
    """Others are in it; this person can join."""
    ENDED = "ended"


class CallEnd(StrEnum):
    """Why a call is over for this person."""

    LEFT = "left"
    """This person left, or everybody did."""
    DECLINED = "declined"
    """This person, or all who were rung, declined."""
    MISSED = "missed"
    """It stopped ringing here before anybody answered."""
    NO_ANSWER = "no_answer"
    """Nobody answered our ring in time."""
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    """No computer of those who were rung is linked."""
    ELSEWHERE = "elsewhere"
    """Another computer of this person answered or declined."""
    REMOVED = "removed"
    LOCKED = "locked"
    ENDED_FOR_ALL = "ended_for_all"
    MERGED = "merged"
    """Two calls began at once in one conversation; it goes on in the other one."""
    NO_MEDIA = "no_media"
    """The media process could not be kept running."""


class ParticipantState(StrEnum):
    """Where one device stands in a call."""

    RINGING = "ringing"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    """Media stopped coming; another way is being tried."""
    DECLINED = "declined"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
