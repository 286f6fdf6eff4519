"""An encrypted byte stream cut into frames: 4 bytes of length, big-endian, then the frame.

What TLS over TCP (`stream`) and QUIC (`quic_stream`) have in common: every byte that waits is
counted, the received ones up to a mark (then the other side is held up), those to send up to a
bound (then the stream is closed). Frames are cut when they are asked for, so one that the peer may
send only after the proofs is measured by the rules after the proofs.
Refuses frames over the limit before holding them, empty frames, and everyone who is too slow.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.services.quiet_log import QuietLog

HEADER_BYTES = 4
READ_BYTES = 64 * KIB
WRITE_BYTES = 128 * KIB
_FRAMES_PER_TURN = 64
"""A reader that is never kept waiting lets the others of the loop run after so many frames."""


class FramedStream(ABC):
    """A `services.ports.Stream`, but for the bytes themselves.

    `binding` is given for the listener's side and taken from the certificate on the dialler's.
    `on_proved` is called at `open_up` or when the connection is gone before; `on_lost` when it is
    gone.
    """

    def __init__(
        self,
        limits: LinkLimits,
        log: QuietLog,
        *,
        binding: bytes | None = None,
        on_proved: Callable[[], None],
        on_lost: Callable[[Any], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._log = log
        self._binding = binding
        self._on_proved = on_proved
        self._on_lost = on_lost
        self._remote = self._local = ""
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._end: FolkmootError | None = None
        self._proved = False
        self._opened = False
        self._deadline: asyncio.TimerHandle | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        # In
        self._inbox = bytearray()
        self._cut_to = 0
        self._needed = HEADER_BYTES
        self._frame_limit = limits.unproved_frame_bytes
        self._inbox_limit = 2 * limits.unproved_frame_bytes
        self._reader: asyncio.Future[None] | None = None
        self._frames_taken = 0
        # Out
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._flush_planned = False
        self._drainers: set[asyncio.Future[None]] = set()

    # --- what the services see -------------------------------------------------------------

    @property
    def binding(self) -> bytes:
        """SHA-256 of the listener's TLS certificate, the same on both sides."""
        assert self._binding is not None, "the stream is handed out after TLS only"
        return self._binding

    @property
    def remote(self) -> str:
        """Where the other side is."""
        return self._remote

    @property
    def local(self) -> str:
        """Where this side is."""
        return self._local

    def send(self, frame: bytes) -> None:
        """Queue a frame; frames of one turn of the loop leave together.

        The stream is closed when more than `outgoing_bytes` wait. On a closed stream the frame is
        dropped: `receive` tells. Raises ValueError for an empty or oversized frame, a bug of ours.
        """
        if not 0 < len(frame) <= self._limits.frame_bytes:
            raise ValueError(f"a frame of {len(frame)} bytes")
        if self._end is not None:
            return
        self._outbox.append(len(frame).to_bytes(HEADER_BYTES, "big"))
        self._outbox.append(frame)
        self._outbox_bytes += HEADER_BYTES + len(frame)
        if self._waiting_to_leave() > self._limits.outgoing_bytes:
            self._fail(EnvironmentFault("link_closed", "The other computer stopped reading."))
        else:
            self._plan_flush()

    async def drain(self) -> None:
        """Wait until fewer than `drained_bytes` wait. Raises `EnvironmentFault` ``link_closed``."""
        while self._end is None and self._waiting_to_leave() >= self._limits.drained_bytes:
            drainer: asyncio.Future[None] = self._loop.create_future()
            self._drainers.add(drainer)
            try:
                await drainer
            finally:
                self._drainers.discard(drainer)
        if self._end is not None:
            raise self._end.with_traceback(None)

    async def receive(self) -> bytes:
        """The next frame; for one reader at a time.

        Raises `EnvironmentFault` ``link_closed`` at the end of the stream, after all frames that
        came before it, and `PeerError` for a frame that breaks the rules.
        """
        self._frames_taken += 1
        if self._frames_taken % _FRAMES_PER_TURN == 0:
            await asyncio.sleep(0)
        while (frame := self._cut()) is None:
            if self._end is not None:
                raise self._end.with_traceback(None)
            assert self._reader is None, "two readers on one stream"
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        return frame

    def open_up(self, *, stranger: bool = False) -> None:
        """After the proofs: no time limit and, unless for a stranger, frames of full size."""
        if self._end is not None:
            return
        self._proved = True
        self._stop_deadline()
        if not stranger:
            self._opened = True
            self._frame_limit = self._limits.frame_bytes
            self._inbox_limit = self._limits.inbox_bytes
            self._keep_reading()
        self._on_proved()

    def traffic(self) -> tuple[int, int]:
        """(bytes in, bytes out), as on the wire."""
        return self._bytes_in, self._bytes_out

    @abstractmethod
    async def aclose(self) -> None:
        """Close; what was queued may leave within `close_s`, then the connection is cut."""

    # --- what the listener and the dialler need --------------------------------------------

    @property
    def proved(self) -> bool:
        """`open_up` was called."""
        return self._proved

    @property
    def ended(self) -> bool:
        """Nothing more can be sent; what came before may still be received."""
        return self._end is not None

    async def ready(self) -> None:
        """Wait for the TLS handshake; raises what ended the stream before."""
        await asyncio.wait([self._ready])
        if self._end is not None:
            raise self._end.with_traceback(None)

    # --- what carries the bytes --------------------------------------------------------------

    @abstractmethod
    def _flush(self) -> None:
        """Hand on what waits in `_outbox`, as far as it goes now."""

    @abstractmethod
    def _waiting_to_leave(self) -> int:
        """Bytes that were given to `send` and have not left."""

    @abstractmethod
    def _keep_reading(self) -> None:
        """There is room in the inbox: let the other side send."""

    @abstractmethod
    def _abort(self) -> None:
        """Cut the connection at once."""

    # --- inside ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """The connection is there: from now on the proofs have `handshake_s`."""
        self._deadline = self._loop.call_later(self._limits.handshake_s, self._too_slow)

    def _gone(self) -> None:
        """The connection is no more, by whoever's will. May be called twice."""
        if self._lost.done():
            return
        self._outbox.clear()
        self._outbox_bytes = 0
        self._lost.set_result(None)
        self._on_proved()
        self._on_lost(self)

    def _plan_flush(self) -> None:
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

    def _take_batch(self) -> bytes:
        """Some of the outbox, in one piece."""
        batch: list[bytes] = []
        size = 0
        while self._outbox and size < WRITE_BYTES:
            batch.append(self._outbox.popleft())
            size += len(batch[-1])
        self._outbox_bytes -= size
        return b"".join(batch)

    def _unread(self) -> int:
        return len(self._inbox) - self._cut_to

    def _cut(self) -> bytes | None:
        """The next whole frame of the inbox; its length is checked before more is read for it."""
        waiting = self._unread()
        self._needed = HEADER_BYTES
        if waiting >= HEADER_BYTES:
            start = self._cut_to + HEADER_BYTES
            length = int.from_bytes(self._inbox[self._cut_to : start], "big")
            if not 0 < length <= self._frame_limit:
                limit = self._frame_limit
                self._fail(
                    PeerError("bad_frame", f"A frame of {length} bytes (1 to {limit} may come).")
                )
                return None
            self._needed = HEADER_BYTES + length
            if waiting >= self._needed:
                with memoryview(self._inbox) as view:
                    frame = bytes(view[start : start + length])
                self._cut_to = start + length
                self._needed = HEADER_BYTES
                if self._cut_to == len(self._inbox) or self._cut_to >= READ_BYTES:
                    del self._inbox[: self._cut_to]
                    self._cut_to = 0
                if self._unread() <= self._inbox_limit // 2:
                    self._keep_reading()
                return frame
        self._keep_reading()
        return None

    def _forget_unread(self) -> None:
        self._inbox.clear()
        self._cut_to = 0

    def _too_slow(self) -> None:
        self._deadline = None
        self._fail(PeerError("too_slow", "The proofs did not come in time."))

    def _fail(self, error: FolkmootError) -> None:
        """End the stream because a rule was broken: nothing more is read, sent or held."""
        if self._end is None:
            self._log.info("Link to %s closed: %s", self._remote, error.message)
        self._finish(error)
        self._forget_unread()
        self._abort()

    def _finish(self, error: FolkmootError) -> None:
        if self._end is None:
            self._end = error
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        self._stop_deadline()
        if not self._ready.done():
            self._ready.set_result(None)
        self._wake_reader()
        self._wake_drainers()

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_drainers(self) -> None:
        for drainer in self._drainers:
            if not drainer.done():
                drainer.set_result(None)
