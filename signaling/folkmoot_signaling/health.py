"""How the server is: `/health`. Each part says it in one word; refuses to say more to anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web

from folkmoot import __version__
from folkmoot_signaling.answers import answer

GOOD = frozenset({"ok", "off"})
Part = Callable[[], str]


class Health:
    """``ok``; ``degraded`` while a part is neither ``ok`` nor ``off``; ``draining`` at the end."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = dict(parts)
        self.draining = False

    @property
    def status(self) -> str:
        """The whole in one word."""
        if self.draining:
            return "draining"
        return "ok" if all(part() in GOOD for part in self._parts.values()) else "degraded"

    async def show(self, _request: web.Request) -> web.Response:
        """Answer 503 when draining, so that who balances sends nobody here any more."""
        content = {
            "status": self.status,
            "version": __version__,
            "parts": {name: part() for name, part in self._parts.items()},
        }
        return answer(content, 503 if self.draining else 200)
