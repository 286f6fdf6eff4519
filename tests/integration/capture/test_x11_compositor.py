"""Sharing where a compositor paints the screen: every window has pixels of its own already."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator

import pytest

from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.screens import ScreenSource
from folkmoot.media.capture.x11.window_source import open_window
from integration.capture.xdesk import BLUE, GREEN, RED, Clock, Program, colours, display, until

pytestmark = pytest.mark.needs("Xvfb", "xcompmgr")
BIG = (4000, 4000)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with display() as name, Connection(name) as connection:
        composer = subprocess.Popen(["xcompmgr", "-d", name], stderr=subprocess.DEVNULL)
        selection = struct.pack("=I", connection.atom("_NET_WM_CM_S0"))
        # GetSelectionOwner
        until(lambda: any(connection.ask(23, 0, selection)[8:12]), "the compositor")
        yield name
        composer.terminate()
        composer.wait(30)


@pytest.fixture
def shared(screen: str) -> Iterator[Program]:
    with Program(screen, (50, 50, 300, 200), GREEN, title="shared") as program:
        yield program.show()


def test_a_screen_shows_what_the_compositor_paints(screen: str, shared: Program) -> None:
    clock = Clock()
    source = ScreenSource(screen, "")

    def shows(colour: str) -> bool:
        shared.serve()
        return bool(source.moved(clock.later())) and (
            colours(source.take(BIG, whole=False)).get(colour) == 300 * 200
        )

    until(lambda: shows("green"), "the window")
    shared.paint(BLUE)
    until(lambda: shows("blue"), "a change of it")
    source.close()


def test_a_window_under_another_one_is_shown_alone(screen: str, shared: Program) -> None:
    clock = Clock()
    with Program(screen, (100, 100, 120, 90), RED) as over:
        over.show()
        source = open_window(screen, f"window:{shared.window:x}")
        source.attend(clock.later())
        shared.serve()
        source.attend(clock.later())
        assert colours(source.take(BIG, whole=False)) == {"green": 300 * 200}
        over.place(60, 60, 250, 150)
        over.paint()
        source.attend(clock.later())
        assert colours(source.take(BIG, whole=True)) == {"green": 300 * 200}
        shared.place(10, 10, 400, 380)
        source.attend(clock.later())
        source.attend(clock.later())
        assert colours(source.take(BIG, whole=True)) == {"grey": 400 * 380}
        shared.serve()
        source.attend(clock.later())
        assert colours(source.take(BIG, whole=True)) == {"green": 400 * 380}
        source.close()
