"""The ink of every screen that is shared in a call, kept by presenter; and what is sent of ours.

A board tells when it looks otherwise. A pen gathers what the hand does and sends it at most thirty
times a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from PySide6.QtCore import QObject, QTimer, Signal

from folkmoot.domain.ids import DeviceId
from folkmoot.services.events import InkDrawn
from folkmoot.ui.share.ink import Ink, Spot

BATCH_MS = 34
MOST_IN_BATCH = 64
_NEAR = 0.0006
"""Places closer than this to the last one say nothing new."""


class Board(QObject):
    """What lies over the screen of one presenter."""

    changed = Signal()
    strokes_changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.ink = Ink()
        self._clock = QTimer(self)
        self._clock.setInterval(500)
        self._clock.timeout.connect(self._expire)

    def take(self, event: InkDrawn) -> None:
        """What somebody did."""
        self.ink.take(event, time.monotonic())
        if event.action in ("stroke", "clear"):
            self.strokes_changed.emit()
        if self.ink.pointers and not self._clock.isActive():
            self._clock.start()
        self.changed.emit()

    def _expire(self) -> None:
        if self.ink.expire(time.monotonic()):
            self.changed.emit()
        if not self.ink.pointers:
            self._clock.stop()


class Boards(QObject):
    """All boards of a call. `sent`: presenter, action, stroke, places, for the node."""

    sent = Signal(object, str, int, object)

    def __init__(self, me: bytes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.me = me
        """The person at this window."""
        self._boards: dict[bytes, Board] = {}
        self._strokes = int(time.time() * 10) % 2**30
        """Numbers of strokes go on where the last window of this call stopped."""

    def of(self, presenter: bytes) -> Board:
        """The board of a presenter's device, made when it is first asked for."""
        board = self._boards.get(presenter)
        if board is None:
            board = self._boards[presenter] = Board(self)
        return board

    def take(self, event: InkDrawn) -> None:
        """Hand on what somebody did; where nothing is shared, nothing lies."""
        board = self._boards.get(event.presenter)
        if board is not None:
            board.take(event)

    def keep(self, presenters: Iterable[bytes]) -> None:
        """These share now: the ink of the others is gone with their screens."""
        wanted = set(presenters)
        for gone in [device for device in self._boards if device not in wanted]:
            self._boards.pop(gone).deleteLater()
        for presenter in wanted:
            self.of(presenter)

    def next_stroke(self) -> int:
        """A number for a new stroke."""
        self._strokes += 1
        return self._strokes

    def clear(self, presenter: bytes) -> None:
        """The presenter wipes everything away."""
        self.sent.emit(DeviceId(presenter), "clear", 0, ())


class Pen(QObject):
    """One hand over the screen of `presenter`."""

    def __init__(self, boards: Boards, presenter: bytes, parent: QObject) -> None:
        super().__init__(parent)
        self._boards = boards
        self._presenter = DeviceId(presenter)
        self._point: Spot | None = None
        self._points = False
        self._stroke = 0
        self._waiting: list[Spot] = []
        self.tail: list[Spot] = []
        """The stroke that is being drawn: shown at once, before it comes back from the node."""
        self._clock = QTimer(self)
        self._clock.setInterval(BATCH_MS)
        self._clock.timeout.connect(self._send)

    @property
    def is_down(self) -> bool:
        """Whether a stroke is being drawn."""
        return self._stroke > 0

    def point(self, spot: Spot) -> None:
        """The pointer is there now."""
        self._point = spot
        self._run()

    def lift_pointer(self) -> None:
        """Nobody points any more."""
        self._point = None
        if self._points:
            self._points = False
            self._boards.sent.emit(self._presenter, "gone", 0, ())

    def press(self, spot: Spot) -> None:
        """Begin a stroke."""
        self.lift_pointer()
        self._stroke = self._boards.next_stroke()
        self._waiting, self.tail = [spot], [spot]
        self._run()

    def draw(self, spot: Spot) -> None:
        """Go on with it."""
        last = self.tail[-1] if self.tail else (-1.0, -1.0)
        if abs(spot[0] - last[0]) + abs(spot[1] - last[1]) >= _NEAR:
            self._waiting.append(spot)
            self.tail.append(spot)
            self._run()

    def release(self) -> None:
        """The stroke is done."""
        while self._waiting:
            self._send_stroke()
        self._stroke = 0

    def settle(self) -> None:
        """The board has what was drawn."""
        if not self.is_down:
            self.tail = []

    def _run(self) -> None:
        """Send now, and what follows only after a while."""
        if not self._clock.isActive():
            self._clock.start()
            self._send()

    def _send(self) -> None:
        if self._waiting:
            self._send_stroke()
        elif self._point is not None:
            self._points = True
            self._boards.sent.emit(self._presenter, "point", 0, (self._point,))
            self._point = None
        else:
            self._clock.stop()

    def _send_stroke(self) -> None:
        batch, self._waiting = self._waiting[:MOST_IN_BATCH], self._waiting[MOST_IN_BATCH:]
        self._boards.sent.emit(self._presenter, "stroke", self._stroke, tuple(batch))
