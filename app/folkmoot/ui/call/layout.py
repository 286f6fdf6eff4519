"""Where the tiles of a call stand. Pure geometry in logical pixels, no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRect, QSize

from folkmoot.ui.call.state import Key, TileState

GAP = 10
STRIP = 236
"""Width of the column of tiles beside the large one."""
NOTE = 56
"""Height of a tile that only says something ("Ringing Yuki")."""
_RATIO = 16 / 9
_LEAST = 52
SMALL = 208
TOOLS = 44
"""Height of the row of tools under a large screen."""


class LayoutKind(StrEnum):
    """What the person chose; a shared screen takes the stage by itself."""

    GRID = "grid"
    SPEAKER = "speaker"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tile stands; `on_top` lies over another one, `large` fills the stage."""

    key: Key
    box: QRect
    on_top: bool = False
    large: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """All places, and how many tiles found none."""

    places: tuple[Place, ...]
    stage: QRect
    """The dark ground of the large tile; empty where there is none."""
    hidden: int = 0


def arrange(
    size: QSize, tiles: Sequence[TileState], kind: LayoutKind, front: Key | None
) -> Arrangement:
    """Places for `tiles` in `size`; `front` is who is pinned or speaks.

    Two people: the other one fills the stage with oneself as a small tile, whatever was chosen.
    SHARE: the screen at `front`, or the first, fills the stage with everybody beside it.
    """
    whole = QRect(0, 0, size.width(), size.height())
    notes = [t for t in tiles if t.rings or (t.line and not t.camera and not t.key[1])]
    shown = [t for t in tiles if t not in notes]
    if kind is LayoutKind.SHARE and any(t.is_screen for t in shown):
        return _speaker(whole, shown, notes, front)
    others = [t for t in shown if not t.is_me]
    me = next((t for t in shown if t.is_me), None)
    if not others and len(notes) == 1:
        others, notes = notes, []
    screens = any(t.is_screen for t in shown)
    if len(others) <= 1 and not notes and not screens and (others or me):
        return _alone(whole, others[0] if others else me, me if others else None)
    if kind is LayoutKind.SPEAKER and len(shown) > 1:
        return _speaker(whole, shown, notes, front)
    return _grid(whole, shown, notes)


def _alone(whole: QRect, large: TileState | None, me: TileState | None) -> Arrangement:
    places = [Place(large.key, whole)] if large else []
    if me is not None:
        width = min(SMALL, max(96, whole.width() // 4))
        height = round(width / _RATIO)
        inset = 16 if whole.width() > 480 else 8
        box = QRect(
            whole.right() + 1 - width - inset, whole.bottom() + 1 - height - inset, width, height
        )
        places.append(Place(me.key, box, on_top=True))
    return Arrangement(tuple(places), QRect())


def _speaker(
    whole: QRect, shown: Sequence[TileState], notes: Sequence[TileState], front: Key | None
) -> Arrangement:
    large = next((t for t in shown if t.key == front), None)
    people = [t for t in shown if not t.is_screen] or shown
    large = large or next((t for t in people if not t.is_me), people[0])
    rest = [t for t in shown if t.key != large.key]
    rows = [(t, False) for t in rest] + [(t, True) for t in notes]
    beside = whole.width() >= 720 and not (large.is_screen and _is_larger_above(whole, large.size))
    places: list[Place] = []
    if beside:
        stage = QRect(0, 0, whole.width() - STRIP - 12, whole.height())
        left, top = stage.right() + 13, 0
        for tile, note in rows:
            height = NOTE if note else round(STRIP / _RATIO)
            if top + height > whole.height():
                break
            places.append(Place(tile.key, QRect(left, top, STRIP, height)))
            top += height + GAP
    else:
        height = _row_height(whole)
        width = round(height * _RATIO)
        stage = QRect(0, 0, whole.width(), whole.height() - height - GAP)
        for at, (tile, _) in enumerate(rows):
            x = at * (width + GAP)
            if x + width > whole.width():
                break
            places.append(Place(tile.key, QRect(x, stage.height() + GAP, width, height)))
    front_place = Place(large.key, stage, large=True)
    return Arrangement((front_place, *places), stage, len(rows) - len(places))


def _row_height(whole: QRect) -> int:
    return max(_LEAST, min(110, whole.height() // 4))


def _is_larger_above(whole: QRect, size: tuple[int, int]) -> bool:
    """Whether a screen of this size is shown larger with the others in a row below it."""
    ratio = size[0] / size[1] if all(size) else _RATIO
    beside = min(whole.width() - STRIP - 12, (whole.height() - TOOLS) * ratio)
    above = min(whole.width(), (whole.height() - _row_height(whole) - GAP - TOOLS) * ratio)
    return above > beside * 1.15


def _grid(whole: QRect, shown: Sequence[TileState], notes: Sequence[TileState]) -> Arrangement:
    count = len(shown)
    room = whole.height() - (NOTE + GAP if notes else 0)
    columns, width, height = best_grid(count, whole.width(), room)
    rows = -(-count // columns)
    top = (room - rows * height - (rows - 1) * GAP) // 2
    places: list[Place] = []
    for at, tile in enumerate(shown):
        row, column = divmod(at, columns)
        in_row = min(columns, count - row * columns)
        left = (whole.width() - in_row * width - (in_row - 1) * GAP) // 2
        x, y = left + column * (width + GAP), top + row * (height + GAP)
        places.append(Place(tile.key, QRect(x, y, width, height)))
    fits = max(1, (whole.width() + GAP) // (180 + GAP)) if notes else 0
    each = min(STRIP, (whole.width() + GAP) // max(1, min(len(notes), fits)) - GAP) if notes else 0
    across = min(len(notes), fits) * (each + GAP) - GAP
    left = (whole.width() - across) // 2
    for at, tile in enumerate(notes[:fits]):
        x = left + at * (each + GAP)
        places.append(Place(tile.key, QRect(x, whole.height() - NOTE, each, NOTE)))
    return Arrangement(tuple(places), QRect(), max(0, len(notes) - fits))


def best_grid(count: int, width: int, height: int) -> tuple[int, int, int]:
    """Columns, and the size of a 16:9 tile, that show `count` tiles as large as they can be."""
    best = (1, 0, 0)
    for columns in range(1, max(1, count) + 1):
        rows = -(-max(1, count) // columns)
        wide = (width - (columns - 1) * GAP) / columns
        high = (height - (rows - 1) * GAP) / rows
        wide = min(wide, high * _RATIO)
        if wide > best[1]:
            best = (columns, int(wide), int(wide / _RATIO))
    columns, wide, high = best
    return columns, max(wide, 1), max(high, 1)
