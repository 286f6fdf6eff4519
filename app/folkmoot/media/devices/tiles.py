"""Pictures into the tiles of the window: scaled once, straight to the size that is painted.

Owns the writers of the slots of `services.frame_slots`. Refuses plans that do not fit the memory,
and pictures whose size no sane sender uses; both come from another process or another computer.
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from folkmoot.domain.errors import PeerError
from folkmoot.media.devices.planes import view_plane, view_rows
from folkmoot.services.frame_slots import MAX_HEIGHT, MAX_WIDTH, SLOTS, SlotWriter
from folkmoot.services.media_port import CAMERA, SCREEN, SOURCE, WHOLE, TilePlan

MAX_SIDE = 4096
"""Pixels on a side of a picture that is scaled; larger ones are dropped."""
MOST_THUMBNAILS = 64
"""Kept until `forget` is called for them."""
_BLACK = 0xFF000000
_PLANAR = ("yuv420p", "yuvj420p")
_INTERPOLATION = {
    CAMERA: Interpolation.FAST_BILINEAR,
    # Text that is made smaller loses its thin strokes to the fast one.
    SCREEN: Interpolation.BICUBIC,
    SOURCE: Interpolation.BILINEAR,
}


Source = tuple[bytes, str, str]
"""What pictures are of: peer, kind, and the source of a thumbnail."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A picture, when it was taken, and its number among all."""

    frame: av.VideoFrame
    capture_ns: int
    number: int


class TileWriter:
    """Writes each picture into every tile that shows it. Every method is thread-safe.

    The last picture of what may stand still is kept, for a tile that comes or changes later.
    """

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._slots: dict[int, _Slot] = {}
        self._by_source: dict[Source, tuple[_Slot, ...]] = {}
        self._kept: dict[Source, _Kept] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def show(self, plans: tuple[TilePlan, ...]) -> None:
        """Replace all plans. Raises `PeerError` ``bad_message`` and keeps the old ones."""
        seen: set[int] = set()
        for plan in plans:
            if plan.slot in seen or not _can_be(plan):
                raise PeerError("bad_message", f"A tile cannot be shown: {plan}.")
            seen.add(plan.slot)
        with self._lock:
            by_source: defaultdict[Source, list[_Slot]] = defaultdict(list)
            for number in set(self._slots) - seen:
                self._slots[number].use(None)
            for plan in plans:
                slot = self._slots.get(plan.slot)
                if slot is None:
                    slot = self._slots[plan.slot] = _Slot(SlotWriter(self._memory, plan.slot))
                slot.use(plan)
                by_source[_source(plan)].append(slot)
            self._by_source = {source: tuple(slots) for source, slots in by_source.items()}

    def wants(self, peer: bytes, kind: str = CAMERA) -> bool:
        """Whether somebody looks at the pictures of that kind that come from a peer."""
        return (peer, kind, "") in self._by_source

    def picture(
        self,
        peer: bytes,
        frame: av.VideoFrame,
        capture_ns: int,
        *,
        kind: str = CAMERA,
        source_id: str = "",
    ) -> None:
        """Write `frame`, taken at `capture_ns` (monotonic clock), into the tiles that show it."""
        if not (2 <= frame.width <= MAX_SIDE and 2 <= frame.height <= MAX_SIDE):
            return
        source = (peer, kind, source_id)
        with self._lock:
            kept = _Kept(frame, capture_ns, next(self._numbers))
            slots = self._by_source.get(source, ())
            # A camera shows its next picture soon; what stands still does not, and the tile of a
            # thumbnail comes after its first picture.
            if kind == SCREEN or (kind == SOURCE and self._keeps(source)):
                self._kept[source] = kept
        for slot in slots:
            slot.write(source, kept)

    def _keeps(self, source: Source) -> bool:
        """Whether there is room for one more thumbnail."""
        return source in self._kept or sum(k[1] == SOURCE for k in self._kept) < MOST_THUMBNAILS

    def redraw(self) -> None:
        """Write what was kept into the tiles that do not show it yet."""
        with self._lock:
            due = [(key, k, self._by_source.get(key, ())) for key, k in self._kept.items()]
        for source, kept, slots in due:
            for slot in slots:
                slot.write(source, kept)

    def forget(self, peer: bytes, kind: str) -> None:
        """Keep no picture of what comes no more."""
        with self._lock:
            for source in [each for each in self._kept if each[:2] == (peer, kind)]:
                del self._kept[source]


def _can_be(plan: TilePlan) -> bool:
    left, top, right, bottom = plan.zoom
    return (
        0 <= plan.slot < SLOTS
        and 2 <= plan.width <= MAX_WIDTH
        and 2 <= plan.height <= MAX_HEIGHT
        and plan.kind in (CAMERA, SCREEN, SOURCE)
        and left < right
        and top < bottom
    )


