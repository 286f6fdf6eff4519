"""Avatars: initials in any script on a colour that follows from the person's key, and presence.

The colour belongs to the key, not to the name: two people called Sam stay apart.
"""

from __future__ import annotations

import functools
import unicodedata

from PySide6.QtCore import QPointF, QRectF, Qt, QTextBoundaryFinder
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPen

from folkmoot.services.values import PresenceState
from folkmoot.ui.theme.fonts import make_font
from folkmoot.ui.theme.theme import Theme

AVATAR_COLOURS = (
    "#2f6f5e",
    "#3f6fa8",
    "#8a5a9e",
    "#a3683a",
    "#6b7a3b",
    "#a34a5e",
    "#4d6b8a",
    "#7a6a2f",
    "#5a5fae",
    "#97554a",
    "#2f7482",
    "#3d7a3f",
)
"""Twelve grounds, each at least 4.5:1 under white."""


def avatar_colour(key: bytes) -> str:
    """The ground of a person's (or team's) avatar, from the 32 bytes of the key."""
    return AVATAR_COLOURS[int.from_bytes(key[:4], "big") % len(AVATAR_COLOURS)]


def graphemes(text: str) -> list[str]:
    """User-perceived characters of `text` (UAX 29), as Qt finds them."""
    units = text.encode("utf-16-le", "surrogatepass")
    finder = QTextBoundaryFinder(QTextBoundaryFinder.BoundaryType.Grapheme, text)
    found: list[str] = []
    start = 0
    while (end := finder.toNextBoundary()) != -1:
        found.append(units[2 * start : 2 * end].decode("utf-16-le", "replace"))
        start = end
    return found


@functools.lru_cache(maxsize=1024)
def initials(name: str) -> str:
    """One or two characters that stand for a name; "?" for a name without a letter or digit."""
    firsts: list[str] = []
    for word in name[:200].split():
        start = next((i for i, c in enumerate(word) if unicodedata.category(c)[0] in "LN"), None)
        if start is not None:
            firsts.append(graphemes(word[start : start + 16])[0])
    if not firsts:
        return "?"
    chosen = [firsts[0]] if len(firsts) == 1 else [firsts[0], firsts[-1]]
    return "".join(_capital(c) for c in chosen)


def _capital(grapheme: str) -> str:
    upper = grapheme.upper()
    return upper if len(upper) == len(grapheme) else grapheme


def paint_avatar(painter: QPainter, box: QRectF, name: str, key: bytes) -> None:
    """Draw a rounded square with initials into `box` (logical pixels, square)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(avatar_colour(key)))
    radius = box.width() * 0.28
    painter.drawRoundedRect(box, radius, radius)
    text = initials(name)
    size = {18: 9, 20: 9, 30: 11, 32: 12, 36: 13}.get(round(box.width()))
    painter.setFont(make_font(float(size or round(box.width() * 0.36)), QFont.Weight.Bold))
    painter.setPen(QColor("#ffffff"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def paint_presence(
    painter: QPainter, avatar: QRectF, presence: PresenceState, theme: Theme, ground: str
) -> None:
    """Draw the dot over the avatar's lower right corner, cut out of `ground` (a token).

    Online is a full disc, away a crescent, do not disturb a disc with a bar, offline a ring.
    """
    size = 8.0
    dot = QRectF(avatar.right() - size + 2, avatar.bottom() - size + 2, size, size)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(ground))
    painter.drawEllipse(dot.adjusted(-2, -2, 2, 2))
    if presence is PresenceState.ONLINE:
        painter.setBrush(theme.colour("ok_dot"))
        painter.drawEllipse(dot)
    elif presence is PresenceState.AWAY:
        disc, bite = QPainterPath(), QPainterPath()
        disc.addEllipse(dot)
        bite.addEllipse(dot.translated(size * 0.38, -size * 0.22))
        painter.setBrush(theme.colour("away_dot"))
        painter.drawPath(disc.subtracted(bite))
    elif presence is PresenceState.DND:
        painter.setBrush(theme.colour("danger"))
        painter.drawEllipse(dot)
        painter.setPen(QPen(theme.colour(ground), 2, c=Qt.PenCapStyle.FlatCap))
        middle = dot.center()
        painter.drawLine(QPointF(dot.left() + 2, middle.y()), QPointF(dot.right() - 2, middle.y()))
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.colour("edge"), 2))
        painter.drawEllipse(dot.adjusted(1, 1, -1, -1))
    painter.restore()
