"""The start screen: a card with two halves that stand below each other in a narrow window.

Draws what the presenter says and tells what the person did; decides nothing.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from folkmoot.ui.start.nearby_list import NearbyPane
from folkmoot.ui.start.state import Step
from folkmoot.ui.start.steps import JoiningStep, NameTeamStep, PasteStep, WelcomeStep
from folkmoot.ui.theme.fonts import TextStyle
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.widgets.buttons import Button, ButtonKind
from folkmoot.ui.widgets.text import Text

CARD_WIDTH = 860
CARD_HEIGHT = 500
LEFT_WIDTH = 400
NARROW = 800
"""Below this width the halves stand below each other."""

_SCROLL_BAR = 12
"""Kept free beside the card, so that a low window scrolls one way only."""


class _TwoHalves(QWidget):
    """The card: panel on the left (or top), window ground on the right (or bottom)."""

    def __init__(self, theme: Theme, left: QWidget, right: QWidget) -> None:
        super().__init__()
        self._theme = theme
        self._left, self._right = left, right
        self.line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self.line.setContentsMargins(1, 1, 1, 1)
        self.line.setSpacing(0)
        self.line.addWidget(left)
        self.line.addWidget(right, 1)

    def stand(self, below: bool) -> None:
        """Side by side, or below each other."""
        way = QBoxLayout.Direction
        self.line.setDirection(way.TopToBottom if below else way.LeftToRight)
        self._left.setMinimumWidth(0 if below else LEFT_WIDTH)
        self._left.setMaximumWidth(16_777_215 if below else LEFT_WIDTH)
        self._left.setMinimumHeight(430 if below else 0)
        self._right.setMinimumHeight(320 if below else 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Panel, the other ground, the edge and the line between."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        shape.addRoundedRect(box, 16, 16)
        painter.fillPath(shape, self._theme.colour("panel"))
        painter.save()
        painter.setClipPath(shape)
        painter.fillRect(self._right.geometry(), self._theme.colour("window"))
        painter.setPen(QPen(self._theme.colour("line"), 1))
        place = self._right.geometry()
        if self.line.direction() == QBoxLayout.Direction.LeftToRight:
            painter.drawLine(place.left(), 0, place.left(), self.height())
        else:
            painter.drawLine(0, place.top(), self.width(), place.top())
        painter.restore()
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.drawPath(shape)


class StartView(QWidget):
    """The whole start screen."""

    left = Signal()
    """Back to the team that is there already."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Start"))
        self.welcome = WelcomeStep(theme)
        self.name_team = NameTeamStep(theme)
        self.paste = PasteStep(theme)
        self.joining = JoiningStep(theme)
        self.nearby = NearbyPane(theme)
        self._card = _TwoHalves(theme, self._build_left(theme), self.nearby)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground = QWidget()
        self._place = QVBoxLayout(ground)
        self._place.addWidget(self._card, 0, Qt.AlignmentFlag.AlignCenter)
        area.setWidget(ground)
        outer.addWidget(area)
        self.setFocusProxy(self.welcome.name)

    def _build_left(self, theme: Theme) -> QWidget:
        half = QWidget()
        column = QVBoxLayout(half)
        column.setContentsMargins(40, 48, 40, 36)
        column.setSpacing(0)
        heading = Text(self.tr("Talk to the people\non your network."), theme, TextStyle.DISPLAY)
        column.addWidget(heading)
        column.addSpacing(10)
        promise = self.tr(
            "No account, no server needed. Only your team's own computers can read your messages."
        )
        column.addWidget(Text(promise, theme, token="mute", wrap=True))
        column.addSpacing(26)
        self._steps = QStackedWidget()
        self._steps.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        for step in (self.welcome, self.name_team, self.paste, self.joining):
            self._steps.addWidget(step)
        column.addWidget(self._steps, 1)
        self._leave = Button("", theme, ButtonKind.LINK, height=28)
        self._leave.clicked.connect(self.left)
        self._leave.setVisible(False)
        row = QHBoxLayout()
        row.addWidget(self._leave)
        row.addStretch(1)
        column.addLayout(row)
        return half

    def show_step(self, step: Step) -> None:
        """Show a step and put the cursor where one types."""
        self._steps.setCurrentIndex(step.value)
        first: dict[Step, QWidget] = {
            Step.WELCOME: self.welcome.name,
            Step.NAME_TEAM: self.name_team.name,
            Step.PASTE: self.paste.link,
            Step.JOINING: self.joining.cancel,
        }
        first[step].setFocus(Qt.FocusReason.OtherFocusReason)

    def offer_way_back(self, team: str) -> None:
        """Offer to go back to a team; an empty name offers nothing."""
        self._leave.setText(self.tr("Back to {team}").format(team=team))
        self._leave.setVisible(bool(team))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the card: side by side where there is room."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        edge = 12 if narrow else 24
        self._place.setContentsMargins(edge, edge, edge, edge)
        self._card.stand(narrow)
        width = min(CARD_WIDTH, self.width() - 2 * edge - _SCROLL_BAR)
        self._card.setFixedWidth(width)
        self._card.setMinimumHeight(0 if narrow else CARD_HEIGHT)
