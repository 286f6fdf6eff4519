"""Descriptions of connections from peers: what is let through to the library."""

from __future__ import annotations

import pytest

from folkmoot.domain.errors import PeerError
from folkmoot.media.descriptions import MAX_CANDIDATES, as_sent, check_description

_PRINT = ":".join(["AB"] * 32)
_OTHER_PRINT = ":".join(["CD"] * 32)


def _description() -> list[str]:
    media = []
    for mid, kind, types in (
        ("0", "audio", "96"),
        ("1", "video", "97 98"),
        ("2", "video", "97 98"),
    ):
        media += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {types}",
            "c=IN IP4 192.0.2.7",
            f"a=mid:{mid}",
            "a=ssrc:1234 cname:someone",
            "a=candidate:abc 1 udp 2130706431 192.0.2.7 50000 typ host",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:abcdefghijklmnopqrstuv",
            f"a=fingerprint:sha-256 {_PRINT}",
            "a=setup:actpass",
        ]
    return ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2", *media]


def _check(lines: list[str]) -> None:
    check_description("\r\n".join(lines) + "\r\n")


def test_a_description_of_ours_passes() -> None:
    lines = _description()
    _check(lines)
    assert as_sent("\r\n".join(lines)) == "\r\n".join(lines) + "\r\n"


def test_other_kinds_of_fingerprint_are_left_out_of_what_we_send() -> None:
    lines = [*_description(), f"a=fingerprint:sha-384 {_PRINT}", "a=fingerprint:sha-512 AB"]
    assert as_sent("\r\n".join(lines)) == "\r\n".join(_description()) + "\r\n"


_WRONG: dict[str, list[str]] = {
    "a second fingerprint": [*_description(), f"a=fingerprint:sha-256 {_OTHER_PRINT}"],
    "another kind of fingerprint": [*_description(), "a=fingerprint:sha-1 AB:CD"],
    "no fingerprint": [x for x in _description() if "fingerprint" not in x],
    "a second sound": [*_description(), "m=audio 9 UDP/TLS/RTP/SAVPF 96"],
    "three pictures": [*_description(), "m=video 9 UDP/TLS/RTP/SAVPF 97 98"],
    "one picture": _description()[:23],
    "a data channel": [*_description(), "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"],
    "no picture": _description()[:14],
    "no media": ["v=0"],
    "no version": _description()[1:],
    "nothing": [],
    "a payload type twice": [x.replace("97 98", "97 97") for x in _description()],
    "many lines": [*_description(), *["a=x"] * 1000],
    "a long line": [*_description(), "a=" + "x" * 2000],
    "many candidates": [
        *_description(),
        *["a=candidate:abc 1 udp 1 192.0.2.7 50000 typ host"] * MAX_CANDIDATES,
    ],
    "a candidate with a name": [
        *_description(),
        "a=candidate:abc 1 udp 1 tracker.example 50000 typ host",
    ],
    "a candidate with a large port": [
        *_description(),
        "a=candidate:abc 1 udp 1 192.0.2.7 70000 typ host",
    ],
    "a broken candidate": [*_description(), "a=candidate:"],
    "many sources": [*_description(), *[f"a=ssrc:{i} cname:x" for i in range(1000)]],
    "a source too large": [*_description(), "a=ssrc:99999999999 cname:x"],
    "two credentials": [*_description(), "a=ice-ufrag:wxyz"],
    "a short password": [x.replace("abcdefghijklmnopqrstuv", "short") for x in _description()],
    "control characters": [*_description(), "a=x\x00y"],
    "other alphabets": [*_description(), "a=é"],
    "too many characters": ["v=0", *["a=" + "x" * 500] * 60],
}


@pytest.mark.parametrize("name", _WRONG)
def test_a_wrong_description_is_refused(name: str) -> None:
    with pytest.raises(PeerError) as caught:
        _check(_WRONG[name])
    assert caught.value.code == "bad_description"
