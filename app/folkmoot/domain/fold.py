"""The state of a team as a pure function of the entries of its log that are held."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TeamState:
    """What a team is, by the entries held."""
