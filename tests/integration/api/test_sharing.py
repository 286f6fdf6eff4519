"""The routes of sharing and recording: their shapes, scopes and refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from folkmoot.api.events import EventWindow
from folkmoot.services import media_port as port

from .calling import Caller, serving

TEST_PAGE = {"kind": "test"}


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    """A node that can make calls."""
    async with serving(tmp_path) as made:
        yield made


async def until(claim: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not claim():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _started(caller: Caller) -> str:
    """The path of a call whose media process runs."""
    room = await caller.start()
    await until(lambda: caller.media.running)
    return f"/webrtc/rooms/{room['id']}"


def _me(room: dict[str, Any]) -> dict[str, Any]:
    [me] = [one for one in room["participants"] if one["me"]]
    assert isinstance(me, dict)
    return me


async def test_what_can_be_shared_is_listed_once(caller: Caller) -> None:
    status, found = await caller.ask("GET", "/webrtc/sources")
    assert status == 200
    assert (found["platform"], found["regions"], found["sound"]) == (False, True, True)
    assert [(one["id"], one["kind"]) for one in found["items"]] == [
        ("screen-1", "screen"),
        ("window-7", "window"),
    ]
    assert not caller.media.media.lists, "nobody looks any more"


async def test_the_titles_of_windows_need_more_than_reading(caller: Caller) -> None:
    status, refused = await caller.ask("GET", "/webrtc/sources", scope="read")
    assert (status, refused["error"]["code"]) == (403, "wrong_scope")


async def test_a_share_begins_pauses_and_ends(caller: Caller) -> None:
    path = await _started(caller)
    body = {"kind": "window", "source_id": "window-7", "fps": 10, "sound": True}
    status, room = await caller.ask("POST", path + "/share", body)
    assert status == 200, room
    assert (_me(room)["screen"], _me(room)["screen_paused"]) == (True, False)
    plan = port.SharePlan("window", "window-7", fps=10, sound=True)
    assert caller.media.media.share == plan
    _, room = await caller.ask("POST", path + "/share", {"paused": True})
    assert _me(room)["screen_paused"]
    assert caller.media.media.share.paused
    _, room = await caller.ask("POST", path + "/share", {"stop": True})
    assert not _me(room)["screen"]
    assert caller.media.media.share == port.SharePlan()


async def test_a_recording_begins_pauses_ends_and_is_listed_and_deleted(caller: Caller) -> None:
    path = await _started(caller)
    status, room = await caller.ask("POST", path + "/record", {"container": "mp4", "height": 480})
    assert status == 200, room
    assert _me(room)["records"]
    plan = caller.media.media.recording
    assert plan is not None
    assert (plan.width, plan.height, plan.path[-4:]) == (854, 480, ".mp4")
    assert (await caller.ask("POST", path + "/record", {"paused": True}))[0] == 200
    assert caller.media.media.paused
    _, room = await caller.ask("POST", path + "/record", {"stop": True})
    assert not _me(room)["records"]
    caller.lone.files.files[plan.path] = 77

    async def done() -> dict[str, Any]:
        while True:
            _, listed = await caller.ask("GET", "/recordings", scope="read")
            [one] = listed["items"]
            if one["state"] == "done":
                assert isinstance(one, dict)
                return one
            await asyncio.sleep(0.01)

    held = await asyncio.wait_for(done(), 20)
    assert (held["path"], held["size_bytes"], held["session"]) == (plan.path, 77, room["session"])
    assert [one["name"] for one in held["participants"]] == ["Ada"]
    assert [one["kind"] for one in held["chapters"]] == ["pause"]
    assert (await caller.ask("DELETE", f"/recordings/{held['id']}"))[0] == 204
    assert (await caller.ask("GET", "/recordings", scope="read"))[1]["items"] == []
    assert plan.path not in caller.lone.files.files


async def test_figures_of_what_is_shared_are_given(caller: Caller) -> None:
    path = await _started(caller)
    assert await caller.ask("GET", path + "/stats", scope="read") == (
        200,
        {"items": [], "next": None},
    )
    _, described = await caller.ask_outside("GET", "/openapi.json")
    assert {"screen_in_bps", "screen_fps_out", "screen_width"} <= set(
        described["components"]["schemas"]["RoomStatsShape"]["properties"]
    )


@pytest.mark.parametrize(
    ("path", "body", "wanted"),
    [
        ("/share", {}, (422, "bad_body")),
        ("/share", {"kind": "camera"}, (422, "bad_share")),
        ("/share", {"kind": "screen"}, (422, "bad_share")),
        ("/share", {"kind": "region", "region": [0, 0, 0, 5]}, (422, "bad_share")),
        ("/share", {"kind": "region", "region": [-1, 0, 5, 5]}, (422, "bad_share")),
        ("/share", {"kind": "region", "region": [0, 0, 2**40, 5]}, (422, "bad_share")),
        ("/share", {"kind": "region", "region": [0, 0, 5]}, (422, "bad_body")),
        ("/share", {"kind": "test", "fps": 31}, (422, "bad_share")),
        ("/share", {"kind": "file", "source_id": "x" * 513}, (422, "bad_share")),
        ("/share", {"paused": True}, (409, "not_shared")),
        ("/record", {"container": "../mkv"}, (422, "bad_choice")),
        ("/record", {"height": 4320}, (422, "bad_choice")),
        ("/record", {"path": "/etc/passwd"}, (422, "bad_body")),
        ("/record", {"paused": True}, (409, "not_recording")),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    caller: Caller, path: str, body: object, wanted: tuple[int, str]
) -> None:
    room = await _started(caller)
    status, refused = await caller.ask("POST", room + path, body)
    assert (status, refused["error"]["code"]) == wanted
    assert refused["error"]["message"]
    assert caller.media.media.share == port.SharePlan()
    assert caller.media.media.recording is None


@pytest.mark.parametrize("path", ["/share", "/record"])
async def test_outside_a_call_nothing_is_shared_or_recorded(caller: Caller, path: str) -> None:
    body = TEST_PAGE if path == "/share" else {}
    status, refused = await caller.ask("POST", f"/webrtc/rooms/{'0' * 64}{path}", body)
    assert (status, refused["error"]["code"]) == (409, "not_in_call")


@pytest.mark.parametrize("path", ["/share", "/record"])
async def test_acting_needs_the_scope_of_calls(caller: Caller, path: str) -> None:
    room = await _started(caller)
    status, refused = await caller.ask("POST", room + path, {}, scope="read")
    assert (status, refused["error"]["code"]) == (403, "wrong_scope")


@pytest.mark.parametrize("id", ["nothing", "..%2F..%2Fetc%2Fpasswd", "'; DROP TABLE recording; --"])
async def test_a_recording_that_is_not_there_cannot_be_deleted(caller: Caller, id: str) -> None:
    status, refused = await caller.ask("DELETE", f"/recordings/{id}")
    assert (status, refused["error"]["code"]) == (404, "not_found")


async def test_a_recording_that_is_being_made_cannot_be_deleted(caller: Caller) -> None:
    path = await _started(caller)
    await caller.ask("POST", path + "/record", {})
    _, listed = await caller.ask("GET", "/recordings", scope="read")
    status, refused = await caller.ask("DELETE", f"/recordings/{listed['items'][0]['id']}")
    assert (status, refused["error"]["code"]) == (409, "recording")


async def test_a_full_disk_and_a_closed_folder_are_told_in_words(caller: Caller) -> None:
    path = await _started(caller)
    caller.lone.files.free_bytes = 1000
    status, refused = await caller.ask("POST", path + "/record", {})
    assert (status, refused["error"]["code"]) == (409, "no_space")
    assert "MiB" in refused["error"]["message"]
    caller.lone.files.closed.add("/recordings")
    status, refused = await caller.ask("POST", path + "/record", {})
    assert (status, refused["error"]["code"]) == (422, "bad_folder")
    _, room = await caller.ask("GET", path, scope="read")
    assert not _me(room)["records"], "nobody is told of a recording that does not begin"


async def test_recordings_are_events_and_ink_is_none(caller: Caller) -> None:
    node = caller.lone.node
    window = EventWindow(node.events, caller.lone.clock, "e")
    path = await _started(caller)
    await caller.ask("POST", path + "/share", TEST_PAGE)
    [call] = node.calls.list()
    me = node.identity.me().device
    position = window.position(None)
    assert position is not None
    await node.calls.ink(call.id, me, "point", 0, [(0.5, 0.5)])
    await caller.ask("POST", path + "/record", {})
    told = [json.loads(text) for text in await window.after(position) or []]
    kinds = [one["type"] for one in told]
    assert {"recording.changed", "room.changed"} <= set(kinds)
    assert set(kinds) <= {"recording.changed", "room.changed", "message.created", "session.changed"}
    data = next(one["data"] for one in told if one["type"] == "recording.changed")
    assert (data["state"], data["gone"]) == ("recording", False)
    room = [one["data"] for one in told if one["type"] == "room.changed"][-1]
    assert (_me(room)["records"], _me(room)["screen"]) == (True, True)
    window.close()
