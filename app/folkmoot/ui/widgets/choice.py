"""A choice of one among a few: closed it is one line, opened the list of the platform's style."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QListView, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus

_INSET = 11
_ICON = 16


class ChoiceBox(KeyboardFocus, QComboBox):
    """`name` is its accessible name. The wheel scrolls what it stands in, not the choice."""

    closed = Signal()
    """The list went, and what was chosen in it has been told."""

    def __init__(
        self, name: str, theme: Theme, *, height: int = 36, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setAccessibleName(name)
        self.setFixedHeight(height)
        self.setFont(theme.font(TextStyle.LABEL if height < 36 else TextStyle.BODY))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        rows = QListView()
        rows.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setView(rows)  # one that the style sheet can reach

    @property
    def is_open(self) -> bool:
        """Somebody reads the list: its rows must stay as they are until `closed`."""
        return self.view().isVisible()

    def hidePopup(self) -> None:
        """Qt tells the choice after this."""
        super().hidePopup()
        QTimer.singleShot(0, self, self.closed.emit)

    def sizeHint(self) -> QSize:
        """The longest choice whole, up to 320 pixels."""
        metrics = QFontMetricsF(self.font())
        words = [self.itemText(i) for i in range(self.count())]
        widest = max((metrics.horizontalAdvance(one) for one in words), default=0.0)
        return QSize(min(320, round(widest) + 2 * _INSET + _ICON + 12), self.height())

    def minimumSizeHint(self) -> QSize:
        """A choice may be cut."""
        return QSize(96, self.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Nothing changes because somebody scrolls past."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Edge, words, arrow."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.55)
        opened = self.is_open
        hot = self.isEnabled() and (self.underMouse() or opened)
        painter.setPen(QPen(self.theme.colour("accent" if opened else "edge"), 1))
        painter.setBrush(self.theme.colour("hover" if hot else "panel"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        right = self.width() - _INSET - _ICON
        arrow = self.theme.pixmap("chevron-down", "mute", _ICON, self.devicePixelRatioF())
        painter.drawPixmap(right, (self.height() - _ICON) // 2, arrow)
        painter.setFont(self.font())
        painter.setPen(self.theme.colour("ink"))
        box = QRectF(_INSET, 0, right - _INSET - 8, self.height())
        metrics = QFontMetricsF(self.font())
        words = metrics.elidedText(self.currentText(), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)
