"""Pixels of one window and of no other: redirected by Composite, and cleaned before the first look.

Owns the named pixmap of a window. A pixmap that the server makes begins as a copy of what is on the
screen there, other windows over or under it included, and stays so until the program paints. So
what may be foreign in it is overwritten while every other client is held, and the program is asked
to paint that again. Refuses to show a window without Composite: `XError` 0.

Sources: compositeproto 0.4, section 3; X.Org server, `composite/compalloc.c` (behaviour).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from folkmoot.media.capture.boxes import Box, clip_all, hidden_part, move, subtract
from folkmoot.media.capture.x11 import requests as core
from folkmoot.media.capture.x11.connection import Connection
from folkmoot.media.capture.x11.extensions import get_shape, name_pixmap, redirect, unredirect

Doubt = Callable[[core.Geometry], list[Box]]
"""Which parts of a pixmap may be foreign."""

_NEUTRAL = 0xFF808080
_MOST_CHILDREN = 500


@dataclass(frozen=True, slots=True)
class Pixels:
    """A pixmap that holds nothing of other windows. `inner` is the window in it without its border.
    `cleaned`: parts of it were overwritten, and are painted again soon."""

    pixmap: int
    inner: Box
    depth: int
    cleaned: bool


class OwnPixels:
    """Gives the pixels of `window`. Raises `XError` when it is not there or cannot be had."""

    def __init__(self, connection: Connection, window: int) -> None:
        self._c, self._window = connection, window
        self._opcode = 0
        self._pixmap = 0

    def begin(self, *, trusting: bool = False) -> Pixels | None:
        """Redirect it; None while it does not show.

        Where a program has not painted yet, its window shows what was there before. `trusting`:
        what is on the screen may be shown, since nobody else will see it.
        """
        core.grab_server(self._c)
        try:
            self._opcode = redirect(self._c, self._window)
            if trusting:
                return self._name(lambda geometry: find_hidden(self._c, self._window, geometry))
            return self._name(_all)
        finally:
            core.ungrab_server(self._c)

    def renew(self) -> Pixels | None:
        """After it was mapped, or has another size: nothing in the new pixmap is trusted."""
        core.grab_server(self._c)
        try:
            return self._name(_all)
        finally:
            core.ungrab_server(self._c)

    def end(self) -> None:
        """Let it be as it was."""
        if self._pixmap:
            core.free_pixmap(self._c, self._pixmap)
            self._pixmap = 0
        if self._opcode:
            unredirect(self._c, self._opcode, self._window)
            self._c.flush()

    def _name(self, doubtful: Doubt) -> Pixels | None:
        if not core.get_attributes(self._c, self._window).viewable:
            return None
        geometry = core.get_geometry(self._c, self._window)
        pixmap = name_pixmap(self._c, self._opcode, self._window)
        if self._pixmap:
            core.free_pixmap(self._c, self._pixmap)
        self._pixmap = pixmap
        whole = 0, 0, *geometry.box[2:]
        border = geometry.border
        foreign = [*doubtful(geometry), *self._outside(whole, border)]
        if foreign:
            core.fill(self._c, pixmap, _NEUTRAL, foreign)
            self._have_painted([move(box, -border, -border) for box in foreign])
        inner = border, border, *geometry.inner
        return Pixels(pixmap, inner, geometry.depth, bool(foreign))

    def _outside(self, whole: Box, border: int) -> list[Box]:
        """What is not of the window where its shape is no rectangle."""
        shape = get_shape(self._c, self._window)
        if not shape:
            return []
        rest = [whole]
        for box in shape:
            rest = subtract(rest, move(box, border, border))
        return rest

    def _have_painted(self, boxes: list[Box]) -> None:
        """Have the programs of the window and of those in it paint `boxes` again."""
        waiting = [(self._window, boxes)]
        done = 0
        while waiting and done < _MOST_CHILDREN:
            window, parts = waiting.pop()
            done += 1
            geometry = core.get_geometry(self._c, window)
            parts = clip_all(parts, (0, 0, *geometry.inner))
            if not parts:
                continue
            for box in parts:
                core.clear_area(self._c, window, box)
            for child, box, border in _drawing(self._c, core.query_tree(self._c, window).children):
                across, down = -box[0] - border, -box[1] - border
                waiting.append((child, [move(part, across, down) for part in parts]))


def _all(geometry: core.Geometry) -> list[Box]:
    return [(0, 0, *geometry.box[2:])]


def find_hidden(connection: Connection, window: int, geometry: core.Geometry) -> list[Box]:
    """Which parts of a window, its border included, are under others or beside the screen."""
    covers: list[Box] = []
    frames: list[Box] = []
    across, down = geometry.box[:2]
    at, parent = window, core.query_tree(connection, window).parent
    while parent:
        place = core.query_tree(connection, parent)
        above = place.children[place.children.index(at) + 1 :]
        covers += [move(box, -across, -down) for _, box, _ in _drawing(connection, above)]
        outer = core.get_geometry(connection, parent)
        frames.append((-across, -down, *outer.inner))
        across += outer.box[0] + outer.border
        down += outer.box[1] + outer.border
        at, parent = parent, place.parent
    return hidden_part((0, 0, *geometry.box[2:]), frames, covers)


def _drawing(connection: Connection, windows: Iterable[int]) -> list[tuple[int, Box, int]]:
    """(window, box with border, border) of those that show something."""
    asked = [
        (each, core.begin_attributes(connection, each), core.begin_geometry(connection, each))
        for each in windows
    ]
    found = []
    for window, attributes_reply, geometry_reply in asked:
        attributes = core.read_attributes(connection.wait(attributes_reply))
        geometry = core.read_geometry(connection.wait(geometry_reply))
        if attributes.draws and attributes.viewable:
            found.append((window, geometry.box, geometry.border))
    return found
