"""Choosing what to share, and presenting it: by mouse and by keyboard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication
from pytestqt.qtbot import QtBot

from fakes.calls import ME, SOURCES, somebody
from folkmoot.domain.errors import UserError
from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import Call, CallPhase, ShareChoice, ShareSource, ShareSources
from folkmoot.services.events import CallNotice, InkDrawn, ShareSourcesChanged
from folkmoot.services.media_port import SCREEN, SELF, SOURCE, TilePlan
from folkmoot.ui.share.bar import PresenterBar
from folkmoot.ui.share.frame import InkGlass, ShareFrame
from folkmoot.ui.share.picker import Picker
from folkmoot.ui.share.places import BORDER, Display
from folkmoot.ui.share.presenting import Presenting
from folkmoot.ui.share.region import RegionOverlay
from folkmoot.ui.share.sources import SourceCard
from folkmoot.ui.theme.theme import DarkTheme, Theme
from folkmoot.ui.widgets.surfaces import Toast
from ui.call_window import Caller, move_mouse
from ui.window import words_in

LEFT = Qt.MouseButton.LeftButton
CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


def picker_of(caller: Caller) -> Picker:
    caller.window.until(lambda: caller.room.sharing.picking.dialog is not None)
    dialog = caller.room.sharing.picking.dialog
    assert dialog is not None
    caller.window.until(lambda: not dialog.looking.isVisible())
    return dialog


def open_picker(caller: Caller) -> Picker:
    caller.click(caller.call_window.bar.share)
    return picker_of(caller)


def card(dialog: Picker, name: str) -> SourceCard:
    return next(one for one in dialog.list.cards if one.source.name == name)


def thumbnails(caller: Caller) -> list[TilePlan]:
    return [tile for tile in caller.calls.tiles if tile.kind == SOURCE]


def presenting(caller: Caller) -> Presenting:
    caller.window.until(lambda: caller.room.sharing.presenting is not None)
    made = caller.room.sharing.presenting
    assert made is not None
    return made


def bar_of(caller: Caller) -> PresenterBar:
    return presenting(caller).bar


def share(caller: Caller, **changes: Any) -> Call:
    """Elin shares a window."""
    call = caller.join(caller.other())
    choice = ShareChoice("window", "window-1", **changes)

    async def begin(node: Any) -> None:
        await caller.calls.share(call.id, choice)

    caller.elin.do(begin)
    presenting(caller)
    return call


def on_display() -> list[str]:
    """What of a share stands over all windows."""
    parts = (PresenterBar, ShareFrame, InkGlass)
    there = [w for w in QApplication.topLevelWidgets() if isinstance(w, parts) and w.isVisible()]
    return sorted(type(widget).__name__ for widget in there)


# --- the picker


def test_the_picker_shows_screens_and_windows_with_pictures_of_them(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    assert caller.asked("watch_sources") == [(True,)]
    names = [one.source.name for one in dialog.list.cards]
    assert names == ["Screen 1", "Part of a screen…", "Budget 2027 – Calc", "Notes"]
    assert words_in(dialog).startswith("Share Screens Windows")
    wanted = {"screen-1", "window-1", "window-2"}
    caller.window.until(lambda: {one.source_id for one in thumbnails(caller)} == wanted)
    plan = next(one for one in thumbnails(caller) if one.source_id == "window-1")
    assert (plan.peer, plan.fit) == (SELF, True)
    caller.window.until(lambda: caller.room.pictures.has_memory)
    caller.calls.paint(plan, 0xFF3060C0)
    shown = card(dialog, "Budget 2027 – Calc")
    caller.window.until(lambda: shown.has_picture)
    middle = shown.picture_box().center().toPoint()
    assert shown.grab().toImage().pixelColor(middle).blue() > 150


def test_a_window_is_shared_by_a_click_and_the_button(caller: Caller) -> None:
    call = caller.join()
    dialog = open_picker(caller)
    assert not dialog.act.isEnabled()
    caller.click(card(dialog, "Notes"))
    caller.click(dialog.sound)
    caller.click(dialog.act)
    wanted = ShareChoice("window", "window-2", sound=True)
    caller.window.until(lambda: caller.asked("share") == [(wanted,)])
    caller.window.until(lambda: caller.room.sharing.picking.dialog is None)
    caller.window.until(lambda: caller.asked("watch_sources") == [(True,), (False,)])
    caller.window.until(lambda: not thumbnails(caller))
    assert caller.room.call.id == call.id
    assert caller.call_window.bar.share.isChecked()


def test_a_screen_is_shared_by_keys_alone(caller: Caller) -> None:
    caller.join()
    caller.key(Qt.Key.Key_E, CTRL_SHIFT)
    dialog = picker_of(caller)
    first = dialog.list.cards[0]
    for _ in range(8):
        if first.hasFocus():
            break
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert first.hasFocus()
    QTest.keyClick(first, Qt.Key.Key_Down)
    assert card(dialog, "Budget 2027 – Calc").isChecked()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Right)
    assert card(dialog, "Notes").hasFocus()
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Up)
    QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Left)
    assert first.isChecked()
    QTest.keyClick(first, Qt.Key.Key_Return)
    wanted = ShareChoice("screen", "screen-1")
    caller.window.until(lambda: caller.asked("share") == [(wanted,)])


def test_the_main_window_knows_the_key_too(caller: Caller) -> None:
    caller.join()
    caller.call_window.close()
    shell = caller.window.shell
    shell.activateWindow()
    caller.window.until(shell.isActiveWindow)
    editor = caller.window.main.view.conversation.composer.editor
    editor.setFocus()
    QTest.keyClick(editor, Qt.Key.Key_E, CTRL_SHIFT)
    assert picker_of(caller).isVisible()
    assert caller.call_window.isVisible()


def test_escape_shares_nothing_and_stops_looking(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    caller.window.until(lambda: caller.asked("watch_sources")[-1:] == [(False,)])
    assert caller.asked("share") == []


def test_a_double_click_shares_at_once(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    QTest.mouseDClick(card(dialog, "Notes"), LEFT)
    caller.window.until(lambda: caller.asked("share") == [(ShareChoice("window", "window-2"),)])


def test_a_window_that_closes_leaves_the_picker_and_the_choice_stays(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    caller.click(card(dialog, "Notes"))
    rows = (*SOURCES.rows[:1], replace(SOURCES.rows[2], name="Notes (2)"))
    caller.publish(ShareSourcesChanged(ShareSources(rows)))
    caller.window.until(lambda: len(dialog.list.cards) == 2)
    assert card(dialog, "Notes (2)").isChecked()
    assert dialog.act.isEnabled()
    assert not dialog.sound.isVisible()
    caller.publish(ShareSourcesChanged(ShareSources(rows[:1])))
    caller.window.until(lambda: len(dialog.list.cards) == 1)
    assert not dialog.act.isEnabled()


def test_windows_that_are_raised_meanwhile_move_no_card_under_the_mouse(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    before = {one.source.name: one.geometry() for one in dialog.list.cards}
    screen, *windows = SOURCES.rows
    new = replace(SOURCES.rows[2], id="window-9", name="Mail")
    caller.publish(
        ShareSourcesChanged(replace(SOURCES, rows=(screen, new, *reversed(windows)))),
    )
    caller.window.until(lambda: len(dialog.list.cards) == len(before) + 1)
    assert [one.source.name for one in dialog.list.cards] == [*before, "Mail"]
    for name, box in before.items():
        assert card(dialog, name).geometry().topLeft() == box.topLeft()


def test_the_picker_of_the_desktop_is_used_where_there_is_one(caller: Caller) -> None:
    caller.calls.sources = ShareSources(SOURCES.rows, platform=True)
    caller.join()
    dialog = open_picker(caller)
    assert dialog.list.cards == []
    assert "Your desktop asks" in dialog.platform.text()
    caller.click(dialog.act)
    caller.window.until(lambda: caller.asked("share") == [(ShareChoice("platform"),)])


def test_where_nothing_can_be_shared_it_says_so(caller: Caller) -> None:
    caller.calls.sources = ShareSources()
    caller.join()
    dialog = open_picker(caller)
    assert dialog.empty is not None
    assert dialog.empty.isVisible()
    assert not dialog.act.isVisible()


def test_what_went_wrong_is_said_and_can_be_tried_again(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    caller.click(card(dialog, "Notes"))
    caller.calls.fail = UserError("bad_share", "That window is not there any more.")
    caller.click(dialog.act)
    caller.window.until(lambda: "not there any more" in dialog.problem.text())
    caller.calls.fail = None
    caller.click(dialog.act)
    caller.window.until(lambda: caller.room.sharing.picking.dialog is None)


def test_windows_of_this_program_are_left_out(caller: Caller) -> None:
    own = ShareSource("w9", "window", "#general: call", "Folkmoot", 800, 600)
    caller.calls.sources = replace(SOURCES, rows=(*SOURCES.rows, own))
    caller.join()
    assert caller.call_window.windowTitle() == own.name
    dialog = open_picker(caller)
    assert own.name not in [one.source.name for one in dialog.list.cards]


def test_nothing_is_shared_while_it_still_rings(caller: Caller) -> None:
    caller.join(phase=CallPhase.CALLING)
    caller.click(caller.call_window.bar.share)
    assert caller.room.sharing.picking.dialog is None
    assert "as soon as somebody is here" in " ".join(caller.call_window.notices())


# --- a part of the screen


@pytest.fixture
def overlay(theme: Theme, qtbot: QtBot) -> RegionOverlay:
    ground = QPixmap(1280, 800)
    ground.fill(QColor("#a0b0c0"))
    made = RegionOverlay(ground, Display(QRect(0, 0, 1280, 800), 2.0), DarkTheme(theme))
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_part_is_drawn_moved_resized_and_confirmed(overlay: RegionOverlay, qtbot: QtBot) -> None:
    chosen: list[object] = []
    overlay.chosen.connect(chosen.append)
    QTest.mousePress(overlay, LEFT, pos=QPoint(100, 100))
    move_mouse(overlay, QPoint(399, 299), LEFT)
    assert not overlay.bar.isVisible()
    QTest.mouseRelease(overlay, LEFT, pos=QPoint(399, 299))
    assert overlay.size_words() == "600 × 400"
    QTest.mousePress(overlay, LEFT, pos=QPoint(250, 200))
    move_mouse(overlay, QPoint(260, 210), LEFT)
    QTest.mouseRelease(overlay, LEFT, pos=QPoint(260, 210))
    QTest.mousePress(overlay, LEFT, pos=QPoint(409, 210))
    move_mouse(overlay, QPoint(459, 210), LEFT)
    QTest.mouseRelease(overlay, LEFT, pos=QPoint(459, 210))
    QTest.mouseClick(overlay.confirm, LEFT)
    assert chosen == [(220, 220, 700, 400)]


def test_a_part_is_chosen_by_keys_alone(overlay: RegionOverlay) -> None:
    chosen: list[object] = []
    overlay.chosen.connect(chosen.append)
    QTest.keyClick(overlay, Qt.Key.Key_Return)
    assert chosen == []
    QTest.keyClick(overlay, Qt.Key.Key_Right)
    QTest.keyClick(overlay, Qt.Key.Key_Right)
    QTest.keyClick(overlay, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(overlay, Qt.Key.Key_Return)
    assert chosen == [(656, 400, 1280, 816)]


def test_what_is_outside_the_part_is_dark_and_inside_is_as_it_was(overlay: RegionOverlay) -> None:
    QTest.mousePress(overlay, LEFT, pos=QPoint(100, 100))
    move_mouse(overlay, QPoint(400, 300), LEFT)
    QTest.mouseRelease(overlay, LEFT, pos=QPoint(400, 300))
    shown = overlay.grab().toImage()
    assert shown.pixelColor(200, 200) == QColor("#a0b0c0")
    assert shown.pixelColor(700, 600).lightness() < 110


def test_a_part_of_the_screen_is_shared_from_the_picker(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    caller.click(card(dialog, "Part of a screen…"))
    assert dialog.act.text() == "Choose the part…"
    caller.click(dialog.act)
    picking = caller.room.sharing.picking
    caller.window.until(lambda: picking.region is not None and picking.region.overlays)
    assert picking.region is not None
    assert picking.dialog is None
    over = picking.region.overlays[0]
    QTest.mousePress(over, LEFT, pos=QPoint(50, 50))
    move_mouse(over, QPoint(249, 149), LEFT)
    QTest.mouseRelease(over, LEFT, pos=QPoint(249, 149))
    QTest.keyClick(over, Qt.Key.Key_Return)
    wanted = ShareChoice("region", region=(50, 50, 200, 100))
    caller.window.until(lambda: caller.asked("share") == [(wanted,)])
    assert picking.region is None


def test_escape_leaves_the_choice_of_a_part(caller: Caller) -> None:
    caller.join()
    dialog = open_picker(caller)
    caller.click(card(dialog, "Part of a screen…"))
    caller.click(dialog.act)
    picking = caller.room.sharing.picking
    caller.window.until(lambda: picking.region is not None and picking.region.overlays)
    assert picking.region is not None
    QTest.keyClick(picking.region.overlays[0], Qt.Key.Key_Escape)
    assert picking.region is None
    assert caller.asked("share") == []


# --- presenting


def test_the_bar_says_what_is_shared_and_shows_what_others_see(caller: Caller) -> None:
    share(caller)
    bar = bar_of(caller)
    assert bar.title.text() == "You share Budget 2027 – Calc"
    assert bar.line.text() == "One person sees it"
    assert bar.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert bar.seen.wanted() is not None
    caller.window.until(
        lambda: [one for one in caller.calls.tiles if (one.peer, one.kind) == (SELF, SCREEN)]
    )


def test_pausing_is_asked_and_plainly_shown(caller: Caller) -> None:
    share(caller)
    bar = bar_of(caller)
    caller.click(bar.pause)
    caller.window.until(lambda: caller.asked("pause_share") == [(True,)])
    caller.window.until(lambda: bar.pause.text() == "Go on")
    assert bar.line.text() == "Others see the last picture"
    assert bar.seen.state.paused
    caller.window.until(lambda: caller.call_window.bar.share.accessibleName().startswith("What"))
    caller.click(bar.pause)
    caller.window.until(lambda: caller.asked("pause_share") == [(True,), (False,)])


def test_something_else_is_shared_without_stopping_and_old_ink_goes(caller: Caller) -> None:
    share(caller)
    caller.click(bar_of(caller).switch)
    dialog = picker_of(caller)
    assert dialog.windowTitle() == "Share something else"
    caller.click(card(dialog, "Notes"))
    caller.click(dialog.act)
    caller.window.until(lambda: bar_of(caller).title.text() == "You share Notes")
    assert caller.asked("stop_share") == []
    assert [one[1] for one in caller.asked("ink")] == ["clear"]


def test_stopping_takes_bar_frame_and_glass_away(caller: Caller) -> None:
    share(caller)
    caller.click(bar_of(caller).stop)
    caller.window.until(lambda: caller.asked("stop_share") == [()])
    caller.window.until(lambda: caller.room.sharing.presenting is None)
    assert on_display() == []
    assert not caller.call_window.bar.share.isChecked()
    caller.window.until(lambda: not [t for t in caller.calls.tiles if t.kind == SCREEN])


def test_the_share_button_leads_to_pause_and_stop_while_something_is_shared(
    caller: Caller,
) -> None:
    share(caller)
    caller.click(caller.call_window.bar.share)
    caller.choose("Pause")
    caller.window.until(lambda: caller.asked("pause_share") == [(True,)])
    caller.click(caller.call_window.bar.share)
    caller.choose("Stop sharing")
    caller.window.until(lambda: caller.asked("stop_share") == [()])


def test_the_bar_can_be_moved_and_stays_where_it_was_put(caller: Caller) -> None:
    call = share(caller)
    bar = bar_of(caller)
    QTest.mousePress(bar, LEFT, pos=QPoint(4, 4))
    move_mouse(bar, QPoint(-56, 44), LEFT)
    QTest.mouseRelease(bar, LEFT, pos=QPoint(4, 4))
    put = bar.pos()
    caller.change(call, participants=(caller.other(), caller.calls.me(screen=True)))
    caller.window.until(lambda: bar.title.text() != "")
    assert bar.pos() == put


def placed(caller: Caller, call: Call, place: tuple[int, int, int, int], **changes: Any) -> None:
    """The shared window is there now."""
    now = caller.calls.calls[call.id]
    assert now.share is not None
    caller.change(now, share=replace(now.share, place=place, **changes))


def test_a_frame_stands_around_the_shared_window_and_follows_it(caller: Caller) -> None:
    call = share(caller)
    frame = presenting(caller).frame
    assert not frame.isVisible()
    placed(caller, call, (100, 120, 300, 200))
    caller.window.until(frame.isVisible)
    assert frame.geometry() == QRect(100, 120, 300, 200).adjusted(-BORDER, -BORDER, BORDER, BORDER)
    assert frame.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert not frame.mask().contains(QPoint(150, 100))
    assert frame.mask().contains(QPoint(1, 1))
    placed(caller, call, (140, 120, 320, 200), paused=True)
    caller.window.until(lambda: frame.geometry().left() == 140 - BORDER)
    assert frame.paused


def ink(call: Call, action: str, *places: tuple[float, float]) -> InkDrawn:
    person = PersonId(b"t" * 32)
    tomas = somebody(person, "Tomas Lind", 2)
    return InkDrawn(call.id, ME, person, tomas.device, tomas.name, action, 1, places)


def test_what_others_draw_lies_over_the_shared_window_and_is_cleared(caller: Caller) -> None:
    call = share(caller)
    placed(caller, call, (100, 120, 300, 200))
    made = presenting(caller)
    assert not made.bar.clear.isEnabled()
    caller.publish(ink(call, "stroke", (0.25, 0.5), (0.5, 0.5)))
    caller.window.until(made.glass.isVisible)
    assert made.glass.geometry() == QRect(100, 120, 300, 200)
    assert made.glass.windowFlags() & Qt.WindowType.WindowTransparentForInput
    assert made.glass.mask().contains(QPoint(100, 100))
    assert not made.glass.mask().contains(QPoint(100, 160))
    caller.click(made.bar.clear)
    caller.window.until(lambda: caller.asked("ink") == [(ME, "clear", 0, ())])
    caller.window.until(lambda: not made.glass.isVisible())
    assert not made.bar.clear.isEnabled()


def test_a_share_that_ends_by_itself_is_said_in_both_windows(caller: Caller) -> None:
    call = share(caller)
    mine = caller.calls.me()
    caller.change(call, participants=(caller.other(), mine), share=None)
    caller.publish(CallNotice("share", "The window was closed.", "Nothing is shared any more."))
    words = "The window was closed. Nothing is shared any more."
    caller.window.until(lambda: words in caller.call_window.notices())
    assert [t.accessibleName() for t in caller.window.shell.findChildren(Toast)] == [words]
    caller.click(caller.call_window.bar.share)
    dialog = picker_of(caller)
    QTest.mouseDClick(card(dialog, "Notes"), LEFT)
    caller.window.until(lambda: words not in caller.call_window.notices())


def test_who_rings_a_presenter_is_shown_only_when_the_share_is_over(caller: Caller) -> None:
    call = share(caller)
    ringing = caller.rings("shipping")
    card_ = caller.desk.rings.cards[ringing.id]
    assert not card_.isVisible()
    assert caller.desk.rings.toasts == {}
    mine = caller.calls.me()
    caller.change(call, participants=(caller.other(), mine), share=None)
    caller.window.until(card_.isVisible)


def test_a_ring_that_is_there_already_goes_while_something_is_shared(caller: Caller) -> None:
    call = caller.join()
    ringing = caller.rings("shipping")
    card_ = caller.desk.rings.cards[ringing.id]
    assert card_.isVisible()

    async def begin(node: Any) -> None:
        await caller.calls.share(call.id, ShareChoice("screen", "screen-1"))

    caller.elin.do(begin)
    caller.window.until(lambda: not card_.isVisible())


def test_leaving_the_call_takes_everything_of_the_share_away(caller: Caller) -> None:
    call = share(caller)
    placed(caller, call, (100, 120, 300, 200))
    caller.window.until(lambda: on_display() == ["PresenterBar", "ShareFrame"])
    caller.click(caller.call_window.bar.leave)
    caller.window.until(lambda: not caller.has_room)
    assert on_display() == []


def test_everything_that_can_be_pressed_has_a_name(caller: Caller) -> None:
    share(caller)
    caller.click(bar_of(caller).switch)
    dialog = picker_of(caller)
    for part in (dialog, bar_of(caller), caller.call_window.bar):
        buttons = [one for one in part.findChildren(QAbstractButton) if one.isVisible()]
        assert buttons
        assert [one for one in buttons if not (one.accessibleName() or one.text())] == []
        assert [one for one in buttons if one.focusPolicy() == Qt.FocusPolicy.NoFocus] == []
