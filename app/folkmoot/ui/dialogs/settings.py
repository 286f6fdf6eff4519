"""Settings of the person and of a team."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QRadioButton, QWidget

from folkmoot.services.values import Identity, Team
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Mode, Theme
from folkmoot.ui.widgets.buttons import Button
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.text import ElidedText, Text


class SettingsDialog(Form):
    """Name, appearance, the ways to more, and the four words."""

    mode_chosen = Signal(object)
    motion_chosen = Signal(bool)
    """True: reduced."""
    devices_pressed = Signal()
    recordings_pressed = Signal()
    connections_pressed = Signal()
    about_pressed = Signal()

    def __init__(self, parent: QWidget, theme: Theme, identity: Identity) -> None:
        super().__init__(parent, theme, parent.tr("Settings"), act=parent.tr("Save"))
        self.name = TextField(self.tr("Your name"), theme, max_length=80)
        self.name.setText(identity.name)
        self.add_field(self.tr("Your name"), self.name, self.tr("Your teams see it."))
        self._add_modes()
        self._add_calls()
        self._add_connections()
        self._add_words(identity)
        self._add_about(identity.version)

    def _add_words(self, identity: Identity) -> None:
        name = self.tr("Your four words, on {computer}").format(computer=identity.device_name)
        self.body.addWidget(Text(name, self.theme, TextStyle.LABEL_STRONG, wrap=True))
        words = "  ".join(identity.words)
        self.body.addWidget(Text(words, self.theme, TextStyle.LABEL, wrap=True))
        hint = self.tr("They are made from your key. Read them aloud to prove that it is you.")
        self.body.addWidget(Text(hint, self.theme, TextStyle.META, "faint", wrap=True))
        self.body.addSpacing(6)

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
        words = self.tr("Nothing floats or slides, also in calls.")
        self.still = Switch(self.tr("Reduce motion"), words, self.theme)
        self.still.setChecked(self.theme.reduce_motion)
        self.still.toggled.connect(self.motion_chosen)
        self.body.addWidget(self.still)
        self.body.addSpacing(6)

    def _add_calls(self) -> None:
        self.body.addWidget(Text(self.tr("Calls"), self.theme, TextStyle.LABEL_STRONG))
        line = QHBoxLayout()
        line.setSpacing(8)
        words = self.tr("Microphone, speaker and camera")
        line.addWidget(ElidedText(words, self.theme, TextStyle.LABEL, "mute"), 1)
        self.devices = Button(self.tr("Calls and devices"), self.theme, icon="mic", height=28)
        self.devices.setAutoDefault(False)
        self.devices.clicked.connect(self.devices_pressed)
        line.addWidget(self.devices)
        self.body.addLayout(line)
        line = QHBoxLayout()
        line.setSpacing(8)
        words = self.tr("Recordings, and the folder they are kept in")
        line.addWidget(ElidedText(words, self.theme, TextStyle.LABEL, "mute"), 1)
        self.recordings = Button(self.tr("Recordings"), self.theme, icon="film", height=28)
        self.recordings.setAutoDefault(False)
        self.recordings.clicked.connect(self.recordings_pressed)
        line.addWidget(self.recordings)
        self.body.addLayout(line)
        self.body.addSpacing(6)

    def _add_connections(self) -> None:
        name = Text(self.tr("Connections"), self.theme, TextStyle.LABEL_STRONG)
        self.body.addWidget(name)
        line = QHBoxLayout()
        line.setSpacing(8)
        words = self.tr("Servers for people on other networks")
        line.addWidget(ElidedText(words, self.theme, TextStyle.LABEL, "mute"), 1)
        self.connections = Button(self.tr("Connections"), self.theme, icon="server", height=28)
        self.connections.setAutoDefault(False)
        self.connections.clicked.connect(self.connections_pressed)
        line.addWidget(self.connections)
        self.body.addLayout(line)
        self.body.addSpacing(6)

    def _add_about(self, version: str) -> None:
        self.body.addWidget(Text(self.tr("About"), self.theme, TextStyle.LABEL_STRONG))
        line = QHBoxLayout()
        line.setSpacing(8)
        words = self.tr("Folkmoot {version}, new versions, profile folder")
        shown = words.format(version=version)
        line.addWidget(ElidedText(shown, self.theme, TextStyle.LABEL, "mute"), 1)
        self.about = Button(self.tr("About"), self.theme, icon="info", height=28)
        self.about.setAutoDefault(False)
        self.about.clicked.connect(self.about_pressed)
        line.addWidget(self.about)
        self.body.addLayout(line)


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
