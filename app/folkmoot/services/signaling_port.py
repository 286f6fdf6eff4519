"""What the node needs from outside to meet others through servers and through NAT.

The adapters live in `net` (`net.signaling`, `net.ice`); the tests have fakes of both. A signaling
server is believed in nothing: it says who is there, hands frames on and keeps envelopes, and every
stream made through it proves itself like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from folkmoot.domain.ids import DeviceId
from folkmoot.domain.servers import ServerUrl
from folkmoot.services.ports import Stream
from folkmoot.services.values import ServerPhase


@dataclass(frozen=True, slots=True)
class TurnServer:
    """Relays for media and their credentials, which hold `valid_s` seconds from `since_s` on (the
    time of the node's loop)."""

    urls: tuple[str, ...]
    username: str
    credential: str
    valid_s: int
    since_s: float


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a connection to a server stands.

    `code` and `words` say why it is not ready (``unreachable``, ``not_a_server``,
    ``bad_certificate``, ``refused``, ``proxy``, ``clock``, …), `hint` what to do. `stun`:
    ``host:port`` that answers binding requests over UDP, or empty. `mail_s`: how long envelopes are
    kept at most, 0: no mailbox.
    """

    phase: ServerPhase
    code: str = ""
    words: str = ""
    hint: str = ""
    server: bytes = b""
    rtt_ms: float | None = None
    stun: str = ""
    turn: TurnServer | None = None
    mail_s: int = 0
    mail_bytes: int = 0


class ServerListener(Protocol):
    """What is told of a server, on the node's loop."""

    def state_changed(self, url: ServerUrl, state: ServerState) -> None:
        """It is reached, lost, or gave new credentials."""
        ...

    def came(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        """A device is under a tag, now or already."""
        ...

    def went(self, url: ServerUrl, tag: bytes, device: DeviceId) -> None:
        """A device is under a tag no more. All are gone when the connection is lost for good."""
        ...

    def mail(self, url: ServerUrl, id: bytes, sealed: bytes) -> None:
        """An envelope came; it comes again until `Signaling.taken`."""
        ...


class Signaling(Protocol):
    """Connections to servers, kept up by themselves: jitter of 1 to 60 s, resume, renewal."""

    def attach(self, listener: ServerListener) -> None:
        """Whom to tell; once, before the first `add`."""
        ...

    def add(self, url: ServerUrl) -> None:
        """Connect and stay connected; again is harmless."""
        ...

    def remove(self, url: ServerUrl) -> None:
        """Say goodbye and forget it; streams through it end."""
        ...

    def state(self, url: ServerUrl) -> ServerState:
        """How it stands; `ServerPhase.OFF` for one that was not added."""
        ...

    def enter(self, url: ServerUrl, tags: Sequence[bytes]) -> None:
        """The tags to be under from now on, instead of those before; kept over reconnections."""
        ...

    def wake(self) -> None:
        """The network changed: try again now, and look whether what is connected still lives."""
        ...

    async def put(
        self, url: ServerUrl, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """Leave an envelope; for how many seconds it is kept.

        Raises `EnvironmentFault` ``not_connected``, ``mail_refused``, ``mail_full``,
        ``no_mailbox``.
        """
        ...

    def taken(self, url: ServerUrl, ids: Sequence[bytes]) -> None:
        """These envelopes are stored durably."""
        ...

    async def aclose(self) -> None:
        """Leave every server."""
        ...


@dataclass(frozen=True, slots=True)
class IceDescription:
    """One side of ICE (RFC 8445): user fragment, password, and candidate lines (RFC 8839)."""

    ufrag: str
    password: str
    candidates: tuple[str, ...]


class IceAttempt(Protocol):
    """One attempt at a direct way."""

    @property
    def description(self) -> IceDescription:
        """Ours, gathered."""
        ...

    async def connect(self, other: IceDescription, device: DeviceId, timeout_s: float) -> Stream:
        """A stream over the way that was found; the side that began dials, the other listens.

        `device`, which the link must prove yet, is in its `Stream.remote`. Raises
        `EnvironmentFault` ``no_direct_way`` and `PeerError` ``bad_candidate``.
        """
        ...

    async def aclose(self) -> None:
        """Give up; harmless after `connect`, whose stream lives on."""
        ...


class Ice(Protocol):
    """Finds ways through NAT."""

    async def gather(self, stun: Sequence[str], *, began: bool) -> IceAttempt:
        """Candidates of this computer, with what the servers `stun` (``host:port``) see of it.

        Raises `EnvironmentFault` ``no_direct_way`` if there is none.
        """
        ...

    async def aclose(self) -> None:
        """Close every attempt, and every way that was found."""
        ...


class Sealer(Protocol):
    """HPKE (RFC 9180): X25519, HKDF-SHA256, ChaCha20-Poly1305, base mode."""

    def seal(self, seal_key: bytes, info: bytes, text: bytes) -> bytes:
        """`text` for the holder of `seal_key` (32 bytes) alone: 48 bytes longer."""
        ...

    def open(self, seal_seed: bytes, info: bytes, sealed: bytes) -> bytes:
        """What was sealed to us; raises `PeerError` ``bad_seal``."""
        ...
