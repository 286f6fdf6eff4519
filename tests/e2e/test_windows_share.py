"""One shares a window of another program, the other sees it: two windows, mouse and keyboard."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from e2e.desktop import Control, WindowProcess
from e2e.nodes import until
from e2e.people import HEIGHT, NEEDS, WIDTH, Desk, desk_with_two_places, gone, two_people
from folkmoot.media.capture.boxes import Box
from integration.capture.xdesk import GREEN, RED, Program

pytestmark = [
    pytest.mark.needs(*NEEDS),
    pytest.mark.blocks_loop("a person waits"),
    pytest.mark.long,
    pytest.mark.timeout(240),
]
BELOW = 700
_GREEN = np.array((0, 255, 0))
_RED = np.array((255, 0, 0))


@contextlib.contextmanager
def _in_call(folder: Path) -> Iterator[tuple[Desk, WindowProcess, WindowProcess]]:
    """Elin and Tomas in a call of a channel, each with its window below the main one."""
    with desk_with_two_places(folder, BELOW) as desk:
        elin, tomas = two_people(desk, "Harbour Studio")
        elin.click("Call", "push button")
        elin.find("Controls of the call", "filler")
        elin.place_window("call", 0, HEIGHT + 24, WIDTH, BELOW - 40)
        tomas.click("Join", "push button")
        tomas.find("Controls of the call", "filler")
        tomas.place_window("call", WIDTH + 10, HEIGHT + 24, WIDTH, BELOW - 40)
        tomas.find("Elin, ", "filler")
        yield desk, elin, tomas


@contextlib.contextmanager
def _painter(
    desk: Desk, title: str, colour: int, left: int, top: int, *, override: bool = False
) -> Iterator[Program]:
    """Another program's window of one colour; `override`: the window manager leaves it alone."""
    place: Box = (left, top, 320, 200)
    name = desk.desk.environment["DISPLAY"]
    with Program(name, place, colour, background=colour, override=override, title=title) as program:
        program.show()
        program.place(*place)
        yield program


def _share(desk: Desk, elin: WindowProcess, title: str) -> None:
    elin.click("Share a screen or a window")
    elin.find("What can be shared")
    elin.find(title)
    desk.picture("picker")
    elin.click(title)
    elin.key("Return")
    elin.find("Stop sharing", "push button")


def _screen_tile(window: WindowProcess) -> Control:
    """The large tile that shows what Elin shares, once it stands still."""

    def largest() -> Control:
        window.find("Elin’s screen", "filler")
        found = window.all("Elin’s screen", "filler")
        return max(found, key=lambda one: one.width * one.height)

    seen = [largest()]

    def stands() -> bool:
        seen.append(largest())
        return seen[-1] == seen[-2] and seen[-1].height > 200

    until(stands, "the shared screen has its place", more=lambda: str(seen[-1]))
    return seen[-1]


def _seen(desk: Desk, tile: Control) -> NDArray[np.uint8]:
    return desk.pixels(tile.x, tile.y, tile.width, tile.height)


def _share_of(pixels: NDArray[np.uint8], colour: NDArray[np.int64]) -> float:
    """Which part of a picture has a colour, within what packing a picture changes."""
    near = np.abs(pixels.astype(int) - colour).max(axis=2) < 60
    return float(near.mean())


def test_a_shared_window_is_seen_and_never_what_lies_over_it(tmp_path: Path) -> None:
    with _in_call(tmp_path) as (desk, elin, tomas):
        with _painter(desk, "Green plans", GREEN, 260, 300) as plans:
            _share(desk, elin, "Green plans")
            tile = _screen_tile(tomas)
            until(lambda: _share_of(_seen(desk, tile), _GREEN) > 0.3, "the shared window is green")
            desk.picture("shared")
            plans.lift()
            until(lambda: _share_of(desk.pixels(300, 340, 200, 100), _GREEN) > 0.9, "it is there")
            with _painter(desk, "Red secret", RED, 280, 320, override=True) as secret:
                secret.lift()
                until(lambda: _share_of(desk.pixels(300, 340, 200, 100), _RED) > 0.9, "it is over")
                for shade in range(10):
                    plans.paint(0xFF00FF00 - (shade << 8))  # so that there is something to send
                    assert _share_of(_seen(desk, tile), _RED) == 0.0
                    assert _share_of(_seen(desk, tile), _GREEN) > 0.3
                desk.picture("covered")

            tomas.click("Draw")
            x, y = tile.middle
            tomas.focus()
            desk.desk.xdotool("mousemove", x - 60, y, "mousedown", 1, "sleep", 0.1)
            for step in range(12):
                desk.desk.xdotool("mousemove", x - 60 + step * 10, y + step * 3, "sleep", 0.02)
            desk.desk.xdotool("mouseup", 1)
            desk.picture("ink")
            elin.click("Pause", "push button")
            tomas.find("paused", "filler")
            desk.picture("paused")
            elin.click("Go on", "push button")
        # Its window was closed.
        elin.find("closed", "label")
        gone(elin, "Stop sharing")
        gone(tomas, "Elin shares a screen")
        desk.picture("closed")


def test_a_call_is_recorded_with_everybody_told_and_the_file_plays(tmp_path: Path) -> None:
    with _in_call(tmp_path) as (desk, elin, tomas):
        elin.click("More about the call", "push button")
        elin.key("Escape")
        elin.key("ctrl+shift+r")
        elin.find("Record this call", "dialog")
        desk.picture("sheet")
        elin.click("Start recording", "push button")
        tomas.find("Elin records")
        elin.find("Recording: ")
        desk.picture("recording")
        held = desk.folder_of("elin")
        file = until(lambda: next(iter(_files(desk, held)), None), "a file of the recording")
        assert file is not None
        elin.click("Stop", "push button")
        gone(tomas, "Elin records")
        with av.open(str(until(lambda: _finished(file), "the file plays", 20))) as played:
            assert {stream.type for stream in played.streams} == {"audio", "video"}
        tomas.find("recorded", "list item")
        desk.picture("recorded")


def _files(desk: Desk, profile: Path) -> list[Path]:
    home = Path(desk.desk.environment["HOME"])
    return [*profile.rglob("*.mkv"), *home.rglob("*.mkv")]


def _finished(file: Path) -> Path | None:
    copy = file.with_suffix(".copy")
    shutil.copy(file, copy)
    try:
        with av.open(str(copy)) as played:
            return file if played.duration else None
    except av.FFmpegError:
        return None
