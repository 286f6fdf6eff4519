"""Buttons: with words, and with an icon alone (which then has a name and a tool tip)."""

from __future__ import annotations

import enum

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus

MIN_HIT = 28
"""Least height and width of anything that is clicked, in pixels."""


class ButtonKind(enum.Enum):
    """How much a button asks for attention."""

    PRIMARY = "primary"
    PLAIN = "plain"
    DANGER = "danger"
    LINK = "link"


class Button(KeyboardFocus, QPushButton):
    """A button with words and maybe an icon; `height` is 28, 32 or 40 pixels."""

    def __init__(
        self,
        text: str,
        theme: Theme,
        kind: ButtonKind = ButtonKind.PLAIN,
        *,
        icon: str = "",
        height: int = 32,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.theme = theme
        self.kind = kind
        self._icon = icon
        self._height = max(height, MIN_HIT)
        self.focus_radius = 9 if height >= 40 else 8
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        if kind is ButtonKind.LINK:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_face(self, icon: str, text: str, name: str = "") -> None:
        """Change icon and words; `name` says what a press does, where the words do not."""
        self._icon = icon
        self.setText(text)
        self.setAccessibleName(name or text)
        self.updateGeometry()
        self.update()

    def set_icon(self, icon: str) -> None:
        """Change the picture."""
        self._icon = icon
        self.update()

    def sizeHint(self) -> QSize:
        """Words, icon and padding."""
        width = QFontMetricsF(self._font()).horizontalAdvance(self.text())
        width += 8 if self.kind is ButtonKind.LINK else 26
        if self._icon:
            width += 23 if self.text() else 16
        return QSize(round(width + 0.5), self._height)

    def minimumSizeHint(self) -> QSize:
        """A button is never cut."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, icon, words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = self._paint_ground(painter)
        if not self.isEnabled():
            painter.setOpacity(0.55)
        font = self._font()
        painter.setFont(font)
        text_width = QFontMetricsF(font).horizontalAdvance(self.text())
        icon_width = (23 if self.text() else 16) if self._icon else 0
        x = (self.width() - text_width - icon_width) / 2
        if self._icon:
            ratio = self.devicePixelRatioF()
            picture = self.theme.pixmap(self._icon, ink, 16, ratio)
            painter.drawPixmap(round(x), (self.height() - 16) // 2, picture)
            x += icon_width
        painter.setPen(self.theme.colour(ink))
        if self.kind is ButtonKind.LINK and self.underMouse():
            font.setUnderline(True)
            painter.setFont(font)
        box = QRectF(x, 0, text_width + 1, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text())

    def _font(self) -> QFont:
        style = TextStyle.STRONG if self._height >= 40 else TextStyle.LABEL_STRONG
        if self.kind is ButtonKind.LINK:
            style = TextStyle.META_STRONG if self._height <= MIN_HIT else TextStyle.STRONG
        return QFont(self.theme.font(style))

    def _paint_ground(self, painter: QPainter) -> str:
        """Fill the shape; return the token that is written on it."""
        if self.kind is ButtonKind.LINK:
            return "accent"
        box = QRectF(self.rect())
        ink = {"primary": "accent_ink", "danger": "danger_ink"}.get(self.kind.value, "ink")
        if self.kind is ButtonKind.PLAIN:
            box.adjust(0.5, 0.5, -0.5, -0.5)
            painter.setPen(QPen(self.theme.colour("line"), 1))
            hot = self.isEnabled() and (self.underMouse() or self.isDown())
            painter.setBrush(self.theme.colour("hover" if hot else "panel"))
        else:
            ground = "accent" if self.kind is ButtonKind.PRIMARY else "danger"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._lit(self.theme.colour(ground)))
        if not self.isEnabled():
            painter.setOpacity(0.55)
        radius = 9.0 if self._height >= 40 else 8.0
        painter.drawRoundedRect(box, radius, radius)
        return ink

    def _lit(self, colour: QColor) -> QColor:
        if not self.isEnabled() or not self.underMouse():
            return colour
        darker = 112 if self.isDown() else 106
        return colour.lighter(darker) if self.theme.is_dark else colour.darker(darker)


class IconButton(KeyboardFocus, QPushButton):
    """A square button with an icon; `name` is its accessible name and its tool tip.

    Checked, it has a pressed look: what it stands for is on.
    """

    def __init__(
        self,
        icon: str,
        name: str,
        theme: Theme,
        *,
        side: int = 32,
        icon_size: int = 16,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self._icon = icon
        self._icon_size = icon_size
        self._side = max(side, MIN_HIT)
        self.token = "mute"
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedSize(self._side, self._side)
        self.set_name(name)

    def set_name(self, name: str) -> None:
        """Change what the button says it does."""
        self.setAccessibleName(name)
        self.setToolTip(name)

    def set_icon(self, icon: str, token: str = "mute") -> None:
        """Change the picture."""
        self._icon = icon
        self.token = token
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Repaint with the hover ground."""
        super().enterEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground while hovered, pressed or checked; then the icon."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        token = self.token
        if self.isChecked() or self.isDown() or (self.underMouse() and self.isEnabled()):
            pressed = self.isChecked() or self.isDown()
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("accent_soft" if pressed else "hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
            token = "ink" if token == "mute" else token
        if not self.isEnabled():
            painter.setOpacity(0.45)
        picture = self.theme.pixmap(self._icon, token, self._icon_size, self.devicePixelRatioF())
        inset = (self._side - self._icon_size) // 2
        painter.drawPixmap(inset, inset, picture)
