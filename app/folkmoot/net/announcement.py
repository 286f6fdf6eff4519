"""What an mDNS record of ours says, and what is taken from those of others.

Says: a random instance name, a random host name, a port, addresses, and in TXT nothing but 8-byte
tags. Refuses to believe or to hold much: of what others say only well-formed parts are taken, up to
a bound, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from folkmoot.domain.address import Address
from folkmoot.services.ports import Randomness, Sighting

SERVICE = "_folkmoot._tcp.local."
TAG_BYTES = 8
TAGS_MULTIPLE = 4
MAX_TAGS = 64
MAX_ADDRESSES = 8
_TAGS_PER_STRING = 24
"""A string of a TXT record holds 255 bytes (RFC 1035, section 3.3.14)."""
_STRINGS = -(-MAX_TAGS // _TAGS_PER_STRING)
_MAX_INSTANCE_LENGTH = 63


def random_label(randomness: Randomness) -> str:
    """A name that says nothing: 20 hexadecimal digits."""
    return randomness.bytes(10).hex()


def write_tags(tags: Iterable[bytes], randomness: Randomness) -> dict[str, bytes]:
    """TXT strings for up to `MAX_TAGS` tags, filled with random ones so that few can be counted.

    The order tells nothing either: they are sorted.
    """
    padded = list(dict.fromkeys(tags))[:MAX_TAGS]
    while not padded or len(padded) % TAGS_MULTIPLE:
        padded.append(randomness.bytes(TAG_BYTES))
    padded.sort()
    return {
        f"t{start // _TAGS_PER_STRING}": b"".join(padded[start : start + _TAGS_PER_STRING])
        for start in range(0, len(padded), _TAGS_PER_STRING)
    }


def read_tags(strings: Mapping[bytes, bytes | None]) -> frozenset[bytes]:
    """The tags of a record; a string that is not whole tags is passed over."""
    found: list[bytes] = []
    for number in range(_STRINGS):
        value = strings.get(b"t%d" % number) or b""
        if len(value) % TAG_BYTES == 0:
            found += [value[at : at + TAG_BYTES] for at in range(0, len(value), TAG_BYTES)]
    return frozenset(found[:MAX_TAGS])


def read_record(
    instance: str, port: int | None, hosts: Iterable[str], strings: Mapping[bytes, bytes | None]
) -> Sighting | None:
    """What a record says, or None if nothing in it can be used."""
    if not port or not 0 < len(instance) <= _MAX_INSTANCE_LENGTH:
        return None
    places: list[str] = []
    for host in hosts:
        try:
            address = ip_address(host)
        except ValueError:
            continue
        # A link-local IPv6 address without its interface leads nowhere.
        nowhere = address.version == 6 and address.is_link_local and "%" not in host
        if not (address.is_multicast or address.is_unspecified or nowhere):
            places.append(str(Address(host, port)))
        if len(places) == MAX_ADDRESSES:
            break
    if not places:
        return None
    return Sighting(instance, tuple(places), read_tags(strings))
