"""What a screen reader finds in the timeline, and that asking does no harm."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline import accessible
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from ui.samples import message, page, reaction


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> TimelineView:
    """An open timeline; the last message is somebody's and has a reaction."""
    made = TimelineView(TimelineModel(), theme)
    made.resize(700, 500)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    made.model.show_page(page(990, 1000))
    made.model.insert(message(1000, author=1, reactions=(reaction("👍", 1),)))
    return made


def _last(view: TimelineView) -> QAccessibleInterface:
    listed = QAccessible.queryAccessibleInterface(view)
    return listed.child(listed.childCount() - 1)


def _names(item: QAccessibleInterface) -> list[str]:
    return [item.child(n).text(QAccessible.Text.Name) for n in range(item.childCount())]


def test_what_can_be_pressed_in_a_message_is_a_button_with_a_name(view: TimelineView) -> None:
    reaction_name, add = _names(_last(view))
    assert reaction_name.startswith("👍")
    assert add == "React"
    placed = view.placement.visible[-1]
    QTest.mouseMove(view.viewport(), QPoint(1, 1))
    QTest.mouseMove(view.viewport(), QPoint(300, placed.bottom - 50))
    item = _last(view)
    assert _names(item)[2:] == ["React", "Reply", "Reply in thread", "More"]
    more = item.child(item.childCount() - 1)
    assert more.role() == QAccessible.Role.Button
    assert view.interaction.bar is not None
    corner = view.viewport().mapToGlobal(view.interaction.bar.cell(3).topLeft())
    assert more.rect().topLeft() == corner


def test_each_answer_for_a_view_is_its_own_since_qt_deletes_each_once(view: TimelineView) -> None:
    factory = accessible._Factory()
    answers = [factory("TimelineView", view) for _ in range(2)]
    assert answers[0] is not None
    assert answers[0] is not answers[1]
