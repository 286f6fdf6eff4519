"""The check of the player of recordings: a recording is really played, to its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QImage

from folkmoot.bootstrap.selftest.qt import application, turn_until
from folkmoot.domain.errors import Lacking
from folkmoot.media.selftest import HEIGHT, WIDTH, write_film
from folkmoot.ui.recording.quiet import hushed, quiet_multimedia

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QVideoFrame

_TOLERANCE = 10.0
"""Of the mean of each colour, out of 255: players read the colours of a file a little apart."""
_PLAYED_MS = 200


def check_player(folder: Path) -> str:
    """A recording that was just made plays: the length is right, pictures come, time goes on."""
    # Or Qt would leave files of its own in the home of the person.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_DisableShaderDiskCache)
    application()
    quiet_multimedia()
    from PySide6.QtMultimedia import QMediaPlayer

    from folkmoot.ui.recording.engine import Engine

    with hushed():
        if not QMediaPlayer().isAvailable():
            raise Lacking("Qt has no back end that plays files: its plugin does not load.")
    path = folder / "film.mkv"
    wanted = write_film(path, 2)
    parent = QObject()
    engine = Engine(parent)
    frames: list[QVideoFrame] = []
    faults: list[str] = []
    engine.pictured.connect(frames.append)
    engine.failed.connect(lambda words: faults.append(words) if words else None)
    try:
        engine.open(str(path))
        engine.play()
        turn_until(lambda: bool(frames or faults), "A picture of the recording")
        if faults:
            raise Lacking(f"The player says: {faults[0]}")
        _compare(engine.to_image(frames[0]), wanted)
        turn_until(lambda: engine.position > _PLAYED_MS or bool(faults), "The next pictures")
        length = engine.duration
    finally:
        engine.close()
    if faults or not 1500 <= length <= 2500:
        raise Lacking(f"A recording of 2 s plays as {length / 1000:.1f} s. {' '.join(faults)}")
    return f"a recording of {length / 1000:.1f} s was played, {len(frames)} pictures came"


def _compare(image: QImage, wanted: tuple[float, float, float]) -> None:
    if (image.width(), image.height()) != (WIDTH, HEIGHT):
        raise Lacking(f"The player shows {image.width()}x{image.height()} pixels.")
    small = image.scaled(16, 9)
    mean = _mean(image)
    if any(abs(a - b) > _TOLERANCE for a, b in zip(mean, wanted, strict=True)):
        found, right = (", ".join(f"{one:.0f}" for one in each) for each in (mean, wanted))
        raise Lacking(f"The player shows wrong colours: {found} where {right} is right.")
    if len({small.pixel(x, y) for x in range(16) for y in range(9)}) < 20:
        raise Lacking("The player shows an empty picture.")


def _mean(image: QImage) -> tuple[float, float, float]:
    """The mean of each colour, over every eighth pixel both ways."""
    points = [image.pixelColor(x, y) for x in range(4, WIDTH, 8) for y in range(4, HEIGHT, 8)]
    count = len(points)
    return (
        sum(one.red() for one in points) / count,
        sum(one.green() for one in points) / count,
        sum(one.blue() for one in points) / count,
    )
