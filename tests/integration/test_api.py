"""The local API of a real node process: closed to strangers, exact in what it refuses."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from e2e.nodes import ApiError, NodeProcess, nodes

PREFIX = "/api/communication"


@pytest.fixture(scope="module")
def elin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node with a team."""
    with nodes(tmp_path_factory.mktemp("api"), "Elin") as (node,):
        node.post("/teams", name="Harbour Studio")
        yield node


def raw(
    node: NodeProcess, method: str, path: str, body: bytes | None = None, **headers: str | None
) -> tuple[int, Any]:
    """A request with exactly these headers; Host and Authorization unless given (None: none)."""
    place = urlsplit(node.ready["api"])
    connection = http.client.HTTPConnection(str(place.hostname), int(place.port or 0), timeout=30)
    sent: dict[str, str | None] = {
        "Host": place.netloc,
        "Authorization": f"Bearer {node.token}",
        **headers,
    }
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for key, value in sent.items():
        if value is not None:
            connection.putheader(key.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answered = connection.getresponse()
    content = answered.read()
    connection.close()
    return answered.status, json.loads(content) if content.startswith(b"{") else content


def general(node: NodeProcess) -> str:
    """The id of #general."""
    return str(node.session("general")["id"])


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80", "", None]
)
def test_a_host_that_is_not_this_loopback_port_is_refused(
    elin: NodeProcess, host: str | None
) -> None:
    status, _ = raw(elin, "GET", f"{PREFIX}/identity", Host=host)
    assert status in (400, 403)


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", f"{PREFIX}/identity"])
def test_a_web_page_is_refused_on_every_path(elin: NodeProcess, path: str) -> None:
    assert raw(elin, "GET", path, Origin="https://evil.example")[0] == 403
    assert raw(elin, "GET", path, Origin=elin.ready["api"])[0] == 403
    assert raw(elin, "GET", path, Sec_Fetch_Site="cross-site")[0] == 403


def test_the_open_paths_tell_nothing_of_the_profile(elin: NodeProcess) -> None:
    for path in ("/health", "/openapi.json", "/docs"):
        status, content = raw(elin, "GET", path, Authorization=None)
        assert status == 200
        text = json.dumps(content) if isinstance(content, dict) else content.decode()
        for secret in ("Elin", "Harbour", elin.person, elin.device, str(elin.profile)):
            assert secret not in text


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer x", "Basic eDp5", "Bearer e30.e30.", "Bearer " + "a" * 4000]
)
def test_a_request_without_a_token_of_ours_is_refused(
    elin: NodeProcess, header: str | None
) -> None:
    status, content = raw(elin, "GET", f"{PREFIX}/identity", Authorization=header)
    assert status == 401
    assert content["error"]["code"] in ("no_token", "bad_token")


def test_a_token_of_another_profile_is_refused(elin: NodeProcess, tmp_path: Path) -> None:
    other = NodeProcess(tmp_path / "other", "Other").make_token("read")
    status, content = raw(elin, "GET", f"{PREFIX}/identity", Authorization=f"Bearer {other}")
    assert (status, content["error"]["code"]) == (401, "bad_token")


def test_a_token_in_the_address_is_refused_and_not_used(elin: NodeProcess) -> None:
    path = f"{PREFIX}/identity?token={elin.token}"
    status, content = raw(elin, "GET", path, Authorization=None)
    assert (status, content["error"]["code"]) == (400, "token_in_address")


def test_a_token_without_the_scope_is_refused(elin: NodeProcess) -> None:
    reader = elin.make_token("read")
    header = f"Bearer {reader}"
    assert raw(elin, "GET", f"{PREFIX}/identity", Authorization=header)[0] == 200
    status, content = raw(
        elin,
        "POST",
        f"{PREFIX}/teams",
        b"{}",
        Authorization=header,
        Content_Type="application/json",
    )
    assert (status, content["error"]["code"]) == (403, "wrong_scope")


