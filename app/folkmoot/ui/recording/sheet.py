"""The sheet before a recording: what kind of file, where it goes, and who will be told."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QWidget

from folkmoot.services.call_values import RecordChoice
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.recording.folder import short_path
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.surfaces import Card, IconLabel
from folkmoot.ui.widgets.text import ElidedText, Text

_INDENT = 24
_Option = tuple[str, str, str]
"""Value, name, what it means."""


class RecordSheet(Form):
    """Asks how to record; `submitted` when it shall begin."""

    folder_wanted = Signal()

    def __init__(self, parent: QWidget, theme: Theme, told: str) -> None:
        """`told`: who sees it, as a sentence."""
        super().__init__(
            parent, theme, parent.tr("Record this call"), act=parent.tr("Start recording")
        )
        self._add_told(told)
        self.pictures = self._add_choice(
            self.tr("Picture and sound"),
            (
                ("one", self.tr("One picture"), self.tr("As you see the call, with all voices.")),
                (
                    "tracks",
                    self.tr("One track for each person"),
                    self.tr("For cutting it later, as MKV. Such a file is larger."),
                ),
            ),
        )
        self.containers = self._add_choice(
            self.tr("File"),
            (
                ("mkv", "MKV", self.tr("For every player on a computer.")),
                ("mp4", "MP4", self.tr("For browsers, phones and editors.")),
            ),
        )
        self.pictures["tracks"].toggled.connect(self._fit_container)
        self._add_folder()

    def _fit_container(self, tracks: bool) -> None:
        """MP4 takes nobody who joins later: tracks for each person go into MKV."""
        if tracks:
            self.containers["mkv"].setChecked(True)
        self.containers["mp4"].setEnabled(not tracks)

    def _add_told(self, told: str) -> None:
        card = Card(self.theme, ground="bad_soft", edge="", radius=10)
        line = QHBoxLayout(card)
        line.setContentsMargins(12, 10, 12, 10)
        line.setSpacing(10)
        line.addWidget(IconLabel("circle-dot", self.theme, token="bad_text"))
        self.told = Text(told, self.theme, TextStyle.LABEL, wrap=True)
        line.addWidget(self.told, 1)
        self.body.addWidget(card)
        self.body.addSpacing(8)

    def _add_choice(self, title: str, options: tuple[_Option, ...]) -> dict[str, QRadioButton]:
        self.body.addWidget(Text(title, self.theme, TextStyle.LABEL_STRONG))
        group = QButtonGroup(self)
        made: dict[str, QRadioButton] = {}
        for row, (value, name, meaning) in enumerate(options):
            button = made[value] = QRadioButton(name)
            button.setMinimumHeight(28)
            button.setAccessibleName(f"{title}: {name}")
            button.setAccessibleDescription(meaning)
            button.setChecked(row == 0)
            group.addButton(button)
            self.body.addWidget(button)
            words = Text(meaning, self.theme, TextStyle.META, "faint", wrap=True)
            words.setContentsMargins(_INDENT, 0, 0, 0)
            self.body.addWidget(words)
        self.body.addSpacing(8)
        return made

    def _add_folder(self) -> None:
        self.body.addWidget(Text(self.tr("Folder"), self.theme, TextStyle.LABEL_STRONG))
        line = QHBoxLayout()
        line.setSpacing(8)
        self.folder = ElidedText("", self.theme, TextStyle.LABEL, "mute")
        line.addWidget(self.folder, 1)
        self.change = Button(self.tr("Change…"), self.theme, icon="folder-open", height=28)
        self.change.setAutoDefault(False)
        self.change.setAccessibleName(self.tr("Change the folder of recordings"))
        self.change.clicked.connect(self.folder_wanted)
        line.addWidget(self.change)
        self.body.addLayout(line)

    def show_folder(self, path: str) -> None:
        """Where the file will be."""
        self.folder.setText(short_path(path))
        self.folder.setAccessibleName(self.tr("Folder: {path}").format(path=path))

    def show_choice(self, choice: RecordChoice) -> None:
        """What was chosen the last time."""
        self.containers[choice.container].setChecked(True)
        self.pictures["tracks" if choice.tracks else "one"].setChecked(True)

    def choice(self) -> RecordChoice:
        """What is chosen now."""
        container = next(name for name, button in self.containers.items() if button.isChecked())
        return RecordChoice(container, tracks=self.pictures["tracks"].isChecked())
