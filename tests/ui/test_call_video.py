"""Pictures in a call: what is asked of the media process, what is painted, who is large."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from fakes.calls import FakeCalls, somebody
from folkmoot.domain.ids import PersonId
from folkmoot.services.call_values import Participant
from folkmoot.services.events import CallLevels, CallNotice
from folkmoot.services.frame_slots import MAX_HEIGHT, MAX_WIDTH
from folkmoot.services.media_port import SELF, TilePlan
from folkmoot.ui.call.layout import LayoutKind, arrange, best_grid
from folkmoot.ui.call.pictures import Part, Pictures, Plan, Want
from folkmoot.ui.call.state import Speaker, tile_states
from folkmoot.ui.call.tile import Tile, person_places
from ui.call_window import Caller

RED, GREEN = 0xFFD02020, 0xFF20D020


def others(count: int, **changes: Any) -> tuple[Participant, ...]:
    """People with cameras."""
    return tuple(
        somebody(PersonId(bytes([n]) * 32), f"Person {n}", n, camera=True, **changes)
        for n in range(1, count + 1)
    )


def plan_of(caller: Caller, peer: bytes) -> TilePlan | None:
    """The picture that is asked of a peer."""
    return next((t for t in caller.calls.tiles if t.peer == peer), None)


def tile_of(caller: Caller, who: Participant) -> Tile:
    """Somebody's tile."""
    return next(t for k, t in caller.call_window.stage.tiles.items() if k[1] == who.device)


