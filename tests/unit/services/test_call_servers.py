"""STUN and TURN servers as a person writes them."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.services.calls.servers import parse_servers
from folkmoot.services.media_port import IceServer


def test_one_server_of_each_kind_is_read() -> None:
    text = "stun:stun.example.org; turn:[2001:db8::1]:3478?transport=tcp ada secret"
    assert parse_servers(text) == (
        IceServer("stun:stun.example.org"),
        IceServer("turn:[2001:db8::1]:3478?transport=tcp", "ada", "secret"),
    )


@pytest.mark.parametrize("text", ["", " ", ";\n"])
def test_nothing_is_no_server(text: str) -> None:
    assert parse_servers(text) == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stun.example.org", "no address"),
        ("http://example.org", "no address"),
        ("stun:example.org:99999", "no address"),
        ("stun:example.org ada secret", "only an address"),
        ("turn:example.org", "username and a password"),
        ("turns:example.org?transport=udp ada secret", "TCP only"),
        ("stun:a.example;stun:b.example", "one STUN server"),
        ("turn:a.example u p;turns:b.example u p", "one TURN server"),
    ],
)
def test_what_a_call_would_not_use_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        parse_servers(text)
    assert refused.value.code == "bad_server"
