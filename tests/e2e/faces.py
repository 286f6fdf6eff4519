"""Drawn people as the pictures of cameras, and a drawing as what one of them shares: short films
that a node sends with ``--camera file:`` or shares as a file.

Run as ``python -m e2e.faces FOLDER NAME…``, in a process of its own for its Qt application.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import av
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QGuiApplication,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 25, 4


@dataclass(frozen=True)
class Look:
    """Somebody and their room."""

    wall: str
    skin: str
    hair: str
    shirt: str
    long_hair: bool
    thing: str
    """``plant``, ``window`` or ``shelf``."""


LOOKS = {
    "Elin": Look("#c3d3cb", "#e8b998", "#4a2f23", "#2f6f5e", True, "plant"),
    "Tomas": Look("#b9c7d4", "#efc7a8", "#c79a55", "#8a4b3a", False, "shelf"),
    "Mara": Look("#d9c9ae", "#c98f6a", "#22201f", "#5a5fae", True, "window"),
    "Yuki": Look("#c9bcd1", "#8d5a3c", "#1a1716", "#b5793a", False, "plant"),
}


def draw(look: Look, second: float) -> QImage:
    """One picture; the head sways, the eyes blink once a film."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor(look.wall))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    turn = 2 * math.pi * second / SECONDS
    {"plant": _plant, "window": _window, "shelf": _shelf}[look.thing](painter)
    _person(painter, look, 14 * math.sin(turn), 5 * math.sin(2 * turn), blinks=second % 4 > 3.85)
    painter.end()
    return image


def _plant(painter: QPainter) -> None:
    painter.setBrush(QColor("#b86b4b"))
    pot = ((960, 470), (1090, 470), (1070, 620), (980, 620))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in pot]))
    for leaf in range(7):
        painter.setBrush(QColor("#3d7a58" if leaf % 2 else "#4f9069"))
        painter.save()
        painter.translate(1025, 470)
        painter.rotate((leaf - 3) * 20)
        length = 190 + 20 * math.sin(leaf)
        painter.drawEllipse(QRectF(-26, -length, 52, length))
        painter.restore()


def _window(painter: QPainter) -> None:
    painter.setBrush(QColor("#f4f1ea"))
    painter.drawRoundedRect(QRectF(120, 70, 300, 360), 10, 10)
    painter.setBrush(QColor("#bcd3de"))
    for x in (138, 276):
        for y in (88, 256):
            painter.drawRect(QRectF(x, y, 126, 156))


def _shelf(painter: QPainter) -> None:
    painter.setBrush(QColor("#7d6a58"))
    for y in (250, 430):
        painter.drawRect(QRectF(860, y, 330, 14))
    x = 880
    for wide, high, colour in ((30, 130, "#b3523f"), (24, 110, "#e0c188"), (36, 140, "#2f6f5e")):
        painter.setBrush(QColor(colour))
        painter.drawRect(QRectF(x, 250 - high, wide, high))
        x += wide + 6
    painter.setBrush(QColor("#d9d2c4"))
    painter.drawEllipse(QRectF(1060, 340, 90, 90))


def _person(painter: QPainter, look: Look, sway: float, nod: float, *, blinks: bool) -> None:
    x, y = 620 + sway, 300 + nod
    skin, hair = QColor(look.skin), QColor(look.hair)
    if look.long_hair:
        painter.setBrush(hair)
        painter.drawRoundedRect(QRectF(x - 165, y - 180, 330, 460), 150, 150)
    body = QPainterPath(QPointF(240, HEIGHT))
    body.cubicTo(260, 540, 420, 520, x - 20, 500)
    body.lineTo(x + 20, 500)
    body.cubicTo(820, 520, 980, 540, 1000, HEIGHT)
    painter.setBrush(QColor(look.shirt))
    painter.drawPath(body)
    painter.setBrush(skin.darker(112))
    painter.drawRoundedRect(QRectF(x - 55, y + 90, 110, 150), 50, 50)
    painter.setBrush(skin)
    painter.drawEllipse(QRectF(x - 125, y - 150, 250, 310))
    top = QPainterPath(QPointF(x - 138, y - 20))
    top.cubicTo(x - 150, y - 220, x + 150, y - 220, x + 138, y - 20)
    top.cubicTo(x + 110, y - 110, x + 10, y - 100, x - 40, y - 112)
    top.cubicTo(x - 90, y - 100, x - 120, y - 70, x - 138, y - 20)
    painter.setBrush(hair)
    painter.drawPath(top)
    painter.setBrush(QColor("#2a211d"))
    open_px = 2 if blinks else 22
    for side in (-1, 1):
        painter.drawEllipse(QRectF(x + side * 48 - 9, y - open_px / 2, 18, open_px))
    painter.setPen(QPen(skin.darker(140), 7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(x - 42, y + 30, 84, 56), 200 * 16, 140 * 16)
    painter.drawArc(QRectF(x - 14, y + 10, 28, 28), 210 * 16, 120 * 16)


def draw_plan(_second: float) -> QImage:
    """The lines of a hull and what is laminated where."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor("#fbfbf9"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor("#2a2927"))
    font = QFont("DejaVu Sans")
    font.setPixelSize(26)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(48, 62, "Laminate schedule, rev 12")
    painter.setPen(QPen(QColor("#5b7f73"), 2))
    for frame in range(13):  # the sections of the hull
        x, half = 90 + frame * 92, 150 * math.sin(math.pi * (frame + 1.4) / 15.5) ** 0.6
        section = QPainterPath(QPointF(x, 270 - half))
        section.cubicTo(x + 26, 270 - half / 3, x + 26, 270 + half / 3, x, 270 + half)
        painter.drawPath(section)
    painter.setPen(QPen(QColor("#2f6f5e"), 3))
    for side in (-1, 1):
        edge = QPainterPath(QPointF(52, 270))
        edge.cubicTo(260, 270 + side * 200, 860, 270 + side * 210, 1226, 270 + side * 92)
        painter.drawPath(edge)
    font.setPixelSize(19)
    font.setBold(False)
    painter.setFont(font)
    plies = ("biaxial ±45°, 600 g/m²", "unidirectional 0°, 300 g/m²", "core 15 mm", "biaxial ±45°")
    for row, ply in enumerate(plies * 2):
        left, top = 60 + row // 4 * 600, 520 + row % 4 * 48
        painter.setPen(QPen(QColor("#d8d5cd"), 1))
        painter.drawLine(left, top + 14, left + 540, top + 14)
        painter.setPen(QColor("#2a2927"))
        painter.drawText(left, top, f"{row + 1:02}   {ply}")
        painter.drawText(left + 370, top, f"frame {row} to {row + 5}")
    painter.end()
    return image


def film(draw: Callable[[float], QImage], file: Path) -> None:
    """Write a film of somebody or something."""
    with av.open(str(file), "w") as made:
        stream = made.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FPS * SECONDS):
            image = draw(number / FPS)
            pixels = np.frombuffer(image.constBits(), np.uint8).reshape(HEIGHT, WIDTH, 4)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[..., :3]), "bgr24")
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))


if __name__ == "__main__":
    application = QGuiApplication([sys.argv[0], "-platform", "offscreen"])
    for name in sys.argv[2:]:
        film(partial(draw, LOOKS[name]), Path(sys.argv[1], f"{name}.mp4"))
    film(draw_plan, Path(sys.argv[1], "plan.mp4"))
