"""Draws the icon of Folkmoot in all sizes: PNG for Linux, `.ico` for Windows, `.icns` for macOS.

    make_icons.py FOLDER

writes FOLDER/folkmoot-16.png … folkmoot-1024.png, FOLDER/folkmoot.ico and FOLDER/folkmoot.icns.
There is one mark, `resources/app/folkmoot.svg`. Up to 24 pixels its edges fall between pixels, so
there it is drawn from `folkmoot-small.svg` beside it, the same mark on a grid of 16. Needs PySide6
and no display; the same Qt writes the same bytes.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QByteArray, QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

MARKS = Path(__file__).resolve().parents[2] / "resources/app"
LARGE = MARKS / "folkmoot.svg"
SMALL = MARKS / "folkmoot-small.svg"
SMALL_UP_TO = 24
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512, 1024)
HICOLOR_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 256)
_ICO_PNG_FROM = 256
"""Windows reads PNG at every size, some makers of installers only at this one."""
_ICNS = (
    *((b"ic07", 128), (b"ic08", 256), (b"ic09", 512), (b"ic10", 1024)),
    *((b"ic11", 32), (b"ic12", 64), (b"ic13", 256), (b"ic14", 512)),
)
"""Type and size in pixels of what is kept as PNG; ic11 to ic14 and ic10 are for dense displays."""
_ICNS_ARGB = ((b"ic04", 16), (b"ic05", 32))


def draw(size: int) -> QImage:
    """The icon, `size` pixels square, with alpha. A QGuiApplication must be there."""
    renderer = QSvgRenderer(str(SMALL if size <= SMALL_UP_TO else LARGE))
    if not renderer.isValid():
        raise SystemExit("The icon cannot be read as SVG.")
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image.convertToFormat(QImage.Format.Format_ARGB32)


def as_png(image: QImage) -> bytes:
    """The image as a PNG file."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def _pixels(image: QImage) -> bytes:
    """Blue, green, red, alpha of each pixel, from the top left."""
    little = image.convertToFormat(QImage.Format.Format_RGBA8888).rgbSwapped()
    return bytes(little.constBits())


def as_ico(images: list[QImage]) -> bytes:
    """A Windows icon; https://learn.microsoft.com/previous-versions/ms997538(v=msdn.10)."""
    parts = [_ico_part(image) for image in images]
    offset = 6 + 16 * len(parts)
    head = struct.pack("<HHH", 0, 1, len(parts))
    for image, part in zip(images, parts, strict=True):
        # 256 is written as 0.
        side = image.width() % 256
        head += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(part), offset)
        offset += len(part)
    return head + b"".join(parts)


def _ico_part(image: QImage) -> bytes:
    """A PNG, or a bitmap from the bottom up with an empty mask behind it (alpha is what counts)."""
    side = image.width()
    if side >= _ICO_PNG_FROM:
        return as_png(image)
    pixels = _pixels(image)
    row = side * 4
    rows = [pixels[start : start + row] for start in range(0, len(pixels), row)]
    mask = bytes((side + 31) // 32 * 4 * side)
    head = struct.pack("<IiiHHIIiiII", 40, side, side * 2, 1, 32, 0, row * side, 0, 0, 0, 0)
    return head + b"".join(reversed(rows)) + mask


def as_icns(images: dict[int, QImage]) -> bytes:
    """A macOS icon: parts of four letters of type and the length, all of it behind “icns”."""
    parts = [(kind, _argb(images[size])) for kind, size in _ICNS_ARGB]
    parts += [(kind, as_png(images[size])) for kind, size in _ICNS]
    body = b"".join(kind + struct.pack(">I", 8 + len(data)) + data for kind, data in parts)
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def _argb(image: QImage) -> bytes:
    """The four channels one after the other, in runs: a byte n below 128, then n + 1 bytes."""
    pixels = _pixels(image)
    data = b"ARGB"
    for channel in (3, 2, 1, 0):
        values = pixels[channel::4]
        for start in range(0, len(values), 128):
            run = values[start : start + 128]
            data += bytes([len(run) - 1]) + run
    return data


def make(folder: Path) -> None:
    """Write all files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {size: draw(size) for size in SIZES}
    for size, image in images.items():
        (folder / f"folkmoot-{size}.png").write_bytes(as_png(image))
    (folder / "folkmoot.ico").write_bytes(as_ico([images[size] for size in ICO_SIZES]))
    (folder / "folkmoot.icns").write_bytes(as_icns(images))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: make_icons.py FOLDER")
    application = QGuiApplication(["make_icons"])
    make(Path(sys.argv[1]))
