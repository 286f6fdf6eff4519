"""Credentials for the TURN servers beside this one (RFC 8656), each good for a while.

Made as coturn's ``use-auth-secret`` expects them: the user name says when they end, the password is
a MAC of it under the secret that both servers hold. So the two never need to talk. Refuses to name
a device: the user name carries a keyed hash of it, for the quotas of coturn.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Turn

CREDENTIAL_S = 6 * 60 * 60
"""How long credentials hold. A call goes on with those it began with for as long."""


@dataclass(frozen=True, slots=True)
class TurnCredentials:
    """What makes credentials: the secret shared with coturn and its addresses."""

    secret: bytes = b""
    urls: tuple[str, ...] = ()
    valid_s: int = CREDENTIAL_S

    def make(self, device: DeviceId, now_s: float) -> Turn:
        """Credentials for a device from `now_s` (Unix) on; without urls or secret: none."""
        if not self.urls or not self.secret:
            return Turn()
        shortened = hmac.digest(self.secret, b"folkmoot/turn/1\0" + device, "sha256")[:8].hex()
        username = f"{int(now_s) + self.valid_s}:{shortened}"
        return Turn(self.urls, username, password_of(self.secret, username), self.valid_s)


def password_of(secret: bytes, username: str) -> str:
    """The password that coturn computes for `username`: HMAC-SHA1, base64."""
    return base64.b64encode(hmac.digest(secret, username.encode(), "sha1")).decode()
