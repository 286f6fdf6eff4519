"""What goes into an envelope for a device.

Our own entries that it may see, is not known to hold, and that do not wait for it yet, in order
from what it holds on, the teams' first. What does not fit is left for the next one, or to the
history that any member has. Refuses to leave an entry out in between: what follows a gap is of no
use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from folkmoot.domain.entry import Entry
from folkmoot.domain.ids import DeviceId, LogKey
from folkmoot.protocol import frames
from folkmoot.protocol.mail import MAX_MAIL_BYTES, MAX_MAIL_SEGMENTS, segment_of
from folkmoot.services.holdings import HeldLogs
from folkmoot.services.keyring import Keyring
from folkmoot.services.mail_record import MailRecord
from folkmoot.services.ports import Clock, Store
from folkmoot.services.registry import TeamRegistry

_WRAPPING_BYTES = 16
"""The array around the segments, at most."""


class MailPacking:
    """Fills envelopes."""

    def __init__(
        self,
        keyring: Callable[[], Keyring],
        store: Store,
        clock: Clock,
        registry: TeamRegistry,
        held: HeldLogs,
        record: MailRecord,
    ) -> None:
        self._keyring = keyring
        self._store = store
        self._clock = clock
        self._registry = registry
        self._held = held
        self._record = record

    async def pack(self, device: DeviceId, held: Mapping[LogKey, int]) -> dict[LogKey, list[Entry]]:
        """What goes into the next envelope: of each own log what follows what the device has."""
        now_ms = self._clock.wall_ms()
        packed: dict[LogKey, list[Entry]] = {}
        left = MAX_MAIL_BYTES - _WRAPPING_BYTES
        for log, head in self._own_logs(device):
            first = self._record.next(device, log, held.get(log, 0), now_ms)
            if first > head:
                continue
            found = await self._store.segment(log, first, left)
            entries = _cut(log, found, left)
            if not entries and packed:
                break  # for the next envelope; what rests on it is not to come before it
            if not entries:
                continue
            packed[log] = entries
            left -= _size(log, entries)
            if len(packed) == MAX_MAIL_SEGMENTS:
                break
        return packed

    def _own_logs(self, device: DeviceId) -> list[tuple[LogKey, int]]:
        """Our logs of what the device may see now and their heads; those of teams first."""
        registry, me = self._registry, self._keyring().device
        person = registry.person_of(device)
        if person is None or person not in registry.known_persons():
            return []
        places = registry.shared_with(person)
        places.sort(key=lambda place: registry.team(place) is None)
        return [
            (log, position.sequence)
            for place in places
            for log, position in self._held.of(place).items()
            if log.device == me
        ]


def _cut(log: LogKey, entries: Sequence[Entry], most_bytes: int) -> list[Entry]:
    """The first of `entries` that fit, up to one that bears a signature."""
    kept = list(entries)
    while kept and (kept[-1].signature is None or _size(log, kept) > most_bytes):
        kept.pop()
    return kept


def _size(log: LogKey, entries: Sequence[Entry]) -> int:
    return len(frames.encode(segment_of(log, entries)))
