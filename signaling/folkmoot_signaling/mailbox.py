"""Sealed envelopes that wait for a device: who may leave how much, for how long, in which order.

Owns the quotas, the order of arrival and the end of each envelope; `MailBook` is pure, the time is
an argument (Unix, seconds). Refuses to look into an envelope, and to judge grants: that is for the
connection. `Mailbox` is what the connection needs; `MemoryMailbox` keeps everything in memory,
`mailbox_file` in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from folkmoot.domain.ids import DeviceId
from folkmoot.protocol.signaling import MAX_ENVELOPE_BYTES

MIN_KEEP_S: Final = 10 * 60
MAX_KEEP_S: Final = 24 * 3600
FULL: Final = "mail_full"
TOO_LARGE: Final = "bad_message"
_BUCKET_S: Final = 60

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class MailLimits:
    """Bytes and number of envelopes that may wait at once, each on by default.

    Of one recipient, of one sender at all recipients, of one sender at one recipient (so that
    nobody fills another's box alone), of one network address of senders, and overall. `keep_s` is
    the longest time that an envelope is kept.
    """

    recipient_bytes: int = 4 * 1024 * 1024
    recipient_count: int = 512
    sender_bytes: int = 4 * 1024 * 1024
    sender_count: int = 1024
    pair_bytes: int = 1024 * 1024
    pair_count: int = 128
    address_bytes: int = 16 * 1024 * 1024
    address_count: int = 4096
    total_bytes: int = 64 * 1024 * 1024
    total_count: int = 16_384
    keep_s: int = MAX_KEEP_S


class Receipt(NamedTuple):
    """The fields of `Kept`: for how many seconds it waits, or 0 and why it was refused."""

    kept_s: int
    code: str = ""


class Waiting(NamedTuple):
    """An envelope to deliver. `number` grows with the arrival; it is for `Mailbox.waiting` only."""

    number: int
    id: bytes
    sealed: bytes


class Mailbox(Protocol):
    """What a connection needs. Grants are checked before; ids are 16 bytes, devices 32."""

    limits: MailLimits

    async def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> Receipt:
        """Keep an envelope; safe when this returns, as far as this mailbox is safe.

        The same (recipient, sender, id) again changes nothing and says how long it still waits.
        `address`: the network address of the sender, as the limits count addresses.
        """
        ...

    async def waiting(
        self, recipient: DeviceId, after: int = 0, max_bytes: int = MAX_ENVELOPE_BYTES
    ) -> list[Waiting]:
        """The envelopes that came after number `after`, in order: at least one if there is one,
        then as many as fit into `max_bytes`. [] if there is none."""
        ...

    async def taken(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        """Forget these envelopes of the recipient; unknown ids change nothing."""
        ...

    def usage(self) -> tuple[int, int]:
        """(envelopes, bytes) that wait now, for the metrics."""
        ...

    async def aclose(self) -> None:
        """Finish what is under way and let go of everything."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Letter(Generic[C]):
    """One envelope in the book. `content` is the envelope itself, or says where it lies."""

    number: int
    recipient: DeviceId
    sender: DeviceId
    address: str
    id: bytes
    size: int
    expires_s: float
    content: C


class _Usage:
    """How much of something waits."""

    __slots__ = ("count", "size")

    def __init__(self) -> None:
        self.count = self.size = 0


_Who = tuple[str, bytes | str]


class MailBook(Generic[C]):
    """All envelopes of one server."""

    def __init__(self, limits: MailLimits) -> None:
        self._limits = limits
        self._boxes: dict[DeviceId, dict[tuple[DeviceId, bytes], Letter[C]]] = {}
        self._usages: dict[_Who, _Usage] = {}
        self._ends: dict[int, dict[Letter[C], None]] = {}
        self._number = 0
        self._expired_until = 0

    # --- putting -----------------------------------------------------------------------------

    def held(
        self, recipient: DeviceId, sender: DeviceId, id: bytes, now: float
    ) -> Letter[C] | None:
        """The envelope that was put before under these."""
        letter = self._boxes.get(recipient, {}).get((sender, id))
        return letter if letter is not None and letter.expires_s > now else None

    def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        content: C,
        size: int,
        keep_s: int,
        now: float,
    ) -> Letter[C] | str:
        """Keep an envelope, or the code with which it is refused."""
        self.expire(now)
        if not 0 < size <= MAX_ENVELOPE_BYTES:
            return TOO_LARGE
        if (stale := self._boxes.get(recipient, {}).get((sender, id))) is not None:
            self._drop(stale)
        for who, (count, most) in self._quotas(recipient, sender, address).items():
            usage = self._usages.get(who)
            if (usage.count if usage else 0) + 1 > count:
                return FULL
            if (usage.size if usage else 0) + size > most:
                return FULL
        kept_s = min(max(keep_s, MIN_KEEP_S), max(self._limits.keep_s, MIN_KEEP_S), MAX_KEEP_S)
        return self.restore(recipient, sender, address, id, content, size, now + kept_s)

    def restore(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        content: C,
        size: int,
        expires_s: float,
    ) -> Letter[C]:
        """Keep an envelope that was accepted before, whatever the quotas say now."""
        self._number += 1
        letter = Letter(self._number, recipient, sender, address, id, size, expires_s, content)
        box = self._boxes.setdefault(recipient, {})
        if (before := box.get((sender, id))) is not None:
            self._drop(before)
            box = self._boxes.setdefault(recipient, {})
        box[sender, id] = letter
        self._ends.setdefault(_bucket(expires_s), {})[letter] = None
        self._count(letter, 1)
        return letter

    def _quotas(
        self, recipient: DeviceId, sender: DeviceId, address: str
    ) -> dict[_Who, tuple[int, int]]:
        """Whose usage an envelope counts for, and what each may have: (envelopes, bytes)."""
        limits = self._limits
        return {
            ("recipient", recipient): (limits.recipient_count, limits.recipient_bytes),
            ("sender", sender): (limits.sender_count, limits.sender_bytes),
            ("pair", recipient + sender): (limits.pair_count, limits.pair_bytes),
            ("address", address): (limits.address_count, limits.address_bytes),
            ("all", b""): (limits.total_count, limits.total_bytes),
        }

    # --- taking ------------------------------------------------------------------------------

    def waiting(
        self, recipient: DeviceId, now: float, after: int = 0, max_bytes: int = MAX_ENVELOPE_BYTES
    ) -> list[Letter[C]]:
        """What `Mailbox.waiting` says."""
        found: list[Letter[C]] = []
        size = 0
        for letter in self._boxes.get(recipient, {}).values():
            if letter.number <= after or letter.expires_s <= now:
                continue
            size += letter.size
            if found and size > max_bytes:
                break
            found.append(letter)
        return found

    def taken(self, recipient: DeviceId, ids: Iterable[bytes]) -> list[Letter[C]]:
        """Forget these; those that were there."""
        wanted = set(ids)
        gone = [letter for letter in self._boxes.get(recipient, {}).values() if letter.id in wanted]
        for letter in gone:
            self._drop(letter)
        return gone

    def forget(self, letter: Letter[C]) -> None:
        """Take one out again, if it is still there."""
        if self._boxes.get(letter.recipient, {}).get((letter.sender, letter.id)) is letter:
            self._drop(letter)

    def expire(self, now: float) -> None:
        """Forget what waited too long; cheap to call often."""
        if (until := int(now) // _BUCKET_S) == self._expired_until:
            return
        self._expired_until = until
        for bucket in [bucket for bucket in self._ends if bucket <= until]:
            for letter in [letter for letter in self._ends[bucket] if letter.expires_s <= now]:
                self._drop(letter)

    def letters(self) -> list[Letter[C]]:
        """Everything, in order of arrival."""
        every = [letter for box in self._boxes.values() for letter in box.values()]
        return sorted(every, key=lambda letter: letter.number)

    def usage(self) -> tuple[int, int]:
        """(envelopes, bytes) that wait now."""
        every = self._usages.get(("all", b""))
        return (every.count, every.size) if every else (0, 0)

    # --- inside ------------------------------------------------------------------------------

    def _drop(self, letter: Letter[C]) -> None:
        box = self._boxes[letter.recipient]
        del box[letter.sender, letter.id]
        if not box:
            del self._boxes[letter.recipient]
        bucket = _bucket(letter.expires_s)
        del self._ends[bucket][letter]
        if not self._ends[bucket]:
            del self._ends[bucket]
        self._count(letter, -1)

    def _count(self, letter: Letter[C], sign: int) -> None:
        for who in self._quotas(letter.recipient, letter.sender, letter.address):
            usage = self._usages.setdefault(who, _Usage())
            usage.count += sign
            usage.size += sign * letter.size
            if not usage.count:
                del self._usages[who]


def _bucket(expires_s: float) -> int:
    return int(expires_s) // _BUCKET_S


class MemoryMailbox:
    """A `Mailbox` that forgets everything when the server stops."""

    def __init__(self, limits: MailLimits, now: Callable[[], float]) -> None:
        """`now`: Unix time in seconds."""
        self.limits = limits
        self._now = now
        self._book: MailBook[bytes] = MailBook(limits)

    async def put(
        self,
        recipient: DeviceId,
        sender: DeviceId,
        address: str,
        id: bytes,
        sealed: bytes,
        keep_s: int,
    ) -> Receipt:
        """As `Mailbox.put`."""
        now = self._now()
        letter = self._book.held(recipient, sender, id, now)
        made = letter or self._book.put(
            recipient, sender, address, id, sealed, len(sealed), keep_s, now
        )
        return receipt(made, now)

    async def waiting(
        self, recipient: DeviceId, after: int = 0, max_bytes: int = MAX_ENVELOPE_BYTES
    ) -> list[Waiting]:
        """As `Mailbox.waiting`."""
        letters = self._book.waiting(recipient, self._now(), after, max_bytes)
        return [Waiting(letter.number, letter.id, letter.content) for letter in letters]

    async def taken(self, recipient: DeviceId, ids: Sequence[bytes]) -> None:
        """As `Mailbox.taken`."""
        self._book.taken(recipient, ids)

    def usage(self) -> tuple[int, int]:
        """As `Mailbox.usage`."""
        self._book.expire(self._now())
        return self._book.usage()

    async def aclose(self) -> None:
        """Nothing is open."""


def receipt(made: Letter[C] | str, now: float) -> Receipt:
    """What is answered to a put."""
    if isinstance(made, str):
        return Receipt(0, made)
    return Receipt(max(1, int(made.expires_s - now)))
