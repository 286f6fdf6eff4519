"""Watching what others share: by mouse and by keyboard, with what the node is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from fakes.calls import ME, somebody
from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import Call, Participant, ParticipantState
from folkmoot.services.events import InkDrawn
from folkmoot.services.media_port import SCREEN, WHOLE, TilePlan
from folkmoot.ui.call.layout import LayoutKind
from folkmoot.ui.share.screen_tile import ScreenTile
from folkmoot.ui.share.screen_window import ScreenWindow
from folkmoot.ui.share.tools import Tool
from ui.call_window import Caller, move_mouse

CTRL = Qt.KeyboardModifier.ControlModifier
LEFT = Qt.MouseButton.LeftButton
SHARES: dict[str, Any] = {"screen": True, "screen_width": 1920, "screen_height": 1080}


def tomas(**changes: Any) -> Participant:
    return somebody(PersonId(b"t" * 32), "Tomas Lind", 2, **changes)


def screens(caller: Caller) -> list[ScreenTile]:
    tiles = caller.call_window.stage.tiles.values()
    return [tile for tile in tiles if isinstance(tile, ScreenTile)]


def screen(caller: Caller) -> ScreenTile:
    """The one that is large."""
    [tile] = [tile for tile in screens(caller) if tile.is_large]
    return tile


def plans(caller: Caller) -> list[TilePlan]:
    return [tile for tile in caller.calls.tiles if tile.kind == SCREEN]


def watch(caller: Caller, *more: Participant) -> Call:
    """Mara shares her screen, and it is shown."""
    call = caller.join(caller.other(**SHARES), *more)
    caller.window.until(lambda: plans(caller))
    return call


def middle(tile: ScreenTile, right: int = 0, down: int = 0) -> QPoint:
    return tile.picture_box().center().toPoint() + QPoint(right, down)


def turn(tile: ScreenTile, where: QPoint, steps: int, held: Qt.KeyboardModifier = CTRL) -> None:
    """Turn the wheel."""
    event = QWheelEvent(
        QPointF(where),
        QPointF(tile.mapToGlobal(where)),
        QPoint(),
        QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton,
        held,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(tile, event)


def batches(caller: Caller) -> list[int]:
    """How many places each message had."""
    return [len(cast("tuple[object, ...]", one[3])) for one in caller.asked("ink")]


def test_a_shared_screen_fills_the_stage_with_everybody_beside_it(caller: Caller) -> None:
    watch(caller, tomas())
    large = screen(caller)
    stage = caller.call_window.stage
    assert stage.layout_now is LayoutKind.SHARE
    others = [tile for tile in stage.tiles.values() if tile is not large]
    assert len(others) == 3
    assert all(tile.width() < large.width() / 2 for tile in others)
    assert large.tools.caption.text() == "Mara shares a screen · 1920×1080"
    assert large.accessibleName() == "Mara’s screen"
    assert "shares a screen" in "".join(tile.accessibleName() for tile in others)


def test_the_whole_of_it_is_asked_at_the_size_that_is_shown(caller: Caller) -> None:
    watch(caller)
    [plan] = plans(caller)
    box, ratio = screen(caller).picture_box(), screen(caller).devicePixelRatioF()
    assert plan.fit
    assert plan.peer == caller.other().device
    assert plan.zoom == (0, 0, WHOLE, WHOLE)
    assert (plan.width, plan.height) == (round(box.width() * ratio), round(box.height() * ratio))


def test_a_picture_of_it_is_painted_without_a_part_cut_away(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    caller.window.until(lambda: caller.room.pictures.has_memory)
    caller.calls.paint(plans(caller)[0], 0xFF2040D0)
    caller.window.until(lambda: tile.has_picture)
    shown = tile.grab().toImage()
    box = tile.picture_box().toRect()
    for corner in (box.topLeft() + QPoint(2, 2), box.bottomRight() - QPoint(2, 2)):
        assert shown.pixelColor(corner * shown.devicePixelRatio()).blue() > 180


def test_when_the_share_ends_the_people_have_the_stage_again(caller: Caller) -> None:
    call = watch(caller)
    me = caller.calls.me()
    caller.change(call, participants=(caller.other(), me))
    caller.window.until(lambda: not screens(caller))
    assert caller.call_window.stage.layout_now is LayoutKind.SPEAKER
    caller.window.until(lambda: not plans(caller))


def test_ctrl_and_the_wheel_zoom_to_what_is_under_the_pointer(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    over = middle(tile, 120, 40)
    before = tile.spot_at(QPointF(over))
    turn(tile, over, 4)
    after = tile.spot_at(QPointF(over))
    assert before is not None
    assert after is not None
    assert abs(after[0] - before[0]) < 0.01
    assert abs(after[1] - before[1]) < 0.01
    caller.window.until(lambda: plans(caller)[0].zoom[0] > 0)
    assert tile.tools.size_button.text().endswith("%")
    turn(tile, over, -20)
    caller.window.until(lambda: plans(caller)[0].zoom == (0, 0, WHOLE, WHOLE))
    assert tile.tools.size_button.text() == "Fit"


def test_a_double_click_shows_pixel_for_pixel_and_another_all_of_it(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    QTest.mouseDClick(tile, LEFT, pos=middle(tile))
    assert tile.look.percent == 100
    caller.window.until(lambda: plans(caller)[0].zoom != (0, 0, WHOLE, WHOLE))
    [plan] = plans(caller)
    shown = (plan.zoom[2] - plan.zoom[0]) / WHOLE * 1920
    assert abs(shown - plan.width) < 0.5
    QTest.mouseDClick(tile, LEFT, pos=middle(tile))
    assert tile.look.is_fitted


def test_a_zoomed_screen_is_pulled_by_hand_wheel_and_arrows(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    tile.setFocus()
    QTest.mouseDClick(tile, LEFT, pos=middle(tile))
    start = tile.look.x
    QTest.mousePress(tile, LEFT, pos=middle(tile))
    move_mouse(tile, middle(tile, -60), LEFT)
    QTest.mouseRelease(tile, LEFT, pos=middle(tile, -60))
    pulled = tile.look.x
    assert pulled > start
    caller.window.until(lambda: plans(caller)[0].zoom == tile.look.part())
    before = plans(caller)[0]
    QTest.keyClick(tile, Qt.Key.Key_Right)
    caller.window.until(lambda: plans(caller)[0].zoom == tile.look.part())
    after = plans(caller)[0]
    assert (after.width, after.height) == (before.width, before.height)
    assert after.tag != before.tag
    QTest.keyClick(tile, Qt.Key.Key_Left)
    QTest.keyClick(tile, Qt.Key.Key_Left)
    assert tile.look.x < pulled
    height = tile.look.y
    turn(tile, middle(tile), -1, Qt.KeyboardModifier.NoModifier)
    assert tile.look.y > height


def test_plus_minus_and_nought_zoom_from_the_keyboard(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    tile.setFocus()
    fitted = tile.look.percent
    QTest.keyClick(tile, Qt.Key.Key_Plus)
    QTest.keyClick(tile, Qt.Key.Key_Plus)
    assert tile.look.percent > fitted
    QTest.keyClick(tile, Qt.Key.Key_Minus)
    QTest.keyClick(tile, Qt.Key.Key_0)
    assert tile.look.is_fitted
    QTest.keyClick(tile, Qt.Key.Key_0)
    assert tile.look.percent == 100


def test_every_tool_is_reached_by_tab_and_says_what_it_does(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    tile.setFocus()
    names: list[str] = []
    for _ in range(8):
        QTest.keyClick(caller.call_window.focusWidget(), Qt.Key.Key_Tab)
        names.append(caller.call_window.focusWidget().accessibleName())
    for wanted in ("Point", "Draw", "Larger (+)", "In a window of its own", "Full screen (F11)"):
        assert wanted in names


def test_pointing_tells_where_at_most_thirty_times_a_second_and_that_it_is_over(
    caller: Caller,
) -> None:
    watch(caller)
    tile = screen(caller)
    caller.click(tile.tools.pointer)
    for step in range(40):
        move_mouse(tile, middle(tile, step, 10))
    caller.window.until(lambda: caller.asked("ink"))
    where = tile.spot_at(QPointF(middle(tile, 39, 10)))
    assert where is not None
    caller.window.until(lambda: caller.asked("ink")[-1][3] == (where,))
    sent = caller.asked("ink")
    assert {(one[0], one[1]) for one in sent} == {(caller.other().device, "point")}
    assert len(sent) < 20
    move_mouse(tile, QPoint(3, tile.height() - 3))
    caller.window.until(lambda: caller.asked("ink")[-1][1] == "gone")


def test_a_stroke_is_sent_in_batches_and_loses_nothing(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    caller.click(tile.tools.pen)
    QTest.mousePress(tile, LEFT, pos=middle(tile))
    for step in range(1, 90):
        move_mouse(tile, middle(tile, step * 2, step % 7), LEFT)
    QTest.mouseRelease(tile, LEFT, pos=middle(tile, 178, 5))
    caller.window.until(lambda: sum(batches(caller)) == 90)
    sent = caller.asked("ink")
    assert {(one[1], one[2]) for one in sent} == {("stroke", sent[0][2])}
    assert max(batches(caller)) <= 64
    board = caller.room.sharing.boards.of(caller.other().device)
    caller.window.until(lambda: [len(one.spots) for one in board.ink.strokes.values()] == [90])


def test_two_strokes_have_two_numbers(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    caller.click(tile.tools.pen)
    for down in (0, 30):
        QTest.mousePress(tile, LEFT, pos=middle(tile, 0, down))
        move_mouse(tile, middle(tile, 40, down), LEFT)
        QTest.mouseRelease(tile, LEFT, pos=middle(tile, 40, down))
    caller.window.until(lambda: len({one[2] for one in caller.asked("ink")}) == 2)


def test_escape_puts_the_pen_away(caller: Caller) -> None:
    watch(caller)
    tile = screen(caller)
    caller.click(tile.tools.pen)
    tile.setFocus()
    QTest.keyClick(tile, Qt.Key.Key_Escape)
    assert tile.tools.tool is Tool.LOOK
    assert not tile.tools.pen.isChecked()


def drawn(call: Call, action: str, *places: tuple[float, float]) -> InkDrawn:
    """What Tomas does over Mara's screen."""
    who = tomas()
    presenter = next(p.device for p in call.participants if p.screen)
    return InkDrawn(call.id, presenter, who.person, who.device, who.name, action, 1, places)


