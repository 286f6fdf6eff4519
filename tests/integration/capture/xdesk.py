"""A display without a desk, and programs on it that paint what they are told, each with a
connection of its own. What they show is known to the pixel."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import av
import numpy as np

from folkmoot.media.capture.boxes import Box
from folkmoot.media.capture.input import ShareInput
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection, padded
from folkmoot.services.media_port import ShareChanged, SourcesListed

WAIT_S = 30.0
RED, GREEN, BLUE, WHITE = 0xFFFF0000, 0xFF00FF00, 0xFF0000FF, 0xFFFFFFFF
_BACK_PIXMAP, _BACK_PIXEL, _OVERRIDE, _EVENTS = 1 << 0, 1 << 1, 1 << 9, 1 << 11
_EXPOSURE = 1 << 15
_EXPOSE, _CARDINAL, _STRING = 12, 6, 31


@contextlib.contextmanager
def display(size: str = "800x600", *options: str) -> Iterator[str]:
    """A virtual screen for the length of a test; its name."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24"),
            *("-nolisten", "tcp", "-noreset", *options),
        ],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(30)


class Program:
    """A program with one window, filled with `colour` when asked to paint.

    `background` None: the server paints nothing by itself, as for most toolkits.
    """

    def __init__(
        self,
        name: str,
        box: Box,
        colour: int = RED,
        *,
        background: int | None = None,
        override: bool = False,
        parent: int = 0,
        title: str = "",
    ) -> None:
        self.connection = Connection(name)
        self.colour = colour
        self.window = self.connection.new_id()
        back = (_BACK_PIXMAP, 0) if background is None else (_BACK_PIXEL, background)
        body = struct.pack(
            "=IIhhHHHHIIIII",
            *(self.window, parent or self.connection.screen.root, *box, 0, 1),
            *(self.connection.screen.visual, back[0] | _OVERRIDE | _EVENTS),
            *(back[1], override, _EXPOSURE | core.STRUCTURE_NOTIFY),
        )
        self.connection.check(1, 0, body)
        if title:
            self.name(title)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def name(self, title: str, application: str = "painter") -> None:
        """Give it a title, and say which program it is of."""
        self.text("WM_NAME", title)
        self.text("WM_CLASS", f"{application.lower()}\0{application}\0")

    def text(self, name: str, text: str) -> None:
        """Set a property."""
        data = text.encode()
        atom = self.connection.atom(name)
        head = struct.pack("=IIIB3xI", self.window, atom, _STRING, 8, len(data))
        self.connection.check(18, 0, head + padded(data))

    def numbers(self, name: str, *numbers: int, window: int = 0) -> None:
        """Set a property of numbers."""
        atom = self.connection.atom(name)
        head = struct.pack("=IIIB3xI", window or self.window, atom, _CARDINAL, 32, len(numbers))
        self.connection.check(18, 0, head + struct.pack(f"={len(numbers)}I", *numbers))

    def show(self) -> Self:
        """Map it and paint it."""
        self.connection.check(8, 0, struct.pack("=I", self.window))
        self.paint()
        return self

    def paint(self, colour: int | None = None, box: Box | None = None) -> None:
        """Fill it, or a part."""
        if colour is not None and box is None:
            self.colour = colour
        whole = 0, 0, *core.get_geometry(self.connection, self.window).inner
        core.fill(
            self.connection,
            self.window,
            self.colour if colour is None else colour,
            [box or whole],
        )
        self._settle()

    def serve(self) -> bool:
        """Paint if somebody asked for it since the last call."""
        self._settle()  # the server may answer who caused it before it hands this out
        asked = any(event[0] & 0x7F == _EXPOSE for event in self.connection.events())
        if asked:
            self.paint()
        return asked

    def place(self, left: int, top: int, width: int, height: int) -> None:
        """Move and size it."""
        body = struct.pack("=IH2xiiII", self.window, 15, left, top, width, height)
        self.connection.check(12, 0, body)

    def lift(self) -> None:
        """Over all others."""
        self.connection.check(12, 0, struct.pack("=IH2xI", self.window, 64, 0))

    def hide(self) -> None:
        """Unmap it."""
        self.connection.check(10, 0, struct.pack("=I", self.window))

    def destroy(self) -> None:
        """Close it."""
        self.connection.check(4, 0, struct.pack("=I", self.window))

    def _settle(self) -> None:
        """Wait until the server has done what was asked."""
        core.query_tree(self.connection, self.connection.screen.root)


def warp(connection: Connection, left: int, top: int) -> None:
    """Move the pointer."""
    root = connection.screen.root
    connection.check(41, 0, struct.pack("=IIhhHHhh", 0, root, 0, 0, 0, 0, left, top))


class Clock:
    """Seconds that pass as told, for a source that is looked at by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def later(self, seconds: float = 1.0) -> float:
        """The time after so long."""
        self.now += seconds
        return self.now


def until(claim: Callable[[], bool], what: str) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + WAIT_S
    while not claim():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def serve_until(program: Program, claim: Callable[[], bool]) -> None:
    """Let a program paint what it is asked to until it is true."""

    def is_true() -> bool:
        program.serve()
        return claim()

    until(is_true, "what the program shows")


def colours(frame: av.VideoFrame | None) -> dict[str, int]:
    """How many pixels of a frame have a colour of these, and how many another one."""
    assert frame is not None
    pixels = frame.to_ndarray(format="rgb24").astype(int)
    counts = {}
    for name, colour in _NAMES.items():
        counts[name] = int((np.abs(pixels - colour).max(axis=2) < 24).sum())
    counts["other"] = pixels.shape[0] * pixels.shape[1] - sum(counts.values())
    return {name: count for name, count in counts.items() if count}


_NAMES = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
}


class Seen:
    """What a share of a display gave, with waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.frames: list[av.VideoFrame] = []
        self.changes: list[ShareChanged] = []
        self.sources: list[SourcesListed] = []
        self.thumbnails: dict[str, av.VideoFrame] = {}
        self.input = ShareInput(
            frame=lambda frame, _: self._do(lambda: self.frames.append(frame)),
            changed=lambda change: self._do(lambda: self.changes.append(change)),
            sources=lambda listed: self._do(lambda: self.sources.append(listed)),
            thumbnail=lambda name, frame, _: self._do(
                lambda: self.thumbnails.update({name: frame})
            ),
            use_devices=True,
        )

    def _do(self, what: Callable[[], object]) -> None:
        with self._changed:
            what()
            self._changed.notify_all()

    def shows(self, wanted: dict[str, int]) -> bool:
        """Whether the last frame has these `colours`."""
        return bool(self.frames) and colours(self.frames[-1]) == wanted

    def is_quiet(self) -> bool:
        """Whether no frame comes for a moment."""
        count = len(self.frames)
        return not self.wait(lambda: len(self.frames) > count, 0.3)

    def wait(self, until: Callable[[], bool], seconds: float = WAIT_S) -> bool:
        """Wait until what was given makes it true."""
        with self._changed:
            return self._changed.wait_for(until, seconds)
