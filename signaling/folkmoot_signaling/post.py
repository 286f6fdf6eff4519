"""The mailbox as connections see it: grants are checked, envelopes delivered until taken."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from folkmoot.domain.errors import EnvironmentFault, PeerError
from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import Kept, Mail, Put, read_grant
from folkmoot_signaling.bus import Bus
from folkmoot_signaling.connection import RELAY_WAITING_BYTES, Connection
from folkmoot_signaling.counters import Counters
from folkmoot_signaling.directory import Directory, Session
from folkmoot_signaling.limits import Limits
from folkmoot_signaling.mailbox import Mailbox

_MAILBOX_S = 5.0
_AGAIN_AT_ONCE = 16


class Post:
    """Between connections and the mailbox, if there is one."""

    def __init__(
        self,
        mailbox: Mailbox | None,
        bus: Bus,
        directory: Directory[Connection],
        limits: Limits,
        counters: Counters,
        now_s: Callable[[], float],
        unix_s: Callable[[], float],
    ) -> None:
        self._mailbox = mailbox
        self._bus = bus
        self._directory = directory
        self._limits = limits
        self._counters = counters
        self._now_s = now_s
        self._unix_s = unix_s
        self._held: dict[Session[Connection], None] = {}
        """For whom something waits, but too much was under way to them already."""

    async def put(self, session: Session[Connection], connection: Connection, put: Put) -> None:
        """Keep an envelope and say for how long, or why not."""
        kept_s, code = await self._keep(session, connection, put)
        if kept_s:
            self._counters.mail_put += 1
        else:
            self._counters.mail_refused += 1
        connection.send(Kept(put.id, kept_s, code))
        if kept_s:
            await self.wake(put.recipient)

    async def _keep(
        self, session: Session[Connection], connection: Connection, put: Put
    ) -> tuple[int, str]:
        if self._mailbox is None:
            return 0, "no_mailbox"
        assert session.budget is not None
        if self._limits.take_put(session.budget, connection.place, self._now_s()):
            return 0, "too_fast"
        try:
            grant = read_grant(put.grant)
        except PeerError:
            return 0, "mail_refused"
        if (
            grant.recipient != put.recipient
            or grant.sender != session.device
            or grant.until_s <= self._unix_s()
        ):
            return 0, "mail_refused"
        sender, address = session.device, connection.place.name
        try:
            async with asyncio.timeout(_MAILBOX_S):
                receipt = await self._mailbox.put(
                    put.recipient, sender, address, put.id, put.sealed, put.keep_s
                )
        except (TimeoutError, EnvironmentFault):
            return 0, "busy"
        return receipt.kept_s, receipt.code

    async def wake(self, recipient: DeviceId) -> None:
        """An envelope came for a device: deliver it, here or where the device is."""
        session = self._directory.sessions.get(recipient)
        if session is None or session.far:
            self._bus.mail(recipient)
        else:
            await self.deliver(session)

    async def taken(self, session: Session[Connection], ids: Sequence[bytes]) -> None:
        """Forget envelopes that a device has stored; more may follow them."""
        if self._mailbox is None:
            return
        with contextlib.suppress(TimeoutError, EnvironmentFault):
            async with asyncio.timeout(_MAILBOX_S):
                await self._mailbox.taken(session.device, ids)
        self._counters.mail_taken += len(ids)
        await self.deliver(session)

    async def deliver(self, session: Session[Connection]) -> None:
        """Send what waits, as long as the device reads it; the rest comes after `taken`."""
        connection = session.connection
        if self._mailbox is None or connection is None:
            return
        with contextlib.suppress(TimeoutError, EnvironmentFault):
            async with asyncio.timeout(_MAILBOX_S):
                while await self._deliver_page(self._mailbox, session, connection):
                    pass

    async def deliver_held(self) -> None:
        """Once a second: go on with those who may have taken by now what was under way."""
        for session in list(self._held)[:_AGAIN_AT_ONCE]:
            del self._held[session]
            await self.deliver(session)

    async def _deliver_page(
        self, mailbox: Mailbox, session: Session[Connection], connection: Connection
    ) -> bool:
        """Send the next envelopes. False: there are none, or too much waits already."""
        if connection.closing:
            return False
        if connection.waiting_bytes > RELAY_WAITING_BYTES:
            self._held[session] = None
            return False
        page = await mailbox.waiting(session.device, connection.mail_after)
        for mail in page:
            # Another delivery to the same connection may have been quicker.
            if mail.number > connection.mail_after:
                if not connection.send(Mail(mail.id, mail.sealed)):
                    self._held[session] = None
                    return False
                connection.mail_after = mail.number
                self._counters.mail_sent += 1
        return bool(page)
