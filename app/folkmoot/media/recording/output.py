"""From pictures and sounds to the file: coded, in the order of time, and cut where it had to end.

`MatroskaOutput` takes any tracks at any time, `Mp4Output` one picture and one sound. What was coded
waits until `release` says that nothing earlier comes. Refuses to leave half a cluster or fragment
behind: whatever the disk says, the file plays.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any, Protocol, cast

import av
import av.error
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from folkmoot.media.devices.ring import RATE
from folkmoot.media.recording.clock import SECOND
from folkmoot.media.recording.coding import Coded, PictureEncoder, PictureFormat, SoundEncoder
from folkmoot.media.recording.disk import RecordingFile
from folkmoot.media.recording.matroska import MatroskaWriter
from folkmoot.media.recording.voices import Sound

FRAGMENT_US = 500_000
_MP4 = {
    # Fragments while it grows; when it ends well, an index takes their place.
    "movflags": "frag_keyframe+empty_moov+delay_moov+default_base_moof+hybrid_fragmented",
    "frag_duration": str(FRAGMENT_US),
    "flush_packets": "1",
}
_BUFFER_BYTES = 64 * 1024


class Output(Protocol):
    """A file that grows. Raises `OSError` when it cannot, and `av.FFmpegError`."""

    def add_sound(self, name: str, *, mixed: bool) -> int | None:
        """A track of sound; None: there is no room for more."""
        ...

    def add_picture(self, name: str, fps: int) -> int | None:
        """A track of pictures; its size is that of the pictures."""
        ...

    def chunk(self, track: int) -> int:
        """How many samples `sound` takes at a time."""
        ...

    def sound(self, track: int, sound: Sound, position: int) -> None:
        """Sound from sample `position` on; tracks follow their own order."""
        ...

    def picture(self, track: int, frame: av.VideoFrame, at_ns: int) -> None:
        """A picture in yuv420p, of `at_ns`."""
        ...

    def release(self, until_ns: int) -> None:
        """Nothing from before `until_ns` comes any more."""
        ...

    def finish(self) -> None:
        """Write the rest and the end, and close. Once it begins only `abandon` may follow."""
        ...

    def abandon(self) -> None:
        """Close without writing more, cut behind what is whole. Never raises."""
        ...


class _Queue:
    """What was coded and waits for its turn."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, Any]] = []
        self._numbers = itertools.count()

    def put(self, at_ns: float, track: int, what: Any) -> None:
        heapq.heappush(self._heap, (at_ns, next(self._numbers), track, what))

    def take(self, until_ns: float) -> Iterator[tuple[int, Any]]:
        while self._heap and self._heap[0][0] < until_ns:
            _, _, track, what = heapq.heappop(self._heap)
            yield track, what


class _Pictures:
    """A track of pictures in Matroska: it gets its number with the first key frame."""

    def __init__(self, name: str, fps: int) -> None:
        self.name, self.fps = name, fps
        self.encoder: PictureEncoder | None = None
        self.number: int | None = None


class MatroskaOutput:
    """A Matroska file with H264 and Opus; tracks may come at any time."""

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        self._writer = MatroskaWriter(file)
        self._queue = _Queue()
        self._sounds: dict[int, tuple[SoundEncoder, int]] = {}
        self._pictures: dict[int, _Pictures] = {}
        self._made = itertools.count()

    def add_sound(self, name: str, *, mixed: bool) -> int | None:
        """As `Output` says."""
        encoder = SoundEncoder("libopus", mixed=mixed)
        number = self._writer.add_sound(name, encoder.form)
        if number is None:
            return None
        track = next(self._made)
        self._sounds[track] = encoder, number
        return track

    def add_picture(self, name: str, fps: int) -> int | None:
        """As `Output` says."""
        track = next(self._made)
        self._pictures[track] = _Pictures(name, fps)
        return track

    def chunk(self, track: int) -> int:
        """As `Output` says."""
        return self._sounds[track][0].chunk

    def sound(self, track: int, sound: Sound, position: int) -> None:
        """As `Output` says."""
        encoder, _ = self._sounds[track]
        self._put_sound(track, encoder.coded(encoder.encode(sound, position)))

    def picture(self, track: int, frame: av.VideoFrame, at_ns: int) -> None:
        """As `Output` says; another size begins with a key frame of its own."""
        pictures = self._pictures[track]
        encoder, size = pictures.encoder, (frame.width, frame.height)
        if encoder is None or encoder.size != size:
            encoder = pictures.encoder = PictureEncoder(*size, pictures.fps)
        for coded, form in encoder.coded(encoder.encode(frame, at_ns)):
            self._queue.put(coded.at_ns, track, (coded, form))

    def release(self, until_ns: int) -> None:
        """As `Output` says."""
        self._release(until_ns)

    def finish(self) -> None:
        """As `Output` says."""
        for track, (encoder, _) in self._sounds.items():
            self._put_sound(track, encoder.coded(encoder.encode(None, 0)))
        self._release(float("inf"))
        self._writer.finish()
        self._file.close()

    def abandon(self) -> None:
        """As `Output` says: the writer has cut the file already."""
        with suppress(OSError):
            self._file.close()

    def _put_sound(self, track: int, made: Iterator[Coded]) -> None:
        for coded in made:
            self._queue.put(coded.at_ns, track, (coded, None))

    def _release(self, until_ns: float) -> None:
        for track, (coded, form) in self._queue.take(until_ns):
            number = self._number(track, form)
            if number is not None:
                self._writer.put(number, coded)

    def _number(self, track: int, form: PictureFormat | None) -> int | None:
        if track in self._sounds:
            return self._sounds[track][1]
        pictures = self._pictures[track]
        if pictures.number is None and form is not None:
            pictures.number = self._writer.add_picture(pictures.name, form)
        return pictures.number


