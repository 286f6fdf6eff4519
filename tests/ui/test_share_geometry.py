"""What is seen of a shared screen, where ink lies, where regions and frames stand: no window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt

from folkmoot.domain.ids import DeviceId, PersonId
from folkmoot.services.call_values import CallId, ShareSource, ShareSources
from folkmoot.services.events import InkDrawn
from folkmoot.services.media_port import WHOLE
from folkmoot.ui.share.ink import (
    MOST_LENGTH,
    MOST_SPOTS,
    MOST_STROKES,
    POINTER_S,
    REACH,
    Ink,
    InkLayer,
    name_box,
    smooth,
)
from folkmoot.ui.share.picker import without_own
from folkmoot.ui.share.places import (
    BORDER,
    Display,
    Selection,
    corner_for,
    frame_around,
    to_logical,
    to_pixels,
)
from folkmoot.ui.share.sources import nearest
from folkmoot.ui.share.zoom import Zoom
from folkmoot.ui.theme.theme import Theme

HD = QSize(1920, 1080)
ROOM = QSize(960, 720)
DISPLAY = QRect(0, 0, 1920, 1080)


def drawn(action: str, *places: tuple[float, float], stroke: int = 1, device: int = 1) -> InkDrawn:
    return InkDrawn(
        CallId(b"c" * 32),
        DeviceId(b"p" * 32),
        PersonId(bytes([device]) * 32),
        DeviceId(bytes([device]) * 32),
        f"Person {device}",
        action,
        stroke,
        places,
    )


# --- zoom


def test_a_screen_is_shown_whole_in_the_middle_of_its_room() -> None:
    look = Zoom(HD, ROOM)
    assert look.part() == (0, 0, WHOLE, WHOLE)
    assert look.box() == QRectF(0, 90, 960, 540)
    assert look.percent == 50


def test_what_is_under_the_pointer_stays_there_while_it_gets_larger() -> None:
    look, over = Zoom(HD, QSize(960, 540)), QPointF(300, 250)
    before = look.place_at(over)
    assert before is not None
    for _ in range(6):
        look = look.nearer(1.25, over)
        after = look.place_at(over)
        assert after is not None
        assert after == pytest.approx(before, abs=2 / 1080)


def test_at_its_own_size_one_pixel_of_the_screen_is_one_of_the_display() -> None:
    look = Zoom(HD, ROOM).toggled(QPointF(123.3, 321.4)).moved(0.3, 0.4)
    assert look.percent == 100
    assert look.seen().size() == look.box().size()
    left = look.part()[0] / WHOLE * HD.width()
    assert left == pytest.approx(round(left), abs=0.02)


def test_zooming_stops_for_a_moment_at_its_own_size() -> None:
    look = Zoom(HD, ROOM)
    seen = []
    for _ in range(6):
        look = look.nearer(1.25)
        seen.append(look.percent)
    assert 100 in seen


def test_it_is_never_smaller_than_whole_and_never_endlessly_large() -> None:
    look = Zoom(HD, ROOM).nearer(0.5)
    assert look.is_fitted
    for _ in range(60):
        look = look.nearer(1.25)
    assert look.percent == 800
    for _ in range(60):
        look = look.nearer(0.8)
    assert look.is_fitted


def test_a_picture_that_is_pulled_stops_at_its_edges() -> None:
    look = Zoom(HD, ROOM).at_scale(1.0)
    far = look.moved(5000, 5000)
    assert far.part()[:2] == (0, 0)
    other = look.moved(-5000, -5000)
    assert other.part()[2:] == (WHOLE, WHOLE)
    assert Zoom(HD, ROOM).moved(50, 50).is_fitted


def test_places_and_points_lead_to_each_other_at_every_scale() -> None:
    for look in (Zoom(HD, ROOM), Zoom(HD, ROOM).at_scale(1.7, QPointF(600, 300))):
        point = QPointF(400, 300)
        place = look.place_at(point)
        assert place is not None
        back = look.point_at(place)
        assert (back.x(), back.y()) == pytest.approx((400, 300), abs=0.5)


def test_beside_the_picture_there_is_no_place() -> None:
    assert Zoom(HD, ROOM).place_at(QPointF(400, 20)) is None


def test_an_older_picture_lies_where_its_part_is_now() -> None:
    look = Zoom(HD, ROOM).at_scale(1.0)
    assert look.part_box((0, 0, WHOLE, WHOLE)).width() == pytest.approx(1920, abs=1)


def test_another_thing_that_is_shared_is_shown_whole() -> None:
    look = Zoom(HD, ROOM).at_scale(2.0)
    assert look.of_picture(HD) is look
    assert look.of_picture(QSize(800, 600)).is_fitted


def test_a_small_window_goes_to_twice_its_size_where_the_whole_is_its_own() -> None:
    look = Zoom(QSize(400, 300), ROOM).toggled()
    assert not look.is_fitted
    assert look.shown_scale > look.fit_scale
    assert look.toggled().is_fitted


# --- ink


def test_a_stroke_goes_on_where_it_was_and_stays_until_it_is_cleared() -> None:
    ink = Ink()
    ink.take(drawn("stroke", (0.1, 0.1), (0.2, 0.2)), 0.0)
    ink.take(drawn("stroke", (0.3, 0.3)), 0.1)
    [stroke] = ink.strokes.values()
    assert stroke.spots == [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3)]
    assert not ink.expire(10_000.0)
    assert not ink.is_empty
    ink.take(drawn("clear"), 10_001.0)
    assert ink.is_empty


def test_strokes_of_two_people_with_the_same_number_are_two() -> None:
    ink = Ink()
    ink.take(drawn("stroke", (0.1, 0.1), device=1), 0.0)
    ink.take(drawn("stroke", (0.9, 0.9), device=2), 0.0)
    assert len(ink.strokes) == 2
    assert {stroke.name for stroke in ink.labels()} == {"Person 1", "Person 2"}


def test_a_pointer_goes_after_three_seconds_or_when_it_is_said_to_be_gone() -> None:
    ink = Ink()
    ink.take(drawn("point", (0.5, 0.5)), 0.0)
    assert not ink.expire(POINTER_S - 0.1)
    assert ink.pointers
    ink.take(drawn("point", (0.6, 0.5)), 2.0)
    assert not ink.expire(POINTER_S + 0.1)
    assert ink.expire(2.0 + POINTER_S)
    assert not ink.pointers
    ink.take(drawn("point", (0.5, 0.5)), 9.0)
    ink.take(drawn("gone"), 9.1)
    assert not ink.pointers


def test_what_others_send_is_bounded() -> None:
    ink = Ink()
    for number in range(MOST_STROKES + 20):
        ink.take(drawn("stroke", (0.5, 0.5), stroke=number), 0.0)
    assert len(ink.strokes) == MOST_STROKES
    for _ in range(100):
        ink.take(drawn("stroke", *[(0.5, 0.5)] * 64, stroke=9999), 0.0)
    assert max(len(stroke.spots) for stroke in ink.strokes.values()) == MOST_SPOTS
    ink.take(drawn("point", (float("nan"), 7.0)), 0.0)
    assert next(iter(ink.pointers.values())).spot == (0.0, 1.0)
    ink.take(drawn("dance", (0.1, 0.1)), 0.0)
    assert len(ink.strokes) == MOST_STROKES


def test_one_hand_draws_only_so_far_in_a_second_and_all_only_so_far_together() -> None:
    ink = Ink()
    there_and_back = [(0.0, 0.5), (1.0, 0.5)] * 32
    ink.take(drawn("stroke", *there_and_back), 0.0)
    [stroke] = ink.strokes.values()
    assert stroke.length <= REACH
    for second in range(1, 60):
        ink.take(drawn("stroke", *there_and_back, stroke=second + 1), float(second))
    assert sum(stroke.length for stroke in ink.strokes.values()) <= MOST_LENGTH
    assert (bytes([1]) * 32, 60) in ink.strokes
    quick = [(0.1 + n * 0.02, 0.5) for n in range(40)]
    ink.take(drawn("stroke", *quick, device=2), 60.0)
    assert len(ink.strokes[bytes([2]) * 32, 1].spots) == 40


def test_only_what_is_new_of_a_stroke_is_drawn(theme: Theme) -> None:
    ink, layer = Ink(), InkLayer(3.0)

    def draw() -> tuple[bool, int]:
        anew, added = layer.draw(ink, QSize(200, 100), 1.0, lambda at: QPointF(at[0] * 200, 50))
        return anew, sum(len(points) for points in added)

    assert theme.fonts_missing == ()
    ink.take(drawn("stroke", *[(0.1 + n / 100, 0.5) for n in range(30)]), 0.0)
    assert draw() == (True, 30)
    ink.take(drawn("stroke", (0.42, 0.5), (0.43, 0.5)), 0.1)
    assert draw() == (False, 5)
    assert draw() == (False, 0)
    assert layer.picture is not None
    assert layer.picture.toImage().pixelColor(86, 50).alpha() > 200
    ink.take(drawn("clear"), 0.2)
    assert draw() == (True, 0)
    assert layer.picture.toImage().pixelColor(86, 50).alpha() == 0
    layer.reset()
    assert draw() == (True, 0)


def test_a_line_is_bent_and_ends_where_the_hand_ended() -> None:
    path = smooth([QPointF(0, 0), QPointF(10, 20), QPointF(20, 0)])
    assert path.currentPosition() == QPointF(20, 0)
    assert path.boundingRect().height() < 20
    assert not smooth([QPointF(4, 4)]).isEmpty()


def test_a_long_name_is_cut_and_stays_inside(theme: Theme) -> None:
    assert theme.fonts_missing == ()
    room = QRectF(0, 0, 300, 200)
    box, words = name_box(
        "A name that nobody ever would have, not even here", QPointF(290, 195), room
    )
    assert room.contains(box)
    assert words.endswith("…")


# --- places on displays


def test_pixels_of_a_dense_display_become_logical_ones_and_back() -> None:
    dense = Display(QRect(1920, 0, 1280, 720), 2.0)
    there = [Display(DISPLAY), dense]
    box = to_logical((1920 + 200, 100, 400, 300), there)
    assert box == QRect(2020, 50, 200, 150)
    assert to_pixels(box, dense) == (2120, 100, 400, 300)


def test_a_place_that_is_not_known_is_nowhere() -> None:
    assert to_logical((0, 0, 0, 0), [Display(DISPLAY)]).isEmpty()
    assert to_logical((5000, 5000, 100, 100), [Display(DISPLAY)]).isEmpty()


def test_a_region_has_even_sides_and_stays_on_its_display() -> None:
    left, top, width, height = to_pixels(QRect(1801, 1001, 333, 333), Display(DISPLAY))
    assert (width % 2, height % 2) == (0, 0)
    assert left + width <= 1920
    assert top + height <= 1080


def test_the_frame_stands_beside_what_is_shared_and_on_the_display() -> None:
    shared = QRect(100, 100, 400, 300)
    assert frame_around(shared, DISPLAY) == shared.adjusted(-BORDER, -BORDER, BORDER, BORDER)
    assert frame_around(DISPLAY, DISPLAY) == DISPLAY


def test_the_bar_covers_nothing_of_a_window_that_has_room_around_it() -> None:
    size = QRect(0, 0, 500, 120)
    shared = QRect(300, 300, 900, 400)
    assert not QRect(corner_for(size, shared, DISPLAY), size.size()).intersects(shared)
    high = QRect(300, 0, 900, 600)
    assert not QRect(corner_for(size, high, DISPLAY), size.size()).intersects(high)
    assert DISPLAY.contains(QRect(corner_for(size, DISPLAY, DISPLAY), size.size()))


def test_a_region_is_drawn_moved_and_resized() -> None:
    selection = Selection(QRect(0, 0, 800, 600))
    selection.press(QPoint(300, 200))
    selection.drag(QPoint(100, 100))
    selection.release()
    assert selection.box.topLeft() == QPoint(100, 100)
    selection.press(selection.box.center())
    selection.drag(selection.box.center() + QPoint(5000, 0))
    selection.release()
    assert selection.box.right() == 799
    before = QRect(selection.box)
    selection.press(before.bottomRight())
    selection.drag(before.bottomRight() + QPoint(0, 80))
    selection.release()
    assert selection.box.height() == before.height() + 80
    assert selection.box.top() == before.top()


def test_a_slip_is_too_small_to_be_shared() -> None:
    selection = Selection(QRect(0, 0, 800, 600))
    selection.press(QPoint(300, 200))
    selection.drag(QPoint(310, 210))
    assert not selection.is_enough


def test_arrows_walk_the_cards_as_they_stand() -> None:
    boxes = [QRect(x * 100, y * 100, 90, 90) for y in range(2) for x in range(3)][:5]
    assert nearest(boxes, 0, Qt.Key.Key_Right) == 1
    assert nearest(boxes, 1, Qt.Key.Key_Down) == 4
    assert nearest(boxes, 2, Qt.Key.Key_Down) == 4
    assert nearest(boxes, 4, Qt.Key.Key_Up) == 1
    assert nearest(boxes, 0, Qt.Key.Key_Up) == 0
    assert nearest(boxes, 4, Qt.Key.Key_Right) == 4


def test_windows_of_this_program_are_not_offered() -> None:
    rows = (
        ShareSource("window:0x2a00007", "window", "Notes", "Editor"),
        ShareSource("44040198", "window", "Anything", "python3"),
        ShareSource("w3", "window", "#general: call", "Folkmoot"),
        ShareSource("w4", "window", "#general: call", "Browser"),
        ShareSource("s1", "screen", "Screen 1"),
    )
    left = without_own(ShareSources(rows), {44040198}, {"#general: call"})
    assert [row.id for row in left.rows] == ["window:0x2a00007", "w4", "s1"]
