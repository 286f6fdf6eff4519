"""Calls of before: who called where, how long, and which were missed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QLocale, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.ui.call.state import RecordState
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.main.rows import write_line
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import Text


class RecordRow(KeyboardFocus, QPushButton):
    """One call; a press opens its conversation."""

    focus_radius = 7

    def __init__(self, state: RecordState, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state = state
        self.setAutoDefault(False)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(48)
        when = QDateTime.fromMSecsSinceEpoch(state.record.started_at_ms)
        self.when = QLocale().toString(when, QLocale.FormatType.ShortFormat)
        self.setAccessibleName(f"{state.title}, {state.line}, {self.when}")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Icon, place, what became of it, when."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        missed = self.state.missed
        icon = "phone-missed" if missed else "video" if self.state.record.video else "phone"
        token = "bad_text" if missed else "mute"
        picture = self.theme.pixmap(icon, token, 16, self.devicePixelRatioF())
        painter.drawPixmap(10, 16, picture)
        meta = self.theme.font(TextStyle.META)
        width = QFontMetricsF(meta).horizontalAdvance(self.when) + 1
        room = self.width() - 36 - width - 18
        strong = self.theme.font(TextStyle.STRONG)
        write_line(painter, strong, self.theme, "ink", self.state.title, QRectF(38, 5, room, 20))
        write_line(painter, meta, self.theme, token, self.state.line, QRectF(38, 25, room, 16))
        end = QRectF(self.width() - width - 8, 0, width, self.height())
        write_line(painter, meta, self.theme, "faint", self.when, end)


class HistoryDialog(Form):
    """The list."""

    opened = Signal(bytes)
    """The conversation of a call."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent, theme, parent.tr("Calls"))
        inside = QWidget()
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(4, 4, 4, 4)
        self._list.setSpacing(0)
        self._list.addStretch(1)
        self._area = QScrollArea()
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        self._area.setFixedHeight(0)
        self.words = Text("", theme, token="mute", wrap=True)
        self.body.addWidget(self.words)
        self.body.addWidget(self._area)
        self.rows: list[RecordRow] = []

    def show_records(self, records: Sequence[RecordState]) -> None:
        """Newest first."""
        if not records:
            self.words.setText(self.tr("No calls yet. The buttons over a conversation begin one."))
            self.fit()
            return
        self.words.hide()
        for state in records:
            row = RecordRow(state, self.theme)
            row.clicked.connect(lambda _=False, s=state: self._open(s))
            self.rows.append(row)
            self._list.insertWidget(self._list.count() - 1, row)
        self._area.setFixedHeight(min(8 * 48, 48 * len(records) + 8))
        self.fit()

    def _open(self, state: RecordState) -> None:
        self.accept()
        self.opened.emit(state.record.conversation)