class Mp4Output:
    """An MP4 file with H264 and AAC: one picture of a size that is known before, one sound."""

    def __init__(self, file: RecordingFile, width: int, height: int, fps: int) -> None:
        self._file = _Sealed(file)
        self._whole = 0
        self._queue = _Queue()
        self._container = av.open(
            cast(Any, self._file), "w", format="mp4", options=_MP4, buffer_size=_BUFFER_BYTES
        )
        sound = self._container.add_stream("aac", rate=RATE)
        picture = self._container.add_stream("libx264", rate=fps)
        assert isinstance(sound.codec_context, AudioCodecContext)
        assert isinstance(picture.codec_context, VideoCodecContext)
        self._streams: tuple[Any, Any] = sound, picture
        self._sound = SoundEncoder("aac", codec=sound.codec_context)
        self._picture = PictureEncoder(width, height, fps, picture.codec_context)
        self._last = -1

    def add_sound(self, name: str, *, mixed: bool) -> int | None:
        """As `Output` says: the one there is."""
        return 0

    def add_picture(self, name: str, fps: int) -> int | None:
        """As `Output` says: the one there is."""
        return 1

    def chunk(self, track: int) -> int:
        """As `Output` says."""
        return self._sound.chunk

    def sound(self, track: int, sound: Sound, position: int) -> None:
        """As `Output` says."""
        self._put(0, self._sound.encode(sound, position))

    def picture(self, track: int, frame: av.VideoFrame, at_ns: int) -> None:
        """As `Output` says."""
        self._put(1, self._picture.encode(frame, at_ns))

    def release(self, until_ns: int) -> None:
        """As `Output` says."""
        self._release(until_ns)

    def finish(self) -> None:
        """As `Output` says."""
        self._put(0, self._sound.encode(None, 0))
        self._release(float("inf"))
        self._container.close()
        self._file.close()

    def abandon(self) -> None:
        """As `Output` says."""
        self._file.seal()
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()
        with suppress(OSError):
            self._file.cut(self._whole)
        with suppress(OSError):
            self._file.close()

    def _put(self, stream: int, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            assert packet.time_base is not None
            at = Fraction(packet.pts or 0) * packet.time_base * SECOND
            self._queue.put(float(at), stream, packet)

    def _release(self, until_ns: float) -> None:
        for stream, packet in self._queue.take(until_ns):
            packet.stream = self._streams[stream]
            self._container.mux_one(packet)
            self._whole = self._file.size


class _Sealed:
    """The file as FFmpeg writes it; once sealed, or after a fault, it takes nothing any more."""

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        self._fault: OSError | None = None
        self.cut, self.close = file.cut, file.close
        self.read, self.seek, self.tell = file.read, file.seek, file.tell

    @property
    def size(self) -> int:
        return self._file.size

    def seal(self) -> None:
        self._fault = self._fault or OSError("the recording takes nothing any more")

    def write(self, data: bytes) -> int:
        if self._fault is not None:
            raise self._fault
        try:
            return self._file.write(data)
        except OSError as error:
            self._fault = error
            raise
