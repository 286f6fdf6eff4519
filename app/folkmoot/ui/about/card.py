"""The quiet card over the timeline that says that a newer version is out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from folkmoot.domain.updates import Release
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind, IconButton
from folkmoot.ui.widgets.surfaces import Card, IconLabel
from folkmoot.ui.widgets.text import Text

MAX_LINES = 4
MAX_CHARACTERS = 300


class UpdateCard(Card):
    """Which version is out, and what is new in it."""

    notes_wanted = Signal(str)
    dismissed = Signal(str)

    def __init__(self, release: Release, theme: Theme) -> None:
        super().__init__(theme, ground="hover", radius=10)
        self.release = release
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 8)
        row.setSpacing(10)
        column = QVBoxLayout()
        column.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(8)
        title = self.tr("Folkmoot {version} is out").format(version=release.version)
        head.addWidget(Text(title, theme, TextStyle.LABEL_STRONG))
        self.notes = Button(self.tr("What is new"), theme, ButtonKind.LINK, height=28)
        self.notes.clicked.connect(lambda: self.notes_wanted.emit(release.notes))
        self.notes.setVisible(bool(release.notes))
        head.addWidget(self.notes)
        head.addStretch(1)
        column.addLayout(head)
        words = short(release.summary)
        if words:
            column.addWidget(Text(words, theme, TextStyle.LABEL, "mute", wrap=True))
        icon = IconLabel("info", theme, token="accent")
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        self.close_button = IconButton("x", self.tr("Say no more of this version"), theme, side=28)
        self.close_button.clicked.connect(lambda: self.dismissed.emit(release.version))
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        icon.setContentsMargins(0, 6, 0, 0)
        icon.setFixedHeight(28)
        self.setAccessibleName(f"{title}. {words}")


def short(text: str) -> str:
    """As much of a summary as a card takes, with … where something is left out."""
    lines = [line for line in text.split("\n") if line.strip()]
    kept = "\n".join(lines[:MAX_LINES])
    cut = kept[:MAX_CHARACTERS].rstrip()
    return f"{cut} …" if len(cut) < len(kept) or len(lines) > MAX_LINES else kept
