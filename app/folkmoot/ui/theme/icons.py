"""Lucide icons from the resources, drawn in a colour, a size and a device pixel ratio; our own.

Only bundled files are read; a picture from a peer never comes here (an SVG can load local files).
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from folkmoot.resources import resource_path

STROKE = 1.75
"""Width of a line on lucide's grid of 24."""
_CACHE_LIMIT = 512


_APP_SIZES = (16, 24, 32, 48, 64, 128, 256)
_SMALL_UP_TO = 24
"""Up to this the edges of the large mark fall between pixels; packaging/icons does the same."""


def app_icon() -> QIcon:
    """The program's own icon, for title bars and the task bar."""
    large = resource_path("app/folkmoot.svg").read_bytes()
    small = resource_path("app/folkmoot-small.svg").read_bytes()
    icon = QIcon()
    for side in _APP_SIZES:
        icon.addPixmap(_render(small if side <= _SMALL_UP_TO else large, side))
    return icon


def _render(source: bytes, side: int) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(source))
    picture = QPixmap(side, side)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return picture


class IconCache:
    """Pictures already drawn; emptied when it holds too many (a theme switch, a new scale)."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, int, float], QPixmap] = {}
        self._sources: dict[str, str] = {}

    def pixmap(self, name: str, colour: str, size: int, ratio: float) -> QPixmap:
        """The icon on `size` x `size` logical pixels. FileNotFoundError: no such icon ships."""
        key = (name, colour, size, ratio)
        found = self._drawn.get(key)
        if found is None:
            if len(self._drawn) >= _CACHE_LIMIT:
                self._drawn.clear()
            found = self._drawn[key] = self._draw(name, colour, size, ratio)
        return found

    def read_all(self) -> None:
        """Read every icon that ships now, so that drawing one later opens no file."""
        for path in resource_path("icons").glob("*.svg"):
            self._source(path.stem)

    def _source(self, name: str) -> str:
        source = self._sources.get(name)
        if source is None:
            source = resource_path(f"icons/{name}.svg").read_text(encoding="utf-8")
            source = source.replace('stroke-width="2"', f'stroke-width="{STROKE}"')
            self._sources[name] = source
        return source

    def _draw(self, name: str, colour: str, size: int, ratio: float) -> QPixmap:
        source = self._source(name).replace("currentColor", colour)
        picture = _render(source.encode(), round(size * ratio))
        picture.setDevicePixelRatio(ratio)
        return picture
