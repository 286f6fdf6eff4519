"""The two things that say where in the list one is: the scroll bar in messages, and the pill.

The bar counts messages of the whole list, held or not; it never measures what is not visible.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollBar, QWidget

from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.placement import Placement
from folkmoot.ui.timeline.wording import Wording
from folkmoot.ui.widgets.buttons import Button, ButtonKind

UNITS = 100
"""Scroll bar units of one message."""
_PILL_MARGIN = 12


def show_on_bar(
    bar: QScrollBar, placement: Placement, model: TimelineModel, *, at_end: bool
) -> None:
    """Move the bar to where the placement is, without its telling anybody."""
    visible = placement.visible
    page = max(1, len(visible)) * UNITS
    bar.blockSignals(True)
    bar.setRange(0, max(0, model.total * UNITS - page))
    bar.setEnabled(bar.maximum() > 0)
    bar.setPageStep(page)
    bar.setSingleStep(UNITS // 2)
    if at_end:
        bar.setValue(bar.maximum())
    elif visible:
        first = visible[0]
        part = max(0.0, -first.top / max(1.0, first.row.height))
        bar.setValue(round((model.first_ordinal + first.index + part) * UNITS))
    bar.blockSignals(False)


class LatestPill(Button):
    """Leads to the newest message and counts what arrived below."""

    def __init__(self, theme: Theme, wording: Wording, parent: QWidget) -> None:
        super().__init__(
            wording.newer(0), theme, ButtonKind.PRIMARY, icon="arrow-down", parent=parent
        )
        self._wording = wording
        self._port = parent
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()

    def offer(self, count: int) -> None:
        """Show over the lower edge of the parent with `count` new messages."""
        self.setText(self._wording.newer(count))
        self.setAccessibleName(self.text())
        self.resize(self.sizeHint())
        port = self._port.rect()
        x = (port.width() - self.width()) // 2
        self.move(x, port.height() - self.height() - _PILL_MARGIN)
        self.show()
