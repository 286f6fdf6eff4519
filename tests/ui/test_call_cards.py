"""Calls as cards in the timeline: words, pointer, keyboard, screen reader."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from folkmoot.services.values import Message
from folkmoot.ui.theme.theme import Mode as ThemeMode
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.callcard import CARD_HEIGHT, CallCard
from folkmoot.ui.timeline.callwords import LiveCall, duration, people
from folkmoot.ui.timeline.hoverbar import Act
from folkmoot.ui.timeline.layout import HitKind, Words
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from ui.samples import BASE_MS, call_message, entry, message, whole

ELIN, TOMAS, MARA, YUKI = 0, 1, 2, 3
LIVE = LiveCall("Mara, Tomas and you", "4 min", mine=True)


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> TimelineView:
    """An open timeline of 700 x 500 that tests fill."""
    made = TimelineView(TimelineModel(), theme, now_ms=lambda: BASE_MS + 3_600_000)
    made.resize(700, 500)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def _show(view: TimelineView, *rows: Message) -> None:
    view.model.show_page(whole(*rows))


def _card(view: TimelineView, index: int = 0) -> CallCard:
    return next(part for part in view.row_at(index).parts if isinstance(part, CallCard))


def _said(view: TimelineView, index: int = 0) -> tuple[str, str, str]:
    words = _card(view, index).words
    return words.title, words.line.translate({0x2068: None, 0x2069: None}), words.act


def _id(shown: Message) -> bytes:
    assert shown.call is not None
    return shown.call.id


def _button(view: TimelineView, index: int = 0) -> QPoint:
    placed = next(p for p in view.placement.visible if p.index == index)
    hit = next(h for h in placed.row.hits if h.kind is HitKind.CALL)
    return (hit.box.center() + QPointF(0, placed.top)).toPoint()


def _tab_into(view: TimelineView) -> None:
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)


def _colour_at(view: TimelineView, point: QPoint) -> str:
    picture = view.viewport().grab().toImage()
    ratio = picture.devicePixelRatio()
    return QColor(picture.pixel(round(point.x() * ratio), round(point.y() * ratio))).name()


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (
            call_message(1, TOMAS, MARA, ELIN, seconds=754),
            ("Call ended", "Video call, 12 min · Tomas, Mara and you", ""),
        ),
        (
            call_message(1, MARA, seconds=45, video=False),
            ("Missed call", "Voice call from Mara", "Call back"),
        ),
        (
            call_message(1, MARA, YUKI, seconds=3_900),
            ("Missed call", "Video call, 1 h 5 min · Mara and Yuki", "Call back"),
        ),
        (
            call_message(1, MARA, YUKI, seconds=3_900, is_open=True),
            ("Call ended", "Video call, 1 h 5 min · Mara and Yuki", ""),
        ),
        (
            call_message(1, MARA, seconds=45, video=False, is_open=True),
            ("Call ended", "Voice call, nobody joined", ""),
        ),
        (
            call_message(1, ELIN, seconds=45),
            ("No answer", "Video call, nobody joined", "Call again"),
        ),
        (
            call_message(1, ELIN, seconds=0, video=False, declined_by=(MARA,)),
            ("Declined", "Voice call, Mara declined", "Call again"),
        ),
        (
            call_message(1, MARA, seconds=0, video=False, declined=True),
            ("You declined", "Voice call from Mara", "Call back"),
        ),
        (
            call_message(1, MARA, YUKI, seconds=65, declined=True),
            ("You declined", "Video call, 1 min · Mara and Yuki", "Call back"),
        ),
        (
            call_message(1, MARA, ELIN, seconds=65, declined_by=(YUKI,)),
            ("Call ended", "Video call, 1 min · Mara and you", ""),
        ),
        (
            call_message(1, MARA, ELIN, seconds=0, video=False),
            ("Call ended", "Voice call, never connected · Mara and you", ""),
        ),
    ],
)
def test_a_card_says_how_the_call_was(
    view: TimelineView, card: Message, expected: tuple[str, str, str]
) -> None:
    _show(view, card)
    assert _said(view) == expected


def test_a_call_without_an_end_says_when_it_started_and_offers_nothing(view: TimelineView) -> None:
    shown = call_message(1, MARA)
    _show(view, shown)
    title, line, act = _said(view)
    assert (title, act) == ("Call", "")
    assert line == f"Started {view.wording.time(shown.sent_at_ms)}"


def test_a_call_that_runs_says_who_is_in_it_until_it_runs_no_more(view: TimelineView) -> None:
    shown = call_message(1, MARA)
    _show(view, shown, message(2))
    before = [(p.top, p.row.height) for p in view.placement.visible]
    view.set_live_calls({_id(shown): LIVE})
    assert _said(view) == ("Call in progress", "Mara, Tomas and you · 4 min", "Open")
    view.set_live_calls({_id(shown): LIVE._replace(mine=False)})
    assert _said(view)[2] == "Join"
    view.set_live_calls({})
    assert _said(view)[0] == "Call"
    assert [(p.top, p.row.height) for p in view.placement.visible] == before


def test_live_calls_hold_for_the_next_list_too(view: TimelineView) -> None:
    shown = call_message(1, MARA)
    view.set_live_calls({_id(shown): LIVE})
    other = TimelineModel()
    other.show_page(whole(shown))
    view.set_model(other)
    assert _said(view)[0] == "Call in progress"


def test_the_card_is_as_drawn(view: TimelineView, theme: Theme) -> None:
    shown = call_message(1, MARA)
    view.set_live_calls({_id(shown): LIVE})
    _show(view, shown)
    card = _card(view)
    assert (card.box.width(), card.box.height()) == (340, CARD_HEIGHT)
    edge = _button(view) - QPoint(0, 10)
    assert _colour_at(view, edge) == theme.colour("accent").name()
    QTest.mouseMove(view.viewport(), QPoint(1, 1))
    QTest.mouseMove(view.viewport(), edge)
    assert _colour_at(view, edge) == theme.colour("accent").darker(106).name()
    assert view.viewport().cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_a_missed_call_is_tinted_in_both_themes(view: TimelineView, theme: Theme) -> None:
    _show(view, call_message(1, MARA, seconds=45))
    grounds = []
    for mode in (ThemeMode.LIGHT, ThemeMode.DARK):
        theme.set_mode(mode)
        corner = _card(view).tile.topLeft().toPoint() + QPoint(18, 4)
        corner += QPoint(0, view.placement.visible[0].top)
        ground = QColor(_colour_at(view, corner))
        assert ground.red() > ground.blue()
        assert ground.red() > ground.green()
        grounds.append(ground.name())
    assert grounds[0] != grounds[1]


def test_a_call_in_a_channel_without_oneself_is_not_tinted(view: TimelineView) -> None:
    _show(view, call_message(1, MARA, YUKI, seconds=45, is_open=True))
    assert _card(view).words.tone == "past"


def test_a_narrow_card_keeps_title_and_button_and_lets_the_icon_go(view: TimelineView) -> None:
    _show(view, call_message(1, MARA, seconds=45))
    assert not _card(view).tile.isEmpty()
    view.resize(300, 500)
    card = _card(view)
    assert card.tile.isEmpty()
    assert card.box.right() <= view.viewport().width()
    assert card.text.right() <= card.button.left()
    assert card.button.right() < card.box.right()


def test_a_click_on_the_button_tells_the_call(view: TimelineView, qtbot: QtBot) -> None:
    shown = call_message(1, MARA, seconds=45)
    _show(view, shown)
    point = _button(view)
    with qtbot.waitSignal(view.call_pressed, timeout=10_000) as told:
        QTest.mouseMove(view.viewport(), QPoint(1, 1))
        QTest.mouseMove(view.viewport(), point)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert told.args == [_id(shown)]


def test_enter_presses_the_button_of_the_focused_card_and_menu_still_opens(
    view: TimelineView, qtbot: QtBot
) -> None:
    shown = call_message(1, MARA, seconds=45)
    _show(view, message(0), shown)
    _tab_into(view)
    with qtbot.waitSignal(view.call_pressed, timeout=10_000) as told:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [_id(shown)]
    QTest.keyClick(view, Qt.Key.Key_Menu)
    [menu] = view.findChildren(QMenu)
    names = [action.text() for action in menu.actions()]
    menu.close()
    assert "Reply" in names
    assert "Edit" not in names


def test_enter_on_a_card_without_button_opens_the_menu(view: TimelineView) -> None:
    _show(view, call_message(1, MARA))
    told: list[object] = []
    view.call_pressed.connect(told.append)
    _tab_into(view)
    QTest.keyClick(view, Qt.Key.Key_Return)
    [menu] = view.findChildren(QMenu)
    menu.close()
    assert told == []


def test_an_own_call_can_be_deleted_and_not_edited(view: TimelineView) -> None:
    offered = view.actions_for(call_message(1, ELIN))
    assert Act.DELETE in offered
    assert Act.EDIT not in offered


def test_a_card_has_reactions_replies_and_a_place_in_quotes(view: TimelineView) -> None:
    shown = replace(call_message(1, MARA, seconds=45), reply_count=2)
    _show(view, shown, message(2, "Sorry!", reply_to=entry(1)))
    assert any(hit.kind is HitKind.THREAD for hit in view.row_at(0).hits)
    quote = [part.text for part in view.row_at(1).parts if isinstance(part, Words)]
    assert any("Missed call: Video call from" in text for text in quote)


def test_copying_a_card_gives_its_words(view: TimelineView) -> None:
    _show(view, call_message(1, ELIN, seconds=45))
    view.interaction.do(Act.COPY, entry(1))
    assert QGuiApplication.clipboard().text() == "No answer: Video call, nobody joined"


def test_a_deleted_call_is_a_line(view: TimelineView) -> None:
    _show(view, replace(message(1, author=MARA), text="", deleted=True))
    assert not any(isinstance(part, CallCard) for part in view.row_at(0).parts)


def test_a_screen_reader_hears_all_of_a_card_and_finds_its_button(view: TimelineView) -> None:
    shown = call_message(1, MARA)
    view.set_live_calls({_id(shown): LIVE})
    _show(view, shown)
    item = QAccessible.queryAccessibleInterface(view).child(0)
    spoken = item.text(QAccessible.Text.Name)
    assert "Mara Oduya" in spoken
    assert "Call in progress: Mara, Tomas and you · 4 min" in spoken
    button = item.child(0)
    assert button.role() == QAccessible.Role.Button
    assert button.text(QAccessible.Text.Name) == "Open the call"
    assert button.rect().contains(view.viewport().mapToGlobal(_button(view)))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_900, "1 h 5 min")]
)
def test_a_duration_is_said_shortly(seconds: int, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("names", "and_you", "words"),
    [
        ((), False, ""),
        (("Mara Oduya", "Me"), True, "Mara and you"),
        (("Mara Oduya", "Mara Lind"), False, "Mara Oduya and Mara Lind"),
        (("A a", "B b", "C c", "D d"), False, "A, B, C and D"),
        (("A a", "B b", "C c", "D d", "E e"), False, "A, B, C and 2 others"),
        (("A a", "B b", "C c", "D d", "Me"), True, "A, B, you and 2 others"),
    ],
)
def test_people_are_said_by_first_name(names: tuple[str, ...], and_you: bool, words: str) -> None:
    said = people(names, and_you=and_you)
    assert said.translate({0x2068: None, 0x2069: None}) == words
