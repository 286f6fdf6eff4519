"""Answers of the HTTP paths: JSON, and errors with the right status as the local API of a node has
them (`{"error": {"code", "message", "hint"}}`)."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError, UserError

B = TypeVar("B", bound=msgspec.Struct)
MAX_BODY_BYTES = 4 * 1024
_BODY_S = 5.0
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}
_STATUS = {
    "no_token": 401,
    "bad_token": 401,
    "token_expired": 401,
    "forbidden": 403,
    "foreign_origin": 403,
    "not_found": 404,
    "too_slow": 408,
    "not_connected": 409,
    "too_many_rooms": 409,
    "room_full": 409,
    "too_large": 413,
    "not_json": 415,
    "too_fast": 429,
    "draining": 503,
}


class Problem(msgspec.Struct, frozen=True):
    """What went wrong: a stable code, words for a person, and what to do."""

    code: str
    message: str
    hint: str


class ErrorAnswer(msgspec.Struct, frozen=True):
    """Every answer that is not a success."""

    error: Problem


def answer(content: object, status: int = 200) -> web.Response:
    """`content` as JSON."""
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json", headers=_HEADERS)


def refuse(status: int, code: str, message: str, hint: str = "") -> web.Response:
    """An error."""
    return answer(ErrorAnswer(Problem(code, message, hint)), status)


def refuse_with(error: FolkmootError) -> web.Response:
    """An error of the tree, with the status that belongs to its code and branch."""
    status = _STATUS.get(error.code)
    if status is None:
        branches = ((UserError, 422), (PeerError, 409), (EnvironmentFault, 503))
        status = next((number for kind, number in branches if isinstance(error, kind)), 500)
    response = refuse(status, error.code, error.message, error.hint)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def body_of(request: web.Request, shape: type[B]) -> B:
    """The request's JSON body. Raises `UserError` that names the field."""
    if request.content_type != "application/json":
        raise UserError("not_json", "The body must be JSON.", "Content-Type: application/json")
    try:
        async with asyncio.timeout(_BODY_S):
            raw = await request.content.read(MAX_BODY_BYTES + 1)
            while not request.content.at_eof() and len(raw) <= MAX_BODY_BYTES:
                raw += await request.content.read(MAX_BODY_BYTES + 1 - len(raw))
    except TimeoutError as error:
        raise UserError("too_slow", "The body did not come in time.") from error
    if len(raw) > MAX_BODY_BYTES:
        raise UserError("too_large", f"A body holds {MAX_BODY_BYTES} bytes at most.")
    try:
        return msgspec.json.decode(raw, type=shape)
    except msgspec.ValidationError as error:
        raise UserError("bad_body", f"{error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError("bad_body", f"The body is not JSON: {error}.") from error
