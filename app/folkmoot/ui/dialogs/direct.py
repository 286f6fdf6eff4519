"""Choosing to whom one writes: one member, or a few."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from folkmoot.domain.ids import PersonId
from folkmoot.ui.dialogs.form import Form
from folkmoot.ui.main.right_pane import MemberState
from folkmoot.ui.theme.avatars import paint_avatar
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.fields import TextField
from folkmoot.ui.widgets.text import Text

_AVATAR = 20
_ROW = 36


class DirectDialog(Form):
    """A filter and a list to tick."""

    def __init__(self, parent: QWidget, theme: Theme, members: Sequence[MemberState]) -> None:
        super().__init__(parent, theme, parent.tr("Write to"), act=parent.tr("Open"))
        self.filter = TextField(
            self.tr("Search members"), theme, placeholder=self.tr("Name"), compact=True
        )
        self.filter.textChanged.connect(self._narrow)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Members"))
        self.list.setFixedHeight(252)
        self.list.setFont(theme.font(TextStyle.BODY))
        self.list.setIconSize(QSize(_AVATAR, _AVATAR))
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        for member in members:
            item = QListWidgetItem(member.name, self.list)
            item.setData(Qt.ItemDataRole.UserRole, member.person)
            item.setSizeHint(QSize(0, _ROW))
            item.setIcon(self._face(member))
            item.setFlags(
                Qt.ItemFlag.ItemIsEnabled
                | Qt.ItemFlag.ItemIsUserCheckable
                | Qt.ItemFlag.ItemIsSelectable
            )
            item.setCheckState(Qt.CheckState.Unchecked)
        self.list.itemActivated.connect(self._toggle)
        self.list.itemChanged.connect(lambda _: self.set_busy(False))
        self.body.addWidget(self.filter)
        self.body.addWidget(self.list)
        if not members:
            words = self.tr("Nobody else is in the team yet. Invite somebody first.")
            self.body.addWidget(Text(words, theme, token="mute", wrap=True))
            self.filter.hide()
            self.list.hide()
        self.set_busy(False)

    def _face(self, member: MemberState) -> QIcon:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(round(_AVATAR * ratio), round(_AVATAR * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        paint_avatar(painter, QRectF(0, 0, _AVATAR, _AVATAR), member.name, member.person)
        painter.end()
        return QIcon(picture)

    def persons(self) -> list[PersonId]:
        """Those that are ticked."""
        items = (self.list.item(i) for i in range(self.list.count()))
        return [
            PersonId(bytes(item.data(Qt.ItemDataRole.UserRole)))
            for item in items
            if item.checkState() == Qt.CheckState.Checked
        ]

    def set_busy(self, busy: bool) -> None:
        """Opening needs somebody."""
        self.act.setEnabled(not busy and bool(self.persons()))

    def _toggle(self, item: QListWidgetItem) -> None:
        on = item.checkState() == Qt.CheckState.Checked
        item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)

    def _narrow(self, text: str) -> None:
        wanted = text.strip().casefold()
        for i in range(self.list.count()):
            item = self.list.item(i)
            item.setHidden(wanted not in item.text().casefold())
