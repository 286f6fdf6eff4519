"""Windows of an X server without a window manager: found, and shown alone."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from folkmoot.media.capture.source import ShareEnded
from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.window_source import OpenWindow, open_window
from folkmoot.media.capture.x11.windows import list_windows
from integration.capture.xdesk import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    Clock,
    Program,
    colours,
    display,
    warp,
)

pytestmark = pytest.mark.needs("Xvfb")
BIG = (4000, 4000)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with display() as name:
        yield name


@pytest.fixture
def shared(screen: str) -> Iterator[Program]:
    with Program(screen, (50, 50, 300, 200), GREEN, title="shared") as program:
        yield program.show()


class Look:
    """A window that is looked at by hand, with its own time."""

    def __init__(self, screen: str, program: Program, *, browsing: bool = False) -> None:
        self.clock = Clock()
        name = f"window:{program.window:x}"
        self.source: OpenWindow = open_window(screen, name, browsing=browsing)

    def attend(self) -> None:
        """Let it notice what happened."""
        self.source.attend(self.clock.later())

    def moved(self) -> float:
        """What changed, as the thread asks for it."""
        self.attend()
        return self.source.moved(self.clock.later())

    def see(self) -> dict[str, int]:
        """The colours of the picture, once the program had time to paint."""
        self.attend()
        self.attend()
        return colours(self.source.take(BIG, whole=False))

    def close(self) -> None:
        self.source.close()


@pytest.fixture
def look(screen: str, shared: Program) -> Iterator[Look]:
    look = Look(screen, shared)
    shared.serve()
    yield look
    look.close()


def test_windows_are_listed_with_their_names_and_sizes(screen: str, shared: Program) -> None:
    with (
        Program(screen, (0, 0, 90, 80), title="Übersicht") as named,
        Program(screen, (9, 9, 8, 8), title="too small") as small,
        Program(screen, (0, 0, 90, 80), override=True, title="menu") as menu,
        Program(screen, (0, 0, 90, 80), title="hidden"),
        Program(screen, (0, 0, 90, 80), title="ours") as ours,
        Connection(screen) as connection,
    ):
        for each in (named, small, menu, ours):
            each.show()
        ours.numbers("_NET_WM_PID", 4711)
        named.text("_NET_WM_NAME", "Überblick")
        rows = [(w.number, w.title, w.application, w.size) for w in list_windows(connection, 4711)]
    assert rows == [
        (named.window, "Überblick", "painter", (90, 80)),
        (shared.window, "shared", "painter", (300, 200)),
    ]


def test_windows_in_frames_are_found(screen: str) -> None:
    with (
        Program(screen, (20, 20, 200, 150), WHITE) as frame,
        Program(screen, (5, 25, 190, 120), parent=frame.window, title="inside") as inside,
        Connection(screen) as connection,
    ):
        inside.show()
        frame.show()
        found = list_windows(connection, 0)
    assert [(each.number, each.title) for each in found] == [(inside.window, "inside")]


def test_a_window_is_shown_as_it_is(look: Look) -> None:
    assert look.see() == {"green": 300 * 200}
    assert look.source.place == (50, 50, 300, 200)


@pytest.mark.parametrize("browsing", [True, False])
def test_what_lies_over_it_when_it_is_first_looked_at_never_appears(
    screen: str, shared: Program, *, browsing: bool
) -> None:
    """The program under it paints nothing by itself, and not even when it is asked."""
    with Program(screen, (100, 100, 120, 90), RED, title="over") as over:
        over.show()
        look = Look(screen, shared, browsing=browsing)
        try:
            foreign = 120 * 90 if browsing else 300 * 200
            rest = {"green": 300 * 200 - foreign} if browsing else {}
            assert look.see() == {**rest, "grey": foreign}
            assert shared.serve()
            assert look.see() == {"green": 300 * 200}
        finally:
            look.close()


def test_what_was_there_before_the_program_painted_never_appears(
    screen: str, shared: Program
) -> None:
    with (
        Program(screen, (0, 0, 800, 600), RED) as under,
        Program(screen, (60, 60, 100, 80)) as program,
    ):
        under.show()
        program.connection.check(8, 0, struct.pack("=I", program.window))  # mapped, not painted
        look = Look(screen, program)
        try:
            assert look.see() == {"grey": 100 * 80}
        finally:
            look.close()


def test_what_moves_over_it_never_appears(screen: str, look: Look) -> None:
    look.see()
    with Program(screen, (0, 0, 120, 90), RED, title="over") as over:
        over.show()
        for left in range(0, 300, 60):
            over.place(left, left // 2, 120, 90)
            over.paint()
            look.attend()
            assert colours(look.source.take(BIG, whole=True)) == {"green": 300 * 200}


def test_what_lies_over_a_part_beside_the_screen_never_appears(
    screen: str, shared: Program
) -> None:
    with Program(screen, (0, 0, 800, 600), RED, title="under") as under:
        under.show()
        shared.place(-100, -50, 300, 200)
        shared.lift()
        shared.paint()
        look = Look(screen, shared, browsing=True)
        try:
            assert look.see() == {"green": 200 * 150, "grey": 300 * 200 - 200 * 150}
            shared.serve()
            assert look.see() == {"green": 300 * 200}
            assert look.source.place == (-100, -50, 300, 200)
        finally:
            look.close()


def test_a_window_that_grows_over_others_does_not_show_them(
    screen: str, shared: Program, look: Look
) -> None:
    with Program(screen, (0, 0, 800, 600), RED, title="under") as under:
        under.show()
        shared.lift()
        shared.paint()
        assert look.see() == {"green": 300 * 200}
        shared.place(50, 50, 500, 400)
        assert look.see() == {"grey": 500 * 400}
        shared.serve()
        assert look.see() == {"green": 500 * 400}


def test_a_window_that_comes_back_does_not_show_what_was_there_meanwhile(
    screen: str, shared: Program, look: Look
) -> None:
    assert look.see() == {"green": 300 * 200}
    shared.hide()
    look.attend()
    assert look.source.take(BIG, whole=True) is None
    with Program(screen, (0, 0, 800, 600), RED, title="meanwhile") as meanwhile:
        meanwhile.show()
        shared.lift()
        shared.connection.check(8, 0, struct.pack("=I", shared.window))
        assert look.see() == {"grey": 300 * 200}
        shared.serve()
        assert look.see() == {"green": 300 * 200}


def test_corners_that_are_not_of_a_shaped_window_stay_empty(screen: str, shared: Program) -> None:
    """Its shape is its upper half; the server keeps pixels of others in the rest."""
    with Program(screen, (0, 0, 800, 600), RED, title="under") as under:
        under.show()
        shape = shared.connection.extension("SHAPE")
        assert shape is not None
        body = struct.pack("=BBBxIhhhhHH", 0, 0, 0, shared.window, 0, 0, 0, 0, 300, 100)
        shared.lift()
        shared.connection.check(shape.opcode, 1, body)
        shared.paint()
        look = Look(screen, shared)
        shared.serve()
        try:
            assert look.see() == {"green": 300 * 100, "grey": 300 * 100}
        finally:
            look.close()


def test_what_is_in_the_window_is_shown_and_painted_again(screen: str, shared: Program) -> None:
    with (
        Program(screen, (100, 50, 80, 60), BLUE, parent=shared.window) as inner,
        Program(screen, (0, 0, 800, 600), RED, title="over") as over,
    ):
        inner.show()
        over.show()
        look = Look(screen, shared)
        try:
            assert look.see() == {"grey": 300 * 200}
            assert shared.serve()
            assert inner.serve()
            assert look.see() == {"blue": 80 * 60, "green": 300 * 200 - 80 * 60}
        finally:
            look.close()


def test_a_window_that_another_program_shows_already_is_painted_again(
    screen: str, shared: Program
) -> None:
    """Nothing new is uncovered then, so the server would ask for nothing by itself."""
    with Program(screen, (100, 100, 120, 90), RED, title="over") as over:
        over.show()
        first = Look(screen, shared)
        shared.serve()
        second = Look(screen, shared)
        try:
            assert second.see() == {"grey": 300 * 200}
            assert shared.serve()
            assert second.see() == {"green": 300 * 200}
        finally:
            first.close()
            second.close()


def test_a_picture_waits_until_the_program_has_painted(screen: str, shared: Program) -> None:
    with Program(screen, (100, 100, 120, 90), RED, title="over") as over:
        over.show()
        look = Look(screen, shared)
        try:
            look.attend()
            assert look.source.moved(look.clock.now + 0.2) == 0
            assert look.source.moved(look.clock.now + 0.31) == 1  # no longer than that
            shared.serve()
            look.source.attend(look.clock.now + 0.05)
            assert look.source.moved(look.clock.now + 0.06) == 0
            assert look.source.moved(look.clock.now + 0.09) == 1
        finally:
            look.close()


def test_only_what_was_painted_is_fetched(shared: Program, look: Look) -> None:
    look.see()
    assert look.moved() == 0
    before = look.source.fetched
    shared.paint(BLUE, (10, 60, 20, 10))
    assert look.moved() == 20 * 10 / (300 * 200)
    assert look.see() == {"blue": 200, "green": 300 * 200 - 200}
    assert look.source.fetched == before + 10


def test_a_window_that_moves_is_followed(shared: Program, look: Look) -> None:
    shared.place(200, 120, 300, 200)
    assert look.see() == {"green": 300 * 200}
    assert look.source.place == (200, 120, 300, 200)


def test_a_window_that_is_closed_ends_the_share(shared: Program, look: Look) -> None:
    look.see()
    shared.destroy()
    with pytest.raises(ShareEnded) as ended:
        look.attend()
    assert ended.value.code == "closed"


@pytest.mark.parametrize("name", ["window:1", "window:", "window:zz", "", "screen:x"])
def test_a_window_that_is_not_there_is_said(screen: str, name: str) -> None:
    with pytest.raises(ShareEnded) as ended:
        open_window(screen, name)
    assert ended.value.code == "none"


def test_without_composite_a_window_is_refused_and_not_shown() -> None:
    with (
        display("320x200", "-extension", "Composite") as bare,
        Program(bare, (0, 0, 90, 80), title="there") as program,
    ):
        program.show()
        with pytest.raises(ShareEnded) as ended:
            open_window(bare, f"window:{program.window:x}")
    assert ended.value.code == "refused"
    assert "alone" in ended.value.words


def test_the_pointer_is_seen_over_the_window_and_not_over_another_one(
    screen: str, shared: Program
) -> None:
    with Program(screen, (100, 100, 120, 90), RED, title="over") as over:
        over.show()
        source = open_window(screen, f"window:{shared.window:x}")
        try:
            shared.serve()
            source.attend(1000.0)
            source.attend(1001.0)
            at = {}
            for place, left in (("on it", 70), ("on the other", 150), ("beside", 700)):
                warp(shared.connection, left, 150)
                source.moved(1001.0)
                at[place] = set(colours(source.take(BIG, whole=False)))
        finally:
            source.close()
    assert "white" in at["on it"]
    assert at["on the other"] == at["beside"] == {"green"}


def test_a_lost_display_ends_the_share_and_not_the_process() -> None:
    with display("320x200") as short, Program(short, (0, 0, 90, 80)) as program:
        program.show()
        source = open_window(short, f"window:{program.window:x}")
        program.connection.close()
        program.connection = Connection(short)
    with pytest.raises(ShareEnded):
        source.attend(1000.0)
    source.close()
