"""One TLS connection cut into frames: 4 bytes of length, big-endian, then the frame.

TLS runs over memory buffers inside one asyncio protocol, so that every byte that waits is
counted: ciphertext of one read, decrypted bytes up to a mark (then reading from the socket pauses),
frames to send up to a bound (then the stream is closed). Frames are cut when they are asked for, so
one that the peer may send only after the proofs is measured by the rules after the proofs.
Refuses frames over the limit before holding them, empty frames, and everyone who is too slow.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from hashlib import sha256

from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.services.quiet_log import QuietLog

_HEADER = 4
_RECORD = 16 * KIB
_SMALL_READ = 4 * KIB
_READ = 64 * KIB
_WRITE = 128 * KIB
_FRAMES_PER_TURN = 64
"""A reader that is never kept waiting lets the others of the loop run after so many frames."""


class TlsStream(asyncio.BufferedProtocol):
    """A `services.ports.Stream` over TLS 1.3.

    `binding` is given for the listener's side and taken from the certificate on the dialler's.
    `on_proved` is called once, at `open_up` or when the connection is gone before; `on_lost` once
    when it is gone.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        limits: LinkLimits,
        log: QuietLog,
        *,
        binding: bytes | None = None,
        on_proved: Callable[[], None],
        on_lost: Callable[[TlsStream], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._log = log
        self._binding = binding
        self._on_proved = on_proved
        self._on_lost = on_lost
        self._from_wire = ssl.MemoryBIO()
        self._to_wire = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._from_wire, self._to_wire, server_side=binding is not None
        )
        self._transport: asyncio.Transport | None = None
        self._remote = ""
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._end: FolkmootError | None = None
        self._proved = False
        self._opened = False
        self._deadline: asyncio.TimerHandle | None = None
        self._bytes_in = 0
        self._bytes_out = 0
        # In
        self._buffer = bytearray(_SMALL_READ)
        self._inbox = bytearray()
        self._cut_to = 0
        self._needed = _HEADER
        self._frame_limit = limits.unproved_frame_bytes
        self._inbox_limit = 2 * limits.unproved_frame_bytes
        self._reading_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._frames_taken = 0
        # Out
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._flush_planned = False
        self._writing_paused = False
        self._drainers: set[asyncio.Future[None]] = set()

    # --- what the services see -------------------------------------------------------------

    @property
    def binding(self) -> bytes:
        """SHA-256 of the listener's TLS certificate, the same on both sides."""
        assert self._binding is not None, "the stream is handed out after TLS only"
        return self._binding

    @property
    def remote(self) -> str:
        """``host:port`` of the other side."""
        return self._remote

    def send(self, frame: bytes) -> None:
        """Queue a frame; frames of one turn of the loop leave together.

        The stream is closed when more than `outgoing_bytes` wait. On a closed stream the frame is
        dropped: `receive` tells. Raises ValueError for an empty or oversized frame, a bug of ours.
        """
        if not 0 < len(frame) <= self._limits.frame_bytes:
            raise ValueError(f"a frame of {len(frame)} bytes")
        if self._end is not None:
            return
        self._outbox.append(len(frame).to_bytes(_HEADER, "big"))
        self._outbox.append(frame)
        self._outbox_bytes += _HEADER + len(frame)
        if self._waiting_to_leave() > self._limits.outgoing_bytes:
            self._fail(EnvironmentFault("link_closed", "The other computer stopped reading."))
        elif not self._flush_planned and not self._writing_paused:
            self._flush_planned = True
            self._loop.call_soon(self._flush)

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
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if not stranger:
            self._opened = True
            self._frame_limit = self._limits.frame_bytes
            self._inbox_limit = self._limits.inbox_bytes
            self._keep_reading()
        self._on_proved()

    def traffic(self) -> tuple[int, int]:
        """(bytes in, bytes out), as on the wire."""
        return self._bytes_in, self._bytes_out

    async def aclose(self) -> None:
        """Close; what was queued may leave within `close_s`, then the connection is cut."""
        if self._end is None:
            self._flush()
        if self._end is None:
            self._end = EnvironmentFault("link_closed", "The link was closed here.")
            self._say_goodbye()
            self._stop_waiting()
        self._inbox.clear()
        self._cut_to = 0
        transport = self._transport
        if transport is None or self._lost.done():
            return
        transport.close()
        await asyncio.wait([self._lost], timeout=self._limits.close_s)
        self._abort()

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

    # --- asyncio.BufferedProtocol ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin TLS and its deadline."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=2 * _WRITE, low=_WRITE // 2)
        self._remote = _written(transport.get_extra_info("peername", ("?", 0)))
        self._deadline = self._loop.call_later(self._limits.handshake_s, self._too_slow)
        self._shake_hands()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next read goes: small before the proofs."""
        if self._opened and len(self._buffer) < _READ:
            self._buffer = bytearray(_READ)
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Decrypt what was read."""
        if self._end is not None:
            return
        self._bytes_in += count
        with memoryview(self._buffer) as view:
            self._from_wire.write(view[:count])
        if not self._ready.done():
            if self._bytes_in > self._limits.handshake_bytes:
                self._fail(PeerError("bad_tls", "Too many bytes before TLS was established."))
                return
            self._shake_hands()
        if self._ready.done():
            self._decrypt()

    def eof_received(self) -> None:
        """The other side sends no more: the end, also when it would still listen."""
        self._finish(EnvironmentFault("link_closed", "The other computer closed the link."))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, by whoever's will."""
        words = "The connection broke." if error else "The other computer closed the link."
        self._finish(EnvironmentFault("link_closed", words))
        self._outbox.clear()
        self._outbox_bytes = 0
        self._buffer = bytearray()
        if not self._lost.done():
            self._lost.set_result(None)
        self._on_proved()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """The socket takes no more for now: frames wait as they are."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """The socket takes more."""
        self._writing_paused = False
        self._flush()

    # --- inside ----------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._push()
            return
        except ssl.SSLError as error:
            self._push()  # the alert that tells why
            self._fail(PeerError("bad_tls", f"No TLS 1.3: {error.reason or error}."))
            return
        self._push()
        if self._binding is None:
            certificate = self._tls.getpeercert(binary_form=True)
            if certificate is None:
                self._fail(PeerError("bad_tls", "The other computer showed no certificate."))
                return
            self._binding = sha256(certificate).digest()
        if not self._ready.done():
            self._ready.set_result(None)

    def _decrypt(self) -> None:
        try:
            while chunk := self._tls.read(_RECORD):
                self._inbox += chunk
            ended = True
        except ssl.SSLWantReadError:
            ended = False
        except ssl.SSLZeroReturnError:
            ended = True
        except ssl.SSLError as error:
            self._fail(PeerError("bad_tls", f"Broken TLS: {error.reason or error}."))
            return
        self._push()  # answers of TLS itself, such as key updates
        if self._waiting_to_leave() > self._limits.outgoing_bytes:
            self._fail(EnvironmentFault("link_closed", "The other computer stopped reading."))
            return
        waiting = len(self._inbox) - self._cut_to
        if waiting >= max(self._inbox_limit, self._needed) and not self._reading_paused:
            assert self._transport is not None
            self._reading_paused = True
            self._transport.pause_reading()
        if waiting >= self._needed:
            self._wake_reader()
        if ended:
            self.eof_received()

    def _cut(self) -> bytes | None:
        """The next whole frame of the inbox; its length is checked before more is read for it."""
        waiting = len(self._inbox) - self._cut_to
        self._needed = _HEADER
        if waiting >= _HEADER:
            start = self._cut_to + _HEADER
            length = int.from_bytes(self._inbox[self._cut_to : start], "big")
            if not 0 < length <= self._frame_limit:
                limit = self._frame_limit
                self._fail(
                    PeerError("bad_frame", f"A frame of {length} bytes (1 to {limit} may come).")
                )
                return None
            self._needed = _HEADER + length
            if waiting >= self._needed:
                with memoryview(self._inbox) as view:
                    frame = bytes(view[start : start + length])
                self._cut_to = start + length
                self._needed = _HEADER
                if self._cut_to == len(self._inbox) or self._cut_to >= _READ:
                    del self._inbox[: self._cut_to]
                    self._cut_to = 0
                if len(self._inbox) - self._cut_to <= self._inbox_limit // 2:
                    self._keep_reading()
                return frame
        self._keep_reading()
        return None

    def _keep_reading(self) -> None:
        if self._reading_paused and self._end is None:
            assert self._transport is not None
            self._reading_paused = False
            self._transport.resume_reading()

    def _waiting_to_leave(self) -> int:
        assert self._transport is not None
        return self._outbox_bytes + self._transport.get_write_buffer_size()

    def _flush(self) -> None:
        """Encrypt and write what waits, until the socket takes no more."""
        self._flush_planned = False
        while self._outbox and not self._writing_paused and self._end is None:
            batch: list[bytes] = []
            size = 0
            while self._outbox and size < _WRITE:
                batch.append(self._outbox.popleft())
                size += len(batch[-1])
            self._outbox_bytes -= size
            try:
                self._tls.write(b"".join(batch))
            except ssl.SSLError as error:
                self._fail(PeerError("bad_tls", f"Broken TLS: {error.reason or error}."))
                return
            self._push()
        if self._drainers and self._waiting_to_leave() < self._limits.drained_bytes:
            self._wake_drainers()

    def _push(self) -> None:
        """Hand what TLS wrote to the socket."""
        if self._to_wire.pending:
            assert self._transport is not None
            data = self._to_wire.read()
            self._bytes_out += len(data)
            self._transport.write(data)

    def _say_goodbye(self) -> None:
        """TLS's own word that nothing was cut off; its answer is not waited for."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # it wants to read the answer, or the handshake was not done
        if self._transport is not None:
            self._push()

    def _too_slow(self) -> None:
        self._deadline = None
        self._fail(PeerError("too_slow", "The proofs did not come in time."))

    def _fail(self, error: FolkmootError) -> None:
        """End the stream because a rule was broken: nothing more is read, sent or held."""
        if self._end is None:
            self._log.info("Link to %s closed: %s", self._remote, error.message)
        self._finish(error)
        self._inbox.clear()
        self._cut_to = 0
        self._abort()

    def _abort(self) -> None:
        if self._transport is not None and not self._lost.done():
            self._transport.abort()

    def _finish(self, error: FolkmootError) -> None:
        if self._end is None:
            self._end = error
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if not self._ready.done():
            self._ready.set_result(None)
        self._wake_reader()
        self._wake_drainers()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _wake_drainers(self) -> None:
        for drainer in self._drainers:
            if not drainer.done():
                drainer.set_result(None)


def _written(place: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """A socket address as ``host:port``; a link-local host keeps the name of its interface."""
    host, port, *more = place
    if len(more) == 2 and more[1]:
        try:
            host = f"{host}%{socket.if_indextoname(more[1])}"
        except OSError:
            host = f"{host}%{more[1]}"
    return str(Address(host, port))
