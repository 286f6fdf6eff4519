"""What a good login is: version, address, signature."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import PeerError, UserError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.keys import Signer
from folkmoot.protocol.signaling import LABEL_LOGIN, Login, login_bytes
from folkmoot_signaling.login import check_login, own_places

SERVER, NONCE = b"s" * 32, b"n" * 32
SIGNER = Signer(b"a" * 32)


def login(origin: str, server: bytes = SERVER, nonce: bytes = NONCE, version: int = 1) -> Login:
    signature = SIGNER.sign(LABEL_LOGIN, login_bytes(server, origin, nonce))
    return Login(version, DeviceId(SIGNER.public), origin, signature)


def check(origin: str, *names: str, host: str = "") -> str:
    try:
        check_login(login(origin), SERVER, NONCE, own_places(names), host)
    except PeerError as error:
        return error.code
    return "good"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("wss://talk.example.org", "talk.example.org"),
        ("wss://talk.example.org", "talk.example.org:443"),
        ("ws://talk.example.org", "talk.example.org"),
        ("ws://talk.example.org:8480", "talk.example.org:8480"),
        ("ws://talk.example.org:8480", "TALK.Example.org:8480"),
        ("ws://[2001:db8::1]:8480", "[2001:db8::1]:8480"),
        ("ws://[2001:db8::1]", "[2001:db8::1]"),
        ("ws://192.0.2.1:8480", "192.0.2.1:8480"),
    ],
)
def test_without_names_the_host_header_says_what_we_are(origin: str, host: str) -> None:
    assert check(origin, host=host) == "good"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("wss://talk.example.org", "talk.example.org:80"),
        ("ws://talk.example.org:8480", "talk.example.org"),
        ("ws://talk.example.org:8480", "evil.example.org:8480"),
        ("ws://talk.example.org:8480", ""),
        ("ws://TALK.example.org:8480", "talk.example.org:8480"),
        ("wss://talk.example.org:443", "talk.example.org"),
        ("https://talk.example.org", "talk.example.org"),
        ("talk.example.org", "talk.example.org"),
        ("wss://talk.example.org/", "talk.example.org"),
        ("wss://talk.example.org/signal", "talk.example.org"),
        ("wss://user@talk.example.org", "talk.example.org"),
        ("", "talk.example.org"),
    ],
)
def test_another_address_or_another_way_to_write_it_is_foreign(origin: str, host: str) -> None:
    assert check(origin, host=host) == "foreign_origin"


def test_with_names_the_host_header_says_nothing() -> None:
    names = ("wss://talk.example.org", "ws://10.0.0.5:8480")
    assert check("wss://talk.example.org", *names) == "good"
    assert check("ws://10.0.0.5:8480", *names) == "good"
    assert check("wss://evil.example.org", *names, host="evil.example.org") == "foreign_origin"


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="is not the address of a server"):
        own_places(["http://a/b"])


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (login("wss://a", version=2), "bad_version"),
        (login("wss://a", server=b"t" * 32), "bad_login"),
        (login("wss://a", nonce=b"o" * 32), "bad_login"),
        (Login(1, DeviceId(b"b" * 32), "wss://a", login("wss://a").signature), "bad_login"),
    ],
)
def test_a_signature_is_of_this_device_for_this_server_and_this_challenge(
    message: Login, code: str
) -> None:
    with pytest.raises(PeerError) as refused:
        check_login(message, SERVER, NONCE, frozenset(), "a")
    assert refused.value.code == code
