"""Creating a channel, or giving one another name."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.fields import TextField


class ChannelDialog(Form):
    """Name and topic of a new channel; for a channel that is there only its name."""

    def __init__(self, parent: QWidget, theme: Theme, *, name: str | None = None) -> None:
        new = name is None
        super().__init__(
            parent,
            theme,
            parent.tr("Create a channel") if new else parent.tr("Rename the channel"),
            act=parent.tr("Create") if new else parent.tr("Rename"),
        )
        self.name = TextField(
            self.tr("Name"), theme, placeholder=self.tr("for example boat-hull"), max_length=80
        )
        self.name.setText(name or "")
        self.add_field(
            self.tr("Name"),
            self.name,
            self.tr("Small letters, no spaces. Everybody in the team can read a channel."),
        )
        self.topic = TextField(self.tr("Topic"), theme, max_length=250)
        if new:
            self.add_field(self.tr("Topic (may stay empty)"), self.topic)
        self.name.textEdited.connect(self._shape)
        self.name.selectAll()

    def _shape(self, text: str) -> None:
        """Write the name as it will read: small letters, spaces as hyphens."""
        shaped = text.lower().replace(" ", "-").lstrip("#")
        if shaped != text:
            place = self.name.cursorPosition() - (len(text) - len(shaped))
            self.name.setText(shaped)
            self.name.setCursorPosition(max(0, place))
        self.say_problem("")