def colour_in(tile: Tile) -> QColor:
    """What the middle of a tile shows."""
    return tile.grab().toImage().pixelColor(tile.width() // 2, tile.height() // 2)


def test_pictures_are_asked_at_the_size_of_their_tiles_ones_own_mirrored(caller: Caller) -> None:
    who = caller.other(camera=True)
    caller.join(who, camera=True)
    caller.window.until(lambda: len(caller.calls.tiles) == 2)
    ratio = caller.call_window.devicePixelRatioF()
    tile = tile_of(caller, who)
    theirs, mine = plan_of(caller, who.device), plan_of(caller, SELF)
    assert theirs is not None
    assert mine is not None
    assert (theirs.width, theirs.height) == (
        round(tile.width() * ratio),
        round(tile.height() * ratio),
    )
    assert mine.mirrored
    assert not theirs.mirrored
    assert theirs.slot != mine.slot


def test_a_picture_is_painted_and_one_for_an_older_plan_is_not(caller: Caller) -> None:
    who = caller.other(camera=True)
    caller.join(who)
    caller.window.until(lambda: plan_of(caller, who.device))
    before = plan_of(caller, who.device)
    assert before is not None
    caller.calls.paint(before, RED)
    caller.window.until(lambda: tile_of(caller, who).has_picture)
    assert colour_in(tile_of(caller, who)).red() > 150
    caller.call_window.resize(700, 500)
    caller.window.until(lambda: plan_of(caller, who.device) != before)
    after = plan_of(caller, who.device)
    assert after is not None
    caller.calls.paint(before, GREEN)
    caller.room.pictures.look()
    assert colour_in(tile_of(caller, who)).green() < 100
    caller.calls.paint(after, GREEN)
    caller.window.until(lambda: colour_in(tile_of(caller, who)).green() > 150)


def test_pictures_come_also_when_media_begins_late(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = caller.calls.memory()
    asked: list[None] = []

    def memory() -> memoryview | None:
        asked.append(None)
        return there if len(asked) > 5 else None

    monkeypatch.setattr(caller.calls, "memory", memory)
    caller.join(caller.other(camera=True))
    caller.window.until(lambda: caller.room.pictures.has_memory and caller.calls.tiles)
    assert len(asked) >= 6

    def asked_by_now() -> int:
        QTest.qWait(50)  # a question goes over in the next turn of the loop
        caller.tell(lambda: None)  # and is asked before this one
        return len(asked)

    before = asked_by_now()
    for _ in range(200):
        caller.room.pictures.look()
    assert asked_by_now() == before


def test_a_tile_is_drawn_anew_only_when_a_picture_is_new(caller: Caller) -> None:
    who = caller.other(camera=True)
    caller.join(who)
    caller.window.until(lambda: plan_of(caller, who.device))
    caller.window.until(lambda: caller.room.pictures.has_memory)
    plan = plan_of(caller, who.device)
    assert plan is not None
    shown: list[object] = []
    tile = tile_of(caller, who)
    show = tile.show_picture
    tile.show_picture = lambda *what: (shown.append(what), show(*what))  # type: ignore[assignment,method-assign,func-returns-value]
    caller.calls.paint(plan, RED)
    for _ in range(5):
        caller.room.pictures.look()
    assert len(shown) == 1


class Wall:
    """Shows pictures of somebody."""

    def __init__(self) -> None:
        self.shown = 0

    def wanted(self) -> Want:
        return Want(b"p" * 32, QSize(64, 48))

    def show_picture(self, picture: QImage, part: Part) -> None:
        self.shown += 1


def test_who_went_gets_no_picture_and_who_comes_instead_is_asked_for_anew(qapp: object) -> None:
    calls = FakeCalls(lambda event: None, PersonId(b"e" * 32), "Elin")
    told: list[Plan] = []
    pictures = Pictures(told.append)
    pictures.take_memory(calls.memory())
    first, second = Wall(), Wall()
    pictures.add(first)
    pictures.plan_now()
    calls.paint(told[-1][0], RED)
    pictures.remove(first)
    pictures.look()
    assert first.shown == 0
    pictures.add(second)
    pictures.plan_now()
    assert len(told) == 2
    assert told[1][0].tag != told[0][0].tag
    calls.paint(told[1][0], RED)
    pictures.look()
    assert (first.shown, second.shown) == (0, 1)
    pictures.stop()


def test_a_window_that_nobody_sees_asks_for_no_pictures(caller: Caller) -> None:
    caller.join(caller.other(camera=True), camera=True)
    caller.window.until(lambda: len(caller.calls.tiles) == 2)
    assert caller.room.pictures.polls
    caller.call_window.close()
    caller.window.until(lambda: caller.calls.tiles == ())
    assert not caller.room.pictures.polls
    caller.click(caller.desk.strip.body)
    caller.window.until(lambda: len(caller.calls.tiles) == 2)
    caller.call_window.showMinimized()
    caller.window.until(lambda: caller.calls.tiles == ())


def test_no_picture_is_asked_of_who_has_the_camera_off(caller: Caller) -> None:
    who = caller.other(camera=True)
    call = caller.join(who)
    caller.window.until(lambda: plan_of(caller, who.device))
    mine = caller.calls.me()
    caller.change(call, participants=(caller.other(), mine))
    caller.window.until(lambda: caller.calls.tiles == ())
    assert not tile_of(caller, who).has_picture


def test_the_camera_button_switches_it_and_says_so(caller: Caller) -> None:
    caller.join()
    camera = caller.call_window.bar.camera
    assert camera.accessibleName() == "Switch the camera on"
    caller.click(camera)
    caller.window.until(lambda: caller.asked("set_camera") == [(True,)])
    caller.window.until(lambda: camera.accessibleName() == "Switch the camera off")


def test_the_chosen_layout_is_kept_for_the_next_call(caller: Caller) -> None:
    call = caller.join(*others(3))
    caller.click(caller.call_window.layouts)
    caller.choose("Grid: all the same size")
    assert caller.call_window.stage.kind is LayoutKind.GRID
    sizes = {t.size() for t in caller.call_window.stage.tiles.values()}
    assert len(sizes) == 1
    caller.tell(lambda: caller.calls.changed(call))
    caller.click(caller.call_window.bar.leave)
    caller.window.until(lambda: not caller.has_room)
    caller.join(*others(3))
    caller.window.until(lambda: caller.call_window.stage.kind is LayoutKind.GRID)


def test_a_double_click_keeps_somebody_large_and_another_lets_go(caller: Caller) -> None:
    people = others(3)
    caller.join(*people)
    tile = tile_of(caller, people[2])
    small = tile.size()
    QTest.mouseDClick(tile, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert tile.width() > 2 * small.width()
    tile.setFocus()
    QTest.keyClick(tile, Qt.Key.Key_Return)
    assert tile.size() == small


def test_who_speaks_on_takes_the_stage_and_a_cough_does_not(caller: Caller) -> None:
    people = others(3)
    call = caller.join(*people)
    stage = caller.call_window.stage
    first, second = people[0].device, people[1].device
    for _ in range(3):
        caller.publish(CallLevels(call.id, ((first, 0.6, True),)))
    caller.window.until(lambda: stage.speaker == first)
    caller.publish(CallLevels(call.id, ((second, 0.9, True),)))
    caller.publish(CallLevels(call.id, ((second, 0.0, False),)))
    caller.publish(CallNotice("mute_asked", "After the cough."))
    caller.window.until(lambda: caller.call_window.notices())
    assert stage.speaker == first
    for _ in range(40):
        caller.publish(CallLevels(call.id, ((second, 0.9, True),)))
    caller.window.until(lambda: stage.speaker == second)
    assert tile_of(caller, people[1]).width() > tile_of(caller, people[0]).width()


def test_a_tile_in_a_window_of_its_own_has_pictures_of_its_own(caller: Caller) -> None:
    people = others(2)
    caller.join(*people)
    key = (people[0].person, people[0].device)
    caller.call_window.stage.menu_wanted.emit(key, caller.call_window.mapToGlobal(QPoint(50, 90)))
    caller.choose("In a window of its own")
    pop_out = caller.room.small.pop_outs[key]
    assert pop_out.isVisible()
    caller.window.until(lambda: sum(t.peer == people[0].device for t in caller.calls.tiles) == 2)
    pop_out.close()
    caller.window.until(lambda: sum(t.peer == people[0].device for t in caller.calls.tiles) == 1)


def test_the_small_view_stays_over_all_windows_and_leads_back(caller: Caller) -> None:
    caller.join(caller.other(camera=True))
    caller.click(caller.call_window.compact)
    small = caller.room.small.compact
    assert small is not None
    assert small.isVisible()
    assert small.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert not caller.call_window.isVisible()
    caller.window.until(lambda: len(caller.calls.tiles) == 1)
    caller.click(small.microphone)
    caller.window.until(lambda: caller.asked("set_microphone") == [(False,)])
    caller.click(small.back)
    assert caller.call_window.isVisible()
    assert not small.isVisible()


# --- what needs no window


def tiles(caller: Caller, count: int) -> Any:
    me = caller.calls.me()
    call = caller.calls._make(caller.place(), "joined", (*others(count), me))  # type: ignore[arg-type]
    return tile_states(call)


def test_up_to_twenty_five_tiles_fit_their_grid_without_touching(caller: Caller) -> None:
    for count in range(2, 25):
        for size in (QSize(1000, 560), QSize(400, 500), QSize(1600, 400)):
            made = arrange(size, tiles(caller, count), LayoutKind.GRID, None)
            boxes = [place.box for place in made.places]
            assert len(boxes) == count + 1
            assert sum(b.width() * b.height() for b in boxes) > size.width() * size.height() / 4
            assert all(size.width() >= b.right() + 1 and b.left() >= 0 for b in boxes)
            assert all(size.height() >= b.bottom() + 1 and b.top() >= 0 for b in boxes)
            assert not any(a.intersects(b) for a in boxes for b in boxes if a is not b)


def test_the_grid_takes_the_columns_that_make_tiles_largest() -> None:
    assert best_grid(4, 1000, 560)[0] == 2
    assert best_grid(3, 1600, 300)[0] == 3
    assert best_grid(3, 400, 900)[0] == 1


def test_somebody_who_is_alone_fills_the_stage_with_oneself_small(caller: Caller) -> None:
    made = arrange(QSize(1000, 560), tiles(caller, 1), LayoutKind.GRID, None)
    large, small = made.places
    assert large.box.size() == QSize(1000, 560)
    assert small.on_top
    assert large.box.contains(small.box)


def test_a_picture_larger_than_a_slot_is_asked_smaller_in_the_same_proportion() -> None:
    from folkmoot.ui.call.pictures import _capped

    width, height = _capped(QSize(3840, 2160))
    assert width <= MAX_WIDTH
    assert height <= MAX_HEIGHT
    assert abs(width / height - 16 / 9) < 0.01


def test_the_speaker_changes_only_after_patience() -> None:
    speaker = Speaker()
    assert not speaker.take(((b"a", 0.5, True),), b"me")
    assert speaker.take(((b"a", 0.5, True),), b"me")
    changes = [speaker.take(((b"b", 0.9, True),), b"me") for _ in range(10)]
    assert changes.index(True) >= 5
    assert not speaker.take(((b"me", 1.0, True),), b"me")


@pytest.mark.parametrize("height", [60, 72, 84, 110, 160, 400])
def test_what_is_the_matter_with_somebody_stands_between_face_and_name(height: float) -> None:
    side = min(112.0, max(28.0, round(height * 0.42)))
    top, below = person_places(height, side, line=True)
    assert below >= 0
    assert below + 20 <= height - 22 - 8  # where the name begins
    assert top is None or (top >= 2 and top + side <= below)
    assert (top is None) == (height < 96)
