"""Ranges of addresses as a person types them."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.domain.ranges import is_range, parse_range


def hosts(text: str) -> list[str]:
    return [address.host for address in parse_range(text)]


def test_a_network_leaves_out_its_own_and_its_broadcast_address() -> None:
    found = hosts("192.168.1.0/24:7000")
    assert (found[0], found[-1], len(found)) == ("192.168.1.1", "192.168.1.254", 254)
    assert hosts("192.168.1.77/30:7000") == ["192.168.1.77", "192.168.1.78"]
    assert hosts("192.168.1.7/32:7000") == ["192.168.1.7"]


def test_a_span_has_both_ends() -> None:
    found = parse_range(" 192.168.1.20-40:7000 ")
    assert (str(found[0]), str(found[-1]), len(found)) == (
        "192.168.1.20:7000",
        "192.168.1.40:7000",
        21,
    )
    assert len(parse_range("10.0.0.0-255:1")) == 256


def test_one_address_is_a_range_too() -> None:
    assert [str(one) for one in parse_range("[fe80::1%eth0]:7000")] == ["[fe80::1%eth0]:7000"]
    assert hosts("my-host.local:7000") == ["my-host.local"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "7000", "192.168.1.0/24", "192.168.1.0/24:", "192.168.1.0/24:0"),
        *("192.168.1.0/24:70000", "192.168.1.40-20:7000", "192.168.1.20-300:7000"),
        *("192.168.1/24:7000", "fd00::/120:7000", "[fd00::]/120:7000", "192.168.1.0/33:7000"),
        *("0.0.0.0/0:7000", "192.168.0.0/23:7000", "192.168.1.x/24:1", "1.2.3.4-:5"),
    ],
)
def test_what_is_no_range_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(UserError) as refused:
        parse_range(text)
    assert refused.value.code == "bad_range"
    assert refused.value.hint


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("192.168.1.0/24:7000", True),
        ("192.168.1.20-40:7000", True),
        ("192.168.1.20:7000", False),
        ("my-host-2.local:7000", False),
        ("host-2:7000", False),
        ("[fe80::1]:7000", False),
    ],
)
def test_a_range_is_told_from_an_address(text: str, several: bool) -> None:
    assert is_range(text) is several
