"""What macOS is told of the program."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest
from macos.info import BUNDLE_ID, SERVICE, info

from folkmoot import __version__
from folkmoot.net import announcement

ROOT = Path(__file__).resolve().parents[3]
ENTITLEMENTS = ROOT / "packaging/macos/entitlements.plist"


@pytest.fixture
def told() -> dict[str, object]:
    """As macOS reads it."""
    read = plistlib.loads(plistlib.dumps(info(__version__, "1764150000")))
    assert isinstance(read, dict)
    return read


@pytest.mark.parametrize("what", ["Camera", "Microphone", "ScreenCapture", "LocalNetwork"])
def test_macos_can_say_why_it_asks(told: dict[str, object], what: str) -> None:
    words = told[f"NS{what}UsageDescription"]
    assert isinstance(words, str)
    assert words.startswith("Folkmoot ")
    assert words.endswith(".")


def test_the_network_is_looked_through_for_what_folkmoot_announces(told: dict[str, object]) -> None:
    assert f"{SERVICE}.local." == announcement.SERVICE
    assert told["NSBonjourServices"] == [SERVICE]


def test_links_and_identity(told: dict[str, object]) -> None:
    assert told["CFBundleIdentifier"] == BUNDLE_ID == "org.folkmoot.Folkmoot"
    types = told["CFBundleURLTypes"]
    assert isinstance(types, list)
    assert [links["CFBundleURLSchemes"] for links in types] == [["folkmoot"]]
    assert told["CFBundleShortVersionString"] == __version__
    assert told["CFBundleVersion"] == "1764150000"
    assert told["NSHighResolutionCapable"] is True
    assert told["LSMinimumSystemVersion"] == "14.0"


def test_the_rights_are_these_and_no_more() -> None:
    rights = plistlib.loads(ENTITLEMENTS.read_bytes())
    assert rights == {
        "com.apple.security.device.camera": True,
        "com.apple.security.device.audio-input": True,
        "com.apple.security.cs.allow-unsigned-executable-memory": True,
    }
