"""Fields: one line of text, and a switch that says what it does."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QLineEdit, QSizePolicy, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus

_TRACK = QSize(34, 20)
_GAP = 12


class TextField(KeyboardFocus, QLineEdit):
    """One line of text, 40 pixels high (32 when compact); `name` is its accessible name."""

    def __init__(
        self,
        name: str,
        theme: Theme,
        *,
        placeholder: str = "",
        max_length: int = 256,
        compact: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setMaxLength(max_length)
        self.setFixedHeight(32 if compact else 40)
        self.setFont(theme.font(TextStyle.LABEL if compact else TextStyle.BODY))


class Switch(KeyboardFocus, QCheckBox):
    """On or off, with its name and, below it, what that means."""

    def __init__(
        self, name: str, meaning: str, theme: Theme, *, parent: QWidget | None = None
    ) -> None:
        super().__init__(name, parent)
        self.theme = theme
        self._meaning = meaning
        self.setAccessibleName(name)
        self.setAccessibleDescription(meaning)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def hasHeightForWidth(self) -> bool:
        """The meaning wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Name, and the lines of the meaning at `width`."""
        return max(28, 24 + self._meaning_box(width).height() if self._meaning else 28)

    def sizeHint(self) -> QSize:
        """A comfortable measure."""
        return QSize(320, self.heightForWidth(320))

    def minimumSizeHint(self) -> QSize:
        """The name on one line."""
        metrics = QFontMetrics(self.theme.font(TextStyle.BODY))
        return QSize(_TRACK.width() + _GAP + metrics.horizontalAdvance(self.text()), 28)

    def hitButton(self, pos: object) -> bool:
        """The whole control is the target, the words too."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, knob, name, meaning."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.5)
        track = QRectF(0, 4, _TRACK.width(), _TRACK.height())
        on = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.colour("accent" if on else "edge"))
        painter.drawRoundedRect(track, 10, 10)
        painter.setBrush(self.theme.colour("accent_ink" if on else "panel"))
        left = track.right() - 17 if on else track.left() + 3
        painter.drawEllipse(QRectF(left, track.top() + 3, 14, 14))
        x = _TRACK.width() + _GAP
        painter.setFont(self.theme.font(TextStyle.BODY))
        painter.setPen(self.theme.colour("ink"))
        name = QRect(x, 0, self.width() - x, 28)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._meaning:
            painter.setFont(self.theme.font(TextStyle.META))
            painter.setPen(self.theme.colour("mute"))
            flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(
                self._meaning_box(self.width()).translated(0, 25), flags, self._meaning
            )

    def _meaning_box(self, width: int) -> QRect:
        x = _TRACK.width() + _GAP
        metrics = QFontMetrics(self.theme.font(TextStyle.META))
        flags = Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        box = metrics.boundingRect(QRect(x, 0, max(width - x, 80), 400), flags, self._meaning)
        box.setWidth(max(width - x, 80))
        return box.adjusted(0, 0, 0, 2)
