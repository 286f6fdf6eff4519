"""Words on a ground: labels that are always plain text, in a text style and a token."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme


def plain_tip(text: str) -> str:
    """`text` for a tool tip, which Qt would read as HTML if it began to look like it.

    A word joiner (no width) after each "<" keeps Qt's guess at "plain".
    """
    return text.replace("<", "<\u2060")


class Text(QLabel):
    """A label that never reads markup, whoever wrote its words."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        style: TextStyle = TextStyle.BODY,
        token: str = "ink",
        *,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._token = token
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(style))
        self.setWordWrap(wrap)
        self.setText(text)
        self._colour()
        theme.changed.connect(self._colour)

    def set_token(self, token: str) -> None:
        """Change the colour."""
        self._token = token
        self._colour()

    def _colour(self) -> None:
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.WindowText, self._theme.colour(self._token))
        self.setPalette(palette)


class ElidedText(Text):
    """One line that ends in … where it does not fit; the whole is in the tool tip."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        style: TextStyle = TextStyle.BODY,
        token: str = "ink",
        *,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, theme, style, token, parent=parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """It may shrink to a letter or two."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        metrics, box = QFontMetrics(self.font()), self.contentsRect()
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, box.width())
        self.setToolTip(plain_tip(self.text()) if shown != self.text() else "")
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)


class SectionHeader(Text):
    """The quiet heading of a list ("Channels")."""

    def __init__(self, text: str, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(text, theme, TextStyle.META_STRONG, "faint", parent=parent)
