"""Everything that is counted, in one object of plain numbers that the metrics read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Grows only, except `connections` and `sessions`, which are of now."""

    connections: int = 0
    sessions: int = 0
    """Devices that are logged in."""
    accepted: int = 0
    logins: int = 0
    resumed: int = 0
    replaced: int = 0
    expired: int = 0
    too_slow: int = 0
    silent: int = 0

    refused_connections: int = 0
    refused_handshakes: int = 0
    """Of TLS, by a limit; `failed_handshakes` came to nothing, or not in time."""
    failed_handshakes: int = 0
    refused_logins: int = 0
    """By a limit; `bad_logins` are those that were wrong."""
    bad_logins: int = 0
    foreign_origins: int = 0
    late_logins: int = 0
    bad_requests: int = 0
    bad_messages: int = 0

    frames: int = 0
    bytes: int = 0
    frames_gone: int = 0
    frames_slow: int = 0
    """Dropped: the destination had too much waiting."""
    frames_fast: int = 0
    """Dropped: a limit of the sender was passed."""
    frames_to_nodes: int = 0
    frames_from_nodes: int = 0
    frames_nodes_lost: int = 0
    """Dropped: too many waited for Redis."""
    nodes_garbage: int = 0
    """Messages on the channel of this node that were none."""
    redis_lost: int = 0
    """Times that Redis, or its channel, was lost."""

    control: int = 0
    control_fast: int = 0
    rooms_refused: int = 0

    faults: int = 0
    """Bugs of ours that did not end the server."""

    mail_put: int = 0
    mail_refused: int = 0
    mail_sent: int = 0
    mail_taken: int = 0
