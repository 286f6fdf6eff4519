"""Screens and regions of an X server, as a share hands them out."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterator

import numpy as np
import pytest

from folkmoot.media.capture.source import ShareEnded
from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.screens import ScreenSource, list_screens
from folkmoot.services.media_port import ShareChanged, SharePlan
from integration.capture.xdesk import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    Clock,
    Program,
    Seen,
    colours,
    display,
    serve_until,
    until,
    warp,
)

pytestmark = pytest.mark.needs("Xvfb")
BIG = (4000, 4000)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with display() as name:
        yield name


@pytest.fixture
def source(screen: str) -> Iterator[ScreenSource]:
    source = ScreenSource(screen, "")
    yield source
    source.close()


def _add_monitor(connection: Connection, name: str, box: tuple[int, int, int, int]) -> None:
    randr = connection.extension("RANDR")
    assert randr is not None
    left, top, width, height = box
    body = struct.pack(
        "=IIBBHhhHHII",
        *(connection.screen.root, connection.atom(name), 0, 0, 0),
        *(left, top, width, height, 100, 100),
    )
    connection.check(randr.opcode, 43, body)


def _remove_monitor(connection: Connection, name: str) -> None:
    randr = connection.extension("RANDR")
    assert randr is not None
    body = struct.pack("=II", connection.screen.root, connection.atom(name))
    connection.check(randr.opcode, 44, body)


def test_a_screen_shows_its_windows_and_the_pointer(screen: str, source: ScreenSource) -> None:
    with Program(screen, (500, 100, 100, 50), GREEN) as program:
        program.show()
        assert source.moved(1.0) == 1.0
        seen = colours(source.take(BIG, whole=False))
    assert seen["green"] == 100 * 50
    assert (
        0 < seen["white"] < 400
    )  # the outline of the pointer, which the server puts in the middle
    assert source.place == (0, 0, 800, 600)


def test_nothing_is_fetched_while_nothing_changes(screen: str, source: ScreenSource) -> None:
    clock = Clock()
    with Program(screen, (100, 100, 100, 50), GREEN) as program:
        program.show()
        source.moved(clock.later())
        source.take(BIG, whole=False)
        before = source.fetched
        for _ in range(100):
            source.attend(clock.later())
            assert source.moved(clock.now) == 0
        program.paint(BLUE, (10, 20, 2, 10))
        assert source.moved(clock.later()) == 20 / (800 * 600)
        assert colours(source.take(BIG, whole=False))["blue"] == 20
    assert source.fetched == before + 10


def test_the_pointer_moves_without_a_trace(screen: str, source: ScreenSource) -> None:
    with Program(screen, (0, 0, 800, 600), GREEN) as program:
        program.show()
        pictures = []
        for left in (100, 300, 100):
            warp(program.connection, left, 90)
            assert source.moved(1.0) > 0
            frame = source.take(BIG, whole=False)
            assert frame is not None
            pictures.append(frame.to_ndarray(format="rgb24"))
    assert not np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_a_region_shows_only_what_is_in_it(screen: str) -> None:
    with (
        Program(screen, (0, 0, 200, 600), RED) as left,
        Program(screen, (200, 0, 600, 600), GREEN) as right,
    ):
        left.show()
        right.show()
        source = ScreenSource(screen, "", (150, 400, 100, 80))
        try:
            assert colours(source.take(BIG, whole=True)) == {"red": 50 * 80, "green": 50 * 80}
            right.paint(BLUE, (0, 0, 600, 390))  # above the region
            assert source.moved(1.0) == 0
            assert source.place == (150, 400, 100, 80)
        finally:
            source.close()


def test_without_shared_memory_pixels_come_through_the_connection() -> None:
    with (
        display("800x600", "-extension", "MIT-SHM") as bare,
        Program(bare, (100, 100, 100, 50), GREEN) as program,
    ):
        program.show()
        source = ScreenSource(bare, "", (100, 90, 200, 100))
        assert colours(source.take(BIG, whole=False)) == {"green": 100 * 50, "black": 15000}
        program.paint(BLUE, (10, 20, 30, 10))
        assert source.moved(1.0) > 0
        assert colours(source.take(BIG, whole=False))["blue"] == 300
        source.close()


def test_a_region_beside_the_screen_is_cut_or_not_there(screen: str) -> None:
    source = ScreenSource(screen, "", (700, 500, 400, 400))
    try:
        assert source.place == (700, 500, 100, 100)
    finally:
        source.close()
    with pytest.raises(ShareEnded) as ended:
        ScreenSource(screen, "", (900, 0, 100, 100))
    assert ended.value.code == "none"


def test_each_monitor_is_a_screen_of_its_own() -> None:
    with display("800x600") as two, Connection(two) as connection:
        _add_monitor(connection, "LEFT", (0, 0, 300, 600))
        _add_monitor(connection, "RIGHT", (300, 0, 500, 600))
        screens = list_screens(connection)
        assert [(name, place) for name, _, place in screens if name.endswith("T")] == [
            ("screen:LEFT", (0, 0, 300, 600)),
            ("screen:RIGHT", (300, 0, 500, 600)),
        ]
        with Program(two, (250, 0, 100, 600), RED) as program:
            program.show()
            source = ScreenSource(two, "screen:RIGHT")
            frame = source.take(BIG, whole=True)
            source.close()
    assert frame is not None
    assert (frame.width, frame.height) == (500, 600)
    assert colours(frame)["red"] == 50 * 600


def test_a_screen_that_is_not_there_is_said(screen: str) -> None:
    with pytest.raises(ShareEnded) as ended:
        ScreenSource(screen, "screen:nowhere")
    assert ended.value.code == "none"


def test_a_monitor_that_goes_ends_the_share_and_one_that_grows_is_followed() -> None:
    clock = Clock()
    with display("800x600") as two, Connection(two) as connection:
        _add_monitor(connection, "LEFT", (0, 0, 300, 600))
        source = ScreenSource(two, "screen:LEFT")
        source.attend(clock.later())
        _remove_monitor(connection, "LEFT")
        _add_monitor(connection, "LEFT", (0, 0, 400, 600))
        source.attend(clock.later(2))
        frame = source.take(BIG, whole=False)
        assert frame is not None
        assert frame.width == 400
        _remove_monitor(connection, "LEFT")
        with pytest.raises(ShareEnded) as ended:
            source.attend(clock.later(2))
        source.close()
    assert ended.value.code == "none"


@pytest.fixture
def seen(screen: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    seen = Seen()
    yield seen
    seen.input.close()


def test_a_shared_window_is_handed_out_at_each_change_until_it_closes(
    screen: str, seen: Seen
) -> None:
    with Program(screen, (600, 450, 100, 80), GREEN, title="shared") as program:
        program.show()
        seen.input.set_plan(SharePlan(source="window", source_id=f"window:{program.window:x}"))
        serve_until(program, lambda: seen.shows({"green": 100 * 80}))
        assert seen.changes == [ShareChanged("sharing", place=(600, 450, 100, 80))]
        until(seen.is_quiet, "nothing more is handed out")
        program.paint(BLUE)
        assert seen.wait(lambda: colours(seen.frames[-1]) == {"blue": 100 * 80})
        program.place(500, 400, 120, 90)
        program.paint()
        assert seen.wait(lambda: seen.changes[-1].place == (500, 400, 120, 90))
        assert seen.wait(lambda: seen.frames[-1].width == 120)
        program.destroy()
        assert seen.wait(lambda: seen.changes[-1].state == "ended")
    assert seen.changes[-1].code == "closed"
    assert seen.changes[-1].words == "The window was closed."


_SPANS = (0, 500), (0, 400), (30, 300), (30, 250)
"""Of left, top, width, height."""


def test_a_window_that_is_never_the_same_never_shows_another_one(screen: str, seen: Seen) -> None:
    """It grows, shrinks, moves, goes and comes between two others, as fast as it can."""
    chance = random.Random(11)
    with (
        Program(screen, (0, 0, 800, 600), RED) as under,
        Program(screen, (500, 300, 200, 150), GREEN, title="shared") as program,
        Program(screen, (550, 350, 60, 200), RED, override=True) as over,
    ):
        for each in (under, program, over):
            each.show()
        warp(program.connection, 5, 5)
        seen.input.set_plan(SharePlan(source="window", source_id=f"window:{program.window:x}"))
        for step in itertools.count():
            program.place(*(chance.randrange(*span) for span in _SPANS))
            if step % 10 == 5:
                program.hide()
                program.connection.check(8, 0, struct.pack("=I", program.window))
            count = len(seen.frames)
            seen.wait(lambda count=count: len(seen.frames) > count, chance.choice((0, 0.01, 0.1)))  # type: ignore[misc]
            program.serve()
            if count >= 10:
                break
    shown = [set(colours(frame)) for frame in seen.frames]
    assert all(each <= {"green", "grey"} for each in shown)


def test_a_window_that_is_minimised_keeps_its_last_picture(screen: str, seen: Seen) -> None:
    with Program(screen, (600, 450, 100, 80), GREEN, title="shared") as program:
        program.show()
        seen.input.set_plan(SharePlan(source="window", source_id=f"window:{program.window:x}"))
        serve_until(program, lambda: seen.shows({"green": 100 * 80}))
        program.hide()
        until(seen.is_quiet, "nothing more is handed out")
        count = len(seen.frames)
        seen.input.again()
        assert not seen.wait(lambda: len(seen.frames) > count, 0.5)
        assert seen.changes[-1].state == "sharing"
        program.show()
        serve_until(program, lambda: len(seen.frames) > count and seen.shows({"green": 100 * 80}))


def test_a_pause_captures_nothing_and_its_end_shows_what_is_there(screen: str, seen: Seen) -> None:
    plan = SharePlan(source="region", region=(500, 300, 200, 100))
    with Program(screen, (500, 300, 200, 100), GREEN) as program:
        program.show()
        seen.input.set_plan(plan)
        assert seen.wait(
            lambda: colours(seen.frames[-1]) == {"green": 200 * 100} if seen.frames else False
        )
        seen.input.set_plan(SharePlan(source="region", region=plan.region, paused=True))
        assert seen.wait(lambda: seen.changes[-1].state == "paused")
        count = len(seen.frames)
        program.paint(WHITE)
        assert not seen.wait(lambda: len(seen.frames) > count, 0.4)
        seen.input.set_plan(plan)
        assert seen.wait(lambda: len(seen.frames) > count)
    assert colours(seen.frames[count]) == {"white": 200 * 100}


def test_sources_are_listed_with_small_pictures_until_it_is_switched_off(
    screen: str, seen: Seen
) -> None:
    with Program(screen, (0, 0, 600, 480), GREEN, title="one") as one:
        one.show()
        name = f"window:{one.window:x}"
        seen.input.list_sources(True)
        assert seen.wait(lambda: name in seen.thumbnails and "screen:screen" in seen.thumbnails)
        assert seen.sources[0].rows == (
            ("screen:screen", "screen", "screen", "", 800, 600),
            (name, "window", "one", "painter", 600, 480),
        )
        assert seen.sources[0].regions
        small = seen.thumbnails[name]
        assert (small.width, small.height) == (450, 360)
        assert set(colours(small)) == {"green"}
        one.paint(BLUE)
        assert seen.wait(lambda: set(colours(seen.thumbnails[name])) == {"blue"})
        with Program(screen, (300, 0, 90, 80), RED, title="two") as two:
            two.show()
            assert seen.wait(
                lambda: [row[2] for row in seen.sources[-1].rows[1:]] == ["two", "one"]
            )
            assert set(colours(seen.thumbnails[name])) == {"blue"}
        assert seen.wait(lambda: [row[2] for row in seen.sources[-1].rows[1:]] == ["one"])
        seen.input.list_sources(False)
        seen.input.close()
        seen.thumbnails.clear()
        one.paint(WHITE)
        assert not seen.wait(lambda: bool(seen.thumbnails), 0.7)
