"""The line under the picture of the player: play, time, slider, volume, full screen."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from folkmoot.ui.call.state import clock_words
from folkmoot.ui.recording.seek import SeekBar
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import IconButton
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.text import Text

_NARROW = 520


class Loudness(KeyboardFocus, QSlider):
    """How loud it plays, in percent."""

    focus_radius = 8

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.theme = theme
        self.setRange(0, 100)
        self.setSingleStep(5)
        self.setPageStep(20)
        self.setValue(100)
        self.setFixedSize(84, 28)
        self.setAccessibleName(self.tr("Volume"))

    def sizeHint(self) -> QSize:
        """A small one."""
        return QSize(84, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, the part that is on, the knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(0.4)
        painter.setPen(Qt.PenStyle.NoPen)
        width, middle = self.width() - 16.0, self.height() / 2
        reach = width * self.value() / self.maximum()
        painter.setBrush(self.theme.colour("edge"))
        painter.drawRoundedRect(QRectF(8, middle - 2, width, 4), 2, 2)
        painter.setBrush(self.theme.colour("mute"))
        painter.drawRoundedRect(QRectF(8, middle - 2, reach, 4), 2, 2)
        painter.drawEllipse(QPointF(8 + reach, middle), 5, 5)


class PlayerControls(QWidget):
    """Tells what is wanted; shows what is so."""

    play_pressed = Signal()
    sought = Signal(int)
    volume_changed = Signal(float)
    full_screen_pressed = Signal()
    tracks_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(self.tr("Controls of the player"))
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 12, 10)
        line.setSpacing(6)
        self.play = IconButton("play", self.tr("Play (Space)"), theme, side=40, icon_size=20)
        self.play.set_icon("play", "ink")
        self.play.clicked.connect(self.play_pressed)
        line.addWidget(self.play)
        self.seek = SeekBar(theme)
        self.seek.sought.connect(self.sought)
        line.addWidget(self.seek, 1)
        self.time = Text("00:00 / 00:00", theme, TextStyle.LABEL, "mute")
        line.addWidget(self.time)
        line.addSpacing(6)
        words = self.tr("Whose picture and whose voice")
        self.tracks = IconButton("users", words, theme, side=36)
        self.tracks.clicked.connect(self.tracks_pressed)
        self.tracks.hide()
        line.addWidget(self.tracks)
        self.mute = IconButton("volume-2", self.tr("Mute (M)"), theme, side=36)
        self.mute.clicked.connect(self.toggle_mute)
        line.addWidget(self.mute)
        self.loudness = Loudness(theme)
        self.loudness.valueChanged.connect(self._loudness_changed)
        line.addWidget(self.loudness)
        self.full = IconButton("maximize", self.tr("Full screen (F)"), theme, side=36)
        self.full.clicked.connect(self.full_screen_pressed)
        line.addWidget(self.full)
        for button in (self.play, self.tracks, self.mute, self.full):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to the player
        self._before_mute = 100
        self._length_ms = 0

    def show_playing(self, on: bool) -> None:
        """Whether it plays."""
        self.play.set_icon("pause" if on else "play", "ink")
        self.play.set_name(self.tr("Pause (Space)") if on else self.tr("Play (Space)"))

    def show_length(self, length_ms: int) -> None:
        """How long it is."""
        self._length_ms = length_ms
        self.seek.show_length(length_ms)
        self._reserve()
        self.show_time(self.seek.value())

    def show_time(self, at_ms: int) -> None:
        """Where it is."""
        self.seek.show_time(at_ms)
        now, length = clock_words(at_ms // 1000), clock_words(round(self._length_ms / 1000))
        self.time.setText(f"{now} / {length}")

    def _reserve(self) -> None:
        """The slider must not change its length with each second."""
        length = clock_words(round(self._length_ms / 1000))
        zeros = "".join("0" if sign.isdigit() else sign for sign in length)
        widest = QFontMetricsF(self.time.font()).horizontalAdvance(f"{zeros} / {zeros}")
        self.time.setFixedWidth(round(widest) + 6)

    def show_sound(self, there: bool) -> None:
        """Whether anything can be heard on this computer."""
        self.loudness.setEnabled(there)
        self.mute.setEnabled(there)
        if not there:
            self.mute.set_icon("volume-x")
            self.mute.set_name(self.tr("No speaker was found"))

    def toggle_mute(self) -> None:
        """Silent, or as loud as before."""
        if not self.mute.isEnabled():
            return
        now = self.loudness.value()
        if now:
            self._before_mute = now
        self.loudness.setValue(0 if now else self._before_mute)

    def _loudness_changed(self, percent: int) -> None:
        self.mute.set_icon("volume-2" if percent else "volume-x")
        self.mute.set_name(self.tr("Mute (M)") if percent else self.tr("Hear again (M)"))
        self.volume_changed.emit(percent / 100)

    def show_full(self, on: bool) -> None:
        """Whether it fills the screen."""
        self.full.set_icon("minimize" if on else "maximize")
        self.full.set_name(self.tr("Leave full screen (Esc)") if on else self.tr("Full screen (F)"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The volume goes when it gets narrow; silence stays."""
        super().resizeEvent(event)
        self.loudness.setVisible(self.width() >= _NARROW)
