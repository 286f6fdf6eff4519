"""The shared memory in which pictures go from the media process to the window: its layout.

One block, made by the parent of the media process. It has `SLOTS` slots, one for each tile; a slot
has `BUFFERS` buffers, so that the one being painted is not the one being written. Pictures are
32-bit BGRX rows without padding, already at the size of their tile.

The header of a buffer is a seqlock: its sequence is odd while the picture is written. A reader
takes the buffer with the greatest even sequence, copies, and looks at the sequence again. Refuses
a header that points outside its buffer: the writer is another process and may be broken.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SLOTS = 64
BUFFERS = 3
MAX_WIDTH, MAX_HEIGHT = 1920, 1200
_HEADER = struct.Struct("<QIIQQ")
"""sequence, width, height, capture time in nanoseconds (monotonic clock of this computer), tag."""
_SEQUENCE = struct.Struct("<Q")
HEADER_BYTES = 64
BUFFER_BYTES = HEADER_BYTES + MAX_WIDTH * MAX_HEIGHT * 4
MEMORY_BYTES = SLOTS * BUFFERS * BUFFER_BYTES
"""Reserved, not used: pages that no picture touched cost nothing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The newest whole picture of a slot; `pixels` looks into the shared memory."""

    sequence: int
    width: int
    height: int
    captured_ns: int
    tag: int
    pixels: memoryview


class SlotWriter:
    """Writes pictures into one slot. One writer for each slot."""

    def __init__(self, memory: memoryview, slot: int) -> None:
        self._memory = memory
        self._base = _base(slot)
        self._next = 0
        self._sequence = max(
            _HEADER.unpack_from(memory, self._base + b * BUFFER_BYTES)[0] for b in range(BUFFERS)
        )
        self._sequence += self._sequence % 2

    def begin(self, width: int, height: int) -> memoryview:
        """The place for the next picture, `width` times `height` times 4 bytes."""
        if not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT):
            raise ValueError(f"a tile of {width}x{height} does not fit")
        at = self._base + self._next * BUFFER_BYTES
        _HEADER.pack_into(self._memory, at, self._sequence + 1, width, height, 0, 0)
        return self._memory[at + HEADER_BYTES : at + HEADER_BYTES + width * height * 4]

    def end(self, width: int, height: int, captured_ns: int, tag: int = 0) -> None:
        """The picture is whole. `tag` names what it shows: a reader drops what it did not ask."""
        at = self._base + self._next * BUFFER_BYTES
        self._sequence += 2
        _HEADER.pack_into(self._memory, at, self._sequence, width, height, captured_ns, tag)
        self._next = (self._next + 1) % BUFFERS


def has_newer(memory: memoryview, slot: int, sequence: int) -> bool:
    """Whether there is a whole picture after `sequence` (0: any); cheap, to be asked often."""
    base = _base(slot)
    for at in range(base, base + BUFFERS * BUFFER_BYTES, BUFFER_BYTES):
        (found,) = _SEQUENCE.unpack_from(memory, at)
        if found > sequence and not found % 2:
            return True
    return False


def newest(memory: memoryview, slot: int) -> Picture | None:
    """The newest whole picture of `slot`, or None if there is none that can be trusted."""
    base = _base(slot)
    best: Picture | None = None
    for buffer in range(BUFFERS):
        at = base + buffer * BUFFER_BYTES
        sequence, width, height, captured_ns, tag = _HEADER.unpack_from(memory, at)
        if (
            sequence == 0
            or sequence % 2
            or not (0 < width <= MAX_WIDTH and 0 < height <= MAX_HEIGHT)
        ):
            continue
        if best is None or sequence > best.sequence:
            start = at + HEADER_BYTES
            pixels = memory[start : start + width * height * 4]
            best = Picture(sequence, width, height, captured_ns, tag, pixels)
    return best


def is_whole(memory: memoryview, slot: int, picture: Picture) -> bool:
    """Whether `picture` was not written over meanwhile: ask after copying it."""
    base = _base(slot)
    return any(
        _HEADER.unpack_from(memory, base + b * BUFFER_BYTES)[0] == picture.sequence
        for b in range(BUFFERS)
    )


def _base(slot: int) -> int:
    if not 0 <= slot < SLOTS:
        raise ValueError(f"there is no slot {slot}")
    return slot * BUFFERS * BUFFER_BYTES
