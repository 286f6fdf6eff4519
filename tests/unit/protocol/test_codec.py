"""Canonical msgpack: one form per value, and bounds before anything is built."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.domain.errors import PeerError
from folkmoot.protocol.codec import MAX_INTEGER, MAX_ITEMS, MAX_NESTING, pack, unpack

LIMIT = 100_000
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(0, MAX_INTEGER), st.text(), st.binary(max_size=300)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=20), max_leaves=30)


def depth(value: object) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(VALUES)
def test_what_is_packed_is_read_back(value: object) -> None:
    if depth(value) <= MAX_NESTING:
        assert unpack(pack(value), LIMIT) == value
    else:
        with pytest.raises(PeerError):
            unpack(pack(value), LIMIT)


@given(st.binary(max_size=200))
def test_bytes_that_are_read_re_encode_to_the_same(data: bytes) -> None:
    try:
        value = unpack(data, LIMIT)
    except PeerError:
        return
    assert pack(value) == data


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x01\x02", id="two values"),
        pytest.param(b"\xcc\x05", id="long small integer"),
        pytest.param(b"\xcd\x00\x80", id="long integer"),
        pytest.param(b"\xcf\x80" + bytes(7), id="integer of 2^63"),
        pytest.param(b"\xff", id="negative"),
        pytest.param(b"\xd0\x80", id="int8"),
        pytest.param(b"\xca\x00\x00\x00\x00", id="float"),
        pytest.param(b"\xcb" + bytes(8), id="double"),
        pytest.param(b"\x80", id="map"),
        pytest.param(b"\xde\x00\x00", id="long map"),
        pytest.param(b"\xd4\x00\x00", id="extension"),
        pytest.param(b"\xc1", id="never used"),
        pytest.param(b"\xd9\x01a", id="long string"),
        pytest.param(b"\xc5\x00\x01a", id="long binary"),
        pytest.param(b"\xdc\x00\x01\x01", id="long array"),
        pytest.param(b"\xa2\xc3\x28", id="not UTF-8"),
        pytest.param(b"\xa3\xed\xa0\x80", id="half a character"),
        pytest.param(b"\xdd\xff\xff\xff\xff", id="array of billions"),
        pytest.param(b"\xc6\xff\xff\xff\xff", id="binary of billions"),
        pytest.param(b"\x92\x01", id="array cut short"),
        pytest.param(b"\x91" * 9 + b"\x01", id="too deep"),
    ],
)
def test_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(PeerError) as caught:
        unpack(data, LIMIT)
    assert caught.value.code == "not_canonical"


def test_a_value_over_its_limit_is_refused_unread() -> None:
    with pytest.raises(PeerError) as caught:
        unpack(pack(bytes(100)), 50)
    assert caught.value.code == "too_large"


def test_a_value_of_too_many_items_is_refused() -> None:
    assert len(unpack(pack([0] * MAX_ITEMS), LIMIT)) == MAX_ITEMS
    for value in ([0] * (MAX_ITEMS + 1), [[0] * (MAX_ITEMS // 2)] * 2):
        with pytest.raises(PeerError) as caught:
            unpack(pack(value), LIMIT)
        assert caught.value.code == "too_large"
