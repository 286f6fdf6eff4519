"""The side of microphones and speakers that lives in the Qt thread. Nothing here is called from
another one; the samples cross in the rings of `sound_devices`.

Owns the choice of the device and of its format. Refuses nothing: a failure is told to the port.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QIODevice, QObject, Slot
from PySide6.QtMultimedia import (
    QAudioDevice,
    QAudioFormat,
    QAudioSink,
    QAudioSource,
    QMediaDevices,
    QtAudio,
)

from folkmoot.media.devices.convert import Converter
from folkmoot.media.devices.qt import without_gone
from folkmoot.media.devices.ring import RATE
from folkmoot.media.devices.sound_devices import AGAIN

if TYPE_CHECKING:
    from folkmoot.media.devices.sound_devices import Microphone, Port, Speaker

_RECORD_BUFFER_MS = 400
"""What Qt keeps while this thread is late; more is lost without a word. It comes sooner, in pieces
of `_RECORD_PIECE_MS`."""
_RECORD_PIECE_MS = 10
_PLAY_BUFFER_MS = 40
_PREFILL = RATE // 100
_LONGEST_GAP_S = 0.3
_SAMPLE_FORMATS = {
    QAudioFormat.SampleFormat.UInt8: "u1",
    QAudioFormat.SampleFormat.Int16: "i2",
    QAudioFormat.SampleFormat.Int32: "i4",
    QAudioFormat.SampleFormat.Float: "f4",
}


class _QtPort(QObject):
    """Chooses a device, and sees it come and go."""

    def __init__(self, port: Port) -> None:
        super().__init__()
        self._port: Port | None = port
        self._device: QAudioDevice | None = None
        self._media = QMediaDevices(self)
        self._changes = (
            self._media.audioInputsChanged
            if port.kind == "microphone"
            else self._media.audioOutputsChanged
        )
        self._changes.connect(self._change_of_list)

    def close(self) -> None:
        """Let the device go now."""
        self._port = None
        with contextlib.suppress(RuntimeError):
            self._changes.disconnect(self._change_of_list)
        self._stop()
        self.deleteLater()

    @Slot()
    def look(self) -> None:
        """See whether the device is still there, or a better one came."""
        if self._port is None or self._device is None:
            return
        there = self._list()
        if all(each.id() != self._device.id() for each in there):
            self._port.fail("gone", f"The {self._port.kind} was unplugged.")
            return
        best, _ = self._choose(there)
        if best is not None and best.id() != self._device.id():
            self._port.fail(AGAIN, "A better device is there.")

    @Slot()
    def _change_of_list(self) -> None:
        """Qt tells no removal under PulseAudio, which moves the stream to another device then: a
        chosen one is opened anew at each change, so that sound comes back to it."""
        self.look()
        if self._port is not None and self._port.wanted:
            self._port.fail(AGAIN, "The devices changed.")

    def _list(self) -> Sequence[QAudioDevice]:
        raise NotImplementedError

    def _default(self) -> QAudioDevice:
        raise NotImplementedError

    def _stop(self) -> None:
        raise NotImplementedError

    def _choose(self, there: Sequence[QAudioDevice]) -> tuple[QAudioDevice | None, bool]:
        """The wanted device or the default one; and whether it is a substitute."""
        wanted = "" if self._port is None else self._port.wanted
        for each in there:
            if wanted and each.id().toStdString() == wanted:
                return each, False
        default = self._default()
        if default.isNull() or all(each.id() != default.id() for each in there):
            return (there[0] if there else None), bool(wanted)
        return default, bool(wanted)

    def _find(self) -> QAudioDevice | None:
        """Choose, and tell the port what was chosen."""
        port = self._port
        if port is None:
            return None
        self._device, port.is_substitute = self._choose(self._list())
        if self._device is None:
            port.fail("gone" if port.wanted else "none", f"There is no {port.kind} here.")
        else:
            port.name = self._device.description()
        return self._device

    def _judge(self, error: QtAudio.Error) -> None:
        port = self._port
        if port is None or error in (QtAudio.Error.NoError, QtAudio.Error.UnderrunError):
            return
        if error == QtAudio.Error.OpenError:
            port.fail("busy", f"The {port.kind} cannot be opened; another program may use it.")
        else:
            port.fail("gone", f"The {port.kind} stopped working.")


class QtMicrophone(_QtPort):
    """Hands what is recorded to `port`, from the making until `close`."""

    def __init__(self, port: Microphone) -> None:
        super().__init__(port)
        self._microphone = port
        self._source: QAudioSource | None = None
        self._stream: QIODevice | None = None
        device = self._find()
        if device is None:
            return
        layout = _choose_format(device)
        self._converter = _make_converter(layout)
        self._rest = b""
        self._source = QAudioSource(device, layout, self)
        self._source.setBufferSize(layout.bytesForDuration(_RECORD_BUFFER_MS * 1000))
        self._source.stateChanged.connect(self._change)
        self._stream = self._source.start()
        if self._stream is None:
            self._judge(QtAudio.Error.OpenError)
            return
        self._stream.readyRead.connect(self._read)
        port.device_ms = _RECORD_PIECE_MS
        port.moved_at = time.monotonic()
        port.is_open = True
        self._judge(self._source.error())

    def _list(self) -> Sequence[QAudioDevice]:
        return without_gone(QMediaDevices.audioInputs())

    def _default(self) -> QAudioDevice:
        return QMediaDevices.defaultAudioInput()

    def _stop(self) -> None:
        source, self._source, self._stream = self._source, None, None
        if source is not None:
            source.stop()

    @Slot()
    def _read(self) -> None:
        if self._stream is None or self._port is None:
            return
        data = self._rest + self._stream.readAll().data()
        whole = len(data) - len(data) % self._converter.frame_bytes
        self._rest = data[whole:]
        samples = self._converter.read(data[:whole])
        if len(samples):
            self._microphone.record(samples)

    @Slot(QtAudio.State)
    def _change(self, _state: QtAudio.State) -> None:
        if self._source is not None:
            self._judge(self._source.error())


class QtSpeaker(_QtPort):
    """Plays what waits in `port` each time it is told to `serve`."""

    def __init__(self, port: Speaker) -> None:
        super().__init__(port)
        self._speaker = port
        self._sink: QAudioSink | None = None
        self._stream: QIODevice | None = None
        self._rest = b""
        self._dry_at = 0.0
        device = self._find()
        if device is None:
            return
        layout = _choose_format(device)
        self._layout = layout
        self._converter = _make_converter(layout)
        self._sink = QAudioSink(device, layout, self)
        self._sink.setBufferSize(layout.bytesForDuration(_PLAY_BUFFER_MS * 1000))
        self._sink.stateChanged.connect(self._change)
        self._stream = self._sink.start()
        if self._stream is None:
            self._judge(QtAudio.Error.OpenError)
            return
        port.start_playing()
        self._judge(self._sink.error())

    def serve(self) -> None:
        """Give the device what waits, and measure how much it had left."""
        sink, stream, port = self._sink, self._stream, self._speaker
        if sink is None or stream is None or self._port is None:
            return
        now = time.monotonic()
        free = sink.bytesFree()
        waiting = self._to_ms(sink.bufferSize() - free)
        samples = port.pull_all()
        # What does not fit is late already: only so much is kept as one buffer holds.
        room = self._to_samples(sink.bufferSize() + max(0, free) - len(self._rest))
        samples = samples[max(0, len(samples) - room) :]
        if waiting <= 0:
            port.underruns += 1
            samples = np.concatenate([np.zeros(_PREFILL, np.int16), samples])
            if self._dry_at:
                port.slipped(round(min(max(now - self._dry_at, 0.0), _LONGEST_GAP_S) * RATE))
        port.played(samples)
        data = self._rest + self._converter.write(samples)
        taken = max(0, stream.write(data[:free])) if free > 0 else 0
        if taken:
            port.moved_at = now
        self._rest = data[taken:]
        port.note_low(waiting + self._to_ms(len(self._rest)))
        port.device_ms = waiting + self._to_ms(taken)
        self._dry_at = now + port.device_ms / 1000

    def _to_ms(self, size: int) -> float:
        return self._layout.durationForBytes(max(0, size)) / 1000

    def _to_samples(self, size: int) -> int:
        return self._layout.durationForBytes(max(0, size)) * RATE // 1_000_000

    def _list(self) -> Sequence[QAudioDevice]:
        return without_gone(QMediaDevices.audioOutputs())

    def _default(self) -> QAudioDevice:
        return QMediaDevices.defaultAudioOutput()

    def _stop(self) -> None:
        sink, self._sink, self._stream = self._sink, None, None
        if sink is not None:
            sink.reset()

    @Slot(QtAudio.State)
    def _change(self, _state: QtAudio.State) -> None:
        if self._sink is not None:
            self._judge(self._sink.error())


def _choose_format(device: QAudioDevice) -> QAudioFormat:
    """Mono of 16 bits at 48 kHz if the device takes it, else what it likes best."""
    wanted = QAudioFormat()
    wanted.setSampleRate(RATE)
    wanted.setChannelCount(1)
    wanted.setSampleFormat(QAudioFormat.SampleFormat.Int16)
    return wanted if device.isFormatSupported(wanted) else device.preferredFormat()


def _make_converter(layout: QAudioFormat) -> Converter:
    return Converter(
        _SAMPLE_FORMATS.get(layout.sampleFormat(), "i2"),
        layout.sampleRate(),
        max(1, layout.channelCount()),
    )
