"""Tokens for the REST paths: JWT (RFC 7519) with HS256, a quarter of an hour each.

Whoever logged in with the key of a device gets one; it says which device that is and which server
made it. Refuses every other algorithm, issuer and audience. Time is an argument.
"""

from __future__ import annotations

import hmac
import re

import jwt

from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import TOKEN_S

MIN_SECRET_BYTES = 32
MAX_TOKEN_LENGTH = 1024
AUDIENCE = "folkmoot-signaling"
_HOW = "A token comes with every login and renewal on the WebSocket."
_DEVICE = re.compile(r"[0-9a-f]{64}")


class Refused(UserError):
    """The token is missing, wrong or over; the code is ``no_token``, ``bad_token``,
    ``token_expired``."""


def server_id(secret: bytes) -> bytes:
    """The 32 bytes that name a server: the same for every node that has the same secret."""
    return hmac.digest(secret, b"folkmoot/signaling/server/1", "sha256")


class Tokens:
    """Makes and checks the tokens of one server."""

    def __init__(self, secret: bytes, server: bytes, token_s: int = TOKEN_S) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError("a secret for tokens has 32 bytes at least")
        # A key of its own: what signs tokens is not what names the server.
        self._key = hmac.digest(secret, b"folkmoot/signaling/token/1", "sha256")
        self._issuer = server.hex()
        self._token_s = token_s

    def make(self, device: DeviceId, now_s: float) -> str:
        """A token of `device` that holds for `token_s` from `now_s` (Unix) on."""
        claims = {
            "iss": self._issuer,
            "sub": device.hex(),
            "aud": AUDIENCE,
            "iat": int(now_s),
            "exp": int(now_s) + self._token_s,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def device_of(self, token: str, now_s: float) -> DeviceId:
        """Whose token it is. Raises `Refused`."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise _bad()
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=AUDIENCE,
                issuer=self._issuer,
                # The library would ask the clock; the time is an argument here.
                options={
                    "require": ["exp", "iss", "sub", "aud"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise _bad() from error
        expires, subject = claims["exp"], claims["sub"]
        if not isinstance(expires, int) or not _DEVICE.fullmatch(subject):
            raise _bad()
        if now_s >= expires:
            raise Refused("token_expired", "This token is out of date.", _HOW)
        return DeviceId(bytes.fromhex(subject))


def token_in(header: str | None) -> str:
    """The token in an ``Authorization`` header. Raises `Refused`."""
    if not header:
        raise Refused("no_token", "This needs a token.", "Authorization: Bearer TOKEN")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(
            "bad_token", "The token is not a bearer token.", "Authorization: Bearer TOKEN"
        )
    return token.strip()


def _bad() -> Refused:
    return Refused("bad_token", "This token is not one of this server.", _HOW)
