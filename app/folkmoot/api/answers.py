"""Answers of the local API: JSON bodies, errors with the right status, parsed requests."""

from __future__ import annotations

import asyncio
import re
from typing import TypeVar

import msgspec
from aiohttp import web

from folkmoot.api.shapes import Body, ErrorAnswer, Problem
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError, UserError
from folkmoot.domain.ids import ConversationId, EntryId, PersonId

B = TypeVar("B", bound=Body)

MAX_BODY_BYTES = 256 * 1024
BODY_S = 15.0
MAX_LIMIT = 200
DEFAULT_LIMIT = 50
_ENCODER = msgspec.json.Encoder()
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
_ID = re.compile(r"[0-9a-f]{64}")
_STATUS = {
    "not_found": 404,
    "forbidden": 403,
    "wrong_scope": 403,
    "no_token": 401,
    "bad_token": 401,
    "token_expired": 401,
    "token_revoked": 401,
    "too_large": 413,
    "too_slow": 408,
    "not_json": 415,
}


def answer(content: object, status: int = 200) -> web.Response:
    """`content` as JSON."""
    return web.Response(
        body=_ENCODER.encode(content),
        status=status,
        content_type="application/json",
        headers=_HEADERS,
    )


def nothing() -> web.Response:
    """204: done, nothing to tell."""
    return web.Response(status=204, headers=_HEADERS)


def page(html: str) -> web.Response:
    """A page of our own words only."""
    return web.Response(text=html, content_type="text/html", headers=_HEADERS)


def problem(status: int, code: str, message: str, hint: str = "") -> web.Response:
    """An error."""
    return answer(ErrorAnswer(Problem(code, message, hint)), status)


def problem_of(error: FolkmootError) -> web.Response:
    """An error of the tree with the status that belongs to its branch and code."""
    return problem(status_of(error), error.code, error.message, error.hint)


def status_of(error: FolkmootError) -> int:
    """401, 403, 404, 408, 413, 415 by code; 422 for wrong input; 409, 502 and 503 by branch."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, UserError):
        return 422 if error.code.startswith("bad_") else 409
    if isinstance(error, PeerError):
        return 502
    return 503 if isinstance(error, EnvironmentFault) else 500


async def body_of(request: web.Request, shape: type[B]) -> B:
    """The request's JSON body; raises `UserError` that names the field."""
    if request.content_type != "application/json":
        raise UserError("not_json", "The body must be JSON.", "Content-Type: application/json")
    try:
        async with asyncio.timeout(BODY_S):
            raw = await request.read()
    except TimeoutError as error:
        raise UserError("too_slow", "The body did not come in time.") from error
    except web.HTTPRequestEntityTooLarge as error:
        raise UserError("too_large", f"A body holds {MAX_BODY_BYTES} bytes at most.") from error
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise UserError("bad_body", f"{error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError("bad_body", f"The body is not JSON: {error}.") from error


def conversation_id(text: str) -> ConversationId:
    """An identifier from a path or body; `UserError` ``not_found`` for what is none."""
    return ConversationId(_bytes(text))


def entry_id(text: str) -> EntryId:
    """An entry's identifier."""
    return EntryId(_bytes(text))


def person_id(text: str) -> PersonId:
    """A person's identifier."""
    return PersonId(_bytes(text))


def _bytes(text: str) -> bytes:
    if not _ID.fullmatch(text):
        raise UserError(
            "not_found", f"“{text[:80]}” is no identifier.", "It has 64 hexadecimal digits."
        )
    return bytes.fromhex(text)


def limit_of(request: web.Request) -> int:
    """The `limit` of a list, 1 to 200."""
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_LIMIT):
        raise UserError("bad_limit", f"“limit” is a number from 1 to {MAX_LIMIT}.")
    return int(text)
