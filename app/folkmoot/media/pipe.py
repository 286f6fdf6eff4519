"""The child's end of the pipe of `services.media_port`: one thread reads it, one writes it.

Threads, because not every system's loop can watch a plain pipe. Refuses a message whose length is
out of bounds before it takes memory for it, and a parent that does not read: what may be lost
(levels, statistics) is dropped first, then the process ends.
"""

from __future__ import annotations

import os
import queue
import struct
import threading
from collections.abc import Callable

from folkmoot.domain.errors import PeerError
from folkmoot.services.media_port import (
    MAX_MESSAGE_BYTES,
    AnyCommand,
    Levels,
    Report,
    StatsTaken,
    decode_command,
    encode,
)

LENGTH = struct.Struct(">I")
MAX_WAITING = 512
"""Reports that wait for the parent to read."""
MAX_WAITING_DROPPABLE = 64


def frame(message: bytes) -> bytes:
    """The bytes of a message on the pipe: four bytes of length (big-endian), then the message."""
    return LENGTH.pack(len(message)) + message


def read_length(header: bytes) -> int:
    """The length in a header of four bytes; raises `PeerError` ``bad_message`` out of bounds."""
    length: int = LENGTH.unpack(header)[0]
    if not 0 < length <= MAX_MESSAGE_BYTES:
        raise PeerError("bad_message", f"A message of {length} bytes is not allowed.")
    return length


class ChildPipe:
    """Reads commands from `source` and writes reports to `sink`, both file descriptors."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._waiting: queue.Queue[bytes | None] = queue.Queue()
        self._overrun: Callable[[str], None] | None = None
        self._writer = threading.Thread(target=self._write, name="pipe-writer", daemon=True)
        self._writer.start()

    def read(self) -> AnyCommand | None:
        """Wait for a command; None when the parent is gone. Raises `PeerError`."""
        header = self._read_exactly(LENGTH.size)
        if header is None:
            return None
        body = self._read_exactly(read_length(header))
        return None if body is None else decode_command(body)

    def follow(self, take: Callable[[AnyCommand], None], ended: Callable[[str], None]) -> None:
        """Read in a thread of its own. `ended` gets why it is over, empty when the parent left."""

        def run() -> None:
            try:
                while (command := self.read()) is not None:
                    take(command)
            except PeerError as error:
                ended(error.message)
            else:
                ended("")

        self._overrun = ended
        threading.Thread(target=run, name="pipe-reader", daemon=True).start()

    def send(self, report: Report) -> None:
        """Queue a report from any thread; never blocks."""
        waiting = self._waiting.qsize()
        if waiting >= MAX_WAITING_DROPPABLE and isinstance(report, Levels | StatsTaken):
            return
        if waiting >= MAX_WAITING:
            if self._overrun is not None:
                self._overrun("The node does not read what it is told.")
            return
        self._waiting.put(frame(encode(report)))

    def close(self, wait_s: float = 1.0) -> None:
        """Write what waits, for at most `wait_s` seconds."""
        self._waiting.put(None)
        self._writer.join(wait_s)

    def _write(self) -> None:
        while (data := self._waiting.get()) is not None:
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._sink, view) :]
            except OSError:  # the parent is gone; the reader sees it too
                return

    def _read_exactly(self, count: int) -> bytes | None:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = os.read(self._source, count - len(parts))
            except OSError:
                return None
            if not part:
                return None
            parts += part
        return bytes(parts)
