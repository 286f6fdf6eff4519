"""What a QUIC stream runs over: anything that carries datagrams to one other computer.

Datagrams may be lost, doubled, delayed, changed and may overtake each other; QUIC mends that. There
is one path for each (server, device) behind a relay and one for each way that ICE found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from folkmoot.domain.errors import FolkmootError


class DatagramPath(Protocol):
    """Carries datagrams to one other computer and back. Used on the node's loop only."""

    @property
    def max_datagram_bytes(self) -> int:
        """The longest datagram that passes; at least 1,200."""
        ...

    @property
    def busy(self) -> bool:
        """It takes nothing now; `resumed` is called when it does again. Over UDP always False."""
        ...

    def attach(
        self,
        received: Callable[[bytes], None],
        resumed: Callable[[], None],
        ended: Callable[[FolkmootError], None],
    ) -> None:
        """Whom to call: for each datagram, when it is no longer busy, and when it is dead for good.

        Called once. `ended` ends every stream over the path with that error.
        """
        ...

    def send(self, datagram: bytes) -> None:
        """Send, or lose. Never blocks, never raises."""
        ...

    def close(self) -> None:
        """Nothing runs over it any more: give back what it holds. May be called twice."""
        ...