def test_strokes_of_others_lie_at_their_places_also_when_it_is_zoomed(caller: Caller) -> None:
    call = watch(caller, tomas())
    tile = screen(caller)
    plain = tile.grab().toImage()
    caller.publish(drawn(call, "stroke", (0.5, 0.5), (0.6, 0.5)))
    board = caller.room.sharing.boards.of(caller.other().device)
    caller.window.until(lambda: not board.ink.is_empty)
    for _ in range(2):
        shown, ratio = tile.grab().toImage(), tile.devicePixelRatioF()
        at = (tile.point_of((0.52, 0.5)) * ratio).toPoint()
        beside = (tile.point_of((0.52, 0.45)) * ratio).toPoint()
        assert shown.pixelColor(at) != plain.pixelColor(at)
        assert shown.pixelColor(beside) == plain.pixelColor(beside)
        tile.zoom_to(tile.look.at_scale(1.0))
    caller.publish(drawn(call, "clear"))
    caller.window.until(lambda: board.ink.is_empty)


def test_the_ink_goes_with_the_share(caller: Caller) -> None:
    call = watch(caller, tomas())
    caller.publish(drawn(call, "stroke", (0.5, 0.5), (0.6, 0.5)))
    boards = caller.room.sharing.boards
    caller.window.until(lambda: not boards.of(caller.other().device).ink.is_empty)
    me = caller.calls.me()
    caller.change(call, participants=(caller.other(), tomas(), me))
    caller.window.until(lambda: not screens(caller))
    caller.change(call, participants=(caller.other(**SHARES), tomas(), me))
    caller.window.until(lambda: screens(caller))
    assert boards.of(caller.other().device).ink.is_empty


