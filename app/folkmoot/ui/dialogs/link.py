"""Opening a link: the whole address is shown first, as it will be opened."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.text import Text


class LinkDialog(Form):
    """The address, to be read before it is opened."""

    def __init__(self, parent: QWidget, theme: Theme, address: str) -> None:
        super().__init__(parent, theme, parent.tr("Open this link?"), act=parent.tr("Open"))
        hint = self.tr("It opens outside Folkmoot, in the program your system uses for it.")
        self.body.addWidget(Text(hint, theme, token="mute", wrap=True))
        shown = self.shown = QPlainTextEdit(address)
        shown.setReadOnly(True)
        shown.setFont(theme.font(TextStyle.CODE))
        shown.setAccessibleName(self.tr("Address"))
        shown.setFixedHeight(76)
        self.body.addWidget(shown)
