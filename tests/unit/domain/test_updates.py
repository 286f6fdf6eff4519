"""Versions and addresses of feeds."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest

from folkmoot.domain.errors import UserError
from folkmoot.domain.updates import (
    FeedAddress,
    Release,
    is_web_address,
    newest,
    parse_feed_address,
    version_key,
)

KEY = bytes(range(200, 232))
WRITTEN = base64.urlsafe_b64encode(KEY).decode().rstrip("=")
_IN_ORDER = "0 0.0.9 0.1a1 0.1a2 0.1b1 0.1rc1 0.1rc9 0.1rc10 0.1 0.1.1 0.2 0.10 1.0 1.0.0.1 2"


def test_versions_are_in_order() -> None:
    keys = [version_key(text) for text in _IN_ORDER.split()]
    assert all(one is not None and two is not None and one < two for one, two in pairwise(keys))


@pytest.mark.parametrize(("one", "two"), [("1", "1.0"), ("1.0.0", "1"), ("0.1.0rc1", "0.1rc1")])
def test_zeros_at_the_end_say_nothing(one: str, two: str) -> None:
    assert version_key(one) == version_key(two) is not None


@pytest.mark.parametrize(
    "text",
    ["", "v1", "1.", ".1", "1..2", "1.2.3.4.5", "1-2", "1.0 ", "1.0\n", "١.٢", "1.0rc", "1.0dev1",
     "1234567", "1.0rc1rc2", "1.2.3.4rc1" + "1" * 30, "sim"],
)  # fmt: skip
def test_what_is_no_version_is_none(text: str) -> None:
    assert version_key(text) is None
    assert newest([Release("9", "2030-01-01", "")], text) is None


def _releases(*versions: str) -> list[Release]:
    return [Release(version, "2026-11-26", "") for version in versions]


@pytest.mark.parametrize(
    ("running", "told", "offered"),
    [
        ("0.1.0", "0.1.0", ""),
        ("0.2.0", "0.1.0 0.1.9", ""),
        ("0.1.0", "0.1.1 0.3.0 0.2.0", "0.3.0"),
        ("0.1.0", "0.2.0rc1", ""),
        ("0.1.0", "0.3.0rc1 0.2.0", "0.2.0"),
        ("0.2.0rc1", "0.2.0rc2", "0.2.0rc2"),
        ("0.2.0rc1", "0.2.0rc1 0.2.0", "0.2.0"),
        ("0.2.0", "0.2.0rc9", ""),
        ("0.1.0", "", ""),
        ("0.1.0", "nonsense", ""),
    ],
)
def test_only_what_is_newer_is_offered(running: str, told: str, offered: str) -> None:
    found = newest(_releases(*told.split()), running)
    assert (found.version if found else "") == offered


@pytest.mark.parametrize(
    "url",
    ["https://example.org/feed.json", "https://example.org:8443/a/b?c=d", "https://[2001:db8::1]/",
     "http://127.0.0.1:8000/f", "http://localhost/f", "http://[::1]:80/f"],
)  # fmt: skip
def test_an_address_is_read_and_written_the_same(url: str) -> None:
    text = f"{url}#key={WRITTEN}"
    assert parse_feed_address(f"  {text}\n") == FeedAddress(url, KEY)
    assert str(FeedAddress(url, KEY)) == text


@pytest.mark.parametrize(
    "url",
    ["", "example.org/feed", "http://example.org/feed", "ftp://example.org", "https://",
     "https:///feed", "https://ada@example.org/", "https://ada:pw@example.org/",
     "https://example.org:0/", "https://example.org:99999/", "https://example.org/a b",
     "https://example.org\\@evil/", "https://exa<mple.org/", "https://пример.org/",
     "https://example.org/#a", "http://127.0.0.1.example.org/", "http://10.0.0.1/", "https://[::1/",
     "https://example.org/\t", "https://example.org/" + "a" * 300, "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(UserError) as told:
        parse_feed_address(f"{url}#key={WRITTEN}")
    assert told.value.code == "bad_feed"
    assert "https://" in told.value.hint


@pytest.mark.parametrize("key", ["", WRITTEN[:-1], WRITTEN + "A", "ä" * 43, WRITTEN[:-1] + "="])
def test_a_key_that_is_cut_short_is_said(key: str) -> None:
    with pytest.raises(UserError, match="no key, or one that is cut short"):
        parse_feed_address(f"https://example.org/f#key={key}")
    with pytest.raises(UserError, match="no key"):
        parse_feed_address("https://example.org/f")


def test_notes_are_read_over_https_alone() -> None:
    assert is_web_address("https://example.org/notes")
    assert not is_web_address("http://127.0.0.1/notes")