def test_several_screens_are_tiles_and_the_menu_leads_to_another(caller: Caller) -> None:
    watch(caller, tomas(**SHARES))
    assert len(screens(caller)) == 2
    first = screen(caller)
    assert first.state.name == "Mara Oduya"
    caller.click(first.tools.switch)
    caller.choose("Tomas’s screen")
    assert screen(caller).state.name == "Tomas Lind"
    assert not first.tools.isVisible()
    QTest.mouseDClick(first, LEFT, pos=QPoint(20, 20))
    assert screen(caller) is first


def test_another_layout_can_be_chosen_and_the_next_share_takes_the_stage_again(
    caller: Caller,
) -> None:
    call = watch(caller, tomas())
    caller.click(caller.call_window.layouts)
    caller.choose("Grid: all the same size")
    assert len({t.size() for t in caller.call_window.stage.tiles.values()}) == 1
    caller.click(caller.call_window.layouts)
    caller.choose("Shared screen: it is large")
    assert screen(caller).state.name == "Mara Oduya"
    caller.click(caller.call_window.layouts)
    caller.choose("Speaker: who talks is large")
    assert not any(tile.is_large for tile in screens(caller))
    me = caller.calls.me()
    caller.change(call, participants=(caller.other(**SHARES), tomas(**SHARES), me))
    caller.window.until(lambda: any(tile.is_large for tile in screens(caller)))


def test_a_screen_whose_presenter_is_not_reached_says_so(caller: Caller) -> None:
    call = watch(caller)
    tile = screen(caller)
    lost = caller.other(**SHARES, state=ParticipantState.RECONNECTING)
    caller.change(call, participants=(lost, caller.calls.me()))
    caller.window.until(lambda: "Connection lost" in tile.tools.caption.text())
    assert "Connection lost" in tile.accessibleName()
    caller.change(call, participants=(caller.other(**SHARES), caller.calls.me()))
    caller.window.until(lambda: tile.tools.caption.text().startswith("Mara shares a screen"))


