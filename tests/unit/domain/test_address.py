"""Addresses as a person types them."""

from __future__ import annotations

import pytest

from folkmoot.domain.address import Address, parse_address
from folkmoot.domain.errors import UserError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.7:7000", "192.0.2.7", 7000),
        ("[fe80::1%eth0]:7000", "fe80::1%eth0", 7000),
        ("  laptop.local:0 ", "laptop.local", 0),
    ],
)
def test_an_address_is_read_and_written_back(text: str, host: str, port: int) -> None:
    address = parse_address(text)
    assert address == Address(host, port)
    assert str(address) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        *("", "laptop", ":7000", "laptop:", "laptop:70000", "laptop:-1", "laptop:٣"),
        *("fe80::1:7000", "[fe80::1:7000", "a b:1", "x" * 254 + ":1", "laptop:000001"),
        *("a..b:1", ".:1", "x" * 64 + ".org:1", "a\x00b:1", "a\tb:1", "é" * 60 + ":1"),
    ],
)
def test_anything_else_is_refused_in_clear_words(text: str) -> None:
    with pytest.raises(UserError, match="is not an address") as caught:
        parse_address(text)
    assert caught.value.code == "bad_address"
