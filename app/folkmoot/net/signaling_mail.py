"""Envelopes on their way to and from one server, counted.

What was put waits for the server's word; what came is handed on once while it is not taken, and no
more of it at once than a bound. What is over the bound is left lying: it comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from folkmoot.domain.errors import EnvironmentFault
from folkmoot.domain.ids import DeviceId
from folkmoot.net.limits import MIB
from folkmoot.protocol.signaling import Control, Put
from folkmoot.services.ports import Randomness

MAX_PUTS = 64
MAX_MAILS = 512
MAX_MAIL_BYTES = 8 * MIB
_KEPT_S = 15.0
_WORDS = {
    "no_mailbox": "The server keeps no messages for computers that are off.",
    "mail_full": "The server keeps as much for that computer as it may.",
    "mail_refused": "The server did not take the message for a computer that is off.",
}
_LATER = ("too_fast", "busy", "mail_full")


class MailBook:
    """The envelopes of one server."""

    def __init__(self, randomness: Randomness, loop: asyncio.AbstractEventLoop) -> None:
        self._randomness = randomness
        self._loop = loop
        self._puts: dict[bytes, asyncio.Future[tuple[int, str]]] = {}
        self._mails: dict[bytes, int] = {}
        self._bytes = 0
        self._left_lying = False

    def connected(self) -> None:
        """On a new connection everything that is not taken comes again."""
        self._mails.clear()
        self._bytes = 0
        self._left_lying = False

    def disconnected(self) -> None:
        """Nothing is heard of what was put."""
        for put in self._puts.values():
            if not put.done():
                put.set_exception(_not_connected())

    async def put(
        self,
        say: Callable[[Control], None],
        recipient: DeviceId,
        grant: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> int:
        """Leave an envelope; for how many seconds it is kept. Raises `EnvironmentFault`."""
        if len(self._puts) >= MAX_PUTS:
            raise _refused("mail_full")
        id = self._randomness.bytes(16)
        answer: asyncio.Future[tuple[int, str]] = self._loop.create_future()
        self._puts[id] = answer
        try:
            async with asyncio.timeout(_KEPT_S):
                say(Put(id, recipient, grant, keep_s, sealed))
                kept_s, code = await answer
        except TimeoutError as fault:
            raise _not_connected() from fault
        finally:
            del self._puts[id]
        if kept_s:
            return kept_s
        raise _refused(code)

    def kept(self, id: bytes, kept_s: int, code: str) -> None:
        """The server's word on what was put."""
        put = self._puts.get(id)
        if put is not None and not put.done():
            put.set_result((min(kept_s, 7 * 86_400), code))

    def take(self, id: bytes, sealed: bytes) -> bool:
        """An envelope came; whether it is to be handed on."""
        if id in self._mails:
            return False
        if len(self._mails) >= MAX_MAILS or self._bytes + len(sealed) > MAX_MAIL_BYTES:
            self._left_lying = True
            return False
        self._mails[id] = len(sealed)
        self._bytes += len(sealed)
        return True

    def taken(self, ids: Iterable[bytes]) -> bool:
        """These are stored; whether all are, and some were left lying before."""
        for id in ids:
            self._bytes -= self._mails.pop(id, 0)
        if self._mails or not self._left_lying:
            return False
        self._left_lying = False
        return True


def _not_connected() -> EnvironmentFault:
    return EnvironmentFault("not_connected", "The server is not connected.")


def _refused(code: str) -> EnvironmentFault:
    if code in _LATER:
        code = "mail_full"
    elif code not in _WORDS:
        code = "mail_refused"
    return EnvironmentFault(code, _WORDS[code])