def test_a_wrong_body_is_refused_by_the_name_of_the_field(elin: NodeProcess) -> None:
    path = f"/chat/sessions/{general(elin)}/messages"
    for body, named in (
        ({"text": 5}, "text"),
        ({"text": "x", "colour": "red"}, "colour"),
        ({}, "text"),
    ):
        with pytest.raises(ApiError) as refused:
            elin.call("POST", path, body)
        assert refused.value.status == 422
        assert named in refused.value.error["message"]


def test_a_body_that_is_not_json_or_too_large_is_refused(elin: NodeProcess) -> None:
    path = f"{PREFIX}/chat/sessions/{general(elin)}/messages"
    kind = "application/json"
    assert raw(elin, "POST", path, b"text=x", Content_Type="text/plain")[0] == 415
    assert raw(elin, "POST", path, b"{", Content_Type=kind)[0] == 422
    assert raw(elin, "POST", path, b"[" * 100_000, Content_Type=kind)[0] == 422
    huge = json.dumps({"text": "x" * 1_000_000}).encode()
    assert raw(elin, "POST", path, huge, Content_Type=kind)[0] == 413


@pytest.mark.parametrize("text", ["", "   ", "x" * 40_000])
def test_a_text_that_cannot_be_a_message_is_refused_in_words(elin: NodeProcess, text: str) -> None:
    with pytest.raises(ApiError) as refused:
        elin.post(f"/chat/sessions/{general(elin)}/messages", text=text)
    assert refused.value.status in (413, 422)
    assert refused.value.error["message"]


def test_unknown_ids_and_paths_are_not_found(elin: NodeProcess) -> None:
    for path in (
        "/chat/sessions/" + "0" * 64,
        "/chat/sessions/nonsense",
        f"/chat/sessions/{'0' * 64}/messages",
        "/messages/" + "0" * 64 + "/delivery",
        "/teams/" + "0" * 64 + "/members",
        "/nothing",
    ):
        with pytest.raises(ApiError) as refused:
            elin.get(path)
        assert refused.value.status == 404, path


def test_a_retry_with_the_same_client_id_posts_once(elin: NodeProcess) -> None:
    path = f"/chat/sessions/{general(elin)}/messages"
    first = elin.post(path, text="once", client_id="retry-1")
    again = elin.post(path, text="once", client_id="retry-1")
    assert first["id"] == again["id"]
    assert elin.texts(general(elin)).count("once") == 1


def test_pages_of_messages_join_without_gap_or_repetition(elin: NodeProcess) -> None:
    made = elin.post("/chat/sessions", kind="channel", team=elin.items("/teams")[0]["id"], name="p")
    path = f"/chat/sessions/{made['id']}/messages"
    for number in range(7):
        elin.post(path, text=str(number))
    seen: list[str] = []
    cursor = ""
    while True:
        page = elin.get(f"{path}?limit=3{cursor}")
        seen += [one["text"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
    assert seen == list("6543210")


def test_a_limit_out_of_bounds_is_refused(elin: NodeProcess) -> None:
    for limit in ("0", "201", "-1", "x", "9" * 30):
        with pytest.raises(ApiError) as refused:
            elin.get(f"/chat/sessions/{general(elin)}/messages?limit={limit}")
        assert refused.value.status == 422


def test_the_description_names_every_route_and_resolves_every_reference(elin: NodeProcess) -> None:
    _, described = raw(elin, "GET", "/openapi.json", Authorization=None)
    text = json.dumps(described)
    names = set(described["components"]["schemas"])
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names
    assert f"{PREFIX}/messages/{{id}}/reactions/{{emoji}}" in described["paths"]
    assert set(described["paths"][f"{PREFIX}/messages/{{id}}"]) == {"patch", "delete"}


def test_only_the_loopback_address_is_served(elin: NodeProcess) -> None:
    port = urlsplit(elin.ready["api"]).port
    with socket.create_server(("0.0.0.0", 0)) as probe:
        assert probe.getsockname()[1] != port
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port or 0)) != 0


