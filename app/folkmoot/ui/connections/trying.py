"""Trying an address that a person knows, or looking through a range of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.text import Text

ADDRESS_LIMIT = 270


class TryAddress(QWidget):
    """A field, what came of it, and the ranges that were looked through."""

    wanted = Signal(str)
    left = Signal()
    """Escape was pressed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.address = TextField(
            self.tr("Address of a computer"),
            theme,
            placeholder="192.168.1.20:7000",
            max_length=ADDRESS_LIMIT,
            compact=True,
        )
        self.address.returnPressed.connect(self._want)
        self.address.textChanged.connect(self._typed)
        self.act = Button(self.tr("Try"), theme)
        self.act.setAccessibleName(self.tr("Try this address"))
        self.act.setEnabled(False)
        self.act.clicked.connect(self._want)
        line.addWidget(self.address, 1)
        line.addWidget(self.act)
        column.addLayout(line)
        hint = self.tr(
            "Their computer says it under “Takes connections at”. A range such as "
            "192.168.1.0/24:7000 is looked through."
        )
        self.words = Text(hint, theme, TextStyle.META, "mute", wrap=True)
        self._hint = hint
        self.scans = Text("", theme, TextStyle.META, "mute", wrap=True)
        self.scans.hide()
        column.addWidget(self.words)
        column.addWidget(self.scans)

    def say(self, words: str, *, bad: bool = False) -> None:
        """What came of it; it can be tried again."""
        self.words.set_token("bad_text" if bad else "mute")
        self.words.setText(words or self._hint)
        self.act.setEnabled(bool(self.address.text().strip()))

    def show_scans(self, lines: Sequence[str]) -> None:
        """The ranges, the newest last."""
        self.scans.setText("\n".join(lines))
        self.scans.setVisible(bool(lines))

    def _typed(self, text: str) -> None:
        self.say("")
        self.act.setEnabled(bool(text.strip()))

    def _want(self) -> None:
        address = self.address.text().strip()
        if address and self.act.isEnabled():
            self.say(self.tr("Trying {address}…").format(address=address))
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
            self.act.setEnabled(False)
            self.wanted.emit(address)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape folds it away."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
