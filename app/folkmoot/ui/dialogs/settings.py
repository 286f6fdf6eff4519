"""Settings of the person and of a team."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QWidget

from folkmoot.services.values import Identity, Team
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.text import ElidedText, SectionHeader, Text


class SettingsDialog(Form):
    """Name, appearance, profile folder, and what this is."""

    mode_chosen = Signal(object)

    def __init__(self, parent: QWidget, theme: Theme, identity: Identity, profile: Path) -> None:
        super().__init__(parent, theme, parent.tr("Settings"), act=parent.tr("Save"))
        self.name = TextField(self.tr("Your name"), theme, max_length=80)
        self.name.setText(identity.name)
        self.add_field(self.tr("Your name"), self.name, self.tr("Your teams see it."))
        self._add_modes()
        self._add_folder(profile)
        self.body.addWidget(SectionHeader(self.tr("About"), theme))
        words = self.tr("Your four words: {words}").format(words="  ".join(identity.words))
        self.body.addWidget(Text(words, theme, TextStyle.LABEL, wrap=True))
        hint = self.tr("They are made from your key. Read them aloud to prove that it is you.")
        self.body.addWidget(Text(hint, theme, TextStyle.META, "faint", wrap=True))
        about = self.tr("Folkmoot {version} on {computer}. Free software under the GPL, version 3.")
        line = about.format(version=identity.version, computer=identity.device_name)
        self.body.addWidget(Text(line, theme, TextStyle.META, "mute", wrap=True))

    def _add_modes(self) -> None:
        self.body.addWidget(Text(self.tr("Appearance"), self.theme, TextStyle.LABEL_STRONG))
        line = QHBoxLayout()
        line.setSpacing(16)
        self.modes = QButtonGroup(self)
        names = {
            Mode.SYSTEM: self.tr("As the system"),
            Mode.LIGHT: self.tr("Light"),
            Mode.DARK: self.tr("Dark"),
        }
        for mode, name in names.items():
            button = QRadioButton(name)
            button.setChecked(self.theme.mode is mode)
            button.setMinimumHeight(28)
            button.toggled.connect(
                lambda on, mode=mode: self.mode_chosen.emit(mode) if on else None
            )
            self.modes.addButton(button)
            line.addWidget(button)
        line.addStretch(1)
        self.body.addLayout(line)
        self.body.addSpacing(6)

    def _add_folder(self, profile: Path) -> None:
        self.body.addWidget(Text(self.tr("Profile folder"), self.theme, TextStyle.LABEL_STRONG))
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(ElidedText(str(profile), self.theme, TextStyle.LABEL, "mute"), 1)
        folder = Button(self.tr("Open"), self.theme, icon="folder-open", height=28)
        folder.setAutoDefault(False)
        url = QUrl.fromLocalFile(str(profile))
        folder.clicked.connect(lambda: QDesktopServices.openUrl(url))
        line.addWidget(folder)
        self.body.addLayout(line)
        hint = self.tr("Keys and messages are there. Whoever has this folder is you: keep it safe.")
        self.body.addWidget(Text(hint, self.theme, TextStyle.META, "faint", wrap=True))
        self.body.addSpacing(6)


class TeamDialog(Form):
    """Name of a team and whether the network sees it."""

    def __init__(self, parent: QWidget, theme: Theme, team: Team) -> None:
        super().__init__(parent, theme, parent.tr("Team settings"), act=parent.tr("Save"))
        self.name = TextField(self.tr("Name of the team"), theme, max_length=80)
        self.name.setText(team.name)
        self.add_field(self.tr("Name of the team"), self.name)
        self.visible = Switch(
            self.tr("Show this team on the network"),
            self.tr("Computers on this network see this team's name and may ask to join."),
            theme,
        )
        self.visible.setChecked(team.visible)
        self.body.addWidget(self.visible)
