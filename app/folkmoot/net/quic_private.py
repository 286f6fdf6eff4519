"""What must be known of aioquic's inside, in one place.

aioquic 1.7 widens the windows of flow control by itself, whether anybody reads or not, and waits
out its own timers after an outage. Here the reader gives the window, and a way that works again is
used at once. `check_library` looks whether the library still is as this expects; the tests call it.
"""

from __future__ import annotations

import logging
from hashlib import sha256
from typing import Any

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection, QuicConnectionState
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.quic.packet_builder import QuicPacketBuilder
from aioquic.quic.recovery import QuicPacketSpace
from aioquic.quic.stream import QuicStream as LibraryStream
from cryptography.hazmat.primitives.serialization import Encoding

# It writes a line for whatever a stranger does wrong; our own log counts those (`QuietLog`).
logging.getLogger("quic").setLevel(logging.ERROR)

VERSION = int(QuicProtocolVersion.VERSION_1)
STREAM = 0
"""The one stream of a connection: bidirectional, opened by who dials."""


class Connection(QuicConnection):
    """A QUIC connection with one bidirectional stream whose window its reader gives."""

    def __init__(self, configuration: QuicConfiguration, original_cid: bytes | None) -> None:
        super().__init__(
            configuration=configuration, original_destination_connection_id=original_cid
        )
        self._local_active_connection_id_limit = 2
        for limit, value in (
            (self._local_max_streams_bidi, 0 if configuration.is_client else 1),
            (self._local_max_streams_uni, 0),
        ):
            limit.value = limit.sent = value

    @property
    def began(self) -> bool:
        """A first packet of the other side was good."""
        return self._state is not QuicConnectionState.FIRSTFLIGHT

    @property
    def readable(self) -> bool:
        """The stream is there; on the listening side, once the dialler said so."""
        return STREAM in self._streams

    @property
    def all_left(self) -> bool:
        """Everything that was written, its end included, was acknowledged."""
        stream = self._streams.get(STREAM)
        return stream is None or bool(stream.sender.is_finished)

    def open_stream(self) -> None:
        """On the dialling side: make the stream, and tell of it: the other may speak first."""
        stream = self._get_or_create_stream_for_send(STREAM)
        stream.max_stream_data_local_sent = 0

    def unacknowledged(self) -> int:
        """Bytes that were written to the stream and are not known to have arrived."""
        stream = self._streams.get(STREAM)
        if stream is None:
            return 0
        sender = stream.sender
        return int(sender._buffer_stop - sender._buffer_start)

    def allow(self, offset: int) -> bool:
        """The other side may send up to `offset` in all; whether that is news to be sent."""
        stream = self._streams.get(STREAM)
        if offset <= self._local_max_data.value or stream is None:
            return False
        self._local_max_data.value = offset
        stream.max_stream_data_local = max(stream.max_stream_data_local, offset)
        return True

    @property
    def waits_in_vain(self) -> bool:
        """Probes of ours remained without an answer."""
        return self._loss._pto_count > 0

    def revive(self, now: float) -> None:
        """The way works again: send a probe at once, with the oldest that was not acknowledged."""
        self._loss._pto_count = 0
        self._loss.reschedule_data(now=now)

    def listener_binding(self) -> bytes | None:
        """On the dialling side after the handshake: SHA-256 of the listener's certificate."""
        certificate = self.tls._peer_certificate
        if certificate is None:
            return None
        return sha256(certificate.public_bytes(Encoding.DER)).digest()

    # The library doubles a window of which half is used. Seeing nothing used it leaves the window
    # as it is, and sends it when it changed. That of the stream it may double: the other one binds.

    def _write_connection_limits(self, builder: QuicPacketBuilder, space: QuicPacketSpace) -> None:
        limit = self._local_max_data
        used, limit.used = limit.used, 0
        try:
            super()._write_connection_limits(builder, space)
        finally:
            limit.used = used


def check_library(connection: QuicConnection) -> list[str]:
    """What is missing of what this module touches, by name; empty: all is as expected."""
    wanted: list[tuple[Any, tuple[str, ...]]] = [
        (
            connection,
            (
                *("_local_active_connection_id_limit", "_local_max_data", "_streams", "_state"),
                *("_local_max_streams_bidi", "_local_max_streams_uni", "_loss"),
                *("_get_or_create_stream_for_send", "_write_connection_limits"),
            ),
        ),
        (connection._local_max_data, ("value", "sent", "used")),
        (connection._loss, ("_pto_count", "reschedule_data")),
        (LibraryStream(0).sender, ("_buffer_start", "_buffer_stop", "is_finished")),
        (LibraryStream(0), ("max_stream_data_local", "max_stream_data_local_sent")),
    ]
    return [name for thing, names in wanted for name in names if not hasattr(thing, name)]
