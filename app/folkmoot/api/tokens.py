"""Tokens of the local API: made, checked, listed, taken back.

A token is a JWT (RFC 7519, HS256) whose id stands in a file of the profile; taking the id out of
the file ends the token within two seconds. The secret and the file are private (0600) and never
logged. Checking reads them on another thread, so that a token made or ended by the command line
counts without a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jwt
import msgspec

from folkmoot.domain.errors import EnvironmentFault, UserError

SCOPES = ("read", "write", "calls", "admin")
MAX_TOKENS = 200
MAX_EXPIRY_S = 10 * 365 * 86400
_AUDIENCE = "folkmoot-local-api"
_FRESH_S = 2.0
_SECRET_BYTES = 32


class TokenRecord(msgspec.Struct, frozen=True):
    """One token that counts: never the token itself. Times in seconds since the Unix epoch."""

    id: str
    scopes: list[str]
    created: int
    expires: int


class Refused(UserError):
    """The token is missing, wrong, ended or out of date."""


class TokenBook:
    """The tokens of one profile, in ``FOLDER/secret`` and ``FOLDER/tokens.json``."""

    def __init__(self, folder: Path) -> None:
        self._secret_file = folder / "secret"
        self._list_file = folder / "tokens.json"
        self._folder = folder
        self._known: frozenset[str] = frozenset()
        self._secret = b""
        self._read_at = 0.0

    # Blocking: for the command line and for worker threads.

    def make(self, scopes: Sequence[str], expires_s: int) -> str:
        """A new token; raises `UserError` for a scope that does not exist or a wrong expiry."""
        for scope in scopes:
            if scope not in SCOPES:
                raise UserError(
                    "bad_scope", f"There is no scope “{scope}”.", f"Use: {', '.join(SCOPES)}."
                )
        if not scopes:
            raise UserError("bad_scope", "A token needs a scope.", f"Use: {', '.join(SCOPES)}.")
        if not 1 <= expires_s <= MAX_EXPIRY_S:
            raise UserError("bad_expiry", "A token ends after 1 second at least, 10 years at most.")
        now = int(time.time())
        chosen = sorted(set(scopes), key=SCOPES.index)
        record = TokenRecord(secrets.token_hex(8), chosen, now, now + expires_s)
        with _exclusive(self._folder):
            alive = [one for one in self._load() if one.expires > now]
            if len(alive) >= MAX_TOKENS:
                raise UserError(
                    "too_many_tokens", f"This profile has {MAX_TOKENS} tokens.", "Take one back."
                )
            secret = self._load_secret() or self._new_secret()
            self._save([*alive, record])
        claims = {
            "jti": record.id,
            "scope": " ".join(record.scopes),
            "iat": now,
            "exp": record.expires,
            "aud": _AUDIENCE,
        }
        return jwt.encode(claims, secret, algorithm="HS256")

    def records(self) -> list[TokenRecord]:
        """The tokens that count now."""
        now = time.time()
        return [one for one in self._load() if one.expires > now]

    def revoke(self, token_id: str) -> None:
        """End a token; raises `UserError` when there is none of that id."""
        with _exclusive(self._folder):
            kept = [one for one in self._load() if one.id != token_id]
            if len(kept) == len(self._load()):
                raise UserError("not_found", f"There is no token “{token_id}”.")
            self._save(kept)

    # For the loop.

    async def scopes_of(self, token: str) -> frozenset[str]:
        """The scopes of a token that counts; raises `Refused`."""
        if not self._secret or self._loop_time() - self._read_at > _FRESH_S:
            await self._refresh()
        claims = self._claims(token)
        if claims["jti"] not in self._known:
            await self._refresh()  # made a moment ago, by the command line
        if claims["jti"] not in self._known:
            raise Refused("token_revoked", "This token was taken back.", _HOW)
        return frozenset(str(claims["scope"]).split())

    def _claims(self, token: str) -> dict[str, Any]:
        if not self._secret:
            raise Refused("bad_token", "No token was made for this profile yet.", _HOW)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"require": ["exp", "jti", "scope"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Refused("token_expired", "This token is out of date.", _HOW) from error
        except jwt.InvalidTokenError as error:
            raise Refused("bad_token", "This token is not one of this profile.", _HOW) from error
        return claims

    async def _refresh(self) -> None:
        self._secret, self._known = await asyncio.to_thread(self._read)
        self._read_at = self._loop_time()

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    def _read(self) -> tuple[bytes, frozenset[str]]:
        return self._load_secret(), frozenset(one.id for one in self._load())

    def _load_secret(self) -> bytes:
        try:
            return self._secret_file.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _unreadable(self._secret_file, error) from error

    def _new_secret(self) -> bytes:
        secret = secrets.token_bytes(_SECRET_BYTES)
        _write_private(self._secret_file, secret)
        return secret

    def _load(self) -> list[TokenRecord]:
        try:
            return msgspec.json.decode(self._list_file.read_bytes(), type=list[TokenRecord])
        except FileNotFoundError:
            return []
        except (OSError, msgspec.DecodeError) as error:
            raise _unreadable(self._list_file, error) from error

    def _save(self, records: list[TokenRecord]) -> None:
        _write_private(self._list_file, msgspec.json.encode(records))


_HOW = "Make one with: folkmoot token --profile FOLDER --scope read --scope write"


def _unreadable(file: Path, error: Exception) -> EnvironmentFault:
    return EnvironmentFault(
        "tokens_unreadable",
        f"The token file {file.name} cannot be read: {error}.",
        "Delete it and make new tokens.",
    )


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One writer at a time, over processes too: two commands may make a token at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise EnvironmentFault(
            "read_only", f"The profile cannot be written: {error}.", "Check the folder's rights."
        ) from error
    try:
        _hold(lock)
        yield
    finally:
        os.close(lock)


if sys.platform == "win32":
    import msvcrt

    def _hold(lock: int) -> None:
        msvcrt.locking(lock, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    def _hold(lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)


def _write_private(file: Path, content: bytes) -> None:
    """Replace a file at once, readable by its owner only, on disk when this returns."""
    part = file.with_suffix(".part")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    part.replace(file)
