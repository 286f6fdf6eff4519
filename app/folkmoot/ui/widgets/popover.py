"""A popover inside the window, and a menu made of values.

The popover is a child of the window, not a window: rounded corners and shade look the same with
and without a compositor, and nothing is left behind when the window goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget

from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.surfaces import Card

_MARGIN = 8


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One act in a menu; an empty `text` is a separating line."""

    text: str
    act: Callable[[], None] = lambda: None
    icon: str = ""
    danger: bool = False


def build_menu(parent: QWidget, theme: Theme, items: Sequence[MenuItem]) -> QMenu:
    """A menu that deletes itself after use; show it with `popup(QPoint)`."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for item in items:
        if not item.text:
            menu.addSeparator()
            continue
        action = menu.addAction(item.text.replace("&", "&&"))
        if item.icon:
            action.setIcon(theme.icon(item.icon, "bad_text" if item.danger else "mute"))
        action.triggered.connect(lambda _checked=False, act=item.act: act())
    return menu


class Popover(QWidget):
    """Covers the window, shows `content` on a card near a point, closes on a click outside."""

    closed = Signal()

    def __init__(self, host: QWidget, theme: Theme, content: QWidget) -> None:
        super().__init__(host.window())
        self._theme = theme
        self._before = QApplication.focusWidget()
        self._card = Card(theme, parent=self)
        self._content = content
        layout = QVBoxLayout(self._card)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.addWidget(content)

    def open_at(self, anchor: QRect) -> None:
        """Show beside `anchor` (global coordinates): below where there is room, else above."""
        self.setGeometry(self.window().rect())
        size = self._card.sizeHint()
        top_left = self.mapFromGlobal(anchor.topLeft())
        bottom = self.mapFromGlobal(anchor.bottomLeft()).y() + 4
        y = bottom if bottom + size.height() <= self.height() - _MARGIN else -1
        if y < 0:
            y = max(_MARGIN, top_left.y() - size.height() - 4)
        x = max(_MARGIN, min(top_left.x(), self.width() - size.width() - _MARGIN))
        self._card.setGeometry(QRect(QPoint(x, y), size))
        self.raise_()
        self.show()
        self._content.setFocus(Qt.FocusReason.PopupFocusReason)

    def close_popover(self) -> None:
        """Take it away and give the focus back."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()
        self.deleteLater()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press outside the card closes."""
        if not self._card.geometry().contains(event.position().toPoint()):
            self.close_popover()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes; nothing reaches the window below."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_popover()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A soft shade around the card."""
        painter = QPainter(self)
        paint_shadow(painter, QRectF(self._card.geometry()), 12, self._theme)


def paint_shadow(painter: QPainter, box: QRectF, radius: float, theme: Theme) -> None:
    """A shade of a few pixels below and around `box`, in the theme's strength."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    rings = 8
    ink = theme.shade("scrim", 100)
    ink.setAlphaF(theme.tokens.shadow_percent / 100 / rings)
    painter.setBrush(ink)
    for ring in range(rings, 0, -1):
        grown = box.adjusted(-ring, -ring + 3, ring, ring + 3)
        painter.drawRoundedRect(grown, radius + ring, radius + ring)
    painter.restore()