def _source(plan: TilePlan) -> Source:
    return plan.peer, plan.kind, plan.source_id if plan.kind == SOURCE else ""


class _Slot:
    """One tile: its plan, its writer and its scaler, which keeps tables for the last sizes."""

    def __init__(self, writer: SlotWriter) -> None:
        self._writer = writer
        self._scaler = VideoReformatter()
        self._plan: TilePlan | None = None
        self._shown = 0
        self._lock = threading.Lock()

    def use(self, plan: TilePlan | None) -> None:
        with self._lock:
            if plan != self._plan:
                self._plan, self._shown = plan, 0

    def write(self, source: Source, kept: _Kept) -> None:
        with self._lock:
            plan = self._plan
            if plan is None or _source(plan) != source or kept.number <= self._shown:
                return  # the plan changed meanwhile, or this picture is older than what is there
            self._shown = kept.number
            frame = crop(kept.frame, plan.zoom)
            width, height = _scaled_size(frame.width, frame.height, plan)
            scaled = self._scaler.reformat(
                frame,
                width=width,
                height=height,
                format="bgra",
                interpolation=_INTERPOLATION[plan.kind],
                threads=1,
            )
            rows = view_rows(scaled, 0)[:height, : width * 4]
            pixels: NDArray[np.uint32] = rows.view(np.uint32)
            target = np.frombuffer(self._writer.begin(plan.width, plan.height), np.uint32)
            _place(pixels, target.reshape(plan.height, plan.width), mirrored=plan.mirrored)
            self._writer.end(plan.width, plan.height, kept.capture_ns, plan.tag)


def crop(frame: av.VideoFrame, zoom: tuple[int, int, int, int]) -> av.VideoFrame:
    """The part `zoom` (as in `TilePlan`) of a picture, to two pixels: so many share a colour.

    A frame of another kind than 8-bit planes is left whole.
    """
    if zoom == (0, 0, WHOLE, WHOLE) or frame.format.name not in _PLANAR:
        return frame
    left, right = _side(zoom[0], zoom[2], frame.width)
    top, bottom = _side(zoom[1], zoom[3], frame.height)
    made = av.VideoFrame(right - left, bottom - top, frame.format.name)
    for index in range(3):
        part = 1 if index == 0 else 2
        rows = view_plane(frame, index)[top // part : -(-bottom // part)]
        np.copyto(view_plane(made, index), rows[:, left // part : -(-right // part)])
    made.colorspace, made.color_range = frame.colorspace, frame.color_range
    return made


def _side(start: int, end: int, size: int) -> tuple[int, int]:
    """The nearest even bounds of a part of a side, at least two pixels, within the side."""
    low = min(2 * round(start * size / WHOLE / 2), (size - 1) & ~1)
    high = size if end == WHOLE else min(size, 2 * round(end * size / WHOLE / 2))
    return (low, high) if high - low >= 2 else (max(0, min(low, size - 2)) & ~1, min(size, low + 2))


def _scaled_size(width: int, height: int, plan: TilePlan) -> tuple[int, int]:
    """The size to scale to: it covers the tile, or (`fit`) lies within it. At least 2 pixels.

    Sides are even: odd ones take four times as long. A picture of the tile's own size stays.
    """
    across, down = plan.width / width, plan.height / height
    scale = min(across, down) if plan.fit else max(across, down)
    if scale == 1:
        return width, height
    to = _even(width * scale), _even(height * scale)
    if plan.fit:
        return min(plan.width & ~1, to[0]), min(plan.height & ~1, to[1])
    # A very long picture would be scaled to a huge one only to be cut: it is squeezed instead.
    most = plan.width * 4, plan.height * 4
    least = plan.width + plan.width % 2, plan.height + plan.height % 2
    return min(most[0], max(least[0], to[0])), min(most[1], max(least[1], to[1]))


def _even(side: float) -> int:
    return max(2, 2 * round(side / 2))


def _place(pixels: NDArray[np.uint32], target: NDArray[np.uint32], *, mirrored: bool) -> None:
    """Copy the middle of `pixels` to the middle of `target`; what stays free becomes black."""
    height, width = pixels.shape
    tall, wide = target.shape
    if height > tall:
        pixels = pixels[(height - tall) // 2 :][:tall]
    if width > wide:
        pixels = pixels[:, (width - wide) // 2 :][:, :wide]
    height, width = pixels.shape
    top, left = (tall - height) // 2, (wide - width) // 2
    target[:top] = _BLACK
    target[top + height :] = _BLACK
    target[top : top + height, :left] = _BLACK
    target[top : top + height, left + width :] = _BLACK
    target[top : top + height, left : left + width] = pixels[:, ::-1] if mirrored else pixels
