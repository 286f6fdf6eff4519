"""A thread that decodes the frames of one stream.

Owns the decoder and a bounded queue. When it cannot keep up it drops what no other frame needs, and
else everything, and asks for a key frame. Refuses pictures above `MOST_PIXELS`.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable
from typing import Any

import av

from folkmoot.media.receive.announced import announced_pixels
from folkmoot.media.receive.video_buffer import EncodedFrame

MOST_PIXELS = 4_096 * 2_304
_MOST_QUEUED = 30
_LATE_S = 0.15
_KEY_LATE_S = 0.05
_MOST_HOLD_S = 0.25
_SOUND_ROW = 10
"""So many frames without an error show that the stream is whole again."""


class DecodeThread:
    """The callbacks are called on the thread: `deliver(frame, timestamp)`, `lost()` when a key
    frame is needed, `giant(words)` when the picture is too large (nothing is decoded after),
    `sound()` each time ten frames in a row were decoded without an error."""

    def __init__(
        self,
        codec: str,
        deliver: Callable[[av.VideoFrame, int], None],
        lost: Callable[[], None],
        giant: Callable[[str], None],
        sound: Callable[[], None] = lambda: None,
    ) -> None:
        self._codec = codec
        self._deliver, self._lost, self._giant = deliver, lost, giant
        self._sound = sound
        self._queue: collections.deque[tuple[float, EncodedFrame]] = collections.deque()
        self._changed = threading.Condition()
        self._ended = False
        self.spent_s = 0.0
        self.decoded = 0
        self._thread = threading.Thread(target=self._run, name="video-decode", daemon=True)
        self._thread.start()

    def put(self, frame: EncodedFrame, due_s: float = 0.0) -> bool:
        """Queue a frame that is shown at `due_s` of `time.monotonic`, or at once.

        False when frames had to be dropped that others need.
        """
        now = time.monotonic()
        with self._changed:
            whole = True
            if frame.key:
                # Nothing before a key frame is needed for what follows; what has its time to come
                # is shown nevertheless.
                while self._queue and self._queue[0][0] < now - _KEY_LATE_S:
                    self._queue.popleft()
                while len(self._queue) >= _MOST_QUEUED:
                    self._queue.popleft()
            elif len(self._queue) >= _MOST_QUEUED:
                if frame.droppable:
                    return True
                self._queue.clear()
                whole = False
            if whole:
                self._queue.append((max(now, min(due_s, now + _MOST_HOLD_S)), frame))
            self._changed.notify()
            return whole

    def end(self) -> None:
        """Stop after the frame in hand; not waited for."""
        with self._changed:
            self._ended = True
            self._queue.clear()
            self._changed.notify()

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended within `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _next(self) -> tuple[float, EncodedFrame] | None:
        with self._changed:
            while not self._ended:
                if not self._queue:
                    self._changed.wait()
                    continue
                left = self._queue[0][0] - time.monotonic()
                if left <= 0:
                    return self._queue.popleft()
                self._changed.wait(left)
            return None

    def _run(self) -> None:
        decoder = self._opened()
        row = 0
        while (item := self._next()) is not None:
            due, frame = item
            if frame.droppable and time.monotonic() - due > _LATE_S:
                continue
            if frame.key and announced_pixels(self._codec, frame.data) > MOST_PIXELS:
                self._giant("the picture is larger than 4096x2304")
                return
            began = time.thread_time()
            try:
                pictures = _decoded(decoder, frame)
            except (av.FFmpegError, ValueError, MemoryError):
                row = 0
                self._lost()
                continue
            finally:
                self.spent_s += time.thread_time() - began
                self.decoded += 1
            for picture in pictures:
                if picture.width * picture.height > MOST_PIXELS:
                    self._giant("the picture is larger than 4096x2304")
                    return
                self._deliver(picture, frame.timestamp)
            row += 1
            if row == _SOUND_ROW:
                row = 0
                self._sound()

    def _opened(self) -> Any:
        decoder = av.CodecContext.create("vp8" if self._codec == "VP8" else "h264", "r")
        decoder.thread_count = 1
        decoder.options = {"max_pixels": str(MOST_PIXELS + 1)}
        return decoder


def _decoded(decoder: Any, frame: EncodedFrame) -> list[av.VideoFrame]:
    packet = av.Packet(frame.data)
    packet.pts = frame.timestamp
    return list(decoder.decode(packet))
