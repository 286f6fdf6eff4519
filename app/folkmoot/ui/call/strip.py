"""The call one is in, docked in the side bar while other conversations are read."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from folkmoot.services.call_values import Call
from folkmoot.ui.call.state import names_words, quality_words, shares_words
from folkmoot.ui.call.tile import paint_bars
from folkmoot.ui.main.rows import write_line
from folkmoot.ui.recording.sign import paint_rec
from folkmoot.ui.recording.words import recorders, who_records
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import IconButton
from folkmoot.ui.widgets.focus import KeyboardFocus


@dataclass(frozen=True, slots=True)
class StripState:
    """Place, running time, who is there, the weakest connection, the microphone."""

    place: str
    time: str
    names: str
    quality: int
    quality_words: str
    microphone: bool
    shares: bool = False
    """Whether a screen is shared; `names` says by whom."""
    recorded: str = ""
    """Who records, in words."""


def strip_state(call: Call, place: str, time: str) -> StripState:
    """What the strip says of a call: who shares a screen there, or who is there."""
    others = [p for p in call.participants if not p.is_me and p.quality]
    weakest = min(others, key=lambda p: p.quality) if others else None
    shares = shares_words(call)
    return StripState(
        place=place,
        time=time,
        names=shares or names_words(call),
        quality=weakest.quality if weakest else 0,
        quality_words=quality_words(weakest) if weakest else "",
        microphone=call.microphone,
        shares=bool(shares),
        recorded=who_records(recorders(call)),
    )


class _Body(KeyboardFocus, QPushButton):
    """Bars and words; a click shows the call."""

    focus_radius = 8

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.state = StripState("", "", "", 0, "", True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(48)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        state = self.state
        paint_bars(painter, QRectF(10, 19, 13, 11), state.quality, self.theme)
        strong, meta = self.theme.font(TextStyle.META_STRONG), self.theme.font(TextStyle.META)
        time = f"· {state.time}" if state.time else ""
        wide = QFontMetricsF(meta).horizontalAdvance(time) + 1
        room = self.width() - 34
        taken = min(QFontMetricsF(strong).horizontalAdvance(state.place) + 1, room - wide - 4)
        write_line(painter, strong, self.theme, "ink", state.place, QRectF(34, 7, taken, 16))
        write_line(painter, meta, self.theme, "ink", time, QRectF(37 + taken, 7, wide, 16))
        if state.recorded:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_rec(painter, self.theme, QRectF(34, 24, room, 16), state.recorded)
            return
        left = 34
        if state.shares:
            sign = self.theme.pixmap("monitor-up", "accent", 13, self.devicePixelRatioF())
            painter.drawPixmap(QPointF(34, 26), sign)
            left, room = 52, room - 18
        write_line(painter, meta, self.theme, "mute", state.names, QRectF(left, 24, room, 16))


class Strip(QWidget):
    """48 pixels over oneself in the side bar."""

    pressed = Signal()
    microphone_pressed = Signal()
    leave_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(self.tr("The call you are in"))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 0, 8, 8)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 4, 0)
        line.setSpacing(0)
        self.body = _Body(theme)
        self.body.clicked.connect(self.pressed)
        line.addWidget(self.body, 1)
        self.microphone = IconButton("mic", self.tr("Mute"), theme, side=28)
        self.microphone.clicked.connect(self.microphone_pressed)
        line.addWidget(self.microphone)
        self.leave = IconButton("phone-off", self.tr("Leave the call"), theme, side=28)
        self.leave.set_icon("phone-off", "bad_text")
        self.leave.clicked.connect(self.leave_pressed)
        line.addWidget(self.leave)
        outer.addLayout(line)

    def show_state(self, state: StripState) -> None:
        """Show the newest."""
        if state == self.body.state:
            return
        self.body.state = state
        words = self.tr("Show the call in {place}").format(place=state.place)
        said = (words, state.time, state.names, state.recorded)
        self.body.setAccessibleName(", ".join(part for part in said if part))
        self.body.setToolTip(state.quality_words)
        on = state.microphone
        self.microphone.set_icon("mic" if on else "mic-off", "mute" if on else "bad_text")
        self.microphone.set_name(self.tr("Mute") if on else self.tr("Switch the microphone on"))
        self.body.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Its ground."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._theme.colour("accent_soft"))
        painter.setBrush(self._theme.colour("accent_soft"))
        painter.drawRoundedRect(QRectF(8.5, 0.5, self.width() - 17, 47), 8, 8)
