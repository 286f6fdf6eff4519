"""What the start screen shows, as plain values; the presenter makes them, the view draws them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from folkmoot.domain.ids import ConversationId


class Step(enum.Enum):
    """Which of its few steps the left half shows."""

    WELCOME = 0
    NAME_TEAM = 1
    PASTE = 2
    JOINING = 3


@dataclass(frozen=True, slots=True)
class NearbyRow:
    """A team on this network; `words` are there once they can be compared."""

    team: ConversationId
    name: str
    computers_online: int
    asked: bool
    words: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Joining:
    """An invitation being followed; `problem` empty while nothing went wrong. `server`: over which
    the team is met, empty for this network."""

    team: str
    problem: str
    hint: str
    waiting: bool
    server: str = ""
