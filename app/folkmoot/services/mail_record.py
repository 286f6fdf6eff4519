"""What of our own logs waits sealed at which server for whom, until when.

Owns the rows, kept in local settings, so that nothing is put twice while it waits and a person can
be told. Refuses to grow: devices and rows of each are bounded, the oldest go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from folkmoot.domain.ids import ConversationId, DeviceId, EntryId, LogKey
from folkmoot.services.ports import Store
from folkmoot.services.values import Sealed

MAX_DEVICES = 512
MAX_ROWS = 128
_KEY = "mail.put."


class Run(NamedTuple):
    """Entries `first` to `last` of a log of ours wait at `server` until `until_ms`."""

    log: LogKey
    first: int
    last: int
    server: str
    until_ms: int


class MailRecord:
    """Rows by the device for which they wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[DeviceId, list[Run]] = {}

    async def load(self, now_ms: int) -> None:
        """Take what is kept; what is over or cannot be read is forgotten."""
        for key, value in (await self._store.settings(_KEY)).items():
            try:
                device = DeviceId(bytes.fromhex(key.removeprefix(_KEY)))
                runs = [_read(row) for row in json.loads(value)]
            except (ValueError, TypeError):
                runs = []
            held = [run for run in runs if run.until_ms > now_ms]
            if held:
                self._runs[device] = held
            else:
                await self._store.set_setting(key, None)

    def devices(self) -> list[DeviceId]:
        """Those for whom something waits, or did."""
        return list(self._runs)

    def next(self, device: DeviceId, log: LogKey, held: int, now_ms: int) -> int:
        """The first entry after `held` that does not wait for the device in an unbroken run."""
        first = held + 1
        for run in sorted(self._runs.get(device, ()), key=lambda run: run.first):
            if run.log == log and run.first <= first <= run.last and run.until_ms > now_ms:
                first = run.last + 1
        return first

    async def note(self, device: DeviceId, runs: Sequence[Run], now_ms: int) -> None:
        """These wait now."""
        kept = [run for run in self._runs.pop(device, []) if run.until_ms > now_ms]
        self._runs[device] = [*kept, *runs][-MAX_ROWS:]
        while len(self._runs) > MAX_DEVICES:
            oldest = next(iter(self._runs))
            del self._runs[oldest]
            await self._store.set_setting(_KEY + oldest.hex(), None)
        value = json.dumps([_row(run) for run in self._runs[device]])
        await self._store.set_setting(_KEY + device.hex(), value)

    def sealed(
        self, devices: Sequence[DeviceId], log: LogKey, sequence: int, now_ms: int
    ) -> tuple[Sealed, ...]:
        """Where an entry waits for any of `devices`."""
        found: dict[DeviceId, Sealed] = {}
        for device in devices:
            for run in self._runs.get(device, ()):
                if run.log == log and run.first <= sequence <= run.last and run.until_ms > now_ms:
                    found[device] = Sealed(device, run.server, run.until_ms)
        return tuple(found.values())


def _row(run: Run) -> list[object]:
    return [*(part.hex() for part in run.log), *run[1:]]


def _read(row: list[object]) -> Run:
    conversation, device, grant, first, last, server, until_ms = row
    ids = [bytes.fromhex(str(part)) for part in (conversation, device, grant)]
    log = LogKey(ConversationId(ids[0]), DeviceId(ids[1]), EntryId(ids[2]))
    return Run(log, int(str(first)), int(str(last)), str(server), int(str(until_ms)))
