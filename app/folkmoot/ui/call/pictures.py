"""Pictures of a call, from the shared memory to the tiles in sight.

Says which pictures are wanted, at which size, whenever that changes; looks for new ones only while
some are wanted. Never keeps a view into the shared memory: its writer may go at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, QSize, Qt, QTimer
from PySide6.QtGui import QImage

from folkmoot.services.frame_slots import MAX_HEIGHT, MAX_WIDTH, SLOTS, has_newer, is_whole, newest
from folkmoot.services.media_port import CAMERA, WHOLE, TilePlan

POLL_MS = 4
_SETTLE_MS = 30
"""Sizes are told once they stand still."""
_AGAIN_LOOKS = 50
"""Looks after which a memory that is not there is asked for again: media may begin late."""

Plan = tuple[TilePlan, ...]
Part = tuple[int, int, int, int]
"""A part of a picture: left, top, right, bottom in 1/65,536 of it."""
ALL: Part = (0, 0, WHOLE, WHOLE)


@dataclass(frozen=True, slots=True)
class Want:
    """Pictures that somebody wants to show; `size` in device pixels, the rest as in `TilePlan`."""

    peer: bytes
    size: QSize
    mirrored: bool = False
    kind: str = CAMERA
    fit: bool = False
    source_id: str = ""
    zoom: Part = ALL

    def plan(self, slot: int, tag: int) -> TilePlan:
        """The same for the media process, at a size that a slot holds."""
        width, height = _capped(self.size)
        return TilePlan(
            *(slot, self.peer, width, height, tag),
            fit=self.fit,
            mirrored=self.mirrored,
            kind=self.kind,
            source_id=self.source_id,
            zoom=self.zoom,
        )


class Viewer(Protocol):
    """What shows pictures."""

    def wanted(self) -> Want | None:
        """Which ones now; None while none is wanted."""
        ...

    def show_picture(self, picture: QImage, part: Part) -> None:
        """A new picture; `part` is what it shows of the whole."""
        ...


class Pictures(QObject):
    """Feeds viewers. `plan` is called with the pictures that are wanted, when they change."""

    def __init__(self, plan: Callable[[Plan], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tell = plan
        self._memory: memoryview | None = None
        self._viewers: list[Viewer] = []
        self._slots: dict[int, Viewer] = {}
        self._plan: Plan = ()
        self._seen: dict[int, int] = {}
        self._tag = 0
        self._missed = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.look)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.plan_now)

    @property
    def polls(self) -> bool:
        """Whether pictures are looked for now."""
        return self._timer.isActive()

    @property
    def has_memory(self) -> bool:
        """Whether there is a memory to read pictures from."""
        return self._memory is not None

    def add(self, viewer: Viewer) -> None:
        """Somebody more shows pictures."""
        if viewer not in self._viewers:
            self._viewers.append(viewer)
        self.changed()

    def remove(self, viewer: Viewer) -> None:
        """It shows none any more, from now on: it may be gone before the next plan."""
        if viewer in self._viewers:
            self._viewers.remove(viewer)
        self._slots = {at: each for at, each in self._slots.items() if each is not viewer}
        self.changed()

    def changed(self) -> None:
        """Sizes or sight of viewers changed; told soon."""
        self._settle.start()

    def take_memory(self, memory: memoryview | None) -> None:
        """The memory that the media process writes now."""
        if memory is not self._memory:
            self._memory = memory
            self._seen.clear()

    def plan_now(self) -> None:
        """Tell what is wanted, if that is something else than before."""
        wanted = [(viewer, want) for viewer in self._viewers if (want := viewer.wanted())]
        taken = {slot: viewer for slot, viewer in self._slots.items() if viewer in self._viewers}
        slot_of = {id(viewer): slot for slot, viewer in taken.items()}
        free = iter([slot for slot in range(SLOTS) if slot not in taken])
        plan: list[TilePlan] = []
        before = {tile.slot: tile for tile in self._plan}
        slots: dict[int, Viewer] = {}
        for viewer, want in wanted:
            slot = slot_of.get(id(viewer))
            old = before.get(slot) if slot is not None else None
            if slot is None:  # whoever had it before has seen the pictures of its last plan
                slot = next(free, None)
            if slot is None:
                break
            slots[slot] = viewer
            if old is None or old != want.plan(slot, old.tag):
                self._tag += 1
                old = want.plan(slot, self._tag)
            plan.append(old)
        made = tuple(plan)
        self._slots = slots
        if made != self._plan:
            self._plan = made
            self._tell(made)
        self._turn()

    def stop(self) -> None:
        """No more pictures."""
        self._viewers.clear()
        self.plan_now()

    def look(self) -> None:
        """Hand on every picture that is new."""
        memory = self._memory
        if memory is None:
            self._missed += 1
            if self._missed % _AGAIN_LOOKS == 0:
                self._tell(self._plan)
            return
        try:
            for tile in self._plan:
                self._look_at(memory, tile)
        except ValueError:  # the memory was given back: its media process ended
            self._memory = None

    def _look_at(self, memory: memoryview, tile: TilePlan) -> None:
        viewer = self._slots.get(tile.slot)
        if viewer is None or not has_newer(memory, tile.slot, self._seen.get(tile.slot, 0)):
            return
        picture = newest(memory, tile.slot)
        if picture is None or picture.tag != tile.tag:
            return  # made for a plan before this one
        image = QImage(
            picture.pixels,
            picture.width,
            picture.height,
            picture.width * 4,
            QImage.Format.Format_RGB32,
        ).copy()
        if is_whole(memory, tile.slot, picture):
            self._seen[tile.slot] = picture.sequence
            viewer.show_picture(image, tile.zoom)

    def _turn(self) -> None:
        if self._plan and not self._timer.isActive():
            self._timer.start()
        elif not self._plan:
            self._timer.stop()


def _capped(size: QSize) -> tuple[int, int]:
    """A size that fits a slot, in the same proportion."""
    width, height = max(1, size.width()), max(1, size.height())
    scale = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
