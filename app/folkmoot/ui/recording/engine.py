"""Plays a file: Qt's multimedia behind a few signals, loaded when the first recording is opened.

Says in words what is wrong with a file. Shows nothing itself; refuses anything but a local file.
"""

from __future__ import annotations

from PySide6.QtCore import QFileInfo, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QImage
from PySide6.QtMultimedia import (
    QAudioOutput,
    QMediaDevices,
    QMediaMetaData,
    QMediaPlayer,
    QVideoFrame,
    QVideoSink,
)

from folkmoot.ui.recording.quiet import hushed

_END_MS = 60
"""So near to the end, Play begins anew."""


class Engine(QObject):
    """One player. Times are milliseconds in the file."""

    played = Signal(bool)
    """It plays, or stands still."""
    moved = Signal(int)
    measured = Signal(int)
    """The length is known."""
    pictured = Signal(QVideoFrame)
    """The next picture; `to_image` makes it one that can be painted, for who paints it."""
    tracked = Signal()
    """The tracks of the file are known."""
    failed = Signal(str)
    """Why the file cannot be played, in words; "" once one can."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._converts = False
        self._sound: QAudioOutput | None = None
        with hushed():
            self._player = QMediaPlayer(self)
            self._sink = QVideoSink(self)
            self._player.setVideoSink(self._sink)
            if QMediaDevices.audioOutputs():
                self._sound = QAudioOutput(self)
                self._player.setAudioOutput(self._sound)
        # Frames come from a thread of Qt's: they are taken in this one.
        queued = Qt.ConnectionType.QueuedConnection
        self._sink.videoFrameChanged.connect(self._take_frame, queued)
        self._player.positionChanged.connect(self._take_position)
        self._player.durationChanged.connect(self._take_duration)
        self._player.playbackStateChanged.connect(self._take_state)
        self._player.tracksChanged.connect(self.tracked)
        self._player.errorOccurred.connect(self._take_error)
        self._player.mediaStatusChanged.connect(self._take_status)

    @property
    def has_sound(self) -> bool:
        """Whether there is anything to hear it with."""
        return self._sound is not None

    @property
    def is_playing(self) -> bool:
        """Whether it plays."""
        return self._player.playbackState() is QMediaPlayer.PlaybackState.PlayingState

    @property
    def position(self) -> int:
        """Where it is."""
        return self._player.position()

    @property
    def duration(self) -> int:
        """How long it is; 0 while that is not known."""
        return max(0, self._player.duration())

    @property
    def pictures(self) -> list[str]:
        """The names of the tracks with pictures."""
        return [_title(track) for track in self._player.videoTracks()]

    @property
    def voices(self) -> list[str]:
        """The names of the tracks with sound."""
        return [_title(track) for track in self._player.audioTracks()]

    @property
    def chosen(self) -> tuple[int, int]:
        """Which picture is shown and which voice is heard; -1 for none."""
        return self._player.activeVideoTrack(), self._player.activeAudioTrack()

    def choose_picture(self, number: int) -> None:
        """Show another track."""
        self._player.setActiveVideoTrack(number)
        if not self.is_playing:
            self.seek(self.position)  # or it would show nothing of the other one

    def choose_voice(self, number: int) -> None:
        """Hear another track."""
        self._player.setActiveAudioTrack(number)

    def open(self, path: str) -> None:
        """Load a file; it stands at its begin until `play`."""
        self.failed.emit("")
        there = QFileInfo(path)
        if not there.isFile():
            self.failed.emit(self.tr("The file is missing. Was it moved or deleted?"))
            return
        if there.size() == 0:
            self.failed.emit(self.tr("The file is empty: nothing was recorded."))
            return
        with hushed():
            self._player.setSource(QUrl.fromLocalFile(path))

    def play(self) -> None:
        """Play on; from the start where it was at its end."""
        if self.duration and self.position >= self.duration - _END_MS:
            self._player.setPosition(0)
        self._player.play()

    def pause(self) -> None:
        """Stand still."""
        self._player.pause()

    def seek(self, at_ms: int) -> None:
        """Go somewhere."""
        at_ms = max(0, at_ms)
        if self.duration:
            at_ms = min(at_ms, self.duration)
        stopped = self._player.playbackState() is QMediaPlayer.PlaybackState.StoppedState
        if stopped and self._player.mediaStatus() is not QMediaPlayer.MediaStatus.InvalidMedia:
            self._player.pause()  # what is stopped shows no picture of another place
        self._player.setPosition(at_ms)
        self.moved.emit(at_ms)

    def set_volume(self, volume: float) -> None:
        """0 to 1, as the ear counts."""
        if self._sound is not None:
            self._sound.setVolume(volume * volume)

    def close(self) -> None:
        """Let go of the file."""
        self._player.stop()
        self._player.setSource(QUrl())

    # --- what Qt tells

    def _take_frame(self, frame: QVideoFrame) -> None:
        if frame.isValid():  # at the end comes one that is not: the last picture stays
            self.pictured.emit(frame)

    def to_image(self, frame: QVideoFrame) -> QImage:
        """A picture that can be painted; costs a few milliseconds."""
        if self._converts:
            return frame.toImage()
        self._converts = True
        with hushed():
            return frame.toImage()

    def _take_position(self, at_ms: int) -> None:
        self.moved.emit(at_ms)

    def _take_duration(self, length_ms: int) -> None:
        self.measured.emit(max(0, length_ms))

    def _take_state(self, _state: object) -> None:
        self.played.emit(self.is_playing)

    def _take_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is QMediaPlayer.MediaStatus.EndOfMedia:
            self.played.emit(False)

    def _take_error(self, error: QMediaPlayer.Error, _words: str) -> None:
        if error is QMediaPlayer.Error.NoError:
            return
        words = self.tr("The file is damaged: nothing in it can be played.")
        if error is QMediaPlayer.Error.ResourceError:
            words = self.tr("The file cannot be read.")
        elif error is QMediaPlayer.Error.AccessDeniedError:
            words = self.tr("You may not read this file.")
        self.failed.emit(words)


def _title(track: QMediaMetaData) -> str:
    return track.stringValue(QMediaMetaData.Key.Title)