def test_a_paused_screen_says_so_and_keeps_its_last_picture(caller: Caller) -> None:
    call = watch(caller)
    tile = screen(caller)
    caller.window.until(lambda: caller.room.pictures.has_memory)
    caller.calls.paint(plans(caller)[0], 0xFFD0D0D0)
    caller.window.until(lambda: tile.has_picture)
    bright = tile.grab().toImage().pixelColor(middle(tile, 100, 80)).lightness()
    paused = caller.other(**SHARES, screen_paused=True)
    caller.change(call, participants=(paused, caller.calls.me()))
    caller.window.until(lambda: tile.state.paused)
    assert tile.tools.caption.text().startswith("Mara paused the screen")
    assert "paused" in tile.accessibleName()
    dimmed = tile.grab().toImage().pixelColor(middle(tile, 100, 80)).lightness()
    assert 40 < dimmed < bright


def test_f11_fills_the_display_and_escape_leads_back(caller: Caller) -> None:
    watch(caller)
    caller.key(Qt.Key.Key_F11)
    [window] = caller.room.small.pop_outs.values()
    assert isinstance(window, ScreenWindow)
    assert window.isFullScreen()
    assert window.tile.picture_area().size() == window.size()
    window.tile._rested()
    assert not window.tile.tools.isVisible()
    move_mouse(window.tile, QPoint(90, 90))
    assert window.tile.tools.isVisible()
    assert window.tile.tools.full.accessibleName() == "Leave full screen (Esc)"
    QTest.keyClick(window.tile, Qt.Key.Key_Escape)
    caller.window.until(lambda: not caller.room.small.pop_outs)
    assert caller.call_window.isVisible()


def test_space_talks_also_while_a_screen_fills_the_display(caller: Caller) -> None:
    caller.calls.kept = replace(caller.calls.kept, push_to_talk=True)
    call = watch(caller)
    caller.change(call, microphone=False)
    caller.window.until(lambda: caller.call_window.push_to_talk)
    caller.window.until(lambda: not caller.room.call.microphone)
    caller.key(Qt.Key.Key_F11)
    [window] = caller.room.small.pop_outs.values()
    caller.window.until(window.isActiveWindow)
    QTest.keyPress(window.tile, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,)])
    QTest.keyRelease(window.tile, Qt.Key.Key_Space)
    caller.window.until(lambda: caller.asked("set_microphone") == [(True,), (False,)])
    QTest.keyPress(window.tile, Qt.Key.Key_Space)
    caller.window.until(lambda: len(caller.asked("set_microphone")) == 3)
    window.close()
    caller.window.until(lambda: caller.asked("set_microphone")[3:] == [(False,)])


def test_a_screen_in_a_window_of_its_own_has_its_own_zoom_and_goes_with_the_share(
    caller: Caller,
) -> None:
    call = watch(caller)
    caller.click(screen(caller).tools.pop_out)
    [window] = caller.room.small.pop_outs.values()
    assert isinstance(window, ScreenWindow)
    caller.window.until(lambda: len(plans(caller)) == 2)
    QTest.mouseDClick(window.tile, LEFT, pos=middle(window.tile))
    caller.window.until(lambda: len({plan.zoom for plan in plans(caller)}) == 2)
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert not window.isFullScreen()
    caller.change(call, participants=(caller.other(), caller.calls.me()))
    caller.window.until(lambda: not caller.room.small.pop_outs)


def test_strip_small_view_and_people_say_who_shares(caller: Caller) -> None:
    watch(caller)
    caller.desk._show_strip()
    assert caller.desk.strip.body.state.shares
    assert "Mara shares a screen" in caller.desk.strip.body.accessibleName()
    caller.click(caller.call_window.bar.people)
    people = caller.room.beside.people
    assert people is not None
    row = next(row for row in people.rows if row.who is not None and not row.who.is_me)
    assert "shares a screen" in row.accessibleName()
    assert row._screen.isVisibleTo(row)
    caller.click(caller.call_window.compact)
    small = caller.room.small.compact
    assert small is not None
    assert small.tile is not None
    assert small.tile.state.is_screen
    caller.window.until(lambda: len(plans(caller)) == 1)


def test_our_own_screen_stands_in_the_strip_and_never_takes_the_stage(caller: Caller) -> None:
    call = caller.join(caller.other(camera=True))
    mine = caller.calls.me(**SHARES)
    assert mine.device == ME
    caller.change(call, participants=(caller.other(camera=True), mine))
    caller.window.until(lambda: screens(caller))
    [own] = screens(caller)
    assert not own.is_large
    front = caller.room.front()
    assert front is not None
    assert front.name == "Mara Oduya"
