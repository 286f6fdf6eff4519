"""Where everybody stands in a recorded picture: as the person who records sees the call.

Pure: a call, a size and what is seen go in, places come out. They never overlap, never leave the
picture and have even sides. Refuses nobody: whoever is in the call has a place, with a name on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.domain.ids import DeviceId
from folkmoot.services.call_values import Call, Participant, ParticipantState
from folkmoot.services.media_port import CAMERA, SCREEN, SELF, RecordPlace

GRID, SPEAKER = "grid", "speaker"
LAYOUTS = (GRID, SPEAKER)
_GAP = 8
_STRIP = 5
"""The strip beside what is large takes one part in so many of the width."""
_ASPECT = 16 / 9
_MAX_NAME = 128
_THERE = (ParticipantState.CONNECTED, ParticipantState.RECONNECTING, ParticipantState.CONNECTING)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on the screen of who records: a layout, and who is large in it."""

    layout: str = GRID
    front: DeviceId | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    left: int
    top: int
    width: int
    height: int


def size_of(height: int) -> tuple[int, int]:
    """The picture of a recording: 16 to 9, with even sides."""
    even = _even(height)
    return _even(even * _ASPECT + 1), even


def places_of(call: Call, seen: Seen, width: int, height: int) -> tuple[RecordPlace, ...]:
    """The places of everybody in `call`, and of what they share, in a picture of that size.

    What is shared is large, that of `seen.front` first; else, in the layout ``speaker``, who is in
    front. Everything else stands in a strip at the right. Without either it is a grid.
    """
    there = [one for one in call.participants if one.device and one.state in _THERE]
    cells = [(one, SCREEN) for one in there if one.screen] + [(one, CAMERA) for one in there]
    large = _large(cells, seen)
    whole = _Box(0, 0, width, height)
    if large is None:
        return _placed(cells, _grid(len(cells), whole))
    rest = [cell for cell in cells if cell is not large]
    if not rest:
        return _placed([large], [whole])
    strip_width = _even(width / _STRIP)
    main = _Box(0, 0, _even(width - strip_width - _GAP), height)
    beside = _Box(width - strip_width, 0, strip_width, height)
    return _placed([large, *rest], [main, *_strip(len(rest), beside)])


def _large(cells: Sequence[tuple[Participant, str]], seen: Seen) -> tuple[Participant, str] | None:
    screens = [cell for cell in cells if cell[1] == SCREEN]
    if screens:
        return next((cell for cell in screens if cell[0].device == seen.front), screens[0])
    if seen.layout != SPEAKER or len(cells) < 2:
        return None
    others = [cell for cell in cells if not cell[0].is_me]
    return next((cell for cell in cells if cell[0].device == seen.front), others[0])


def _grid(count: int, box: _Box) -> list[_Box]:
    """Cells in rows and columns so that pictures of 16 to 9 come out largest; the last row is in
    the middle."""
    if count == 0:
        return []
    columns = max(range(1, count + 1), key=lambda number: (_shown(count, number, box), -number))
    rows = math.ceil(count / columns)
    width = _even((box.width - _GAP * (columns - 1)) / columns)
    height = _even((box.height - _GAP * (rows - 1)) / rows)
    boxes = []
    for number in range(count):
        row, column = divmod(number, columns)
        in_row = min(columns, count - row * columns)
        used = in_row * width + (in_row - 1) * _GAP
        left = box.left + _even((box.width - used) / 2) + column * (width + _GAP)
        boxes.append(_Box(left, box.top + row * (height + _GAP), width, height))
    return boxes


def _shown(count: int, columns: int, box: _Box) -> float:
    """The area of a picture of 16 to 9 in a cell of a grid of so many columns."""
    width = (box.width - _GAP * (columns - 1)) / columns
    rows = math.ceil(count / columns)
    height = (box.height - _GAP * (rows - 1)) / rows
    return min(width, height * _ASPECT)


def _strip(count: int, box: _Box) -> list[_Box]:
    """Cells below each other, of 16 to 9 while they fit, in the middle of the height."""
    room = (box.height - _GAP * (count - 1)) / count
    height = max(2, _even(min(box.width / _ASPECT, room)))
    gap = _GAP if count * height + (count - 1) * _GAP <= box.height else 0
    used = count * height + (count - 1) * gap
    top = box.top + max(0, _even((box.height - used) / 2))
    return [_Box(box.left, top + n * (height + gap), box.width, height) for n in range(count)]


def _placed(
    cells: Sequence[tuple[Participant, str]], boxes: Sequence[_Box]
) -> tuple[RecordPlace, ...]:
    return tuple(
        RecordPlace(
            peer=SELF if one.is_me else one.device,
            kind=kind,
            left=box.left,
            top=box.top,
            width=box.width,
            height=box.height,
            name=one.name[:_MAX_NAME],
            fit=kind == SCREEN,
        )
        for (one, kind), box in zip(cells, boxes, strict=True)
    )


def _even(number: float) -> int:
    """The greatest even whole number that is not more."""
    return int(number) // 2 * 2
