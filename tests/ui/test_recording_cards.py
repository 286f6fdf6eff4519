"""Who recorded a call, under its card in the timeline: words, pointer, keyboard, screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from folkmoot.services.call_values import Recorded, Recording
from folkmoot.services.events import MessageCreated
from folkmoot.services.values import Message
from folkmoot.ui.theme.theme import Theme
from folkmoot.ui.timeline.callwords import LiveCall
from folkmoot.ui.timeline.layout import HitKind, Words
from folkmoot.ui.timeline.model import TimelineModel
from folkmoot.ui.timeline.view import TimelineView
from ui.call_window import Caller
from ui.films import make_film, recording
from ui.samples import BASE_MS, NAMES, call_message, message, person, whole

ELIN, TOMAS, MARA = 0, 1, 2
LIVE = LiveCall("Mara and you", "4 min", mine=True)


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> TimelineView:
    """An open timeline of 700 x 500 that tests fill."""
    made = TimelineView(TimelineModel(), theme, now_ms=lambda: BASE_MS + 3_600_000)
    made.resize(700, 500)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def recorded(who: int, seconds: int | None = 723) -> Recorded:
    """Somebody recorded; 0 is oneself."""
    return Recorded(person(who), NAMES[who], BASE_MS + 60_000 + who, seconds, who == ELIN)


def card(*rows: Recorded, seconds: int | None = 900) -> Message:
    """The card of a call of Mara and Elin that these recorded."""
    made = call_message(1, MARA, ELIN, seconds=seconds)
    assert made.call is not None
    return replace(made, call=replace(made.call, recorded=rows))


def lines(view: TimelineView, index: int = 0) -> list[str]:
    """The words under the card."""
    parts = view.row_at(index).parts
    words = [part.text for part in parts if isinstance(part, Words) and "record" in part.text]
    return [text.translate({0x2068: None, 0x2069: None}) for text in words]


def play(view: TimelineView, index: int = 0) -> QPoint:
    """Where Play stands."""
    placed = next(p for p in view.placement.visible if p.index == index)
    hit = next(h for h in placed.row.hits if h.kind is HitKind.RECORDING)
    return (hit.box.center() + QPointF(0, placed.top)).toPoint()


def test_the_card_says_who_recorded_and_how_long(view: TimelineView) -> None:
    view.model.show_page(whole(card(recorded(MARA), recorded(ELIN, 3_661))))
    assert lines(view) == [
        "Mara Oduya recorded this call · 12:03",
        "You recorded this call · 1:01:01",
    ]


def test_while_it_runs_the_card_says_who_records(view: TimelineView) -> None:
    shown = card(recorded(MARA, None), recorded(ELIN, None), seconds=None)
    assert shown.call is not None
    view.set_live_calls({bytes(shown.call.id): LIVE})
    view.model.show_page(whole(shown))
    assert lines(view) == ["Mara Oduya records this call", "You record this call"]
    assert not [h for h in view.row_at(0).hits if h.kind is HitKind.RECORDING]
    view.set_live_calls({})
    assert lines(view)[0] == "Mara Oduya recorded this call"


def test_ones_own_that_broke_off_can_be_played(view: TimelineView) -> None:
    view.model.show_page(whole(card(recorded(ELIN, None))))
    assert lines(view) == ["You recorded this call"]
    assert [h for h in view.row_at(0).hits if h.kind is HitKind.RECORDING]


def test_many_who_recorded_are_counted(view: TimelineView) -> None:
    view.model.show_page(whole(card(*[recorded(MARA)] * 6)))
    assert len(lines(view)) == 4
    assert lines(view)[-1].endswith("more recordings")


def test_only_ones_own_recording_is_played_from_there(view: TimelineView, qtbot: QtBot) -> None:
    shown = card(recorded(MARA), recorded(ELIN))
    assert shown.call is not None
    view.model.show_page(whole(shown))
    assert len([h for h in view.row_at(0).hits if h.kind is HitKind.RECORDING]) == 1
    with qtbot.waitSignal(view.recording_pressed, timeout=10_000) as told:
        QTest.mouseMove(view.viewport(), QPoint(1, 1))
        QTest.mouseMove(view.viewport(), play(view))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=play(view))
    assert told.args == [shown.call.id, BASE_MS + 60_000]


def test_enter_on_the_focused_card_plays_it(view: TimelineView, qtbot: QtBot) -> None:
    shown = card(recorded(ELIN))
    assert shown.call is not None
    view.model.show_page(whole(message(0), shown))
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    with qtbot.waitSignal(view.recording_pressed, timeout=10_000) as told:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [shown.call.id, BASE_MS + 60_000]


def test_a_screen_reader_hears_who_recorded_and_finds_the_button(view: TimelineView) -> None:
    view.model.show_page(whole(card(recorded(MARA), recorded(ELIN))))
    listed = QAccessible.queryAccessibleInterface(view)
    item = listed.child(0)
    said = item.text(QAccessible.Text.Name).translate({0x2068: None, 0x2069: None})
    assert "Mara Oduya recorded this call · 12:03" in said
    names = [item.child(n).text(QAccessible.Text.Name) for n in range(item.childCount())]
    assert "Play your recording of this call" in names


def test_play_stays_in_sight_in_a_narrow_window(view: TimelineView) -> None:
    view.model.show_page(whole(card(recorded(ELIN))))
    view.resize(220, 500)
    row = view.row_at(0)
    hit = next(h for h in row.hits if h.kind is HitKind.RECORDING)
    assert hit.box.right() <= view.viewport().width()


def test_play_in_the_conversation_opens_the_recording_of_that_time(
    caller: Caller, tmp_path_factory: pytest.TempPathFactory
) -> None:
    film = make_film(tmp_path_factory.mktemp("films") / "call.mkv", seconds=3)
    shown = card(recorded(ELIN, 3))
    assert shown.call is not None
    shown = replace(shown, conversation=caller.place())
    at_ms = shown.call.recorded[0].began_at_ms if shown.call is not None else 0
    caller.recordings.held = _of_call(shown, at_ms, str(film))
    caller.publish(MessageCreated(shown))
    timeline = caller.window.timeline
    caller.window.until(lambda: _index(timeline, shown) is not None)
    index = _index(timeline, shown)
    assert index is not None
    timeline.reveal(index)
    QTest.mouseClick(timeline.viewport(), Qt.MouseButton.LeftButton, pos=play(timeline, index))
    library = caller.desk.library
    caller.window.until(lambda: library.player is not None and library.player.state is not None)
    assert library.player is not None
    assert library.player.state is not None
    assert library.player.state.recording.id == "right"
    caller.window.until(lambda: library.player is not None and library.player.engine.position > 0)


def test_play_of_a_recording_that_is_gone_opens_no_other_one(caller: Caller) -> None:
    shown = card(recorded(ELIN, 3))
    assert shown.call is not None
    at_ms = shown.call.recorded[0].began_at_ms
    held = _of_call(shown, at_ms, "/films/call.mkv")
    caller.recordings.held = [one for one in held if one.id != "right"]
    library = caller.desk.library
    library.play_of(shown.call.id, at_ms)
    caller.window.until(lambda: library.window is not None and library.window.problem.isVisible())
    assert library.player is None


def _of_call(shown: Message, at_ms: int, path: str) -> list[Recording]:
    assert shown.call is not None
    made = replace(recording(1, path, duration_s=3.0), call=shown.call.id)
    return [
        replace(made, id="early", started_at_ms=at_ms - 600_000),
        replace(made, id="right", started_at_ms=at_ms + 40),
        replace(made, id="another", call=type(shown.call.id)(b"x" * 32), started_at_ms=at_ms),
    ]


def _index(timeline: TimelineView, shown: Message) -> int | None:
    rows: Sequence[Message] = timeline.model.rows
    return next((n for n, m in enumerate(rows) if m.id == shown.id), None)
