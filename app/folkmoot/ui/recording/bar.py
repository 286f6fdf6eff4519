"""What the person who records has in hand: how long, how large, pause, stop."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from folkmoot.services.call_values import RecordingNow
from folkmoot.ui.call.state import clock_words
from folkmoot.ui.recording.words import size_words
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.surfaces import Card, IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text

_HINT_FROM, _STATE_FROM = 600, 460


class RecorderBar(Card):
    """One line under the head of the call, while this person records."""

    pause_pressed = Signal()
    stop_pressed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, ground="bad_soft", edge="", radius=10)
        self._paused: bool | None = None
        self.setAccessibleName(self.tr("Your recording"))
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 4, 4)
        line.setSpacing(8)
        self._icon = IconLabel("circle-dot", theme, token="bad_text")
        line.addWidget(self._icon)
        self._state = Text("", theme, TextStyle.LABEL_STRONG, "bad_text")
        line.addWidget(self._state)
        self._figures = Text("", theme, TextStyle.LABEL, "ink")
        line.addWidget(self._figures)
        hint = self.tr("Everybody in the call sees it")
        self._hint = ElidedText(hint, theme, TextStyle.META, "ink")
        line.addWidget(self._hint, 1)
        self._gap = QWidget()
        line.addWidget(self._gap, 1)
        self.pause = Button("", theme, icon="pause", height=36)
        self.pause.clicked.connect(self.pause_pressed)
        line.addWidget(self.pause)
        self.stop = Button(self.tr("Stop"), theme, ButtonKind.DANGER, icon="square", height=36)
        self.stop.setAccessibleName(self.tr("Stop recording (Ctrl+Shift+R)"))
        self.stop.clicked.connect(self.stop_pressed)
        line.addWidget(self.stop)

    def show_now(self, now: RecordingNow, seconds: float) -> None:
        """The newest; `seconds` may be ahead of what was told."""
        figures = clock_words(int(seconds))
        if now.size_bytes:
            figures += f" · {size_words(now.size_bytes)}"
        self._figures.setText(figures)
        state = self.tr("Paused") if now.paused else self.tr("Recording")
        self._state.setText(state)
        self.setAccessibleDescription(f"{state}, {figures}")
        if now.paused != self._paused:
            self._paused = now.paused
            self._icon.set_icon("circle-pause" if now.paused else "circle-dot", "bad_text")
            self.pause.show_face(
                "play" if now.paused else "pause",
                self.tr("Go on") if now.paused else self.tr("Pause"),
                self.tr("Go on recording") if now.paused else self.tr("Pause the recording"),
            )

    def words(self) -> str:
        """What the line says."""
        return f"{self._state.text()} {self._figures.text()}"

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The hint goes first, then the word that the icon says too."""
        super().resizeEvent(event)
        self._hint.setVisible(self.width() >= _HINT_FROM)
        self._gap.setVisible(self.width() < _HINT_FROM)
        self._state.setVisible(self.width() >= _STATE_FROM)
