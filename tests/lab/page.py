"""A page of text that moves as it is told, shared by the shipped media process.

`python page.py media ARGUMENT…` is `folkmoot media ARGUMENT…`, but that the source ``test`` of
a share is this page; `source_id` is a `Script` as JSON. `python page.py draw FILE` draws the
text with Qt. Each picture is made as one of a real screen is: cut out of pixels in BGRA, then
converted.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

WIDTH, HEIGHT, PAGES = 1920, 1080, 4
Pixels = NDArray[np.uint8]
_pace: Any = None


@dataclasses.dataclass(frozen=True)
class Script:
    """Scroll the page in `file` by `step` pixels, `fps` times a second, `times` times; then stand.

    `caret_s`: from then on a caret blinks so often. `stamped`: each picture carries its time.
    `dark_s`: of the first seconds no packet of it leaves the computer.
    """

    file: str
    step: int = 7
    fps: float = 15.0
    times: int = 0
    caret_s: float = 0.0
    stamped: bool = False
    dark_s: float = 0.0
    width: int = WIDTH
    height: int = HEIGHT

    def plan(self) -> str:
        """As the id of a source."""
        return json.dumps(dataclasses.asdict(self))

    def due_s(self, number: int) -> float:
        """When picture `number` is shown, in seconds from the start."""
        after = max(0, number - self.times)
        return (number - after) / self.fps + after * self.caret_s

    def top(self, number: int) -> int:
        """The row of the page that picture `number` begins with."""
        return min(number, self.times) * self.step % (HEIGHT * (PAGES - 1))


def command(memory: str | None) -> list[str]:
    """The command line of the media process with the page."""
    more = ["--memory", memory] if memory else []
    return [sys.executable, __file__, "media", *more]


def draw(file: Path) -> None:
    """Have the page drawn, in a process of its own, where a Qt may run."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, __file__, "draw", file], check=True, env=environment)


