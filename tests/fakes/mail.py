"""The mailbox of a signaling server in memory, with the rules of the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import read_grant
from folkmoot_signaling.mailbox import MailBook, MailLimits

SINCE_S = 1_790_000_000
"""The date when the loop's time is 0, as in `sim.world`."""


def unix_s() -> float:
    """The server's date."""
    return SINCE_S + asyncio.get_running_loop().time()


class PostOffice:
    """What waits, and what was put and taken."""

    def __init__(self, limits: MailLimits | None = None) -> None:
        self.limits = limits or MailLimits()
        self.book: MailBook[bytes] = MailBook(self.limits)
        self.puts: list[tuple[DeviceId, DeviceId, bytes]] = []
        """(sender, recipient, sealed) of everything that was left."""
        self.taken: list[bytes] = []
        self.refusals = 0
        self.refuses = False
        self.forgets_taken = False
        self.put_s = 0.05
        """How long a put takes."""

    def put(
        self, sender: DeviceId, recipient: DeviceId, grant: bytes, sealed: bytes, keep_s: int
    ) -> int:
        """Keep an envelope if the grant holds; for how long."""
        try:
            read = read_grant(grant)
        except PeerError as error:
            raise EnvironmentFault("mail_refused", "no grant") from error
        rights = (read.recipient, read.sender) == (recipient, sender)
        if self.refuses or not rights or read.until_s <= unix_s():
            self.refusals += 1
            raise EnvironmentFault("mail_refused", "no grant")
        return self.leave(sender, recipient, sealed, keep_s)

    def leave(
        self, sender: DeviceId, recipient: DeviceId, sealed: bytes, keep_s: int = 3600
    ) -> int:
        """Keep an envelope without a grant."""
        id = (len(self.puts) + 1).to_bytes(16, "big")
        made = self.book.put(
            recipient, sender, "10.0.0.1", id, sealed, len(sealed), keep_s, unix_s()
        )
        if isinstance(made, str):
            raise EnvironmentFault(made, "refused")
        self.puts.append((sender, recipient, sealed))
        return int(made.expires_s - unix_s())

    def waiting(self, recipient: DeviceId) -> list[tuple[bytes, bytes]]:
        """(id, sealed) of everything for a device."""
        letters = self.book.waiting(recipient, unix_s(), 0, 2**40)
        return [(letter.id, letter.content) for letter in letters]

    def take(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        """A device says that it has these."""
        self.taken.extend(ids)
        if not self.forgets_taken:
            self.book.taken(recipient, ids)
