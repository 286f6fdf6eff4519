"""Painted rows of the side bar and the rail: buttons by nature, so every reader knows them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from folkmoot.services.call_values import CallPhase
from folkmoot.services.values import PresenceState
from folkmoot.ui.main.state import RowState, TeamState, presence_words
from folkmoot.ui.theme.avatars import paint_avatar, paint_presence
from folkmoot.ui.theme.fonts import TextStyle, make_font
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.focus import KeyboardFocus
from folkmoot.ui.widgets.surfaces import paint_badge
from folkmoot.ui.widgets.text import plain_tip

ROW_HEIGHT = 30


class ConversationRow(KeyboardFocus, QPushButton):
    """One conversation: sign or avatar, name, unread count."""

    focus_radius = 7

    def __init__(self, row: RowState, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.row = row
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROW_HEIGHT)
        self.setCheckable(True)
        self.show_row(row)

    def show_row(self, row: RowState) -> None:
        """Show the newest about this conversation."""
        self.row = row
        self.setChecked(row.current)
        words = [row.name]
        if row.unread:
            words.append(self.tr("{n} unread").format(n=row.unread))
        if row.draft:
            words.append(self.tr("draft"))
        if row.presence is not None:
            words.append(presence_words(row.presence))
        if row.call is not None:
            words.append(self._call_words())
        self.setAccessibleName(", ".join(words))
        self.update()

    def nextCheckState(self) -> None:
        """The presenter says which row is current; a click alone does not."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, sign, name, badge."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = self.row
        ground = "side"
        if row.current or self.underMouse():
            ground = "accent_soft" if row.current else "hover"
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour(ground))
            painter.drawRoundedRect(QRectF(self.rect()), 7, 7)
        strong = row.current or row.unread > 0
        token = "ink" if strong else "mute"
        ratio = self.devicePixelRatioF()
        left = 32
        if row.key:
            box = QRectF(8, 5, 20, 20)
            paint_avatar(painter, box, row.name, row.key)
            if row.presence is not None:
                paint_presence(painter, box, row.presence, self.theme, ground)
            left = 36
        else:
            painter.drawPixmap(8, 7, self.theme.pixmap("hash", token, 16, ratio))
        room = self.width() - 8 - self._paint_end(painter, ratio) - left
        font = self.theme.font(TextStyle.STRONG if strong else TextStyle.BODY)
        shown = write_line(
            painter, font, self.theme, token, row.name, QRectF(left, 0, room, self.height())
        )
        self.setToolTip("" if shown else plain_tip(row.name))

    def _paint_end(self, painter: QPainter, ratio: float) -> float:
        """Badge, mark of a call or the pencil of a draft; returns the width it took."""
        taken = self._paint_badge(painter)
        if self.row.call is not None:
            return taken + self._paint_call(painter, taken)
        if taken:
            return taken
        if self.row.draft and not self.row.current:
            picture = self.theme.pixmap("pencil", "faint", 14, ratio)
            painter.drawPixmap(self.width() - 22, 8, picture)
            return 20
        return 0

    def _call_words(self) -> str:
        mine = self.row.call in (CallPhase.JOINED, CallPhase.CALLING)
        if mine:
            return self.tr("in call")
        return self.tr("rings") if self.row.call is CallPhase.RINGING else self.tr("call")

    def _paint_call(self, painter: QPainter, taken: float) -> float:
        """A dot and a word: full when this person is in it, a ring when others are."""
        words = self._call_words()
        font = make_font(11, QFont.Weight.DemiBold)
        width = QFontMetricsF(font).horizontalAdvance(words)
        right = self.width() - 8 - taken
        painter.setFont(font)
        painter.setPen(self.theme.colour("accent"))
        box = QRectF(right - width, 0, width + 1, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)
        dot = QRectF(right - width - 12, self.height() / 2 - 4, 8, 8)
        if self.row.call in (CallPhase.JOINED, CallPhase.CALLING):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("accent"))
            painter.drawEllipse(dot)
        else:
            painter.setPen(QPen(self.theme.colour("accent"), 1.75))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot.adjusted(1, 1, -1, -1))
        return width + 18

    def _paint_badge(self, painter: QPainter) -> float:
        if self.row.unread:
            text = "99+" if self.row.unread > 99 else str(self.row.unread)
            metrics = QFontMetricsF(self.theme.font(TextStyle.BADGE))
            width = max(18.0, metrics.horizontalAdvance(text) + 10)
            paint_badge(painter, QRectF(self.width() - 8 - width, 6, width, 18), text, self.theme)
            return width + 6
        return 0