class PageInput:
    """Stands in for `media.capture.input.ShareInput`."""

    def __init__(
        self,
        *,
        frame: Callable[[av.VideoFrame, int], None],
        changed: Callable[[object], None],
        sources: Callable[[object], None],
        thumbnail: Callable[[str, av.VideoFrame, int], None],
        use_devices: bool,
    ) -> None:
        del sources, thumbnail, use_devices
        self._frame, self._tell = frame, changed
        self._changed = threading.Condition()
        self._version = 0
        self._paused = False

    def set_plan(self, plan: object) -> None:
        """Follow another plan; a pause of the same one only stops what moves."""
        from folkmoot.services.media_port import ShareChanged, SharePlan

        assert isinstance(plan, SharePlan)
        with self._changed:
            self._paused = plan.paused
            if not plan.paused:
                self._version += 1
            self._changed.notify_all()
            version = self._version
        if plan.source == "none":
            self._tell(ShareChanged("ended"))
        elif plan.paused:
            self._tell(ShareChanged("paused"))
        else:
            self._tell(ShareChanged("sharing"))
            script = Script(**json.loads(plan.source_id))
            _darkness.until_s = time.monotonic() + script.dark_s
            threading.Thread(target=self._play, args=(script, version), daemon=True).start()

    def set_limits(self, width: int, height: int, fps: int) -> None:
        """The script has its own."""

    def list_sources(self, on: bool) -> None:
        """There is one."""

    def again(self) -> None:
        """Not needed here."""

    def close(self) -> None:
        """Stop."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _play(self, script: Script, version: int) -> None:
        painter = Painter(script)
        began, number = time.monotonic(), 0
        while number <= script.times or script.caret_s:
            if not self._rest(version, began + script.due_s(number)):
                return
            picture, now = painter.paint(number)
            with self._changed:
                paused = self._paused
            if not paused:
                self._frame(picture, now)
            number += 1

    def _rest(self, version: int, due: float) -> bool:
        with self._changed:
            left = max(0.0, due - time.monotonic())
            self._changed.wait_for(lambda: version != self._version, left)
            return version == self._version


class _Darkness:
    """Loses the packets of a share for a while."""

    until_s = 0.0

    def cover(self, transport: Any, source: int, wait: Any) -> None:
        """In the place of `private.pace`."""
        _pace(transport, source, wait)
        original, mark = transport._send_rtp, source.to_bytes(4, "big")

        async def send(data: bytes) -> None:
            if data[8:12] != mark or time.monotonic() >= self.until_s:
                await original(data)

        transport._send_rtp = send


_darkness = _Darkness()


class Painter:
    """Makes the pictures of a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._page: Pixels = np.load(script.file)
        self._scaler = VideoReformatter()
        top = script.top(script.times)
        self._caret = self._page[top + 500 : top + 518, 700:702]
        self._below = self._caret.copy()

    def paint(self, number: int) -> tuple[av.VideoFrame, int]:
        """Picture `number` in yuv420p, and when it was taken (ns of the monotonic clock)."""
        from folkmoot.media.devices.planes import view_plane
        from folkmoot.media.devices.stamp import write_stamp

        script, now = self._script, time.monotonic_ns()
        self._caret[:] = 0 if (number - script.times) % 2 and number > script.times else self._below
        top = script.top(number)
        pixels = np.ascontiguousarray(self._page[top : top + script.height, : script.width])
        picture = self._scaler.reformat(
            av.VideoFrame.from_ndarray(pixels, format="bgra"), format="yuv420p", threads=1
        )
        if script.stamped:
            write_stamp(view_plane(picture, 0), now // 1000, number)
        picture.pts, picture.time_base = now // 1000, Fraction(1, 1_000_000)
        return picture, now


def ssim(one: Pixels, other: Pixels) -> float:
    """Structural similarity (Wang et al. 2004) of two pictures of luma where there is text.

    Windows of 8 by 8, every fourth; those without anything in them are left out.
    """
    parts = [_means(each.astype(np.float64)) for each in (one, other)]
    products = _means(one.astype(np.float64) * other.astype(np.float64))
    squares = [_means(each.astype(np.float64) ** 2) for each in (one, other)]
    first, second = parts
    spread, spread_other = (square - mean**2 for square, mean in zip(squares, parts, strict=True))
    together = products - first * second
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = (2 * first * second + c1) * (2 * together + c2)
    values /= (first**2 + second**2 + c1) * (spread + spread_other + c2)
    return float(values[spread > 100].mean())


def _means(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.pad(plane, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    boxes = sums[8:, 8:] - sums[:-8, 8:] - sums[8:, :-8] + sums[:-8, :-8]
    return np.asarray(boxes[::4, ::4] / 64)


def luma(pixels: Pixels) -> Pixels:
    """Of BGRA pixels (BT.601, full range)."""
    blue, green, red = (pixels[..., index].astype(np.float32) for index in range(3))
    return np.asarray(np.rint(0.114 * blue + 0.587 * green + 0.299 * red), np.uint8)


def _draw(file: str) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QImage, QPainter

    from folkmoot.resources import resource_path

    application = QGuiApplication([])
    path = resource_path("fonts/JetBrainsMono-Regular.ttf")
    number = QFontDatabase.addApplicationFont(str(path))
    font = QFont(QFontDatabase.applicationFontFamilies(number)[0])
    font.setPixelSize(14)
    image = QImage(WIDTH, HEIGHT * PAGES, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter, chance = QPainter(image), random.Random(4)
    painter.setFont(font)
    colours = [QColor(name) for name in ("#222222", "#005a9c", "#9c2a2a", "#3c7a3c")]
    for row in range(24, HEIGHT * PAGES, 20):
        at, end = 16 + 32 * chance.randrange(5), chance.randrange(WIDTH // 3, WIDTH - 100)
        while at < end:
            word = "".join(
                chance.choices("abcdefghiklmnoprstuvwyABCDE(){}=._", k=chance.randint(2, 11))
            )
            painter.setPen(chance.choice(colours))
            painter.drawText(at, row, word)
            at += painter.fontMetrics().horizontalAdvance(word + " ")
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8)
    np.save(file, pixels.reshape(HEIGHT * PAGES, WIDTH, 4))
    del application


def main(arguments: list[str]) -> int:
    """Draw, or be the media process."""
    if arguments[0] == "draw":
        _draw(arguments[1])
        return 0
    import folkmoot.main
    from folkmoot.media import process

    original = process._load

    def load() -> None:
        original()
        from folkmoot.media import private, session

        global _pace
        _pace = private.pace
        vars(private)["pace"] = _darkness.cover
        vars(session)["ShareInput"] = PageInput

    process._load = load
    return folkmoot.main.main(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
