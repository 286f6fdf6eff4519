"""The chapters beside the player: what happened when; a press goes there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from folkmoot.services.call_values import Chapter
from folkmoot.ui.call.state import clock_words
from folkmoot.ui.main.rows import write_line
from folkmoot.ui.recording.state import CHAPTER_ICONS, kind_words
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import IconButton
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import SectionHeader, plain_tip

_HEIGHT = 34


class ChapterRow(KeyboardFocus, QPushButton):
    """One chapter."""

    step_wanted = Signal(int)
    """Up (-1) or Down (1) was pressed."""

    focus_radius = 7

    def __init__(self, chapter: Chapter, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.chapter = chapter
        self.is_current = False
        self.setAutoDefault(False)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.time = clock_words(int(chapter.at_s))
        self.setAccessibleName(f"{self.time}, {kind_words(chapter.kind)}: {chapter.text}")
        self.setToolTip(plain_tip(chapter.text))
        self.message: IconButton | None = None
        if chapter.kind == "chat":
            line = QHBoxLayout(self)
            line.setContentsMargins(0, 0, 4, 0)
            line.addStretch(1)
            name = self.tr("Show this message in its conversation")
            self.message = IconButton("message-square-reply", name, theme, side=28)
            self.message.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            line.addWidget(self.message)

    def show_current(self, on: bool) -> None:
        """Whether it is the one that plays."""
        if on != self.is_current:
            self.is_current = on
            self.setAccessibleDescription(self.tr("plays now") if on else "")
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return goes there, Up and Down walk; Space is the player's, as everywhere in it."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif step is not None:
            self.step_wanted.emit(step)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, icon, time, words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self.theme
        if self.is_current or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour("accent_soft" if self.is_current else "hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        icon = CHAPTER_ICONS.get(self.chapter.kind, "info")
        token = "accent" if self.is_current else "mute"
        picture = theme.pixmap(icon, token, 16, self.devicePixelRatioF())
        painter.drawPixmap(10, (_HEIGHT - 16) // 2, picture)
        meta = theme.font(TextStyle.META)
        wide = max(QFontMetricsF(meta).horizontalAdvance(t) for t in (self.time, "00:00")) + 10
        write_line(painter, meta, theme, "mute", self.time, QRectF(36, 0, wide, _HEIGHT))
        left = 36 + wide
        room = self.width() - left - (36 if self.message is not None else 8)
        font = theme.font(TextStyle.LABEL_STRONG if self.is_current else TextStyle.LABEL)
        write_line(painter, font, theme, "ink", self.chapter.text, QRectF(left, 0, room, _HEIGHT))


class ChapterList(QWidget):
    """All of a recording."""

    chosen = Signal(float)
    """Seconds from the start."""
    message_wanted = Signal(float, str)
    """Seconds from the start, and the words of the chapter."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[ChapterRow] = []
        self.setAccessibleName(self.tr("Chapters"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        heading = SectionHeader(self.tr("Chapters"), theme)
        heading.setContentsMargins(10, 2, 0, 2)
        column.addWidget(heading)
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(3, 3, 3, 8)
        self._list.setSpacing(1)
        self._list.addStretch(1)
        self._area = area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        column.addWidget(area, 1)

    def show_chapters(self, chapters: Sequence[Chapter]) -> None:
        """Those of another recording."""
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self.rows = []
        for chapter in chapters:
            row = ChapterRow(chapter, self._theme)
            row.clicked.connect(lambda _=False, at=chapter.at_s: self.chosen.emit(at))
            row.step_wanted.connect(lambda step, row=row: self._step(row, step))
            if row.message is not None:
                row.message.clicked.connect(
                    lambda _=False, one=chapter: self.message_wanted.emit(one.at_s, one.text)
                )
            self._list.insertWidget(self._list.count() - 1, row)
            self.rows.append(row)

    def show_current(self, place: int | None) -> None:
        """Which one plays; it is brought into sight when it becomes another."""
        for number, row in enumerate(self.rows):
            was = row.is_current
            row.show_current(number == place)
            if row.is_current and not was:
                self._area.ensureWidgetVisible(row, 0, 40)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The one that plays stays in sight."""
        super().resizeEvent(event)
        current = next((row for row in self.rows if row.is_current), None)
        if current is not None:
            self._area.ensureWidgetVisible(current, 0, 40)

    def _step(self, row: ChapterRow, step: int) -> None:
        at = self.rows.index(row) + step
        target = self.rows[max(0, min(len(self.rows) - 1, at))]
        target.setFocus(Qt.FocusReason.TabFocusReason)
        self._area.ensureWidgetVisible(target)
