"""The line that says how far a check has come. It reserves its place, so nothing moves."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QProgressBar

from folkmoot.ui.theme.theme import Theme

CHECK_S = 15
_STEP_MS = 100
_STILL_STEP_MS = 1000


class CheckProgress(QProgressBar):
    """Fills while a check runs, 15 seconds at most; empty while none does."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._clock = QElapsedTimer()
        self._tick = QTimer(self)
        self._tick.timeout.connect(self._show_time)
        self.setRange(0, CHECK_S * 1000)
        self.setTextVisible(False)
        self.setFixedHeight(3)
        self.setAccessibleName(self.tr("Progress of the check"))

    @property
    def runs(self) -> bool:
        """Whether a check is on its way."""
        return self._tick.isActive()

    def begin(self) -> None:
        """A check began."""
        self._clock.start()
        self._tick.start(_STILL_STEP_MS if self._theme.reduce_motion else _STEP_MS)
        self._show_time()

    def end(self) -> None:
        """It ended, one way or another."""
        self._tick.stop()
        self.setValue(0)

    def _show_time(self) -> None:
        self.setValue(min(self._clock.elapsed(), self.maximum()))

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line, and how much of it is done."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if not self.runs:
            return
        box = QRectF(self.rect())
        painter.setBrush(self._theme.colour("line"))
        painter.drawRoundedRect(box, 1.5, 1.5)
        box.setWidth(max(3.0, box.width() * self.value() / self.maximum()))
        painter.setBrush(self._theme.colour("accent"))
        painter.drawRoundedRect(box, 1.5, 1.5)
