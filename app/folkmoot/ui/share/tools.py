"""The row under a shared screen: whose it is, pointer and pen, how large it is shown."""

from __future__ import annotations

import enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from folkmoot.ui.call.layout import TOOLS
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, IconButton
from folkmoot.ui.widgets.surfaces import IconLabel
from folkmoot.ui.widgets.text import ElidedText

HEIGHT = TOOLS
_SIDE = 36
_NARROW = 560
_NARROWEST = 400


class Tool(enum.Enum):
    """What the mouse does on the screen."""

    LOOK = "look"
    POINTER = "pointer"
    PEN = "pen"


class ToolButton(IconButton):
    """Return presses it too: Space may be for talking."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return and Space press."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class ShareTools(QWidget):
    """Icons with names; says what is wanted and decides nothing."""

    tool_chosen = Signal(object)
    nearer_pressed = Signal()
    farther_pressed = Signal()
    size_pressed = Signal()
    switch_pressed = Signal()
    full_pressed = Signal()
    pop_out_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.tool = Tool.LOOK
        self._count = 0
        self._solid = False
        self._can_pop_out = True
        line = QHBoxLayout(self)
        line.setContentsMargins(14, 0, 6, 0)
        line.setSpacing(2)
        self._sign = IconLabel("monitor-up", theme, token="ink")
        line.addWidget(self._sign)
        line.addSpacing(8)
        self.caption = ElidedText("", theme, TextStyle.META)
        line.addWidget(self.caption, 1)
        self._build(line)

    def _build(self, line: QHBoxLayout) -> None:
        theme = self._theme
        self.switch = Button("", theme, icon="replace", height=28)
        self.switch.clicked.connect(self.switch_pressed)
        self.switch.hide()
        line.addWidget(self.switch)
        line.addSpacing(6)
        self.pointer = ToolButton("mouse-pointer-2", self.tr("Point"), theme, side=_SIDE)
        self.pen = ToolButton("pen-line", self.tr("Draw"), theme, side=_SIDE)
        for button, tool in ((self.pointer, Tool.POINTER), (self.pen, Tool.PEN)):
            button.setCheckable(True)
            button.clicked.connect(lambda on, tool=tool: self._choose(tool if on else Tool.LOOK))
            line.addWidget(button)
        line.addSpacing(8)
        self.farther = ToolButton("minus", self.tr("Smaller (−)"), theme, side=_SIDE)
        self.farther.clicked.connect(self.farther_pressed)
        self.size_button = Button("", theme, height=28)
        self.size_button.setFixedWidth(72)
        self.size_button.clicked.connect(self.size_pressed)
        self.nearer = ToolButton("plus", self.tr("Larger (+)"), theme, side=_SIDE)
        self.nearer.clicked.connect(self.nearer_pressed)
        for part in (self.farther, self.size_button, self.nearer):
            line.addWidget(part)
        line.addSpacing(8)
        self.pop_out = ToolButton(
            "external-link", self.tr("In a window of its own"), theme, side=_SIDE
        )
        self.pop_out.clicked.connect(self.pop_out_pressed)
        self.full = ToolButton("maximize", self.tr("Full screen (F11)"), theme, side=_SIDE)
        self.full.clicked.connect(self.full_pressed)
        line.addWidget(self.pop_out)
        line.addWidget(self.full)

    # --- what is shown

    def show_caption(self, words: str, *, paused: bool) -> None:
        """Whose screen it is, and what of it."""
        self.caption.setText(words)
        self._sign.set_icon("pause" if paused else "monitor-up", "away_text" if paused else "ink")
        self.setAccessibleName(words)

    def show_size(self, percent: int, *, fitted: bool) -> None:
        """How large the screen is shown."""
        self.size_button.setText(self.tr("Fit") if fitted else f"{percent} %")
        now = self.tr("Shown at {n} %").format(n=percent)
        act = self.tr("show it at its own size (0)") if fitted else self.tr("show all of it (0)")
        self.size_button.setAccessibleName(f"{now}, {act}")
        self.size_button.setToolTip(f"{now}: {act}")
        self.farther.setEnabled(not fitted)

    def show_several(self, count: int) -> None:
        """How many share: with several there is a way to another one."""
        self._count = count
        self.switch.setAccessibleName(self.tr("Show another of {n} screens").format(n=count))
        self._fold()

    def show_own_window(self, *, full: bool) -> None:
        """The row stands in a window of its own, which may fill the screen."""
        self._can_pop_out = False
        self.full.set_icon("minimize" if full else "maximize")
        words = self.tr("Leave full screen (Esc)") if full else self.tr("Full screen (F11)")
        self.full.set_name(words)
        self._fold()

    def set_solid(self, on: bool) -> None:
        """Whether the row has a ground of its own, because it lies over the picture."""
        self._solid = on
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground, if it has one."""
        if self._solid:
            QPainter(self).fillRect(self.rect(), self._theme.shade("stage", 88))

    def show_tool(self, tool: Tool) -> None:
        """What the mouse does now."""
        self.tool = tool
        self.pointer.setChecked(tool is Tool.POINTER)
        self.pen.setChecked(tool is Tool.PEN)
        points, draws = self.pointer.isChecked(), self.pen.isChecked()
        self.pointer.set_name(self.tr("Stop pointing") if points else self.tr("Point"))
        self.pen.set_name(self.tr("Stop drawing") if draws else self.tr("Draw"))

    def _choose(self, tool: Tool) -> None:
        self.show_tool(tool)
        self.tool_chosen.emit(tool)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What there is no room for goes; the keys go on."""
        super().resizeEvent(event)
        self._fold()

    def _fold(self) -> None:
        wide = self.width() >= _NARROW
        self.nearer.setVisible(wide)
        self.farther.setVisible(wide)
        several = self._count > 1
        words = self.tr("{n} screens").format(n=self._count)
        self.switch.setText(words if wide else str(self._count))
        self.switch.setVisible(several)
        room = self.width() >= (_NARROW if several else _NARROWEST)
        self.pop_out.setVisible(self._can_pop_out and room)
