"""The dialog that says what this program is, and the one with the licences."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from folkmoot.domain.updates import MAX_URL_CHARACTERS
from folkmoot.services.update_values import Updates
from folkmoot.ui.about.words import installed_words, support_text, update_words, version_words
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.fields import Switch, TextField
from folkmoot.ui.widgets.text import Text

_WIDTH = 520
_ICON = 48
ADDRESS_LIMIT = MAX_URL_CHARACTERS + 50


class AboutDialog(Form):
    """Version, licences, profile folder, new versions."""

    licences_pressed = Signal()
    on_wanted = Signal(str)
    """Ask the feed at this address."""
    off_wanted = Signal()
    look_wanted = Signal()
    notes_wanted = Signal(str)
    """Read at this address what is new."""

    def __init__(self, parent: QWidget, theme: Theme, profile: Path) -> None:
        super().__init__(parent, theme, parent.tr("About Folkmoot"))
        self.setFixedWidth(min(_WIDTH, max(320, parent.width() - 40)))
        self._updates = Updates()
        self._build_head()
        self._build_folder(profile)
        self._build_updates()
        self.first = self.close_button
        self.show_updates(self._updates)

    def _build_head(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(14)
        picture = QLabel()
        picture.setPixmap(
            QGuiApplication.windowIcon().pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF())
        )
        picture.setFixedSize(_ICON, _ICON)
        line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.version = Text(version_words(), self.theme, TextStyle.STRONG, wrap=True)
        self.version.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.addWidget(self.version)
        kind = installed_words()
        if kind:
            words.addWidget(Text(kind, self.theme, TextStyle.LABEL, "mute"))
        free = self.tr(
            "Free software under the GNU General Public License, version 3 or later. It comes "
            "without any warranty."
        )
        words.addWidget(Text(free, self.theme, TextStyle.META, "mute", wrap=True))
        line.addLayout(words, 1)
        self.body.addLayout(line)
        self.body.addSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.licences = self._button(self.tr("Licences"), "text-quote")
        self.licences.clicked.connect(self.licences_pressed)
        self.copy = self._button(self.tr("Copy for support"), "copy")
        self.copy.setAccessibleDescription(
            self.tr("Version and system, without names and folders.")
        )
        self.copy.clicked.connect(self._copy)
        line.addWidget(self.licences)
        line.addWidget(self.copy)
        line.addStretch(1)
        self.body.addLayout(line)
        self.body.addSpacing(8)

    def _build_folder(self, profile: Path) -> None:
        name = self.tr("Profile folder")
        label = Text(name, self.theme, TextStyle.LABEL_STRONG)
        self.body.addWidget(label)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.folder = TextField(name, self.theme, max_length=4096, compact=True)
        self.folder.setText(str(profile))
        self.folder.setReadOnly(True)
        self.folder.setCursorPosition(0)
        label.setBuddy(self.folder)
        line.addWidget(self.folder, 1)
        self.open_folder = self._button(self.tr("Open folder"), "folder-open", 32)
        url = QUrl.fromLocalFile(str(profile))
        self.open_folder.clicked.connect(lambda: QDesktopServices.openUrl(url))
        line.addWidget(self.open_folder)
        self.body.addLayout(line)
        hint = self.tr(
            "Keys and messages are there, also after Folkmoot is uninstalled. Whoever has this "
            "folder is you: keep it safe."
        )
        self.body.addWidget(Text(hint, self.theme, TextStyle.META, "faint", wrap=True))
        self.body.addSpacing(8)

    def _build_updates(self) -> None:
        self.switch = Switch(
            self.tr("Tell me of new versions"),
            self.tr("Asks one address once a day. Nothing is downloaded or installed."),
            self.theme,
        )
        self.switch.clicked.connect(self._switched)
        self.body.addWidget(self.switch)
        line = QHBoxLayout()
        line.setSpacing(8)
        self.address = TextField(
            self.tr("Address that tells of new versions"),
            self.theme,
            placeholder="https://example.org/folkmoot.json#key=…",
            max_length=ADDRESS_LIMIT,
            compact=True,
        )
        self.address.returnPressed.connect(self._want)
        self.address.textChanged.connect(self._typed)
        self.use = self._button(self.tr("Use"), "check", 32)
        self.use.clicked.connect(self._want)
        self.look = self._button(self.tr("Look now"), "refresh-cw", 32)
        self.look.clicked.connect(self.look_wanted)
        line.addWidget(self.address, 1)
        line.addWidget(self.use)
        line.addWidget(self.look)
        self.body.addLayout(line)
        line = QHBoxLayout()
        self.state = Text("", self.theme, TextStyle.META, "mute", wrap=True)
        line.addWidget(self.state, 1)
        self.notes = Button(self.tr("What is new"), self.theme, ButtonKind.LINK, height=28)
        self.notes.setAutoDefault(False)
        self.notes.clicked.connect(self._want_notes)
        line.addWidget(self.notes, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(line)

    def _button(self, words: str, icon: str, height: int = 28) -> Button:
        button = Button(words, self.theme, icon=icon, height=height)
        button.setAutoDefault(False)
        return button

    # --- what is shown

    def show_updates(self, updates: Updates) -> None:
        """How it stands with new versions now; what is being typed stays."""
        if updates.address != self._updates.address or not self.address.text():
            self.address.setText(updates.address)
            self.address.setCursorPosition(0)
        self._updates = updates
        self.switch.setChecked(updates.on)
        self._say(*update_words(updates, QDateTime.currentMSecsSinceEpoch()))

    def say_problem(self, words: str) -> None:
        """What is wrong with what was typed."""
        self._say(words, bad=True)

    def _say(self, words: str, bad: bool) -> None:
        wanted = self.switch.isChecked()
        changed = self.address.text().strip() != self._updates.address
        asks = wanted and (changed or not self._updates.on)
        self.address.setVisible(wanted)
        self.use.setVisible(asks)
        self.use.setEnabled(bool(self.address.text().strip()))
        self.look.setVisible(wanted and not asks)
        self.look.setEnabled(not self._updates.looking)
        if asks and not words:
            words = self.tr("Paste the address that you got with Folkmoot, with its key.")
        self.state.setText(words)
        self.state.set_token("bad_text" if bad else "mute")
        self.state.setVisible(wanted and bool(words))
        offer = self._updates.offer
        self.notes.setVisible(wanted and not asks and offer is not None and bool(offer.notes))
        self.fit()

    # --- acts

    def _switched(self, on: bool) -> None:
        if not on:
            self.off_wanted.emit()
        elif self._updates.address:
            self.on_wanted.emit(self._updates.address)
        self._say("", bad=False)
        if on and not self._updates.address:
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _typed(self) -> None:
        if self.address.hasFocus():
            words = update_words(self._updates, QDateTime.currentMSecsSinceEpoch())
            same = self.address.text().strip() == self._updates.address
            self._say(*(words if same else ("", False)))

    def _want(self) -> None:
        if self.use.isVisible() and self.use.isEnabled():
            self.on_wanted.emit(self.address.text().strip())

    def _want_notes(self) -> None:
        if self._updates.offer is not None:
            self.notes_wanted.emit(self._updates.offer.notes)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(support_text())
        self.copy.show_face("check", self.tr("Copied"), self.tr("Copied for support"))


class LicencesDialog(Form):
    """Every licence under which something is that came with the program."""

    def __init__(self, parent: QWidget, theme: Theme, text: str) -> None:
        super().__init__(parent, theme, parent.tr("Licences"))
        self.setFixedWidth(max(320, min(720, parent.width() - 40)))
        self.text = QPlainTextEdit(text)
        self.text.setReadOnly(True)
        self.text.setFont(theme.font(TextStyle.CODE))
        self.text.setAccessibleName(self.tr("Licences"))
        self.text.setFixedHeight(max(160, min(480, parent.height() - 180)))
        self.body.addWidget(self.text)
        self.first = self.text
