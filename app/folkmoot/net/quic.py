"""QUIC over one datagram path: dials and takes connections, one stream each.

A packet belongs to the connection whose id it names. A first packet of a new one is looked at only
while `Admission` has a place; one that cannot be read leaves nothing behind.
Refuses: any version but 1, tickets, resumption, early data, and to prove anything.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE, QuicConfiguration

from folkmoot.domain.errors import EnvironmentFault, FolkmootError, PeerError
from folkmoot.net.certificate import ListenerIdentity
from folkmoot.net.limits import LinkLimits
from folkmoot.net.paths import DatagramPath
from folkmoot.net.quic_private import VERSION, Connection
from folkmoot.net.quic_stream import QuicStream
from folkmoot.services.attempts import Unreachable
from folkmoot.services.quiet_log import QuietLog

ALPN = "folkmoot/1"
IDLE_S = 30.0
_ID_BYTES = 8
_FIRST_RTT_S = 0.1
"""Twice this passes before a first packet is sent again."""


class QuicEndpoint:
    """One end of a path. Made on the loop that it shall use; closes the path with itself."""

    def __init__(
        self,
        path: DatagramPath,
        limits: LinkLimits,
        log: QuietLog,
        *,
        remote: str,
        local: str,
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_idle` is called whenever the last stream is gone."""
        self._path = path
        self._limits = limits
        self._log = log
        self._remote = remote
        self._local = local
        self._on_idle = on_idle
        self._by_id: dict[bytes, QuicStream] = {}
        self._streams: dict[QuicStream, set[bytes]] = {}
        self._dialling: set[QuicStream] = set()
        self._identity: ListenerIdentity | None = None
        self._enter: Callable[[], Callable[[], None] | str] = lambda: "nobody listens"
        self._accept: Callable[[QuicStream], None] | None = None
        path.attach(self.received, self.resumed, self.ended)

    @property
    def streams(self) -> int:
        """Connections that are not gone."""
        return len(self._streams)

    def listen(
        self,
        identity: ListenerIdentity,
        enter: Callable[[], Callable[[], None] | str],
        accept: Callable[[QuicStream], None],
    ) -> None:
        """Take connections.

        `enter` gives a place, as what gives it back when the connection is proved or gone, or the
        reason why there is none; `accept` gets each stream at once, before its handshake.
        """
        self._identity, self._enter, self._accept = identity, enter, accept

    async def dial(self, timeout_s: float) -> QuicStream:
        """A stream to the other end. Raises `EnvironmentFault` ``unreachable``."""
        stream = self._make(Connection(self._configure(None), None), None, lambda: None)
        self._dialling.add(stream)
        try:
            async with asyncio.timeout(timeout_s):
                stream.dial()
                await stream.ready()
        except (TimeoutError, PeerError, EnvironmentFault) as fault:
            stream.fail(EnvironmentFault("link_closed", "It was not reached."))
            raise _unreachable(self._remote, fault) from fault
        except BaseException:
            stream.fail(EnvironmentFault("link_closed", "It was given up."))
            raise
        finally:
            self._dialling.discard(stream)
        return stream

    def fail_dials(self, error: FolkmootError) -> None:
        """The other end is not there now: who waits for it need not wait longer."""
        for stream in list(self._dialling):
            stream.fail(error)

    # --- what the path calls -----------------------------------------------------------------

    def received(self, datagram: bytes) -> None:
        """A datagram came."""
        id, first = read_header(datagram)
        stream = self._by_id.get(id)
        if stream is None and first and self._identity is not None:
            stream = self._take(id, self._identity)
        if stream is not None:
            stream.take(datagram)
            if not stream.began and stream not in self._dialling:
                stream.fail(PeerError("bad_quic", "The first packet cannot be read."))

    def resumed(self) -> None:
        """The path takes datagrams again."""
        for stream in list(self._streams):
            stream.resume()

    def ended(self, error: FolkmootError) -> None:
        """The path is dead."""
        for stream in list(self._streams):
            stream.fail(error)

    async def aclose(self) -> None:
        """Close every stream, then the path."""
        self._identity = None
        await asyncio.gather(*(stream.aclose() for stream in list(self._streams)))
        self._path.close()

    def close_path(self) -> None:
        """Give the path back."""
        self._identity = None
        self._path.close()

    # --- inside --------------------------------------------------------------------------------

    def _take(self, id: bytes, identity: ListenerIdentity) -> QuicStream | None:
        place = self._enter()
        if isinstance(place, str):
            self._log.info("Connection from %s refused: %s", self._remote, place)
            return None
        assert self._accept is not None
        stream = self._make(Connection(self._configure(identity), id), identity.binding, place)
        self._note_id(stream, id, True)
        self._accept(stream)
        return stream

    def _make(
        self, connection: Connection, binding: bytes | None, on_proved: Callable[[], None]
    ) -> QuicStream:
        stream = QuicStream(
            connection,
            self._path,
            self._limits,
            self._log,
            binding=binding,
            remote=self._remote,
            local=self._local,
            on_proved=on_proved,
            on_lost=self._forget,
            on_id=self._note_id,
        )
        self._streams[stream] = set()
        self._note_id(stream, connection.host_cid, True)
        return stream

    def _note_id(self, stream: QuicStream, id: bytes, there: bool) -> None:
        if there:
            self._by_id[id] = stream
            self._streams[stream].add(id)
        else:
            self._by_id.pop(id, None)
            self._streams[stream].discard(id)

    def _forget(self, stream: QuicStream) -> None:
        for id in self._streams.pop(stream, set()):
            self._by_id.pop(id, None)
        if not self._streams:
            self._on_idle()

    def _configure(self, identity: ListenerIdentity | None) -> QuicConfiguration:
        window = 2 * self._limits.unproved_frame_bytes
        configuration = QuicConfiguration(
            alpn_protocols=[ALPN],
            connection_id_length=_ID_BYTES,
            idle_timeout=IDLE_S,
            initial_rtt=_FIRST_RTT_S,
            is_client=identity is None,
            max_data=window,
            max_stream_data=window,
            max_datagram_size=self._path.max_datagram_bytes,
            supported_versions=[VERSION],
            # No certificate is believed: who is who is proved inside, by keys that sign over its
            # hash. That the listener has the certificate's key is checked all the same.
            verify_mode=ssl.CERT_NONE,
        )
        if identity is not None:
            configuration.certificate = identity.certificate
            configuration.private_key = identity.key
        return configuration


def read_header(datagram: bytes) -> tuple[bytes, bool]:
    """(id of the connection it is for, is it the first of one); an id of no bytes: garbage."""
    if not datagram:
        return b"", False
    if not datagram[0] & 0x80:
        return datagram[1 : 1 + _ID_BYTES], False
    if len(datagram) < 7:
        return b"", False
    id = datagram[6 : 6 + datagram[5]]
    first = (
        datagram[0] & 0xF0 == 0xC0
        and int.from_bytes(datagram[1:5], "big") == VERSION
        and len(datagram) >= SMALLEST_MAX_DATAGRAM_SIZE
        and 8 <= len(id) <= 20
    )
    return id, first


def _unreachable(remote: str, fault: BaseException) -> EnvironmentFault:
    if isinstance(fault, EnvironmentFault) and fault.code == "unreachable":
        return fault
    answer, reason = "no_answer", "it does not answer"
    if isinstance(fault, PeerError) and fault.code != "too_slow":
        answer, reason = "not_folkmoot", "something answers there, but it is not Folkmoot"
    elif isinstance(fault, EnvironmentFault):
        answer, reason = "broke", "it closed the connection at once"
    return Unreachable(answer, f"{remote} was not reached: {reason}.")
