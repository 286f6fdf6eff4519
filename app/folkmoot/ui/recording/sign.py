"""The sign that a call is recorded: red, still, in words, at each place where a call is seen.

It never hides while somebody records: where room is short the name goes, "REC" stays.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.text import plain_tip

HEIGHT = 26
_PAD, _DOT, _GAP = 10, 8, 7
_REC = "REC"


def _rec_font() -> QFont:
    return make_font(11, QFont.Weight.Bold)


class RecordSign(QWidget):
    """A dot, "REC", and who records."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.hide()

    def show_words(self, words: str) -> None:
        """Who records; nothing where nobody does."""
        if words != self._words:
            self._words = words
            self.setAccessibleName(self.tr("Recording: {words}").format(words=words))
            self.setToolTip(plain_tip(words))
            self.updateGeometry()
            self.update()
        self.setVisible(bool(words))

    def lay_over(self, picture: QRect) -> None:
        """Stand in the upper left corner of a picture."""
        width = min(self.sizeHint().width(), picture.width() - 16)
        self.setGeometry(picture.left() + 8, picture.top() + 8, width, HEIGHT)
        self.raise_()

    def text(self) -> str:
        """The words."""
        return self._words

    def sizeHint(self) -> QSize:
        """With who records."""
        words = QFontMetricsF(self._theme.font(TextStyle.META_STRONG))
        wide = words.horizontalAdvance(self._words) + 2
        return QSize(self._least() + _GAP + round(wide), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """The dot and "REC"."""
        return QSize(self._least(), HEIGHT)

    def _least(self) -> int:
        rec = QFontMetricsF(_rec_font()).horizontalAdvance(_REC)
        return round(2 * _PAD + _DOT + _GAP + rec)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("bad_soft"))
        painter.drawRoundedRect(QRectF(self.rect()), HEIGHT / 2, HEIGHT / 2)
        paint_rec(
            painter, self._theme, QRectF(self.rect()).adjusted(_PAD, 0, -_PAD, 0), self._words
        )


class CornerSign(RecordSign):
    """The sign over a window that shows nothing but a picture; it follows the window's size."""

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(theme)
        self.setParent(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        window.installEventFilter(self)

    def show_words(self, words: str) -> None:
        """As any sign, over what was made after it."""
        super().show_words(words)
        self._follow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The window changed its size."""
        if event.type() == QEvent.Type.Resize:
            self._follow()
        return False

    def _follow(self) -> None:
        window = self.parentWidget()
        if window is not None:
            self.lay_over(window.rect().adjusted(8, 8, -8, -8))


def paint_rec(painter: QPainter, theme: Theme, box: QRectF, words: str) -> None:
    """Dot, "REC" and as much of `words` as fits, from the left, in the middle of `box`."""
    red = theme.colour("bad_text")
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(red)
    middle = box.center().y()
    painter.drawEllipse(QPointF(box.left() + _DOT / 2, middle), _DOT / 2, _DOT / 2)
    painter.setPen(red)
    painter.setFont(_rec_font())
    left = box.left() + _DOT + _GAP
    wide = QFontMetricsF(_rec_font()).horizontalAdvance(_REC)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(QRectF(left, box.top(), wide + 1, box.height()), flags, _REC)
    left += wide + _GAP
    room = box.right() - left
    font = theme.font(TextStyle.META_STRONG)
    metrics = QFontMetricsF(font)
    if not words or room < metrics.horizontalAdvance(words[:2] + "…"):
        return
    painter.setFont(font)
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room + 1)
    painter.drawText(QRectF(left, box.top(), room + 1, box.height()), flags, shown)
