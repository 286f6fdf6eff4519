"""What other programs play, by way of PulseAudio or PipeWire: each sound is recorded by itself.

Owns a thread with a connection, and a recording for each sound that is played. Refuses what this
process or the one that started it plays, what modules and filters play on (which may be ours), and
what does not say whose it is: nobody shall hear themselves. Refuses to matter where there is no
server: it is looked for again every two seconds.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from typing import Any

import numpy as np

from folkmoot.media.devices import libpulse
from folkmoot.media.devices.elastic import ElasticBuffer
from folkmoot.media.devices.ring import RATE, STEP
from folkmoot.media.devices.urgent import hurry

MOST_SOUNDS = 16
RETRY_S = 2.0
_PATIENCE_US = 50_000
_CONNECT_S = 5.0
_AGAIN_S = 0.5
"""A recording that failed is tried again so much later: its sound may have moved or ended."""
_DRAIN_S = 0.3
"""What a sound leaves is played for so long."""
_MOST_READS, _MOST_TURNS = 64, 64
GATHER_S = 0.008
"""A server tells each sound in pieces of a few milliseconds: some are taken at once."""
_ALL = (1 << 32) - 1
_NO_SIZE = ctypes.c_size_t(-1).value
_PIECE = 2 * STEP
"""So many samples come at once: fewer would have the server wake all programs more often."""
_FLAGS = (
    libpulse.DONT_MOVE | libpulse.ADJUST_LATENCY | libpulse.DONT_KEEP_AWAKE | libpulse.START_UNMUTED
)


class PulseRecorder:
    """Records from when it is made until `end`. `buffers` are of the sounds that are played now."""

    def __init__(self) -> None:
        self.buffers: tuple[ElasticBuffer, ...] = ()
        self._ours = frozenset(str(each).encode() for each in (os.getpid(), os.getppid()))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="system sound", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop soon; waits for nothing."""
        self._over.set()
        self.buffers = ()

    def join(self, seconds: float) -> bool:
        """Whether its thread has ended within so long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        library = libpulse.load()
        if library is None:
            return
        hurry()
        while not self._over.is_set():
            connection = _Recordings(library, self._ours)
            try:
                self._serve(connection)
            finally:
                self.buffers = ()
                connection.close()
            self._over.wait(RETRY_S)

    def _serve(self, connection: _Recordings) -> None:
        give_up = time.monotonic() + _CONNECT_S
        while not (connection.is_ready or connection.is_over or self._over.is_set()):
            connection.turn(_PATIENCE_US)
            if time.monotonic() > give_up:
                return
        connection.work(time.monotonic(), True)
        while not (self._over.is_set() or connection.is_over):
            happened = connection.turn(_PATIENCE_US)
            for _ in range(_MOST_TURNS if happened else 0):
                if not connection.turn(0):
                    break
            if connection.work(time.monotonic(), happened) and not self._over.is_set():
                self.buffers = connection.buffers()
            if happened:
                self._over.wait(GATHER_S)


class _Recordings(libpulse.Connection):
    """Used by one thread."""

    def __init__(self, library: Any, ours: frozenset[bytes]) -> None:
        self._ours = ours
        self._streams: dict[int, tuple[Any, ElasticBuffer]] = {}
        self._ending: list[tuple[float, ElasticBuffer]] = []
        self._clients: dict[int, bytes | None] = {}
        self._inputs: set[int] = set()
        self._asks = self._is_stale = self._is_watching = self._is_other = False
        self._ask_at = float("inf")
        self._event: Any = libpulse.TAKE_EVENT(self._take_event)
        self._client_row: Any = libpulse.TAKE_CLIENT(self._take_client)
        self._input_row: Any = libpulse.TAKE_INPUT(self._take_input)
        self._data, self._size = ctypes.c_void_p(), ctypes.c_size_t()
        super().__init__(library, b"Folkmoot shares sound")

    def buffers(self) -> tuple[ElasticBuffer, ...]:
        """Of all sounds, also of those that have just ended."""
        return (
            *(buffer for _, buffer in self._streams.values()),
            *(buffer for _, buffer in self._ending),
        )

    def work(self, now: float, happened: bool) -> bool:
        """See to everything after a turn, in which something `happened` or not; the server takes
        requests. Whether there are other `buffers` now."""
        if not self._is_watching:
            self._watch()
        if (self._is_stale or now >= self._ask_at) and not self._asks:
            self._ask()
        if self._ending and self._ending[0][0] <= now:
            self._ending = [each for each in self._ending if each[0] > now]
            self._is_other = True
        if happened:
            for index in list(self._streams):
                self._read(index, now)
        is_other, self._is_other = self._is_other, False
        return is_other

    def close(self) -> None:
        """Let go of everything."""
        for index in list(self._streams):
            self._drop(index, 0.0)
        super().close()
        # They know this object, which no collector would find here.
        self._event = self._client_row = self._input_row = None

    # --- which sounds there are

    def _watch(self) -> None:
        self.pulse.pa_context_set_subscribe_callback(self.context, self._event, None)
        self.start(self.pulse.pa_context_subscribe(self.context, libpulse.SINK_INPUTS, None, None))
        self._is_watching = self._is_stale = True

    def _ask(self) -> None:
        self._asks, self._is_stale, self._ask_at = True, False, float("inf")
        self._clients, self._inputs = {}, set()
        ask = self.pulse
        self.start(ask.pa_context_get_client_info_list(self.context, self._client_row, None))
        self.start(ask.pa_context_get_sink_input_info_list(self.context, self._input_row, None))

    def _take_event(self, _context: int, _event: int, _index: int, _data: int) -> None:
        self._is_stale = True

    def _take_client(self, _context: int, row: Any, end: int, _data: int) -> None:
        if not end:
            info = row.contents
            self._clients[info.index] = self._process(info.properties)

    def _take_input(self, _context: int, row: Any, end: int, _data: int) -> None:
        if not end:
            if self._is_foreign(row.contents):
                self._inputs.add(row.contents.index)
            return
        self._asks = False
        if end > 0:
            for gone in self._streams.keys() - self._inputs:
                self._drop(gone, time.monotonic())
            for new in sorted(self._inputs - self._streams.keys()):
                self._record(new)

    def _is_foreign(self, info: libpulse.SinkInputInfo) -> bool:
        """Whether a program plays it that is none of ours."""
        if info.client == libpulse.NOBODY:
            return False
        if self._property(info.properties, b"media.role") == b"filter":
            return False
        if self._property(info.properties, b"node.link-group") is not None:
            return False
        known = {self._process(info.properties), self._clients.get(info.client)} - {None}
        return bool(known) and not known & self._ours

    def _process(self, properties: Any) -> bytes | None:
        return self._property(properties, b"application.process.id") or self._property(
            properties, b"pipewire.sec.pid"
        )

    def _property(self, properties: Any, name: bytes) -> bytes | None:
        found: bytes | None = self.pulse.pa_proplist_gets(properties, name) if properties else None
        return found

    # --- recordings

    def _record(self, index: int) -> None:
        if len(self._streams) >= MOST_SOUNDS:
            return
        spec = libpulse.SampleSpec(libpulse.S16_NATIVE, RATE, 1)
        buffers = libpulse.BufferAttributes(_ALL, _ALL, _ALL, _ALL, _PIECE * 2)
        stream = self.pulse.pa_stream_new(self.context, b"Shared sound", spec, None)
        if not stream:
            return
        if (
            self.pulse.pa_stream_set_monitor_stream(stream, index) < 0
            or self.pulse.pa_stream_connect_record(stream, None, buffers, _FLAGS) < 0
        ):
            self.pulse.pa_stream_unref(stream)
            return
        self._streams[index] = stream, ElasticBuffer()
        self._is_other = True

    def _drop(self, index: int, now: float) -> None:
        stream, buffer = self._streams.pop(index)
        self._ending.append((now + _DRAIN_S, buffer))
        self._is_other = True
        self.pulse.pa_stream_disconnect(stream)
        self.pulse.pa_stream_unref(stream)

    def _read(self, index: int, now: float) -> None:
        """Take what has come; a recording that failed is looked for again."""
        stream, buffer = self._streams[index]
        pulse, data, size = self.pulse, self._data, self._size
        for _ in range(_MOST_READS):
            waits = pulse.pa_stream_readable_size(stream)
            if waits == 0:
                return
            if waits == _NO_SIZE:  # it is being made, or it failed
                if pulse.pa_stream_get_state(stream) >= libpulse.STREAM_FAILED:
                    self._drop(index, now)
                    self._ask_at = min(self._ask_at, now + _AGAIN_S)
                return
            if pulse.pa_stream_peek(stream, data, size) < 0 or not size.value:
                return
            if data.value:
                taken = ctypes.string_at(data.value, size.value // 2 * 2)
                buffer.push(np.frombuffer(taken, np.int16))
            else:  # a hole
                buffer.push(np.zeros(min(size.value // 2, RATE), np.int16))
            pulse.pa_stream_drop(stream)
            if size.value >= waits:
                return


def answers(seconds: float) -> bool:
    """Whether a server is there; waits for it so long at most."""
    library = libpulse.load()
    if library is None:
        return False
    connection = libpulse.Connection(library, b"Folkmoot")
    try:
        until = time.monotonic() + seconds
        while not (connection.is_ready or connection.is_over) and time.monotonic() < until:
            connection.turn(_PATIENCE_US)
        return connection.is_ready
    finally:
        connection.close()
