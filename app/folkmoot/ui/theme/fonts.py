"""The bundled typefaces and the few text styles made of them.

Refuses fonts from anywhere but the resources: text looks the same on every computer.
"""

from __future__ import annotations

import enum
import functools

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

from folkmoot.resources import resource_path

TEXT_FAMILIES = ("Inter", "Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji")
CODE_FAMILIES = ("JetBrains Mono", "Noto Color Emoji", "Apple Color Emoji", "Segoe UI Emoji")

_FILES = (
    "Inter-Regular.otf",
    "Inter-Italic.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "Inter-SemiBoldItalic.otf",
    "Inter-Bold.otf",
    "JetBrainsMono-Regular.ttf",
    "JetBrainsMono-SemiBold.ttf",
)

LINE_HEIGHT = 20
"""Pixels from one base line of body text to the next."""
META_LINE_HEIGHT = 16
CODE_LINE_HEIGHT = 18


class TextStyle(enum.Enum):
    """A role that text has: size in pixels, weight, family."""

    BODY = ("text", 14.0, QFont.Weight.Normal)
    STRONG = ("text", 14.0, QFont.Weight.DemiBold)
    LABEL = ("text", 13.0, QFont.Weight.Normal)
    LABEL_STRONG = ("text", 13.0, QFont.Weight.DemiBold)
    META = ("text", 12.0, QFont.Weight.Normal)
    META_STRONG = ("text", 12.0, QFont.Weight.DemiBold)
    BADGE = ("text", 11.0, QFont.Weight.Bold)
    TITLE = ("text", 16.0, QFont.Weight.DemiBold)
    DISPLAY = ("text", 24.0, QFont.Weight.Bold)
    CODE = ("code", 12.5, QFont.Weight.Normal)


def load_fonts() -> list[str]:
    """Register the bundled files with Qt; return the names of those that Qt did not take."""
    return [
        name
        for name in _FILES
        if QFontDatabase.addApplicationFont(str(resource_path(f"fonts/{name}"))) < 0
    ]


@functools.cache
def font(style: TextStyle) -> QFont:
    """The font of one text style; do not change what is returned, copy it."""
    family, size_px, weight = style.value
    return make_font(size_px, weight, code=family == "code")


def make_font(
    size_px: float, weight: QFont.Weight = QFont.Weight.Normal, *, code: bool = False
) -> QFont:
    """A bundled font in a size that `TextStyle` does not name (initials in an avatar)."""
    made = QFont()
    made.setFamilies(list(CODE_FAMILIES if code else TEXT_FAMILIES))
    made.setWeight(weight)
    if size_px == int(size_px):
        made.setPixelSize(int(size_px))
    else:  # QFont takes half pixels only as points
        screen = QGuiApplication.primaryScreen()
        dpi = screen.logicalDotsPerInchY() if screen is not None else 96.0
        made.setPointSizeF(size_px * 72 / dpi)
    if code:
        made.setStyleHint(QFont.StyleHint.Monospace)
    return made
