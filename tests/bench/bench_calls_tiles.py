"""CPU of nine tiles of 720p30 in a window of 1280x720: scaled, handed over and painted.

Each sample is a process of its own that does what the media process and the window do with decoded
pictures: the writer of the tiles, the shared memory, the window's reader and its tiles; nothing is
decoded. The baseline turns whole pictures into `QImage` and draws them scaled. Qt paints without a
display.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import av
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from bench.calls import rounds, seconds
from bench.measurement import Measurement
from folkmoot.media.devices.pattern import Pattern
from folkmoot.media.devices.tiles import TileWriter
from folkmoot.services.frame_slots import MEMORY_BYTES
from lab.our_tile import make_board

ACROSS, WIDTH, HEIGHT, FPS = 3, 426, 240, 30
LIMIT_CORES = 0.2
_DIFFERENT = 30


def measure() -> Iterable[Measurement]:
    """Both in turn."""
    ours, stock = [], []
    for _ in range(rounds(5)):
        stock.append(_run("stock"))
        ours.append(_run("ours"))
    yield Measurement(
        "calls, nine tiles of 720p30, CPU", ours, "core", at_most=LIMIT_CORES, baseline=stock
    )


def _run(which: str) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_calls_tiles", which, str(seconds(8))],
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    cores, fps = map(float, done.stdout.split())
    assert fps > FPS * 0.95, f"only {fps} pictures a second were painted"
    return cores


class _Plain(QWidget):
    """The baseline's tile."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.count = 0
        self._image: QImage | None = None

    def take(self, frame: av.VideoFrame) -> None:
        self._pixels = frame.reformat(format="bgra").to_ndarray()
        height, width = self._pixels.shape[:2]
        self._image = QImage(self._pixels.data, width, height, QImage.Format.Format_RGB32)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is not None:
            painter = QPainter(self)
            painter.drawImage(self.rect(), self._image)
            painter.end()
            self.count += 1


def _play(which: str, lasts: float) -> None:
    application = QApplication([])
    pattern = Pattern(1280, 720)
    frames = [pattern.draw(number, 0) for number in range(_DIFFERENT)]
    board, feed, painted = _ours() if which == "ours" else _stock()
    began, turn, start = time.perf_counter(), [0], [0.0, 0.0, 0.0]

    def tick() -> None:
        for place in range(ACROSS * ACROSS):
            feed(place, frames[(turn[0] + place) % _DIFFERENT])
        turn[0] += 1
        timer.start(max(0, round((began + turn[0] / FPS - time.perf_counter()) * 1000)))

    def begin() -> None:
        start[:] = [time.process_time(), time.perf_counter(), painted()]

    def end() -> None:
        passed = time.perf_counter() - start[1]
        each = (painted() - start[2]) / passed / ACROSS**2
        print((time.process_time() - start[0]) / passed, each, flush=True)
        os._exit(0)

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(True)
    timer.timeout.connect(tick)
    timer.start(0)
    QTimer.singleShot(1000, begin)
    QTimer.singleShot(1000 + round(lasts * 1000), end)
    board.show()
    application.exec()


Made = tuple[QWidget, Callable[[int, av.VideoFrame], None], Callable[[], float]]


def _ours() -> Made:
    memory = memoryview(mmap.mmap(-1, MEMORY_BYTES))
    writer = TileWriter(memory)
    keys = [str(place) for place in range(ACROSS * ACROSS)]
    board, tiles, pictures = make_board(keys, WIDTH, HEIGHT, writer.show, stamped=False)
    pictures.take_memory(memory)

    def feed(place: int, frame: av.VideoFrame) -> None:
        writer.picture(keys[place].encode(), frame, time.monotonic_ns())

    def painted() -> float:
        return sum(tile.count for tile in tiles)

    return board, feed, painted


def _stock() -> Made:
    board = QWidget()
    board.resize(WIDTH * ACROSS, HEIGHT * ACROSS)
    tiles = [_Plain(board) for _ in range(ACROSS * ACROSS)]
    for place, tile in enumerate(tiles):
        tile.setGeometry(place % ACROSS * WIDTH, place // ACROSS * HEIGHT, WIDTH, HEIGHT)
    return board, lambda place, frame: tiles[place].take(frame), lambda: sum(t.count for t in tiles)


if __name__ == "__main__":
    _play(sys.argv[1], float(sys.argv[2]))
