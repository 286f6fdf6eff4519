"""What a peer may name as places where it can be reached."""

from __future__ import annotations

import pytest
from aioice import Candidate
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.domain.errors import PeerError
from folkmoot.net.candidates import MAX_CANDIDATES, read_description, write_candidates
from folkmoot.services.signaling_port import IceDescription

GOOD = "abc 1 udp 2130706431 192.168.1.7 50000 typ host"


def _described(*lines: str, ufrag: str = "abcd", password: str = "p" * 22) -> IceDescription:
    return IceDescription(ufrag, password, lines)


def _candidate(host: str, port: int = 5000, priority: int = 5, kind: str = "host") -> Candidate:
    return Candidate("f", 1, "udp", priority, host, port, kind, "10.0.0.1", 9)


def test_what_we_write_is_read_back_the_best_first() -> None:
    ours = [_candidate("198.51.100.7", kind="srflx"), _candidate("2001:db8::7", 6000, 9)]
    lines = write_candidates(ours)
    assert all("raddr" not in line and "10.0.0.1" not in line for line in lines)
    read = read_description(_described(*lines))
    assert [(each.host, each.port, each.type) for each in read] == [
        ("2001:db8::7", 6000, "host"),
        ("198.51.100.7", 5000, "srflx"),
    ]


def test_we_tell_no_place_that_is_only_ours_and_not_too_many() -> None:
    assert write_candidates([_candidate("127.0.0.1"), _candidate("fe80::1")]) == ()
    many = [_candidate(f"10.0.0.{number}") for number in range(1, 60)]
    assert len(write_candidates(many)) == MAX_CANDIDATES


def test_extensions_are_passed_over_and_doubles_count_once() -> None:
    line = f"{GOOD} raddr 10.0.0.1 rport 9 generation 0"
    assert len(read_description(_described(GOOD, line))) == 1


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255"),
        *("::1", "::", "ff02::1", "fe80::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("some-name.local", "example.org", "1.2.3", "fe80::1%eth0", "1.2.3.4.5", "::::", "@", ""),
    ],
)
def test_a_place_where_no_other_computer_can_be_is_refused(host: str) -> None:
    with pytest.raises(PeerError) as caught:
        read_description(_described(f"abc 1 udp 2130706431 {host} 50000 typ host"))
    assert caught.value.code == "bad_candidate"


@pytest.mark.parametrize(
    "line",
    [
        GOOD.replace(" 1 udp", " 2 udp"),
        GOOD.replace(" udp", " tcp"),
        GOOD.replace("50000", "0"),
        GOOD.replace("50000", "65536"),
        GOOD.replace("50000", "-1"),
        GOOD.replace("2130706431", "0"),
        GOOD.replace("2130706431", "2147483648"),
        GOOD.replace("2130706431", "9" * 11),
        GOOD.replace("typ host", "typ relay"),
        GOOD.replace("typ host", "typ "),
        GOOD.replace("typ host", ""),
        GOOD.replace(" ", "  "),
        GOOD.replace("abc", "a" * 33),
        GOOD + "\n",
        GOOD + " x",
        GOOD + " raddr " + "a" * 150,
        "candidate:" + GOOD,
        "\x00",
        "",
    ],
)
def test_a_line_that_is_no_candidate_is_refused(line: str) -> None:
    with pytest.raises(PeerError):
        read_description(_described(line))


def test_one_bad_line_refuses_the_whole_description() -> None:
    with pytest.raises(PeerError):
        read_description(_described(GOOD, "nonsense"))


@pytest.mark.parametrize(
    ("ufrag", "password"),
    [("abc", "p" * 22), ("a b:", "p" * 22), ("abcd", "p" * 21), ("abcd", "p" * 21 + ":")],
)
def test_a_name_or_password_that_is_none_is_refused(ufrag: str, password: str) -> None:
    with pytest.raises(PeerError):
        read_description(_described(GOOD, ufrag=ufrag, password=password))


def test_too_many_candidates_are_refused() -> None:
    lines = [GOOD.replace("50000", str(50000 + number)) for number in range(MAX_CANDIDATES + 1)]
    with pytest.raises(PeerError):
        read_description(_described(*lines))


@settings(max_examples=50)
@given(st.text(max_size=220), st.text(max_size=70))
def test_no_text_brings_about_another_error(line: str, word: str) -> None:
    for described in (_described(line), _described(GOOD, ufrag=word), _described(GOOD + line)):
        try:
            read_description(described)
        except PeerError:
            pass
