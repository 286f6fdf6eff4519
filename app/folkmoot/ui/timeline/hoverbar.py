"""The bar of acts over the hovered message, painted on top: it adds no height, moves nothing."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF
from PySide6.QtGui import QPainter, QPen

from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.popover import paint_shadow

_CELL = 32
_HEIGHT = 30


class Act(enum.Enum):
    """What can be done with a message; the presenter says which of them may be offered."""

    REACT = "smile-plus"
    REPLY = "reply"
    THREAD = "message-square-reply"
    EDIT = "pencil"
    COPY = "copy"
    DELETE = "trash-2"
    MORE = "ellipsis"


ON_BAR = (Act.REACT, Act.REPLY, Act.THREAD)


def act_name(act: Act) -> str:
    """The words of an act, for tool tip, menu and screen reader."""
    return {
        Act.REACT: QCoreApplication.translate("Timeline", "React"),
        Act.REPLY: QCoreApplication.translate("Timeline", "Reply"),
        Act.THREAD: QCoreApplication.translate("Timeline", "Reply in thread"),
        Act.EDIT: QCoreApplication.translate("Timeline", "Edit"),
        Act.COPY: QCoreApplication.translate("Timeline", "Copy text"),
        Act.DELETE: QCoreApplication.translate("Timeline", "Delete for everyone"),
        Act.MORE: QCoreApplication.translate("Timeline", "More"),
    }[act]


@dataclass(frozen=True, slots=True)
class HoverBar:
    """Where the bar lies for one row, and what it offers."""

    acts: tuple[Act, ...]
    box: QRect

    @staticmethod
    def over(band_top: float, right: float, offered: frozenset[Act]) -> HoverBar | None:
        """The bar for a row whose band begins at `band_top`; None when nothing is offered."""
        if not offered:
            return None
        acts = (*(act for act in ON_BAR if act in offered), Act.MORE)
        width = _CELL * len(acts) + 2
        top = max(4, round(band_top) - 15)
        return HoverBar(acts, QRect(round(right) - width, top, width, _HEIGHT))

    def cell(self, number: int) -> QRect:
        """Where one act is."""
        return QRect(self.box.left() + 1 + number * _CELL, self.box.top(), _CELL, _HEIGHT)

    def act_at(self, point: QPointF) -> Act | None:
        """The act below the pointer."""
        for number, act in enumerate(self.acts):
            if self.cell(number).contains(point.toPoint()):
                return act
        return None

    def paint(self, painter: QPainter, theme: Theme, hot: Act | None, ratio: float) -> None:
        """Draw it."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.box)
        paint_shadow(painter, box.adjusted(1, 1, -1, -1), 8, theme)
        painter.setPen(QPen(theme.colour("line"), 1))
        painter.setBrush(theme.colour("panel"))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        for number, act in enumerate(self.acts):
            cell = self.cell(number)
            if act is hot:
                painter.setPen(QPen(theme.colour("panel"), 0))
                painter.setBrush(theme.colour("hover"))
                painter.drawRoundedRect(QRectF(cell).adjusted(2, 3, -2, -3), 6, 6)
            picture = theme.pixmap(act.value, "ink" if act is hot else "mute", 16, ratio)
            painter.drawPixmap(cell.left() + 8, cell.top() + 7, picture)
        painter.restore()
