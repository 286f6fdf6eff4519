"""The routes of calls: their shapes, scopes and refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .calling import Caller, serve, serving


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    """A node that can make calls."""
    async with serving(tmp_path) as made:
        yield made


async def test_a_call_is_started_shown_and_left(caller: Caller) -> None:
    room = await caller.start(media={"audio": True, "video": True})
    assert room["session"] == await caller.general()
    assert (room["state"], room["video"], room["locked"], room["end"]) == (
        "joined",
        True,
        False,
        None,
    )
    [me] = room["participants"]
    assert (me["me"], me["host"], me["audio"], me["video"], me["screen"]) == (
        True,
        True,
        True,
        True,
        False,
    )
    status, listed = await caller.ask("GET", "/webrtc/rooms", scope="read")
    assert (status, listed["items"]) == (200, [room])
    assert (await caller.ask("GET", "/stats", scope="read"))[1]["calls"] == 1
    assert (await caller.ask("POST", f"/webrtc/rooms/{room['id']}/leave"))[0] == 204
    status, gone = await caller.ask("GET", f"/webrtc/rooms/{room['id']}", scope="read")
    assert (status, gone["error"]["code"]) == (404, "not_found")


async def test_microphone_camera_and_hand_are_switched(caller: Caller) -> None:
    room = await caller.start(media={"audio": False})
    path = f"/webrtc/rooms/{room['id']}/mute"
    assert not room["participants"][0]["audio"]
    status, changed = await caller.ask("POST", path, {"audio": True, "hand": True})
    assert status == 200
    [me] = changed["participants"]
    assert (me["audio"], me["video"], me["hand"]) == (True, False, True)


async def test_the_figures_of_a_call_are_given_to_who_is_in_it(caller: Caller) -> None:
    room = await caller.start()
    path = f"/webrtc/rooms/{room['id']}/stats"
    assert await caller.ask("GET", path, scope="read") == (200, {"items": [], "next": None})


async def test_reading_needs_no_more_than_its_scope_and_acting_needs_the_other(
    caller: Caller,
) -> None:
    body = {"session": await caller.general()}
    status, refused = await caller.ask("POST", "/webrtc/rooms", body, scope="read")
    assert (status, refused["error"]["code"]) == (403, "wrong_scope")
    assert caller.lone.node.calls.list() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "wanted"),
    [
        ("POST", "/join", {}, (404, "not_found")),
        ("POST", "/leave", None, (409, "not_in_call")),
        ("POST", "/decline", {}, (404, "not_found")),
        ("POST", "/mute", {"audio": True}, (409, "not_in_call")),
        ("POST", "/mute", {"screen": True}, (422, "bad_body")),
        ("POST", "/lock", {}, (409, "not_in_call")),
        ("POST", "/end", None, (409, "not_in_call")),
        ("POST", "/react", {"emoji": "👏"}, (409, "not_in_call")),
        ("POST", f"/participants/{'0' * 64}/mute", None, (409, "not_in_call")),
        ("POST", f"/participants/{'0' * 64}/ring", None, (409, "not_in_call")),
        ("POST", f"/participants/{'0' * 64}/promote", None, (404, "not_found")),
    ],
)
async def test_acts_on_a_call_that_is_not_there_are_refused_in_words(
    caller: Caller, method: str, path: str, body: object, wanted: tuple[int, str]
) -> None:
    status, refused = await caller.ask(method, f"/webrtc/rooms/{'0' * 64}{path}", body)
    assert (status, refused["error"]["code"]) == wanted
    assert refused["error"]["message"]


async def test_without_a_part_for_media_a_call_is_refused_in_words(tmp_path: Path) -> None:
    api, caller = await serve(tmp_path, None)
    body = {"session": await caller.general()}
    status, refused = await caller.ask("POST", "/webrtc/rooms", body)
    assert (status, refused["error"]["code"]) == (409, "no_media")
    assert refused["error"]["hint"]
    await api.aclose()
    await caller.lone.node.aclose()
