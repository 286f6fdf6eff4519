"""Credentials for TURN: as coturn computes them, and over at the time they say."""

from __future__ import annotations

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Turn
from folkmoot_signaling.turn import TurnCredentials, password_of

_DEVICE = DeviceId(bytes(range(32)))
_URLS = ("turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp")


def test_the_password_is_the_mac_that_coturn_computes() -> None:
    # printf %s 1433895918:someone | openssl dgst -binary -sha1 -hmac our-secret | openssl base64
    assert password_of(b"our-secret", "1433895918:someone") == "yJNY+EBavRvH/C9E/FyS45PIiM4="


def test_credentials_say_when_they_end_and_not_who_asked() -> None:
    turn = TurnCredentials(b"secret", _URLS, valid_s=3600).make(_DEVICE, 1_700_000_000.9)
    expiry, colon, name = turn.username.partition(":")
    assert (expiry, colon) == ("1700003600", ":")
    assert turn.urls == _URLS
    assert turn.valid_s == 3600
    assert turn.credential == password_of(b"secret", turn.username)
    assert len(name) == 16
    assert name not in _DEVICE.hex()


def test_a_device_keeps_its_name_so_that_quotas_count() -> None:
    made = TurnCredentials(b"secret", _URLS)
    first, later = (made.make(_DEVICE, now).username.split(":")[1] for now in (1e9, 2e9))
    other = made.make(DeviceId(bytes(32)), 1e9).username.split(":")[1]
    assert first == later != other


def test_without_a_secret_or_an_address_there_is_no_turn() -> None:
    assert TurnCredentials(b"", _URLS).make(_DEVICE, 1e9) == Turn()
    assert TurnCredentials(b"secret", ()).make(_DEVICE, 1e9) == Turn()
