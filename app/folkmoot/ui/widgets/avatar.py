"""A person's or a team's avatar as a widget, with the presence dot."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from folkmoot.services.values import PresenceState
from folkmoot.ui.theme.avatars import paint_avatar, paint_presence
from folkmoot.ui.theme.theme import Theme


class Avatar(QWidget):
    """Initials on the key's colour; `side` in pixels, `ground` is the token it stands on."""

    def __init__(
        self,
        name: str,
        key: bytes,
        theme: Theme,
        *,
        side: int = 36,
        presence: PresenceState | None = None,
        ground: str = "panel",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._side = side
        self._ground = ground
        self._name, self._key, self._presence = name, key, presence
        room = 4 if presence is not None else 0
        self.setFixedSize(side + room, side + room)
        self.set_person(name, key, presence)

    def set_person(self, name: str, key: bytes, presence: PresenceState | None = None) -> None:
        """Show somebody (or somebody's new presence)."""
        self._name, self._key, self._presence = name, key, presence
        words = self._word(presence) if presence is not None else ""
        self.setAccessibleName(f"{name}, {words}" if words else name)
        self.setToolTip(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        painter = QPainter(self)
        box = QRectF(0, 0, self._side, self._side)
        paint_avatar(painter, box, self._name, self._key)
        if self._presence is not None:
            paint_presence(painter, box, self._presence, self._theme, self._ground)

    def _word(self, presence: PresenceState) -> str:
        return {
            PresenceState.ONLINE: self.tr("online"),
            PresenceState.AWAY: self.tr("away"),
            PresenceState.DND: self.tr("do not disturb"),
            PresenceState.OFFLINE: self.tr("offline"),
        }[presence]
