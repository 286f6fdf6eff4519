"""Surfaces: cards, count badges, pills, banners, toasts and designed empty states."""

from __future__ import annotations

import enum

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.text import Text


class Card(QWidget):
    """A rounded surface; put a layout on it. `ground` and `edge` are tokens ("" for no edge)."""

    def __init__(
        self,
        theme: Theme,
        *,
        ground: str = "panel",
        edge: str = "line",
        radius: float = 12,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._ground = ground
        self._edge = edge
        self._radius = radius

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the surface."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        if self._edge:
            painter.setPen(QPen(self._theme.colour(self._edge), 1))
            box.adjust(0.5, 0.5, -0.5, -0.5)
        painter.setBrush(self._theme.colour(self._ground))
        painter.drawRoundedRect(box, self._radius, self._radius)


class Badge(QWidget):
    """A count on accent; hidden at nought, "99+" above 99."""

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_count(0)

    def set_count(self, count: int) -> None:
        """Show `count`."""
        self._text = "99+" if count > 99 else str(count)
        self.setAccessibleName(self.tr("%n unread", "", count))
        self.setVisible(count > 0)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """A circle for one digit, wider for more."""
        metrics = QFontMetricsF(self._theme.font(TextStyle.BADGE))
        return QSize(max(18, round(metrics.horizontalAdvance(self._text)) + 10), 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the count."""
        painter = QPainter(self)
        paint_badge(painter, QRectF(self.rect()), self._text, self._theme)


def paint_badge(painter: QPainter, box: QRectF, text: str, theme: Theme) -> None:
    """Draw a count into `box` (also for painted rows that have no widget)."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour("accent"))
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    painter.setFont(theme.font(TextStyle.BADGE))
    painter.setPen(theme.colour("accent_ink"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


class Pill(QWidget):
    """A short word on a ground ("owner", "arrived late"); tokens for ground and text."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        *,
        ground: str = "accent_soft",
        token: str = "ink",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = text
        self._ground = ground
        self._token = token
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """The word and its padding."""
        metrics = QFontMetricsF(self._theme.font(TextStyle.META))
        return QSize(round(metrics.horizontalAdvance(self._text)) + 14, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._ground))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        painter.setFont(self._theme.font(TextStyle.META))
        painter.setPen(self._theme.colour(self._token))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class IconLabel(QLabel):
    """An icon that is not clicked; it has no name of its own, words stand next to it."""

    def __init__(
        self,
        icon: str,
        theme: Theme,
        *,
        token: str = "mute",
        size: int = 16,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._token = token
        self._size = size
        self.setFixedSize(size, size)
        self.set_icon(icon, token)
        theme.changed.connect(self._redraw)

    def _redraw(self) -> None:
        self.set_icon(self._icon, self._token)

    def set_icon(self, icon: str, token: str) -> None:
        """Change the picture and its colour."""
        self._icon, self._token = icon, token
        picture: QPixmap = self._theme.pixmap(icon, token, self._size, self.devicePixelRatioF())
        self.setPixmap(picture)


class Tone(enum.Enum):
    """What a banner means: an icon and a token, since colour alone says nothing."""

    INFO = ("info", "accent")
    GOOD = ("circle-check", "ok_text")
    WARNING = ("triangle-alert", "away_text")
    BAD = ("circle-alert", "bad_text")


class Banner(Card):
    """A line that says what is the matter and what to do, with at most one act."""

    acted = Signal()
    closed = Signal()

    def __init__(
        self,
        text: str,
        theme: Theme,
        tone: Tone = Tone.INFO,
        *,
        act: str = "",
        closable: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, ground="hover", edge="line", radius=10, parent=parent)
        icon, token = tone.value
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10)
        row.addWidget(IconLabel(icon, theme, token=token), 0, Qt.AlignmentFlag.AlignVCenter)
        self._words = Text(text, theme, TextStyle.LABEL, wrap=True)
        row.addWidget(self._words, 1)
        if act:
            button = Button(act, theme, ButtonKind.PLAIN, height=28)
            button.clicked.connect(self.acted)
            row.addWidget(button)
        if closable:
            close = IconButton("x", self.tr("Close this note"), theme, side=28)
            close.clicked.connect(self._close)
            row.addWidget(close)
        self.setAccessibleName(text)

    def set_text(self, text: str) -> None:
        """Change the words."""
        self._words.setText(text)
        self.setAccessibleName(text)

    def _close(self) -> None:
        self.hide()
        self.closed.emit()


class Toast(Banner):
    """A banner over the lower edge of `host` that leaves by itself."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        host: QWidget,
        tone: Tone = Tone.INFO,
        *,
        act: str = "",
        stay_ms: int = 6000,
    ) -> None:
        super().__init__(text, theme, tone, act=act, parent=host)
        width = min(440, host.width() - 32)
        self.setFixedWidth(width)
        layout = self.layout()
        height = layout.heightForWidth(width) if layout is not None else 44
        self.resize(width, max(height, 44))
        self.move((host.width() - width) // 2, host.height() - self.height() - 24)
        self.acted.connect(self._leave)
        self.closed.connect(self.deleteLater)
        self.raise_()
        self.show()
        QTimer.singleShot(stay_ms, self, self._leave)

    def _leave(self) -> None:
        self.hide()
        self.deleteLater()


_WIDEST_TITLE = 330
_WIDEST_SENTENCE = 320
"""Both fit the narrowest window."""


class EmptyState(QWidget):
    """What stands where nothing is yet: a picture, one sentence, one act."""

    acted = Signal()

    def __init__(
        self,
        icon: str,
        title: str,
        sentence: str,
        theme: Theme,
        *,
        act: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        centre = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(6)
        column.addStretch(1)
        plate = Card(theme, ground="accent_soft", edge="", radius=16)
        plate.setFixedSize(56, 56)
        inner = QVBoxLayout(plate)
        inner.addWidget(IconLabel(icon, theme, token="accent", size=24), 0, centre)
        column.addWidget(plate, 0, centre)
        column.addSpacing(8)
        heading = Text(title, theme, TextStyle.TITLE, wrap=True)
        words = Text(sentence, theme, TextStyle.BODY, "mute", wrap=True)
        for text, widest in ((heading, _WIDEST_TITLE), (words, _WIDEST_SENTENCE)):
            text.setAlignment(centre)
            metrics = text.fontMetrics()
            width = min(widest, metrics.horizontalAdvance(text.text()) + 2 * metrics.maxWidth())
            text.setFixedWidth(width)
            text.setFixedHeight(text.heightForWidth(width))
            column.addWidget(text, 0, centre)
        if act:
            column.addSpacing(10)
            button = Button(act, theme, ButtonKind.PRIMARY)
            button.clicked.connect(self.acted)
            column.addWidget(button, 0, centre)
        column.addStretch(2)
        self.setAccessibleName(f"{title}. {sentence}")
