"""What the tests of the routes of calls share: a node with an API, and a program that uses it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from builders.nodes import LoneNode, open_node
from fakes.media import FakeLauncher
from folkmoot.api.server import ApiServer
from folkmoot.api.tokens import TokenBook


class Caller:
    """A node's API, and a program that uses it."""

    def __init__(self, lone: LoneNode, url: str, tokens: dict[str, str]) -> None:
        self.lone = lone
        self.media = FakeLauncher()
        self._url = f"{url}/api/communication"
        self._tokens = tokens

    async def ask(
        self, method: str, path: str, body: object = None, scope: str = "calls"
    ) -> tuple[int, Any]:
        """A request with a token of one scope; the status and what was answered."""
        headers = {"Authorization": f"Bearer {self._tokens[scope]}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, self._url + path, json=body) as answered,
        ):
            text = await answered.text()
            return answered.status, await answered.json() if text else None

    async def ask_outside(self, method: str, path: str) -> tuple[int, Any]:
        """A request without a token, for what is open to all."""
        base = self._url.removesuffix("/api/communication")
        async with aiohttp.ClientSession() as session, session.request(method, base + path) as got:
            return got.status, await got.json()

    async def general(self) -> str:
        """The id of the first channel."""
        [channel] = await self.lone.node.conversations.list()
        return channel.id.hex()

    async def start(self, **more: object) -> dict[str, Any]:
        """A call there."""
        status, room = await self.ask(
            "POST", "/webrtc/rooms", {"session": await self.general(), **more}
        )
        assert status == 201, room
        assert isinstance(room, dict)
        return room


async def serve(folder: Path, media: FakeLauncher | None) -> tuple[ApiServer, Caller]:
    lone = await open_node(folder, media=media)
    await lone.node.teams.create("Harbour Studio")
    book = TokenBook(folder / "api")
    tokens = {
        scope: await asyncio.to_thread(book.make, [scope], 600) for scope in ("calls", "read")
    }
    api = ApiServer(lone.node, book, lone.clock, "0")
    return api, Caller(lone, await api.start(0), tokens)


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Caller]:
    """A node that can make calls."""
    media = FakeLauncher()
    api, made = await serve(folder, media)
    made.media = media
    yield made
    await api.aclose()
    await made.lone.node.aclose()
