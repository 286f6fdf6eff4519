"""The REST paths of a real server: the token opens them, and only to the rooms of its device."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import TOKEN_S, Came, Room
from folkmoot_signaling.tokens import Tokens, server_id
from lab.signal_client import SignalClient
from lab.signal_command import SignalCommand, signal_command

ROOMS = "/api/communication/webrtc/rooms"
STATS = "/api/communication/stats"
TAG = bytes(range(16))
SECRET = b"a secret of at least thirty-two bytes"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignalCommand]:
    secret = tmp_path_factory.mktemp("rest") / "jwt-secret"
    secret.write_bytes(SECRET)
    with signal_command(FOLKMOOT_JWT_SECRET_FILE=str(secret)) as one:
        yield one


def _token(client: SignalClient) -> str:
    assert client.ready is not None
    return client.ready.token


async def test_a_room_has_everybody_under_its_tag(server: SignalCommand) -> None:
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await ann.enter(TAG)
        await bob.enter(TAG)
        room = {
            "id": TAG.hex(),
            "participants": [
                {"device": device} for device in sorted((ann.device.hex(), bob.device.hex()))
            ],
        }
        listed = await server.ask(ROOMS, token=_token(ann))
        assert (listed.status, listed.json) == (200, {"items": [room], "next": None})
        detail = await server.ask(f"{ROOMS}/{TAG.hex()}", token=_token(bob))
        assert (detail.status, detail.json) == (200, room)
        stats = (await server.ask(STATS, token=_token(ann))).json
        assert stats["rooms"] == 1
        assert stats["members_online"] == 1
        assert stats["connections"] == 2


async def test_a_room_of_others_is_not_found_as_one_that_does_not_exist(
    server: SignalCommand,
) -> None:
    secret_tag = b"s" * 16
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as eve,
    ):
        await ann.enter(secret_tag)
        foreign = await server.ask(f"{ROOMS}/{secret_tag.hex()}", token=_token(eve))
        missing = await server.ask(f"{ROOMS}/{bytes(16).hex()}", token=_token(eve))
        for answer in (foreign, missing):
            assert (answer.status, answer.code) == (404, "not_found")
        assert foreign.body == missing.body
        assert (await server.ask(ROOMS, token=_token(eve))).json["items"] == []
        assert (await server.ask(STATS, token=_token(eve))).json["members_online"] == 0


async def test_a_room_is_created_by_entering_its_tag_and_both_sides_hear_it(
    server: SignalCommand,
) -> None:
    tag = b"c" * 16
    async with (
        await SignalClient.logged_in(server.url) as ann,
        await SignalClient.logged_in(server.url) as bob,
    ):
        await bob.enter(tag)
        made = await server.ask(ROOMS, token=_token(ann), body={"id": tag.hex()})
        assert made.status == 201
        assert {one["device"] for one in made.json["participants"]} == {
            ann.device.hex(),
            bob.device.hex(),
        }
        assert await bob.wait(Came) == Came(tag, ann.device)
        assert await ann.wait(Room) == Room(tag, (bob.device,))


async def test_a_room_without_an_id_gets_a_fresh_one(server: SignalCommand) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        first, second = [await server.ask(ROOMS, token=_token(ann), body={}) for _ in range(2)]
        assert first.status == second.status == 201
        assert first.json["id"] != second.json["id"]


async def test_who_is_not_connected_enters_nothing(server: SignalCommand) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"n" * 32), time.time())
    answer = await server.ask(ROOMS, token=token, body={"id": TAG.hex()})
    assert (answer.status, answer.code) == (409, "not_connected")
    assert (await server.ask(ROOMS, token=token)).json["items"] == []


async def test_more_rooms_than_a_device_may_be_in_are_refused(server: SignalCommand) -> None:
    async with await SignalClient.logged_in(server.url) as ann:
        await ann.enter(*(bytes([number]) * 16 for number in range(64)))
        answer = await server.ask(ROOMS, token=_token(ann), body={"id": "ff" * 16})
        assert (answer.status, answer.code) == (409, "too_many_rooms")


def _altered(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


@pytest.mark.parametrize("path", [ROOMS, STATS, f"{ROOMS}/{TAG.hex()}"])
def test_without_a_good_token_nothing_is_told(server: SignalCommand, path: str) -> None:
    tokens = Tokens(SECRET, server_id(SECRET))
    device = DeviceId(b"d" * 32)
    good = tokens.make(device, time.time())
    cases = {
        "": "no_token",
        "nonsense": "bad_token",
        _altered(good): "bad_token",
        Tokens(b"x" * 32, server_id(SECRET)).make(device, time.time()): "bad_token",
        tokens.make(device, time.time() - TOKEN_S - 1): "token_expired",
    }
    for token, code in cases.items():
        answer = server.fetch(path, token=token)
        assert (answer.status, answer.code) == (401, code)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert server.fetch(path, token=good).status in (200, 404)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "bad_body"),
        (b"[]", 422, "bad_body"),
        ({"id": "x"}, 422, "bad_body"),
        ({"id": "AB" * 16}, 422, "bad_body"),
        ({"id": TAG.hex(), "name": "x"}, 422, "bad_body"),
        (b'{"id": "' + b"0" * 10_000 + b'"}', 413, "too_large"),
        (b"[" * 4000, 422, "bad_body"),
    ],
)
def test_a_wrong_body_is_refused_by_name(
    server: SignalCommand, body: object, status: int, code: str
) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"d" * 32), time.time())
    answer = server.fetch(ROOMS, token=token, body=body)
    assert (answer.status, answer.code) == (status, code)


def test_an_unknown_field_is_named(server: SignalCommand) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"d" * 32), time.time())
    answer = server.fetch(ROOMS, token=token, body={"name": "x"})
    assert "`name`" in answer.json["error"]["message"]


def test_a_body_that_is_not_json_is_refused(server: SignalCommand) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"d" * 32), time.time())
    headers = {"Content-Type": "text/plain"}
    answer = server.fetch(ROOMS, token=token, body=b"{}", headers=headers)
    assert (answer.status, answer.code) == (415, "not_json")


def test_a_web_page_is_refused(server: SignalCommand) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"d" * 32), time.time())
    answer = server.fetch(ROOMS, token=token, headers={"Origin": "https://evil.example"})
    assert (answer.status, answer.code) == (403, "foreign_origin")


def test_a_path_that_is_no_id_is_not_found(server: SignalCommand) -> None:
    token = Tokens(SECRET, server_id(SECRET)).make(DeviceId(b"d" * 32), time.time())
    for name in ("x", "..%2f..", TAG.hex().upper(), TAG.hex() + "00"):
        assert server.fetch(f"{ROOMS}/{name}", token=token).status == 404


def test_the_description_has_every_path(server: SignalCommand) -> None:
    described = server.fetch("/openapi.json").json
    assert set(described["paths"]) == {ROOMS, ROOMS + "/{id}", STATS}
    assert described["openapi"] == "3.1.0"


async def test_too_many_requests_of_an_address_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "signaling.toml"
    file.write_text("[limits]\naddress_requests = { per_s = 0.01, burst = 5 }\n")
    with signal_command("--config", str(file)) as server:
        answers = await asyncio.gather(*(server.ask(STATS) for _ in range(8)))
        codes = sorted(answer.code for answer in answers)
        assert codes == ["no_token"] * 5 + ["too_fast"] * 3
        # Those who come by way of a proxy that is believed are counted one by one.
        other = await server.ask(STATS, headers={"X-Forwarded-For": "192.0.2.1"})
        assert other.code == "no_token"
        assert (await server.ask("/health")).status == 200
