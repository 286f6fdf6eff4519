"""The slider of the player: where it is, with the chapters as marks on it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QToolTip

from folkmoot.services.call_values import Chapter
from folkmoot.ui.call.state import clock_words
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import plain_tip

STEP_MS = 5_000
_INSET = 8
_TRACK = 4
_NEAR_PX = 5


class SeekBar(KeyboardFocus, QSlider):
    """Milliseconds from 0 to the length. A press anywhere goes there."""

    sought = Signal(int)
    """Somebody wants to be at this time."""

    focus_radius = 8

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.theme = theme
        self._chapters: tuple[Chapter, ...] = ()
        self._follows = False
        self.valueChanged.connect(self._changed)
        self.setSingleStep(STEP_MS)
        self.setPageStep(30_000)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(28)
        self.show_time(0)

    def show_chapters(self, chapters: tuple[Chapter, ...]) -> None:
        """The marks."""
        self._chapters = chapters
        self.update()

    def show_length(self, length_ms: int) -> None:
        """How far it goes."""
        self._follows = True
        self.setRange(0, max(0, length_ms))
        self._follows = False
        self.show_time(self.value())

    def show_time(self, at_ms: int) -> None:
        """Where it is now, unless somebody holds it."""
        if not self.isSliderDown():
            self._follows = True
            self.setValue(at_ms)
            self._follows = False
        words = self.tr("Position: {now} of {length}")
        length = clock_words(round(self.maximum() / 1000))
        self.setAccessibleName(words.format(now=clock_words(at_ms // 1000), length=length))

    def sizeHint(self) -> QSize:
        """Enough to aim at."""
        return QSize(240, 28)

    def minimumSizeHint(self) -> QSize:
        """It may get short."""
        return QSize(80, 28)

    def place_of(self, at_ms: float) -> float:
        """Where a time lies, in pixels from the left."""
        share = at_ms / self.maximum() if self.maximum() else 0.0
        return _INSET + min(1.0, share) * (self.width() - 2 * _INSET)

    def time_at(self, x: float) -> int:
        """The time at a place."""
        room = max(1, self.width() - 2 * _INSET)
        return round(max(0.0, min(1.0, (x - _INSET) / room)) * self.maximum())

    def _aim(self, x: float) -> int:
        """The time at a place; near a mark it is the mark's."""
        for chapter in self._chapters:
            if abs(self.place_of(chapter.at_s * 1000) - x) <= _NEAR_PX:
                return round(chapter.at_s * 1000)
        return self.time_at(x)

    # --- the pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold where it is pressed."""
        if event.button() == Qt.MouseButton.LeftButton and self.maximum():
            self.setSliderDown(True)
            self.setValue(self._aim(event.position().x()))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it, or say what lies under the pointer."""
        x = event.position().x()
        at_ms = self._aim(x)
        if self.isSliderDown():
            self.setValue(self.time_at(x))
        words = clock_words(at_ms // 1000)
        names = [c.text for c in self._chapters if round(c.at_s * 1000) == at_ms]
        tip = " · ".join([words, *names[:3]])
        where = self.mapToGlobal(QPoint(round(x) - 20, -44))
        QToolTip.showText(where, plain_tip(tip), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if self.isSliderDown():
            self.setSliderDown(False)
            self.update()
            self.sought.emit(self.value())

    def step(self, by_ms: int) -> None:
        """Somebody wants to be a little further, or back."""
        self.setValue(self.value() + by_ms)

    def _changed(self, at_ms: int) -> None:
        """A key or a screen reader moved it, where it does not just follow."""
        if not self._follows and not self.isSliderDown():
            self.sought.emit(at_ms)

    # --- the picture

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, what has been played, marks, handle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        middle, here = self.height() / 2, self.place_of(self.value())
        track = QRectF(_INSET, middle - _TRACK / 2, self.width() - 2 * _INSET, _TRACK)
        painter.setBrush(self.theme.colour("edge"))
        painter.drawRoundedRect(track, _TRACK / 2, _TRACK / 2)
        track.setRight(here)
        painter.setBrush(self.theme.colour("accent"))
        painter.drawRoundedRect(track, _TRACK / 2, _TRACK / 2)
        if not self.maximum():
            return
        painter.setBrush(self.theme.colour("ink"))
        for chapter in self._chapters:
            x = round(self.place_of(chapter.at_s * 1000))
            painter.drawRoundedRect(QRectF(x - 1, middle - 6, 2, 12), 1, 1)
        radius = 7.0 if self.underMouse() or self.isSliderDown() else 6.0
        painter.setBrush(self.theme.colour("accent"))
        painter.drawEllipse(QPointF(here, middle), radius, radius)
