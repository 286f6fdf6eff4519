"""The table of tokens, the fonts, the icons and the avatars."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontInfo, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication

from folkmoot.resources import resource_path
from folkmoot.services.values import PresenceState
from folkmoot.ui.theme.avatars import (
    AVATAR_COLOURS,
    avatar_colour,
    initials,
    paint_presence,
)
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.theme.tokens import DARK, LIGHT, MARKS_ON, TEXT_ON, Tokens, contrast

TABLES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])


def _weak(tokens: Tokens, uses: dict[str, tuple[str, ...]], least: float) -> list[str]:
    return [
        f"{front} on {ground}: {ratio:.2f}"
        for front, grounds in uses.items()
        for ground in grounds
        if (ratio := contrast(getattr(tokens, front), getattr(tokens, ground))) < least
    ]


@TABLES
def test_every_text_token_reaches_four_and_a_half_to_one_on_every_ground(tokens: Tokens) -> None:
    assert _weak(tokens, TEXT_ON, 4.5) == []


@TABLES
def test_every_edge_and_dot_reaches_three_to_one_on_every_ground(tokens: Tokens) -> None:
    assert _weak(tokens, MARKS_ON, 3.0) == []


def test_contrast_of_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)


def test_initials_are_readable_on_all_twelve_avatar_colours() -> None:
    assert len(set(AVATAR_COLOURS)) == 12
    assert [c for c in AVATAR_COLOURS if contrast(c, "#ffffff") < 4.5] == []


def test_the_avatar_colour_follows_the_key_and_not_the_name() -> None:
    keys = [bytes([0, 0, 0, n]) + bytes(28) for n in range(12)]
    assert {avatar_colour(key) for key in keys} == set(AVATAR_COLOURS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Elin Aas", "EA"),
        ("mara", "M"),
        ("Ana Maria de Souza", "AS"),
        ("山田 太郎", "山太"),
        ("👩‍🚀 Rosa", "R"),
        ("e\u0301lodie", "E\u0301"),
        ("नमिता शर्मा", "नश"),
        ("(bot) x", "BX"),
        ("ßeta", "ß"),
        ("   ", "?"),
        ("👍👍", "?"),
    ],
)
def test_initials_are_whole_characters_of_any_script(name: str, expected: str) -> None:
    assert initials(name)[0] == expected[0]
    assert initials(name).startswith(expected[:2])


def test_each_presence_has_a_shape_of_its_own(theme: Theme) -> None:
    shapes = set()
    for presence in PresenceState:
        image = QImage(40, 40, QImage.Format.Format_ARGB32)
        image.fill(theme.colour("panel"))
        painter = QPainter(image)
        paint_presence(painter, QRectF(2, 2, 32, 32), presence, theme, "panel")
        painter.end()
        ground = theme.colour("panel").rgb()
        shapes.add(tuple(image.pixel(x, y) == ground for x in range(24, 40) for y in range(24, 40)))
    assert len(shapes) == len(PresenceState)


def test_the_bundled_fonts_are_the_ones_in_use(theme: Theme) -> None:
    assert theme.fonts_missing == ()
    assert QFontInfo(theme.font(TextStyle.BODY)).family() == "Inter"
    assert QFontInfo(theme.font(TextStyle.CODE)).family() == "JetBrains Mono"


def test_switching_the_mode_changes_the_palette_and_tells_once(
    theme: Theme, qapp: QApplication
) -> None:
    told: list[bool] = []
    theme.changed.connect(lambda: told.append(theme.is_dark))
    theme.set_mode(Mode.DARK)
    theme.set_mode(Mode.DARK)
    assert told == [True]
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    assert theme.colour("panel") == QColor(DARK.panel)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_an_icon_is_drawn_in_its_token_on_whole_pixels(theme: Theme, ratio: float) -> None:
    picture = theme.pixmap("plus", "accent", 16, ratio)
    assert picture.width() == round(16 * ratio)
    assert picture.devicePixelRatio() == ratio
    middle = picture.toImage().pixelColor(picture.width() // 2, picture.height() // 2)
    wanted = QColor(LIGHT.accent)
    assert middle.alpha() > 100
    assert abs(middle.red() - wanted.red()) + abs(middle.green() - wanted.green()) < 6


def test_every_icon_that_ships_can_be_drawn(theme: Theme) -> None:
    names = [path.stem for path in resource_path("icons").glob("*.svg")]
    empty = [
        name
        for name in names
        if not any(
            theme.pixmap(name, "ink", 20).toImage().pixelColor(x, y).alpha()
            for x in range(20)
            for y in range(20)
        )
    ]
    assert names
    assert empty == []
