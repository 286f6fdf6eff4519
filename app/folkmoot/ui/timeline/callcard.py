"""The card of a call, painted in its message's row: an icon, two lines and a button.

Knows no calls: it is handed the words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.callwords import CallWords

CARD_HEIGHT = 60
_MAX_WIDTH = 340
_RADIUS = 12
_PAD = 12
_TILE = 36
_TILE_RADIUS = 8
_ICON = 18
_BUTTON = 28
_BUTTON_PAD = 13
_BUTTON_RADIUS = 8
_TITLE_LINE, _SECOND_LINE = 26, 44
"""Base lines below the upper edge."""


@dataclass(frozen=True, slots=True)
class CallCard:
    """Where the parts of a card lie in its row; `tile` and `button` may be empty."""

    words: CallWords
    box: QRectF
    tile: QRectF
    text: QRectF
    button: QRectF


def lay_card(
    words: CallWords, at: QPointF, width: float, wide: Callable[[TextStyle, str], float]
) -> CallCard:
    """A card with its upper left corner at `at` in at most `width` pixels."""
    box = QRectF(at.x(), at.y(), min(_MAX_WIDTH, round(width)), CARD_HEIGHT)
    middle = at.y() + CARD_HEIGHT / 2
    right = box.right() - _PAD
    button = QRectF()
    if words.act:
        across = round(wide(TextStyle.LABEL_STRONG, words.act)) + 2 * _BUTTON_PAD
        button = QRectF(right - across, middle - _BUTTON / 2, across, _BUTTON)
        right = button.left() - _PAD
    tile = QRectF(box.left() + _PAD, middle - _TILE / 2, _TILE, _TILE)
    left = tile.right() + _PAD
    if right - left < wide(TextStyle.STRONG, words.title):  # rather whole words than an icon
        tile, left = QRectF(), box.left() + _PAD
    return CallCard(words, box, tile, QRectF(left, at.y(), max(0.0, right - left), 0), button)


def paint_card(
    painter: QPainter, card: CallCard, theme: Theme, ratio: float, *, hot: bool = False
) -> None:
    """Draw a card; `hot`: the pointer is on its button."""
    words = card.words
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.setBrush(theme.colour("panel"))
    painter.drawRoundedRect(card.box.adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS)
    if not card.tile.isEmpty():
        _paint_tile(painter, card, theme, ratio)
    _line(painter, theme, card, TextStyle.STRONG, words.title, _TITLE_LINE)
    _line(painter, theme, card, TextStyle.META, words.line, _SECOND_LINE)
    if not card.button.isEmpty():
        _paint_button(painter, card, theme, hot=hot)


def _paint_tile(painter: QPainter, card: CallCard, theme: Theme, ratio: float) -> None:
    ground, token = {
        "live": (theme.colour("accent_soft"), "accent"),
        "bad": (theme.shade("bad_text", 12), "bad_text"),
    }.get(card.words.tone, (theme.colour("code"), "mute"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(card.tile, _TILE_RADIUS, _TILE_RADIUS)
    inset = (_TILE - _ICON) // 2
    place = (round(card.tile.left()) + inset, round(card.tile.top()) + inset)
    painter.drawPixmap(*place, theme.pixmap(card.words.icon, token, _ICON, ratio))


def _line(
    painter: QPainter, theme: Theme, card: CallCard, style: TextStyle, text: str, below: int
) -> None:
    font = theme.font(style)
    metrics = QFontMetricsF(font)
    width = card.text.width()
    if metrics.horizontalAdvance(text) > width + 1:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    token = "mute"
    if style is TextStyle.STRONG:
        token = "bad_text" if card.words.tone == "bad" else "ink"
    painter.setFont(font)
    painter.setPen(theme.colour(token))
    painter.drawText(QPointF(card.text.left(), card.box.top() + below), text)


def _paint_button(painter: QPainter, card: CallCard, theme: Theme, *, hot: bool) -> None:
    """What is live is the main act; calling again is offered more quietly."""
    main = card.words.tone == "live"
    box = card.button
    if main:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_lit(theme) if hot else theme.colour("accent"))
    else:
        box = box.adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("hover" if hot else "panel"))
    painter.drawRoundedRect(box, _BUTTON_RADIUS, _BUTTON_RADIUS)
    painter.setFont(theme.font(TextStyle.LABEL_STRONG))
    painter.setPen(theme.colour("accent_ink" if main else "ink"))
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(card.button, flags, card.words.act)


def _lit(theme: Theme) -> QColor:
    colour = theme.colour("accent")
    return colour.lighter(106) if theme.is_dark else colour.darker(106)
