"""The focus ring: 2 px of accent with a 1 px gap, shown only to who uses the keyboard.

A ring is a sibling laid over the control, so it needs no room inside it and moves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from folkmoot.ui.theme.theme import Theme

KEYBOARD_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_REACH = 3
"""Pixels that the ring takes outside the control: the gap and the line."""

if TYPE_CHECKING:
    _Base = QWidget
else:
    _Base = object


class FocusRing(QWidget):
    """The ring around one control; follows its place and hides with it."""

    def __init__(self, control: QWidget, theme: Theme, radius: float = 8) -> None:
        super().__init__(control.parentWidget())
        self._control = control
        self._theme = theme
        self._radius = radius
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        control.installEventFilter(self)
        self._follow()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the control's geometry."""
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize):
            self._follow()
        elif event.type() == QEvent.Type.Hide:
            self.hide()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.drawRoundedRect(box, self._radius + 2, self._radius + 2)

    def _follow(self) -> None:
        self.setGeometry(self._control.geometry().adjusted(-_REACH, -_REACH, _REACH, _REACH))
        self.raise_()


class KeyboardFocus(_Base):
    """Mixed into a control (before its Qt class): shows the ring after keyboard focus."""

    theme: Theme
    focus_radius: float = 8
    _ring: FocusRing | None = None

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring when the keyboard brought the focus."""
        super().focusInEvent(event)
        if event.reason() in KEYBOARD_REASONS and self.parentWidget() is not None:
            self.drop_ring()
            self._ring = FocusRing(self, self.theme, self.focus_radius)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        super().focusOutEvent(event)
        self.drop_ring()

    def drop_ring(self) -> None:
        """Remove the ring, if there is one."""
        if self._ring is not None:
            self.removeEventFilter(self._ring)
            self._ring.hide()
            self._ring.deleteLater()
            self._ring = None
