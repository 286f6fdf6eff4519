"""The connection doctor over the API: who may ask for what, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from builders.nodes import LoneNode, open_node
from folkmoot.api.server import ApiServer
from folkmoot.api.tokens import TokenBook


class Caller:
    """A node's API and a token for each scope."""

    def __init__(self, lone: LoneNode, url: str, tokens: dict[str, str]) -> None:
        self.lone = lone
        self._url = url
        self._tokens = tokens

    async def ask(
        self, method: str, path: str, scopes: str, body: object = None
    ) -> tuple[int, Any]:
        """The status and the answer to one request."""
        headers = {"Authorization": f"Bearer {self._tokens[scopes]}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{self._url}{path}", json=body) as answered,
        ):
            return answered.status, await answered.json()


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    lone = await open_node(tmp_path)
    await lone.node.teams.create("Harbour Studio")
    book = TokenBook(tmp_path / "api")
    tokens = {
        scopes: await asyncio.to_thread(book.make, scopes.split(), 600)
        for scopes in ("read", "write", "read write", "calls")
    }
    api = ApiServer(lone.node, book, lone.clock, "0")
    yield Caller(lone, await api.start(0), tokens)
    await api.aclose()
    await lone.node.aclose()


PATH = "/api/communication/doctor"


async def test_whoever_may_read_gets_the_report(caller: Caller) -> None:
    status, report = await caller.ask("GET", PATH, "read")
    assert status == 200
    assert report["summary"] == "You share no team with anybody yet."
    assert report["discovery"] == "off"
    assert report["peers"] == report["servers"] == report["scans"] == []


async def test_trying_every_way_needs_the_right_to_write_too(caller: Caller) -> None:
    for scopes in ("read", "write", "calls"):
        status, refused = await caller.ask("GET", f"{PATH}?check=1", scopes)
        assert (status, refused["error"]["code"]) == (403, "wrong_scope")
    status, report = await caller.ask("GET", f"{PATH}?check=1", "read write")
    assert (status, report["peers"]) == (200, [])


async def test_a_check_is_asked_for_by_one_word_only(caller: Caller) -> None:
    status, refused = await caller.ask("GET", f"{PATH}?check=yes", "read write")
    assert (status, refused["error"]["code"]) == (422, "bad_check")


async def test_a_range_is_looked_through_and_is_in_the_report(caller: Caller) -> None:
    scan = {"range": "10.0.0.1-3:7000"}
    assert (await caller.ask("POST", f"{PATH}/scan", "read", scan))[0] == 403
    status, begun = await caller.ask("POST", f"{PATH}/scan", "read write", scan)
    assert (status, begun["total"], begun["over"]) == (201, 3, False)
    async with asyncio.timeout(20):
        while True:
            [held] = (await caller.ask("GET", PATH, "read"))[1]["scans"]
            if held["over"]:
                break
            await asyncio.sleep(0.02)
    assert held["found"] == []
    assert held["answers"] == {"no_answer": 3}


@pytest.mark.parametrize("range_", ["", "10.0.0.0/8:7000", "10.0.0.1-3", "fe80::/64:1"])
async def test_a_range_that_is_none_or_too_large_is_refused(caller: Caller, range_: str) -> None:
    status, refused = await caller.ask("POST", f"{PATH}/scan", "read write", {"range": range_})
    assert (status, refused["error"]["code"]) == (422, "bad_range")


async def test_the_description_says_what_a_check_needs(caller: Caller) -> None:
    _, described = await caller.ask("GET", "/openapi.json", "read")
    asked = described["paths"][PATH]["get"]
    assert asked["parameters"] == [{"name": "check", "in": "query", "schema": {"type": "string"}}]
    assert "also “write”" in asked["description"]
    assert {"why", "advice", "ways"} <= set(
        described["components"]["schemas"]["PeerReportShape"]["properties"]
    )
