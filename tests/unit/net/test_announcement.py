"""What an mDNS record says and what is taken from others'."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.net.announcement import (
    MAX_ADDRESSES,
    MAX_TAGS,
    random_label,
    read_record,
    read_tags,
    write_tags,
)

strings = st.dictionaries(
    st.sampled_from([b"t0", b"t1", b"t2", b"t3", b"name"]), st.none() | st.binary(max_size=255)
)


class Counting:
    """Bytes that never repeat."""

    def __init__(self) -> None:
        self._n = 0

    def bytes(self, count: int) -> bytes:
        """The next number."""
        self._n += 1
        return self._n.to_bytes(count, "big")

    def uniform(self, low: float, high: float) -> float:
        """Not asked for here."""
        return (low + high) / 2


def on_the_wire(written: dict[str, bytes]) -> dict[bytes, bytes | None]:
    return {key.encode(): value for key, value in written.items()}


@given(st.sets(st.binary(min_size=8, max_size=8), max_size=80))
def test_tags_are_read_as_written_with_a_multiple_of_four_of_them(tags: set[bytes]) -> None:
    written = write_tags(tags, Counting())
    read = read_tags(on_the_wire(written))
    assert len(read) <= MAX_TAGS
    assert sum(len(value) for value in written.values()) % 32 == 0
    assert all(len(key) + 1 + len(value) <= 255 for key, value in written.items())
    assert len(read & tags) == min(len(tags), MAX_TAGS)


def test_a_node_without_teams_shows_as_many_tags_as_one_with_four() -> None:
    assert len(read_tags(on_the_wire(write_tags([], Counting())))) == 4


def test_names_are_random() -> None:
    randomness = Counting()
    assert random_label(randomness) != random_label(randomness)


@given(
    st.text(max_size=80),
    st.none() | st.integers(-1, 70_000),
    st.lists(st.text(max_size=40) | st.ip_addresses().map(str), max_size=20),
    strings,
)
def test_garbage_never_raises_and_is_bounded(
    instance: str, port: int | None, hosts: list[str], txt: dict[bytes, bytes | None]
) -> None:
    sighting = read_record(instance, port, hosts, txt)
    assert sighting is None or (
        1 <= len(sighting.addresses) <= MAX_ADDRESSES and len(sighting.tags) <= MAX_TAGS
    )


def test_addresses_that_lead_nowhere_are_left_out() -> None:
    hosts = ["fe80::1", "fe80::1%eth0", "224.0.0.1", "0.0.0.0", "::", "nonsense", "192.0.2.7"]
    sighting = read_record("abc", 7000, hosts, {})
    assert sighting is not None
    assert sighting.addresses == ("[fe80::1%eth0]:7000", "192.0.2.7:7000")
