"""What the WebSocket side needs of others: tokens, credentials for TURN (and a `mailbox`)."""

from __future__ import annotations

from typing import Protocol

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Turn


class Tokens(Protocol):
    """Makes the tokens that open the REST paths; each holds for `TOKEN_S`."""

    def make(self, device: DeviceId, now_s: float) -> str:
        """A token of a device; `now_s` is Unix time."""
        ...


class TurnCredentials(Protocol):
    """Makes time-limited credentials for the TURN servers beside this one."""

    def make(self, device: DeviceId, now_s: float) -> Turn:
        """Credentials of a device; `now_s` is Unix time."""
        ...


class NoTokens:
    """Stands in where there are no REST paths."""

    def make(self, device: DeviceId, now_s: float) -> str:
        """No token."""
        return ""


class NoTurn:
    """Stands in where there is no TURN server."""

    def make(self, device: DeviceId, now_s: float) -> Turn:
        """No servers."""
        return Turn()
