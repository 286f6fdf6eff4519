"""Looking through a range of addresses that a person typed, where nothing is announced.

Each address is knocked at once, a few at a time and so many in a second; whoever proves to be of a
team of ours is linked and remembered. Refuses more than `ranges.MAX_ADDRESSES`, and two at a time.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from folkmoot.domain.errors import UserError
from folkmoot.domain.ranges import parse_range
from folkmoot.services.attempts import OK, Attempts
from folkmoot.services.supervisor import Supervisor
from folkmoot.services.targets import Target
from folkmoot.services.values import ScanReport, Way

AT_ONCE = 32
PACE_S = 0.02
MAX_KEPT = 8


@dataclass(slots=True)
class _Scan:
    text: str
    addresses: tuple[str, ...]
    found: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    over: bool = False

    def report(self) -> ScanReport:
        return ScanReport(
            self.text,
            len(self.addresses),
            self.answers.total(),
            tuple(self.found),
            tuple(sorted(self.answers.items())),
            self.over,
        )


class Scans:
    """The ranges that were looked through, and the one that is."""

    def __init__(
        self,
        attempt: Callable[[Target], Awaitable[None]],
        attempts: Attempts,
        supervisor: Supervisor,
    ) -> None:
        self._attempt = attempt
        self._attempts = attempts
        self._supervisor = supervisor
        self._scans: list[_Scan] = []

    def reports(self) -> tuple[ScanReport, ...]:
        """What was found, the newest last."""
        return tuple(scan.report() for scan in self._scans)

    def start(self, text: str) -> ScanReport:
        """Begin. Raises `UserError` ``bad_range``, ``scanning``."""
        addresses = tuple(str(address) for address in parse_range(text))
        if any(not scan.over for scan in self._scans):
            raise UserError(
                "scanning", "A range is being looked through.", "Wait until that is done."
            )
        scan = _Scan(text.strip(), addresses)
        self._scans = [*self._scans[1 - MAX_KEPT :], scan]
        self._supervisor.start("look through a range", self._look(scan))
        return scan.report()

    async def _look(self, scan: _Scan) -> None:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(address: str) -> None:
            try:
                await self._attempt(Target(address, Way.TYPED))
                self._note(scan, address)
            finally:
                free.release()

        tasks = []
        try:
            for address in scan.addresses:
                await free.acquire()
                tasks.append(self._supervisor.start(f"knock {address}", one(address)))
                await asyncio.sleep(PACE_S)
            await asyncio.wait(tasks)
        finally:
            scan.over = True

    def _note(self, scan: _Scan, address: str) -> None:
        made = self._attempts.last(address)
        code = "no_team" if made is None else made.code
        scan.answers[code] += 1
        if code == OK:
            scan.found.append(address)
