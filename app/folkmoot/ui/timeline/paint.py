"""Painting one row: the parts its layout found, its text, selection and hover."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFontMetricsF,
    QPainter,
    QPalette,
    QPen,
    QTextCharFormat,
    QTextCursor,
)

from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.callcard import CallCard, paint_card
from folkmoot.ui.timeline.layout import CONTENT_WIDTH, Face, Glyph, Mode, Plate, Row, Rule, Words

_MIDDLE = Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter


class RowPainter:
    """Draws rows with one theme; keeps the paint context between frames."""

    def __init__(self, theme: Theme, mode: Mode) -> None:
        self._theme = theme
        self._pad = 16 if mode is Mode.THREAD else 20
        self._metrics: dict[TextStyle, QFontMetricsF] = {}
        self._context = QAbstractTextDocumentLayout.PaintContext()
        self.refresh()

    def refresh(self) -> None:
        """Take the theme's colours again."""
        palette = QPalette()
        palette.setColor(QPalette.ColorRole.Text, self._theme.colour("ink"))
        self._context.palette = palette
        self._chosen = QTextCharFormat()
        self._chosen.setBackground(self._theme.colour("selection"))
        self._chosen.setForeground(self._theme.colour("ink"))

    def paint(
        self,
        painter: QPainter,
        row: Row,
        top: float,
        *,
        hovered: bool = False,
        focused: bool = False,
        flashed: bool = False,
        on_call: bool = False,
        selection: tuple[int, int] | None = None,
        ratio: float = 1.0,
    ) -> None:
        """Draw `row` with its upper edge at `top`; `selection` is a range of document positions.

        `on_call`: the pointer is on the button of its call.
        """
        painter.save()
        painter.translate(0, top)
        band = QRectF(0, row.band_top, row.width, row.height - row.band_top)
        if flashed:
            painter.fillRect(band, self._theme.colour("accent_soft"))
        elif hovered:
            painter.fillRect(band, self._theme.colour("hover"))
        if row.body is not None:
            self._body(painter, row, selection, hovered=hovered)
        for part in row.parts:
            if isinstance(part, Words):
                self._words(painter, part)
            elif isinstance(part, Plate):
                self._plate(painter, part)
            elif isinstance(part, Face):
                paint_avatar(painter, part.box, part.name, part.key)
            elif isinstance(part, CallCard):
                paint_card(painter, part, self._theme, ratio, hot=on_call)
            elif isinstance(part, Rule):
                self._rule(painter, part, row.width)
            elif hovered or not part.only_hovered:
                self._glyph(painter, part, ratio)
        if focused:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(band.adjusted(4, 1, -4, -1), 7, 7)
        painter.restore()

    def _body(
        self, painter: QPainter, row: Row, selection: tuple[int, int] | None, *, hovered: bool
    ) -> None:
        body, theme = row.body, self._theme
        assert body is not None
        painter.save()
        painter.translate(row.body_at)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for code in body.code_blocks:
            painter.setPen(QPen(theme.colour("line"), 1))
            painter.setBrush(theme.colour("code"))
            painter.drawRoundedRect(code.box, 8, 8)
            if code.language and not hovered:
                painter.setFont(theme.font(TextStyle.META))
                painter.setPen(theme.colour("faint"))
                box = QRectF(code.box.left(), code.box.top() + 8, code.box.width() - 10, 18)
                painter.drawText(box, _MIDDLE | Qt.AlignmentFlag.AlignRight, code.language)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("line" if hovered else "code"))
        for box in body.inline_code:
            painter.drawRoundedRect(box, 4, 4)
        for box in body.quotes:
            painter.fillRect(box, theme.shade("edge", 60))
        painter.setPen(theme.colour("ink"))  # Qt draws the marks of tasks with what it finds
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._context.selections = self._selections(row, selection)
        body.document.documentLayout().draw(painter, self._context)
        painter.restore()

    def _selections(
        self, row: Row, selection: tuple[int, int] | None
    ) -> list[QAbstractTextDocumentLayout.Selection]:
        if selection is None or row.body is None:
            return []
        cursor = QTextCursor(row.body.document)
        end = row.body.document.characterCount() - 1
        cursor.setPosition(min(selection[0], end))
        cursor.setPosition(min(selection[1], end), QTextCursor.MoveMode.KeepAnchor)
        chosen = QAbstractTextDocumentLayout.Selection()
        chosen.cursor = cursor
        chosen.format = self._chosen
        return [chosen]

    def _words(self, painter: QPainter, part: Words) -> None:
        text = part.text
        metrics = self._metrics.get(part.style)
        if metrics is None:
            metrics = self._metrics[part.style] = QFontMetricsF(self._theme.font(part.style))
        if metrics.horizontalAdvance(text) > part.box.width() + 1:
            text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, part.box.width())
        painter.setFont(self._theme.font(part.style))
        painter.setPen(self._theme.colour(part.token))
        # One base line for all sizes in a line of 20 pixels, as in running text.
        painter.drawText(QPointF(part.box.left(), part.box.top() + 15), text)

    def _plate(self, painter: QPainter, part: Plate) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = QPen(self._theme.colour(part.edge), 1) if part.edge else Qt.PenStyle.NoPen
        painter.setPen(edge)
        ground = self._theme.colour(part.ground) if part.ground else Qt.BrushStyle.NoBrush
        painter.setBrush(ground)
        painter.drawRoundedRect(part.box, part.radius, part.radius)
        painter.setFont(self._theme.font(TextStyle.META))
        painter.setPen(self._theme.colour(part.token))
        painter.drawText(part.box, _CENTRE | Qt.TextFlag.TextSingleLine, part.text)

    def _rule(self, painter: QPainter, part: Rule, width: int) -> None:
        left = self._pad
        right = min(width, CONTENT_WIDTH + 2 * self._pad) - self._pad
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        style = TextStyle.META if part.words_first else TextStyle.META_STRONG
        font = self._theme.font(style)
        wide = QFontMetricsF(font).horizontalAdvance(part.text)
        start = left if part.words_first else (left + right - wide) / 2
        y = round(part.y + 17)
        share = 45 if part.line_token == "bad_text" else 100
        ink = self._theme.shade(part.line_token, share)
        if not part.words_first:
            painter.fillRect(QRectF(left, y, start - 12 - left, 1), ink)
        painter.fillRect(QRectF(start + wide + 12, y, right - start - wide - 12, 1), ink)
        painter.setFont(font)
        painter.setPen(self._theme.colour(part.token))
        box = QRectF(start, part.y + 9, wide + 2, 16)
        painter.drawText(box, _MIDDLE, part.text)

    def _glyph(self, painter: QPainter, part: Glyph, ratio: float) -> None:
        picture = self._theme.pixmap(part.icon, part.token, part.size, ratio)
        painter.drawPixmap(part.x, part.y, picture)
