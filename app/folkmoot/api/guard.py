"""Who may speak to the local API: this machine, no web page, with a token of the right scope.

Refuses a Host that is not a loopback name with our port (DNS rebinding), any Origin (a page in a
browser), and a token anywhere but in the Authorization header (or an events socket's first frame).
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from folkmoot.api.answers import problem
from folkmoot.api.tokens import Refused, TokenBook
from folkmoot.domain.errors import UserError

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Checks every request before its route runs."""

    def __init__(self, tokens: TokenBook) -> None:
        self._tokens = tokens
        self._hosts: frozenset[str] = frozenset()

    def serve_on(self, port: int) -> None:
        """The port is known: from now on only Hosts that name it pass."""
        self._hosts = frozenset(f"{name}:{port}" for name in _LOOPBACK_NAMES)

    @property
    def middleware(self) -> Middleware:
        """The aiohttp middleware."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refuse_strangers(request)
            if refusal is not None:
                return refusal
            return await handler(request)

        return check

    def _refuse_strangers(self, request: web.Request) -> web.Response | None:
        if request.headers.getall("Host", []) != [request.host] or request.host not in self._hosts:
            return problem(403, "bad_host", "This API answers to its loopback address only.")
        if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
            return problem(403, "bad_origin", "This API does not answer to web pages.")
        if any(name in request.query for name in ("token", "access_token", "authorization")):
            return problem(
                400,
                "token_in_address",
                "A token must not stand in an address.",
                "Send it as the header “Authorization: Bearer …”.",
            )
        return None

    async def require(self, request: web.Request, scope: str) -> None:
        """Raise `Refused` (401) or `UserError` ``wrong_scope`` unless the header's token has it."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Refused("no_token", "This needs a token.", "Send “Authorization: Bearer …”.")
        await self.require_token(token.strip(), scope)

    async def require_token(self, token: str, scope: str) -> None:
        """The same for a token that came in a frame."""
        if scope not in await self._tokens.scopes_of(token):
            raise UserError("wrong_scope", f"This token lacks the scope “{scope}”.")