async def _socket(
    node: NodeProcess, session: aiohttp.ClientSession, query: str = "", **headers: str
) -> aiohttp.ClientWebSocketResponse[Any]:
    address = f"{node.ready['api']}{PREFIX}/events{query}"
    return await asyncio.wait_for(session.ws_connect(address, headers=headers), 20)


async def test_events_arrive_after_the_commit_and_go_on_from_a_cursor(elin: NodeProcess) -> None:
    header = {"Authorization": f"Bearer {elin.token}"}
    path = f"/chat/sessions/{general(elin)}/messages"
    async with aiohttp.ClientSession() as session:
        events = await _socket(elin, session, **header)
        elin.post(path, text="seen live")
        while True:
            event = await events.receive_json(timeout=30)
            if event["type"] == "message.created":
                break
        assert event["data"]["text"] == "seen live"
        assert elin.texts(general(elin))[-1] == "seen live"
        await events.close()
        elin.post(path, text="while away")
        events = await _socket(elin, session, f"?cursor={event['cursor']}", **header)
        while True:
            event = await events.receive_json(timeout=30)
            if event["type"] == "message.created":
                break
        assert event["data"]["text"] == "while away"
        await events.close()


async def test_an_unknown_cursor_is_told_of_the_gap_and_closed(elin: NodeProcess) -> None:
    async with aiohttp.ClientSession() as session:
        events = await _socket(elin, session)
        await events.send_json({"token": elin.token, "cursor": "00000000-1"})
        assert (await events.receive_json(timeout=30))["type"] == "gap"
        assert (await events.receive(timeout=30)).type is aiohttp.WSMsgType.CLOSE
        await events.close()


@pytest.mark.parametrize("first", ['{"token": "x"}', "{", '{"token": 5}', "[]"])
async def test_an_events_socket_with_a_wrong_first_frame_is_closed(
    elin: NodeProcess, first: str
) -> None:
    async with aiohttp.ClientSession() as session:
        events = await _socket(elin, session)
        await events.send_str(first)
        told = await events.receive(timeout=30)
        assert "error" in told.json()
        assert (await events.receive(timeout=30)).type is aiohttp.WSMsgType.CLOSE
        await events.close()


def test_servers_are_added_listed_and_removed(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin") as (node,):
        assert node.items("/servers") == []
        made = node.post("/servers", url="WS://127.0.0.1:9/")
        assert (made["url"], made["typed"], made["people"]) == ("ws://127.0.0.1:9", True, 0)
        [listed] = node.items("/servers")
        assert listed["phase"] in ("connecting", "waiting")
        with pytest.raises(ApiError) as refused:
            node.post("/servers", url="ftp://example.org")
        assert (refused.value.status, refused.value.code) == (422, "bad_server")
        with pytest.raises(ApiError) as unknown:
            node.call("DELETE", "/servers?url=ws://127.0.0.1:10")
        assert (unknown.value.status, unknown.value.code) == (404, "not_found")
        node.call("DELETE", "/servers?url=ws%3A%2F%2F127.0.0.1%3A9")
        assert node.items("/servers") == []


async def test_a_server_that_changes_is_an_event(tmp_path: Path) -> None:
    with nodes(tmp_path, "Elin") as (node,):
        async with aiohttp.ClientSession() as session:
            url = f"{node.ready['api']}{PREFIX}/events"
            headers = {"Authorization": f"Bearer {node.token}"}
            async with session.ws_connect(url, headers=headers) as events:
                await asyncio.to_thread(node.post, "/servers", url="ws://127.0.0.1:9")
                async with asyncio.timeout(20):
                    while (event := await events.receive_json())["type"] != "server.changed":
                        pass
        assert [one["url"] for one in event["data"]["items"]] == ["ws://127.0.0.1:9"]
