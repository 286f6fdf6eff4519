"""One TLS connection over TCP, cut into frames (`framed`).

TLS runs over memory buffers inside one asyncio protocol, so that every byte that waits is
counted: ciphertext of one read, decrypted bytes up to a mark (then reading from the socket pauses).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from hashlib import sha256

from folkmoot.domain.address import Address
from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.net.framed import READ_BYTES, WRITE_BYTES, FramedStream
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.services.quiet_log import QuietLog

_RECORD = 16 * KIB
_SMALL_READ = 4 * KIB


class TlsStream(FramedStream, asyncio.BufferedProtocol):
    """A `services.ports.Stream` over TLS 1.3; `remote` and `local` are ``host:port``."""

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
        super().__init__(limits, log, binding=binding, on_proved=on_proved, on_lost=on_lost)
        self._from_wire = ssl.MemoryBIO()
        self._to_wire = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._from_wire, self._to_wire, server_side=binding is not None
        )
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_SMALL_READ)
        self._reading_paused = False
        self._writing_paused = False

    async def aclose(self) -> None:
        """Close; what was queued may leave within `close_s`, then the connection is cut."""
        if self._end is None:
            self._flush()
        if self._end is None:
            self._end = EnvironmentFault("link_closed", "The link was closed here.")
            self._say_goodbye()
            self._stop_waiting()
        self._forget_unread()
        transport = self._transport
        if transport is None or self._lost.done():
            return
        transport.close()
        await asyncio.wait([self._lost], timeout=self._limits.close_s)
        self._abort()

    # --- asyncio.BufferedProtocol ----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin TLS and its deadline."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=2 * WRITE_BYTES, low=WRITE_BYTES // 2)
        self._remote = _written(transport.get_extra_info("peername", ("?", 0)))
        self._local = _written(transport.get_extra_info("sockname", ("?", 0)))
        self._begin()
        self._shake_hands()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next read goes: small before the proofs."""
        if self._opened and len(self._buffer) < READ_BYTES:
            self._buffer = bytearray(READ_BYTES)
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
        self._buffer = bytearray()
        self._gone()

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
        waiting = self._unread()
        if waiting >= max(self._inbox_limit, self._needed) and not self._reading_paused:
            assert self._transport is not None
            self._reading_paused = True
            self._transport.pause_reading()
        if waiting >= self._needed:
            self._wake_reader()
        if ended:
            self.eof_received()

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
            try:
                self._tls.write(self._take_batch())
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

    def _abort(self) -> None:
        if self._transport is not None and not self._lost.done():
            self._transport.abort()


def _written(place: tuple[str, int] | tuple[str, int, int, int]) -> str:
    """A socket address as ``host:port``; a link-local host keeps the name of its interface."""
    host, port, *more = place
    if len(more) == 2 and more[1]:
        try:
            host = f"{host}%{socket.if_indextoname(more[1])}"
        except OSError:
            host = f"{host}%{more[1]}"
    return str(Address(host, port))
