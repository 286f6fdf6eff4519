"""One QUIC connection over a datagram path, cut into frames (`framed`).

Everything runs in turns of the node's loop: what came in one turn is answered once at its end, and
frames of one turn share packets. While the path is busy or cut nothing is made; when it works again
a probe leaves at once, also in answer to the first packet after a silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from aioquic.quic import events

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.net.framed import FramedStream
from folkmoot.net.limits import KIB, LinkLimits
from folkmoot.net.paths import DatagramPath
from folkmoot.net.quic_private import STREAM, Connection
from folkmoot.services.quiet_log import QuietLog

log = logging.getLogger(__name__)

_HERE = ("path", 0)
"""The one address that a connection knows: its path never changes."""
_BACKLOG_BYTES = 256 * KIB
"""So much is given to the library, the rest waits as frames."""
_BUSY_LOOK_S = 0.25
_SILENCE_S = 0.5
"""After so long without a packet the next one says that the way works again."""


class QuicStream(FramedStream):
    """A `services.ports.Stream` over QUIC version 1. Made by `quic.QuicEndpoint`."""

    def __init__(
        self,
        connection: Connection,
        path: DatagramPath,
        limits: LinkLimits,
        log: QuietLog,
        *,
        binding: bytes | None = None,
        remote: str,
        local: str,
        on_proved: Callable[[], None],
        on_lost: Callable[[QuicStream], None],
        on_id: Callable[[QuicStream, bytes, bool], None],
    ) -> None:
        """`on_id` is told of every connection id that is the stream's from now on, or no more."""
        super().__init__(limits, log, binding=binding, on_proved=on_proved, on_lost=on_lost)
        self._connection = connection
        self._path = path
        self._on_id = on_id
        self._remote = remote
        self._local = local
        self._came_bytes = 0
        self._readable = False
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self._held_since: float | None = None
        self._left: asyncio.Future[None] = self._loop.create_future()
        self._begin()

    @property
    def began(self) -> bool:
        """A first packet of the other side was good."""
        return self._connection.began

    def dial(self) -> None:
        """Begin the handshake."""
        self._connection.connect(_HERE, now=self._loop.time())
        self._flush()

    def take(self, datagram: bytes) -> None:
        """A datagram of this connection came; garbage changes nothing."""
        if self._lost.done():
            return
        self._bytes_in += len(datagram)
        if not self._ready.done() and self._bytes_in > self._limits.handshake_bytes:
            self._fail(PeerError("bad_tls", "Too many bytes before TLS was established."))
            return
        now = self._loop.time()
        with self._guarded():
            self._connection.receive_datagram(datagram, _HERE, now=now)
        if self._lost.done():
            return
        if now - self._heard_at > _SILENCE_S and self._connection.waits_in_vain:
            self._connection.revive(now)
        self._heard_at = now
        self._take_events()

    def resume(self) -> None:
        """The path takes datagrams again."""
        if self._held_since is not None:
            self._flush()

    def fail(self, error: FolkmootError) -> None:
        """The path is dead, or the other side is not there."""
        self._finish(error)
        self._abort()

    async def aclose(self) -> None:
        """Close; what was queued may leave within `close_s`, then the connection is cut."""
        if self._end is None:
            self._end = EnvironmentFault("link_closed", "The link was closed here.")
            self._stop_waiting()
            if self._readable:
                self._feed(everything=True)
                self._connection.send_stream_data(STREAM, b"", end_stream=True)
                self._flush()
                await asyncio.wait(
                    [self._left, self._lost],
                    timeout=self._limits.close_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
        self._forget_unread()
        self._abort()

    # --- inside ------------------------------------------------------------------------------

    def _take_events(self) -> None:
        while (event := self._connection.next_event()) is not None and not self._lost.done():
            match event:
                case events.StreamDataReceived():
                    self._take_bytes(event.data, event.end_stream)
                case events.HandshakeCompleted():
                    self._shook_hands()
                case events.ConnectionIdIssued():
                    self._on_id(self, event.connection_id, True)
                case events.ConnectionIdRetired():
                    self._on_id(self, event.connection_id, False)
                case events.StreamReset() | events.StopSendingReceived():
                    self._fail(PeerError("link_closed", "The other computer broke the stream."))
                case events.ConnectionTerminated():
                    self._terminated(event.reason_phrase)
        if not self._readable and self._connection.readable:
            self._readable = True
            self._keep_reading()
        self._plan_flush()

    def _take_bytes(self, data: bytes, last: bool) -> None:
        if self._end is not None:
            return
        self._inbox += data
        self._came_bytes += len(data)
        if self._unread() >= self._needed:
            self._wake_reader()
        if last:
            self._finish(EnvironmentFault("link_closed", "The other computer closed the link."))

    def _shook_hands(self) -> None:
        if self._binding is None:
            self._binding = self._connection.listener_binding()
            if self._binding is None:
                self._fail(PeerError("bad_tls", "The other computer showed no certificate."))
                return
            self._connection.open_stream()
        if not self._ready.done():
            self._ready.set_result(None)

    def _terminated(self, reason: str) -> None:
        words = "The other computer closed the link."
        if reason == "Idle timeout":
            words = "The other computer was silent for too long."
        self._finish(EnvironmentFault("link_closed", words))
        self._stop()

    def _keep_reading(self) -> None:
        if self._end is None and self._readable:
            taken = self._came_bytes - self._unread()
            if self._connection.allow(taken + max(self._inbox_limit, self._needed)):
                self._plan_flush()

    def _waiting_to_leave(self) -> int:
        return self._outbox_bytes + self._connection.unacknowledged()

    def _feed(self, *, everything: bool = False) -> None:
        """Give frames to the library: some that are not on their way yet, or all."""
        while self._outbox and (everything or self._connection.unacknowledged() < _BACKLOG_BYTES):
            self._connection.send_stream_data(STREAM, self._take_batch())

    def _flush(self) -> None:
        """Send what may leave now, and set the timer."""
        self._flush_planned = False
        if self._lost.done():
            return
        now = self._loop.time()
        if self._path.busy:
            if self._held_since is None:
                self._held_since = now
            self._set_timer(now + _BUSY_LOOK_S)
            return
        if self._held_since is not None:
            if now - self._held_since > _SILENCE_S:
                self._connection.revive(now)
            self._held_since = None
        if self._end is None and self._readable:
            self._feed()
        self._send_packets()
        if self._lost.done():
            return
        if self._drainers and self._waiting_to_leave() < self._limits.drained_bytes:
            self._wake_drainers()
        if self._end is not None and self._connection.all_left and not self._left.done():
            self._left.set_result(None)
        self._set_timer(self._connection.get_timer())

    def _set_timer(self, at: float | None) -> None:
        if self._timer is not None:
            if self._timer.when() == at:
                return
            self._timer.cancel()
            self._timer = None
        if at is not None:
            self._timer = self._loop.call_at(at, self._due, at)

    def _due(self, at: float) -> None:
        self._timer = None
        with self._guarded():
            self._connection.handle_timer(now=max(at, self._loop.time()))
        if not self._lost.done():
            self._take_events()

    def _abort(self) -> None:
        """Say so, if it can be said, and be gone."""
        if self._lost.done():
            return
        self._connection.close()
        if self._connection.began and not self._path.busy:
            self._send_packets()
        self._stop()

    def _send_packets(self) -> None:
        made: list[tuple[bytes, object]] = []
        with self._guarded():
            made = self._connection.datagrams_to_send(now=self._loop.time())
        for datagram, _ in made:
            self._bytes_out += len(datagram)
            self._path.send(datagram)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Whatever a peer brings the library to raise ends its stream, and nothing else."""
        try:
            yield
        except Exception as error:
            log.debug("QUIC of %s", self._remote, exc_info=error)
            self._log.info("QUIC of %s broke: %s", self._remote, type(error).__name__)
            self._finish(PeerError("bad_quic", f"Broken QUIC: {type(error).__name__}."))
            self._forget_unread()
            self._stop()

    def _stop(self) -> None:
        self._set_timer(None)
        self._gone()
