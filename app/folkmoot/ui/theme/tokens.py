"""The table of colours, for light and dark, and the list of what is drawn on what.

Colours are `#rrggbb`. Nothing else in the window names a colour. `TEXT_ON` and `MARKS_ON` say which
token is used on which ground; the tests hold every pair to WCAG 2.2 contrast (4.5:1 for text, 3:1
for edges and dots). Knows no Qt.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme's colours; the names are roles, never hues."""

    window: str
    side: str
    panel: str
    line: str
    ink: str
    mute: str
    faint: str
    edge: str
    accent: str
    accent_ink: str
    accent_soft: str
    hover: str
    code: str
    mention: str
    mention_ink: str
    ok_text: str
    away_text: str
    bad_text: str
    ok_dot: str
    away_dot: str
    danger: str
    danger_ink: str
    code_word: str
    code_number: str
    code_string: str
    selection: str
    stage: str
    tile: str
    bad_soft: str
    scrim: str
    scrim_percent: int
    shadow_percent: int


LIGHT = Tokens(
    window="#f6f5f2",
    side="#eeece7",
    panel="#ffffff",
    line="#e2dfd8",
    ink="#22211f",
    mute="#5f5b54",
    faint="#6b675f",
    edge="#858076",
    accent="#2f6f5e",
    accent_ink="#ffffff",
    accent_soft="#e0ece7",
    hover="#f3f1ec",
    code="#f4f2ee",
    mention="#fff3d6",
    mention_ink="#7a5200",
    ok_text="#2a7546",
    away_text="#8a5a00",
    bad_text="#b3372f",
    ok_dot="#3b8f5a",
    away_dot="#a87400",
    danger="#b3372f",
    danger_ink="#ffffff",
    code_word="#7a3d8f",
    code_number="#9a4d0f",
    code_string="#2a7546",
    selection="#cfe3da",
    stage="#e2dfd8",
    tile="#f1efea",
    bad_soft="#f7e3e1",
    scrim="#22211f",
    scrim_percent=40,
    shadow_percent=10,
)

DARK = Tokens(
    window="#1b1c1e",
    side="#151618",
    panel="#202225",
    line="#2d3034",
    ink="#e7e6e3",
    mute="#aeaca6",
    faint="#9b9993",
    edge="#73767b",
    accent="#5fb59b",
    accent_ink="#0d1714",
    accent_soft="#22352f",
    hover="#272a2d",
    code="#17181a",
    mention="#3a3220",
    mention_ink="#f0cf86",
    ok_text="#58b47a",
    away_text="#d9a441",
    bad_text="#ea8a82",
    ok_dot="#58b47a",
    away_dot="#d9a441",
    danger="#e0736b",
    danger_ink="#1a0d0c",
    code_word="#c79adb",
    code_number="#e0a061",
    code_string="#7cc795",
    selection="#2f4d43",
    stage="#0d0e0f",
    tile="#2a2d31",
    bad_soft="#3b2321",
    scrim="#000000",
    scrim_percent=60,
    shadow_percent=40,
)

_GROUNDS = ("window", "side", "panel", "hover", "accent_soft")

TEXT_ON: dict[str, tuple[str, ...]] = {
    "ink": (*_GROUNDS, "code", "selection", "stage", "tile"),
    "mute": (*_GROUNDS, "code", "stage", "tile"),
    "faint": (*_GROUNDS, "code"),
    "accent": _GROUNDS,
    "bad_text": (*_GROUNDS, "bad_soft"),
    "ok_text": _GROUNDS,
    "away_text": _GROUNDS,
    "mention_ink": ("mention",),
    "accent_ink": ("accent",),
    "danger_ink": ("danger",),
    "code_word": ("code",),
    "code_number": ("code",),
    "code_string": ("code",),
}
"""Text token to the grounds it is written on."""

MARKS_ON: dict[str, tuple[str, ...]] = {
    "edge": ("window", "side", "panel", "hover"),
    "ok_dot": ("window", "side", "panel", "hover"),
    "away_dot": ("window", "side", "panel", "hover"),
    "accent": ("window", "side", "panel", "hover"),
}
"""Edge of an input, presence dot or focus ring to the grounds it is drawn on."""


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio of two `#rrggbb` colours, 1 to 21 (section 1.4.3)."""
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance, as WCAG defines it over sRGB."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