class TeamButton(KeyboardFocus, QPushButton):
    """A team in the rail."""

    focus_radius = 12

    def __init__(self, team: TeamState, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.team = team
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedSize(QSize(44, 44))
        self.show_team(team)

    def show_team(self, team: TeamState) -> None:
        """Show the newest about this team."""
        self.team = team
        self.setToolTip(plain_tip(team.name))
        unread = self.tr("{n} unread").format(n=team.unread)
        self.setAccessibleName(f"{team.name}, {unread}" if team.unread else team.name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Avatar, a bar when it is open, a dot when something is unread."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.team.current:
            painter.setBrush(self.theme.colour("accent"))
            painter.drawRoundedRect(QRectF(-3, 12, 6, 20), 3, 3)
        if not self.team.current and not self.underMouse():
            painter.setOpacity(0.75)
        paint_avatar(painter, QRectF(4, 4, 36, 36), self.team.name, self.team.team)
        painter.setOpacity(1)
        if self.team.unread and not self.team.current:
            painter.setBrush(self.theme.colour("side"))
            painter.drawEllipse(QRectF(31, 1, 13, 13))
            painter.setBrush(self.theme.colour("accent"))
            painter.drawEllipse(QRectF(33, 3, 9, 9))


class PersonButton(KeyboardFocus, QPushButton):
    """Avatar, name and a line: the team at the top, oneself at the foot, a member in a list."""

    menu_wanted = Signal(QPoint)
    """The right button or the key for menus; global."""

    focus_radius = 8

    def __init__(self, theme: Theme, *, ground: str, side: int = 32) -> None:
        super().__init__()
        self.theme = theme
        self._ground = ground
        self._side = side
        self._name, self._key, self._line, self._end = "", b"", "", ""
        self._icon = ""
        self._presence: PresenceState | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(side + 12)

    def show_person(
        self,
        name: str,
        key: bytes,
        line: str,
        *,
        presence: PresenceState | None = None,
        end: str = "",
        icon: str = "",
    ) -> None:
        """Show a person or a team; `end` is a short word at the right, `icon` stands before the
        line."""
        self._name, self._key, self._line, self._end = name, key, line, end
        self._icon = icon
        self._presence = presence
        words = [name, presence_words(presence) if presence else "", line, end]
        self.setAccessibleName(", ".join(dict.fromkeys(word for word in words if word)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground while hovered, then avatar and words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hot = self.underMouse() and self.isEnabled()
        ground = "hover" if hot else self._ground
        if hot:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.colour("hover"))
            painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        box = QRectF(6, (self.height() - self._side) / 2, self._side, self._side)
        paint_avatar(painter, box, self._name, self._key)
        if self._presence is not None:
            paint_presence(painter, box, self._presence, self.theme, ground)
        left = box.right() + 12
        right = self.width() - 8.0
        meta = self.theme.font(TextStyle.META)
        if self._end:
            width = QFontMetricsF(meta).horizontalAdvance(self._end) + 1
            end = QRectF(right - width, 0, width, self.height())
            write_line(painter, meta, self.theme, "mute", self._end, end)
            right -= width + 8
        top = (self.height() - (36 if self._line else 20)) / 2
        name = QRectF(left, top, right - left, 20)
        strong = self.theme.font(TextStyle.STRONG)
        shown = write_line(painter, strong, self.theme, "ink", self._name, name)
        self.setToolTip("" if shown else plain_tip(self._name))
        if self._line:
            if self._icon:
                picture = self.theme.pixmap(self._icon, "mute", 12, self.devicePixelRatioF())
                painter.drawPixmap(round(left), round(top) + 22, picture)
                left += 17
            line = QRectF(left, top + 20, right - left, 16)
            whole = write_line(painter, meta, self.theme, "mute", self._line, line)
            if not whole:
                self.setToolTip(plain_tip(f"{self._name}\n{self._line}"))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The right button, or the key for menus."""
        self.menu_wanted.emit(event.globalPos())


def write_line(
    painter: QPainter, font: QFont, theme: Theme, token: str, text: str, box: QRectF
) -> bool:
    """Draw one line into `box`, with … where it does not fit; whether all of it was drawn."""
    painter.setFont(font)
    painter.setPen(theme.colour(token))
    mode = Qt.TextElideMode.ElideRight
    line = " ".join(text.split())
    shown = QFontMetricsF(font).elidedText(line, mode, box.width() + 0.5)
    painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
    return shown == line
