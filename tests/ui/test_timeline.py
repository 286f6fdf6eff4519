"""The painted timeline, driven by real pointer and key events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from folkmoot.domain.ids import EntryId
from folkmoot.services.events import DeliveryChanged
from folkmoot.services.values import Delivery, Sealed
from folkmoot.ui.bridge import Bridge
from folkmoot.ui.conversation.shelf import Shelf
from folkmoot.ui.theme.theme import Mode as ThemeMode
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.layout import HitKind, Mode, Row, Rule, Words
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.placement import Placed
from folkmoot.ui.timeline.view import TimelineView
from folkmoot.ui.timeline.wording import Wording
from ui.samples import (
    BASE_MS,
    at_time,
    entry,
    message,
    page,
    reaction,
    repliers,
    whole,
)

NOW_MS = BASE_MS + 1000 * 120_000


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> Iterator[TimelineView]:
    """An open timeline of 700 x 500 over messages 900 to 999 of a thousand."""
    model = TimelineModel()
    made = TimelineView(model, theme, now_ms=lambda: NOW_MS)
    made.resize(700, 500)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    model.show_page(page(900, 1000))
    yield made
    for menu in made.findChildren(QMenu):
        menu.close()


def _placed(view: TimelineView, message_id: EntryId) -> Placed:
    return next(p for p in view.placement.visible if p.row.message.id == message_id)


def _text_y(view: TimelineView, message_id: EntryId) -> int:
    """Where the text of a message begins in the viewport."""
    placed = _placed(view, message_id)
    return placed.top + round(placed.row.pin)


def _words(row: Row) -> list[str]:
    return [part.text for part in row.parts if isinstance(part, Words | Rule)]


def _spot(view: TimelineView, message_id: EntryId, kind: HitKind, value: str = "") -> QPoint:
    placed = _placed(view, message_id)
    hit = next(h for h in placed.row.hits if h.kind is kind and value in ("", h.value))
    return (hit.box.center() + QPointF(0, placed.top)).toPoint()


def _point(view: TimelineView, point: QPoint) -> None:
    """Move the pointer there; Qt sends no move to where the pointer already is."""
    QTest.mouseMove(view.viewport(), QPoint(1, 1))
    QTest.mouseMove(view.viewport(), point)


def _tab_into(view: TimelineView) -> None:
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)


def _click(view: TimelineView, point: QPoint) -> None:
    _point(view, point)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point)


def _drag(view: TimelineView, start: QPoint, end: QPoint) -> None:
    port = view.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(port, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)


def _wheel(view: TimelineView, notches: int) -> None:
    centre = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        centre,
        QPointF(view.viewport().mapToGlobal(centre)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def test_it_opens_at_the_end_and_lays_out_only_what_is_near(view: TimelineView) -> None:
    last = view.placement.visible[-1]
    assert last.row.message.id == entry(999)
    assert last.bottom == view.viewport().height()
    assert len(view.documents) < 30


def test_an_arrival_at_the_end_is_followed(view: TimelineView) -> None:
    view.model.insert(message(1000))
    assert _placed(view, entry(1000)).bottom == view.viewport().height()
    assert view.latest.isHidden()


def test_an_arrival_moves_nothing_while_one_reads_above_and_is_counted(view: TimelineView) -> None:
    _wheel(view, 5)
    reading = view.placement.visible[1].row.message.id
    before = _text_y(view, reading)
    view.model.insert(message(1000, author=2))
    assert _text_y(view, reading) == before
    assert view.latest.isVisible()
    assert view.latest.text() == "1 new message"


def test_the_pill_leads_to_the_latest_message(view: TimelineView) -> None:
    _wheel(view, 5)
    view.model.insert(message(1000, author=2))
    QTest.mouseClick(view.latest, Qt.MouseButton.LeftButton)
    assert _placed(view, entry(1000)).bottom == view.viewport().height()
    assert view.latest.isHidden()


def test_an_older_page_moves_nothing(view: TimelineView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.model.older_wanted, timeout=10_000):
        for _ in range(60):
            _wheel(view, 2)
    top = view.placement.visible[0].row.message.id
    reading = view.placement.visible[1].row.message.id
    before = _text_y(view, reading)
    view.model.add_older(page(836, 900))
    assert _text_y(view, reading) == before
    assert view.model.index_of(top) is not None
    _wheel(view, 3)
    assert view.model[view.placement.visible[0].index].id != top


@pytest.mark.parametrize("where", ["above", "within", "below"])
def test_a_late_message_moves_nothing_that_is_read(view: TimelineView, where: str) -> None:
    _wheel(view, 12)
    shown = view.placement.visible
    reading = shown[len(shown) // 2].row.message.id
    number = int.from_bytes(reading, "big")
    _point(view, QPoint(300, _text_y(view, reading) + 5))
    before = _text_y(view, reading)
    place = {"above": number - 30, "within": number - 1, "below": number + 30}[where]
    late = at_time(message(5000, "I was away.", author=3), BASE_MS + place * 120_000 + 5)
    view.model.insert(late)
    assert view.model.index_of(entry(5000)) is not None
    assert _text_y(view, reading) == before


def test_a_reaction_moves_nothing_that_is_read_and_not_the_row_under_the_pointer(
    view: TimelineView,
) -> None:
    _wheel(view, 12)
    above, reading = view.placement.visible[1], view.placement.visible[4].row.message.id
    _point(view, QPoint(300, _text_y(view, reading) + 5))
    before = _text_y(view, reading)
    number = int.from_bytes(above.row.message.id, "big")
    view.model.replace(message(number, reactions=(reaction("👍", 2),)))
    assert _text_y(view, reading) == before
    assert view.row_at(above.index).height > above.row.height


def test_hover_shows_the_bar_and_adds_no_height(view: TimelineView) -> None:
    before = [(p.top, p.row.height) for p in view.placement.visible]
    target = view.placement.visible[5]
    _point(view, QPoint(300, target.top + 12))
    assert view.interaction.hovered_index() == target.index
    assert view.interaction.bar is not None
    assert [(p.top, p.row.height) for p in view.placement.visible] == before


def test_the_bar_offers_what_the_presenter_allows_and_tells_the_act(
    view: TimelineView, qtbot: QtBot
) -> None:
    view.actions_for = lambda _message: frozenset({Act.THREAD, Act.COPY})
    target = view.placement.visible[5]
    _point(view, QPoint(300, target.top + 12))
    bar = view.interaction.bar
    assert bar is not None
    assert bar.acts == (Act.THREAD, Act.MORE)
    with qtbot.waitSignal(view.open_thread, timeout=10_000) as told:
        QTest.mouseMove(view.viewport(), bar.cell(0).center())
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=bar.cell(0).center())
    assert told.args == [target.row.message.id]


def test_a_click_on_a_reaction_toggles_mine(view: TimelineView, qtbot: QtBot) -> None:
    reactions = (reaction("👀", 2, mine=True), reaction("👍", 1))
    view.model.replace(message(999, reactions=reactions))
    with qtbot.waitSignal(view.react, timeout=10_000) as told:
        _click(view, _spot(view, entry(999), HitKind.REACTION, "👀"))
    assert told.args == [entry(999), "👀", False]
    with qtbot.waitSignal(view.react, timeout=10_000) as told:
        _click(view, _spot(view, entry(999), HitKind.REACTION, "👍"))
    assert told.args == [entry(999), "👍", True]
    with qtbot.waitSignal(view.react_more, timeout=10_000) as told:
        _click(view, _spot(view, entry(999), HitKind.ADD_REACTION))
    assert told.args is not None
    assert told.args[0] == entry(999)


def test_the_thread_line_opens_the_thread(view: TimelineView, qtbot: QtBot) -> None:
    row = message(999, reply_count=4, last_reply_ms=NOW_MS - 20 * 60_000, repliers=repliers(2))
    view.model.replace(row)
    words = _words(_placed(view, entry(999)).row)
    assert "4 replies" in words
    assert any("20 minutes ago" in text and "Mara" in text for text in words)
    with qtbot.waitSignal(view.open_thread, timeout=10_000) as told:
        _click(view, _spot(view, entry(999), HitKind.THREAD))
    assert told.args == [entry(999)]


def test_messages_are_grouped_by_author_within_five_minutes(view: TimelineView) -> None:
    rows = (
        message(0, "a", author=1),
        at_time(message(1, "b", author=1), BASE_MS + 4 * 60_000),
        at_time(message(2, "c", author=1), BASE_MS + 10 * 60_000),
        at_time(message(3, "d", author=2), BASE_MS + 11 * 60_000),
    )
    view.model.show_page(whole(*rows))
    assert [view.row_at(n).header for n in range(4)] == [True, False, True, True]


def test_a_day_line_stands_before_the_first_message_of_each_day(view: TimelineView) -> None:
    day = 86_400_000
    rows = tuple(
        at_time(message(n, author=n), NOW_MS - back * day) for n, back in enumerate((3, 1, 0))
    )
    view.model.show_page(whole(*rows))
    first = [_words(view.row_at(n))[0] for n in range(3)]
    assert first[1:] == ["Yesterday", "Today"]
    assert "November" in first[0]


def test_the_new_line_stands_before_the_first_unread_message(view: TimelineView) -> None:
    view.model.show_page(page(900, 1000), entry(997))
    assert "New" in _words(_placed(view, entry(997)).row)
    view.model.set_first_unread(None)
    assert "New" not in _words(_placed(view, entry(997)).row)


def test_a_selection_across_messages_is_copied_with_author_and_time(view: TimelineView) -> None:
    first, last = _text_y(view, entry(997)), _text_y(view, entry(999))
    _drag(view, QPoint(68, first + 8), QPoint(600, last + 8))
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert [f"Message number {n}." in copied for n in (997, 998, 999)] == [True] * 3
    assert copied.count("2023") == 3


def test_a_selection_within_one_message_is_copied_as_its_words(view: TimelineView) -> None:
    y = _text_y(view, entry(998)) + 8
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(80, y))
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Message"


def test_arrow_keys_move_a_focused_message_and_return_opens_its_menu(view: TimelineView) -> None:
    _tab_into(view)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.keys.focused_index() == len(view.model) - 2
    for _ in range(20):
        QTest.keyClick(view, Qt.Key.Key_Up)
    focused = view.keys.focused_index()
    assert focused == len(view.model) - 22
    assert _placed(view, view.model[focused].id).top >= 0
    QTest.keyClick(view, Qt.Key.Key_Return)
    texts = [action.text() for menu in view.findChildren(QMenu) for action in menu.actions()]
    assert "Copy text" in texts
    assert "Reply in thread" in texts


def test_shift_and_arrow_select_messages(view: TimelineView) -> None:
    _tab_into(view)
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert "Message number 999." in copied
    assert "Message number 998." in copied


def test_page_and_end_keys_scroll(view: TimelineView) -> None:
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_PageUp)
    assert view.placement.visible[-1].row.message.id != entry(999)
    QTest.keyClick(view, Qt.Key.Key_End)
    assert _placed(view, entry(999)).bottom == view.viewport().height()


def test_home_asks_for_the_first_message_and_shows_it(view: TimelineView, qtbot: QtBot) -> None:
    with qtbot.waitSignal(view.model.jump_wanted, timeout=10_000) as wanted:
        QTest.keyClick(view, Qt.Key.Key_Home)
    assert wanted.args == [0]
    view.model.show_page(page(0, 64))
    assert _placed(view, entry(0)).top == 0


def test_the_scroll_bar_reaches_every_message_by_its_ordinal(
    view: TimelineView, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(view.model.jump_wanted, timeout=10_000) as wanted:
        view.verticalScrollBar().setValue(400 * 100)
    assert wanted.args == [400]
    view.model.show_page(page(370, 434))
    assert view.placement.visible[0].row.message.id == entry(400)


def test_a_message_that_is_not_held_is_asked_for_and_then_shown_in_the_middle(
    view: TimelineView, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(view.message_wanted, timeout=10_000) as wanted:
        view.show_message(entry(500))
    assert wanted.args == [entry(500)]
    view.model.show_page(page(468, 532))
    placed = _placed(view, entry(500))
    assert abs(placed.top + placed.row.height / 2 - view.viewport().height() / 2) < 20


def test_what_is_read_is_told_once_at_the_end_of_an_active_window(
    view: TimelineView, qtbot: QtBot
) -> None:
    view.activateWindow()
    told: list[object] = []
    view.read_to.connect(told.append)
    with qtbot.waitSignal(view.read_to, timeout=10_000):
        view.model.insert(message(1000))
    _wheel(view, 5)
    view.model.insert(message(1001))
    view.grab()
    QApplication.processEvents()
    assert view.model[len(view.model) - 2] in told
    assert view.model[len(view.model) - 1] not in told


def test_a_link_is_told_and_never_opened(view: TimelineView, qtbot: QtBot) -> None:
    view.model.insert(message(1000, "https://example.org/a"))
    point = QPoint(90, _text_y(view, entry(1000)) + 8)
    with qtbot.waitSignal(view.link_activated, timeout=10_000) as told:
        _click(view, point)
    assert told.args == ["https://example.org/a"]


def test_a_long_text_is_shown_shortened_and_then_whole_in_place(view: TimelineView) -> None:
    view.model.insert(message(1000, "line\n" * 300))
    short = _placed(view, entry(1000)).row.height
    view.reveal(len(view.model) - 1)
    _click(view, _spot(view, entry(1000), HitKind.SHOW_ALL))
    assert view.row_at(len(view.model) - 1).height > short * 3


def test_a_deleted_message_is_a_line_without_its_text_or_acts(view: TimelineView) -> None:
    view.model.replace(message(999, "secret", deleted=True))
    placed = _placed(view, entry(999))
    assert placed.row.body is None
    assert any("deleted this message" in text for text in _words(placed.row))
    _point(view, QPoint(300, placed.bottom - 6))
    assert view.interaction.bar is None


def test_a_delivery_mark_is_worn_by_what_nobody_else_holds_and_by_the_newest_own(
    view: TimelineView,
) -> None:
    view.model.insert(message(1000, author=0, stored_on=5))
    view.model.insert(message(1001, author=2, stored_on=5))
    height = _placed(view, entry(1000)).row.height
    assert any("on 5 of 9" in text for text in _words(_placed(view, entry(1000)).row))
    assert not any("of 9" in text for text in _words(_placed(view, entry(1001)).row))
    view.model.insert(message(1002, author=0, stored_on=1))
    assert not any("of 9" in text for text in _words(_placed(view, entry(1000)).row))
    assert any("only on this" in text for text in _words(_placed(view, entry(1002)).row))
    view.model.replace(message(1000, author=0, stored_on=1))
    assert any("only on this" in text for text in _words(_placed(view, entry(1000)).row))
    view.model.replace(message(1000, author=0, stored_on=9))
    assert not any("of 9" in text for text in _words(_placed(view, entry(1000)).row))
    assert _placed(view, entry(1000)).row.height == height


def test_a_message_that_waits_at_a_server_says_where_and_until_when(view: TimelineView) -> None:
    sent = message(1000, author=0, stored_on=1)
    tomorrow_ms = sent.sent_at_ms + 24 * 3600 * 1000
    waits = Sealed(sent.device, "wss://talk.example.org:8480", tomorrow_ms)
    view.model.insert(replace(sent, sealed=waits))
    [words] = [w for w in _words(_placed(view, entry(1000)).row) if "sealed" in w]
    until = Wording().moment(tomorrow_ms, sent.sent_at_ms)
    assert words == f"kept sealed at talk.example.org:8480 until {until}"
    view.model.replace(replace(sent, stored_on=2, sealed=waits))
    assert any("on 2 of 9" in text for text in _words(_placed(view, entry(1000)).row))


def test_a_timeline_follows_what_is_told_of_its_messages(view: TimelineView) -> None:
    sent = message(1000, author=0, stored_on=1)
    view.model.insert(sent)
    shelf = Shelf(cast(Bridge, None))
    shelf.keep((sent.conversation, None), view.model)
    waits = Sealed(sent.device, "wss://talk.example.org", sent.sent_at_ms)
    later = replace(waits, until_ms=waits.until_ms + 1)
    delivery = Delivery((sent.device,), (), (later, waits))
    shelf.take(DeliveryChanged(sent.conversation, ((sent.id, 1, 9),), delivery))
    assert view.model[len(view.model) - 1] == replace(sent, sealed=waits)
    shelf.take(DeliveryChanged(sent.conversation, ((sent.id, 2, 9),)))
    assert view.model[len(view.model) - 1] == replace(sent, sealed=waits, stored_on=2)


def test_a_screen_reader_finds_a_list_of_messages(view: TimelineView) -> None:
    listed = QAccessible.queryAccessibleInterface(view)
    assert listed.role() == QAccessible.Role.List
    assert listed.childCount() == len(view.placement.visible)
    item = listed.child(listed.childCount() - 1)
    assert item.role() == QAccessible.Role.ListItem
    assert "Message number 999." in item.text(QAccessible.Text.Name)
    assert listed.indexOfChild(item) == listed.childCount() - 1


def test_the_content_stops_growing_at_920_pixels(view: TimelineView) -> None:
    view.resize(1600, 500)
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    body = view.row_at(50).body
    assert body is not None
    assert body.width == 920 - 36 - 12


def test_a_resize_keeps_the_end_at_the_end(view: TimelineView) -> None:
    view.resize(500, 380)
    assert _placed(view, entry(999)).bottom == view.viewport().height()


def test_a_thread_begins_with_its_first_message_and_a_divider(theme: Theme, qtbot: QtBot) -> None:
    model = TimelineModel()
    made = TimelineView(model, theme, mode=Mode.THREAD, now_ms=lambda: NOW_MS)
    qtbot.addWidget(made)
    made.resize(330, 700)
    made.show()
    root = message(1, "Root", reply_count=2)
    model.show_page(whole(root, message(5, "one", author=2), message(6, "two", author=3)))
    assert made.placement.visible[0].top == 0
    assert "2 replies" in _words(made.row_at(0))
    assert all(not isinstance(part, Rule) for part in made.row_at(1).parts)


def test_a_first_reply_names_its_author_below_the_divider(theme: Theme, qtbot: QtBot) -> None:
    model = TimelineModel()
    made = TimelineView(model, theme, mode=Mode.THREAD, now_ms=lambda: NOW_MS)
    qtbot.addWidget(made)
    made.resize(330, 700)
    root = message(1, "Root", reply_count=2)
    replies = [message(number, "me again", author=0, thread=root.id) for number in (2, 3)]
    model.show_page(whole(root, *replies))
    assert [made.row_at(index).header for index in range(3)] == [True, True, False]


def test_the_window_of_messages_is_bounded_and_forgets_the_far_side(view: TimelineView) -> None:
    for first in range(836, 0, -64):
        view.model.add_older(page(first, first + 64))
    assert len(view.model) == 640
    assert view.model.has_newer
    assert view.model.rows[0].id == entry(view.model.first_ordinal)


def test_another_conversation_is_shown_and_the_old_one_is_let_go(view: TimelineView) -> None:
    old, new = view.model, TimelineModel()
    new.show_page(whole(message(1), message(2)))
    view.set_model(new)
    assert [p.row.message.id for p in view.placement.visible] == [entry(1), entry(2)]
    old.insert(message(1000))
    old.remove(entry(950))
    assert [p.row.message.id for p in view.placement.visible] == [entry(1), entry(2)]
    new.insert(message(3))
    assert view.placement.visible[-1].row.message.id == entry(3)


def test_a_theme_switch_keeps_the_place(view: TimelineView, theme: Theme) -> None:
    _wheel(view, 7)
    before = [(p.row.message.id, p.top) for p in view.placement.visible]
    theme.set_mode(ThemeMode.DARK)
    assert [(p.row.message.id, p.top) for p in view.placement.visible] == before
    _point(view, QPoint(300, 100))
    assert view.grab().toImage().pixelColor(5, 400) == theme.colour("panel")


def test_rows_keep_their_height_when_the_minute_passes(view: TimelineView) -> None:
    row = message(999, reply_count=4, last_reply_ms=NOW_MS - 20 * 60_000, repliers=repliers(2))
    view.model.replace(row)
    before = [(p.row.message.id, p.top) for p in view.placement.visible]
    view._refresh_times()
    assert [(p.row.message.id, p.top) for p in view.placement.visible] == before


def test_a_reply_leads_to_what_it_answers(view: TimelineView) -> None:
    view.model.insert(message(1000, reply_to=entry(905)))
    _click(view, _spot(view, entry(1000), HitKind.REPLIED_TO))
    assert any(p.row.message.id == entry(905) for p in view.placement.visible)


def test_the_right_button_opens_the_menu_and_an_act_is_told(
    view: TimelineView, qtbot: QtBot
) -> None:
    y = _text_y(view, entry(998)) + 8
    QTest.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=QPoint(80, y))
    (menu,) = view.findChildren(QMenu)
    (reply,) = (action for action in menu.actions() if action.text() == "Reply")
    with qtbot.waitSignal(view.reply, timeout=10_000) as told:
        reply.trigger()
    assert told.args == [entry(998)]


def test_the_code_button_copies_the_code_alone(view: TimelineView) -> None:
    view.model.insert(message(1000, "look\n```python\nx = 1\ny = 2\n```"))
    _click(view, _spot(view, entry(1000), HitKind.COPY_CODE))
    assert QGuiApplication.clipboard().text() == "x = 1\ny = 2"


def test_an_arrival_does_not_take_a_button_from_under_the_pointer(view: TimelineView) -> None:
    target = view.placement.visible[5]
    _point(view, QPoint(300, target.top + 12))
    bar = view.interaction.bar
    assert bar is not None
    QTest.mouseMove(view.viewport(), bar.cell(1).center())
    view.model.insert(message(1000, author=2))
    assert view.interaction.bar == bar
    assert view.latest.text() == "1 new message"


def test_a_message_below_the_held_window_is_counted_only_when_it_is_new(
    view: TimelineView,
) -> None:
    view.model.show_page(page(400, 500))
    view.model.insert(message(2000))
    assert view.latest.text() == "1 new message"
    view.model.add_newer(page(436, 500))
    assert view.latest.text() == "1 new message"


def test_a_done_task_looks_done(view: TimelineView) -> None:
    pictures = []
    for mark in (" ", "x"):
        view.model.show_page(whole(message(1, f"- [{mark}] task", author=1)))
        pictures.append(view.grab().toImage())
    assert pictures[0] != pictures[1]
