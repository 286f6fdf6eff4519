"""The figures of a call over time: small plots painted by ourselves, and the same as a table."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from folkmoot.services.call_values import PeerStats
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.text import Text

SECONDS = 120
_LINES = ("accent", "away_dot", "code_word", "code_number", "ok_dot", "bad_text")


class History:
    """The last two minutes of each connection, one step a second."""

    def __init__(self) -> None:
        self.rows: dict[bytes, deque[PeerStats]] = {}

    def take(self, rows: Sequence[PeerStats]) -> None:
        """One second more; a connection that is gone is forgotten."""
        there = {bytes(row.device) for row in rows}
        for gone in [device for device in self.rows if device not in there]:
            del self.rows[gone]
        for row in rows:
            self.rows.setdefault(bytes(row.device), deque(maxlen=SECONDS)).append(row)

    def steps(self) -> int:
        """How many seconds the longest one has."""
        return max((len(row) for row in self.rows.values()), default=0)


class Plot(QWidget):
    """One figure over time, a line for each connection; the newest value in words."""

    def __init__(self, title: str, theme: Theme, least: float) -> None:
        super().__init__()
        self._theme = theme
        self._title = title
        self._least = least
        self._lines: list[list[float]] = []
        self._now = ""
        self._top = ""
        self.setFixedHeight(98)

    def show_lines(self, lines: list[list[float]], now: str, top: Callable[[float], str]) -> None:
        """Values from old to new, the newest in words, and how the top of the scale reads."""
        self._lines = lines
        self._now = now
        self._top = top(self._scale())
        self.setAccessibleName(f"{self._title}: {now}")
        self.update()

    def _scale(self) -> float:
        return max(self._least, max((max(line, default=0) for line in self._lines), default=0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Title, value, ground, lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme.font(TextStyle.META_STRONG))
        painter.setPen(self._theme.colour("mute"))
        head = QRectF(0, 0, self.width(), 18)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter, self._title)
        painter.setFont(self._theme.font(TextStyle.META))
        painter.setPen(self._theme.colour("ink"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(head, right, self._now)
        box = QRectF(0, 22, self.width(), 70)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("code"))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(self._theme.colour("faint"))
        painter.drawText(box.adjusted(6, 3, -6, 0), Qt.AlignmentFlag.AlignTop, self._top)
        inner = box.adjusted(4, 22, -4, -4)
        scale = self._scale() or 1
        for number, line in enumerate(self._lines):
            colour = self._theme.colour(_LINES[number % len(_LINES)])
            self._paint_line(painter, inner, [value / scale for value in line], colour)

    def _paint_line(
        self, painter: QPainter, box: QRectF, shares: list[float], colour: QColor
    ) -> None:
        step = box.width() / (SECONDS - 1)
        left = box.right() - step * (len(shares) - 1)
        points = [
            QPointF(left + step * i, box.bottom() - share * box.height())
            for i, share in enumerate(shares)
        ]
        painter.setPen(QPen(colour, 1.5))
        if len(points) > 1:
            painter.drawPolyline(QPolygonF(points))
        elif points:
            painter.drawPoint(points[0])


class StatsPage(QWidget):
    """Five plots and a table, with a button that copies the table."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(8)
        inside = QWidget()
        inner = QVBoxLayout(inside)
        inner.setContentsMargins(14, 0, 14, 0)
        inner.setSpacing(6)
        self.rate = Plot(self.tr("Received"), theme, 100_000)
        self.loss = Plot(self.tr("Lost"), theme, 0.02)
        self.rtt = Plot(self.tr("Round trip"), theme, 20)
        self.frames = Plot(self.tr("Pictures a second"), theme, 30)
        self.freezes = Plot(self.tr("Freezes"), theme, 2)
        for plot in (self.rate, self.loss, self.rtt, self.frames, self.freezes):
            inner.addWidget(plot)
        self.table = Text("", theme, TextStyle.CODE, "mute", wrap=True)
        self.table.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        inner.addWidget(self.table)
        inner.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        area.viewport().setAutoFillBackground(False)
        inside.setAutoFillBackground(False)
        column.addWidget(area, 1)
        self.copy = Button(self.tr("Copy the table"), theme, icon="copy", height=36)
        self.copy.clicked.connect(self._copy)
        column.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_history(self, history: History, names: Mapping[bytes, str]) -> None:
        """Everything up to now."""
        rows = list(history.rows.values())
        last = [row[-1] for row in rows if row]

        def lines(value: Callable[[PeerStats], float]) -> list[list[float]]:
            return [[value(step) for step in row] for row in rows]

        total = sum(s.audio_in_bps + s.video_in_bps for s in last)
        self.rate.show_lines(
            lines(lambda s: float(s.audio_in_bps + s.video_in_bps)), rate_words(total), rate_words
        )
        loss = max((s.loss_in for s in last), default=0.0)
        self.loss.show_lines(lines(lambda s: s.loss_in), percent_words(loss), percent_words)
        rtts = [s.rtt_ms for s in last if s.rtt_ms is not None]
        self.rtt.show_lines(
            lines(lambda s: s.rtt_ms or 0.0), ms_words(max(rtts)) if rtts else "–", ms_words
        )
        fps = min((s.fps_in for s in last if s.fps_in), default=0.0)
        self.frames.show_lines(lines(lambda s: s.fps_in), f"{fps:.0f}", lambda v: f"{v:.0f}")
        self.freezes.show_lines(
            [[float(step.freezes - row[0].freezes) for step in row] for row in rows],
            str(sum(s.freezes for s in last)),
            lambda v: f"{v:.0f}",
        )
        self.table.setText("\n\n".join(self._table(s, names) for s in last))

    def _table(self, s: PeerStats, names: Mapping[bytes, str]) -> str:
        rows = [
            (
                self.tr("sound in/out"),
                f"{rate_words(s.audio_in_bps)} / {rate_words(s.audio_out_bps)}",
            ),
            (
                self.tr("picture in/out"),
                f"{rate_words(s.video_in_bps)} / {rate_words(s.video_out_bps)}",
            ),
            (self.tr("lost in/out"), f"{percent_words(s.loss_in)} / {percent_words(s.loss_out)}"),
            (self.tr("round trip"), "–" if s.rtt_ms is None else ms_words(s.rtt_ms)),
            (self.tr("jitter"), ms_words(s.jitter_ms)),
            (self.tr("picture"), f"{s.width}×{s.height}, {s.fps_in:.0f}/s" if s.width else "–"),
            (self.tr("frozen"), f"{s.freezes}×, {ms_words(s.frozen_ms)}"),
            (self.tr("filled in"), ms_words(s.concealed_ms)),
            (self.tr("sound buffer"), ms_words(s.audio_delay_ms)),
            (self.tr("codecs"), s.codec or "–"),
            (self.tr("way"), s.way or "–"),
        ]
        wide = max(len(name) for name, _ in rows) + 2
        title = names.get(bytes(s.device), self.tr("Somebody"))
        return "\n".join([title, *(f"{name:<{wide}}{value}" for name, value in rows)])

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.table.text())
        before = self.tr("Copy the table")
        self.copy.setText(self.tr("Copied"))
        QTimer.singleShot(2000, self.copy, lambda: self.copy.setText(before))


def rate_words(bps: float) -> str:
    """Bits per second for people."""
    if bps >= 1_000_000:
        return f"{bps / 1_000_000:.1f} Mbit/s"
    return f"{bps / 1000:.0f} kbit/s"


def percent_words(share: float) -> str:
    """A share in per cent."""
    return f"{share * 100:.1f} %"


def ms_words(ms: float) -> str:
    """Milliseconds."""
    return f"{ms:.0f} ms"
