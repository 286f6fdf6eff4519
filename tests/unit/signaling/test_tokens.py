"""Tokens: whose they are, when they end, and that nothing else passes for one."""

from __future__ import annotations

import base64
import json

import jwt
import pytest

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import TOKEN_S
from folkmoot_signaling.tokens import AUDIENCE, Refused, Tokens, server_id, token_in

_SECRET = b"s" * 32
_SERVER = server_id(_SECRET)
_DEVICE = DeviceId(b"d" * 32)
_NOW = 1_700_000_000.0


def _refusal(tokens: Tokens, token: str, now_s: float = _NOW) -> str:
    with pytest.raises(Refused) as caught:
        tokens.device_of(token, now_s)
    return caught.value.code


def test_a_token_says_whose_it_is_for_a_quarter_of_an_hour() -> None:
    tokens = Tokens(_SECRET, _SERVER)
    token = tokens.make(_DEVICE, _NOW)
    assert len(token) <= 1024
    assert tokens.device_of(token, _NOW + TOKEN_S - 1) == _DEVICE
    assert _refusal(tokens, token, _NOW + TOKEN_S) == "token_expired"


def test_nodes_with_one_secret_take_each_others_tokens_and_others_do_not() -> None:
    token = Tokens(_SECRET, _SERVER).make(_DEVICE, _NOW)
    assert Tokens(_SECRET, server_id(_SECRET)).device_of(token, _NOW) == _DEVICE
    assert _refusal(Tokens(b"t" * 32, _SERVER), token) == "bad_token"
    assert _refusal(Tokens(_SECRET, b"x" * 32), token) == "bad_token"


def test_every_altered_character_is_refused() -> None:
    tokens = Tokens(_SECRET, _SERVER)
    token = tokens.make(_DEVICE, _NOW)
    for at, letter in enumerate(token):
        altered = token[:at] + ("A" if letter != "A" else "Q") + token[at + 1 :]
        assert _refusal(tokens, altered) == "bad_token"


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_a_token_that_nobody_signed_is_refused() -> None:
    tokens = Tokens(_SECRET, _SERVER)
    payload = tokens.make(_DEVICE, _NOW).split(".")[1]
    for algorithm in ("none", "None", "HS512", "RS256"):
        forged = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{payload}."
        assert _refusal(tokens, forged) == "bad_token"


def test_the_secret_itself_signs_no_token() -> None:
    """The one that is configured names the server too; the key of the tokens is derived."""
    claims = {"iss": _SERVER.hex(), "sub": _DEVICE.hex(), "aud": AUDIENCE, "exp": int(_NOW) + 60}
    token = jwt.encode(claims, _SECRET, algorithm="HS256")
    assert _refusal(Tokens(_SECRET, _SERVER), token) == "bad_token"


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "another"},
        {"iss": "00" * 32},
        {"sub": "0x" * 32},
        {"exp": "never"},
        {"exp": None},
        {"sub": None},
        {"aud": None},
    ],
)
def test_wrong_claims_are_refused_though_well_signed(change: dict[str, object]) -> None:
    tokens = Tokens(_SECRET, _SERVER)
    claims: dict[str, object] = {
        "iss": _SERVER.hex(),
        "sub": _DEVICE.hex(),
        "aud": AUDIENCE,
        "exp": int(_NOW) + 60,
    }
    good = jwt.encode(claims, tokens._key, algorithm="HS256")
    assert tokens.device_of(good, _NOW) == _DEVICE
    changed = {k: v for k, v in (claims | change).items() if v is not None}
    assert _refusal(tokens, jwt.encode(changed, tokens._key, algorithm="HS256")) == "bad_token"


@pytest.mark.parametrize("garbage", ["", "x", "a.b.c", "é.é.é", "A" * 5000])
def test_garbage_is_refused(garbage: str) -> None:
    assert _refusal(Tokens(_SECRET, _SERVER), garbage) == "bad_token"


def test_the_header_is_read() -> None:
    assert token_in("Bearer abc") == "abc"
    assert token_in("bearer abc ") == "abc"
    for header, code in (
        (None, "no_token"),
        ("", "no_token"),
        ("Bearer ", "bad_token"),
        ("abc", "bad_token"),
        ("Basic abc", "bad_token"),
    ):
        with pytest.raises(Refused) as caught:
            token_in(header)
        assert caught.value.code == code


def test_a_short_secret_is_a_bug() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokens(b"short", _SERVER)
