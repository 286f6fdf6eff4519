"""The Qt half of the baseline: a widget that paints received pictures, a microphone, a speaker.

Written as the documentation of Qt shows it: `QAudioSource` and `QAudioSink` with their own buffers,
a picture turned into a `QImage` and drawn scaled in `paintEvent`.
"""

from __future__ import annotations

import asyncio
import fractions
import time
from typing import Any

import av
import numpy as np
from aiortc import MediaStreamTrack
from PySide6.QtCore import QIODevice, QObject, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtMultimedia import QAudioDevice, QAudioFormat, QAudioSink, QAudioSource, QMediaDevices
from PySide6.QtWidgets import QApplication, QWidget

from folkmoot.media.devices.stamp import read_stamp
from lab.sound import RATE

_PIECE = 960


class _View(QWidget):
    """Paints the last picture and notes when the painting of each was done."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.resize(width, height)
        self.image: QImage | None = None
        self.painted: list[tuple[float, int, int]] = []

    def take(self, picture: Any) -> None:
        height, width = picture.shape[:2]
        self._pixels = picture
        self.image = QImage(picture.data, width, height, QImage.Format.Format_RGB32)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.image is None:
            return
        painter = QPainter(self)
        painter.drawImage(self.rect(), self.image)
        painter.end()
        done = time.monotonic()
        stamp = read_stamp(self._pixels)
        if stamp is not None:
            self.painted.append((done, stamp.micros, stamp.number))


class _MicrophoneTrack(MediaStreamTrack):
    """What the microphone gave, in frames of 20 ms."""

    kind = "audio"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._pts = 0

    async def recv(self) -> av.AudioFrame:
        """The next 20 ms."""
        piece = await self._desk.heard.get()
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(piece, np.int16).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = RATE, self._pts
        frame.time_base = fractions.Fraction(1, RATE)
        self._pts += _PIECE
        return frame


class Desk(QObject):
    """Widget and devices. Made and run in the main thread; the rest may be called from others."""

    _picture = Signal(object)
    _sound = Signal(bytes)

    def __init__(self, view: tuple[int, int] | None, speaker: str, microphone: str) -> None:
        self._application = QApplication([])
        super().__init__()
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rest = b""
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        self._view: _View | None = None
        self._out: QIODevice | None = None
        form = QAudioFormat()
        form.setSampleRate(RATE)
        form.setChannelCount(1)
        form.setSampleFormat(QAudioFormat.SampleFormat.Int16)
        if view is not None:
            self._view = _View(*view)
            self._view.show()
            self._picture.connect(self._view.take)
        if speaker:
            self._sink = QAudioSink(_device(QMediaDevices.audioOutputs(), speaker), form)
            self._out = self._sink.start()
            self._sound.connect(self._write)
        if microphone:
            self._source = QAudioSource(_device(QMediaDevices.audioInputs(), microphone), form)
            self._in = self._source.start()
            self._in.readyRead.connect(self._read)

    def run(self) -> None:
        """Qt's loop."""
        self._application.exec()

    def microphone_track(self) -> MediaStreamTrack:
        """A track of the microphone; call it on the loop that sends."""
        self._loop = asyncio.get_running_loop()
        return _MicrophoneTrack(self)

    def show(self, frame: av.VideoFrame) -> None:
        """Have a received picture painted."""
        pixels = frame.reformat(format="bgra").to_ndarray()
        self._picture.emit(pixels)

    def play(self, frame: av.AudioFrame) -> None:
        """Have received sound played."""
        if self._out is not None:
            for each in self._resampler.resample(frame):
                self._sound.emit(each.to_ndarray().tobytes())

    def painted(self) -> list[tuple[float, int, int]]:
        """(when it was painted, micros, number) of each picture."""
        return [] if self._view is None else list(self._view.painted)

    def _write(self, data: bytes) -> None:
        if self._out is not None:
            self._out.write(data)

    def _read(self) -> None:
        self._rest += bytes(self._in.readAll().data())
        while len(self._rest) >= _PIECE * 2:
            piece, self._rest = self._rest[: _PIECE * 2], self._rest[_PIECE * 2 :]
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.heard.put_nowait, piece)


def _device(devices: list[QAudioDevice], name: str) -> QAudioDevice:
    found = [each for each in devices if bytes(each.id().data()).decode() == name]
    assert found, f"no device {name}: {[bytes(each.id().data()) for each in devices]}"
    return found[0]
